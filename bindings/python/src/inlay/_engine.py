"""Engines: a configuration made ready."""

from collections.abc import Callable

from ._config import Config, built
from ._errors import create
from ._native import NULL, CData, lib, own, own_with_code


class Engine:
    """What compiles and loads modules, and what stores belong to. Any number of threads may use one."""

    __slots__ = ("_pointer", "_own", "__weakref__")

    _pointer: CData
    # How what is made of it is owned.
    _own: Callable[[CData, CData], CData]

    def __init__(self, config: Config | None = None) -> None:
        made = NULL if config is None else built(config)
        self._own = own if config is None or config.code_memory is None else own_with_code
        self._pointer = self._own(create("inlay_engine_t *", lib.inlay_engine_new, made), lib.inlay_engine_delete)
