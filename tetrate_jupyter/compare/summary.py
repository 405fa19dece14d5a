"""Sums of a comparison: figures by column, identical answers merged; pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tetrate_jupyter.amounts import total
from tetrate_jupyter.compare.rows import is_cut, is_unpaid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from tetrate_jupyter.compare.rows import Head, Row


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over several answers: how many, the median, the least and the most."""

    count: int
    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class ColumnFigures:
    """One column over all prompts and repeats. Figures are of whole answers; `cost` is the sum over all known ones.

    `skipped`: not asked; `unpaid`: not asked, or not to the end, since `max_cost` would have been passed; `cut`: ended
    at the cap that `max_cost` allowed. `cached`: kept answers among the done ones: they took no time, `cost` is without
    theirs, and `kept_cost` is what they cost when they were asked.
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
    """An answer that came once or more, word for word; `repeats` says in which ones."""

    row: Row
    repeats: tuple[int, ...]


def spread(values: Iterable[float | Decimal | None]) -> Spread | None:
    """Return median and range of what is known; None where nothing is."""
    known = [float(v) for v in values if v is not None]
    return Spread(len(known), statistics.median(known), min(known), max(known)) if known else None


def figures(head: Head, rows: Sequence[Row]) -> ColumnFigures:
    """Add up one column's rows."""
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
    """Fold the repeats of one prompt and column: identical answers once, the most frequent first."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.text.strip(), row.state, row.error, row.partial), []).append(row)
    found = [Merged(group[0], tuple(r.repeat for r in group)) for group in groups.values()]
    return sorted(found, key=lambda m: -len(m.repeats))


def agreement(rows: Iterable[Row]) -> float | None:
    """Return the share of whole answers that are the most frequent one; None below two. Kept ones don't count."""
    whole = [r for r in rows if r.state == "done" and not r.cached]
    return len(merged(whole)[0].repeats) / len(whole) if len(whole) > 1 else None
