"""Values: boxed, as `inlay_value_t` has them, and as Python's objects."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._native import NULL, CData, ffi, lib
from ._signature import MEMBERS
from ._store import address

if TYPE_CHECKING:
    from ._store import Store

_KINDS = {
    "i": lib.INLAY_I32,
    "I": lib.INLAY_I64,
    "f": lib.INLAY_F32,
    "F": lib.INLAY_F64,
    "V": lib.INLAY_V128,
    "r": lib.INLAY_FUNCREF,
    "e": lib.INLAY_EXTERNREF,
    "x": lib.INLAY_EXNREF,
}
_LETTERS = {kind: letter for letter, kind in _KINDS.items()}


class ExnRef:
    """An exception that WebAssembly holds as a value. All that can be done with it is to hand it back."""

    __slots__ = ("_store", "_pointer")

    def __init__(self, store: "Store", pointer: CData) -> None:
        self._store = store
        self._pointer = pointer


def narrow_i32(value: int) -> int:
    """An integer that was too large for an i32, as the i32 of its bits if it is an unsigned one."""
    if 0x8000_0000 <= value <= 0xFFFF_FFFF:
        return value - 0x1_0000_0000
    if -0x8000_0000 <= value < 0x8000_0000:
        return value
    raise OverflowError(f"{value} is no i32, signed or unsigned")


def narrow_i64(value: int) -> int:
    """An integer that was too large for an i64, as the i64 of its bits if it is an unsigned one."""
    if 1 << 63 <= value < 1 << 64:
        return value - (1 << 64)
    if -1 << 63 <= value < 1 << 63:
        return value
    raise OverflowError(f"{value} is no i64, signed or unsigned")


def vector(value: bytes | bytearray | memoryview) -> bytes:
    """The 16 bytes of a v128."""
    data = bytes(memoryview(value))
    if len(data) != 16:
        raise ValueError(f"a v128 has 16 bytes, lane 0 first, and not {len(data)}")
    return data


def put(store: "Store", cell: CData, letter: str, value: Any) -> None:
    """Writes an object as a boxed value."""
    of = cell.of
    if letter == "i":
        try:
            of.i32 = value
        except OverflowError:
            of.i32 = narrow_i32(value)
    elif letter == "I":
        try:
            of.i64 = value
        except OverflowError:
            of.i64 = narrow_i64(value)
    elif letter == "V":
        of.v128.bytes = vector(value)
    elif letter == "r":
        of.funcref = NULL if value is None else _func(store, value)
    elif letter == "e":
        of.externref = NULL if value is None else ffi.cast("void *", store._handle(value))
    elif letter == "x":
        of.exnref = NULL if value is None else _exception(store, value)
    else:
        setattr(of, MEMBERS[letter], value)
    cell.kind = _KINDS[letter]


def get(store: "Store", cell: CData) -> Any:
    """A boxed value as an object."""
    letter = _LETTERS[cell.kind]
    of = cell.of
    if letter == "V":
        return bytes(ffi.buffer(of.v128.bytes))
    if letter == "r":
        return None if of.funcref == NULL else _func_of(store, of.funcref)
    if letter == "e":
        return None if of.externref == NULL else store._objects[address(of.externref) - 1]
    if letter == "x":
        return None if of.exnref == NULL else ExnRef(store, of.exnref)
    return getattr(of, MEMBERS[letter])


def put_all(store: "Store", letters: str, values: Sequence[Any]) -> CData:
    """An array of boxed values."""
    cells = ffi.new("inlay_value_t[]", len(letters))
    for cell, letter, value in zip(cells, letters, values, strict=True):
        put(store, cell, letter, value)
    return cells


def get_all(store: "Store", cells: CData, count: int) -> tuple[Any, ...]:
    """The objects of an array of boxed values."""
    return tuple(get(store, cells[index]) for index in range(count))


def _func(store: "Store", value: Any) -> CData:
    from ._func import handle_of

    handle = handle_of(value)
    if handle.store is not store:
        raise ValueError("the function belongs to another store")
    return handle.pointer


def _func_of(store: "Store", pointer: CData) -> Any:
    from ._func import func_of

    return func_of(store, pointer)


def _exception(store: "Store", value: Any) -> CData:
    if not isinstance(value, ExnRef):
        raise TypeError(f"an exnref is None or an ExnRef, and not {type(value).__name__}")
    if value._store is not store:
        raise ValueError("the exception belongs to another store")
    return value._pointer
