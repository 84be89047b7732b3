"""WebAssembly that others wrote: argon2-browser of npm, as `make -C examples-c real` fetches it.

INLAY_REAL is the directory that has the unpacked packages. Without it there is nothing to test.
"""

import os
from pathlib import Path

import inlay
import pytest

PACKAGES = os.environ.get("INLAY_REAL")


@pytest.mark.skipif(not PACKAGES, reason="INLAY_REAL does not say where the packages are")
@pytest.mark.parametrize("file", ["argon2.wasm", "argon2-simd.wasm"])
def test_the_vectors_of_rfc_9106(engine, store, file):
    path = Path(PACKAGES or "", "argon2-browser-1.18.0", "package", "dist", file)
    linker = inlay.Linker(engine)

    @linker.func("a", "a", "iii:i", caller=True)
    def memcpy_big(caller, to, source, length):
        memory = caller.memory("c")
        memory.write(to, memory.read(source, length))
        return 0

    @linker.func("a", "b", "i:i", caller=True)
    def resize_heap(caller, wanted):
        memory = caller.memory("c")
        memory.grow(-(-(wanted - len(memory)) // 65536))
        return 1

    instance = linker.instantiate(store, inlay.Module(engine, path.read_bytes()))
    instance["d"]()
    memory, malloc, hash_ext = instance.memory("c"), instance["f"], instance["l"]

    def put(data):
        at = malloc(len(data))
        memory.write(at, data)
        return at, len(data)

    def hashed(kind, passes, kib, lanes, password, salt, secret=b"", data=b""):
        tag, length = put(bytes(32))
        inputs = [*put(password), *put(salt), tag, length, 0, 0, kind, *put(secret), *put(data), 0x13]
        assert hash_ext(passes, kib, lanes, *inputs) == 0
        return memory.read(tag, 32).hex()

    given = (3, 32, 4, b"\1" * 32, b"\2" * 16, b"\3" * 8, b"\4" * 12)
    assert hashed(0, *given) == "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb"
    assert hashed(1, *given) == "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8"
    assert hashed(2, *given) == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    # This one makes the memory grow.
    assert hashed(1, 2, 65536, 1, b"password", b"somesalt") == (
        "c1628832147d9720c5bd1cfd61367078729f6dfb6f8fea9ff98158e0d7816ed0"
    )
    assert len(memory) > 64 << 20
