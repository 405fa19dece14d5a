"""The notebook's variables that can be put into a prompt, with a word on what each is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter.completion.images import is_image
from tetrate_jupyter.completion.lookup import is_variable
from tetrate_jupyter.render.plain import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 200  # a menu beyond this is not read; any name can be typed
# Whose shape is at hand: others may have to ask a cluster for it, or to wait for their own thread.
_AT_HAND: Final = frozenset(
    {"numpy", "pandas", "polars", "geopandas", "scipy", "torch", "tensorflow", "jax", "jaxlib", "xarray"}
)
_SHELL: Final = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython", "session"})


def attachable(namespace: Mapping[str, object], begun: str = "", most: int = MOST) -> list[list[str]]:
    """Return [name, what it is] of each variable, newest first: "DataFrame, 4 x 2", "image", "str, 120 characters".

    Of at most `most`, whose names begin with `begun`.
    """
    found = [
        name
        for name, value in namespace.items()
        if name.startswith(begun) and not name.startswith("_") and name not in _SHELL and is_variable(value)
    ]
    return [[name, one_line(_kind(namespace[name]))] for name in found[::-1][:most]]


def _kind(value: object) -> str:
    try:
        return _described(value)
    except Exception:  # noqa: BLE001 - of a foreign object: whatever it raises, the name can be offered
        return type(value).__name__


def _described(value: object) -> str:
    name = type(value).__name__
    if is_image(value):
        return "image"
    at_hand = type(value).__module__.partition(".")[0] in _AT_HAND
    shape = getattr(value, "shape", None) if at_hand else None
    if isinstance(shape, tuple) and all(isinstance(n, int) for n in shape):
        return f"{name}, {' x '.join(map(str, shape))}" if shape else name
    if isinstance(value, str):
        return f"{name}, {len(value):,} characters"
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        return f"{name} of {len(value):,}"
    return name
