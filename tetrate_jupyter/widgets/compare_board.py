"""The leaderboard of the compare panel: a row of figures for each column, while it runs and at the end."""

from __future__ import annotations

import time
from collections import Counter
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.compare.cells import LIMITED
from tetrate_jupyter.compare.figures import badges, figures
from tetrate_jupyter.compare.rows import head_of, row_of
from tetrate_jupyter.compare.votes import MARKS, RANK
from tetrate_jupyter.render.numbers import money, seconds
from tetrate_jupyter.render.plain import one_line, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tetrate_jupyter.compare.cells import Cell
    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.compare.figures import ColumnFigures
    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.compare.votes import Tally, Wins

MANY: Final = 100  # cells of a column; beyond, its figures wait for the end: they would be added up at every look
_STEP: Final = 1.25  # the length of an answer that grows is told again when it has grown by a quarter
_PLACE: Final = "row {}"  # a field for each column: what changes in one row sends that row only
_WHY: Final = 300  # characters


class Board:
    """The rows of one comparison's leaderboard. Not thread-safe: the panel's lock is held around it."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._made: dict[str, tuple[object, dict[str, Any]]] = {}
        self._again_at: dict[str, float] = {}  # by column: the latest of the moments that a router named

    def rows(self, figured: Sequence[ColumnFigures], counted: Tally | None) -> dict[str, Any]:
        """Return the fields. `figured`, `counted`: of a comparison that is over; () and None of one that runs.

        A row has `state`, `said` (what isn't a figure), `bar` (start, first text, end: seconds, None for not yet),
        `figures` (time, speed, tokens, cost, length, as text), `order` (the same as numbers), `badges`, and of votes
        `vote` (a mark, or how often it was best), `voted` (the same in words), `rank` (as a number), `early` and
        `wins` (over several prompts: how often it was best, of how many, and between which shares that likely lies).
        """
        cells: dict[str, list[Cell]] = {column.id: [] for column in self._comparison.columns}
        for cell in self._comparison.cells:
            cells[cell.column.id].append(cell)
        known = {c.head.id: c for c in figured}
        won = badges(figured)
        wins = {w.head.id: w for w in counted.wins} if counted is not None and counted.voted else {}
        return {
            _PLACE.format(column.id): self._row(
                column, cells[column.id], known.get(column.id), won.get(column.id, []), wins.get(column.id)
            )
            for column in self._comparison.columns
        }

    def _row(
        self, column: Column, cells: list[Cell], known: ColumnFigures | None, won: list[str], wins: Wins | None
    ) -> dict[str, Any]:
        states: Counter[str] = Counter(cell.state for cell in cells)
        going = _going(cells[0]) if len(cells) == 1 and not cells[0].is_over else None
        vote = _vote(cells, wins)
        doing = cells[0].activity if len(cells) == 1 else ""  # counts the seconds of a wait
        now = dict(states), [cell.attempt for cell in cells], known is not None, won, vote, going, doing
        made = self._made.get(column.id)
        if made is None or made[0] != now:
            self._made[column.id] = made = (
                now,
                {**_made(column, cells, dict(states), known, going), **vote, "badges": won},
            )
            failed = [cell.attempt for cell in cells if cell.state == "failed" and cell.attempt is not None]
            self._again_at[column.id] = max((attempt.again_at for attempt in failed), default=0.0)
        return made[1]

    def waits(self) -> dict[str, int]:
        """Return by column the seconds until its failed cells may be asked again, where a router said so."""
        now, columns = time.monotonic(), [column.id for column in self._comparison.columns]
        return {column: ceil(at - now) for column in columns if (at := self._again_at.get(column, 0.0)) > now}


def hidden(columns: Sequence[Column]) -> dict[str, None]:
    """Return the fields of a leaderboard that hides everything which would tell the names."""
    return {_PLACE.format(column.id): None for column in columns}


def _going(cell: Cell) -> tuple[float | None, float | None, str]:
    """Return for a running cell: when it was started, its seconds until the first text, its length so far."""
    attempt = cell.attempt
    completion = None if attempt is None else attempt.completion
    if attempt is None or completion is None:
        return None, None, ""
    length, told = completion.length, 1.0
    while told * _STEP <= length:
        told *= _STEP
    return attempt.started, completion.first_token, f"{int(told):,}+" if length else ""


def _made(
    column: Column,
    cells: list[Cell],
    states: Mapping[str, int],
    known: ColumnFigures | None,
    going: tuple[float | None, float | None, str] | None,
) -> dict[str, Any]:
    if known is None and len(cells) <= MANY:
        known = figures(head_of(column), [row_of(cell) for cell in cells if cell.is_over])
    state = overall(states)
    return {
        "label": visible(column.label),
        "provider": (column.model.provider if column.model is not None else None) or "",
        "state": state,
        "said": visible(_said(state, cells, states)),
        "bar": [*going[:2], None] if going is not None else _bar(cells, known),
        "figures": _figures(known, going),
        "order": _order(known),
    }


def _vote(cells: Sequence[Cell], wins: Wins | None) -> dict[str, Any]:
    vote = cells[0].attempt.vote if len(cells) == 1 and cells[0].attempt is not None else None
    if vote is not None:
        said = f"{vote.value}{', voted before all had answered' if vote.early else ''}"
        return {"vote": MARKS[vote.value], "voted": said, "rank": RANK[vote.value], "early": vote.early, "wins": None}
    if wins is None or len(cells) == 1:
        return {"vote": "", "voted": "no vote", "rank": None, "early": False, "wins": None}
    said = f"best in {wins.won:,} of {wins.of:,} prompts with votes; likely {wins.least:.0%} to {wins.most:.0%} of all"
    share = [wins.won, wins.of, wins.least, wins.most]
    return {"vote": f"★ {wins.won:,} of {wins.of:,}", "voted": said, "rank": wins.won, "early": False, "wins": share}


def overall(states: Mapping[str, int]) -> str:
    """Return one state for all cells of a column: theirs where they have one, "partly" where some have an answer."""
    present = [state for state, count in states.items() if count]
    if "running" in present or ("waiting" in present and len(present) > 1):
        return "running"
    if len(present) == 1:
        return present[0]
    return "partly" if "done" in present else next((s for s in ("failed", "stopped") if s in present), "skipped")


def _said(state: str, cells: Sequence[Cell], states: Mapping[str, int]) -> str:
    if state in {"failed", "skipped"}:
        error = next((cell.error for cell in reversed(cells) if cell.error is not None), None)
        why = one_line(error.message)[:_WHY].removeprefix("Not asked: ") if error is not None else ""
        kept = " What had come is kept." if state == "failed" and any(cell.text for cell in cells) else ""
        return f"{'Failed' if state == 'failed' else 'Not asked'}: {why}{kept}"
    if len(cells) > 1 and state != "done":
        over = sum(count for each, count in states.items() if each not in {"waiting", "running"})
        return f"{states.get('done', 0) if state == 'partly' else over:,} of {len(cells):,}"
    if state != "done":
        return cells[0].activity.removeprefix(LIMITED)  # a narrow table; the column has it whole
    from_store = sum(
        cell.attempt is not None and cell.attempt.answer is not None and cell.attempt.answer.cached for cell in cells
    )
    return (
        ""
        if not from_store
        else "kept answer"
        if from_store == len(cells) == 1
        else f"{from_store:,} of {len(cells):,} kept answers"
    )


def _bar(cells: Sequence[Cell], known: ColumnFigures | None) -> list[float | None]:
    if known is None or known.total is None:
        return []
    attempt = cells[0].attempt
    start = attempt.started if len(cells) == 1 and attempt is not None else 0.0
    first = known.first_token.median if known.first_token is not None else known.total.median
    return [round(start, 3), round(first, 3), round(known.total.median, 3)]


def _figures(known: ColumnFigures | None, going: tuple[float | None, float | None, str] | None) -> list[str]:
    if known is None or not known.rows:
        return ["", "", "", "", going[2] if going is not None else ""]
    return [
        seconds(known.total.median) if known.total else "",
        f"{known.speed.median:,.0f}/s" if known.speed else "",
        f"{known.tokens_out.median:,.0f}" if known.tokens_out else "",
        cost(known),
        f"{known.characters.median:,.0f}" if known.characters else "",
    ]


def cost(known: ColumnFigures) -> str:
    """Return what a column cost, as text: what isn't known is called unknown."""
    if known.cost is None:
        return "unknown" if known.unknown_costs else ""
    return f"{money(known.cost)} + unknown" if known.unknown_costs else money(known.cost)


def _order(known: ColumnFigures | None) -> list[float | None]:
    if known is None:
        return [None] * 5
    spreads = known.total, known.speed, known.tokens_out, None, known.characters
    found = [None if each is None else each.median for each in spreads]
    found[3] = None if known.cost is None or known.unknown_costs else float(known.cost)
    return found
