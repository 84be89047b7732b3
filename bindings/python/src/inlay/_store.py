"""Stores: what instances live in, and who may use one at a time."""

import itertools
import threading
import weakref
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from ._engine import Engine
from ._errors import check, create
from ._native import CData, ffi, lib

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

#: The values of `Store._busy` besides None: a thread uses the store, or views of memory forbid that WebAssembly runs.
RUNNING, VIEWED = 1, 2


class _Callers(threading.local):
    """The callers of the host functions that run on this thread, outermost first."""

    def __init__(self) -> None:
        self.stack: list[CData] = []


callers = _Callers()
# Stores by the numbers that C knows them by.
_stores: "weakref.WeakValueDictionary[int, Store]" = weakref.WeakValueDictionary()
_numbers = itertools.count(1)


class Store:
    """What instances live in, with their functions, memories, tables and globals. All of these keep it alive.

    One thread at a time uses a store. A second one is refused, with a RuntimeError.
    """

    __slots__ = ("_pointer", "_engine", "_busy", "_views", "_kept", "_things", "_objects", "_handles", "__weakref__")

    _pointer: CData
    _engine: Engine
    # What keeps threads and views apart. Calls look at it first, and it is None when they may go on.
    _busy: int | None
    # The views that forbid that WebAssembly runs, by number: see Memory.view.
    _views: set[int]
    # Host functions that this store's instances can call.
    _kept: set[Any]
    # The objects that stand for what is in the store, by address, so that each has one.
    _things: "weakref.WeakValueDictionary[int, Any]"
    # The objects that WebAssembly of this store was given as externrefs. The store cannot know when one is forgotten.
    _objects: list[object]
    _handles: dict[int, int]

    def __init__(self, engine: Engine) -> None:
        number = next(_numbers)
        pointer = create("inlay_store_t *", lib.inlay_store_new, engine._pointer, ffi.cast("void *", number))
        self._pointer = engine._own(pointer, lib.inlay_store_delete)
        self._engine = engine
        self._busy = None
        self._views = set()
        self._kept = set()
        self._things = weakref.WeakValueDictionary()
        self._objects = []
        self._handles = {}
        _stores[number] = self

    @property
    def fuel(self) -> int:
        """How many units of fuel are left, for an engine that has `Config(fuel=True)`; a store begins without any.

        A call ends with a Trap of TrapCode.OUT_OF_FUEL where there are too few.
        """
        return int(lib.inlay_store_fuel(self._pointer))

    @fuel.setter
    def fuel(self, units: int) -> None:
        self._alone(True, lambda: check(lib.inlay_store_set_fuel(self._pointer, units)))

    def limit(
        self,
        *,
        instances: int | None = None,
        memory_bytes: int | None = None,
        table_elements: int | None = None,
        bookkeeping_bytes: int | None = None,
    ) -> None:
        """Sets how much the store may have in all, from now on; None is any amount.

        What would be more is a LimitError, and where WebAssembly wants to grow, it is told that it cannot.
        """
        limiter = ffi.new("inlay_limiter_t *")
        limiter.size = ffi.sizeof("inlay_limiter_t")
        limiter.instances = lib.INLAY_NO_MAXIMUM if instances is None else instances
        limiter.memory_bytes = lib.INLAY_NO_MAXIMUM if memory_bytes is None else memory_bytes
        limiter.table_elements = lib.INLAY_NO_MAXIMUM if table_elements is None else table_elements
        limiter.bookkeeping_bytes = lib.INLAY_NO_MAXIMUM if bookkeeping_bytes is None else bookkeeping_bytes
        self._alone(True, lambda: check(lib.inlay_store_limiter(self._pointer, limiter)))

    def _admit(self, viewing: bool = False) -> None:
        """Raises if this thread cannot use the store now, which is busy."""
        if self._busy == RUNNING:
            mine = any(lib.inlay_caller_store(caller) == self._pointer for caller in callers.stack)
            if not mine:
                raise RuntimeError("another thread is using the store")
        if self._views and not viewing:
            raise BufferError(
                "there are views of a memory that can grow: release them before WebAssembly runs, for growing can move it"
            )

    def _alone(self, viewing: bool, function: Callable[..., _Result], *arguments: Any, **named: Any) -> _Result:
        """Calls a function that uses the store, and keeps other threads out meanwhile.

        `viewing` says that it neither runs WebAssembly nor grows a memory, so that there may be views. This is no context
        manager, for a signal could come between its making and its use, and the store stay busy.
        """
        while True:
            before = self._busy
            if before is not None:
                self._admit(viewing)
            # Neither another thread of Python nor a signal gets in between these lines: nothing is called there.
            if self._busy is before:
                self._busy = RUNNING
                break
        try:
            return function(*arguments, **named)
        finally:
            if before != RUNNING:
                self._busy = VIEWED if self._views else None

    def _settle(self) -> None:
        """Says again that there are views, after a call."""
        if self._busy is None and self._views:
            self._busy = VIEWED

    def _unview(self, view: int) -> None:
        self._views.discard(view)
        if self._busy == VIEWED and not self._views:
            self._busy = None

    def _handle(self, value: object) -> int:
        """The externref that stands for an object."""
        handle = self._handles.get(id(value))
        if handle is None:
            self._objects.append(value)
            handle = self._handles[id(value)] = len(self._objects)
        return handle

    def _thrown(self, error: CData) -> tuple[Any, tuple[Any, ...]]:
        """The tag and the values of an exception that nothing caught."""
        from ._tag import tag_of
        from ._values import get_all

        count = lib.inlay_error_value_count(error)
        values = ffi.new("inlay_value_t[]", count)
        failed = lib.inlay_error_values(error, values, count)
        lib.inlay_error_delete(failed)
        return tag_of(self, lib.inlay_error_tag(error)), get_all(self, values, count)


class _InStore(Protocol):
    _store: Store


_Thing = TypeVar("_Thing", bound=_InStore)


def alone(
    method: Callable[Concatenate[_Thing, _Parameters], _Result],
) -> Callable[Concatenate[_Thing, _Parameters], _Result]:
    """Makes a method of something in a store one that keeps other threads out, and grows no memory."""

    @wraps(method)
    def within(self: _Thing, /, *arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
        return self._store._alone(True, method, self, *arguments, **named)

    return within


def store_of(caller: CData) -> Store:
    """The store that calls a host function."""
    data = lib.inlay_store_data(lib.inlay_caller_store(caller))
    return _stores[int(ffi.cast("uintptr_t", data))]


def refuse_views(caller: CData) -> None:
    """Raises if a host function that is about to return has left a view behind."""
    if store_of(caller)._views:
        raise BufferError("a host function returned to WebAssembly with a view of a memory that can grow")


def address(pointer: CData) -> int:
    """A pointer as a number."""
    return int(ffi.cast("uintptr_t", pointer))

