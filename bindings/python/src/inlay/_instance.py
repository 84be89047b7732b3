"""Instances: a module in a store, and what it exports."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, TypeVar, cast

from ._func import Func, func_of, handle_of, is_func
from ._global import Global, global_of
from ._memory import Memory, memory_of
from ._module import Module
from ._native import CData, ffi, lib
from ._store import Store, alone
from ._table import Table, table_of
from ._tag import Tag, tag_of
from ._types import ExternKind

#: What can be exported and imported.
Extern: TypeAlias = Func | Memory | Table | Global | Tag
_Kind = TypeVar("_Kind", Memory, Table, Global, Tag)


class Instance(Mapping[str, Any]):
    """A module in a store: a mapping of what it exports, by name.

    `instance["add"]` is of any type; `instance.func("add")` and the like say which it is.
    """

    __slots__ = ("_store", "_pointer", "_module", "_found", "__weakref__")

    _store: Store
    _pointer: CData
    _module: Module
    _found: dict[str, Extern]

    def __init__(self, store: Store, pointer: CData, module: Module) -> None:
        self._store, self._pointer, self._module = store, pointer, module
        self._found = {}

    @property
    def exports(self) -> Mapping[str, Any]:
        """The same mapping, for whoever looks for it by this name."""
        return self

    def __getitem__(self, name: str) -> Any:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._find(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter([export.name for export in self._module.exports])

    def __len__(self) -> int:
        return len(self._module.exports)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def func(self, name: str) -> Func:
        """An exported function."""
        found = self[name]
        if not is_func(found):
            raise TypeError(f"the export {name!r} is a {type(found).__name__}, and no function")
        return cast(Func, found)

    def memory(self, name: str = "memory") -> Memory:
        """An exported memory."""
        return self._of(Memory, name)

    def table(self, name: str) -> Table:
        """An exported table."""
        return self._of(Table, name)

    def global_(self, name: str) -> Global:
        """An exported global."""
        return self._of(Global, name)

    def tag(self, name: str) -> Tag:
        """An exported tag."""
        return self._of(Tag, name)

    def _of(self, kind: type[_Kind], name: str) -> _Kind:
        found = self[name]
        if not isinstance(found, kind):
            raise TypeError(f"the export {name!r} is a {type(found).__name__}, and no {kind.__name__}")
        return found

    @alone
    def _find(self, name: str) -> Extern:
        encoded = name.encode()
        out = ffi.new("inlay_extern_t *")
        if not lib.inlay_instance_export_n(self._pointer, encoded, len(encoded), out):
            raise KeyError(name)
        return _object(self._store, out, name)


def _object(store: Store, c: CData, name: str) -> Extern:
    of = c.of
    if c.kind == ExternKind.FUNC:
        return func_of(store, of.func, name)
    if c.kind == ExternKind.TABLE:
        return table_of(store, of.table)
    if c.kind == ExternKind.MEMORY:
        return memory_of(store, of.memory)
    if c.kind == ExternKind.GLOBAL:
        return global_of(store, getattr(of, "global"))
    return tag_of(store, of.tag)


def c_extern(item: object) -> tuple[Store, CData]:
    """The store of something that can be imported, and what C knows it as."""
    c = ffi.new("inlay_extern_t *")
    if isinstance(item, Memory):
        c.kind, c.of.memory = ExternKind.MEMORY, item._pointer
    elif isinstance(item, Table):
        c.kind, c.of.table = ExternKind.TABLE, item._pointer
    elif isinstance(item, Global):
        c.kind = ExternKind.GLOBAL
        setattr(c.of, "global", item._pointer)
    elif isinstance(item, Tag):
        c.kind, c.of.tag = ExternKind.TAG, item._pointer
    else:
        handle = handle_of(item)
        c.kind, c.of.func = ExternKind.FUNC, handle.pointer
        return handle.store, c
    return item._store, c
