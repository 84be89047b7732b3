"""Modules: what they say of themselves, images, code memory, the package itself."""

import ctypes
import gc
import mmap
import os
import subprocess
import sys
from importlib import metadata

import inlay
import pytest
from conftest import wasm
from inlay import _code_memory


def test_imports_and_exports(engine):
    module = inlay.Module(engine, bytearray(wasm("references")))
    assert module.imports == (inlay.Import("env", "swap", inlay.ExternKind.FUNC, "er:re"),)
    exports = {export.name: export.type for export in module.exports}
    assert exports["funcs"] == inlay.TableType(2, 10, "r")
    assert exports["count"] == inlay.GlobalType("I", True)
    assert exports["one"] == ":i"
    memory = inlay.Module(engine, wasm("memory")).exports[0]
    assert (memory.kind, memory.type) == (inlay.ExternKind.MEMORY, inlay.MemoryType(1, 100))
    assert inlay.Module(engine, wasm("exceptions")).exports[0].type == "i:"


def test_images(engine):
    module = inlay.Module(engine, wasm("numbers"))
    image = module.save()
    assert image == inlay.Module(engine, wasm("numbers")).save()
    loaded = inlay.Module.load(inlay.Engine(), image)
    assert loaded.exports == module.exports
    assert loaded.save() == image
    for bad in (b"", image[:-1], image[:50] + b"x" + image[51:], b"x" * 1000):
        with pytest.raises(inlay.InvalidImageError):
            inlay.Module.load(engine, bad)


class TwoWindows(inlay.CodeMemory):
    """One file in memory, written through one window and executed through another."""

    def __init__(self, size=1 << 20):
        file = os.memfd_create("code")
        os.ftruncate(file, size)
        self.writable = mmap.mmap(file, size)
        self.executable = mmap.mmap(file, size, prot=mmap.PROT_READ | mmap.PROT_EXEC)
        os.close(file)
        # mmap does not tell an address; a read-only window cannot be asked for it as a buffer of ctypes.
        view = memoryview(self.executable)
        buffer = ctypes.py_object(view)
        raw = (ctypes.c_void_p * 10)()
        ctypes.pythonapi.PyObject_GetBuffer(buffer, ctypes.byref(raw), 0)
        self.base = raw[0]
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(raw))
        view.release()
        self.used = 0
        self.size = size
        self.published, self.released = {}, []

    def publish(self, code, align):
        assert isinstance(code, bytes) and self.base % align == 0
        start = -(-self.used // align) * align
        if start + len(code) > self.size:
            raise RuntimeError("the windows are full")
        self.writable[start : start + len(code)] = code
        self.used = start + len(code)
        self.published[self.base + start] = len(code)
        return self.base + start

    def release(self, address, length):
        assert self.published.pop(address) == length
        self.released.append(address)


def test_own_code_memory():
    memory = TwoWindows()
    engine = inlay.Engine(inlay.Config(code_memory=memory))
    module = inlay.Module(engine, wasm("numbers"))
    assert module.code == next(iter(memory.published.items()))
    add = inlay.Linker(engine).instantiate(inlay.Store(engine), module)["add"]
    image = module.save()
    del module, engine
    gc.collect()
    assert add(2, 40) == 42 and len(memory.published) == 1
    with open("/proc/self/maps") as maps:
        ranges = [line.split()[:2] for line in maps]
    at = next(iter(memory.published))
    permissions = [
        mode for span, mode in ranges if int(span.split("-")[0], 16) <= at < int(span.split("-")[1], 16)
    ]
    assert permissions == ["r-xs"]
    del add
    gc.collect()
    assert not memory.published and len(memory.released) == 1
    assert memory not in _code_memory._used.values()
    again = inlay.Engine(inlay.Config(code_memory=memory))
    loaded = inlay.Module.load(again, image)
    assert inlay.Linker(again).instantiate(inlay.Store(again), loaded)["fib"](10) == 55


class Fails(inlay.CodeMemory):
    def __init__(self, result):
        self.result = result

    def publish(self, code, align):
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    def release(self, address, length):
        pass


def test_code_memory_that_fails():
    raised = KeyError("mine")
    with pytest.raises(KeyError) as arrived:
        inlay.Module(inlay.Engine(inlay.Config(code_memory=Fails(raised))), wasm("numbers"))
    assert arrived.value is raised
    # The traceback has the engine, and the code memory has the exception.
    raised.__traceback__ = None
    del arrived
    for address in (0, 1, 4097):
        with pytest.raises(inlay.CodeMemoryError):
            inlay.Module(inlay.Engine(inlay.Config(code_memory=Fails(address))), wasm("numbers"))
    for result in (None, "x"):
        with pytest.raises(TypeError):
            inlay.Module(inlay.Engine(inlay.Config(code_memory=Fails(result))), wasm("numbers"))
    gc.collect()
    assert not [memory for memory in _code_memory._used.values() if isinstance(memory, Fails)]


def test_a_release_that_raises_is_told(monkeypatch):
    class Raises(TwoWindows):
        def release(self, address, length):
            raise KeyError("mine")

    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: told.append(raised.exc_type))
    inlay.Module(inlay.Engine(inlay.Config(code_memory=Raises())), wasm("numbers"))
    assert told == [KeyError]


def test_modules_that_are_collected_while_code_is_published():
    class Collects(TwoWindows):
        def publish(self, code, align):
            garbage.clear()
            gc.collect()
            return super().publish(code, align)

    garbage = []
    memory = Collects()
    engine = inlay.Engine(inlay.Config(code_memory=memory))
    garbage.append(inlay.Module(engine, wasm("numbers")))
    # Deleting the module calls the code memory, which cannot be called now.
    module = inlay.Module(engine, wasm("host"))
    assert len(memory.released) == 1 and list(memory.published) == [module.code[0]]


def test_settings():
    engine = inlay.Engine(
        inlay.Config(
            flags={"opt_level": "none"},
            features={"wide-arithmetic": True},
            float_ops=inlay.FloatOps.BUILTIN,
            relaxed=inlay.Relaxed.NATIVE,
            nans=inlay.Nans.CANONICAL,
            compile_threads=2,
            max_memory_pages=10,
            max_table_elements=10,
            max_instances=1,
            stack_bytes=1 << 16,
        )
    )
    linker, store = inlay.Linker(engine), inlay.Store(engine)
    module = inlay.Module(engine, wasm("numbers"))
    assert linker.instantiate(store, module)["add"](1, 2) == 3
    with pytest.raises(inlay.LimitError):
        linker.instantiate(store, module)


def test_another_target():
    engine = inlay.Engine(inlay.Config(target="x86_64-unknown-linux-gnu"))
    assert inlay.Module(engine, wasm("numbers")).exports


def test_the_version_is_the_crate_s():
    assert metadata.version("inlay") == inlay.__version__


def test_the_end_of_the_interpreter_is_quiet():
    program = f"""
import inlay
class Memory(inlay.CodeMemory):
    def publish(self, code, align): raise ValueError
    def release(self, address, length): pass
engine = inlay.Engine()
module = inlay.Module(engine, bytes.fromhex("{wasm("host").hex()}"))
store, linker = inlay.Store(engine), inlay.Linker(engine)
linker.define_func("env", "call", "i:i", lambda value: instance and value)
instance = linker.instantiate(store, module)
memory = inlay.Memory(store, inlay.MemoryType(1))
view = memory.view()
own = inlay.Engine(inlay.Config(code_memory=Memory()))
keep = [engine, store, linker, instance]
keep.append(keep)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
