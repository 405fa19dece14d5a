"""Answering questions about a table in the prompt exactly: extremes, totals, means, groups, counts, an overview.

If the prompt says that only part of the rows was sent, the answer says so, too; its summary counts for all rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.sandbox.replies.answers import entries, said
from tetrate_jupyter.sandbox.replies.arithmetic import shown
from tetrate_jupyter.sandbox.replies.core import Core
from tetrate_jupyter.sandbox.replies.words import LISTS, name_words, stem, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.sandbox.replies.reply import Ask

TableRow = dict[str, str]

_SUMS: Final = frozenset(("total", "sum", "altogether", "overall"))
_MEANS: Final = frozenset(("average", "mean", "avg"))
_ADDED: Final = frozenset(("most", "least", "fewest", "top", "best"))
_GROUPED: Final = re.compile(r"\b(?:by|per|each|every|group(?:ed|by)?)\b", re.IGNORECASE)
_OVERVIEW: Final = re.compile(
    r"\b(?:summar\w*|describe|overview|analy[sz]e|insights?|stand(?:s)? out|tell me about|look at|trends?|patterns?)\b",
    re.IGNORECASE,
)
_DECIMAL: Final = re.compile(r"-?\d{1,15}(\.\d{1,9})?")
_LINE: Final = re.compile(r"^\s*\|(.+)\|\s*$", re.MULTILINE)
_NO_QUESTION: Final = re.compile(  # a table, and the notes on it
    r"^(?:\s*\|.*\||\[Only .*|Summary of all .*|- .+: [\d,]+ values, .*|DataFrame: .*"
    r"|.*: (?:str|int64|float64|object)\b.*)$",
    re.MULTILINE,
)
_CELL: Final = re.compile(r"(?<!\\)\|")
_PART: Final = re.compile(r"\[Only ([\d,]+) of ([\d,]+) rows are here")
_OF_ALL: Final = r"^- {}: .*?\b{} (?:≈ )?(-?[\d.]+)"
_MOST_GROUPS: Final = 12
_MOST_BULLETS: Final = 8


@dataclass(frozen=True)
class PromptTable:
    """A table in a prompt. `part`: the numbers of rows sent and in all, None where all were sent."""

    rows: list[TableRow]
    text: str
    part: tuple[str, str] | None

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return list(self.rows[0])

    def numbers(self, column: str) -> list[Fraction]:
        """Return the numbers in a column."""
        return [number for row in self.rows if (number := _number(row[column])) is not None]

    def is_number(self, column: str) -> bool:
        """Whether most of a column are numbers; False for an index."""
        return column.lower() not in {"index", "id"} and 2 * len(self.numbers(column)) > len(self.rows)

    def told(self, column: str, what: str) -> str | None:
        """Return a figure for all rows from the prompt's summary."""
        found = re.search(_OF_ALL.format(re.escape(column), what), self.text, re.MULTILINE) if self.part else None
        return found[1].rstrip(".") if found else None

    def scope(self, *, all_told: bool = False) -> str:
        """Return a sentence on which rows the figures are about, "" for all rows."""
        if self.part is None:
            return ""
        if all_told:
            return f"These figures are those of all {self.part[1]} rows, from the summary that was sent along."
        return f"This is about the {self.part[0]} rows that were sent, of {self.part[1]}."


def tables(ask: Ask) -> Core | None:
    """Return an answer from the table in the prompt, or in an earlier one with a column that is named; else None."""
    text = next((t for t in (ask.prompt, *reversed(ask.earlier_prompts)) if _rows(t)), None)
    if text is None:
        return None
    part = _PART.search(text)
    sheet = PromptTable(_rows(text), text, (part[1], part[2]) if part else None)
    question = _NO_QUESTION.sub("", ask.prompt)
    asked = words(question)
    named = [column for column in sheet.columns if _is_named(column, asked)]
    numeric = [column for column in named if sheet.is_number(column)]
    labels = [column for column in named if not sheet.is_number(column)]
    if not numeric and (labels or text is ask.prompt):
        numeric = [column for column in sheet.columns if sheet.is_number(column)][:1] if labels else []
    if text is ask.prompt and _OVERVIEW.search(question) and not set(asked) & (_SUMS | _MEANS):
        return _overview(ask, sheet)
    if re.search(r"\bhow many (?:rows|records|lines|entries)\b", question, re.IGNORECASE):
        count = sheet.part[1] if sheet.part else f"{len(sheet.rows):,}"
        return Core(f"There are **{count}** rows.", ("I counted the lines of your table",), count)
    return _of_column(ask, sheet, numeric[0], labels, question) if numeric else None


