"""The columns of a comparison as items: each cell's text as it grows, its quiet line, what became of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.compare.columns import LIVE_COLUMNS, own_label
from tetrate_jupyter.compare.facts import kept_line
from tetrate_jupyter.compare.result import UNTOLD, untold
from tetrate_jupyter.compare.rows import plain_params, row_of
from tetrate_jupyter.completion.answer import beside_error
from tetrate_jupyter.render.answer import beside_chip
from tetrate_jupyter.render.chips import REFUSED
from tetrate_jupyter.render.diff import diff_html, word_diff
from tetrate_jupyter.render.live import Live
from tetrate_jupyter.render.numbers import money, seconds
from tetrate_jupyter.render.plain import one_line, visible
from tetrate_jupyter.widgets.feed import Item
from tetrate_jupyter.widgets.notices import noticed
from tetrate_jupyter.widgets.transcript import drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.compare.cells import Attempt, Cell
    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.compare.rows import Row
    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.compare.setup import CellPlace

HELD_BACK: Final = "held back until all have answered"
ANSWERS: Final = 2_000  # that are copied as a table; of more, those in view
CHARACTERS: Final = 1_000_000  # of them, likewise
_PROMPT: Final = 160  # characters of a prompt in a table
SILENT: Final = 10.0  # seconds without a new piece of text that are worth a word


class CompareItems:
    """One item for each column, at one prompt and repeat. Not thread-safe: the panel's lock is held around it.

    The text of an attempt is rendered by a stream of its own, so that no column's text can end up in another.
    """

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._streams: dict[int, tuple[Attempt, Live]] = {}
        self._grew: dict[int, tuple[int, float]] = {}  # attempt: characters, and when they came
        self._over: dict[CellPlace, tuple[object, Item]] = {}

    def all(
        self, prompt: int, repeat: int, names: dict[str, str] | None, base: str | None, *, order: Sequence[str] = ()
    ) -> list[Item]:
        """Return the items, in the order of these column ids where there are any: as many as a panel shows.

        `names`: what the columns are called while blind. All answers are held back then until the last has come: which
        comes first, and how it grows, would tell its name. `base`: the column that the others are compared with word by
        word, None for their text.
        """
        columns: Sequence[Column] = self._comparison.columns
        if order:
            columns = sorted(columns, key=lambda column: order.index(column.id))
        cells = [self._comparison.cell(column.id, prompt, repeat) for column in columns]
        shown = cells[:LIVE_COLUMNS]
        if names is not None and not all(cell.is_over for cell in cells):
            return [_held_back(cell, names[cell.column.id]) for cell in shown]
        text = self._comparison.cell(base, prompt, repeat).text if base is not None else None
        return [self._known(cell, names, None if cell.column.id == base else text) for cell in shown]

    def _known(self, cell: Cell, names: dict[str, str] | None, base: str | None) -> Item:
        """Return the item; one that is over is made once, whatever else goes on."""
        if not cell.is_over:
            return self._item(cell, names, base)
        vote = cell.attempt.vote if cell.attempt is not None else None
        now = cell.state, cell.attempt, names is None, base, self._same(cell), vote
        known = self._over.get(cell.place)
        if known is None or known[0] != now:
            self._over[cell.place] = known = now, self._item(cell, names, base)
        return known[1]

    def _item(self, cell: Cell, names: dict[str, str] | None, base: str | None) -> Item:
        row = row_of(cell) if names is None else untold(row_of(cell))
        silent = self._silence(cell, row)
        fields = {
            "label": visible(names[cell.column.id] if names else cell.column.label),
            "about": "" if names else visible(_about(cell.column)),
            "provider": "" if names or cell.column.model is None else cell.column.model.provider or "",
            "state": cell.state,
            "status": self._status(cell, row, silent),
            "silent": silent > 0,
            "exact": "" if names else _exact(row),
            "error": _error(row, blind=names is not None),
            **(_noticed(()) if names else _noticed(self._notices(row))),
            "vote": row.vote or "",
            "early": row.vote_early,
            "source": row.text if cell.is_over else "",
        }
        if cell.is_over and row.reasoning.strip():
            fields["reasoning"] = drawn(row.reasoning)
        blocks, tail = self._body(cell, row, base)
        return Item(cell.column.id, {"reasoning": "", **fields}, blocks, tail)

    def _notices(self, row: Row) -> list[str]:
        """Return what is a column's own: what all share stands once, above them."""
        shared = {cut.sentence for cut in self._comparison.setup.cuts}
        found = [notice for notice in beside_chip(row.notices) if notice not in shared]
        return list(beside_error(found)) if row.error else found

    def _same(self, cell: Cell) -> str:
        """Return how many of the repeats gave this very answer."""
        repeats, text = self._comparison.setup.repeats, cell.text.strip()
        if repeats == 1 or cell.state != "done":
            return ""
        cells = [self._comparison.cell(cell.column.id, cell.place.prompt, repeat) for repeat in range(repeats)]
        done = [other for other in cells if other.state == "done"]
        count = sum(other.text.strip() == text for other in done)
        return f"{count} of {len(done)} repeats say this" if len(done) > 1 else ""

    def _body(self, cell: Cell, row: Row, base: str | None) -> tuple[tuple[str, ...], str]:
        if base is not None and cell.is_over and row.text:
            kind = "tetrate-diff tetrate-mono" if "```" in base + row.text else "tetrate-diff"
            return ((f'<div class="{kind}">{diff_html(word_diff(base, row.text))}</div>',), "")
        attempt = cell.attempt
        if attempt is None or not row.text:
            return ((), "")
        _, live = self._streams.setdefault(id(attempt), (attempt, Live()))
        if not cell.is_over:
            live.update(row.text)
            return (live.finished, live.tail)
        return ((*live.finished, live.tail) if live.completed(row.text) else (drawn(row.text),), "")

    def _status(self, cell: Cell, row: Row, silent: int) -> str:
        if cell.attempt is None or not cell.is_over:
            parts = [cell.activity]  # the seconds are counted by the page
            if silent:
                parts.append(f"silent for {silent} s")
            return visible(" · ".join(parts))
        if row.cached:
            return " · ".join(filter(None, (kept_line(row), self._same(cell))))
        parts = [] if cell.state == "done" else [cell.state]
        if row.first_token is not None:
            parts.append(f"first token {seconds(row.first_token)}")
        if row.speed is not None:
            parts.append(f"{row.speed:,.0f} tokens/s")
        if row.tokens_out is not None:
            parts.append(f"{_count(row.tokens_in)} → {_count(row.tokens_out)} tokens")
        if row.attempts:
            free = "not billed" if row.error else "≈ $0"
            parts.append("cost unknown" if row.cost is None else f"≈ {money(row.cost)}" if row.cost else free)
        parts.append(self._same(cell))
        return " · ".join(part for part in parts if part)

    def _silence(self, cell: Cell, row: Row) -> int:
        """Return the seconds since a running cell's text grew last, where they are worth a word; else 0."""
        attempt, now = cell.attempt, time.monotonic()
        if cell.is_over or attempt is None or attempt.completion is None:
            return 0
        known = self._grew.get(id(attempt))
        if known is None or known[0] != len(row.text):
            self._grew[id(attempt)] = known = (len(row.text), now)
        silent = now - known[1]
        return int(silent) if silent >= SILENT else 0


