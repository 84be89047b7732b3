"""Tables of references."""

from typing import Any

from ._errors import check, create
from ._native import CData, ffi, lib
from ._signature import letter
from ._store import Store, address, alone
from ._types import TableType, _to_c, table_type
from ._values import get, put


class Table:
    """A table of a store. Its elements are functions or None, or objects of Python, as its type says."""

    __slots__ = ("_store", "_pointer", "type", "_letter", "__weakref__")

    _store: Store
    _pointer: CData
    #: The element, minimum and maximum that it was made with.
    type: TableType
    _letter: str

    def __init__(self, store: Store, type: TableType, init: Any = None) -> None:
        """Makes a table, each element being `init`."""
        element = ffi.new("char[]", type.element.encode())
        value = ffi.new("inlay_value_t *")
        put(store, value, letter(type.element), init)
        c = ffi.new("inlay_table_type_t *", (type.minimum, _to_c(type.maximum), value.kind, type.is_64, element))
        pointer = store._alone(True, create, "inlay_table_t *", lib.inlay_table_new, store._pointer, c, value)
        self._set(store, pointer)
        store._things[address(pointer)] = self

    def _set(self, store: Store, pointer: CData) -> None:
        self._store, self._pointer = store, pointer
        c = ffi.new("inlay_table_type_t *")
        lib.inlay_table_type(pointer, c)
        self.type = table_type(c)
        self._letter = letter(self.type.element)

    @alone
    def __len__(self) -> int:
        return int(lib.inlay_table_size(self._pointer))

    @alone
    def __getitem__(self, index: int) -> Any:
        value = ffi.new("inlay_value_t *")
        self._look(index)
        check(lib.inlay_table_get(self._pointer, index, value))
        return get(self._store, value)

    @alone
    def __setitem__(self, index: int, value: Any) -> None:
        self._look(index)
        check(lib.inlay_table_set(self._pointer, index, self._boxed(value)))

    def grow(self, delta: int, init: Any = None) -> int:
        """Adds elements, each being `init`, and gives the number of elements before."""
        return self._grow(delta, init)

    @alone
    def _grow(self, delta: int, init: Any) -> int:
        old = ffi.new("uint64_t *")
        check(lib.inlay_table_grow(self._pointer, delta, self._boxed(init), old))
        return int(old[0])

    def _look(self, index: int) -> None:
        # Iterating ends at an IndexError.
        if not 0 <= index < lib.inlay_table_size(self._pointer):
            raise IndexError(f"the table has no element {index}")

    def _boxed(self, value: Any) -> CData:
        boxed = ffi.new("inlay_value_t *")
        put(self._store, boxed, self._letter, value)
        return boxed


def table_of(store: Store, pointer: CData) -> Table:
    """The one object that stands for a table of a store."""
    table = store._things.get(address(pointer))
    if table is None:
        table = Table.__new__(Table)
        table._set(store, pointer)
        table = store._things.setdefault(address(pointer), table)
    return table  # type: ignore[no-any-return]
