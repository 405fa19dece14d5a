"""Figures of columns, exactly: groups, the highest and lowest, correlation, a trend, outliers."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from tetrate_jupyter.sandbox.replies.prompt_tables import number

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.replies.prompt_tables import PromptColumn

_QUARTILE = Fraction(1, 4)
_FENCE = Fraction(3, 2)  # interquartile ranges from a quartile to where outliers begin


class Ranked(NamedTuple):
    """A name with its figure, and of how many rows that is."""

    name: str
    value: Fraction
    rows: int


def figure(value: Fraction) -> str:
    """Return a number as a person writes it: whole, or with six decimals or, where it is small, six digits."""
    if value.denominator == 1 and abs(value) < 10**15:
        return str(value.numerator)
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    if Decimal("0.001") <= abs(exact) < 10**15:
        return f"{exact:.6f}".rstrip("0").rstrip(".")
    return f"{exact:.6g}".lower()


def statistic(numbers: list[Fraction], what: str) -> Fraction:
    """Return the mean, median, sum, min, max or count of numbers, of which there is at least one."""
    if what == "count":
        return Fraction(len(numbers))
    if what in {"sum", "mean"}:
        return sum(numbers, Fraction(0)) / (len(numbers) if what == "mean" else 1)
    if what == "median":
        return quantile(sorted(numbers), Fraction(1, 2))
    return max(numbers) if what == "max" else min(numbers)


def quantile(ordered: list[Fraction], share: Fraction) -> Fraction:
    """Return a quantile of ordered numbers, between two of them where it falls between."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def by_group(measure: PromptColumn, by: PromptColumn, what: str, *, lowest_first: bool) -> list[Ranked]:
    """Return a figure for each value of a column, in order; rows without a value or a number are left out."""
    groups: dict[str, list[Fraction]] = {}
    for cell, name in zip(measure.cells, by.cells, strict=True):
        found = number(cell)
        if found is not None and name not in by.missing:
            groups.setdefault(name, []).append(found)
    ranked = [Ranked(name, statistic(numbers, what), len(numbers)) for name, numbers in groups.items()]
    return sorted(ranked, key=lambda each: each.value, reverse=not lowest_first)


def by_count(by: PromptColumn, *, lowest_first: bool) -> list[Ranked]:
    """Return how many rows have each value of a column, in order."""
    ranked = [Ranked(name, Fraction(count), count) for name, count in Counter(by.present).items()]
    return sorted(ranked, key=lambda each: each.value, reverse=not lowest_first)


def by_row(measure: PromptColumn, by: PromptColumn | None, *, lowest_first: bool) -> list[Ranked]:
    """Return the rows in the order of a column, by their number where no other column names them."""
    ranked = [
        Ranked(by.cells[row] if by else str(row + 1), found, 1)
        for row, cell in enumerate(measure.cells)
        if (found := number(cell)) is not None
    ]
    return sorted(ranked, key=lambda each: each.value, reverse=not lowest_first)


def first_ones(ranked: list[Ranked]) -> list[str]:
    """Return the names that share the first place, each once."""
    return list(dict.fromkeys(each.name for each in ranked if each.value == ranked[0].value))


def correlation(one: PromptColumn, two: PromptColumn) -> tuple[Decimal, int] | None:
    """Return Pearson's correlation and the number of rows that have both; None where a column never changes."""
    pairs = [(number(a), number(b)) for a, b in zip(one.cells, two.cells, strict=True)]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    if len(both) < 2:
        return None
    xs, ys = [a for a, _ in both], [b for _, b in both]
    x, y = statistic(xs, "mean"), statistic(ys, "mean")
    shared = sum((a - x) * (b - y) for a, b in both)
    spread = sum((a - x) ** 2 for a in xs) * sum((b - y) ** 2 for b in ys)
    if not spread:
        return None
    squared = Fraction(shared * shared) / spread
    root = (Decimal(squared.numerator) / Decimal(squared.denominator)).sqrt()
    return (root if shared >= 0 else -root), len(both)


def slope(numbers: list[Fraction]) -> Fraction:
    """Return by how much a straight line through two or more numbers changes from one to the next."""
    middle, mean = Fraction(len(numbers) - 1, 2), statistic(numbers, "mean")
    above = sum(((n - middle) * (value - mean) for n, value in enumerate(numbers)), Fraction(0))
    return above / sum((n - middle) ** 2 for n in range(len(numbers)))


def fences(numbers: list[Fraction]) -> tuple[Fraction, Fraction]:
    """Return the bounds outside of which a number is an outlier."""
    ordered = sorted(numbers)
    low, high = quantile(ordered, _QUARTILE), quantile(ordered, 1 - _QUARTILE)
    return low - _FENCE * (high - low), high + _FENCE * (high - low)