def _held_back(cell: Cell, name: str) -> Item:
    fields: dict[str, Any] = dict.fromkeys(("about", "provider", "exact", "source", "reasoning", "vote"), "")
    fields |= {
        "label": visible(name),
        "state": "waiting",
        "status": HELD_BACK,
        "error": [],
        **_noticed(()),
        "early": False,
        "silent": False,
    }
    return Item(cell.column.id, fields)


def _about(column: Column) -> str:
    """Return what is special about a column: its own parameters, its model where the label doesn't say it."""
    named = [] if own_label(column.label, column.asked) is None else [column.asked]
    return ", ".join([*named, *(f"{name} {value}"[:60] for name, value in plain_params(column.params).items())])


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"


def _noticed(notices: Sequence[str]) -> dict[str, Any]:
    """Return the chips and sentences of an answer; a refusal stands where the answer would, so it is told in whole."""
    refused = [visible(notice) for notice in notices if notice.startswith(REFUSED)]
    told = noticed([notice for notice in notices if not notice.startswith(REFUSED)])
    return {"chips": told["chips"], "said": [*refused, *told["said"]]}


def _exact(row: Row) -> str:
    facts = [
        ("model", row.model),
        ("waiting", None if row.first_token is None else f"{row.first_token:.3f} s"),
        ("writing", None if row.writing is None else f"{row.writing:.3f} s"),
        ("total", None if row.total is None else f"{row.total:.3f} s"),
        ("tokens", f"{_count(row.tokens_in)} in, {_count(row.tokens_out)} out"),
        ("estimated cost", "unknown" if row.cost is None else f"${row.cost:f}"),
        ("asked", f"{row.attempts} times" if row.attempts > 1 else None),
        ("sent again", f"{row.retries} times, {row.retry_wait:.1f} s" if row.retries else None),
        ("request id", row.request_id),
    ]
    return visible("\n".join(f"{name}: {value}" for name, value in facts if value is not None))


