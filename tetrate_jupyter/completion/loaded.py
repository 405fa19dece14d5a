"""Checking whether a value is of a library's class without importing the library."""

from __future__ import annotations

import sys
from typing import Any, TypeGuard


def is_a(value: object, module: str, name: str) -> TypeGuard[Any]:
    """Whether `value` is an instance of `module.name`; False where the module isn't imported.

    Unlike `isinstance`, this doesn't read the value's `__class__`, which may run code.
    """
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and issubclass(type(value), kind)
