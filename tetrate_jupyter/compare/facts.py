"""The figures of a comparison as sentences and as a table, for pages and terminals; pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.compare.cells import VOTES
from tetrate_jupyter.compare.rows import is_unpaid
from tetrate_jupyter.compare.votes import MARKS
from tetrate_jupyter.completion.answer import beside_error
from tetrate_jupyter.ledger.budget import stated
from tetrate_jupyter.render.answer import SIMULATED, beside_chip
from tetrate_jupyter.render.numbers import money, seconds
from tetrate_jupyter.render.table import Table, TableColumn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from tetrate_jupyter.compare.data import ResultData
    from tetrate_jupyter.compare.figures import ColumnFigures, Merged, Spread
    from tetrate_jupyter.compare.rows import Row

_COLUMNS: Final = (
    TableColumn("model", code=True),
    TableColumn("state"),
    TableColumn("first token", align="right", hint="seconds until the first text, median"),
    TableColumn("total", align="right", hint="seconds in all, median"),
    TableColumn("tokens/s", align="right", hint="while it was writing, waiting left out, median", optional=True),
    TableColumn("tokens", align="right", hint="tokens of an answer, median"),
    TableColumn("cost", align="right", hint="estimated from the router's prices; the dashboard has the bill"),
)
_VOTE: Final = TableColumn("vote", align="right", hint="★ best, ▲ good, ▼ poor", optional=True)

_SAID: Final = {"skipped": "not asked"}


def headline(result: ResultData, *, timed: bool = True) -> str:
    """Return the heading line: the counts, how they ended, the time where it is `timed`, the cost and its estimate."""
    facts, rows = result.facts, result.rows
    parts = [_count(len(result.heads), "column")]
    if len(facts.prompts) > 1:
        parts.append(_count(len(facts.prompts), "prompt"))
    if facts.repeats > 1:
        parts.append(_count(facts.repeats, "repeat"))
    states = Counter(r.state for r in rows)
    ended = [f"{count:,} {_SAID.get(state, state)}" for state, count in states.items() if state != "done"]
    parts.append(", ".join([f"{states['done']:,} of {len(rows):,} done", *ended]))
    cached = sum(row.cached for row in rows)
    if cached:
        parts.append(f"{cached:,} kept, not asked now")
    if result.is_blind:
        return " · ".join([*parts, f"names hidden, in the order of seed {facts.seed}"])
    if timed:
        parts.append(seconds(facts.seconds))
    parts.append(_cost(result))
    return " · ".join(parts)


def provenance(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return `SIMULATED` if the sandbox wrote any of the answers, to be shown once, above all of them; else ()."""
    return (SIMULATED,) if any(SIMULATED in row.notices for row in rows) else ()


def _cost(result: ResultData) -> str:
    facts = result.facts
    if result.rows and all(row.cached for row in result.rows):
        return f"≈ {money(facts.spent)} now"  # no estimate, since there are no prices without the list
    unknown = f", {facts.unknown_costs:,} of unknown cost" if facts.unknown_costs else ""
    if facts.worst is None:
        return "cost unknown" if facts.unknown_costs else f"≈ {money(facts.spent)}"
    return f"≈ {money(facts.spent)}{unknown} (estimated ≈ {money(facts.expected)}, at most ≈ {money(facts.worst)})"


def shortfall(columns: Sequence[ColumnFigures], result: ResultData) -> list[str]:
    """Return sentences on what `max_cost` left out or cut, with next steps; they are shown above everything else."""
    found = []
    unpaid = [c for c in columns if c.unpaid]
    if unpaid:
        who = ", ".join(f"{c.head.label} ({c.unpaid:,} of {c.rows:,})" for c in unpaid)
        reasons = {r.message: r.next_step for r in result.rows if is_unpaid(r) and r.message}
        latest = list(reasons.items())[-2:]  # their figures are the newest
        why = " ".join(f"{_reason(message)} Next: {step}." for message, step in latest)
        ended = "Not asked" if all(c.skipped == c.unpaid for c in unpaid) else "Not asked, or not to the end"
        found.append(f"{ended}: {who}. {why}".strip())
    cut = [c for c in columns if c.cut]
    if cut and not result.is_blind:
        who = ", ".join(f"{c.head.label} ({c.cut:,} of {c.rows:,})" for c in cut)
        found.append(
            f"Cut at {cut[0].head.allowed:,} tokens, the cap that max_cost {stated(result.facts.max_cost)} allows: "
            f"{who}. "
            "Next: allow more (max_cost), ask for shorter answers, or give fewer prompts, models or repeats."
        )
    return found


def _reason(message: str) -> str:
    said = message.removeprefix("Not asked: ")
    return f"{said[:1].upper()}{said[1:]}"


def table(columns: Sequence[ColumnFigures], result: ResultData) -> Table:
    """Return the table of figures, with one row per column."""
    if result.is_blind:
        return Table(_COLUMNS[:2], [[c.head.label, _state(c, several=c.rows > 1)] for c in columns])
    several = len(result.facts.prompts) * result.facts.repeats > 1
    votes: dict[str, Counter[str]] = {c.head.id: Counter() for c in columns}
    for row in result.rows:
        if row.vote:
            votes[row.column][row.vote] += 1
    rows = [_row(c, several=several) for c in columns]
    if not any(votes.values()):
        return Table(_COLUMNS, rows)
    marks = [votes_of(votes[c.head.id], several=several) for c in columns]
    return Table((*_COLUMNS, _VOTE), [[*row, mark] for row, mark in zip(rows, marks, strict=True)])


