"""What a callback returns when Python cannot even enter it, as at the end of its recursion limit.

cffi then gives WebAssembly a value that was fixed before; it must be an error, or the callback would seem to have succeeded.
That one error is returned by any number of threads, and so nothing may change it: it is full. An error has 128 frames at most,
and this one has been sent through as many functions of WebAssembly.
"""

import threading
from typing import Any

from ._errors import UnsupportedError, check, create, never_deleted
from ._native import NULL, CData, ffi, lib, own

# (module
#   (import "" "" (func $fail))
#   (func $deep (export "") (param i32)
#     (if (local.get 0)
#       (then (call $deep (i32.sub (local.get 0) (i32.const 1))))
#       (else (call $fail)))))
_WASM = bytes.fromhex(
    "0061736d0100000001080260000060017f0002050100000000030201010704010000010a1301110020000440200041016b10010510000b0b0014046e616d65010d0200046661696c010464656570"
)
_MESSAGE = b"a host function could not be entered, or its exception not be carried; Python has shown why"

_lock = threading.Lock()
_made: list[CData] = []


def last_resort() -> CData:
    """The error."""
    with _lock:
        if not _made:
            _made.append(_full(lib.inlay_error_new(_MESSAGE)))
            never_deleted.add(_made[0])
        return _made[0]


def _full(error: CData) -> CData:
    @ffi.callback("inlay_error_t *(void *, inlay_caller_t *)")  # type: ignore[untyped-decorator]
    def fails(_env: CData, _caller: CData) -> CData:
        return error

    def made(kind: str, function: CData, *arguments: Any) -> CData:
        return own(create(f"inlay_{kind}_t *", function, *arguments), getattr(lib, f"inlay_{kind}_delete"))

    engine = made("engine", lib.inlay_engine_new, NULL)
    try:
        module = made("module", lib.inlay_module_compile, engine, _WASM, len(_WASM))
    except UnsupportedError:
        # A library without a compiler: two threads that get the error at the same time are then not foreseen.
        return error
    linker = made("linker", lib.inlay_linker_new, engine)
    store = made("store", lib.inlay_store_new, engine, NULL)
    check(
        lib.inlay_linker_func_typed(linker, b"", b"", b":", ffi.cast("inlay_any_func_t", fails), NULL, NULL)
    )
    instance = create("inlay_instance_t *", lib.inlay_linker_instantiate, linker, store, module)
    depth = ffi.new("inlay_value_t *", {"kind": lib.INLAY_I32, "of": {"i32": 200}})
    return lib.inlay_func_call(lib.inlay_instance_func(instance, b""), depth, 1, NULL, 0)
