"""Things let go of in any order, and used from several threads."""

import gc
import itertools
import threading
import time

import inlay
import pytest
from conftest import wasm


def test_any_order_of_letting_go():
    for order in itertools.permutations(range(5)):
        engine = inlay.Engine()
        module = inlay.Module(engine, wasm("host"))
        store = inlay.Store(engine)
        linker = inlay.Linker(engine)
        linker.define_func("env", "call", "i:i", lambda value: value)
        instance = linker.instantiate(store, module)
        run = instance["run"]
        things = [engine, module, store, linker, instance]
        del engine, module, store, linker, instance
        for index in order:
            things[index] = None
            assert run(1) == 2
        del run


def test_nothing_waits_for_the_garbage_collector(engine):
    import weakref

    gc.disable()
    try:
        store = inlay.Store(engine)
        instance = inlay.Linker(engine).instantiate(store, inlay.Module(engine, wasm("numbers")))
        assert instance["add"](1, 2) == 3 and instance["bytes"](b"x" * 16, b"y" * 16)
        with pytest.raises(inlay.Trap):
            instance["trap"]()
        gone = weakref.ref(store)
        del store, instance
        assert gone() is None
    finally:
        gc.enable()


def test_cycles_are_collected(engine):
    import weakref

    gone = []
    for _ in range(20):
        things = [inlay.Store(engine), inlay.Linker(engine), inlay.Module(engine, wasm("numbers"))]
        things.append(things[1].instantiate(things[0], things[2])["add"])
        things.append(things)
        gone.append(weakref.ref(things[0]))
        del things
    gc.collect()
    assert not any(ref() for ref in gone)


def test_an_engine_and_a_linker_of_many_threads(engine):
    module = inlay.Module(engine, wasm("host"))
    linker = inlay.Linker(engine)
    linker.define_func("env", "call", "i:i", lambda value: value * 2)
    failures = []

    def work(number):
        try:
            own = inlay.Module(engine, wasm("numbers"))
            for round in range(30):
                store = inlay.Store(engine)
                linker.define_func("env", f"f{number}.{round}", "i:i", lambda value: value)
                assert linker.instantiate(store, module)["run"](round) == round * 2 + 1
                assert linker.instantiate(store, own)["fib"](10) == 55
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_store_moves_between_threads(instantiate):
    add = instantiate("numbers")["add"]
    results = []
    thread = threading.Thread(target=lambda: results.append(add(1, 2)))
    thread.start()
    thread.join()
    assert results == [3] and add(3, 4) == 7


def test_a_second_thread_in_a_store_is_refused(instantiate):
    inside, go_on = threading.Event(), threading.Event()

    def waits(value):
        inside.set()
        go_on.wait(30)
        return 0

    host = instantiate("host", call=("i:i", waits))
    run = host["run"]
    memory = inlay.Memory(host._store, inlay.MemoryType(1))
    results = []
    thread = threading.Thread(target=lambda: results.append(run(1)))
    thread.start()
    assert inside.wait(30)
    for use in (lambda: run(2), lambda: memory[0], lambda: memory.grow(1), memory.view, lambda: instantiate("numbers")):
        with pytest.raises(RuntimeError, match="another thread"):
            use()
    go_on.set()
    thread.join()
    assert results == [1] and memory[0] == 0


def test_threads_that_race_for_a_store(instantiate):
    fib = instantiate("numbers")["fib"]
    refused, right = [], []

    def work():
        for _ in range(200):
            try:
                right.append(fib(15) == 610)
            except RuntimeError:
                refused.append(1)
                time.sleep(0)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(right) and right and len(right) + len(refused) == 800
    assert fib(15) == 610


def test_an_error_of_another_thread_s_store(engine):
    store = inlay.Store(engine)
    instance = inlay.Linker(engine).instantiate(store, inlay.Module(engine, wasm("numbers")))
    caught = []

    def work():
        try:
            instance["trap"]()
        except inlay.Trap as trap:
            caught.append(trap)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    del instance, store
    gc.collect()
    assert caught[0].frames[1].function_name == "outer"
