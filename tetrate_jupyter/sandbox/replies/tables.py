"""Reading a table in the prompt: the row with the most or least of something, a column's total or average."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.sandbox.replies.arithmetic import shown
from tetrate_jupyter.sandbox.replies.core import Core
from tetrate_jupyter.sandbox.replies.words import name_words, stem, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.sandbox.replies.reply import Ask

Row = dict[str, str]

_MOST: Final = frozenset(("most", "highest", "largest", "biggest", "best", "maximum", "max", "top"))
_LEAST: Final = frozenset(("least", "lowest", "smallest", "fewest", "cheapest", "worst", "minimum", "min"))
_TOTAL: Final = frozenset(("total", "sum", "altogether"))
_AVERAGE: Final = frozenset(("average", "mean"))
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,9})?")
_LINE = re.compile(r"^\s*\|(.+)\|\s*$", re.MULTILINE)


def tables(ask: Ask) -> Core | None:
    """Answer from the first table of the prompt, when the prompt names a column and says what is wanted of it."""
    rows = _rows(ask.prompt)
    asked = set(words(_LINE.sub("", ask.prompt)))
    column = next((name for name in (rows[0] if rows else ()) if _named(name, asked) and _numbers(rows, name)), None)
    if column is None:
        return None
    how = (f"I read the {len(rows)} rows of your table", f"I looked at the column `{column}`")
    if asked & _MOST:
        return _extreme(rows, column, max, "most", how)
    if asked & _LEAST:
        return _extreme(rows, column, min, "least", how)
    numbers = _numbers(rows, column)
    if asked & _AVERAGE:
        value = shown(Fraction(sum(numbers), len(numbers)))
        return Core(f"The average of `{column}` is **{value}**.", how, value)
    if asked & _TOTAL:
        value = shown(Fraction(sum(numbers)))
        return Core(f"The total of `{column}` is **{value}**.", how, value)
    return None


def _extreme(rows: list[Row], column: str, choose: Callable[..., Row], word: str, how: tuple[str, ...]) -> Core:
    row = choose((r for r in rows if _number(r[column]) is not None), key=lambda r: _number(r[column]))
    label = next((value for name, value in row.items() if name != column and _number(value) is None), "That row")
    return Core(f"**{label}** has the {word}: `{column}` is {row[column]}.", how, label)


def _rows(text: str) -> list[Row]:
    lines = [[cell.strip() for cell in line.split("|")] for line in _LINE.findall(text)]
    if len(lines) < 3 or not all(set(cell) <= set("-: ") for cell in lines[1]):
        return []
    return [dict(zip(lines[0], cells, strict=True)) for cells in lines[2:] if len(cells) == len(lines[0])]


def _named(column: str, asked: set[str]) -> bool:
    return bool({stem(w) for w in name_words(column)} & {stem(w) for w in asked})


def _numbers(rows: list[Row], column: str) -> list[Fraction]:
    return [number for row in rows if (number := _number(row[column])) is not None]


def _number(text: str) -> Fraction | None:
    plain = text.replace(",", "")
    return Fraction(plain) if _DECIMAL.fullmatch(plain) else None
