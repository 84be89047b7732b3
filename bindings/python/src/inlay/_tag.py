"""Tags, and the exceptions of WebAssembly that are thrown with them."""

from typing import Any

from ._errors import WasmException, check, create
from ._native import CData, c_text, ffi, lib, own, text
from ._signature import kinds
from ._store import Store, address
from ._values import put_all


class Tag:
    """What exceptions are told apart by."""

    __slots__ = ("_store", "_pointer", "signature", "__weakref__")

    _store: Store
    _pointer: CData
    #: What its exceptions carry, as parameters: "iI:".
    signature: str

    def __init__(self, store: Store, signature: str) -> None:
        """Makes a tag, whose exceptions carry values of these parameters."""
        pointer = store._alone(True, create, "inlay_tag_t *", lib.inlay_tag_new, store._pointer, functype(signature))
        self._set(store, pointer)
        store._things[address(pointer)] = self

    def _set(self, store: Store, pointer: CData) -> None:
        self._store, self._pointer = store, pointer
        self.signature = text(lib.inlay_tag_signature(pointer))

    def exception(self, *values: Any) -> WasmException:
        """An exception for a host function to raise. WebAssembly that called it can catch it.

        If nothing does, what arrives is an exception of this tag with these values, and not this very object.
        """
        letters = kinds(self.signature)[0]
        if len(values) != len(letters):
            raise TypeError(f"the tag's exceptions carry {len(letters)} values, and not {len(values)}")
        exception = WasmException("an exception of WebAssembly")
        exception.tag, exception.values = self, values
        return exception


def functype(signature: str) -> CData:
    """A function type of C."""
    return own(create("inlay_functype_t *", lib.inlay_functype_new, c_text(signature)), lib.inlay_functype_delete)


def thrown(exception: WasmException, store: Store) -> CData:
    """An error of C that WebAssembly of this store can catch."""
    tag = exception.tag
    values = put_all(tag._store, kinds(tag.signature)[0], exception.values)
    out = ffi.new("inlay_error_t **")
    check(lib.inlay_exception_new(tag._pointer, values, len(values), out), store)
    return out[0]


def tag_of(store: Store, pointer: CData) -> Tag:
    """The one object that stands for a tag of a store."""
    tag = store._things.get(address(pointer))
    if tag is None:
        tag = Tag.__new__(Tag)
        tag._set(store, pointer)
        tag = store._things.setdefault(address(pointer), tag)
    return tag  # type: ignore[no-any-return]
