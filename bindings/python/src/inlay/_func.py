"""Functions of WebAssembly as functions of Python.

Calls are what has to be fast. What can be said of a signature once is said in code that is made for it, and what can be said
of a function once is in that code's closure: its pointer, the place for its results, its store. Objects with a `__call__`
would cost a quarter more, so that a function is just that, with attributes.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, cast

from ._errors import UnsupportedError, check, create, fail
from ._native import NULL, CData, ffi, lib, text
from ._signature import MEMBERS, NUMBERS, is_plain, kinds
from ._store import RUNNING, Store, address
from ._values import get_all, narrow_i32, narrow_i64, put_all, vector


class Handle(NamedTuple):
    """What a function of Python knows of Inlay's."""

    store: Store
    pointer: CData


class Func(Protocol):
    """A function of a store: call it with numbers, and get a number, None, or a tuple of several."""

    __name__: str
    #: Its type, such as "ii:i".
    signature: str

    def __call__(self, *args: Any) -> Any: ...


def is_func(value: object) -> bool:
    """Whether something is a function of a store."""
    return isinstance(getattr(value, "_inlay", None), Handle)


def handle_of(func: object) -> Handle:
    """What is behind a function."""
    handle = getattr(func, "_inlay", None)
    if not isinstance(handle, Handle):
        raise TypeError(f"a function of a store is needed, or None, and not {func!r}")
    return handle


def func_of(store: Store, pointer: CData, name: str = "func") -> Func:
    """The one function of Python that stands for a function of a store."""
    at = address(pointer)
    func = store._things.get(at)
    if func is None:
        func = _made(store, pointer, name)
        # Of two threads that made one at once, the first wins.
        func = store._things.setdefault(at, func)
    return cast(Func, func)


def _made(store: Store, pointer: CData, name: str) -> Any:
    signature = text(lib.inlay_func_signature(pointer))
    params, results = kinds(signature)
    func: Any = None
    if is_plain(params + results):
        try:
            typed = create("inlay_any_func_t", lib.inlay_func_typed, pointer, signature.encode())
        except UnsupportedError:
            # A host function whose type no module in the store has.
            pass
        else:
            places = [ffi.new(f"{_RESULTS[letter]} *") for letter in results]
            function = ffi.cast(_c_type(params, results), typed)
            func = _maker(params, results)(function, pointer, store, *places, *map(_reader, places, results))
    if func is None:
        func = _boxed(store, pointer, params, results, name)
    func.__name__ = func.__qualname__ = name
    func.__doc__ = f"A function of WebAssembly's type {signature}."
    func.signature = signature
    func._inlay = Handle(store, pointer)
    return func


_PARAMS = {"i": "int32_t", "I": "int64_t", "f": "float", "F": "double", "V": "const char *"}
_RESULTS = {"i": "int32_t", "I": "int64_t", "f": "float", "F": "double", "V": "inlay_v128_t"}
_FORMATS = {"i": "i", "I": "q", "f": "f", "F": "d"}
_NARROW = {"i": "narrow_i32", "I": "narrow_i64", "V": "vector"}


def _reader(place: CData, letter: str) -> Any:
    """What a result is read through. A memoryview reads a number faster than cffi does."""
    view: Any = memoryview(ffi.buffer(place))
    return view.cast(_FORMATS[letter]) if letter in NUMBERS else view


@lru_cache(maxsize=None)
def _c_type(params: str, results: str) -> Any:
    """The C type that `inlay_func_typed` says, but for the error: as an integer it is cheap to look at."""
    args = ["inlay_func_t *", *(_PARAMS[letter] for letter in params), *(f"{_RESULTS[letter]} *" for letter in results)]
    return ffi.typeof(f"uintptr_t(*)({', '.join(args)})")


# A call. The store is the calling thread's from the third line on, and an error is raised when it no longer is. What happens
# seldom is in another function: calls in calls, from host functions, whose store is this thread's already; and integers that
# do not fit, which are unsigned ones or errors, and are not looked at before. No function refers to itself, for then only
# the garbage collector would find out that nobody else does.
_CALL = """
def make({outer}):
    def call({params}):
        if store._busy is None:
            store._busy = {running}
            try:
{vectors}
                error = function({actual})
                if not error: return {result}
            except OverflowError: error = None
            finally: store._busy = None
            if error is not None: failed(error, store)
        return seldom({args})

    def whole({params}):
        error = function({actual})
        return error, None if error else {result}

    def seldom({params}):
{narrowed}
        error, result = store._alone(False, whole{more})
        if error: failed(error, store)
        return result

    return call
"""


@lru_cache(maxsize=None)
def _maker(params: str, results: str) -> Callable[..., Any]:
    """What makes functions of this signature."""
    names = [f"p{index}" for index in range(len(params))]
    places = [f"r{index}" for index in range(len(results))]
    readers = [f"v{index}" for index in range(len(results))]
    read = [
        f"{reader}[0]" if letter in NUMBERS else f"bytes({reader})"
        for reader, letter in zip(readers, results, strict=True)
    ]
    checked = [f"{name} = vector({name})" for name, letter in zip(names, params, strict=True) if letter == "V"]
    narrowed = [
        f"{name} = {_NARROW[letter]}({name})" for name, letter in zip(names, params, strict=True) if letter in _NARROW
    ]
    code = _CALL.format(
        running=RUNNING,
        outer=", ".join(["function", "self", "store", *places, *readers]),
        params=", ".join([*names, "/"]) if names else "",
        args=", ".join(names),
        more="".join(f", {name}" for name in names),
        vectors="\n".join(f"                {line}" for line in checked),
        actual=", ".join(["self", *names, *places]),
        result=read[0] if len(read) == 1 else f"({', '.join(read)})" if read else "None",
        narrowed="\n".join(f"        {line}" for line in narrowed),
    )
    scope: dict[str, Any] = {
        "failed": _failed,
        "narrow_i32": narrow_i32,
        "narrow_i64": narrow_i64,
        "vector": vector,
    }
    exec(compile(code, f"<inlay call {params}:{results}>", "exec"), scope)
    return cast(Callable[..., Any], scope["make"])


def _failed(error: int, store: Store) -> None:
    store._settle()
    fail(ffi.cast("inlay_error_t *", error), store)


def _boxed(store: Store, pointer: CData, params: str, results: str, name: str) -> Any:
    """A function with references, or of a type that no module has: each value is boxed."""

    def whole(args: tuple[Any, ...]) -> tuple[CData, tuple[Any, ...]]:
        given = put_all(store, params, args)
        out = ffi.new("inlay_value_t[]", len(results))
        error = lib.inlay_func_call(pointer, given, len(params), out, len(results))
        return error, () if error != NULL else get_all(store, out, len(results))

    def call(*args: Any) -> Any:
        if len(args) != len(params):
            raise TypeError(f"{name}() takes {len(params)} arguments, and {len(args)} were given")
        error, values = store._alone(False, whole, args)
        check(error, store)
        if len(values) == 1:
            return values[0]
        return values or None

    return call

