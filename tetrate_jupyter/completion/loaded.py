"""Ask whether a value is of a library's class without importing the library."""

from __future__ import annotations

import sys
from typing import Any, TypeGuard


def is_a(value: object, module: str, name: str) -> TypeGuard[Any]:
    """Whether `value` is an instance of `module.name`. A module that nobody has imported can't have made it.

    The value itself isn't asked, as `isinstance` would ask it for its `__class__`.
    """
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and issubclass(type(value), kind)
