"""Configurations: what an engine is made of."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from ._code_memory import CodeMemory, give
from ._errors import OutOfMemoryError, check
from ._native import NULL, CData, c_text, lib, own, own_with_code


class FloatOps(enum.IntEnum):
    """How float operations are done that some CPUs have no instruction for. All ways give the same bits."""

    AUTO = lib.INLAY_FLOAT_OPS_AUTO
    NATIVE = lib.INLAY_FLOAT_OPS_NATIVE
    BUILTIN = lib.INLAY_FLOAT_OPS_BUILTIN


class Relaxed(enum.IntEnum):
    """What relaxed vector instructions do where the specification leaves it open."""

    DETERMINISTIC = lib.INLAY_RELAXED_DETERMINISTIC
    NATIVE = lib.INLAY_RELAXED_NATIVE


class Nans(enum.IntEnum):
    """Which NaN an operation gives where WebAssembly allows several."""

    NATIVE = lib.INLAY_NANS_NATIVE
    CANONICAL = lib.INLAY_NANS_CANONICAL


@dataclass(frozen=True, kw_only=True)
class Config:
    """What an engine is made of. What is None stays at Inlay's default, which inlay.h says for each."""

    #: The target to compile for, by its triple; None is this machine.
    target: str | None = None
    #: Settings of Cranelift and features of the CPU, such as {"opt_level": "none"}.
    flags: Mapping[str, str] = field(default_factory=dict)
    #: WebAssembly's proposals, such as {"simd": False}.
    features: Mapping[str, bool] = field(default_factory=dict)
    float_ops: FloatOps | None = None
    relaxed: Relaxed | None = None
    nans: Nans | None = None
    #: Whether WebAssembly can be stopped by an Interrupter.
    interruption: bool | None = None
    #: Whether WebAssembly uses fuel, which Store.fuel gives it.
    fuel: bool | None = None
    #: On how many threads a module is compiled.
    compile_threads: int | None = None
    #: The most pages, of 64 KiB, that each memory may have.
    max_memory_pages: int | None = None
    #: The most elements that each table may have.
    max_table_elements: int | None = None
    #: The most instances that each store may have.
    max_instances: int | None = None
    #: How many bytes of stack WebAssembly may use.
    stack_bytes: int | None = None
    #: Where compiled code goes; None is memory of Inlay's own.
    code_memory: CodeMemory | None = None


def built(config: Config) -> CData:
    """The configuration of C."""
    pointer = lib.inlay_config_new()
    if pointer == NULL:
        raise OutOfMemoryError("out of memory: no room for a configuration")
    pointer = (own if config.code_memory is None else own_with_code)(pointer, lib.inlay_config_delete)
    if config.target is not None:
        check(lib.inlay_config_target(pointer, c_text(config.target)))
    for name, value in config.flags.items():
        check(lib.inlay_config_flag(pointer, c_text(name), c_text(value)))
    for name, enabled in config.features.items():
        check(lib.inlay_config_feature(pointer, c_text(name), enabled))
    for name in _NUMBERS:
        number = getattr(config, name)
        if number is not None:
            check(getattr(lib, f"inlay_config_{name}")(pointer, number))
    if config.code_memory is not None:
        check(give(pointer, config.code_memory))
    return pointer


# The settings that are one number, and have a function of their name.
_NUMBERS = (
    "float_ops",
    "relaxed",
    "nans",
    "interruption",
    "fuel",
    "compile_threads",
    "max_memory_pages",
    "max_table_elements",
    "max_instances",
    "stack_bytes",
)
