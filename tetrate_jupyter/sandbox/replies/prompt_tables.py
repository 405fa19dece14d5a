"""Tables in a prompt: rows, types of columns, what is told of rows that were left out; and the rest of the text.

Most were written by `completion.tables`, whose title, types and summary are read; others a person typed.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, TypeAlias

_TITLE: Final = re.compile(
    r"\b(?:(polars|pyarrow) )?(?:(?:DataFrame|Table|RecordBatch): (?P<rows>[\d,]+) rows, (?P<width>[\d,]+) columns"
    r"|(?:Series|Array|ChunkedArray)(?: [^\n]{0,200}?)?: (?P<values>[\d,]+) values, (?P<dtype>[^\n]{1,200}))$",
    re.MULTILINE,
)
_BAR: Final = re.compile(r"(?<!\\)\|")
_ESCAPE: Final = re.compile(r"\\([\\|nr])")
_ESCAPED: Final = {"n": "\n", "r": "\r"}
_MORE: Final = re.compile(r" … and [\d,]+ more columns$")
_PART: Final = re.compile(r"\[Only ([\d,]+) of ([\d,]+) (?:rows|values) are here[^\]]*\]")
_NOTE: Final = re.compile(r"\[[^\]\n]*\]")
_SUMMARY: Final = re.compile(r"Summary of all [\d,]+ rows, those left out included:")
_FACTS: Final = re.compile(r"- (?P<label>.*?): (?=[\d,]+ values, [\d,]+ missing)")
_NUMBER: Final = r"-?\d{1,400}(?:\.\d{1,400})?(?:e[-+]?\d{1,3})?(?![\w:-]|\.\d)"
_FACT: Final = re.compile(
    rf"(?:, )?(?:(?P<count>[\d,]+) (?P<counted>values|missing|different)|(?P<what>min|max|sum|mean) "
    rf"(?P<value>(?:≈ )?{_NUMBER}|\d{{4}}-\d\d-\d\d(?: [\d:.+-]*\d)?)"
    r"|[\d,]+ infinite, not in the mean|(?P<sample> ?\(counted over [^)]*\)))"
)
_TOP: Final = re.compile(r"[;,] (?:most frequent: )?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\") (\d{1,3}(?:,\d{3})*)")
_DECIMAL: Final = re.compile(_NUMBER)
_THOUSANDS: Final = re.compile(r"-?\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,9})?")
_MISSING: Final = frozenset({"NaN", "nan", "None", "<NA>", "NaT", "null"})
_TYPED_MISSING: Final = _MISSING | {"", "-", "\u2013", "n/a", "N/A", "NA"}
_NUMERIC: Final = re.compile(r"(?:u?int|float|double|halffloat|decimal)", re.IGNORECASE)
_DATES: Final = re.compile(r"date|time", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[ T].*)?")
_Told: TypeAlias = tuple[str, "dict[str, str] | None", tuple[tuple[str, int], ...]]  # a line of the summary


@dataclass(frozen=True)
class PromptColumn:
    """One column: `place` among the table's own columns, -1 for its index; `dtype` "" where it isn't told.

    `told`: what the summary says of all rows ("min": "3"); None where there is no summary, or one over a sample.
    """

    name: str
    place: int
    dtype: str
    cells: tuple[str, ...]
    is_titled: bool
    told: dict[str, str] | None = None
    frequent: tuple[tuple[str, int], ...] = ()

    @property
    def missing(self) -> frozenset[str]:
        """What stands in a cell that holds nothing."""
        return _MISSING if self.is_titled else _TYPED_MISSING

    @property
    def present(self) -> list[str]:
        """The cells that hold something."""
        return [cell for cell in self.cells if cell not in self.missing]

    @property
    def is_number(self) -> bool:
        """Whether it can be calculated with: its type says so, or all cells that hold something are finite numbers."""
        if self.dtype and self.dtype != "object" and not _NUMERIC.match(self.dtype):
            return False
        return bool(self.present) and all(number(cell) is not None for cell in self.present)

    @property
    def is_date(self) -> bool:
        """Whether it holds dates or times."""
        if self.dtype and self.dtype not in {"object", "str"}:
            return bool(_DATES.search(self.dtype))
        return bool(self.present) and all(_DATE.fullmatch(cell) for cell in self.present)

    @property
    def is_cut(self) -> bool:
        """Whether a cell was shortened, so that two different ones may look the same."""
        return any(cell.endswith("…") for cell in self.cells)

    def numbers(self) -> list[Fraction]:
        """Return the numbers of the cells that hold one."""
        return [found for cell in self.cells if (found := number(cell)) is not None]


@dataclass(frozen=True)
class PromptTable:
    """A table in a prompt. `rows` is how many were sent, `total` how many there are, None for unknown.

    `hidden`: columns that were left out. `library`: "polars" or "pyarrow", "" for pandas. `is_one`: a Series.
    """

    columns: tuple[PromptColumn, ...]
    rows: int
    total: int | None
    hidden: int = 0
    library: str = ""
    is_one: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether all rows were sent."""
        return self.total == self.rows

    def where(self, column: PromptColumn, value: str) -> PromptTable:
        """Return the rows with a value in a column."""
        kept = [row for row, cell in enumerate(column.cells) if cell == value]
        columns = tuple(replace(c, cells=tuple(c.cells[row] for row in kept)) for c in self.columns)
        return replace(self, columns=columns, rows=len(kept), total=len(kept))


