"""Errors: Inlay's as exceptions of Python, and Python's on their way through WebAssembly."""

import enum
import itertools
from dataclasses import dataclass
from typing import Any, NoReturn

from ._native import NULL, CData, ffi, lib, text


class ErrorKind(enum.IntEnum):
    """What went wrong. inlay.h describes each."""

    INVALID_MODULE = lib.INLAY_ERROR_INVALID_MODULE
    UNSUPPORTED = lib.INLAY_ERROR_UNSUPPORTED
    LINK = lib.INLAY_ERROR_LINK
    TRAP = lib.INLAY_ERROR_TRAP
    CODE_MEMORY = lib.INLAY_ERROR_CODE_MEMORY
    OUT_OF_MEMORY = lib.INLAY_ERROR_OUT_OF_MEMORY
    INVALID_ARGUMENT = lib.INLAY_ERROR_INVALID_ARGUMENT
    HOST = lib.INLAY_ERROR_HOST
    INTERNAL = lib.INLAY_ERROR_INTERNAL
    INVALID_IMAGE = lib.INLAY_ERROR_INVALID_IMAGE
    LIMIT = lib.INLAY_ERROR_LIMIT
    EXCEPTION = lib.INLAY_ERROR_EXCEPTION
    LINEAR_MEMORY = lib.INLAY_ERROR_LINEAR_MEMORY


class TrapCode(enum.IntEnum):
    """Why WebAssembly stopped. inlay.h describes each."""

    NONE = lib.INLAY_TRAP_NONE
    UNREACHABLE = lib.INLAY_TRAP_UNREACHABLE
    OUT_OF_BOUNDS_MEMORY = lib.INLAY_TRAP_OUT_OF_BOUNDS_MEMORY
    OUT_OF_BOUNDS_TABLE = lib.INLAY_TRAP_OUT_OF_BOUNDS_TABLE
    NULL_REFERENCE = lib.INLAY_TRAP_NULL_REFERENCE
    BAD_SIGNATURE = lib.INLAY_TRAP_BAD_SIGNATURE
    INTEGER_OVERFLOW = lib.INLAY_TRAP_INTEGER_OVERFLOW
    INTEGER_DIVIDE_BY_ZERO = lib.INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO
    INVALID_CONVERSION = lib.INLAY_TRAP_INVALID_CONVERSION
    STACK_OVERFLOW = lib.INLAY_TRAP_STACK_OVERFLOW
    UNALIGNED_ATOMIC = lib.INLAY_TRAP_UNALIGNED_ATOMIC
    NOT_SHARED = lib.INLAY_TRAP_NOT_SHARED
    INTERRUPTED = lib.INLAY_TRAP_INTERRUPTED
    OUT_OF_FUEL = lib.INLAY_TRAP_OUT_OF_FUEL


@dataclass(frozen=True)
class Frame:
    """One function of WebAssembly that was running when an error was raised."""

    #: Its index among the functions of its module, imports first.
    function_index: int
    #: Its name from the name section, if there is one.
    function_name: str | None
    #: Where its current instruction is, in bytes from the start of the module's binary.
    wasm_offset: int

    def __str__(self) -> str:
        name = f" {self.function_name}" if self.function_name is not None else ""
        return f"  at function {self.function_index}{name}, offset {self.wasm_offset:#x}"


def _backtrace(frames: list[Frame]) -> str:
    return "\n".join(["WebAssembly, innermost first:", *map(str, frames)])


class Error(Exception):
    """A failure that Inlay reports. Its subclasses are the kinds."""

    kind: ErrorKind
    #: What happened and what to do about it.
    message: str
    #: The functions of WebAssembly that it passed through, innermost first.
    frames: list[Frame]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.frames = []

    def __str__(self) -> str:
        return f"{self.message}\n{_backtrace(self.frames)}" if self.frames else self.message


class InvalidModuleError(Error):
    """The bytes are not valid WebAssembly."""

    kind = ErrorKind.INVALID_MODULE


class UnsupportedError(Error):
    """It needs what this build, this version or the CPU lacks, or a feature that is off."""

    kind = ErrorKind.UNSUPPORTED


class LinkError(Error):
    """An import is missing or has another type than the module wants."""

    kind = ErrorKind.LINK


class Trap(Error):
    """WebAssembly trapped."""

    kind = ErrorKind.TRAP
    #: Why.
    trap: TrapCode = TrapCode.NONE


class CodeMemoryError(Error):
    """A code memory gave an address that cannot be used."""

    kind = ErrorKind.CODE_MEMORY


class LinearMemoryError(Error):
    """A linear memory of the host's is not what was asked for; Python's own hosts supply none."""

    kind = ErrorKind.LINEAR_MEMORY


