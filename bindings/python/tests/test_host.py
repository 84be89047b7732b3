"""Host functions, and exceptions through them."""

import gc
import os
import signal
import sys
import threading
import traceback

import inlay
import pytest
from conftest import wasm
from inlay import _store


def test_values_of_each_kind(instantiate):
    seen = []

    def everything(*values):
        seen.append(values)
        a, b, c, d, e = values
        return e[::-1], d, c, b, a

    instance = instantiate("kinds", all=("iIfFV:VFfIi", everything), none=(":", lambda: "ignored"))
    assert instance["none"]() is None
    vector = bytes(range(16))
    assert instance["all"](-1, 1 << 40, 1.5, 2.5, vector) == (vector[::-1], 2.5, 1.5, 1 << 40, -1)
    assert seen == [(-1, 1 << 40, 1.5, 2.5, vector)]


def test_unsigned_results(instantiate):
    host = instantiate("host", call=("i:i", lambda value: 0xFFFF_FFF0))
    assert host["run"](0) == -15


@pytest.mark.parametrize("result", [None, "1", 1.5, (1, 2), b""])
def test_results_that_do_not_fit(instantiate, result):
    host = instantiate("host", call=("i:i", lambda value: result))
    with pytest.raises(TypeError):
        host["run"](0)


def test_results_that_are_too_large_or_too_many(instantiate):
    host = instantiate("host", call=("i:i", lambda value: 1 << 40))
    with pytest.raises(OverflowError, match="i32"):
        host["run"](0)
    kinds = instantiate("kinds", all=("iIfFV:VFfIi", lambda *values: values[:4]), none=(":", lambda: None))
    with pytest.raises(ValueError):
        kinds["all"](1, 2, 3, 4, b"x" * 16)


class Mine(BaseException):
    pass


@pytest.mark.parametrize("raised", [Mine("x"), ValueError("y"), KeyboardInterrupt(), SystemExit(3), OverflowError("z")])
def test_an_exception_arrives_as_itself(instantiate, capfd, raised):
    def fails(value):
        raise raised

    host = instantiate("host", call=("i:i", fails))
    with pytest.raises(type(raised)) as arrived:
        host["run"](0)
    assert arrived.value is raised
    assert arrived.value.__context__ is None and arrived.value.__cause__ is None
    functions = [frame.name for frame in traceback.extract_tb(raised.__traceback__)]
    assert functions[0] == "test_an_exception_arrives_as_itself" and functions[-1] == "fails"
    assert "run" in raised.__notes__[0]
    assert capfd.readouterr() == ("", "")


def test_an_exception_that_cannot_be_told(instantiate):
    class Silent(Exception):
        def __str__(self):
            raise RuntimeError

    raised = Silent()

    def fails(value):
        raise raised

    host = instantiate("host", call=("i:i", fails))
    with pytest.raises(Silent) as arrived:
        host["run"](0)
    assert arrived.value is raised


@pytest.mark.parametrize("raised", [Mine("deep"), KeyboardInterrupt()])
def test_through_nested_calls(instantiate, raised):
    def deeper(value):
        if value == 0:
            raise raised
        return host["run"](value - 1)

    host = instantiate("host", call=("i:i", deeper))
    with pytest.raises(type(raised)) as arrived:
        host["run"](5)
    assert arrived.value is raised
    assert [frame.name for frame in traceback.extract_tb(raised.__traceback__)].count("deeper") == 6


def test_nested_calls_keep_their_results_apart(instantiate):
    host = instantiate("host", call=("i:i", lambda value: 0 if value == 0 else host["run"](value - 1) * 2))
    expected = 1
    for _ in range(6):
        expected = expected * 2 + 1
    assert host["run"](6) == expected
    unsigned = instantiate("host", call=("i:i", lambda value: 0 if value == -1 else unsigned["run"](0xFFFFFFFF)))
    assert unsigned["run"](1) == 2


