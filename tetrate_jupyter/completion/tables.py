"""Describe pandas tables and numpy arrays in bounded text, at a cost that doesn't grow with their size."""

from __future__ import annotations

import reprlib
from typing import Any, Final

MAX_CHARACTERS: Final = 6_000  # about 1,700 tokens: enough to reason about, little enough to send without thinking
MAX_COLUMNS: Final = 20
ALL_ROWS: Final = 30  # a table of at most so many rows is shown whole
HEAD_ROWS: Final = 10
TAIL_ROWS: Final = 5
_CELL: Final = 60  # characters of one cell

_CELLS = reprlib.Repr()
_CELLS.maxstring = _CELLS.maxother = _CELLS.maxlong = _CELL


def frame(table: Any) -> str:  # noqa: ANN401 - pandas is not imported here
    """Describe a DataFrame: shape, column types, and its first and last rows as a Markdown table."""
    rows, columns = table.shape
    shown = min(columns, MAX_COLUMNS)
    head = f"DataFrame: {rows:,} rows, {columns:,} columns"
    names = [_label(name) for name in table.columns[:shown]]
    # dtypes of the whole table are made column by column; those of the part shown are enough.
    part = table.iloc[:, :shown]
    kinds = ", ".join(f"{name}: {kind}" for name, kind in zip(names, part.dtypes, strict=True))
    if columns > shown:
        kinds += f" … and {columns - shown:,} more columns"
    return _fitted(f"{head}\n{kinds}", part, names, rows)


def series(values: Any) -> str:  # noqa: ANN401 - as above
    """Describe a Series: length, type, and its first and last values as a Markdown table."""
    name = _label(values.name) if values.name is not None else "values"
    title = f"Series {name}: {len(values):,} values, {values.dtype}"
    return _fitted(title, values.to_frame(), [name], len(values), always_index=True)


def index(values: Any) -> str:  # noqa: ANN401 - as above
    """Describe an Index: length, type, and its first and last labels."""
    count = len(values)
    title = f"Index: {count:,} labels, {values.dtype}"
    if count <= 100:
        return cut(f"{title}\n" + ", ".join(_label(v) for v in values))
    first, last = (", ".join(_label(v) for v in part) for part in (values[:50], values[-10:]))
    return cut(f"{title}\n{first}, …, {last}")


def array(values: Any) -> str:  # noqa: ANN401 - numpy is not imported here
    """Describe a numpy array: shape, type, and its values, of a large one those at the edges."""
    title = f"{type(values).__name__}: shape {values.shape}, {values.dtype}"
    try:
        return cut(f"{title}\n{_values(values)}")
    except Exception as error:  # noqa: BLE001 - an array may hold any object, whose repr may raise anything
        return f"{title}\n[its values can't be shown: {type(error).__name__}]"


def _values(values: Any) -> str:  # noqa: ANN401 - as above
    import numpy as np

    if values.size > 1_000 and values.ndim > 3:  # its edges alone can be millions of values
        return f"first values: {np.array2string(values.flat[:50], separator=', ')}"
    if type(values) is not np.ndarray:  # masked arrays and other kinds know best how they are shown
        with np.printoptions(threshold=400, edgeitems=4, linewidth=110):
            return str(values)
    return np.array2string(values, threshold=400, edgeitems=4, max_line_width=110, separator=", ")


def _fitted(head: str, part: Any, names: list[str], rows: int, *, always_index: bool = False) -> str:  # noqa: ANN401 - a DataFrame
    """Add as many rows as fit: fewer where the cells are long."""
    head = cut(head, MAX_CHARACTERS // 3)
    first, last = (rows, 0) if rows <= ALL_ROWS else (HEAD_ROWS, TAIL_ROWS)
    with_index = always_index or not _counts_from_zero(part.index)
    while True:
        text = f"{head}\n\n{_markdown(part, names, first, last, with_index=with_index)}"
        left_out = rows - first - last
        if left_out:
            text += (
                f"\n[{left_out:,} rows between are left out]" if last else f"\n[{left_out:,} more rows are left out]"
            )
        if len(text) <= MAX_CHARACTERS or first + last <= 1:
            return cut(text)
        first, last = max(1, first // 2), last // 2


def _markdown(part: Any, names: list[str], first: int, last: int, *, with_index: bool) -> str:  # noqa: ANN401 - as above
    lines = [names, ["---"] * len(names)]
    edges = [part.iloc[:first]] + ([part.iloc[-last:]] if last else [])
    labels: list[str] = ["index", "---"]
    for at, edge in enumerate(edges):
        if at:
            lines.append(["…"] * len(names))
            labels.append("…")
        columns = [[_cell(v) for v in edge.iloc[:, n]] for n in range(len(names))]
        lines.extend([column[row] for column in columns] for row in range(len(edge)))
        labels.extend(_cell(v) for v in edge.index)
    if with_index:
        lines = [[label, *line] for label, line in zip(labels, lines, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _counts_from_zero(labels: Any) -> bool:  # noqa: ANN401 - a pandas Index
    return type(labels).__name__ == "RangeIndex" and labels.start == 0 and labels.step == 1


def _label(value: object) -> str:
    return _cell(" / ".join(str(v) for v in value) if isinstance(value, tuple) else value)


def _cell(value: object) -> str:
    """Give one cell's text: short, on one line, without the character that ends a cell."""
    if isinstance(value, float):
        text = f"{value:.10g}"
    elif isinstance(value, str):
        text = value
    else:
        try:
            text = _CELLS.repr(value) if isinstance(value, (list, tuple, dict, set, bytes, int)) else str(value)
        except Exception as error:  # noqa: BLE001 - a cell may hold any object, whose __str__ may raise anything
            text = f"<{type(value).__name__}: {type(error).__name__}>"
    short = text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"
    return short.replace("\\", "\\\\").replace("|", "\\|").replace("\r", " ").replace("\n", " ")


def cut(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Keep the first `limit` characters, and say so where that isn't all."""
    return text if len(text) <= limit else f"{text[: limit - 40]}\n[cut here: {len(text):,} characters]"
