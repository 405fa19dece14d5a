"""Writing tables, Series and Indexes as bounded Markdown: exact cells, whole rows, a summary of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.completion import nested, sheets
from tetrate_jupyter.completion.cuts import NO_MORE_FIT, SUMMED, USUAL, Described, Limits, shortened
from tetrate_jupyter.completion.foreign import name_of
from tetrate_jupyter.completion.loaded import is_array
from tetrate_jupyter.completion.summary import summary
from tetrate_jupyter.completion.values import MISSING, exact_reprs, is_number, scalar
from tetrate_jupyter.types import Cut

if TYPE_CHECKING:
    from tetrate_jupyter.completion.sheets import Sheet, SheetColumn

MAX_CHARACTERS: Final = 6_000  # about 1,700 tokens: enough to reason about, cheap enough to send without a thought
MAX_COLUMNS: Final = 20
MANY_COLUMNS: Final = 1_000  # where a number of rows was given
_CELLS: Final = (2_000, 300, 60)  # characters of one cell: the first of these with which all rows fit
_SAID: Final = 400  # characters reserved for the notes on what is left out
_LABEL: Final = 60  # characters of a column's name
_ALL_LABELS: Final = 100  # labels of an Index up to which all are sent, where no number of rows was given
_FIRST_LABELS: Final = 50
_LAST_LABELS: Final = 10


def table(sheet: Sheet, name: str, limits: Limits = USUAL) -> Described:
    """Return a table as text of at most 6,000 characters, or `limits.room` if that is larger.

    It has shape and types, the first and last rows as a Markdown table, and a summary of the columns if rows are left
    out.
    """
    bound = limits.bound(MAX_CHARACTERS)
    width = min(sheet.width, MAX_COLUMNS if limits.room is None else MANY_COLUMNS)
    while True:
        layout = _Layout(sheet, width, limits, bound)
        found = layout.described(name)
        if len(found.text) <= bound or width <= 1:
            return found if len(found.text) <= bound else cut(found.text, name, bound)
        width //= 2


@dataclass(frozen=True)
class _Rows:
    """Some rows as lines, and the number of shortened cells in each."""

    lines: list[str]
    shortened: list[int]
    longest: int  # characters of the longest cell

    def first(self, count: int) -> _Rows:
        return _Rows(self.lines[:count], self.shortened[:count], self.longest)

    def last(self, count: int) -> _Rows:
        return _Rows(self.lines[-count:] if count else [], self.shortened[-count:] if count else [], self.longest)

    @property
    def size(self) -> int:
        return sum(map(len, self.lines)) + len(self.lines)


class _Layout:
    """One way of writing a table: its first `width` columns, as many rows as fit."""

    def __init__(self, sheet: Sheet, width: int, limits: Limits, bound: int) -> None:
        self._sheet, self._width, self._limits, self._bound = sheet, width, limits, bound
        shown = [sheet.column(number) for number in range(width)]
        index = sheet.index if sheet.is_one or not sheet.counts else None
        self._shown = shown
        self._columns: list[SheetColumn] = shown if index is None else [index, *shown]
        self._labels = [cell(column.label, _LABEL) for column in self._columns]
        lines = [[text for text, _ in self._labels], ["---"] * len(self._columns)]
        self._head = "\n".join(map(_line, lines))
        self._kinds = self._title()

    def _title(self) -> str:
        sheet = self._sheet
        if sheet.is_one:
            return sheet.title
        texts = [text for text, _ in self._labels][-self._width :] if self._width else []
        kinds = ", ".join(f"{text}: {shortened(c.dtype, 200)}" for text, c in zip(texts, self._shown, strict=True))
        more = f" … and {sheet.width - self._width:,} more columns" if sheet.width > self._width else ""
        return f"{sheet.title}\n{kinds}{more}"

    def _why_narrow(self) -> str:
        """Return the reason for sending fewer columns than there are, where a number of rows was given."""
        if self._limits.room is None:
            return ""
        return f"{MANY_COLUMNS:,} at most" if self._width == MANY_COLUMNS else NO_MORE_FIT

    def described(self, name: str) -> Described:
        """Return the text and its cuts; the text is too long if not even one row fits."""
        rows, room = self._sheet.rows, self._bound - len(self._kinds) - len(self._head) - _SAID
        first, last = self._fewer(*self._limits.shown(rows), room)
        head, tail = self._rows(first, last, room)
        rest = ""
        if len(head.lines) + len(tail.lines) < rows or head.size + tail.size > room:
            rest = summary(self._shown, rows, max(room // 3, 0))
            left = room - len(rest)
            if head.size + tail.size > left:
                head, tail = _fitting(head, tail, left)
        return self._text(name, head, tail, rest)

    def _fewer(self, first: int, last: int, room: int) -> tuple[int, int]:
        """Return no more rows than could fit with empty cells, so that the others needn't be converted to text."""
        most = max(2, room // (3 * len(self._columns) + 2))
        if first + last <= most:
            return first, last
        return most - most // 3, most // 3

    def _rows(self, first: int, last: int, room: int) -> tuple[_Rows, _Rows]:
        rows = self._sheet.rows
        start = [column.cells(0, first) for column in self._columns]
        end = [column.cells(rows - last, rows) for column in self._columns] if last else []
        found = _Rows([], [], 0), _Rows([], [], 0)
        for limit in _CELLS:
            found = _written(start, first, limit), _written(end, last, limit)
            if found[0].size + found[1].size <= room or max(part.longest for part in found) <= _CELLS[-1]:
                break
        return found

    def _text(self, name: str, head: _Rows, tail: _Rows, rest: str) -> Described:
        sheet, sent = self._sheet, len(head.lines) + len(tail.lines)
        cuts, lines = [], [self._kinds, "", self._head, *head.lines]
        if sent < sheet.rows and self._columns:
            what = f"{'values' if sheet.is_one else 'rows'}{SUMMED if rest else ''}"
            cuts.append(Cut(name, what, sent, sheet.rows, self._limits.why(sent)))
            lines += [_line(["…"] * len(self._columns))] if tail.lines else []
        lines += tail.lines
        if self._width < sheet.width:
            cuts.append(Cut(name, "columns", self._width, sheet.width, self._why_narrow()))
        short = sum(head.shortened) + sum(tail.shortened) + sum(is_short for _, is_short in self._labels)
        if short:
            cuts.append(Cut(name, "cells shortened", short))
        if sent < sheet.rows and self._columns:
            lines.append(_left_out(len(head.lines), len(tail.lines), sheet.rows))
        lines += [f"[{cut.sentence}]" for cut in cuts if cut.what.removesuffix(SUMMED) not in {"rows", "values"}]
        return Described(
            "\n".join([*lines, *([rest] if rest and sent < sheet.rows and self._columns else [])]), tuple(cuts)
        )


def _left_out(first: int, last: int, rows: int) -> str:
    which = f"the first {first:,} and the last {last:,}" if last else f"the first {first:,}"
    return (
        f"[Only {first + last:,} of {rows:,} rows are here: {which}. {rows - first - last:,} are left out: "
        "answer about all rows only from the summary, and say so.]"
    )


def _fitting(head: _Rows, tail: _Rows, room: int) -> tuple[_Rows, _Rows]:
    """Return as many rows from both ends as fit, but at least the first."""
    share = room // 3 if tail.lines else 0
    last = _count(reversed([len(line) + 1 for line in tail.lines]), share)
    kept = tail.last(last)
    first = _count((len(line) + 1 for line in head.lines), room - kept.size)
    return head.first(max(1, first)), kept


def _count(sizes: Any, room: int) -> int:  # noqa: ANN401 - an iterable of ints
    return sum(1 for so_far in accumulate(sizes) if so_far <= room)


def _written(columns: list[list[object]], rows: int, limit: int) -> _Rows:
    if not columns:
        return _Rows([], [], 0)
    cells = [[cell(value, limit) for value in column] for column in columns]
    lines = [_line([column[row][0] for column in cells]) for row in range(rows)]
    short = [sum(column[row][1] for column in cells) for row in range(rows)]
    longest = max((len(text) for column in cells for text, _ in column), default=0)
    return _Rows(lines, short, longest)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


# --- one cell ------------------------------------------------------------------------------------------------


def cell(value: object, limit: int) -> tuple[str, bool]:
    """Return one cell's text on one line, and whether it is shortened. Numbers are never cut in two."""
    text, is_short = _cell(value, limit)
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\r", "\\r").replace("\n", "\\n"), is_short


def _cell(value: object, limit: int) -> tuple[str, bool]:
    if type(value) is str:
        return (f'"{value}"', False) if value in MISSING and value else (shortened(value, limit), len(value) > limit)
    text = scalar(value)
    if text is not None:
        return _number(text, limit) if is_number(value) else (shortened(text, limit), len(text) > limit)
    if nested.is_container(value) or is_array(value):
        writer = nested.ValueWriter("cell", limit, is_compact=True)
        return writer.text(value), bool(writer.cuts)
    try:
        with exact_reprs():
            text = str(value)
    except Exception as error:  # noqa: BLE001 - a cell may hold any object, whose __str__ may raise anything
        text = f"<{name_of(value)}: {name_of(error)}>"
    return shortened(text, limit), len(text) > limit


def _number(text: str, limit: int) -> tuple[str, bool]:
    if text.startswith("["):  # too long for Python to write
        return text, True
    return (text, False) if len(text) <= max(limit, 330) else (f"[a number of {len(text):,} digits]", True)


# --- an Index ------------------------------------------------------------------------------------------------


def index(values: Any, name: str, limits: Limits = USUAL) -> Described:  # noqa: ANN401 - pandas is not imported here
    """Return an Index as text: length, dtype, and its first and last labels."""
    labels, count = sheets.pandas_labels(values), len(values)
    title = f"Index: {count:,} labels, {labels.dtype}"
    if limits.room is not None:
        first, last = limits.shown(count)
    else:
        first, last = (count, 0) if count <= _ALL_LABELS else (_FIRST_LABELS, _LAST_LABELS)
    bound = limits.bound(MAX_CHARACTERS) - len(title) - 100
    first, last = min(first, bound // 3), min(last, bound // 3)
    made = [_written([labels.cells(*part)], part[1] - part[0], _LABEL) for part in ((0, first), (count - last, count))]
    if made[0].size + made[1].size > bound:
        made = list(_fitting(made[0], made[1], bound))
    start, end = ([line[2:-2] for line in rows.lines] for rows in made)
    sent, short = len(start) + len(end), sum(map(sum, (rows.shortened for rows in made)))
    cuts = [Cut(name, "labels", sent, count, limits.why(sent))] if sent < count else []
    cuts += [Cut(name, "labels shortened", short)] if short else []
    middle = ["…"] if sent < count else []
    text = f"{title}\n{', '.join([*start, *middle, *end])}"
    return Described("\n".join([text, *(f"[{each.sentence}]" for each in cuts)]), tuple(cuts))


def cut(text: str, name: str, limit: int = MAX_CHARACTERS) -> Described:
    """Return a text cut to `limit` characters, with a note where it is cut."""
    if len(text) <= limit:
        return Described(text)
    kept = shortened(text, limit - 60)
    found = Cut(name, "characters", len(kept) - 1, len(text))
    return Described(f"{kept}\n[cut here: {found.sent:,} of {found.of:,} characters]", (found,))
