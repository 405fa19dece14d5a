"""Checking a finished answer: it holds something, wasn't filtered, and matches the schema."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.characters import clipped
from tetrate_jupyter.errors import ContentFilteredError, EmptyAnswerError, RefusedError, SchemaMismatchError

if TYPE_CHECKING:
    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.completion.schema import Schema

_SAID: Final = 1_000  # characters of a refusal in an error's message


def checked(answer: Answer, schema: Schema | None, *, has_choice: bool) -> Answer:
    """Return the answer, with the value for `schema` in `parsed`. `has_choice`: whether the last round had a choice.

    Raises `ContentFilteredError`, `EmptyAnswerError`, `RefusedError` or `SchemaMismatchError`.
    """
    if answer.finish_reason == "content_filter" and not answer.text.strip():
        raise ContentFilteredError(
            f"The content filter of {answer.model} stopped the answer before any text.",
            next_step="rephrase the prompt, or ask another model with -m",
            answer=answer,
            request_id=answer.request_id,
        )
    if not has_choice and not answer.text:
        raise EmptyAnswerError(
            f"{answer.model} sent no answer: the response holds no choice.",
            next_step="ask again, or choose another model",
            answer=answer,
            request_id=answer.request_id,
        )
    return answer if schema is None else _fitted(answer, schema)


def _fitted(answer: Answer, schema: Schema) -> Answer:
    from tetrate_jupyter.completion.schema import SchemaProblem

    if answer.refusal:
        raise RefusedError(
            f"{answer.model} refused: {clipped(answer.refusal, _SAID)}",
            next_step="rephrase the prompt, or ask another model with -m",
            answer=answer,
            request_id=answer.request_id,
        )
    try:
        value, is_alone = schema.read(answer.text)
    except SchemaProblem as problem:
        why = f" {answer.emptiness}" if answer.emptiness else ""
        step = "ask again, or loosen the schema"
        if answer.finish_reason == "length":
            why, step = f"{why} It was cut off at the output cap.", "raise the cap with --max-tokens (max_tokens=)"
        raise SchemaMismatchError(
            f"The answer of {answer.model} does not fit the schema: {problem}{why}",
            next_step=f"its raw text is in _tetrate.text (error.answer.text); {step}",
            answer=answer,
            request_id=answer.request_id,
        ) from None
    notes = () if is_alone else ("Text around the JSON was left out of the value (parsed).",)
    return replace(answer, parsed=value, notes=(*notes, *answer.notes))