def number(text: str) -> Fraction | None:
    """Return a finite number as Python or a person writes it ("1,430"), None for any other text."""
    plain = text.replace(",", "") if _THOUSANDS.fullmatch(text) else text
    return Fraction(plain) if _DECIMAL.fullmatch(plain) else None


def tables_in(text: str, *, is_cut: bool = False) -> tuple[list[PromptTable], str]:
    """Return the tables in a text, and the rest of it. `is_cut`: the text goes on, so that its last table may, too."""
    lines, rest, found, at = text.split("\n"), [], [], 0
    while at < len(lines):
        head = _cells(lines[at])
        if len(head) < 3 or not _is_rule(lines[at + 1 : at + 2], len(head)):
            rest.append(lines[at])
            at += 1
            continue
        above = "\n".join(rest[-4:])
        rest[-4:] = _TITLE.sub("", above).split("\n")
        table, kinds, at, after = _Reader(lines, at, above).read()
        rest[-4:] = [line for line in rest[-4:] if line != kinds or not kinds]
        rest.append(after)
        found.append(table)
        if is_cut and at >= len(lines):
            found[-1] = replace(table, total=None)
    return found, "\n".join(rest).strip()


def _cells(line: str) -> list[str]:
    """Return what stands between the bars of a line, with what stands before and after them; [] for another line."""
    return _BAR.split(line.strip()) if line.lstrip().startswith("|") else []


def _is_rule(lines: list[str], width: int) -> bool:
    cells = [cell.strip() for cell in _cells(lines[0])] if lines else []
    return len(cells) == width and all(cell and set(cell) <= set("-:") for cell in cells[1:-1])


