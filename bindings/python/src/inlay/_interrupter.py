"""Interrupters: what stops WebAssembly that runs."""

from ._errors import create
from ._native import CData, lib, own
from ._store import Store


class Interrupter:
    """Stops the WebAssembly of one store, whose engine has `Config(interruption=True)`.

    Any number of threads may use one, and it may outlive its store, and then does nothing. A handler of signals written in Python
    does not run while WebAssembly keeps the main thread: call it from another thread, such as a `threading.Timer`.
    """

    __slots__ = ("_pointer",)

    _pointer: CData

    def __init__(self, store: Store) -> None:
        pointer = create("inlay_interrupter_t *", lib.inlay_interrupter_new, store._pointer)
        self._pointer = own(pointer, lib.inlay_interrupter_delete)

    def interrupt(self) -> None:
        """Ends what runs now, or the next call if nothing does, with a Trap of TrapCode.INTERRUPTED."""
        lib.inlay_interrupter_interrupt(self._pointer)

    def clear(self) -> None:
        """Takes back an interrupt that has not stopped anything yet."""
        lib.inlay_interrupter_clear(self._pointer)
