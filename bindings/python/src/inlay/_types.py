"""What modules import and export, and of what types."""

import enum
from dataclasses import dataclass
from typing import TypeAlias

from ._native import CData, ffi, lib, text


class ExternKind(enum.IntEnum):
    """What an import or an export is."""

    FUNC = lib.INLAY_EXTERN_FUNC
    TABLE = lib.INLAY_EXTERN_TABLE
    MEMORY = lib.INLAY_EXTERN_MEMORY
    GLOBAL = lib.INLAY_EXTERN_GLOBAL
    TAG = lib.INLAY_EXTERN_TAG


@dataclass(frozen=True)
class MemoryType:
    """The type of a memory."""

    #: Pages that it starts with.
    minimum: int
    #: Pages that it may grow to; None is no maximum.
    maximum: int | None = None
    #: Bytes of a page: 65,536 or 1.
    page_size: int = 65536
    #: Whether addresses are i64.
    is_64: bool = False
    #: Whether several threads may use it at once. It then has a maximum.
    is_shared: bool = False

    def _write(self) -> CData:
        return ffi.new("inlay_memory_type_t *", (self.minimum, _to_c(self.maximum), self.page_size, self.is_64, self.is_shared))


@dataclass(frozen=True)
class TableType:
    """The type of a table."""

    #: Elements that it starts with.
    minimum: int
    #: Elements that it may grow to; None is no maximum.
    maximum: int | None = None
    #: The element's type as a signature writes it, such as "r".
    element: str = "r"
    #: Whether indices are i64.
    is_64: bool = False


@dataclass(frozen=True)
class GlobalType:
    """The type of a global."""

    #: The value's type as a signature writes it, such as "i".
    content: str
    #: Whether it can be set.
    is_mutable: bool = False


#: The type of an import or an export: of a function, and of a tag, its signature.
ExternType: TypeAlias = str | MemoryType | TableType | GlobalType


@dataclass(frozen=True)
class Import:
    """What a module imports."""

    module: str
    name: str
    kind: ExternKind
    type: ExternType


@dataclass(frozen=True)
class Export:
    """What a module exports."""

    name: str
    kind: ExternKind
    type: ExternType


def _to_c(maximum: int | None) -> int:
    return int(lib.INLAY_NO_MAXIMUM) if maximum is None else maximum


def _maximum(number: int) -> int | None:
    return None if number == lib.INLAY_NO_MAXIMUM else number


def memory_type(c: CData) -> MemoryType:
    """From C."""
    return MemoryType(c.minimum, _maximum(c.maximum), c.page_size, c.is_64, c.is_shared)


def table_type(c: CData) -> TableType:
    """From C."""
    return TableType(c.minimum, _maximum(c.maximum), text(c.element_type), c.is_64)


def global_type(c: CData) -> GlobalType:
    """From C."""
    return GlobalType(text(c.content_type), c.is_mutable)


def extern_type(c: CData) -> ExternType:
    """The member of an `inlay_extern_type_t` that its kind says."""
    if c.kind == ExternKind.MEMORY:
        return memory_type(c.memory)
    if c.kind == ExternKind.TABLE:
        return table_type(c.table)
    if c.kind == ExternKind.GLOBAL:
        return global_type(getattr(c, "global"))
    return text(c.signature)
