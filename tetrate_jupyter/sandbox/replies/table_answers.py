"""The words of an answer about a table: one figure, the first of a ranking, groups, an overview, other facts."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.sandbox.replies import table_figures as figures
from tetrate_jupyter.sandbox.replies.answers import entries, said
from tetrate_jupyter.sandbox.replies.core import Core
from tetrate_jupyter.sandbox.replies.prompt_tables import number
from tetrate_jupyter.sandbox.replies.table_code import filled, quoted_name, table_kinds
from tetrate_jupyter.sandbox.replies.table_figures import Ranked, figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.sandbox.replies.prompt_tables import PromptColumn, PromptTable
    from tetrate_jupyter.sandbox.replies.reply import Ask
    from tetrate_jupyter.sandbox.replies.table_questions import TableQuestion

_MOST_LINES: Final = 12
_MOST_BULLETS: Final = 8
_MOST_SHARED: Final = 3
_LONGEST_NAME: Final = 80
_SPOKEN: Final = {"sum": "total", "mean": "average", "max": "largest value", "min": "smallest value"}
_HOW: Final = "I calculated with exact fractions"


def answered(ask: Ask, table: PromptTable, asked: TableQuestion) -> Core | None:
    """Return the answer to a question; None where it can't be told exactly from what was sent."""
    whole = table.where(*asked.where) if asked.where else table
    if asked.where:
        measure, by, other = (_same(whole, column) for column in (asked.measure, asked.by, asked.other))
        asked = replace(asked, measure=measure, by=by, other=other)
    if asked.by is not None and asked.by.is_cut:  # two names that were cut may look the same
        return None
    makers: dict[str, Callable[[Ask, PromptTable, TableQuestion], Core | None]] = {
        "value": _value, "extreme": _best, "group_best": _best, "count_best": _best, "groups": _groups,
        "counts": _groups, "top": _groups, "group_top": _groups, "overview": _overview,
    }  # fmt: skip
    core = makers.get(asked.kind, _fact)(ask, whole, asked)
    if core is None:
        return None
    scope = (
        "" if table.is_whole else f"This is told of all {table.total or 0:,} rows by the summary that was sent along."
    )
    if asked.where:
        kept = f"{whole.rows:,} of {table.rows:,}"
        scope = f"Only rows with {quoted_name(asked.where[0])} {_one_line(asked.where[1])} are counted, {kept}."
    text = re.sub(r"\n{3,}", "\n\n", core.answer).strip()  # a slot may have been empty
    how = core.how or (f"I read the {table.rows} rows of your table", _HOW)
    return Core("\n\n".join(filter(None, (text, scope))), how, core.bare)


def _same(table: PromptTable, column: PromptColumn | None) -> PromptColumn | None:
    return next((c for c in table.columns if column is not None and c.place == column.place), None)


