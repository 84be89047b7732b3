"""Interrupters: WebAssembly that would never end."""

import threading

import inlay
import pytest

# (func (export "run") (result i32) (loop (br 0)) (unreachable))
SPIN = bytes.fromhex("0061736d010000000105016000017f030201000707010372756e00000a0a01080003400c000b000b")


def test_a_loop_is_stopped():
    engine = inlay.Engine(inlay.Config(interruption=True))
    store = inlay.Store(engine)
    run = inlay.Linker(engine).instantiate(store, inlay.Module(engine, SPIN))["run"]
    interrupter = inlay.Interrupter(store)
    for seconds in (0.0, 0.05):
        timer = threading.Timer(seconds, interrupter.interrupt)
        timer.start()
        with pytest.raises(inlay.Trap) as raised:
            run()
        timer.join()
        assert raised.value.trap == inlay.TrapCode.INTERRUPTED
        assert len(raised.value.frames) <= 1
    interrupter.interrupt()
    interrupter.clear()
    del run, store
    interrupter.interrupt()


def test_an_engine_without_it(store):
    with pytest.raises(inlay.ArgumentError, match="interruption"):
        inlay.Interrupter(store)
