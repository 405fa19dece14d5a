"""Summarising columns of which not every row is sent, at a bounded cost and without running a person's code.

Numbers are summarised over every row if all columns together have at most 20 million cells, otherwise over evenly
spaced rows; other values over at most 100,000 such rows. A summary that isn't over all rows says so.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import math
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.completion.cuts import shortened
from tetrate_jupyter.completion.values import number, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.completion.sheets import SheetColumn

EXACT_CELLS: Final = 20_000_000  # cells up to which all numbers are read, in some tenths of a second
SAMPLED_CELLS: Final = 1_000_000  # other values that are read, of all columns together
SAMPLED_ROWS: Final = 100_000  # other values that are read of one column
TOP: Final = 5  # most frequent values that are named
_EXACT_SUM: Final = 100_000  # floats up to which they are summed without intermediate rounding
_MOST_DIGITS: Final = 300  # of a sum of decimals; floats end there, too
_KNOWN: Final = frozenset({int, float, dt.datetime, dt.date, dt.time, dt.timedelta, decimal.Decimal})
_NAME: Final = 40  # characters of a value or a column that is named
_LONG_NAME: Final = 160  # where those don't tell values apart
_ORDERED: Final = ("Timestamp", "Timedelta", "datetime", "date", "time", "timedelta", "Decimal", "int", "float")


def summary(columns: Sequence[SheetColumn], rows: int, limit: int) -> str:
    """Return a summary with a line per column, in at most `limit` characters; columns without room are counted."""
    lines = [f"Summary of all {rows:,} rows, those left out included:"]
    left = limit - len(lines[0]) - 40
    sampled = max(1, min(SAMPLED_ROWS, SAMPLED_CELLS // max(1, len(columns))))
    for place, column in enumerate(columns):
        try:
            found = _of_column(column, rows, len(columns), sampled)
        except Exception as error:  # noqa: BLE001 - a library's own type may refuse anything; the rows are still sent
            found = f"not summarised ({type(error).__name__})"
        line = f"- {shortened(column.label, _NAME)}: {found}"
        left -= len(line) + 1
        if left < 0:
            return "\n".join([*lines, f"- no room for {len(columns) - place:,} more columns"])
        lines.append(line)
    return "\n".join(lines)


def of_array(values: Any, count: int) -> str:  # noqa: ANN401 - a numpy array of numbers
    """Return a one-line summary of an array of numbers; NaN counts as missing."""
    steps = [1] * values.ndim
    most = EXACT_CELLS if values.flags.c_contiguous else SAMPLED_CELLS  # any other layout is copied
    while math.prod(left := [-(-size // step) for size, step in zip(values.shape, steps, strict=True)]) > most:
        steps[left.index(max(left))] *= 2
    part = values[tuple(slice(None, None, step) for step in steps)].reshape(-1)
    return f"Summary: {_numbers(part, 0)}{_sample(len(part), count, 'values')}"


def _of_column(column: SheetColumn, rows: int, width: int, sampled: int) -> str:
    step = -(-rows * width // EXACT_CELLS)
    found = column.numbers(step)
    if found is not None:
        values, missing = found
        return _numbers(values, missing) + _sample(len(values) + missing, rows)
    step = -(-rows // sampled)
    cells = column.cells(0, rows, step)
    return _others(cells) + _sample(len(cells), rows)


def _sample(looked_at: int, of: int, what: str = "rows") -> str:
    return "" if looked_at >= of else f" (counted over {looked_at:,} {what}, evenly spaced; the rest may be different)"


# --- numbers -------------------------------------------------------------------------------------------------


def _numbers(values: Any, missing: int) -> str:  # noqa: ANN401 - a numpy array
    infinite = 0
    if values.dtype.kind == "f":
        present = values[values == values]  # noqa: PLR0124 - False for NaN only
        missing, values = missing + len(values) - len(present), present
    if not len(values):
        return f"0 values, {missing:,} missing"
    least, most = scalar(values.min()), scalar(values.max())
    if values.dtype.kind == "f":
        finite = values[abs(values) < math.inf]
        infinite, values = len(values) - len(finite), finite
    parts = [f"{len(values) + infinite:,} values", f"{missing:,} missing", f"min {least}", f"max {most}"]
    if infinite:
        parts.append(f"{infinite:,} infinite, not in the mean")
    return ", ".join([*parts, *(_sums(values) if len(values) else [])])


def _sums(values: Any) -> list[str]:  # noqa: ANN401 - a numpy array without NaN and infinity
    if values.dtype.kind != "f":
        # in two halves: a sum of 64-bit integers may need more than 64 bits
        wide = values.astype("u8" if values.dtype.kind == "u" else "i8", copy=False)
        total = (int((wide >> 32).sum()) << 32) + int((wide & 0xFFFFFFFF).sum())
        mean = Fraction(total, len(values))
        sign = "" if _is_exact(mean) else "≈ "
        return [f"sum {total}", f"mean {sign}{number(_nearest(mean))}"]
    try:
        added = math.fsum(values.tolist()) if len(values) <= _EXACT_SUM else float(values.sum(dtype="f8"))
    except OverflowError:
        return []
    if not math.isfinite(added):
        return []
    return [f"sum ≈ {number(added)}", f"mean ≈ {number(added / len(values))}"]


def _nearest(exact: Fraction) -> float:
    return exact.numerator / exact.denominator


def _is_exact(mean: Fraction) -> bool:
    return Fraction(_nearest(mean)) == mean


# --- other kinds ---------------------------------------------------------------------------------------------


def _told_apart(texts: list[str]) -> list[str]:
    """Return texts in few characters, in more where they begin alike."""
    short = [shortened(text, _NAME) for text in texts]
    return short if len(set(short)) == len(texts) else [shortened(text, _LONG_NAME) for text in texts]


def _others(cells: list[object]) -> str:
    """Return a summary, with details only for types whose methods are known not to run foreign code."""
    present = [value for value in cells if not _is_missing(value)]
    parts = [f"{len(present):,} values", f"{len(cells) - len(present):,} missing"]
    kinds = {type(value).__name__ for value in present}
    if present and all(type(value) is str or _is_boolean(value) for value in present):
        counted = Counter(map(str, present))
        parts.append(f"{len(counted):,} different")
        if len(counted) < len(present):
            most = counted.most_common(TOP)
            names = _told_apart([text for text, _ in most])
            top = (f"{name!r} {count:,}" for name, (_, count) in zip(names, most, strict=True))
            return f"{', '.join(parts)}; most frequent: {', '.join(top)}"
    elif len(kinds) == 1 and next(iter(kinds)) in _ORDERED and _is_known(present[0]):
        with contextlib.suppress(TypeError, decimal.InvalidOperation):  # times with and without zone; signalling NaN
            parts += [f"min {scalar(min(present))}", f"max {scalar(max(present))}"]  # type: ignore[type-var]  # ordered
            parts += _exact_sums(present)
    return ", ".join(parts)


def _exact_sums(values: list[Any]) -> list[str]:
    """Return sum and mean of decimals, or of integers too large for numpy; [] for others, and for sums too long."""
    if not {type(value) for value in values} <= {int, decimal.Decimal}:
        return []
    total = decimal.Decimal(0)
    try:
        with decimal.localcontext(
            decimal.Context(prec=_MOST_DIGITS, traps=[decimal.Inexact, decimal.InvalidOperation])
        ):
            for value in values:
                total += value
    except decimal.DecimalException:
        return []
    if not total.is_finite() or abs(total.adjusted()) > _MOST_DIGITS:
        return []
    mean = Fraction(total) / len(values)
    sign = "" if _is_exact(mean) else "≈ "
    return [f"sum {total:f}", f"mean {sign}{number(_nearest(mean))}"]


def _is_missing(value: object) -> bool:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return type(value) is float and math.isnan(value)


def _is_boolean(value: object) -> bool:
    return type(value) is bool or (type(value).__module__ == "numpy" and type(value).__name__ in {"bool", "bool_"})


def _is_known(value: object) -> bool:
    """Whether its comparisons are Python's own or pandas'."""
    return type(value) in _KNOWN or type(value).__module__.partition(".")[0] == "pandas"
