"""Memory for compiled code that the host supplies."""

import itertools
import threading
from abc import ABC, abstractmethod

from ._errors import carry, carry_unexpected
from ._native import NULL, CData, ffi, here, lib


class CodeMemory(ABC):
    """Memory that compiled code runs in. Give one to a `Config`.

    Its methods run on the thread that compiles, loads or lets go of a module, one at a time, and may not use Inlay. What
    they raise in `publish` arrives at whoever compiled or loaded the module.
    """

    @abstractmethod
    def publish(self, code: bytes, align: int) -> int:
        """Copies code to memory, makes that executable, and returns its executable address, a multiple of `align`.

        The bytes there must stay as they are until `release`.
        """

    @abstractmethod
    def release(self, address: int, length: int) -> None:
        """Takes back what `publish` gave: nothing can run the code any more.

        What this raises reaches nobody, as with `__del__`: Python shows it.
        """


# Code memories by the numbers that stand for them in C. They are here until Inlay says that it is done with them, and not
# in the engine: a module's code has to be released also when the engine has gone before it, or goes with it.
_used: dict[int, CodeMemory] = {}
_numbers = itertools.count(1)
# Two engines may have one code memory, and Inlay only keeps the calls of one engine apart.
_one_at_a_time = threading.RLock()


def _number(env: CData) -> int:
    return int(ffi.cast("uintptr_t", env))


@ffi.callback(  # type: ignore[untyped-decorator]
    "inlay_error_t *(void *, const uint8_t *, size_t, size_t, const uint8_t **)", onerror=carry_unexpected
)
def _publish(env: CData, code: CData, length: int, align: int, executable: CData) -> CData:
    here.restricted += 1
    try:
        with _one_at_a_time:
            address = _used[_number(env)].publish(bytes(ffi.buffer(code, length)), align)
        executable[0] = ffi.cast("const uint8_t *", address)
        return NULL
    except BaseException as exception:
        return carry(exception)
    finally:
        here.restricted -= 1


@ffi.callback("void(void *, const uint8_t *, size_t)")  # type: ignore[untyped-decorator]
def _release(env: CData, executable: CData, length: int) -> None:
    here.restricted += 1
    try:
        with _one_at_a_time:
            _used[_number(env)].release(int(ffi.cast("uintptr_t", executable)), length)
    finally:
        here.restricted -= 1


@ffi.callback("void(void *)")  # type: ignore[untyped-decorator]
def _finalize(env: CData) -> None:
    here.restricted += 1
    try:
        _used.pop(_number(env), None)
    finally:
        here.restricted -= 1


def give(config: CData, memory: CodeMemory) -> CData:
    """Sets the code memory of a configuration of C; gives an error of C."""
    number = next(_numbers)
    _used[number] = memory
    table = ffi.new("inlay_code_memory_t *")
    table.size = ffi.sizeof("inlay_code_memory_t")
    table.env = ffi.cast("void *", number)
    table.publish, table.release, table.finalize = _publish, _release, _finalize
    return lib.inlay_config_code_memory(config, table)
