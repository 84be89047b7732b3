"""What the tests share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import inlay
import pytest

MODULES = Path(__file__).with_name("modules")


def wasm(name: str) -> bytes:
    """The bytes of a module of these tests; its text is beside it."""
    return (MODULES / f"{name}.wasm").read_bytes()


@pytest.fixture(scope="session")
def engine() -> inlay.Engine:
    return inlay.Engine()


@pytest.fixture
def store(engine: inlay.Engine) -> inlay.Store:
    return inlay.Store(engine)


@pytest.fixture
def instantiate(engine: inlay.Engine, store: inlay.Store) -> Callable[..., inlay.Instance]:
    """Makes an instance of a module of these tests: imports are given by name, as a signature and a function."""

    def make(name: str, **imports: tuple[str, Callable[..., Any]]) -> inlay.Instance:
        linker = inlay.Linker(engine)
        for field, (signature, function) in imports.items():
            linker.define_func("env", field, signature, function)
        return linker.instantiate(store, inlay.Module(engine, wasm(name)))

    return make
