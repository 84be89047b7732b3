"""The shared library, and the handles that it gives."""

import threading
from collections import deque
from pathlib import Path
from typing import Any, TypeAlias

from ._ffi import ffi as ffi

#: A value of C. cffi checks its type at run time; there is no telling C types apart in Python's.
CData: TypeAlias = Any

# Never unloaded: when the interpreter ends, nothing says whether the library or what is in it goes first.
lib: Any = ffi.dlopen(str(Path(__file__).with_name("libinlay.so")), ffi.RTLD_NOW | ffi.RTLD_NODELETE)
NULL: CData = ffi.NULL

#: The version of the library, such as "0.2.0".
version: str = ffi.string(lib.inlay_version()).decode()
if version.split(".")[:2] != [str(lib.INLAY_VERSION_MAJOR), str(lib.INLAY_VERSION_MINOR)]:
    raise ImportError(f"the library in this package is Inlay {version}, which is not what the package was built for")


class _Here(threading.local):
    """What each thread knows of itself."""

    #: How many callbacks are running on this thread that may not call Inlay.
    restricted = 0


here = _Here()
_pending: deque[tuple[CData, CData]] = deque()


def own(pointer: CData, delete: CData) -> CData:
    """A handle that is deleted when nothing refers to it any more.

    A function of C does that, with no code of Python between, into which a signal could come.
    """
    return ffi.gc(pointer, delete)


def own_with_code(pointer: CData, delete: CData) -> CData:
    """As `own`, for what may have code in a memory of the host's, whose callbacks may not call Inlay.

    Python collects garbage whenever it likes, also inside such a callback. What goes there is deleted later.
    """

    def destroy(
        pointer: CData,
        delete: CData = delete,
        here: _Here = here,
        pending: deque[tuple[CData, CData]] = _pending,
    ) -> None:
        # All that this needs is bound to it, for it can run when the interpreter has emptied the modules.
        pending.append((delete, pointer))
        while pending and not here.restricted:
            try:
                delete, pointer = pending.popleft()
            except IndexError:  # Another thread was faster.
                return
            delete(pointer)

    return ffi.gc(pointer, destroy)


def delete_pending() -> None:
    """Deletes what could not be deleted when it was let go."""
    while _pending and not here.restricted:
        try:
            delete, pointer = _pending.popleft()
        except IndexError:
            return
        delete(pointer)


def text(pointer: CData, length: int | None = None) -> str:
    """A string of Inlay's. Names of WebAssembly are valid UTF-8."""
    if length is None:
        return str(ffi.string(pointer).decode("utf-8", "replace"))
    return bytes(ffi.buffer(pointer, length)).decode("utf-8", "replace")


def c_text(text: str) -> bytes:
    """A string for C, which would not see what is behind a NUL."""
    if "\0" in text:
        raise ValueError(f"{text!r} has a NUL in it")
    return text.encode()