def _error(row: Row, *, blind: bool) -> list[str]:
    if row.error is None:
        return []
    if blind:
        return [f"It failed; {UNTOLD}."]
    lines = [f"{row.error}: {row.message}"]
    lines += [f"Next: {row.next_step}"] if row.next_step else []
    lines += [f"Request id: {row.request_id}"] if row.request_id else []
    return [visible(line) for line in lines]


def table(comparison: Comparison, prompt: int, repeat: int) -> tuple[str, str]:
    """Return the answers and their figures as a Markdown table, for a document, and what is said of it.

    It has all prompts and repeats; where that is too much, only those at `prompt` and `repeat`.
    """
    several, room = len(comparison.setup.prompts) * comparison.setup.repeats, ANSWERS // len(comparison.setup.columns)
    found = comparison.result if several <= room else comparison.result_of([prompt])
    rows, said = found.rows, "Copied" if several == 1 else f"Copied: the answers to {_times(comparison)}"
    if several > room or sum(len(row.text) for row in rows) > CHARACTERS:
        rows = tuple(row for row in rows if (row.prompt, row.repeat) == (prompt, repeat))
        said = "Copied: only the answers in view, all are too many; .save() of the result has them"
    return _markdown(rows, {head.id: head.label for head in found.heads}, comparison, several=several > 1), said


def _times(comparison: Comparison) -> str:
    prompts, repeats = len(comparison.setup.prompts), comparison.setup.repeats
    said = "the prompt" if prompts == 1 else f"all {prompts:,} prompts"
    return said if repeats == 1 else f"{said}, all {repeats:,} repeats"


def _markdown(rows: Sequence[Row], labels: dict[str, str], comparison: Comparison, *, several: bool) -> str:
    from tetrate_jupyter.render.table import Table, TableColumn

    titles = ["model", "first token", "total", "tokens out", "≈ cost"]
    has_votes = any(row.vote for row in rows)
    columns = [TableColumn(title) for title in [*(["prompt"] if several else []), *titles]]
    cells: list[list[Any]] = [
        [
            *([one_line(comparison.setup.prompts[row.prompt])[:_PROMPT]] if several else []),
            labels.get(row.column, row.column),
            seconds(row.first_token),
            seconds(row.total),
            _count(row.tokens_out),
            "unknown" if row.cost is None else money(row.cost),
            *([row.vote or ""] if has_votes else []),
            row.text or f"({row.error or row.state})",
        ]
        for row in rows
    ]
    votes = [TableColumn("vote")] if has_votes else []
    return Table([*columns, *votes, TableColumn("answer", wide=True)], cells).markdown()
