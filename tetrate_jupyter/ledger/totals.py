"""Sums over records, by model, notebook, day or label: what isn't known is counted apart, never taken for 0; pure."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

from tetrate_jupyter.amounts import EXACT, known, total

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tetrate_jupyter.ledger.record import Brief, Record

By: TypeAlias = Literal["model", "notebook", "day", "label"]
BYS: Final[tuple[By, ...]] = ("model", "notebook", "day", "label")
PERIODS: Final = ("today", "7d", "30d", "session")
AnyRecord = TypeVar("AnyRecord", bound="Brief | Record")
NONE: Final = ""  # the name of the group of what has no notebook, or no label
_QUARTER: Final = 900  # seconds; a day begins everywhere at a multiple of it


@dataclass(frozen=True, slots=True)
class Sum:
    """Sums over requests.

    `cost`: US dollars of the requests whose cost is known, None where none's is; `unknown` have no known cost.
    `tokens_in`, `out`: tokens of those whose counts are known (`unknown_tokens` lack one); `cached_in` of the prompts.
    `first`: the median of the seconds until the first text, None where none came. `kept`: answers that came from those
    kept, for which nothing was sent; they are in nothing else.
    """

    requests: int = 0
    failed: int = 0
    tokens_in: int = 0
    out: int = 0
    cached_in: int = 0
    unknown_tokens: int = 0
    cost: Decimal | None = None
    unknown: int = 0
    first: float | None = None
    kept: int = 0


class RunningSum:
    """What a `Sum` is made of: records are looked at once, and tallies put together as often as one likes."""

    __slots__ = (
        "cached_in",
        "cost",
        "failed",
        "firsts",
        "kept",
        "out",
        "requests",
        "tokens_in",
        "uncounted",
        "unknown",
    )

    def __init__(self, records: Sequence[Brief | Record] = ()) -> None:
        sent = [each for each in records if not each.cached]
        costs = [cost for each in sent if (cost := each.cost) is not None and cost.is_finite()]
        known_in = [count for each in sent if (count := each.tokens_in) is not None]
        known_out = [count for each in sent if (count := each.out) is not None]
        self.requests, self.kept = len(sent), len(records) - len(sent)
        self.failed = len([1 for each in sent if each.outcome not in _CAME and each.error != _STOPPED])
        self.tokens_in, self.out = sum(known_in), sum(known_out)
        self.cached_in = sum([count for each in sent if (count := each.cached_in)])
        self.uncounted = len(sent) - min(len(known_in), len(known_out))
        self.cost, self.unknown = money(costs), len(sent) - len(costs)
        self.firsts = sorted([first for each in sent if (first := each.first) is not None])

    def sum(self) -> Sum:
        """Return it as it is now."""
        return Sum(
            requests=self.requests,
            failed=self.failed,
            tokens_in=self.tokens_in,
            out=self.out,
            cached_in=self.cached_in,
            unknown_tokens=self.uncounted,
            cost=self.cost,
            unknown=self.unknown,
            first=statistics.median(self.firsts) if self.firsts else None,
            kept=self.kept,
        )


def together(tallies: Iterable[RunningSum]) -> Sum:
    """Return the sum of several."""
    all_of_them, found = list(tallies), RunningSum()
    for name in ("requests", "failed", "tokens_in", "out", "cached_in", "uncounted", "unknown", "kept"):
        setattr(found, name, sum(getattr(each, name) for each in all_of_them))
    found.cost = total(each.cost for each in all_of_them)
    found.firsts = [first for each in all_of_them for first in each.firsts]  # runs in order: sorting them is quick
    return found.sum()


def money(costs: Sequence[Decimal]) -> Decimal | None:
    """Return the exact sum of known amounts, None for none."""
    if not costs:
        return None
    with localcontext(EXACT):  # a notebook may have changed decimal's precision and traps
        return known(sum(costs, Decimal(0)))


def tallies(
    records: Iterable[Brief | Record], by: By, *, hours: bool = False
) -> dict[tuple[str, str, str], RunningSum]:
    """Return tallies by (time, model, name of the group): a day ("2026-11-26") or an hour ("2026-11-26 14:00").

    A group is named by an id, a path, a day or a label; "" for what has none.
    """
    shown = "%Y-%m-%d %H:00" if hours else "%Y-%m-%d"
    times: dict[int, str] = {}
    found: dict[tuple[str, str | None, int], list[Brief | Record]] = {}
    name = _NAMES[by]
    for each in records:
        key = each.asked, name(each), int(each.t // _QUARTER)
        try:
            found[key].append(each)
        except KeyError:
            found[key] = [each]
    merged: dict[tuple[str, str, str], list[list[Brief | Record]]] = {}
    for (model, group, quarter), some in found.items():
        when = times.get(quarter)
        if when is None:
            when = times[quarter] = _local(quarter * _QUARTER, shown)
        merged.setdefault((when, model, when[:10] if by == "day" else group or NONE), []).append(some)
    return {key: RunningSum([each for some in lists for each in some]) for key, lists in merged.items()}


def _local(moment: float, form: str) -> str:
    try:
        return time.strftime(form, time.localtime(moment))
    except (ValueError, OverflowError, OSError):  # a clock out of its mind
        return "?"


def counted(records: Sequence[AnyRecord], *, sandbox: bool = False) -> list[AnyRecord]:
    """Return the records whose money counts: those of real routers.

    Where there is none, those that a sandbox answered, which nobody pays for; with `sandbox` those in any case.
    """
    real = [] if sandbox else [each for each in records if not each.simulated]
    return real or [each for each in records if each.simulated]


_STOPPED: Final = "stopped"  # by a person, before any text came: no failure
_CAME: Final = frozenset({"done", "partial", "open"})  # the last is on its way, or was when its kernel was killed
_NAMES: Final[dict[str, Callable[[Brief | Record], str | None]]] = {
    "model": lambda each: each.asked,
    "notebook": lambda each: each.notebook,
    "label": lambda each: each.label,
    "day": lambda _: None,
}


def midnight(now: float, days: int = 0) -> float:
    """Return when the day began here that was `days` ago, seconds since the epoch; minus infinity before all time."""
    there = time.localtime(now)
    try:
        return time.mktime((there.tm_year, there.tm_mon, there.tm_mday - days, 0, 0, 0, 0, 0, -1))
    except (OverflowError, ValueError):  # before what the system can count to, which is 1970 on some
        return float("-inf")


def since(period: str, now: float) -> float:
    """Return where a period begins: "today" at midnight, "7d" at that of six days before, likewise "30d"."""
    return midnight(now, {"today": 0, "7d": 6, "30d": 29}[period])
