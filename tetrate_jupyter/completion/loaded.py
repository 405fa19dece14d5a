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


def is_array(value: object) -> bool:
    """Whether a value is one of numpy's arrays, or one that `as_numpy` makes one of."""
    return is_a(value, "numpy", "ndarray") or ("numpy" in sys.modules and is_a(value, "torch", "Tensor"))


def as_numpy(value: Any) -> Any:  # noqa: ANN401 - whatever it is, it is returned where it is no other array
    """Return numpy's plain array of a tensor, whose repr is rounded, and of a matrix, whose rows are matrices again."""
    if not is_array(value):
        return value
    if is_a(value, "torch", "Tensor"):
        value = value.detach().cpu().to_dense()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value  # numpy has none; this rounds nothing
        return value.numpy()
    return sys.modules["numpy"].asarray(value) if is_a(value, "numpy", "matrix") else value
