"""Inlay: compiles WebAssembly and runs it inside memory that the host program owns."""

from ._code_memory import CodeMemory
from ._config import Config, FloatOps, Nans, Relaxed
from ._engine import Engine
from ._errors import (
    ArgumentError,
    CodeMemoryError,
    Error,
    ErrorKind,
    Frame,
    HostError,
    InternalError,
    InvalidImageError,
    InvalidModuleError,
    LimitError,
    LinearMemoryError,
    LinkError,
    OutOfMemoryError,
    Trap,
    TrapCode,
    UnsupportedError,
    WasmException,
)
from ._func import Func, is_func
from ._global import Global
from ._host import Caller, host_func
from ._instance import Extern, Instance
from ._interrupter import Interrupter
from ._linker import Linker
from ._memory import Memory, SharedMemory
from ._module import Module
from ._native import version as __version__
from ._store import Store
from ._table import Table
from ._tag import Tag
from ._types import Export, ExternKind, ExternType, GlobalType, Import, MemoryType, TableType
from ._values import ExnRef

__all__ = [
    "ArgumentError",
    "Caller",
    "CodeMemory",
    "CodeMemoryError",
    "Config",
    "Engine",
    "Error",
    "ErrorKind",
    "ExnRef",
    "Export",
    "Extern",
    "ExternKind",
    "ExternType",
    "FloatOps",
    "Frame",
    "Func",
    "Global",
    "GlobalType",
    "HostError",
    "Import",
    "Instance",
    "InternalError",
    "Interrupter",
    "InvalidImageError",
    "InvalidModuleError",
    "LimitError",
    "LinearMemoryError",
    "LinkError",
    "Linker",
    "Memory",
    "MemoryType",
    "Module",
    "Nans",
    "OutOfMemoryError",
    "Relaxed",
    "SharedMemory",
    "Store",
    "Table",
    "TableType",
    "Tag",
    "Trap",
    "TrapCode",
    "UnsupportedError",
    "WasmException",
    "__version__",
    "host_func",
    "is_func",
]
