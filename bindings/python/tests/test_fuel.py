"""Fuel: WebAssembly that may do only so much."""

import inlay
import pytest

# (func (export "run") (result i32) (loop (br 0)) (unreachable))
SPIN = bytes.fromhex("0061736d010000000105016000017f030201000707010372756e00000a0a01080003400c000b000b")


def test_a_loop_ends():
    engine = inlay.Engine(inlay.Config(fuel=True))
    store = inlay.Store(engine)
    run = inlay.Linker(engine).instantiate(store, inlay.Module(engine, SPIN))["run"]
    assert store.fuel == 0
    for units in (0, 1000):
        store.fuel = units
        assert store.fuel == units
        with pytest.raises(inlay.Trap) as raised:
            run()
        assert raised.value.trap == inlay.TrapCode.OUT_OF_FUEL
        assert len(raised.value.frames) == 1
        assert store.fuel == 0


def test_an_engine_without_it(store):
    with pytest.raises(inlay.ArgumentError, match="fuel"):
        store.fuel = 1
    assert store.fuel == 0


def test_a_store_has_only_so_much(store):
    store.limit(memory_bytes=3 * 65536)
    memory = inlay.Memory(store, inlay.MemoryType(2))
    with pytest.raises(inlay.LimitError, match="limiter"):
        inlay.Memory(store, inlay.MemoryType(2))
    assert memory.grow(1) == 2
    with pytest.raises(inlay.LimitError):
        memory.grow(1)
    store.limit()
    assert memory.grow(1) == 3
