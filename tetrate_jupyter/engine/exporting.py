"""Export of a conversation: as Markdown, as the API's messages, as cells of a notebook; as a value or a file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tetrate_jupyter import secrecy, whole_files
from tetrate_jupyter.completion.request import wire_message
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.http.chunk_reading import whole
from tetrate_jupyter.ledger.window import total_of
from tetrate_jupyter.render.numbers import money
from tetrate_jupyter.types import Usage

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from tetrate_jupyter.conversation import Exchange

FORMS: Final = ("md", "json", "cells")
Exported: TypeAlias = "str | list[dict[str, Any]]"
_MODEL: Final = re.compile(r"[\w./:@+][\w./:@+-]{0,199}")  # an id that can stand on a magic's line
_SPECIAL: Final = re.compile(r"[\\`*_\[\]<>&$]")  # what would be more than text in a heading
_QUOTED: Final = r"\\\g<0>"
_LINE_END: Final = re.compile(r"\r\n|\r|\n")  # in Markdown each ends a line, and what follows would leave the quotation
_PART: Final = "*(This answer is not whole.)*"


class Document(str):
    """A text that a cell shows as it is, not as Python writes it."""

    __slots__ = ()

    def __repr__(self) -> str:
        from tetrate_jupyter.render.plain import plain

        return plain(self)


def exported(exchanges: Sequence[Exchange], form: str, name: str = "") -> Exported:
    """Return a conversation in one of `FORMS`. Raises `OptionError` for another one.

    `name`: what stands above it as a heading; the API's messages have no place for one.
    """
    if form not in FORMS:
        raise OptionError(f"A conversation can't be exported as {form!r}.", next_step=f"use one of: {', '.join(FORMS)}")
    made: Exported
    if form == "md":
        return Document(secrecy.redact(_heading(name) + _markdown(exchanges)))
    made = _messages(exchanges) if form == "json" else [*_title(name), *_cells(exchanges)]
    found: list[dict[str, Any]] = secrecy.redacted(made)
    return found


def saved(exchanges: Sequence[Exchange], form: str, file: str | os.PathLike[str], name: str = "") -> Path:
    """Write a conversation to a file, as a whole or not at all; cells become a notebook. Raises `OptionError`."""
    made = exported(exchanges, form, name)
    if form == "cells":
        first = _cell("%load_ext tetrate_jupyter", "load", [])
        text = _json({"cells": [first, *made], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    else:
        text = made if isinstance(made, str) else _json(made)
    try:
        return whole_files.written(
            whole_files.named(file), lambda beside: beside.write_text(text, encoding="utf-8", newline="\n")
        )
    except OSError as failed:
        problem = whole_files.reason(failed)
    raise OptionError(
        f"{whole_files.shown(file)} can't be written: {problem}.", next_step="choose a folder you may write to"
    )


def _asked(exchange: Exchange) -> str:
    """Return a question as the person wrote it."""
    return whole(exchange.user.content if exchange.user.typed is None else exchange.user.typed)


def _said(exchange: Exchange) -> str:
    """Return all text that the model wrote, before and after its tools."""
    return whole("\n\n".join(m.content for m in exchange.replies if m.role == "assistant" and m.content.strip()))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _messages(exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    return [wire_message(message) for exchange in exchanges for message in exchange.messages()]


# --- Markdown ----------------------------------------------------------------------------------------------------


def _heading(name: str) -> str:
    return f"# {_SPECIAL.sub(_QUOTED, name)}\n\n" if name else ""


def _markdown(exchanges: Sequence[Exchange]) -> str:
    """Return questions as quotations, answers as the models wrote them, each under the model's name."""
    parts = [f"*{_sum(exchanges)}*"] if exchanges else ["*An empty conversation.*"]
    for exchange in exchanges:
        entry = exchange.entry
        parts.append("> " + _LINE_END.sub(r"\g<0>> ", _asked(exchange)))
        parts += [f"> *({image.label}, {image.size:,} bytes)*" for image in exchange.user.images]
        parts.append(f"**{_name(entry.answered or entry.asked) if entry is not None else 'Answer'}**")
        parts.append(_said(exchange))
        if exchange.partial:
            parts.append(_PART)
    return "\n\n".join(part for part in parts if part) + "\n"


def _sum(exchanges: Sequence[Exchange]) -> str:
    entries = [each.entry for each in exchanges if each.entry is not None]
    words = [f"{len(exchanges):,} answer{'' if len(exchanges) == 1 else 's'}"]
    if entries:
        cost = total_of(entries).cost
        words.insert(0, f"{entries[-1].time:%Y-%m-%d %H:%M} UTC")
        words.append("cost unknown" if cost is None else f"≈ {money(cost)}")
    return " · ".join(words)


def _name(model: str) -> str:
    from tetrate_jupyter.characters import MAX_NAME, one_line

    return one_line(model, MAX_NAME).replace("*", "")


# --- cells -------------------------------------------------------------------------------------------------------


def _cells(exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    """Return a cell for each question that asks it again, with its answer as the output."""
    return [_cell(_source(each), each.id, [_output(each)]) for each in exchanges]


def _title(name: str) -> list[dict[str, Any]]:
    if not name:
        return []
    return [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": _heading(name).strip()}]


def _cell(source: str, identity: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    name = re.sub(r"[^A-Za-z0-9_-]", "-", identity)[:64] or "cell"
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
        "outputs": outputs,
        "source": source,
    }


def _source(exchange: Exchange) -> str:
    entry, user = exchange.entry, exchange.user
    options = ["%%tetrate"]
    if entry is not None and _MODEL.fullmatch(entry.asked):
        options.append(f"-m {entry.asked}")
    if user.typed is None and ("{" in user.content or "@" in user.content):
        options.append("-n")  # what stands in braces there, or behind an @, is text
    return " ".join(options) + "\n" + _asked(exchange)


def _output(exchange: Exchange) -> dict[str, Any]:
    from tetrate_jupyter.render.answer import answer_html, answer_plain, footer
    from tetrate_jupyter.render.markdown import render

    entry, text = exchange.entry, _said(exchange)
    line = ""
    if entry is not None:
        usage = entry.usage if entry.usage is not None else Usage()
        name = entry.answered or entry.asked
        line = footer(name, asked_id=entry.asked, timing=entry.timing, usage=usage, cost=entry.cost)
    notices = exchange.notices
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {
            "text/html": answer_html(render(text), footer=line, notices=notices, reasoning=exchange.reasoning),
            "text/plain": answer_plain(text, footer=line, notices=notices),
        },
    }
