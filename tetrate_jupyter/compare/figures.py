"""Figures of a comparison: sums by column, identical answers merged, and who leads, without ties or noise; pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.amounts import total
from tetrate_jupyter.compare.rows import is_cut, is_unpaid
from tetrate_jupyter.render.numbers import money, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tetrate_jupyter.compare.rows import Head, Row


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over several answers: their number, median, minimum and maximum."""

    count: int
    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class ColumnFigures:
    """One column over all prompts and repeats. Figures are of whole answers; `cost` is the sum of all known costs.

    `skipped`: not asked; `unpaid`: not asked, or not to the end, because of `max_cost`; `cut`: cut at the cap that
    `max_cost` set. `cached`: the kept answers among the done ones, which took no time; `cost` doesn't include them, and
    `kept_cost` is what they cost when they were asked.
    """

    head: Head
    rows: int
    done: int
    failed: int
    stopped: int
    first_token: Spread | None
    total: Spread | None
    speed: Spread | None
    tokens_out: Spread | None
    characters: Spread | None
    cost_each: Spread | None
    cost: Decimal | None
    unknown_costs: int
    skipped: int = 0
    unpaid: int = 0
    cut: int = 0
    cached: int = 0
    kept_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """An answer and the repeats that have it word for word."""

    row: Row
    repeats: tuple[int, ...]


def spread(values: Iterable[float | Decimal | None]) -> Spread | None:
    """Return number, median and range of the known values; None if there are none."""
    known = [float(v) for v in values if v is not None]
    return Spread(len(known), statistics.median(known), min(known), max(known)) if known else None


def figures(head: Head, rows: Sequence[Row]) -> ColumnFigures:
    """Return the figures of one column's rows."""
    whole = [r for r in rows if r.state == "done"]
    return ColumnFigures(
        head=head,
        rows=len(rows),
        done=len(whole),
        failed=sum(r.state == "failed" for r in rows),
        stopped=sum(r.state == "stopped" for r in rows),
        first_token=spread(r.first_token for r in whole),
        total=spread(r.total for r in whole),
        speed=spread(r.speed for r in whole),
        tokens_out=spread(r.tokens_out for r in whole),
        characters=spread(len(r.text) for r in whole),
        cost_each=spread(r.cost for r in whole),
        cost=total(r.cost for r in rows if not r.cached),
        unknown_costs=sum(r.cost is None and r.attempts > 0 and not r.cached for r in rows),
        skipped=sum(r.state == "skipped" for r in rows),
        unpaid=sum(is_unpaid(r) for r in rows),
        cut=sum(is_cut(r.finish_reason, head.allowed) for r in rows),
        cached=sum(r.cached for r in whole),
        kept_cost=total(r.cost for r in whole if r.cached),
    )


def merged(rows: Iterable[Row]) -> list[Merged]:
    """Return the distinct answers among the repeats of one prompt and column, the most frequent first."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.text.strip(), row.state, row.error, row.partial), []).append(row)
    found = [Merged(group[0], tuple(r.repeat for r in group)) for group in groups.values()]
    return sorted(found, key=lambda m: -len(m.repeats))


def agreement(rows: Iterable[Row]) -> float | None:
    """Return the share of the most frequent answer among the whole ones, without kept ones; None for fewer than two."""
    whole = [r for r in rows if r.state == "done" and not r.cached]
    return len(merged(whole)[0].repeats) / len(whole) if len(whole) > 1 else None


BADGES: Final = ("fastest", "cheapest")  # also shown beside a figure
TIE: Final = 0.05  # a lead of at most this share of the larger figure is a tie: measurements aren't more precise


def verdict(columns: Sequence[ColumnFigures]) -> list[str]:
    """Return clauses on the leaders and, if a model was asked twice, on the noise.

    There are no leaders if `max_cost` left out or cut anything; if columns failed or were stopped, the clauses say how
    many of the columns are compared.
    """
    floor = noise(columns)
    found = leaders(columns)
    lacking = sum(c.done < c.rows for c in columns)
    if found and lacking:
        found[0] = f"of the {len(columns) - lacking} columns of {len(columns)} that answered everything: {found[0]}"
    return [*found, *([floor] if floor else [])]


def leaders(columns: Sequence[ColumnFigures]) -> list[str]:
    """Return clauses on the fastest, cheapest and longest column, without ties.

    Only columns that answered everything are compared, and none if `max_cost` left out or cut anything. A lead of up to
    5 % is a tie. If a model was asked twice, its columns count as one, and a lead within the difference between them is
    a tie, too: see `noise`.
    """
    whole = _comparable(columns)
    found = [(figure, _leader(whole, figure)) for figure in _FIGURES]
    return [
        f"{figure.superlative} {leader.columns[0].head.label} ({figure.shown(leader.best)}{_of_several(leader)})"
        for figure, leader in found
        if leader is not None
    ]


def badges(columns: Sequence[ColumnFigures]) -> dict[str, list[str]]:
    """Return the badges of each column ("fastest", "cheapest"), by its id; none unless all have answered everything.

    As for `leaders`, a tie has no leader, and a model that was asked twice leads in both columns or in none.
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
    """Return a clause on how much columns of the same model differ, "" if no model was asked twice.

    Smaller differences between two models are meaningless. Columns with kept answers are left out: those aren't new.
    """
    groups = [group for group in _duplicates([c for c in columns if c.done and not c.cached]) if len(group) > 1]
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
    columns: Sequence[ColumnFigures]  # several if a model was asked twice
    best: float


def _leader(columns: Sequence[ColumnFigures], figure: _Figure) -> _Leader | None:
    groups = _duplicates(columns)
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
    if figure.shown(best) == figure.shown(second):  # a lead that nobody can see
        return None
    return _Leader(leaders, best)


def _duplicates(columns: Sequence[ColumnFigures]) -> list[list[ColumnFigures]]:
    """Return the columns in groups that ask the same model in the same way."""
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


def _of_several(leader: _Leader) -> str:
    answers = leader.columns[0].rows
    return f", the median of {answers:,} answers" if answers > 1 else ""


def _money(value: float) -> str:
    return f"≈ {money(Decimal(repr(value)))}"


_FIGURES: Final = (
    _Figure("fastest", "time", lambda c: c.total, seconds),
    _Figure("cheapest", "cost", lambda c: c.cost_each, _money),
    _Figure("longest", "length", lambda c: c.characters, lambda v: f"{v:,.0f} characters", most=True),
)