def test_a_trap_that_passes_a_host_function_gets_the_frames_of_both(instantiate):
    numbers = instantiate("numbers")
    host = instantiate("host", call=("i:i", lambda value: numbers["trap"]()))
    with pytest.raises(inlay.Trap) as raised:
        host["run"](0)
    assert [frame.function_name for frame in raised.value.frames] == ["inner", "outer", "run"]


def test_a_host_function_may_handle_errors(instantiate):
    numbers = instantiate("numbers")

    def handles(value):
        try:
            return numbers["trap"]()
        except inlay.Trap:
            return 8

    assert instantiate("host", call=("i:i", handles))["run"](0) == 9


def test_an_interrupt_while_wasm_runs(instantiate):
    def interrupted(value):
        os.kill(os.getpid(), signal.SIGINT)
        return 0

    host = instantiate("host", call=("i:i", interrupted))
    for _ in range(200):
        with pytest.raises(KeyboardInterrupt):
            host["run"](0)
            for _ in range(1000):
                pass
    assert instantiate("host", call=("i:i", lambda value: value))["run"](1) == 2


def test_interrupts_at_any_moment(instantiate, store, capfd):
    def function(value):
        memory[value & 7] = value & 255
        if value % 7 == 0:
            raise Mine
        return value

    run = instantiate("host", call=("i:i", function))["run"]
    memory = inlay.Memory(store, inlay.MemoryType(1))
    stop = threading.Event()

    def interrupt():
        while not stop.wait(0.0007):
            os.kill(os.getpid(), signal.SIGINT)

    seen = 0
    thread = threading.Thread(target=interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        thread.start()
        while seen < 300:
            try:
                for value in range(1000):
                    try:
                        assert run(value) == value + 1
                        assert run(value + (1 << 32) - 1000) == value - 999
                    except Mine:
                        assert value % 7 == 0 or value % 7 == 6
            except KeyboardInterrupt:
                seen += 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stop.set()
        thread.join()
        signal.signal(signal.SIGINT, before)
    # Nothing is left busy, or half done.
    assert run(1) == 2 and memory[1] == 1 and _store.callers.stack == []
    assert capfd.readouterr() == ("", "")


def test_callers(engine, store):
    linker = inlay.Linker(engine)
    kept = []

    @linker.func("env", "during", ":", caller=True)
    def during(caller: inlay.Caller) -> None:
        assert caller.store is store
        assert caller.memory().read(16, 5) == b"hello"
        with pytest.raises(KeyError):
            caller.memory("none")
        caller.memory().write(16, b"HELLO")
        kept.append(caller)

    instance = linker.instantiate(store, inlay.Module(engine, wasm("memory")))
    instance["during"]()
    assert instance["memory"][16:21] == b"HELLO"
    with pytest.raises(RuntimeError, match="ended"):
        kept[0].store


def test_functions_are_collected_with_their_store(engine):
    class Canary:
        pass

    import weakref

    canary = Canary()
    gone = weakref.ref(canary)
    store = inlay.Store(engine)
    linker = inlay.Linker(engine)
    holder = {"canary": canary}
    linker.define_func("env", "call", "i:i", lambda value: holder["instance"] and 0)
    # A cycle through Inlay: the function refers to the instance, whose store keeps the function.
    holder["instance"] = linker.instantiate(store, inlay.Module(engine, wasm("host")))
    assert holder["instance"]["run"](0) == 1
    del canary, linker, store, holder
    gc.collect()
    assert gone() is None


def test_a_function_replaced_in_its_linker_stays_in_its_instances(engine, store):
    linker = inlay.Linker(engine)
    module = inlay.Module(engine, wasm("host"))
    linker.define_func("env", "call", "i:i", lambda value: 1)
    first = linker.instantiate(store, module)
    linker.define_func("env", "call", "i:i", lambda value: 2)
    second = linker.instantiate(store, module)
    del linker
    gc.collect()
    assert (first["run"](0), second["run"](0)) == (2, 3)


def test_a_start_function_may_define_and_instantiate(engine, store):
    linker = inlay.Linker(engine)
    started = []

    @linker.func("env", "start", ":", caller=True)
    def start(caller):
        started.append(caller.memory().pages)
        linker.define_func("env", "call", "i:i", lambda value: 10)
        started.append(linker.instantiate(store, inlay.Module(engine, wasm("host")))["run"](0))

    instance = linker.instantiate(store, inlay.Module(engine, wasm("starts")))
    assert started == [1, 11]
    assert linker.instantiate(store, inlay.Module(engine, wasm("host")))["run"](0) == 11
    assert len(instance["memory"]) == 65536


def test_a_start_function_that_raises(engine, store):
    raised = Mine()

    def fails():
        raise raised

    linker = inlay.Linker(engine)
    linker.define_func("env", "start", ":", fails)
    with pytest.raises(Mine) as arrived:
        linker.instantiate(store, inlay.Module(engine, wasm("starts")))
    assert arrived.value is raised


@pytest.mark.parametrize("signature", ["", "i", "i:i:i", "q:", "i :i", "i:i\0"])
def test_what_is_no_signature(engine, signature):
    with pytest.raises(ValueError):
        inlay.Linker(engine).define_func("env", "f", signature, lambda: None)


def test_exceptions_of_wasm(engine, store):
    linker = inlay.Linker(engine)
    state = {}

    @linker.func("env", "host", ":")
    def host():
        raise state["raise"]

    instance = linker.instantiate(store, inlay.Module(engine, wasm("exceptions")))
    tag = instance.tag("tag")
    assert tag.signature == "i:"
    with pytest.raises(inlay.WasmException) as raised:
        instance["throw"](7)
    assert raised.value.tag is tag and raised.value.values == (7,)
    assert raised.value.kind == inlay.ErrorKind.EXCEPTION
    # Wasm catches what a host function raises, and what passed through one.
    state["raise"] = tag.exception(9)
    assert instance["catch"]() == 9
    state["raise"] = raised.value
    assert instance["catch"]() == 7
    with pytest.raises(inlay.WasmException) as again:
        instance["pass"]()
    assert again.value.values == (7,) and again.value.tag is tag
    # What is no exception of wasm is not caught there.
    state["raise"] = Mine()
    with pytest.raises(Mine):
        instance["catch"]()
    state["raise"] = inlay.Tag(store, "F:").exception(0.5)
    with pytest.raises(inlay.WasmException) as other:
        instance["catch"]()
    assert other.value.values == (0.5,)
    with pytest.raises(TypeError):
        tag.exception()


def test_functions_made_in_a_store(store, instantiate):
    double = inlay.host_func(store, "i:i", lambda value: value * 2)
    assert double(21) == 42 and inlay.is_func(double)
    raised = Mine()

    def fails():
        raise raised

    with pytest.raises(Mine) as arrived:
        inlay.host_func(store, ":", fails)()
    assert arrived.value is raised


def test_recursion_without_end(engine, store):
    before = sys.getrecursionlimit()
    deepest = 0

    def deeper(value):
        nonlocal deepest
        deepest = value
        return run(value + 1)

    linker = inlay.Linker(engine)
    linker.define_func("env", "call", "i:i", deeper)
    run = linker.instantiate(store, inlay.Module(engine, wasm("host")))["run"]
    try:
        # Python's limit is where a callback cannot be entered any more, wherever in it that happens to be ...
        for limit in range(300, 340):
            sys.setrecursionlimit(limit)
            with pytest.raises((RecursionError, inlay.HostError)):
                run(0)
        sys.setrecursionlimit(1_000_000)
        # ... and WebAssembly's is the stack.
        with pytest.raises(inlay.Trap) as raised:
            run(0)
    finally:
        sys.setrecursionlimit(before)
    assert raised.value.trap == inlay.TrapCode.STACK_OVERFLOW and deepest > 100
