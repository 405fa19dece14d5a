"""Python and SQL over the table in a prompt, with its own names: the code that answers a question about it.

The pieces are in data/tables.json, by kind of question: `what` it finds, `fact` that says it, `python` and `sql`.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.sandbox.replies.words import DATA

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.replies.prompt_tables import PromptColumn, PromptTable
    from tetrate_jupyter.sandbox.replies.table_questions import TableQuestion

_SLOT: Final = re.compile(r"\{(\w+)\}")
_ODD_LABEL: Final = re.compile(
    r"-?[\d.]+(?:e[-+]?\d+)?|\d{4}-\d\d-\d\d.*|None|True|False|nan|NaN|.* / .*|.*…|", re.DOTALL
)
_AGGREGATES: Final = {"mean": "AVG", "sum": "SUM", "min": "MIN", "max": "MAX"}
_TEXTS: Final = frozenset({"", "str", "string", "object", "category", "large_string"})


@cache
def table_kinds() -> dict[str, dict[str, str]]:
    """Return the pieces of text and code of each kind of question."""
    found: dict[str, dict[str, str]] = json.loads((DATA / "tables.json").read_text("utf-8"))
    return found


def filled(text: str, slots: dict[str, str]) -> str:
    """Return a text with its slots filled; what stands in a value is never a slot."""
    return _SLOT.sub(lambda found: slots.get(found[1], found[0]), text)


def quoted_name(column: PromptColumn | None) -> str:
    """Return a column's name as code in Markdown, on one line."""
    name = " ".join(column.name.split()) if column else ""
    fence = "``" if "`" in name else "`"
    return f"{fence}{name}{fence}" if "`" not in name else f"{fence} {name} {fence}"


def what_of(question: TableQuestion, table: PromptTable) -> str:
    """Return in words what a question asks for."""
    return filled(table_kinds()[_piece(question, table)]["what"], _slots(question, table, "df"))


def code_of(question: TableQuestion, table: PromptTable, variable: str, form: str) -> str:
    """Return Python or SQL that answers a question about a table; "" where there is none."""
    piece = _piece(question, table)
    text = table_kinds().get(piece, {}).get(form, "")
    if not text or (form == "sql" and (question.where or question.what == "median" or table.is_one)):
        return ""
    name, start = variable, ""
    if form == "python" and (table.library or table.is_one):
        name, step = "table", ".to_pandas()" if table.library else ".to_frame()"
        if table.library and table.is_one:
            step += ".to_frame()"
        start = f"table = {variable}{step}\n"
    if question.where:
        column, value = question.where
        if column.dtype not in _TEXTS:
            return ""
        start += f"part = {name}[{_expression(column, table, name)} == {value!r}]\n"
        name = "part"
    code = filled(text, _slots(question, table, name))
    if not start:
        return code
    imports, _, rest = code.rpartition("\n\n") if code.startswith("import ") else ("", "", code)
    return f"{imports}\n\n{start}{rest}" if imports else f"{start}{rest}"


def _piece(question: TableQuestion, table: PromptTable) -> str:
    if question.kind == "missing" and question.measure is None:
        return "all_missing"
    if question.kind != "plot":
        return question.kind
    measure, by, other = _plotted(question, table)
    if measure is None:
        return "plot_counts" if by else "overview"
    if by is not None:
        return "plot_line" if by.is_date else "plot_bar"
    return "plot_scatter" if other else "plot_histogram"


def _plotted(
    question: TableQuestion, table: PromptTable
) -> tuple[PromptColumn | None, PromptColumn | None, PromptColumn | None]:
    """Return the columns to plot: those that are named, else a number over dates, by names, or against another."""
    measure, by, other = question.measure, question.by, question.other
    if measure is None:
        able = [c for c in table.columns if c.is_number and c.place >= 0]
        measure = next(iter(able), None)
        other = next(iter(able[1:]), None) if by is None else None
        if by is None and question.measure is None:
            rest = [c for c in table.columns if not c.is_number and c is not measure]
            by = next((c for c in rest if c.is_date), None) or next(iter(rest), None)
    return measure, by, other


def _slots(question: TableQuestion, table: PromptTable, name: str) -> dict[str, str]:
    measure, by, other = question.measure, question.by, question.other
    if question.kind == "plot":
        measure, by, other = _plotted(question, table)
    is_max = question.best != "min"
    slots = {
        "df": name,
        "stat": question.what or question.best,
        "best": question.best or "max",
        "end": "highest" if is_max else "lowest",
        "most": "most" if is_max else "fewest",
        "ascending": str(not is_max),
        "order": "DESC" if is_max else "ASC",
        "n": str(question.top),
        "table": _identifier(name),
        "agg": _AGGREGATES.get(question.what or question.best, "COUNT"),
        "names": _listed(_simple_names(table)),
        "fills": "\n".join(_fills(question, table)),
    }
    for letter, column in (("y", measure), ("x", by), ("z", other)):
        if column is not None:
            slots |= {
                letter: _expression(column, table, name),
                letter.upper(): quoted_name(column),
                f"{letter}label": repr(column.name.replace("$", "\\$")),
                f"q{letter}": _identifier(column.name),
            }
    return slots


def _expression(column: PromptColumn, table: PromptTable, name: str) -> str:
    if column.place < 0:
        return f"{name}.index.to_series()"
    if _is_plain(column, table):
        return f"{name}[{column.name!r}]"
    return f"{name}.iloc[:, {column.place}]"


def _is_plain(column: PromptColumn, table: PromptTable) -> bool:
    """Whether a column is found by its name: it is a text for certain, whole, and of one column only."""
    is_one_of = sum(c.name == column.name and c.place >= 0 for c in table.columns) > 1
    return not (is_one_of or table.is_one or _ODD_LABEL.fullmatch(column.name))


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _listed(names: list[str]) -> str:
    return "[\n" + "".join(f"    {name!r},\n" for name in names) + "]"


def _simple_names(table: PromptTable) -> list[str]:
    found: list[str] = []
    for column in table.columns:
        if column.place < 0:
            continue
        simple = re.sub(r"\W+", "_", column.name.casefold()).strip("_") or "column"
        simple = f"c_{simple}" if simple[0].isdigit() else simple
        number = next(
            n for n in range(1, len(table.columns) + 2) if (simple if n == 1 else f"{simple}_{n}") not in found
        )
        found.append(simple if number == 1 else f"{simple}_{number}")
    return found


def _fills(question: TableQuestion, table: PromptTable) -> list[str]:
    found = []
    for column in [question.measure] if question.measure else table.columns:
        is_empty = len(column.present) < len(column.cells) or (column.told or {}).get("missing", "0") != "0"
        if column.place < 0 or not (is_empty or question.measure):
            continue
        old = _expression(column, table, "filled")
        new = f"{old}.fillna({old}.{'median()' if column.is_number else 'mode().iloc[0]'})"
        new = f"{old}.ffill()" if column.is_date else new
        found.append(f"filled.isetitem({column.place}, {new})  # {' '.join(column.name.split())}")
    return found or ["# no cell is empty in what was sent"]