def _of_column(ask: Ask, sheet: PromptTable, column: str, labels: list[str], question: str) -> Core | None:
    asked = set(words(question))
    best = max if asked & LISTS["most"] else min if asked & LISTS["least"] else None
    by = next((label for label in labels if len({r[label] for r in sheet.rows}) < len(sheet.rows)), None)
    is_mean = bool(asked & _MEANS)
    if by is None and labels and _GROUPED.search(question):
        by = labels[0]
    # "Who sold most" needs sums, "where is the highest price" needs single rows.
    adds_up = best is not None and bool(asked & (_ADDED | _SUMS | _MEANS))
    if by is not None and (adds_up or (best is None and _GROUPED.search(question))):
        return _groups(ask, sheet, column, by, best, is_mean=is_mean)
    if best is not None and not (asked & {"value", "values"} and not labels):
        return _extreme(ask, sheet, column, best)
    if not (is_mean or asked & (_SUMS | {"median"}) or best is not None):
        return None
    what = "mean" if is_mean else "median" if "median" in asked else "sum" if best is None else best.__name__
    return _value(ask, sheet, column, what)


def _value(ask: Ask, sheet: PromptTable, column: str, what: str) -> Core:
    numbers = sorted(sheet.numbers(column))
    middle = (numbers[(len(numbers) - 1) // 2] + numbers[len(numbers) // 2]) / 2
    own = {"sum": sum(numbers), "mean": Fraction(sum(numbers), len(numbers)), "median": middle}
    own |= {"max": numbers[-1], "min": numbers[0]}
    of_all = sheet.told(column, what)
    core = said(
        entries()["Data value"],
        ask,
        what={"sum": "total", "mean": "average", "max": "largest value", "min": "smallest value"}.get(what, what),
        column=column,
        value=of_all or shown(Fraction(own[what])),
        count=sheet.part[1] if sheet.part and of_all else f"{len(numbers):,}",
        profile=_range(sheet, column, of_all=bool(of_all))
        + ("." if sheet.part else f"; the median is {shown(middle)}."),
    )
    return _honest(core, sheet, sheet.scope(all_told=bool(of_all)))


def _range(sheet: PromptTable, column: str, *, of_all: bool = True) -> str:
    numbers = sheet.numbers(column)
    low, high = ((of_all and sheet.told(column, w)) or shown(f(numbers)) for w, f in (("min", min), ("max", max)))
    return f"`{column}` goes from {low} to {high}"


def _extreme(ask: Ask, sheet: PromptTable, column: str, best: Callable[..., TableRow]) -> Core:
    word, descending = ("most", True) if best is max else ("least", False)
    known = [row for row in sheet.rows if _number(row[column]) is not None]
    ranked = sorted(known, key=lambda row: _number(row[column]) or 0, reverse=descending)
    second = f"Next is {_label(ranked[1], sheet)} with {ranked[1][column]}." if len(ranked) > 1 else ""
    core = said(
        entries()["Data most"],
        ask,
        label=_label(ranked[0], sheet),
        word=word,
        column=column,
        value=ranked[0][column],
        second=second,
        ranking=_table(["", column], [[_label(row, sheet), row[column]] for row in ranked[:_MOST_GROUPS]]),
    )
    return _honest(Core(core.answer, bare=_label(ranked[0], sheet)), sheet)


def _groups(
    ask: Ask, sheet: PromptTable, column: str, by: str, best: Callable[..., TableRow] | None, *, is_mean: bool
) -> Core:
    found: dict[str, list[Fraction]] = {}
    for row in sheet.rows:
        if (number := _number(row[column])) is not None:
            found.setdefault(row[by], []).append(number)
    values = {label: Fraction(sum(n), len(n) if is_mean else 1) for label, n in found.items()}
    ranked = sorted(values, key=lambda label: values[label], reverse=best is not min)
    what = "average" if is_mean else "total"
    lines = [[label, shown(values[label]), f"{len(found[label]):,}"] for label in ranked[:_MOST_GROUPS]]
    slots = {
        "label": ranked[0],
        "value": shown(values[ranked[0]]),
        "what": what,
        "column": column,
        "by": by,
        "table": _table([by, f"{what} {column}", "rows"], lines),
    }
    if best is None:
        return _honest(said(entries()["Data groups"], ask, **slots), sheet)
    second = f"Next is {ranked[1]} with {shown(values[ranked[1]])}." if len(ranked) > 1 else ""
    word = "most" if best is max else "least"
    ranking = {"word": word, "second": second, "ranking": slots["table"], "column": f"{what} {column}"}
    return _honest(said(entries()["Data most"], ask, **{**slots, **ranking}), sheet)


def _overview(ask: Ask, sheet: PromptTable) -> Core:
    told = []
    for column in sheet.columns[:_MOST_BULLETS]:
        numbers = sheet.numbers(column)
        if sheet.is_number(column):
            mean = sheet.told(column, "mean") or shown(Fraction(sum(numbers), len(numbers)))
            told.append(f"{_range(sheet, column)}, {mean} on average")
        elif column.lower() != "index":
            cells = list(dict.fromkeys(row[column] for row in sheet.rows))
            some = ", ".join(cells[:3]) + (", …" if len(cells) > 3 else "")
            told.append(f"`{column}`: {len(cells)} different ({some})")
    numeric = [column for column in sheet.columns if sheet.is_number(column)]
    empty = [c for c in sheet.columns if any(row[c] in {"", "NaN", "None", "<NA>", "NaT"} for row in sheet.rows)]
    hint = f"`{empty[0]}` has empty cells: decide whether to leave them out." if empty else "no cell is empty."
    core = said(
        entries()["Data overview"],
        ask,
        count=sheet.part[1] if sheet.part else f"{len(sheet.rows):,}",
        width=str(len(sheet.columns)),
        names=", ".join(f"`{column}`" for column in sheet.columns),
        first=f"{next((t for t in told if 'average' in t), told[0])}." if told else "",
        bullets="\n".join(f"- {line}" for line in told),
        hint=hint,
    )
    told_of_all = sheet.part is not None and sheet.told(next(iter(numeric), ""), "min") is not None
    return _honest(Core(core.answer), sheet, sheet.scope(all_told=told_of_all))


def _honest(core: Core, sheet: PromptTable, scope: str | None = None) -> Core:
    """Return the answer with how it was found and, if only part of the rows was sent, which rows it is about."""
    how = (f"I read the {len(sheet.rows)} rows of your table", "I calculated with exact fractions")
    said_so_far = re.sub(r"\n{3,}", "\n\n", core.answer).strip()  # a slot may have been empty
    text = "\n\n".join(filter(None, (said_so_far, sheet.scope() if scope is None else scope)))
    return Core(text, how, core.bare)


def _label(row: TableRow, sheet: PromptTable) -> str:
    return next((row[column] for column in sheet.columns if _number(row[column]) is None), "That row")


def _table(head: list[str], lines: list[list[str]]) -> str:
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *lines))


def _rows(text: str) -> list[TableRow]:
    lines = [[cell.strip() for cell in _CELL.split(line)] for line in _LINE.findall(text)]
    if len(lines) < 3 or not all(set(cell) <= set("-: ") for cell in lines[1]):
        return []
    body = [cells for cells in lines[2:] if len(cells) == len(lines[0]) and set(cells) != {"…"}]
    return [dict(zip(lines[0], cells, strict=True)) for cells in body]


def _is_named(column: str, asked: list[str]) -> bool:
    return bool({stem(w) for w in name_words(column)} & {stem(w) for w in asked})


def _number(text: str) -> Fraction | None:
    plain = text.replace(",", "")
    return Fraction(plain) if _DECIMAL.fullmatch(plain) else None
