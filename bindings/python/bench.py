"""Measures a typed call, `add(2, 40)`, beside the same through ctypes, both in this process and in turns.

    python bindings/python/bench.py [MOST]

It fails if the call takes more than MOST nanoseconds. Times are those that this thread had the CPU, in many short runs; the
best of them counts, for what else the machine does only ever adds to one.
"""

import ctypes
import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path

import inlay

# (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
WASM = bytes.fromhex(
    "0061736d01000000010701" "60027f7f017f0302010007070103616464" "00000a09010700200020016a0b"
)
ROUNDS, CALLS = 100, 20_000


def with_ctypes() -> Callable[[int, int], int]:
    """The same function, with what a careful user of ctypes writes: an error is looked at, and the result read."""
    library = ctypes.CDLL(str(Path(inlay.__file__).with_name("libinlay.so")))
    pointer = ctypes.c_void_p

    def made(name: str, *arguments: object) -> ctypes.c_void_p:
        out = pointer()
        function = getattr(library, name)
        function.restype = pointer
        assert function(*arguments, ctypes.byref(out)) is None, name
        return out

    engine = made("inlay_engine_new", None)
    module = made("inlay_module_compile", engine, WASM, ctypes.c_size_t(len(WASM)))
    store = made("inlay_store_new", engine, None)
    linker = made("inlay_linker_new", engine)
    instance = made("inlay_linker_instantiate", linker, store, module)
    library.inlay_instance_func.restype = pointer
    func = library.inlay_instance_func(instance, b"add")
    typed = made("inlay_func_typed", pointer(func), b"ii:i")
    i32 = ctypes.c_int32
    call = ctypes.CFUNCTYPE(pointer, pointer, i32, i32, ctypes.POINTER(i32))(typed.value or 0)

    def add(a: int, b: int) -> int:
        out = i32()
        if call(func, a, b, ctypes.byref(out)):
            raise RuntimeError
        return out.value

    return add


def with_inlay() -> Callable[[int, int], int]:
    engine = inlay.Engine()
    add = inlay.Linker(engine).instantiate(inlay.Store(engine), inlay.Module(engine, WASM))["add"]
    return add  # type: ignore[no-any-return]


def in_python(a: int, b: int) -> int:
    return a + b


def main() -> int:
    functions = {"inlay": with_inlay(), "ctypes": with_ctypes(), "a Python function": in_python}
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, add in functions.items():
            assert add(2, 40) == 42
            seconds = timeit.timeit("add(2, 40)", globals={"add": add}, number=CALLS, timer=time.thread_time)
            times[name].append(seconds / CALLS * 1e9)
    for name, taken in times.items():
        print(f"{name:18} best {min(taken):6.1f} ns, median {sorted(taken)[ROUNDS // 2]:6.1f} ns")
    best = min(times["inlay"])
    print(f"a typed call takes {best / min(times['ctypes']):.2f} of what it takes through ctypes")
    most = float(sys.argv[1]) if len(sys.argv) > 1 else float("inf")
    if best > most:
        print(f"that is more than {most:.0f} ns", file=sys.stderr)
    return best > most


if __name__ == "__main__":
    sys.exit(main())
