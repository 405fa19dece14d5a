"""Who leads, without crowning ties or noise; pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.render.numbers import money, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tetrate_jupyter.compare.summary import ColumnFigures, Spread

BADGES: Final = ("fastest", "cheapest")  # these words stand beside a figure, too
TIE: Final = 0.05  # a lead within this share of the best is none: clocks and token counts aren't finer than that


def verdict(columns: Sequence[ColumnFigures]) -> list[str]:
    """Return the leaders and, where a model was asked twice, what chance alone does: one clause each.

    Where `max_cost` left something out or cut it short, there are no leaders; where columns failed or were stopped, the
    others' leaders come after the number of columns that they lead.
    """
    floor = noise(columns)
    found = leaders(columns)
    lacking = sum(c.done < c.rows for c in columns)
    if found and lacking:
        found[0] = f"of the {len(columns) - lacking} columns of {len(columns)} that answered everything: {found[0]}"
    return [*found, *([floor] if floor else [])]


def leaders(columns: Sequence[ColumnFigures]) -> list[str]:
    """Return who was fastest, cheapest and longest: one clause each, none where it is a tie or nobody can be compared.

    Only columns that answered everything count, and none does where `max_cost` left out or cut short what others would
    have answered. A lead below 5 % is a tie. Where a model was asked twice, its columns
    are one contender, and a lead within the difference between them is none either: see `noise`.
    """
    whole = _comparable(columns)
    found = [(figure, _leader(whole, figure)) for figure in _FIGURES]
    return [
        f"{figure.superlative} {leader.columns[0].head.label} ({figure.shown(leader.best)})"
        for figure, leader in found
        if leader is not None
    ]


def badges(columns: Sequence[ColumnFigures]) -> dict[str, list[str]]:
    """Return what each column leads in ("fastest", "cheapest"), by its id: none unless all have answered everything.

    As for `leaders`, a tie is no lead, and a model that was asked twice leads in both columns or in none.
    """
    if any(c.done < c.rows for c in columns):
        return {}
    found: dict[str, list[str]] = {}
    for figure in _FIGURES:
        leader = _leader(_comparable(columns), figure) if figure.superlative in BADGES else None
        for column in leader.columns if leader is not None else ():
            found.setdefault(column.head.id, []).append(figure.superlative)
    return found


def _comparable(columns: Sequence[ColumnFigures]) -> list[ColumnFigures]:
    whole = [c for c in columns if c.rows and c.done == c.rows]
    return [] if len(whole) < 2 or any(c.unpaid or c.cut for c in columns) else whole


def noise(columns: Sequence[ColumnFigures]) -> str:
    """Return how far columns of the same model are apart, "" where no model was asked twice.

    Whatever differs by less between two models says nothing about them. Columns with kept answers say nothing of today.
    """
    groups = [group for group in _twins([c for c in columns if c.done and not c.cached]) if len(group) > 1]
    if not groups:
        return ""
    who = ", ".join(dict.fromkeys(group[0].head.asked for group in groups))
    found = [f"{figure.shown(gap)} of {figure.of_what}" for figure in _FIGURES if (gap := _gap(groups, figure.of))]
    return f"chance ({who} against itself): {', '.join(found) or f'below {TIE:.0%}'}"


@dataclass(frozen=True, slots=True)
class _Figure:
    superlative: str
    of_what: str
    of: Callable[[ColumnFigures], Spread | None]
    shown: Callable[[float], str]
    most: bool = False


@dataclass(frozen=True, slots=True)
class _Leader:
    columns: Sequence[ColumnFigures]  # several where a model was asked twice
    best: float


def _leader(columns: Sequence[ColumnFigures], figure: _Figure) -> _Leader | None:
    groups = _twins(columns)
    known = []
    for group in groups:
        medians = [found.median for c in group if (found := figure.of(c)) is not None]
        if len(medians) < len(group):  # an unknown figure might be the best
            return None
        known.append((statistics.fmean(medians), group))
    if len(known) < 2:
        return None
    (best, leaders), (second, _) = sorted(known, key=lambda pair: pair[0], reverse=figure.most)[:2]
    if abs(best - second) <= max(TIE * max(best, second), _gap(groups, figure.of)):
        return None
    return _Leader(leaders, best)


def _twins(columns: Sequence[ColumnFigures]) -> list[list[ColumnFigures]]:
    """Put columns together that ask the same model in the same way."""
    groups: dict[str, list[ColumnFigures]] = {}
    for column in columns:
        head = column.head
        groups.setdefault(repr((head.model or head.asked, head.params, head.history)), []).append(column)
    return list(groups.values())


def _gap(groups: Sequence[Sequence[ColumnFigures]], of: Callable[[ColumnFigures], Spread | None]) -> float:
    gaps = []
    for group in groups:
        medians = [found.median for column in group if (found := of(column)) is not None]
        gap = max(medians, default=0.0) - min(medians, default=0.0)
        gaps.append(gap if gap > TIE * max(medians, default=0.0) else 0.0)
    return max(gaps, default=0.0)


def _money(value: float) -> str:
    return f"≈ {money(Decimal(repr(value)))}"


_FIGURES: Final = (
    _Figure("fastest", "time", lambda c: c.total, seconds),
    _Figure("cheapest", "cost", lambda c: c.cost_each, _money),
    _Figure("longest", "length", lambda c: c.characters, lambda v: f"{v:,.0f} characters", most=True),
)
