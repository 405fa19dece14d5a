"""Ask whether a value is of a library's class without importing the library."""

from __future__ import annotations

import sys
from typing import Any, TypeGuard


def is_a(value: object, module: str, name: str) -> TypeGuard[Any]:
    """Whether `value` is an instance of `module.name`. A module that nobody has imported can't have made it."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)
