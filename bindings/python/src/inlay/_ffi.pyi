"""The module that cffi makes of the header when a wheel is built. C's types are checked by cffi, when the program runs."""

from typing import Any

ffi: Any
