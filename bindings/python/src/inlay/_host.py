"""Functions of Python as imports of WebAssembly.

As for calls, what is said of a signature once is said in code that is made for it. An exception leaves a callback as an
error of C that carries it.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from . import _memory
from ._errors import WasmException, carry, carry_unexpected, check
from ._func import Func, func_of
from ._last_resort import last_resort
from ._native import NULL, CData, ffi, lib
from ._signature import NUMBERS, is_plain, kinds
from ._store import Store, callers, refuse_views, store_of
from ._tag import functype, thrown
from ._values import get_all, narrow_i32, narrow_i64, put, vector

_PARAMS = {"i": "int32_t", "I": "int64_t", "f": "float", "F": "double", "V": "const inlay_v128_t *"}
_RESULTS = {"i": "int32_t *", "I": "int64_t *", "f": "float *", "F": "double *", "V": "inlay_v128_t *"}

_ENTRY = """
def make(function):
    def entry({params}):
        stack = callers.stack
        before = len(stack)
        try:
            stack.append(caller)
{body}
            if viewed: refuse_views(caller)
            return NULL
        except BaseException as exception:
            return raised(exception, caller)
        finally:
            del stack[before:]

    return entry
"""


def callback(signature: str, function: Callable[..., Any], with_caller: bool) -> tuple[CData, bool]:
    """A callback of C, and whether it is one of the signature's own C type rather than of boxed values."""
    params, results = kinds(signature)
    if is_plain(params + results) and not set(signature) & set("REX(<-"):
        args = ["void *", "inlay_caller_t *", *(_PARAMS[p] for p in params), *(_RESULTS[r] for r in results)]
        entry = _maker(params, results, with_caller)(function)
        c_type = f"inlay_error_t *(*)({', '.join(args)})"
        return ffi.callback(c_type, entry, error=last_resort(), onerror=carry_unexpected), True
    entry = _boxed(function, params, results, with_caller)
    return ffi.callback("inlay_host_func_t", entry, error=last_resort(), onerror=carry_unexpected), False


def host_func(store: Store, signature: str, function: Callable[..., Any], *, caller: bool = False) -> Func:
    """Makes a host function in a store: to be called, put in a table, or passed as a funcref.

    `function` is called as one that `Linker.define_func` defines.
    """
    c = ffi.callback(
        "inlay_host_func_t", _boxed(function, *kinds(signature), caller), error=last_resort(), onerror=carry_unexpected
    )
    out = ffi.new("inlay_func_t **")

    def make() -> Func:
        check(lib.inlay_func_new(store._pointer, functype(signature), c, NULL, NULL, out))
        return func_of(store, out[0], getattr(function, "__name__", "func"))

    # Before, for the store knows the callback from then on.
    store._kept.add(c)
    return store._alone(True, make)


def _raised(exception: BaseException, caller: CData) -> CData:
    """What a host function gives for an exception: one of WebAssembly's can be caught there."""
    if isinstance(exception, WasmException):
        try:
            # Its traceback can have a view, and WebAssembly goes on if it catches it.
            if _memory.views:
                refuse_views(caller)
            return thrown(exception, store_of(caller))
        except Exception as instead:
            return carry(instead)
    return carry(exception)


@lru_cache(maxsize=None)
def _maker(params: str, results: str, with_caller: bool) -> Callable[..., Any]:
    names = [f"p{index}" for index in range(len(params))]
    places = [f"r{index}" for index in range(len(results))]
    args = [
        name if letter in NUMBERS else f"bytes(buffer({name}))" for name, letter in zip(names, params, strict=True)
    ]
    call = f"function({', '.join([*(['Caller(caller)'] if with_caller else []), *args])})"
    values = [f"v{index}" for index in range(len(results))]
    body = [f"{', '.join(values)} = {call}" if values else call]
    for place, value, letter in zip(places, values, results, strict=True):
        if letter in "iI":
            narrow = "narrow_i32" if letter == "i" else "narrow_i64"
            body += [
                f"try: {place}[0] = {value}",
                f"except OverflowError: {place}[0] = {narrow}({value})",
            ]
        elif letter == "V":
            body.append(f"buffer({place})[:] = vector({value})")
        else:
            body.append(f"{place}[0] = {value}")
    code = _ENTRY.format(
        params=", ".join(["_env", "caller", *names, *places]),
        body="\n".join(f"            {line}" for line in body),
    )
    scope = {
        "Caller": Caller,
        "NULL": NULL,
        "buffer": ffi.buffer,
        "callers": callers,
        "narrow_i32": narrow_i32,
        "narrow_i64": narrow_i64,
        "raised": _raised,
        "refuse_views": refuse_views,
        "vector": vector,
        "viewed": _memory.views,
    }
    exec(compile(code, f"<inlay host {params}:{results}>", "exec"), scope)
    return cast(Callable[..., Any], scope["make"])


def _boxed(function: Callable[..., Any], params: str, results: str, with_caller: bool) -> Callable[..., Any]:
    def entry(_env: CData, caller: CData, args: CData, nargs: int, out: CData, nresults: int) -> CData:
        stack = callers.stack
        before = len(stack)
        try:
            stack.append(caller)
            store = store_of(caller)
            given = get_all(store, args, nargs)
            value = function(Caller(caller), *given) if with_caller else function(*given)
            values = () if nresults == 0 else (value,) if nresults == 1 else tuple(value)
            if len(values) != nresults:
                raise ValueError(f"{nresults} results are needed, and there are {len(values)}")
            for index, letter in enumerate(results):
                put(store, out[index], letter, values[index])
            if _memory.views:
                refuse_views(caller)
            return NULL
        except BaseException as exception:
            return _raised(exception, caller)
        finally:
            del stack[before:]

    return entry


class Caller:
    """Who calls a host function; good during that call."""

    __slots__ = ("_pointer",)

    def __init__(self, pointer: CData) -> None:
        self._pointer = pointer

    @property
    def store(self) -> Store:
        """The store that the calling WebAssembly runs in."""
        return store_of(self._valid())

    def memory(self, name: str = "memory") -> "_memory.Memory":
        """The memory that the importing instance exports under this name."""
        return _memory.of_caller(self._valid(), name)

    def _valid(self) -> CData:
        # The pointer alone does not say whether its call goes on, and another can have its address.
        if not any(running is self._pointer for running in callers.stack):
            raise RuntimeError("the call that this caller made has ended, or is on another thread")
        return self._pointer
