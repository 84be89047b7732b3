"""Errors: Inlay's as exceptions, with backtraces."""

import inlay
import pytest
from conftest import wasm
from inlay import _errors, _native


def test_every_kind_and_trap_of_the_header_has_a_name():
    names = [name for name in dir(_native.lib) if name.startswith(("INLAY_ERROR_", "INLAY_TRAP_"))]
    assert len(names) > 20
    for name in names:
        kinds = inlay.ErrorKind if name.startswith("INLAY_ERROR_") else inlay.TrapCode
        assert kinds[name.split("_", 2)[2]] == getattr(_native.lib, name)
    assert set(_errors._CLASSES) == set(inlay.ErrorKind)


def test_a_trap_has_frames(instantiate):
    numbers = instantiate("numbers")
    with pytest.raises(inlay.Trap) as raised:
        numbers["trap"]()
    trap = raised.value
    assert (trap.kind, trap.trap, trap.message) == (
        inlay.ErrorKind.TRAP,
        inlay.TrapCode.UNREACHABLE,
        "unreachable",
    )
    assert [frame.function_name for frame in trap.frames] == ["inner", "outer"]
    assert trap.frames[0].function_index + 1 == trap.frames[1].function_index
    offset = trap.frames[0].wasm_offset
    assert wasm("numbers")[offset] == 0x00
    assert "unreachable" in str(trap) and "outer" in str(trap) and f"{offset:#x}" in str(trap)


def test_traps(instantiate):
    numbers = instantiate("numbers")
    for arguments, code in (((1, 0), "INTEGER_DIVIDE_BY_ZERO"), ((-(1 << 31), -1), "INTEGER_OVERFLOW")):
        with pytest.raises(inlay.Trap) as raised:
            numbers["quotient"](*arguments)
        assert raised.value.trap == inlay.TrapCode[code]
    with pytest.raises(inlay.Trap) as raised:
        numbers["forever"]()
    assert raised.value.trap == inlay.TrapCode.STACK_OVERFLOW and len(raised.value.frames) == 128
    assert numbers["quotient"](7, 2) == 3


def test_bytes_that_are_no_module(engine):
    good = wasm("numbers")
    for bad in (b"", b"\0asm", good[:-1], good + b"\0", b"x" * 100):
        with pytest.raises(inlay.InvalidModuleError):
            inlay.Module(engine, bad)
        with pytest.raises(inlay.InvalidModuleError):
            inlay.Module.validate(engine, bad)
    with pytest.raises(TypeError):
        inlay.Module(engine, "text")
    inlay.Module.validate(engine, memoryview(good))


def test_a_feature_that_is_off():
    engine = inlay.Engine(inlay.Config(features={"simd": False}))
    with pytest.raises(inlay.UnsupportedError, match="simd"):
        inlay.Module(engine, wasm("numbers"))


def test_missing_imports(engine, store):
    with pytest.raises(inlay.LinkError, match="env"):
        inlay.Linker(engine).instantiate(store, inlay.Module(engine, wasm("host")))


def test_settings_that_are_none():
    for config in (
        inlay.Config(flags={"no_such": "1"}),
        inlay.Config(features={"no-such": True}),
        inlay.Config(target="no triple"),
        inlay.Config(compile_threads=0),
        inlay.Config(stack_bytes=1),
    ):
        with pytest.raises(inlay.ArgumentError):
            inlay.Engine(config)
    with pytest.raises(ValueError, match="NUL"):
        inlay.Engine(inlay.Config(features={"simd\0": False}))


def test_things_of_different_engines(engine, store):
    other = inlay.Engine()
    module, linker = inlay.Module(engine, wasm("numbers")), inlay.Linker(engine)
    for linker_of, store_of, module_of in ((other, engine, engine), (engine, other, engine), (engine, engine, other)):
        with pytest.raises(inlay.ArgumentError, match="engines"):
            inlay.Linker(linker_of).instantiate(inlay.Store(store_of), inlay.Module(module_of, wasm("numbers")))
    assert linker.instantiate(store, module)["add"](1, 2) == 3


def test_limits(store):
    engine = inlay.Engine(inlay.Config(max_memory_pages=2))
    with pytest.raises(inlay.LimitError):
        inlay.Memory(inlay.Store(engine), inlay.MemoryType(3))


def test_no_error_of_c_is_left(instantiate, monkeypatch):
    made, deleted = [], []
    counted = _errors.lib

    class Counting:
        def __getattr__(self, name):
            return getattr(counted, name)

        def inlay_error_new_with_data(self, *arguments):
            made.append(counted.inlay_error_new_with_data(*arguments))
            return made[-1]

        def inlay_error_delete(self, error):
            deleted.append(error)
            counted.inlay_error_delete(error)

    def fails(value):
        raise KeyError(value)

    host = instantiate("host", call=("i:i", fails))
    monkeypatch.setattr(_errors, "lib", Counting())
    for _ in range(10):
        with pytest.raises(KeyError):
            host["run"](1)
    assert len(made) == len(deleted) == 10
    assert made == deleted
    assert not _errors._carried
