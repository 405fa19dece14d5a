"""The `-f` formats: how the final answer is shown, and what the named variable gets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from tetrate_jupyter.characters import spelled_out
from tetrate_jupyter.errors import SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Collection

    from tetrate_jupyter.completion.answer import Answer

JSON_HINT = "Answer with one JSON value and nothing else: no explanation, no code fence."
CODE_HINT = "Answer with one fenced code block and nothing else."
_LINES_NAMED = 20
HINTS = {"json": JSON_HINT, "code": CODE_HINT}


def parse_json(answer: Answer) -> Answer:
    """Put the JSON value of the text into `.parsed`. Raises `SchemaMismatchError`; the raw text stays available."""
    if answer.parsed is not None:
        return answer
    text = answer.text.strip()
    fenced = answer.code
    for candidate in (text, fenced):
        try:
            return replace(answer, parsed=json.loads(candidate or ""))
        except (ValueError, RecursionError):  # no JSON, a number of thousands of digits, or brackets nested too deep
            continue
    raise SchemaMismatchError(
        f"The answer of {answer.model} is not JSON.",
        next_step="its raw text is in _tetrate.text; ask again, or give a --schema",
        answer=answer,
        request_id=answer.request_id,
    )


def shown(answer: Answer, form: str, *, footer: bool, body: str | None = None, at_once: bool = False) -> dict[str, str]:
    """Return the final display of an answer in this format; `body` and `at_once` as `Answer.bundle` takes them."""
    if form == "text":
        from tetrate_jupyter.render.answer import answer_plain

        line = answer.footer if footer else ""
        return {"text/plain": answer_plain(answer.text, footer=line, notices=answer.notices, at_once=at_once)}
    if at_once:
        return answer.bundle(footer=footer, body=body, at_once=True)
    if form == "json" and answer.partial is None:
        answer = _as_block(answer, "json", _pretty(answer))
    if form == "code" and answer.code is not None:
        answer = _as_block(answer, "python", spelled_out(answer.code)[0])
    return answer.bundle(footer=footer)


def next_cell(code: str, own: Collection[str] = ()) -> str:
    """Return code for a new cell, with every character that hides or acts spelled out and a first line that says so.

    Emoji lose their joiners, too: two names or keys that look alike must not differ in what can't be seen. `own`: lines
    that the person has written, which stay as they are.
    """
    clean, lines = _spelled_out(code, own) if own else spelled_out(code)
    if not lines:
        return clean
    numbers = ", ".join(str(number + 1) for number in lines[:_LINES_NAMED]) + (", …" if lines[_LINES_NAMED:] else "")
    where = f"line {numbers}" if len(lines) == 1 else f"lines {numbers}"
    return f"# Read this before you run it: what hides or reorders text is written as ⟦U+...⟧ in {where}.\n{clean}"


def _spelled_out(code: str, own: Collection[str]) -> tuple[str, tuple[int, ...]]:
    parts = [(line, ()) if line in own else spelled_out(line) for line in code.replace("\r\n", "\n").split("\n")]
    return "\n".join(line for line, _ in parts), tuple(n for n, (_, found) in enumerate(parts, 1) if found)


def _pretty(answer: Answer) -> str:
    try:
        return json.dumps(json.loads(answer.code or answer.text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return answer.text


def _as_block(answer: Answer, language: str, code: str) -> Answer:
    fence = "```"
    while fence in code:
        fence += "`"
    return replace(answer, text=f"{fence}{language}\n{code}\n{fence}")