class OutOfMemoryError(Error, MemoryError):
    """An allocation failed, or the system had no room."""

    kind = ErrorKind.OUT_OF_MEMORY


class ArgumentError(Error, ValueError):
    """An argument that the function does not take."""

    kind = ErrorKind.INVALID_ARGUMENT


class HostError(Error):
    """An error that was made outside of Python."""

    kind = ErrorKind.HOST


class InternalError(Error):
    """A defect of Inlay."""

    kind = ErrorKind.INTERNAL


class InvalidImageError(Error):
    """The bytes are not an image that this engine can run."""

    kind = ErrorKind.INVALID_IMAGE


class LimitError(Error):
    """A limit that the host set, or one of this implementation."""

    kind = ErrorKind.LIMIT


class WasmException(Error):
    """An exception of WebAssembly: one that nothing caught, or, from `Tag.exception`, one for a host function to raise."""

    kind = ErrorKind.EXCEPTION
    #: What exceptions are told apart by: a `Tag`.
    tag: Any
    #: What it carries.
    values: tuple[Any, ...] = ()


_CLASSES: dict[int, type[Error]] = {
    error.kind: error
    for error in (
        InvalidModuleError,
        UnsupportedError,
        LinkError,
        Trap,
        CodeMemoryError,
        LinearMemoryError,
        OutOfMemoryError,
        ArgumentError,
        HostError,
        InternalError,
        InvalidImageError,
        LimitError,
        WasmException,
    )
}

# Python's exceptions on their way through WebAssembly, by the numbers that stand for them there.
_carried: dict[int, BaseException] = {}
_numbers = itertools.count(1)

#: Errors that stay when they have been taken: see `last_resort`.
never_deleted: set[CData] = set()


def carry(exception: BaseException) -> CData:
    """An error of C that carries an exception of Python, to be returned from a callback."""
    try:
        message = f"{type(exception).__name__}: {exception}"
    except Exception:  # What the exception says of itself is not needed for it to arrive.
        message = type(exception).__name__
    number = next(_numbers)
    _carried[number] = exception
    # No finalizer: whoever takes the error takes the exception with it, and nobody else deletes an error.
    error = lib.inlay_error_new_with_data(message.encode("utf-8", "replace"), ffi.cast("void *", number), NULL)
    if lib.inlay_error_data(error) == NULL:  # There was no memory for it.
        del _carried[number]
    return error


def carry_unexpected(_class: object, exception: BaseException, _traceback: object) -> CData:
    """As `carry`, for what is raised outside of a callback's own handler, as by a signal on its way in."""
    return carry(exception)


def taken(error: CData, store: Any = None) -> BaseException:
    """The exception that an error of C stands for. It deletes the error."""
    try:
        data = lib.inlay_error_data(error)
        frames = _frames(error)
        exception = _carried.pop(int(ffi.cast("uintptr_t", data)), None) if data else None
        if exception is None:
            exception = _CLASSES.get(lib.inlay_error_kind(error), Error)(text(lib.inlay_error_message(error)))
            if isinstance(exception, Trap):
                exception.trap = TrapCode(lib.inlay_error_trap(error))
            elif isinstance(exception, WasmException) and store is not None:
                exception.tag, exception.values = store._thrown(error)
        if isinstance(exception, Error):
            # An error that was raised by an inner call and passed on has the frames of that call already.
            exception.frames.extend(frames)
        elif frames and (note := _backtrace(frames)) not in getattr(exception, "__notes__", ()):
            exception.add_note(note)
        return exception
    finally:
        if error not in never_deleted:
            lib.inlay_error_delete(error)


def _frames(error: CData) -> list[Frame]:
    frame = ffi.new("inlay_frame_t *", {"size": ffi.sizeof("inlay_frame_t")})
    frames = []
    for index in range(lib.inlay_error_frame_count(error)):
        lib.inlay_error_frame(error, index, frame)
        name = frame.function_name
        known = None if name == NULL else text(name, frame.function_name_len)
        frames.append(Frame(frame.function_index, known, frame.wasm_offset))
    return frames


def fail(error: CData, store: Any = None) -> NoReturn:
    """Raises what an error of C stands for."""
    exception = taken(error, store)
    try:
        raise exception
    finally:
        # The traceback refers to this frame, which must not refer back.
        del exception


def check(error: CData, store: Any = None) -> None:
    """Raises what an error of C stands for, if there is one."""
    if error != NULL:
        fail(error, store)


def create(kind: str, function: Any, *arguments: Any, store: Any = None) -> CData:
    """What a function of C writes through its last parameter, of which this is the type."""
    out = ffi.new(f"{kind} *")
    check(function(*arguments, out), store)
    return out[0]