def votes_of(given: Mapping[str, int], *, several: bool) -> str:
    """Return a column's votes: "★", or "3 ★ 1 ▼" with several answers; "" for none."""
    return " ".join(f"{given[v]:,} {MARKS[v]}" if several else MARKS[v] for v in VOTES if given.get(v))


def _row(column: ColumnFigures, *, several: bool) -> list[object]:
    return [
        column.head.label,
        _state(column, several=several),
        _seconds(column.first_token),
        _seconds(column.total),
        f"{column.speed.median:,.0f}" if column.speed else "",
        f"{column.tokens_out.median:,.0f}" if column.tokens_out else "",
        _money(column),
    ]


def _state(column: ColumnFigures, *, several: bool) -> str:
    if column.cached == column.rows:
        return f"{column.cached:,} cached" if several else "cached"
    if column.done == column.rows and not column.cached:
        return f"{column.done:,} done" if several else "done"
    counts = [
        ("done", column.done - column.cached),
        ("cached", column.cached),
        ("failed", column.failed),
        ("stopped", column.stopped),
    ]
    counts.append((_SAID["skipped"], column.skipped))
    counts.append(("not over", column.rows - sum(count for _, count in counts)))
    named = [(what, count) for what, count in counts if count]
    return ", ".join(f"{count:,} {what}" if several else what for what, count in named)


def _seconds(spread: Spread | None) -> str:
    if spread is None:
        return ""
    if spread.count == 1 or seconds(spread.least) == seconds(spread.most):
        return seconds(spread.median)
    return f"{seconds(spread.median)} ({seconds(spread.least)} to {seconds(spread.most)})"


def _money(column: ColumnFigures) -> str:
    kept = f" ({_was(column.kept_cost)})" if column.cached else ""
    if column.cost is None:
        return "unknown" if column.unknown_costs else f"$0{kept}" if column.cached else ""
    unknown = f", {column.unknown_costs:,} unknown" if column.unknown_costs else ""
    return f"≈ {money(column.cost)}{unknown}{kept}"


def _was(cost: Decimal | None) -> str:
    return "the kept ones' cost unknown" if cost is None else f"kept: ≈ {money(cost)} when asked"


def digest(column: ColumnFigures, same: float | None, *, blind: bool = False) -> str:
    """Return a line on one prompt of one column: states, agreement of its repeats, median and range of time, cost."""
    parts = [_state(column, several=column.rows > 1)]
    if same is not None:
        parts.append(f"{same:.0%} the same")
    if not blind:
        parts += [_seconds(column.total), _money(column)]
    return " · ".join(part for part in parts if part)


def sentence(clauses: Sequence[str]) -> str:
    """Return clauses as one sentence: "Fastest a (0.21 s); cheapest b (≈ $0.0001)."."""
    text = "; ".join(clauses)
    return f"{text[:1].upper()}{text[1:]}."


def repeats(answer: Merged, of: int) -> str:
    """Return which repeats had this answer, in words."""
    which = ", ".join(str(n + 1) for n in answer.repeats[:20]) + (", …" if len(answer.repeats) > 20 else "")
    if len(answer.repeats) == 1:
        return f"Repeat {which} of {of}"
    return f"{len(answer.repeats)} of {of} the same (repeats {which})"


def notices(row: Row) -> list[str]:
    """Return what a reader must know about a row, such as why there is no answer, or why it isn't whole."""
    found = beside_chip(row.notices)
    if row.error is not None:
        found = list(beside_error(found))
        step = f" Next: {row.next_step}." if row.next_step else ""
        found.append(f"{row.error}: {row.message}{step}")
        if row.request_id:
            found.append(f"Request id: {row.request_id}")
    elif row.state == "stopped" and not row.text:
        found.append("Stopped before any text came.")
    elif row.state == "done" and not row.text.strip():
        found.append("The answer is empty.")
    elif row.state in {"waiting", "running"}:
        found.append("Not over yet.")
    return found


def line(row: Row) -> str:
    """Return the line of figures under an answer; "" where nothing was asked."""
    if row.cached:
        return kept_line(row)
    if row.total is None and row.tokens_out is None:
        return ""
    first = f"first token {seconds(row.first_token)}, " if row.first_token is not None else ""
    parts = [] if row.total is None else [f"{first}total {seconds(row.total)}"]
    if (row.tokens_in, row.tokens_out) != (None, None):
        sent, got = ("?" if n is None else f"{n:,}" for n in (row.tokens_in, row.tokens_out))
        parts.append(f"{sent} → {got} tokens")
    if row.speed is not None:
        parts.append(f"{row.speed:,.0f} tokens/s")
    parts.append("cost unknown" if row.cost is None else f"≈ {money(row.cost)}")
    if row.retries:
        parts.append(f"sent {row.retries + 1} times (waited {seconds(row.retry_wait)} between)")
    if row.attempts > 1:
        parts.append(f"attempt {row.attempts}")
    return " · ".join(parts)


def kept_line(row: Row) -> str:
    """Return the line of figures under a kept answer."""
    sent, got = ("?" if n is None else f"{n:,}" for n in (row.tokens_in, row.tokens_out))
    spent = "cost unknown" if row.cost is None else f"≈ {money(row.cost)}"
    return f"cached · {sent} → {got} tokens · $0 now ({spent} when asked)"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
