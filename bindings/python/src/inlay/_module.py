"""Modules: compiled WebAssembly."""

from typing import TypeAlias

from ._engine import Engine
from ._errors import check, create
from ._native import CData, delete_pending, ffi, lib, text
from ._types import Export, ExternKind, Import, extern_type

#: What WebAssembly and images are read from.
Bytes: TypeAlias = bytes | bytearray | memoryview


class Module:
    """A compiled module. Any number of threads may use one, in any number of stores."""

    __slots__ = ("_pointer", "_engine", "imports", "exports", "__weakref__")

    _pointer: CData
    _engine: Engine
    #: What it imports, in its own order.
    imports: tuple[Import, ...]
    #: What it exports, in its own order.
    exports: tuple[Export, ...]

    def __init__(self, engine: Engine, wasm: Bytes) -> None:
        """Compiles a module from its binary form."""
        self._make(engine, lib.inlay_module_compile, wasm)

    @classmethod
    def load(cls, engine: Engine, image: Bytes) -> "Module":
        """Loads what `save` gave; nothing is compiled. An image is code: load only what you would run."""
        self = cls.__new__(cls)
        self._make(engine, lib.inlay_module_load, image)
        return self

    @staticmethod
    def validate(engine: Engine, wasm: Bytes) -> None:
        """Raises the error that compiling these bytes would give. Nothing is compiled."""
        with ffi.from_buffer("uint8_t[]", wasm) as data:
            check(lib.inlay_module_validate(engine._pointer, data, len(data)))

    def save(self) -> bytes:
        """The compiled module as an image, for this version of Inlay, in this process or another."""
        buffer = create("inlay_buffer_t *", lib.inlay_module_save, self._pointer)
        try:
            return bytes(ffi.buffer(lib.inlay_buffer_data(buffer), lib.inlay_buffer_size(buffer)))
        finally:
            lib.inlay_buffer_delete(buffer)

    @property
    def code(self) -> tuple[int, int]:
        """The address of its machine code and how many bytes that has; zeros if it has none."""
        executable, length = ffi.new("const uint8_t **"), ffi.new("size_t *")
        lib.inlay_module_code(self._pointer, executable, length)
        return int(ffi.cast("uintptr_t", executable[0])), length[0]

    def _make(self, engine: Engine, function: CData, source: Bytes) -> None:
        with ffi.from_buffer("uint8_t[]", source) as data:
            pointer = create("inlay_module_t *", function, engine._pointer, data, len(data))
        self._pointer = engine._own(pointer, lib.inlay_module_delete)
        self._engine = engine
        # A code memory may have let go of handles while it could not delete them.
        delete_pending()
        c = ffi.new("inlay_extern_type_t *", {"size": ffi.sizeof("inlay_extern_type_t")})
        imports = []
        for index in range(lib.inlay_module_import_count(pointer)):
            lib.inlay_module_import(pointer, index, c)
            module, name = text(c.module, c.module_len), text(c.name, c.name_len)
            imports.append(Import(module, name, ExternKind(c.kind), extern_type(c)))
        exports = []
        for index in range(lib.inlay_module_export_count(pointer)):
            lib.inlay_module_export(pointer, index, c)
            exports.append(Export(text(c.name, c.name_len), ExternKind(c.kind), extern_type(c)))
        self.imports, self.exports = tuple(imports), tuple(exports)
