"""Memories, and that no view of one is ever left where the bytes no longer are."""

import gc

import inlay
import pytest
from conftest import wasm


@pytest.fixture
def instance(instantiate):
    return instantiate("memory", during=(":", lambda: None))


def test_reading_and_writing(instance):
    memory = instance.memory()
    assert len(memory) == 65536 and memory.pages == 1
    assert memory.type == inlay.MemoryType(1, 100)
    assert memory.read(16, 5) == memory[16:21] == b"hello"
    assert memory[16] == ord("h") and memory[-1] == 0 and memory[20:15:-1] == b"olleh"
    memory.write(65533, b"end")
    memory[0:3] = b"abc"
    memory[3] = 255
    assert memory[:4] == b"abc\xff" and memory[-3:] == b"end"
    assert instance["load"](3) == 255


def test_bounds(instance):
    memory = instance.memory()
    for offset, length in ((65536, 1), (65535, 2), (-1, 1), (0, -1), (1 << 70, 1), (0, 1 << 70)):
        with pytest.raises(IndexError):
            memory.read(offset, length)
    with pytest.raises(IndexError):
        memory.write(65530, b"too long")
    assert memory[65530:] == bytes(6)
    for index in (65536, -65537):
        with pytest.raises(IndexError):
            memory[index]
        with pytest.raises(IndexError):
            memory[index] = 0
    with pytest.raises(ValueError):
        memory[0:2] = b"abc"
    with pytest.raises(ValueError):
        memory[0] = 256
    with pytest.raises(TypeError):
        memory["x"]
    assert memory.read(65536, 0) == b""


def test_a_view_is_the_memory(instance):
    memory = instance.memory()
    with memory.view() as view:
        assert view.nbytes == 65536 and not view.readonly and bytes(view[16:21]) == b"hello"
        view[16:18] = b"HE"
        view.cast("I")[1] = 0x01020304
    assert memory[16:21] == b"HEllo" and memory[4:8] == bytes([4, 3, 2, 1])
    assert instance["load"](16) == ord("H")


def test_wasm_does_not_run_while_there_is_a_view_that_growing_could_leave_behind(instance):
    memory = instance.memory()
    view = memory.view()
    part = view[16:21]
    for use in (
        lambda: instance["load"](0),
        lambda: instance["grow"](1),
        lambda: memory.grow(1),
    ):
        with pytest.raises(BufferError, match="view"):
            use()
    # What cannot move the bytes goes on.
    assert memory.read(16, 5) == b"hello"
    # To release the first view is not enough, as long as something was made of it.
    view.release()
    with pytest.raises(BufferError):
        instance["grow"](1)
    assert bytes(part) == b"hello"
    del part
    assert instance["grow"](1) == 1
    assert memory.grow(1) == 2
    assert len(memory) == 3 * 65536 and len(memory.view()) == 3 * 65536
    assert instance["load"](16) == ord("h")


def test_a_view_does_not_stop_other_stores(engine, instance):
    other = inlay.Linker(engine).instantiate(inlay.Store(engine), inlay.Module(engine, wasm("numbers")))
    with instance.memory().view():
        assert other["add"](1, 2) == 3


def test_a_view_in_a_host_function(engine, store):
    linker = inlay.Linker(engine)
    kept = []

    @linker.func("env", "during", ":")
    def during():
        with memory.view() as view:
            view[0] = 5
            with pytest.raises(BufferError):
                instance["load"](0)
        if kept is not None and keep:
            kept.append(memory.view())

    instance = linker.instantiate(store, inlay.Module(engine, wasm("memory")))
    memory = instance.memory()
    keep = False
    instance["during"]()
    assert memory[0] == 5
    keep = True
    with pytest.raises(BufferError, match="host function"):
        instance["during"]()
    with pytest.raises(BufferError):
        instance["load"](0)
    kept.clear()
    assert instance["load"](0) == 5


def test_a_view_in_the_traceback_of_what_wasm_could_catch(engine, store):
    linker = inlay.Linker(engine)
    memory = inlay.Memory(store, inlay.MemoryType(1))

    @linker.func("env", "host", ":")
    def host():
        view = memory.view()
        assert view[0] == 0
        raise exception

    instance = linker.instantiate(store, inlay.Module(engine, wasm("exceptions")))
    exception = instance.tag("tag").exception(5)
    with pytest.raises(BufferError, match="host function"):
        instance["catch"]()
    exception.__traceback__ = None
    exception = ValueError()
    with pytest.raises(ValueError) as arrived:
        instance["catch"]()
    with pytest.raises(BufferError):
        instance["throw"](1)
    exception.__traceback__ = None
    del arrived
    with pytest.raises(inlay.WasmException):
        instance["throw"](1)


def test_a_memory_that_stays_is_viewed_freely(instance):
    view = instance.memory("fixed").view()
    view[3] = 7
    assert instance["fixed_load"](3) == 7
    assert instance["grow"](1) == 1
    assert view[3] == 7
    with pytest.raises(inlay.LimitError):
        instance.memory("fixed").grow(1)


def test_an_unguarded_view(instance):
    view = instance.memory().view(unguarded=True)
    assert instance["load"](16) == view[16]


def test_a_view_keeps_the_store(engine):
    view = inlay.Memory(inlay.Store(engine), inlay.MemoryType(1, 1)).view()
    grows = inlay.Memory(inlay.Store(engine), inlay.MemoryType(1)).view()
    gc.collect()
    view[0] = grows[0] = 1
    assert sum(view) == sum(grows) == 1


def test_memories_of_the_host(engine, store):
    memory = inlay.Memory(store, inlay.MemoryType(0, 2))
    assert len(memory) == 0 and memory[:] == b"" and len(memory.view()) == 0
    assert memory.grow(2) == 0
    with pytest.raises(inlay.LimitError):
        memory.grow(1)
    with pytest.raises(OverflowError):
        memory.grow(-1)
    with pytest.raises(inlay.ArgumentError):
        inlay.Memory(store, inlay.MemoryType(2, 1))
    assert memory.address != 0


def test_shared_memories(engine, store):
    instance = inlay.Linker(engine).instantiate(store, inlay.Module(engine, wasm("shared")))
    memory = instance.memory()
    assert memory.type.is_shared
    view = memory.view()
    other = inlay.Memory.of_shared(inlay.Store(engine), memory.share())
    other[5] = 9
    assert view[5] == 9
    assert instance["grow"](1) == 1 and len(other) == 2 * 65536
    assert view[5] == 9
    made = inlay.SharedMemory(engine, inlay.MemoryType(1, 2, is_shared=True))
    assert len(inlay.Memory.of_shared(store, made)) == 65536
    with pytest.raises(inlay.ArgumentError):
        inlay.Memory(store, inlay.MemoryType(1)).share()
