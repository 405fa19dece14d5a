"""What was spent, as a person reads it: sums, a picture of the days by model, a table; for page and terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from tetrate_jupyter import secrecy
from tetrate_jupyter.amounts import total
from tetrate_jupyter.characters import one_line
from tetrate_jupyter.ledger.totals import counted, tallies, together
from tetrate_jupyter.render.answer import SIMULATED, line_html, with_chip
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.numbers import UNKNOWN, money, seconds, tokens
from tetrate_jupyter.render.style import BOUNDED, ROOT_CLASSES, styled
from tetrate_jupyter.render.table import Table, TableColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tetrate_jupyter.ledger.record import Brief, Record
    from tetrate_jupyter.ledger.totals import By, RunningSum, Sum

WORDS: Final = {"today": "today", "7d": "in 7 days", "30d": "in 30 days", "session": "in this kernel"}
MOST_ROWS: Final = 200  # groups that are shown; the files have all
_MODELS: Final = 5  # that have a colour of their own in the picture
_TIMES: Final = 31  # rows of the picture
_OTHERS: Final = "others"
# In the middle of light and dark, so that they stand out on both; each has its model's name beside it.
_COLOURS: Final = ("#c0602f", "#2e8b70", "#4a7be0", "#b58a2c", "#9a63c4", "#8a8a8a")
_MARKS: Final = "█▓▒░▚·"
_CELL: Final = "display:inline-block;height:.8em;vertical-align:middle;background-color:"
_WIDE: Final = 32  # characters of the longest bar of a terminal
_NAMED: Final = {"model": "model", "notebook": "notebook", "day": "day", "label": "label"}
_WITHOUT: Final = {"notebook": "(no notebook)", "label": "(no label)"}


@dataclass(frozen=True)
class Report:
    """What was spent in a period. Shows itself as a table with a picture.

    `groups`: sums by name, the dearest first (days in their order); `total` over all. `days`: what is known `of` costs
    or tokens (sent and answered), by time of the picture (a day, or an hour of today) and model. `bill`: the address of
    the page that has the bill, or "".
    """

    period: str
    by: By
    total: Sum
    groups: tuple[tuple[str, Sum], ...]
    days: tuple[tuple[str, Mapping[str, Decimal]], ...]
    models: tuple[str, ...]
    notes: tuple[str, ...] = ()
    bill: str = ""
    simulated: bool = False
    of: Literal["cost", "tokens"] = "cost"

    @property
    def headline(self) -> str:
        """The sum in one line."""
        sums = self.total
        if not sums.requests:
            return f"Nothing was asked {WORDS[self.period]}."
        cost = f"≈ {money(sums.cost)}" if sums.cost is not None else "cost unknown"
        unknown = (
            f" + {_count(sums.unknown, 'request')} of unknown cost" if sums.unknown and sums.cost is not None else ""
        )
        parts = [
            f"Spent {WORDS[self.period]}: {cost}{unknown}",
            _count(sums.requests, "request") + (f", {sums.failed:,} failed" if sums.failed else ""),
            f"{tokens(sums.tokens_in)} → {tokens(sums.out)} tokens",
        ]
        if sums.first is not None:
            parts.append(f"first word after {seconds(sums.first)} (median)")
        if sums.kept:
            parts.append(f"{_count(sums.kept, 'answer')} kept, not paid for again")
        return " · ".join(parts)

    @property
    def table(self) -> Table:
        """The groups; without a column that has nothing in any of them."""
        columns = [
            TableColumn(_NAMED[self.by], code=self.by == "model", cut=True),
            TableColumn("requests", align="right"),
            TableColumn("failed", align="right", optional=True, minor=True),
            TableColumn("sent", align="right", hint="tokens of the prompts", minor=True),
            TableColumn(
                "cached", align="right", hint="tokens of the prompts that came from a cache", optional=True, minor=True
            ),
            TableColumn("answered", align="right", hint="tokens of the answers", minor=True),
            TableColumn(
                "first word",
                align="right",
                hint="median of the seconds until the first text",
                optional=True,
                minor=True,
            ),
            TableColumn("cost", align="right", hint="estimated at the prices of the day"),
        ]
        rows = [_row(self._name(name), sums) for name, sums in self.groups[:MOST_ROWS]]
        said = [n for n, column in enumerate(columns) if not column.optional or any(row[n] for row in rows)]
        return Table([columns[n] for n in said], [[row[n] for n in said] for row in rows])

    def _name(self, name: str) -> str:
        if not name:
            return _WITHOUT.get(self.by, "?")
        return name.replace("\\", "/").rsplit("/", 1)[-1] if self.by == "notebook" else name

    def _chip(self) -> tuple[str, ...]:
        return (SIMULATED,) if self.simulated else ()

    @property
    def _beside(self) -> list[str]:
        more = len(self.groups) - MOST_ROWS
        left = (
            [f"{more:,} more are in the files (--csv, --json, --parquet) and in session.usage()."] if more > 0 else []
        )
        return [*left, *self.notes]

    def html(self) -> str:
        """Return the report for a page."""
        spent, _, facts = self.headline.partition(" · ")
        head = [
            f'<div class="{ROOT_CLASSES} tetrate-usage" {BOUNDED}>',
            f'<p class="tetrate-caption" dir="auto"><strong class="tetrate-spent">{escape(spent)}</strong>',
            f" {line_html(facts, self._chip())}</p>",
        ]
        if self.groups:
            head += [self._picture(), self.table.markup]
        head += [f'<p class="tetrate-notice" dir="auto">{escape(note)}</p>' for note in self._beside]
        link = f' <a href="{escape(self.bill)}">Your bill is on the dashboard</a>.' if self.bill else ""
        head.append(f'<p class="tetrate-footer">{escape(COUNTED)}{link}</p></div>')
        return secrecy.redact(styled("".join(head)), secrecy.HTML_MARK)

    def plain(self) -> str:
        """Return the report for a terminal."""
        parts = [one_line(with_chip(self.headline, self._chip()))]
        if self.groups:
            parts += [self._bars(), self.table.plain()]
        link = f" Your bill: {self.bill}" if self.bill else ""
        parts.append("\n".join([*(one_line(note) for note in self._beside), one_line(f"{COUNTED}{link}")]))
        return secrecy.redact("\n\n".join(filter(None, parts)))

    def __repr__(self) -> str:
        return self.plain()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.plain()}

    @property
    def _most(self) -> Decimal:
        return max((total(day.values()) or Decimal(0) for _, day in self.days), default=Decimal(0))

    def _figure(self, day: Mapping[str, Decimal]) -> str:
        amount = total(day.values())
        if amount is None:
            return UNKNOWN
        return money(amount) if self.of == "cost" else f"{tokens(int(amount))} tokens"

    def _picture(self) -> str:
        if not self._most:
            return ""
        legend = " ".join(
            f'<span style="white-space:nowrap"><span style="{_CELL}{colour};width:.8em"></span> {escape(model)}</span>'
            for model, colour in zip(self.models, _COLOURS, strict=False)
        )
        rows = "".join(self._picture_row(when, day) for when, day in self.days)
        return (
            f'<p class="tetrate-caption" dir="auto">{legend}</p>'
            f'<table class="tetrate-days" style="width:100%"><tbody>{rows}</tbody></table>'
        )

    def _picture_row(self, when: str, day: Mapping[str, Decimal]) -> str:
        parts = "".join(
            f'<span style="{_CELL}{colour};width:{100 * float(day[model] / self._most):.2f}%"></span>'
            for model, colour in zip(self.models, _COLOURS, strict=False)
            if day.get(model)
        )
        return (
            f'<tr><td style="text-align:left;white-space:nowrap">{escape(when)}</td>'
            f'<td style="text-align:left;width:75%;white-space:nowrap" aria-hidden="true">{parts}</td>'
            f'<td style="text-align:right;white-space:nowrap">{escape(self._figure(day))}</td></tr>'
        )

    def _bars(self) -> str:
        if not self._most:
            return ""
        legend = "  ".join(f"{mark} {one_line(model)}" for model, mark in zip(self.models, _MARKS, strict=False))
        wide = max(len(when) for when, _ in self.days)
        lines = []
        for when, day in self.days:
            bar = "".join(
                mark * max(1, round(_WIDE * float(day[model] / self._most)))
                for model, mark in zip(self.models, _MARKS, strict=False)
                if day.get(model)
            )
            lines.append(f"{when:<{wide}}  {bar} {self._figure(day)}")
        return "\n".join([legend, *lines])


COUNTED: Final = "Counted where you asked, estimated at the prices of the day."


def report(
    records: Sequence[Brief | Record],
    period: str,
    by: By,
    *,
    sandbox: bool = False,
    in_tokens: bool = False,
    notes: Sequence[str] = (),
    bill: str = "",
) -> Report:
    """Make the report; `sandbox` as for `totals.counted`, `notes` and `bill` as in `Report`.

    The picture is of tokens where `in_tokens`, and where there are no costs to show.
    """
    found, played = counted(records, sandbox=sandbox), sum(each.simulated for each in records)
    is_play = bool(found) and found[0].simulated
    left_out = f"{_count(played, 'request')} to the sandbox not counted: --sandbox shows them."
    found_tallies = tallies(found, by, hours=period in {"today", "session"})
    by_name: dict[str, list[RunningSum]] = {}
    for (_, _, name), tally in found_tallies.items():
        by_name.setdefault(name, []).append(tally)
    groups = [(name, together(each)) for name, each in by_name.items()]
    if by == "day":
        groups.sort(key=lambda each: each[0])
    else:
        groups.sort(key=lambda each: (-(each[1].cost or 0), -each[1].requests))
    sums = together(found_tallies.values())
    of: Literal["cost", "tokens"] = "tokens" if in_tokens or not sums.cost else "cost"
    uncounted = f"The picture is without the unknown tokens of {_count(sums.unknown_tokens, 'request')}."
    days, models = _over_time(found_tallies, period, _cost if of == "cost" else _tokens)
    said = [
        *notes,
        *([uncounted] if of == "tokens" and sums.unknown_tokens and models else []),
        *([left_out] if played and not is_play else []),
    ]
    return Report(period, by, sums, tuple(groups), days, models, tuple(said), bill, is_play, of)


def _cost(tally: RunningSum) -> Decimal | None:
    return tally.cost if tally.requests else Decimal(0)  # kept answers cost nothing


def _tokens(tally: RunningSum) -> Decimal | None:
    count = tally.tokens_in + tally.out
    return Decimal(count) if count or not tally.uncounted else None


def _over_time(
    found: Mapping[tuple[str, str, str], RunningSum], period: str, amount: Callable[[RunningSum], Decimal | None]
) -> tuple[tuple[tuple[str, Mapping[str, Decimal]], ...], tuple[str, ...]]:
    """Return amounts by time and model, and the models: those with the most, then all others as one."""
    by_model: dict[str, Decimal] = {}
    for (_, model, _), tally in found.items():
        by_model[model] = total((by_model.get(model), amount(tally))) or Decimal(0)
    dear = sorted((m for m in by_model if by_model[m]), key=lambda model: -by_model[model])
    models = [*dear[:_MODELS], *([_OTHERS] if len(dear) > _MODELS else [])]
    times: dict[str, dict[str, Decimal]] = {}
    for (when, model, _), tally in found.items():
        parts, name = times.setdefault(when, {}), model if model in models else _OTHERS
        if (sums := total((parts.get(name), amount(tally)))) is not None:
            parts[name] = sums
    last = sorted(times.items())[-_TIMES:]
    return tuple((_time(when, period), parts) for when, parts in last), tuple(models)


def _time(when: str, period: str) -> str:
    if period == "session":
        return when
    return when[11:] if period == "today" else _weekday(when)


def _weekday(day: str) -> str:
    try:
        return time.strftime("%a %d %b", time.strptime(day, "%Y-%m-%d"))
    except ValueError:
        return day


def _row(name: str, sums: Sum) -> list[str]:
    cost = money(sums.cost) if sums.cost is not None else "unknown"
    if sums.cost is not None and sums.unknown:
        cost += f" + {sums.unknown:,} unknown"
    return [
        name,
        f"{sums.requests:,}",
        f"{sums.failed:,}" if sums.failed else "",
        tokens(sums.tokens_in),
        tokens(sums.cached_in) if sums.cached_in else "",
        tokens(sums.out),
        seconds(sums.first) if sums.first is not None else "",
        cost if sums.requests else "",
    ]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
