"""Linear memories.

A memory's bytes can move when it grows, and WebAssembly grows it without asking. No object of Python may then be left that
refers to where they were. So that a view of a memory that can grow, and the running of WebAssembly in its store, exclude each
other: whichever comes second raises. A memory that cannot grow, or is shared, stays where it is, and is viewed freely.
"""

import itertools
import operator
import weakref
from typing import Any

from ._engine import Engine
from ._errors import check, create
from ._native import NULL, CData, ffi, lib, own
from ._store import Store, address, alone, store_of
from ._types import MemoryType, memory_type

# The views that forbid something, by number. Host functions ask whether there is one.
views: "dict[int, tuple[weakref.ref[Any], Store]]" = {}
# Those that forbid nothing. Both keep the stores that they are of alive.
_free: "dict[int, tuple[weakref.ref[Any], Store]]" = {}
_numbers = itertools.count()


class Memory:
    """A linear memory of a store. `memory[2:5]` and `memory[2:5] = b"abc"` copy."""

    __slots__ = ("_store", "_pointer", "type", "_stays", "__weakref__")

    _store: Store
    _pointer: CData
    #: The minimum and maximum that it was made with.
    type: MemoryType
    _stays: bool

    def __init__(self, store: Store, type: MemoryType) -> None:
        """Makes a memory of zeros."""
        pointer = store._alone(True, create, "inlay_memory_t *", lib.inlay_memory_new, store._pointer, type._write())
        self._set(store, pointer)
        store._things[address(pointer)] = self

    @classmethod
    def of_shared(cls, store: Store, shared: "SharedMemory") -> "Memory":
        """A store's view of a memory that stores share."""
        arguments = store._pointer, shared._pointer
        pointer = store._alone(True, create, "inlay_memory_t *", lib.inlay_memory_from_shared, *arguments)
        return memory_of(store, pointer)

    @alone
    def share(self) -> "SharedMemory":
        """Takes hold of a shared memory, such as one that a module made, for use in other stores."""
        return SharedMemory._owning(create("inlay_shared_memory_t *", lib.inlay_memory_share, self._pointer))

    def _set(self, store: Store, pointer: CData) -> None:
        self._store, self._pointer = store, pointer
        c = ffi.new("inlay_memory_type_t *")
        lib.inlay_memory_type(pointer, c)
        self.type = memory_type(c)
        self._stays = self.type.is_shared or self.type.maximum == self.type.minimum

    @alone
    def __len__(self) -> int:
        return int(lib.inlay_memory_size(self._pointer))

    @property
    def pages(self) -> int:
        """How many pages it has."""
        return len(self) // self.type.page_size

    def grow(self, delta: int) -> int:
        """Adds pages of zeros, and gives the number of pages before. A view that there is makes it a BufferError."""
        old = ffi.new("uint64_t *")
        check(self._store._alone(self._stays, lib.inlay_memory_grow, self._pointer, delta, old))
        return int(old[0])

    @alone
    def read(self, offset: int, length: int) -> bytes:
        """A copy of some bytes; IndexError if they are not all in the memory."""
        return bytes(ffi.buffer(self._start(offset, length), length))

    @alone
    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Copies bytes into the memory; IndexError if they do not all fit, and nothing is written then."""
        with ffi.from_buffer("uint8_t[]", data) as given:
            ffi.memmove(self._start(offset, len(given)), given, len(given))

    def _start(self, offset: int, length: int) -> CData:
        size = lib.inlay_memory_size(self._pointer)
        if offset < 0 or length < 0 or offset + length > size:
            raise IndexError(f"{length} bytes at {offset} are not in a memory of {size} bytes")
        return lib.inlay_memory_data(self._pointer) + offset

    @alone
    def __getitem__(self, at: int | slice) -> Any:
        with memoryview(self._buffer()) as bytes_:
            if isinstance(at, slice):
                return bytes(bytes_[at])
            return bytes_[_index(at, len(bytes_))]

    @alone
    def __setitem__(self, at: int | slice, value: Any) -> None:
        with memoryview(self._buffer()) as bytes_:
            if isinstance(at, slice):
                bytes_[at] = value
            else:
                bytes_[_index(at, len(bytes_))] = value

    def view(self, *, unguarded: bool = False) -> memoryview:
        """The bytes themselves, to be read and written, for as long as the view and what was made of it live.

        While there is a view of a memory that can grow, calls into its store raise BufferError, as does a host function
        that leaves one behind: WebAssembly could grow the memory, and the bytes move. Use it as `with memory.view() as
        view`, or do not give it a name. Of a memory that cannot grow, or is shared, a view can be kept for ever.

        An unguarded view forbids nothing. Whoever asks for one sees to it that it is not used any more after the memory
        has grown; to do that anyway can end the process.
        """
        return self._view(unguarded)

    @alone
    def _view(self, unguarded: bool) -> memoryview:
        store, bytes_, number = self._store, self._buffer(), next(_numbers)
        # Whatever is made of a view, a slice or another library's array, refers to these bytes, not to the view.
        if self._stays or unguarded:
            _free[number] = weakref.ref(bytes_, lambda _: _forget(number)), store
        else:
            views[number] = weakref.ref(bytes_, lambda _: _unview(number)), store
            store._views.add(number)
        return memoryview(bytes_)

    def __buffer__(self, flags: int) -> memoryview:
        """From Python 3.12 on, `memoryview(memory)` and what takes bytes call this."""
        return self.view()

    @property
    def address(self) -> int:
        """Where the bytes are now: until the memory grows, or its store goes."""
        return self._address()

    @alone
    def _address(self) -> int:
        return address(lib.inlay_memory_data(self._pointer))

    def _buffer(self) -> Any:
        return ffi.buffer(lib.inlay_memory_data(self._pointer), lib.inlay_memory_size(self._pointer))


class SharedMemory:
    """A memory that several stores, on several threads, use at once: see `Memory.of_shared`."""

    __slots__ = ("_pointer", "__weakref__")

    _pointer: CData

    def __init__(self, engine: Engine, type: MemoryType) -> None:
        """Makes a shared memory of zeros."""
        made = create("inlay_shared_memory_t *", lib.inlay_shared_memory_new, engine._pointer, type._write())
        self._pointer = own(made, lib.inlay_shared_memory_delete)

    @classmethod
    def _owning(cls, pointer: CData) -> "SharedMemory":
        self = cls.__new__(cls)
        self._pointer = own(pointer, lib.inlay_shared_memory_delete)
        return self


def _index(at: int, length: int) -> int:
    index = operator.index(at)
    if index < 0:
        index += length
    if not 0 <= index < length:
        raise IndexError(f"byte {at} is not in a memory of {length} bytes")
    return index


def _forget(number: int) -> None:
    _free.pop(number, None)


def _unview(number: int) -> None:
    found = views.pop(number, None)
    if found is not None:
        found[1]._unview(number)


def memory_of(store: Store, pointer: CData) -> Memory:
    """The one object that stands for a memory of a store."""
    memory = store._things.get(address(pointer))
    if memory is None:
        memory = Memory.__new__(Memory)
        memory._set(store, pointer)
        memory = store._things.setdefault(address(pointer), memory)
    return memory  # type: ignore[no-any-return]


def of_caller(caller: CData, name: str) -> Memory:
    """The memory that a host function's importer exports."""
    pointer = NULL if "\0" in name else lib.inlay_caller_memory(caller, name.encode())
    if pointer == NULL:
        raise KeyError(name)
    return memory_of(store_of(caller), pointer)
