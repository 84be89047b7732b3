"""A program of a user's, which mypy checks as strictly as it can, and the tests run."""

from pathlib import Path

import inlay


class Counter:
    """A host function with state."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, value: int) -> int:
        self.calls += 1
        return value + self.calls


def main() -> str:
    modules = Path(__file__).with_name("modules")
    engine = inlay.Engine(inlay.Config(compile_threads=2, features={"threads": False}))
    module = inlay.Module(engine, (modules / "host.wasm").read_bytes())
    linker = inlay.Linker(engine)
    counter = Counter()
    linker.define_func("env", "call", "i:i", counter)

    @linker.func("env", "during", ":", caller=True)
    def during(caller: inlay.Caller) -> None:
        caller.memory().write(0, b"during")

    store = inlay.Store(engine)
    run: inlay.Func = linker.instantiate(store, module).func("run")
    results: list[int] = [run(10), run(10)]
    instance = linker.instantiate(store, inlay.Module(engine, (modules / "memory.wasm").read_bytes()))
    instance["during"]()
    memory: inlay.Memory = instance.memory()
    with memory.view() as view:
        word = view[:6].tobytes().decode()
    frames: list[inlay.Frame] = []
    try:
        instance.func("load")(-1)
    except inlay.Trap as trap:
        code: inlay.TrapCode = trap.trap
        frames = trap.frames
        word += f", {code.name}"
    imports: list[str] = [wanted.name for wanted in module.imports]
    return f"{results}, {counter.calls} calls of {imports[0]}, {word}, {len(frames)} frame"


if __name__ == "__main__":
    print(main())
