"""What tells two questions apart, and what doesn't."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tetrate_jupyter.answers.key import KeyedRequest, key_of

URL = "data:image/png;base64,iVBORw0KGgo="
QUESTION = KeyedRequest(
    "gateway.example",
    "claude-haiku-4-5",
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
    {"temperature": 0, "max_tokens": None, "top_p": 0.9},
)


def picture(url: str) -> list[dict[str, Any]]:
    parts = [{"type": "text", "text": "Look."}, {"type": "image_url", "image_url": {"url": url}}]
    return [{"role": "user", "content": parts}]


@pytest.mark.parametrize(
    "change",
    [
        {"host": "other.example"},
        {"model": "gpt-6-luna"},
        {"messages": [{"role": "user", "content": "Why?"}]},
        {"messages": [*QUESTION.messages[:1], {"role": "user", "content": "Why? "}]},
        {"messages": [*QUESTION.messages[:1], {"role": "assistant", "content": "Why?"}]},
        {"messages": picture(URL)},
        {"params": {"temperature": 0.1, "top_p": 0.9}},
        {"params": {"temperature": 0}},
        {"params": {"temperature": 0, "top_p": 0.9, "seed": 1}},
        {"params": {"temperature": "0", "top_p": 0.9}},
        {"params": {"temperature": False, "top_p": 0.9}},
        {"schema": {"type": "json_schema"}},
        {"tools": [({"name": "f"}, "")]},
        {"repeat": 1},
        {"duplicate": 1},
    ],
)
def test_whatever_decides_an_answer_makes_another_key(change: dict[str, Any]) -> None:
    assert key_of(replace(QUESTION, **change)) != key_of(QUESTION)


@pytest.mark.parametrize(
    "change",
    [
        {"host": "GATEWAY.example"},
        {"model": " Claude-Haiku-4-5 "},
        {"params": {"top_p": 0.9, "temperature": 0.0}},
        {"params": {"top_p": 0.9, "temperature": 0, "effort": None}},
        {"messages": tuple(dict(reversed(list(m.items()))) for m in QUESTION.messages)},
    ],
)
def test_what_means_the_same_has_the_same_key(change: dict[str, Any]) -> None:
    assert key_of(replace(QUESTION, **change)) == key_of(QUESTION)


def test_pictures_count_by_their_content() -> None:
    one, other = (replace(QUESTION, messages=picture(url)) for url in (URL, URL.replace("iVBO", "iVBP")))
    assert key_of(one) == key_of(replace(QUESTION, messages=picture(URL)))
    assert key_of(one) != key_of(other)


def called(identity: str, result: str) -> KeyedRequest:
    call = {"id": identity, "type": "function", "function": {"name": "stock", "arguments": "{}"}}
    return replace(
        QUESTION,
        messages=[
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": identity, "content": result},
        ],
    )


def test_the_ids_of_calls_are_made_up_and_their_results_are_not() -> None:
    assert key_of(called("call_a", "12")) == key_of(called("call_b", "12"))
    assert key_of(called("call_a", "12")) != key_of(called("call_a", "13"))


def test_a_key_is_always_the_same() -> None:
    request = KeyedRequest("h", "m", [{"role": "user", "content": "é \ud83d"}], {"a": Decimal(1), "b": [1.5, (2,)]})
    assert key_of(request) == ("9ea7e312ae7079d060626ecd48632f391c776c56f2bd159acc36f1e15923fb05")
