"""A finished answer that is none: filtered, empty, refused, or not as asked; each with its words, step and answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.completion.checking import checked
from tetrate_jupyter.completion.schema import Schema
from tetrate_jupyter.errors import (
    ContentFilteredError,
    EmptyAnswerError,
    RefusedError,
    SchemaMismatchError,
    TetrateError,
)
from tetrate_jupyter.types import Timing, Usage

PLAIN = Answer("Rome", "mini", "mini-2026", Usage(1, 2), Timing(0.1, 0.2), finish_reason="stop", request_id="r1")
SCHEMA = Schema.of({"type": "object", "required": ["a"]})
REPHRASE = "rephrase the prompt, or ask another model with -m"


def test_an_answer_that_is_one_stays_as_it_is() -> None:
    assert checked(PLAIN, None, has_choice=True) is PLAIN
    assert checked(PLAIN, None, has_choice=False) is PLAIN  # the text came with an earlier round
    filtered = replace(PLAIN, finish_reason="content_filter")
    assert checked(filtered, None, has_choice=True) is filtered  # a part of it came
    empty = replace(PLAIN, text="")
    assert checked(empty, None, has_choice=True) is empty  # its notice says so


@pytest.mark.parametrize(
    ("changes", "has_choice", "kind", "says", "step"),
    [
        ({"text": " \n", "finish_reason": "content_filter"}, True, ContentFilteredError,
         "The content filter of mini-2026 stopped the answer before any text.", REPHRASE),
        ({"text": ""}, False, EmptyAnswerError, "mini-2026 sent no answer: the response holds no choice.",
         "ask again, or choose another model"),
    ],
)  # fmt: skip
def test_what_never_came_is_an_error(
    changes: dict[str, Any], has_choice: bool, kind: type[TetrateError], says: str, step: str
) -> None:
    answer = replace(PLAIN, **changes)
    with pytest.raises(kind) as caught:
        checked(answer, None, has_choice=has_choice)
    error = caught.value
    assert (error.message, error.next_step, error.request_id) == (says, step, "r1")
    assert error.answer is answer


def test_a_value_that_fits_is_parsed_and_text_around_it_is_told() -> None:
    alone = checked(replace(PLAIN, text='{"a": 1}', notes=("A note.",)), SCHEMA, has_choice=True)
    assert (alone.parsed, alone.notes) == ({"a": 1}, ("A note.",))
    among = checked(replace(PLAIN, text='So: {"a": 1}.', notes=("A note.",)), SCHEMA, has_choice=True)
    assert among.parsed == {"a": 1}
    assert among.notes == ("Text around the JSON was left out of the value (parsed).", "A note.")
    assert among.text == 'So: {"a": 1}.'


def test_a_refusal_is_no_misfit() -> None:
    refusing = replace(PLAIN, text="", refusal="I will not. " * 200)
    with pytest.raises(RefusedError) as caught:
        checked(refusing, SCHEMA, has_choice=True)
    error = caught.value
    assert error.message.startswith("mini-2026 refused: I will not. I will")
    assert len(error.message) <= len("mini-2026 refused: ") + 1_000
    assert (error.next_step, error.request_id, error.answer) == (REPHRASE, "r1", refusing)
    assert checked(refusing, None, has_choice=True) is refusing


def test_a_misfit_says_what_is_wrong_and_where_the_text_is() -> None:
    wrong = replace(PLAIN, text='{"b": 1}')
    with pytest.raises(SchemaMismatchError) as caught:
        checked(wrong, SCHEMA, has_choice=True)
    error = caught.value
    assert error.message.startswith("The answer of mini-2026 does not fit the schema: ")
    assert "'a' is a required property" in error.message
    assert error.next_step == ("its raw text is in _tetrate.text (error.answer.text); ask again, or loosen the schema")
    assert (error.request_id, error.answer) == ("r1", wrong)
    with pytest.raises(SchemaMismatchError, match=r"only reasoning\."):
        checked(replace(PLAIN, text="", reasoning="Hm."), SCHEMA, has_choice=True)


def test_a_misfit_that_was_cut_off_names_the_cap() -> None:
    with pytest.raises(SchemaMismatchError, match="It was cut off at the output cap") as caught:
        checked(replace(PLAIN, text='{"a": 1', finish_reason="length"), SCHEMA, has_choice=True)
    assert caught.value.next_step.endswith("; raise the cap with --max-tokens (max_tokens=)")