class _Reader:
    """Reads one table, from the line of its names on."""

    def __init__(self, lines: list[str], at: int, above: str) -> None:
        self._lines, self._at = lines, at
        self._title = next(reversed(list(_TITLE.finditer(above))), None)
        self._kinds_line = above.rstrip("\n").rpartition("\n")[2] if self._title else ""
        self._width = len(_cells(lines[at])) - 2
        self._after = ""

    def read(self) -> tuple[PromptTable, str, int, str]:
        """Return the table, the line of its types, the number of the line after it, and the text behind its last."""
        raw = [cell.strip() for cell in _cells(self._lines[self._at])[1:-1]]
        self._at += 2
        body = self._body()
        part, told = self._notes()
        kinds, hidden = self._kinds(raw)
        index = len(raw) - len(kinds) if kinds else 0
        named = [self._plain(cell) for cell in raw]
        columns = []
        for n, name in enumerate(named):
            dtype = kinds[n - index] if kinds and n >= index else ""
            cells = tuple(row[n] for row in body)
            label, facts, frequent = told[n - index] if n >= index and len(told) > n - index else ("", None, ())
            if not name.startswith(label.removesuffix("…")):  # not this column's line
                facts, frequent = None, ()
            columns.append(PromptColumn(name, n - index, dtype, cells, bool(self._title), facts, frequent))
        told_rows = (
            part
            if part is not None
            else _count(self._title["rows"] or self._title["values"])
            if self._title
            else len(body)
        )
        is_one = bool(self._title and self._title["dtype"])
        library = (self._title[1] or "") if self._title else ""
        table = PromptTable(tuple(columns), len(body), told_rows, hidden, library, is_one)
        return table, "" if is_one else self._kinds_line, self._at, self._after

    def _plain(self, cell: str) -> str:
        if self._title is None:
            return cell.replace("\\|", "|")
        return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), cell)

    def _body(self) -> list[list[str]]:
        rows: list[list[str]] = []
        while self._at < len(self._lines) and (cells := _cells(self._lines[self._at])) and not self._after:
            self._at += 1
            if len(cells) < self._width + 2:
                continue  # not a whole row; how many there are is told by the title
            self._after = "|".join(cells[self._width + 1 :]).strip()
            row = [cell.strip() for cell in cells[1 : self._width + 1]]
            if set(row) != {"…"}:
                rows.append([self._plain(cell) for cell in row])
        return rows

    def _notes(self) -> tuple[int | None, list[_Told]]:
        """Return the number of all rows where a note tells it, and the summary's facts of each column."""
        part: int | None = None
        told: list[_Told] = []
        while self._at < len(self._lines) and not self._after:
            line = self._lines[self._at]
            if found := _PART.match(line):
                part = _count(found[2])
            elif facts := _FACTS.match(line):
                found_facts, frequent, self._after = _facts(line[facts.end() :])
                told.append((facts["label"], found_facts, frequent))
                self._at += 1
                continue
            else:
                found = (
                    _NOTE.match(line) or _SUMMARY.match(line) or re.match(r"- no room for [\d,]+ more columns", line)
                )
            if found is None:
                break
            self._after = line[found.end() :].strip()
            self._at += 1
        return part, told

    def _kinds(self, raw: list[str]) -> tuple[list[str], int]:
        """Return the types of the columns that the title counts, and how many columns were left out."""
        if self._title is None:
            return [], 0
        if self._title["dtype"]:
            return [self._title["dtype"]], 0
        more = _MORE.search(self._kinds_line)
        line = _MORE.sub("", self._kinds_line)
        hidden = _count(re.sub(r"\D", "", more.group())) if more else 0
        names = raw[len(raw) - (_count(self._title["width"]) - hidden) :]
        kinds, at = [], 0
        for n, name in enumerate(names):
            if not line.startswith(f"{name}: ", at):
                return ["object"] * len(names), hidden
            at += len(name) + 2
            end = line.find(f", {names[n + 1]}: ", at) if n + 1 < len(names) else len(line)
            kinds.append(line[at:end])
            at = end + 2
        return kinds, hidden


def _facts(text: str) -> tuple[dict[str, str] | None, tuple[tuple[str, int], ...], str]:
    """Return the facts of a column (None for a sample's), its most frequent values, and the text behind them."""
    facts: dict[str, str] = {}
    frequent: list[tuple[str, int]] = []
    at, is_sample = 0, False
    while found := _FACT.match(text, at) or _TOP.match(text, at):
        at = found.end()
        if found.re is _TOP:
            frequent.append((_unquoted(found[1]), _count(found[2])))
        elif found["sample"]:
            is_sample = True
        elif found["counted"]:
            facts[found["counted"]] = str(_count(found["count"]))
        elif found["what"]:
            facts[found["what"]] = found["value"]
    after = text[at:].strip()
    return (None, (), after) if is_sample else (facts, tuple(frequent), after)


def _unquoted(text: str) -> str:
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return text[1:-1]


def _count(text: str) -> int:
    return int(text.replace(",", "")[:15] or 0)
