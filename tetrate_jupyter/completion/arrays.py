"""Describing numpy arrays: shape, dtype and the exact values; of a large one those at its edges and a summary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.completion import nested
from tetrate_jupyter.completion.cuts import USUAL, Described, Limits, shortened
from tetrate_jupyter.completion.loaded import as_numpy
from tetrate_jupyter.completion.summary import of_array
from tetrate_jupyter.completion.tables import MAX_CHARACTERS
from tetrate_jupyter.completion.values import scalar, short_repr
from tetrate_jupyter.types import Cut

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHOLE: Final = 400  # values of an array up to which it is written whole
_LINE: Final = (40, 20)  # values from the start and the end of a one-dimensional array
_EDGE: Final = 4  # values from each end of each axis of any other array
_CELL: Final = 200  # characters of a text value


def array(values: Any, name: str, limits: Limits = USUAL) -> Described:  # noqa: ANN401 - numpy is not imported here
    """Describe a numpy array, or one of `as_numpy`, in at most 6,000 characters, or `limits.room`."""
    title = f"{type(values).__name__}: shape {tuple(values.shape)}, {values.dtype}"
    values = as_numpy(values)
    room = limits.bound(MAX_CHARACTERS) - len(title) - 400
    edges = wanted = _edges(values, limits)
    while (least := 3 * math.prod(map(sum, edges))) > 2 * room:  # too many to fit, however short they are
        edges = _fewer(edges, least / room)
    while True:
        writer = _Writer(values, edges)
        if len(writer.text) <= room or max(map(sum, edges), default=0) <= 1:
            break
        edges = _fewer(edges, len(writer.text) / room)
    why = "" if edges == wanted else limits.why(0)
    cuts = [Cut(name, "values", writer.count, values.size, why)] if writer.count < values.size else []
    if writer.short:
        cuts.append(Cut(name, "values shortened", writer.short))
    lines = [title, shortened(writer.text, room), *(f"[Only part of it is here. {cut.sentence}]" for cut in cuts)]
    if writer.count < values.size and values.dtype.kind in "iuf" and not hasattr(values, "mask"):
        lines.append(of_array(values, values.size))
    return Described("\n".join(lines), tuple(cuts))


def _edges(values: Any, limits: Limits) -> list[tuple[int, int]]:  # noqa: ANN401 - as above
    """Return how many positions of each axis are written, from its start and from its end."""
    if limits.room is not None:  # a number of rows was given: so many whole rows
        first = [limits.shown(size) for size in values.shape[:1]]
        return [*first, *((size, 0) for size in values.shape[1:])]
    if values.size <= _WHOLE:
        return [(size, 0) for size in values.shape]
    if values.ndim == 1:
        return [_LINE]
    edge = _EDGE if values.ndim <= 3 else 2 if values.ndim <= 6 else 1  # or the edges alone can be millions of values
    return [(size, 0) if size <= 2 * edge else (edge, edge) for size in values.shape]


def _fewer(edges: list[tuple[int, int]], times: float) -> list[tuple[int, int]]:
    """Return the edges with the longest axis divided by about `times`, the factor by which the text is too long."""
    longest = max(range(len(edges)), key=lambda axis: sum(edges[axis]))
    total = sum(edges[longest])
    kept = max(1, min(total - 1, math.floor(total / times)))
    last = kept // 3
    return [(kept - last, last) if axis == longest else edge for axis, edge in enumerate(edges)]


class _Writer:
    """Writes the values at the edges; `count`: how many were written, `short`: how many of them were shortened."""

    def __init__(self, values: Any, edges: list[tuple[int, int]]) -> None:  # noqa: ANN401 - as above
        self.count = self.short = 0
        self._edges = edges
        self.text = "[]" if not values.size else self._axis(values, 0) if values.ndim else self._value(values[()])

    def _axis(self, values: Any, axis: int) -> str:  # noqa: ANN401 - as above
        parts = list(self._parts(values, axis))
        if values.ndim == 1:
            return f"[{', '.join(parts)}]"
        return f"[{(',' + chr(10) + ' ' * (axis + 1)).join(parts)}]"

    def _parts(self, values: Any, axis: int) -> Iterator[str]:  # noqa: ANN401 - as above
        size = len(values)
        first, last = self._edges[axis]
        is_cut = first + last < size
        numbers = (*range(first), *range(size - last, size)) if is_cut else range(size)
        for place, number in enumerate(numbers):
            if is_cut and place == first:
                yield "..."
            yield self._axis(values[number], axis + 1) if values.ndim > 1 else self._value(values[number])
        if is_cut and not last:
            yield "..."

    def _value(self, value: object) -> str:
        self.count += 1
        if type(value).__name__ == "MaskedConstant":
            return "--"
        if isinstance(value, bytes):
            value = bytes(value)  # the repr of numpy's own class has its name in it
        text = None if isinstance(value, (str, bytes)) else scalar(value)
        if text is not None:
            return text
        if nested.is_container(value) or hasattr(value, "dtype"):
            writer = nested.ValueWriter("value", _CELL, is_compact=False)
            text = writer.text(value)
            self.short += bool(writer.cuts)
            return text
        text = short_repr(str(value) if isinstance(value, str) else value, _CELL)
        self.short += text.endswith("…")
        return text
