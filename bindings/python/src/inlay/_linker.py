"""Linkers: names for what modules import, and host functions."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ._engine import Engine
from ._errors import check, create
from ._host import callback
from ._instance import Extern, Instance, c_extern
from ._module import Module
from ._native import NULL, CData, ffi, lib
from ._store import Store
from ._tag import functype

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class _Definition:
    """What one name stands for: how to tell a linker of C, and what has to live as long as that knows it."""

    define: Callable[[CData, bytes, bytes], CData]
    kept: Any


class _Names:
    """A linker of C, and how many threads instantiate from it right now."""

    def __init__(self, engine: Engine) -> None:
        self.pointer = engine._own(
            create("inlay_linker_t *", lib.inlay_linker_new, engine._pointer), lib.inlay_linker_delete
        )
        self.users = 0


class Linker:
    """Names for what modules import. Any number of threads may define and instantiate."""

    __slots__ = ("_engine", "_lock", "_defined", "_names", "__weakref__")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.RLock()
        self._defined: dict[tuple[str, str], _Definition] = {}
        self._names = _Names(engine)

    def define_func(
        self, module: str, name: str, signature: str, function: Callable[..., Any], *, caller: bool = False
    ) -> None:
        """Defines a host function of a signature's type, such as "ii:i", and replaces what had that name.

        It is called with an int, a float, or the 16 bytes of a vector for each parameter, and returns such a value, or as
        many as the signature says as a tuple. With `caller`, a `Caller` comes first. What it raises arrives at whoever
        called WebAssembly, the same object.
        """
        c, typed = callback(signature, function, caller)
        if typed:
            define = _typed(c, signature.encode())
        else:
            define = _boxed(c, functype(signature))
        self._define(module, name, _Definition(define, c))

    def func(
        self, module: str, name: str, signature: str, *, caller: bool = False
    ) -> Callable[[_Function], _Function]:
        """A decorator that defines a host function."""

        def defined(function: _Function) -> _Function:
            self.define_func(module, name, signature, function, caller=caller)
            return function

        return defined

    def define(self, module: str, name: str, item: Extern) -> None:
        """Defines a name as something that a store has, for instances in that store."""
        store, c = c_extern(item)
        self._define(module, name, _Definition(_thing(c), store))

    def define_instance(self, module: str, instance: Instance) -> None:
        """Defines all that an instance exports, under this module name and the exports' own names."""
        for name in instance:
            self.define(module, name, instance[name])

    def instantiate(self, store: Store, module: Module) -> Instance:
        """Makes an instance of a module in a store, and runs its start function."""
        with self._lock:
            names = self._names
            names.users += 1
            wanted = [self._defined.get((wants.module, wants.name)) for wants in module.imports]
        try:
            store._kept.update(found.kept for found in wanted if found is not None and found.kept is not store)
            out = ffi.new("inlay_instance_t **")
            pointers = names.pointer, store._pointer, module._pointer
            check(store._alone(False, lib.inlay_linker_instantiate, *pointers, out), store)
        finally:
            with self._lock:
                names.users -= 1
        return Instance(store, out[0], module)

    def _define(self, module: str, name: str, definition: _Definition) -> None:
        with self._lock:
            if self._names.users:
                # No linker of C may be changed while one instantiates from it, as when a start function defines names.
                names = _Names(self._engine)
                for (m, n), known in self._defined.items():
                    check(known.define(names.pointer, m.encode(), n.encode()))
                self._names = names
            check(definition.define(self._names.pointer, module.encode(), name.encode()))
            self._defined[module, name] = definition


def _typed(c: CData, signature: bytes) -> Callable[[CData, bytes, bytes], CData]:
    function = ffi.cast("inlay_any_func_t", c)

    def define(linker: CData, module: bytes, name: bytes) -> CData:
        return lib.inlay_linker_func_typed_n(
            linker, module, len(module), name, len(name), signature, function, NULL, NULL
        )

    return define


def _boxed(c: CData, ty: CData) -> Callable[[CData, bytes, bytes], CData]:
    def define(linker: CData, module: bytes, name: bytes) -> CData:
        return lib.inlay_linker_func_n(linker, module, len(module), name, len(name), ty, c, NULL, NULL)

    return define


def _thing(c: CData) -> Callable[[CData, bytes, bytes], CData]:
    def define(linker: CData, module: bytes, name: bytes) -> CData:
        return lib.inlay_linker_define_n(linker, module, len(module), name, len(name), c)

    return define
