"""Global variables."""

from typing import Any

from ._errors import check, create
from ._native import CData, ffi, lib
from ._signature import letter
from ._store import Store, address, alone
from ._types import GlobalType, global_type
from ._values import get, put


class Global:
    """A global of a store."""

    __slots__ = ("_store", "_pointer", "type", "__weakref__")

    _store: Store
    _pointer: CData
    #: Its value's type, and whether it can be set.
    type: GlobalType

    def __init__(self, store: Store, type: GlobalType, value: Any) -> None:
        """Makes a global with this value."""
        content = ffi.new("char[]", type.content.encode())
        init = ffi.new("inlay_value_t *")
        put(store, init, letter(type.content), value)
        c = ffi.new("inlay_global_type_t *", (init.kind, type.is_mutable, content))
        pointer = store._alone(True, create, "inlay_global_t *", lib.inlay_global_new, store._pointer, c, init)
        self._set(store, pointer)
        store._things[address(pointer)] = self

    def _set(self, store: Store, pointer: CData) -> None:
        self._store, self._pointer = store, pointer
        c = ffi.new("inlay_global_type_t *")
        lib.inlay_global_type(pointer, c)
        self.type = global_type(c)

    @property
    def value(self) -> Any:
        """Its value. Setting one that is not mutable is an ArgumentError."""
        return self._get()

    @value.setter
    def value(self, value: Any) -> None:
        self._put(value)

    @alone
    def _get(self) -> Any:
        value = ffi.new("inlay_value_t *")
        lib.inlay_global_get(self._pointer, value)
        return get(self._store, value)

    @alone
    def _put(self, value: Any) -> None:
        boxed = ffi.new("inlay_value_t *")
        put(self._store, boxed, letter(self.type.content), value)
        check(lib.inlay_global_set(self._pointer, boxed))


def global_of(store: Store, pointer: CData) -> Global:
    """The one object that stands for a global of a store."""
    found = store._things.get(address(pointer))
    if found is None:
        found = Global.__new__(Global)
        found._set(store, pointer)
        found = store._things.setdefault(address(pointer), found)
    return found  # type: ignore[no-any-return]