def _one_line(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…"


def _name(column: PromptColumn) -> str:
    return _one_line(column.name).replace("`", "'")


def _labelled(name: str, by: PromptColumn) -> str:
    """Return a value as the name of a thing; a number or a date with its column, since it names nothing."""
    is_text = not by.is_number and not by.is_date and name not in by.missing
    return _one_line(name) if is_text and number(name) is None else f"`{_name(by)}` {_one_line(name)}"


# --- one figure ----------------------------------------------------------------------------------------------


def _value(ask: Ask, table: PromptTable, asked: TableQuestion) -> Core | None:
    column = asked.measure
    if column is None:
        return None
    value, count = (column.told or {}).get(asked.what, ""), (column.told or {}).get("values", "")
    profile = ""
    if table.is_whole:
        numbers = column.numbers()
        if not numbers:
            return None
        value, count = figure(figures.statistic(numbers, asked.what)), str(len(numbers))
        profile = f"{_range(column)}; the median is {figure(figures.statistic(numbers, 'median'))}."
    elif column.told and {"min", "max"} <= set(column.told):
        profile = f"{_range(column)}."
    if not value:
        return None
    return said(
        entries()["Data value"],
        ask,
        what=_SPOKEN.get(asked.what, asked.what),
        column=_name(column),
        value=value,
        count=f"{int(count):,}" if count else "all",
        profile=profile,
    )


def _range(column: PromptColumn) -> str:
    told, numbers = column.told or {}, column.numbers()
    low, high = (told.get(w) or figure(figures.statistic(numbers, w)) for w in ("min", "max"))
    return f"`{_name(column)}` goes from {low} to {high}"


# --- a ranking -----------------------------------------------------------------------------------------------


def _best(ask: Ask, table: PromptTable, asked: TableQuestion) -> Core | None:
    if asked.by is None:
        return None
    ranked = _told_counts(asked) if asked.kind == "count_best" and not table.is_whole else _ranking(table, asked)
    if not ranked:
        return None
    by, word = asked.by, "most" if asked.best == "max" else "least"
    shared = [_labelled(name, by) for name in figures.first_ones(ranked)]
    more = f" and {len(shared) - _MOST_SHARED} more" if len(shared) > _MOST_SHARED else ""
    label = f"{', '.join(shared[:_MOST_SHARED])}{more}"
    next_ones = [each for each in ranked if each.value != ranked[0].value]
    second = f"Next is {_labelled(next_ones[0].name, by)} with {_shown(next_ones[0], asked)}." if next_ones else ""
    core = said(
        entries()["Data most"],
        ask,
        label=label,
        has="have" if len(shared) > 1 else "has",
        word=word,
        column=_of_what(asked),
        value=_shown(ranked[0], asked),
        second=second,
        ranking=_ranking_table(asked, ranked),
    )
    return replace(core, bare=label)


def _ranking(table: PromptTable, asked: TableQuestion) -> list[Ranked]:
    lowest = asked.best == "min"
    if not table.is_whole or (asked.measure is None and asked.by is None):
        return []
    if asked.measure is None:
        return figures.by_count(asked.by, lowest_first=lowest) if asked.by else []
    if asked.kind in {"extreme", "top"} or asked.by is None:
        return figures.by_row(asked.measure, asked.by, lowest_first=lowest)
    return figures.by_group(asked.measure, asked.by, asked.what, lowest_first=lowest)


def _told_counts(asked: TableQuestion) -> list[Ranked]:
    """Return the most frequent values that the summary tells; [] where one that it leaves out may be as frequent."""
    if asked.by is None or asked.best != "max" or not asked.by.told:
        return []
    ranked = [Ranked(name, Fraction(count), count) for name, count in asked.by.frequent]
    is_all = len(ranked) == int(asked.by.told.get("different", "0"))
    tied = len(ranked) < 2 or ranked[0].value == ranked[-1].value
    return ranked if ranked and (is_all or not tied) else []


def _shown(each: Ranked, asked: TableQuestion) -> str:
    if asked.kind == "extreme" and asked.measure is not None:  # as it was sent
        return next(cell for cell in asked.measure.cells if number(cell) == each.value)
    return figure(each.value)


def _of_what(asked: TableQuestion) -> str:
    if asked.measure is None:
        return "number of rows"
    spoken = {**_SPOKEN, "max": "highest", "min": "lowest"}.get(asked.what, asked.what)
    return f"{spoken} {_name(asked.measure)}".strip()


def _ranking_table(asked: TableQuestion, ranked: list[Ranked]) -> str:
    head = [asked.by.name if asked.by else "row", _of_what(asked)]
    rows = [[each.name, _shown(each, asked), f"{each.rows:,}"] for each in ranked[:_MOST_LINES]]
    if asked.kind in {"extreme", "top"} or asked.measure is None:
        return _table(head, [row[:2] for row in rows])
    return _table([*head, "rows"], rows)


def _groups(ask: Ask, table: PromptTable, asked: TableQuestion) -> Core | None:
    ranked = _ranking(table, asked)
    if not ranked:
        return None
    kept = ranked[: asked.top] if asked.top else ranked
    core = said(
        entries()["Data groups"],
        ask,
        label=_labelled(ranked[0].name, asked.by) if asked.by else f"Row {ranked[0].name}",
        value=_shown(ranked[0], asked),
        of=_of_what(asked) if asked.measure is None or asked.what else _name(asked.measure),
        by=_name(asked.by) if asked.by else "row",
        table=_ranking_table(asked, kept),
    )
    left = len(kept) - _MOST_LINES
    return replace(core, answer=f"{core.answer}\n\nand {left:,} more." if left > 0 else core.answer)


def _table(head: list[str], lines: list[list[str]]) -> str:
    marks = ["---", *["---:"] * (len(head) - 1)]
    cells = [[_one_line(cell).replace("|", "\\|") for cell in row] for row in (head, *lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (cells[0], marks, *cells[1:]))


# --- other facts ---------------------------------------------------------------------------------------------


def _fact(ask: Ask, table: PromptTable, asked: TableQuestion) -> Core | None:
    if asked.kind == "missing" and asked.measure is None:
        slots = _all_missing(table)
    else:
        makers = {"rows": _rows, "missing": _missing, "distinct": _distinct}
        of_all = {"correlation": _correlation, "trend": _trend, "outliers": _outliers}
        make = makers.get(asked.kind) or (of_all.get(asked.kind) if table.is_whole else None)
        slots = make(table, asked) if make else None
    if slots is None:
        return None
    piece = "all_missing" if asked.kind == "missing" and asked.measure is None else asked.kind
    names = {"Y": quoted_name(asked.measure), "Z": quoted_name(asked.other), "count": f"{table.total or table.rows:,}"}
    fact = filled(table_kinds()[piece]["fact"], {**names, **slots})
    core = said(entries()["Data fact"], ask, fact=fact, ranking=slots.get("ranking", ""))
    return replace(core, bare=slots["value"])


def _rows(table: PromptTable, _: TableQuestion) -> dict[str, str] | None:
    return None if table.total is None else {"value": f"{table.total:,}"}


def _empty(table: PromptTable, column: PromptColumn) -> int | None:
    if table.is_whole:
        return len(column.cells) - len(column.present)
    return int(column.told["missing"]) if column.told and "missing" in column.told else None


def _missing(table: PromptTable, asked: TableQuestion) -> dict[str, str] | None:
    count = _empty(table, asked.measure) if asked.measure else None
    return None if count is None else {"value": f"{count:,}"}


def _all_missing(table: PromptTable) -> dict[str, str] | None:
    own = [column for column in table.columns if column.place >= 0]
    counts = [_empty(table, column) for column in own]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts) or table.hidden:
        return None
    lines = [[column.name, f"{count:,}"] for column, count in zip(own, known, strict=True)]
    return {"value": f"{sum(known):,}", "ranking": _table(["column", "empty cells"], lines)}


def _distinct(table: PromptTable, asked: TableQuestion) -> dict[str, str] | None:
    column = asked.measure
    if column is None or column.is_cut:
        return None
    if table.is_whole:
        same = {number(cell) if column.is_number else cell for cell in column.present}
        return {"value": f"{len(same):,}"}
    told = (column.told or {}).get("different")
    return {"value": f"{int(told):,}"} if told else None


def _correlation(_: PromptTable, asked: TableQuestion) -> dict[str, str] | None:
    found = figures.correlation(asked.measure, asked.other) if asked.measure and asked.other else None
    return {"value": f"{found[0]:.4f}", "count": f"{found[1]:,}"} if found else None


def _trend(_: PromptTable, asked: TableQuestion) -> dict[str, str] | None:
    numbers = asked.measure.numbers() if asked.measure else []
    if len(numbers) < 2:
        return None
    ends = {"first": figure(numbers[0]), "last": figure(numbers[-1]), "count": f"{len(numbers):,}"}
    return {"value": figure(figures.slope(numbers)), **ends}


def _outliers(_: PromptTable, asked: TableQuestion) -> dict[str, str] | None:
    numbers = asked.measure.numbers() if asked.measure else []
    if not numbers:
        return None
    low, high = figures.fences(numbers)
    outside = sorted(value for value in numbers if not low <= value <= high)
    listed = ", ".join(figure(value) for value in outside[:_MOST_LINES])
    details = f": {listed}{', …' if len(outside) > _MOST_LINES else ''}" if outside else ""
    bounds = {"first": figure(low), "last": figure(high), "count": f"{len(numbers):,}"}
    return {"value": f"{len(outside):,}", "details": details, **bounds}


# --- an overview ---------------------------------------------------------------------------------------------


def _overview(ask: Ask, table: PromptTable, _: TableQuestion) -> Core | None:
    if table.total is None:
        return None
    own = [column for column in table.columns if column.place >= 0]
    told = [line for column in own[:_MOST_BULLETS] if (line := _column_line(table, column))]
    empty = [(column, _empty(table, column)) for column in own]
    holes = [column for column, count in empty if count]
    hint = f"{quoted_name(holes[0])} has empty cells: decide whether to leave them out." if holes else ""
    if not hint:
        is_known = all(count is not None for _, count in empty) and not table.hidden
        hint = "no cell is empty." if is_known else "not of all columns it is known whether cells are empty."
    core = said(
        entries()["Data overview"],
        ask,
        count=f"{table.total:,}",
        width=f"{len(own) + table.hidden:,}",
        names=", ".join(map(quoted_name, own)),
        first=f"{next((t for t in told if 'average' in t), told[0])}." if told else "",
        bullets="\n".join(f"- {line}" for line in told),
        hint=hint,
    )
    return replace(core, bare=None)


def _column_line(table: PromptTable, column: PromptColumn) -> str:
    return _whole_line(column) if table.is_whole else _told_line(column)


def _whole_line(column: PromptColumn) -> str:
    if column.is_number:
        return f"{_range(column)}, {figure(figures.statistic(column.numbers(), 'mean'))} on average"
    cells = list(dict.fromkeys(map(_one_line, column.present)))
    if column.is_cut or not cells:
        return ""
    some = ", ".join(cells[:3]) + (", …" if len(cells) > 3 else "")
    return f"{quoted_name(column)}: {len(cells)} different ({some})"


def _told_line(column: PromptColumn) -> str:
    told = column.told or {}
    if {"min", "max"} <= set(told):
        return f"{_range(column)}, {told['mean']} on average" if "mean" in told else _range(column)
    if "different" in told:
        top = f", most often {_one_line(column.frequent[0][0])}" if column.frequent else ""
        return f"{quoted_name(column)}: {int(told['different']):,} different{top}"
    return ""
