"""Answering questions about a table in the prompt: computed exactly from what was sent, or not at all.

Where only part of the rows was sent, only what the summary tells of all rows is an answer.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.sandbox.replies.answers import entries, said
from tetrate_jupyter.sandbox.replies.prompt_tables import tables_in
from tetrate_jupyter.sandbox.replies.reply import READ, text_of
from tetrate_jupyter.sandbox.replies.table_answers import answered
from tetrate_jupyter.sandbox.replies.table_code import code_of, quoted_name, what_of
from tetrate_jupyter.sandbox.replies.table_questions import (
    form_of,
    is_other_work,
    names_a_column,
    understood,
    variable_in,
)

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.replies.core import Core
    from tetrate_jupyter.sandbox.replies.prompt_tables import PromptTable
    from tetrate_jupyter.sandbox.replies.reply import Ask
    from tetrate_jupyter.sandbox.replies.table_questions import TableQuestion

# What was asked before: "the same", "that in SQL", "and this?"; in "a function that tells" it is something else.
_SAME: Final = re.compile(
    r"(?i)\bsame\b|\b(?:that|this|it|these|those)\b(?=\s*(?:[,.;:?!)]|\Z|(?:as|in|with|using|by|too|please|instead|now)\b))"
)
_MOST_NAMES: Final = 12
_TABLES: Final = 300_000  # characters that are read of prompts with a table written by us, line by line
_TITLED: Final = re.compile(r"(?:DataFrame|Table|RecordBatch|Series|Array)[^\n]{0,200}: [\d,]{1,20} (?:rows|values),")
_EARLIER: Final = 20  # messages in which a table is looked for


def tables(ask: Ask) -> Core | None:
    """Return an answer about the table in the prompt, or in an earlier one that the prompt goes on with; else None."""
    found, question = _read(_prompt(ask))
    asking = replace(ask, prompt=question[:READ])
    if not found:
        return _of_earlier(asking)
    if is_other_work(asking.prompt):
        return None
    named = [table for table in found if names_a_column(asking.prompt, table)]
    fits = found if len(found) == 1 else named
    asked = None
    if len(fits) == 1:
        asked = understood(asking.prompt or "Describe the table", fits[0])
    return (asked and _answer(asking, fits[0], asked)) or _not_understood(asking, found)


def _prompt(ask: Ask) -> str:
    """Return the prompt as it came: a table may be longer than what other skills read."""
    return next((text_of(m) for m in reversed(ask.messages) if m.get("role") == "user"), ask.prompt)


def _read(text: str, most: int = _TABLES) -> tuple[list[PromptTable], str]:
    if len(text) > READ and not _TITLED.search(text):
        most = READ
    return tables_in(text[:most], is_cut=len(text) > most)


def _of_earlier(ask: Ask) -> Core | None:
    read: list[tuple[list[PromptTable], str]] = []
    left = _TABLES
    for text in reversed(ask.earlier_prompts[-_EARLIER:]):  # the newest is what is gone on with
        read.insert(0, _read(text, max(left, READ)))
        left -= len(text)
    found = next((found for found, _ in reversed(read) if found), [])
    if len(found) != 1:
        return None
    table = found[0]
    asked = understood(ask.prompt, table)
    form = asked.form if asked else form_of(ask.prompt)
    if names_a_column(ask.prompt, table) or (asked and asked.kind == "rows"):
        return _answer(ask, table, asked) if asked else None
    if not (form and _SAME.search(ask.prompt)):
        return None
    if asked is None or asked.kind == "overview":
        before = (understood(rest, table) for _, rest in reversed(read))
        asked = next((each for each in before if each), None)
    return (asked and _answer(ask, table, replace(asked, form=form))) or _not_understood(ask, found)


def _answer(ask: Ask, table: PromptTable, asked: TableQuestion) -> Core | None:
    if asked.form:
        return _code(ask, table, asked)
    core = answered(ask, table, asked)
    return core or (None if table.is_whole else _part(ask, table, asked))


def _code(ask: Ask, table: PromptTable, asked: TableQuestion) -> Core | None:
    variable = variable_in([ask.prompt, *reversed(ask.earlier_prompts[-_EARLIER:])])
    code = code_of(asked, table, variable or "df", asked.form)
    if not code:
        return None
    slots = {
        "form": asked.form,
        "code": code,
        "what": what_of(asked, table),
        "name": "" if variable else "; `df` stands for your table",
        "names": _names(table),
    }
    core = said(entries()["Data code"], ask, **slots)
    bare = f"```{asked.form}\n{code}\n```"
    return replace(core, bare=bare, how=_HOW_CODE)


_HOW_CODE: Final = ("I took the names of your columns as they are", "I wrote the shortest code that I know for it")


def _part(ask: Ask, table: PromptTable, asked: TableQuestion) -> Core | None:
    code = code_of(asked, table, variable_in([ask.prompt]) or "df", "python")
    total = f"{table.total:,}" if table.total is not None else "an unknown number of"
    slots = {"sent": f"{table.rows:,}", "total": total, "what": what_of(asked, table), "code": code}
    core = said(entries()["Data part"], ask, **slots)
    return replace(core, how=("I looked at which rows were sent", "what isn't there can't be counted"))


def _not_understood(ask: Ask, found: list[PromptTable]) -> Core:
    shapes = []
    for table in found[:_MOST_NAMES]:
        total = f"{table.total:,}" if table.total is not None else "an unknown number of"
        part = "" if table.is_whole else f" ({table.rows:,} of them are here)"
        width = sum(c.place >= 0 for c in table.columns) + table.hidden
        shapes.append(f"a table of {total} rows{part} and {width:,} columns ({_names(table)})")
    core = said(entries()["Data not understood"], ask, tables=" and ".join(shapes), example=_example(found[0]))
    return replace(core, is_finished=True)


def _names(table: PromptTable) -> str:
    own = [c for c in table.columns if c.place >= 0]
    more = ", …" if len(own) > _MOST_NAMES or table.hidden else ""
    return ", ".join(quoted_name(c) for c in own[:_MOST_NAMES]) + more


def _example(table: PromptTable) -> str:
    measure = next((c for c in table.columns if c.is_number and c.place >= 0), None)
    by = next((c for c in table.columns if not c.is_number and not c.is_date), None)
    if measure is None:
        return "*how many rows are there?*"
    return f"*the mean of {quoted_name(measure)}{f' by {quoted_name(by)}' if by else ''}*"
