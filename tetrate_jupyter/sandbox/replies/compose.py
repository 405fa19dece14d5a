"""Composing a reply: the first skill that fits the request answers it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from tetrate_jupyter.sandbox.api_error import bad_request
from tetrate_jupyter.sandbox.replies import skills
from tetrate_jupyter.sandbox.replies.answers import written
from tetrate_jupyter.sandbox.replies.asked_cells import asked_about
from tetrate_jupyter.sandbox.replies.failed_cells import failed_cell
from tetrate_jupyter.sandbox.replies.findings import Findings
from tetrate_jupyter.sandbox.replies.reply import READ, Ask, Reply
from tetrate_jupyter.sandbox.replies.schema_fill import Filler
from tetrate_jupyter.sandbox.replies.tables import tables
from tetrate_jupyter.sandbox.replies.tools import call_tools, results_of
from tetrate_jupyter.sandbox.replies.voices import dress, thoughts
from tetrate_jupyter.sandbox.replies.worded import worded_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.sandbox.replies.core import Core

_BAD_SCHEMA = (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError)
_SKILLS: tuple[Callable[[Ask], Core | None], ...] = (  # the first that fits answers
    skills.tool_results,
    failed_cell,
    asked_about,
    skills.pictures,
    tables,
    skills.memory,
    skills.exact,
    written,
    skills.judge,
    skills.summary,
    skills.counting,
    skills.arithmetic,
    skills.code,
)


def compose(ask: Ask) -> Reply:
    """Return the reply of a simulated model. Raises `ApiError` (400) for a schema that can't be used."""
    ask = replace(ask, prompt=ask.prompt[:READ])
    try:
        called = call_tools(ask)
        shaped = None if called else _shaped(ask)
    except _BAD_SCHEMA as error:
        raise bad_request(f"Invalid JSON schema: {type(error).__name__}.", code="invalid_schema") from error
    if called:
        return Reply(called.text, thoughts(None, ask), called.calls, called.finish)
    if shaped is not None:
        return Reply(shaped, thoughts(None, ask))
    core = next((core for skill in _SKILLS if (core := skill(ask)) is not None), None) or skills.fallback(ask)
    return Reply(dress(core, ask), thoughts(core, ask), pace=core.pace)


def _shaped(ask: Ask) -> str | None:
    shape = ask.body.get("response_format") or {}
    results = "\n".join(text for _, text in results_of(ask))
    if shape.get("type") != "json_schema":
        known = None if shape or results else written(ask, "json")
        return known.answer if known else worded_json(ask, results)
    found = Findings(f"{results}\n{ask.prompt}" if results else ask.prompt)
    value = Filler(shape["json_schema"]["schema"], ask.rng, careful=ask.profile.careful).fill(found)
    return json.dumps(value, ensure_ascii=False)
