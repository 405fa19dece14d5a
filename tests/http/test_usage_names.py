"""Usage under other names than the API's: what is read of it, and that nothing is guessed or counted twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tetrate_jupyter.completion.accumulate import Accumulator
from tetrate_jupyter.http.chunk_reading import decode_chunk
from tetrate_jupyter.types import Usage


def used(*chunks: dict[str, Any], whole: bool = False) -> Usage:
    adding = Accumulator()
    for chunk in chunks:
        found = decode_chunk(json.dumps(chunk).encode())
        adding.add(found.as_chunk() if whole else found)
    return adding.usage


STANDARD = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
NAMED: list[tuple[dict[str, Any], Usage]] = [
    ({"usage": STANDARD}, Usage(9, 5)),
    ({"usage": {"input_tokens": 9, "output_tokens": 5}}, Usage(9, 5)),
    ({"usage": {"input_tokens": "9", "output_tokens": 5.0}}, Usage(9, 5)),
    ({"usage": {"input_tokens": 9}}, Usage(9, None)),
    ({"usage": {"output_tokens": 5}}, Usage(None, 5)),
    ({"usage": {"total_tokens": 14}}, Usage()),
    ({"usage": {"input_tokens": 9, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 4},
                "output_tokens_details": {"reasoning_tokens": 2}}}, Usage(9, 5, 4, None, 2)),
    # the reasoning in the total alone, as under the API's names
    ({"usage": {"input_tokens": 9, "output_tokens": 5, "total_tokens": 34,
                "output_tokens_details": {"reasoning_tokens": 20}}}, Usage(9, 25, None, None, 20)),
    # Anthropic: what the cache holds is counted apart
    ({"usage": {"input_tokens": 2, "output_tokens": 5, "cache_read_input_tokens": 4,
                "cache_creation_input_tokens": 3}}, Usage(9, 5, 4, 3)),
    ({"usage": {"input_tokens": 2, "output_tokens": 5, "cache_read_input_tokens": 7}}, Usage(9, 5, 7)),
    ({"usage": {"input_tokens": 2, "output_tokens": 5, "cache_creation_input_tokens": 7}}, Usage(9, 5, None, 7)),
    ({"usage": {"input_tokens": 2, "output_tokens": 5, "cache_read_input_tokens": 7, "total_tokens": 14}},
     Usage(9, 5, 7)),
    # unless the total says that it is in there, or the newer API's details do
    ({"usage": {"input_tokens": 9, "output_tokens": 5, "cache_read_input_tokens": 4, "total_tokens": 14}},
     Usage(9, 5, 4)),
    ({"usage": {"input_tokens": 9, "output_tokens": 5, "cache_read_input_tokens": 4,
                "input_tokens_details": {"cached_tokens": 4}}}, Usage(9, 5, 4)),
    ({"usage": {"input_tokens": 9, "output_tokens": 5, "cached_tokens": 3,
                "input_tokens_details": {"cached_tokens": 4}}}, Usage(9, 5, 4)),
    ({"usage": {**STANDARD, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 3}}, Usage(9, 5, 4, 3)),
    ({"usage": {**STANDARD, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5}}, Usage(9, 5, 4)),
    ({"usage": {**STANDARD, "prompt_cache_hit_tokens": 0, "cache_read_input_tokens": 4}}, Usage(9, 5, 0)),
    ({"usage": {**STANDARD, "cached_tokens": 4}}, Usage(9, 5, 4)),
    ({"usage": {**STANDARD, "cached_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}}}, Usage(9, 5, 3)),
    # the API's own names go first, and nothing is added to them
    ({"usage": {**STANDARD, "input_tokens": 90, "output_tokens": 50}}, Usage(9, 5)),
    ({"usage": {**STANDARD, "input_tokens": 0, "output_tokens": 0}}, Usage(9, 5)),
    ({"usage": {"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 9, "output_tokens": 5}}, Usage(9, 5)),
    # neither a prompt nor an answer in which something came has no tokens
    ({"usage": {"prompt_tokens": 0, "completion_tokens": 0}}, Usage()),
    ({"usage": {"prompt_tokens": 9, "completion_tokens": 0}}, Usage(9, None)),
    ({"usage": {"prompt_tokens": 0, "completion_tokens": 5}}, Usage(None, 5)),
    ({"usage": STANDARD, "usageMetadata": {"promptTokenCount": 90, "candidatesTokenCount": 50}}, Usage(9, 5)),
    # Gemini
    ({"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14}}, Usage(9, 5)),
    ({"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3, "thoughtsTokenCount": 2,
                        "cachedContentTokenCount": 4}}, Usage(9, 5, 4, None, 2)),
    ({"usageMetadata": {"promptTokenCount": 7, "toolUsePromptTokenCount": 2, "candidatesTokenCount": 5}}, Usage(9, 5)),
    ({"usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 14}}, Usage(9, None)),
    ({"usageMetadata": {"thoughtsTokenCount": 2}}, Usage(None, None, None, None, 2)),
    ({"usage_metadata": {"prompt_token_count": 9, "candidates_token_count": 3, "thoughts_token_count": 2,
                         "cached_content_token_count": 4}}, Usage(9, 5, 4, None, 2)),
    ({"usage_metadata": {"prompt_token_count": 7, "tool_use_prompt_token_count": 2, "candidates_token_count": 5}},
     Usage(9, 5)),
    ({"usage_metadata": {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14}}, Usage(9, 5)),
    # Ollama
    ({"prompt_eval_count": 9, "eval_count": 5}, Usage(9, 5)),
    ({"eval_count": 5}, Usage(None, 5)),
    ({"usage": STANDARD, "prompt_eval_count": 90, "eval_count": 50}, Usage(9, 5)),
    # Groq and Moonshot
    ({"x_groq": {"usage": STANDARD}}, Usage(9, 5)),
    ({"x_groq": {"id": "req_1"}}, Usage()),
    ({"x_groq": {"usage": {**STANDARD, "prompt_tokens_details": {"cached_tokens": 4},
                           "completion_tokens_details": {"reasoning_tokens": 2}}}}, Usage(9, 5, 4, None, 2)),
    ({"usage": {"prompt_tokens": 9}, "x_groq": {"usage": {"prompt_tokens": 90, "completion_tokens": 5}}}, Usage(9, 5)),
    ({"choices": [{"index": 0, "delta": {}, "usage": STANDARD}]}, Usage(9, 5)),
]  # fmt: skip


@pytest.mark.parametrize(("chunk", "usage"), NAMED)
def test_what_is_read(chunk: dict[str, Any], usage: Usage) -> None:
    choices = [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]
    assert used({"choices": choices, **chunk}) == usage
    assert used({"choices": choices, "created": "x", "id": None, **chunk}, {"choices": choices}) == usage
    whole = [{**choice, "message": {"content": "x"}} for choice in chunk.get("choices", choices)]
    assert used({**chunk, "choices": whole}, whole=True) == usage
    assert used({**chunk, "choices": whole, "model": 7}, whole=True) == usage  # read member by member


ODD = [
    None,
    True,
    [],
    "",
    "9",
    9,
    -1,
    1.5,
    10**30,
    {},
    [9],
    {"x": 1},
    {"usage": 9},
    {"usage": [9]},
    {"input_tokens": []},
]


@pytest.mark.parametrize("name", ["x_groq", "usage_metadata", "usageMetadata", "prompt_eval_count", "eval_count"])
@pytest.mark.parametrize("value", ODD, ids=str)
def test_what_has_another_shape_is_unknown(name: str, value: object) -> None:
    if name.endswith("_count") and value in ("9", 9):
        return
    assert used({"choices": [], name: value}, {"choices": None, "id": 7, name: value}) in {Usage(), Usage(9, 5)}
    assert used({"choices": [], name: value}) == Usage()


@pytest.mark.parametrize("value", ODD, ids=str)
def test_a_choice_with_another_usage_keeps_its_text(value: object) -> None:
    adding = Accumulator()
    payload = {"choices": [{"index": 0, "delta": {"content": "x"}, "usage": value}]}
    assert adding.add(decode_chunk(json.dumps(payload).encode())) == ("x", "")
    assert adding.usage == Usage()


def test_an_object_larger_than_any_usage_is_not_looked_through() -> None:
    large = {"x": "x" * 100_000, "promptTokenCount": 9}
    assert used({"choices": [], "usageMetadata": large}) == Usage()
    assert used({"choices": [], "usageMetadata": {**large, "x": "x" * 60_000}}) == Usage(9)


@pytest.mark.parametrize("first", [True, False])
def test_the_order_of_chunks_makes_no_difference(first: bool) -> None:
    own = {"choices": [], "usage": STANDARD}
    other = {
        "choices": [],
        "usage": {"input_tokens": 90, "output_tokens": 50},
        "x_groq": {"usage": {"prompt_tokens": 7}},
    }
    assert used(*((own, other) if first else (other, own))) == Usage(9, 5)


def test_counts_that_grow_are_not_added_up() -> None:
    chunks = [{"choices": [], "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": n}} for n in (1, 3, 5)]
    assert used(*chunks) == Usage(9, 5)
    halves = [{"usage": {"input_tokens": 9, "output_tokens": 1}}, {"usage": {"output_tokens": 5}}]
    assert used(*[{"choices": [], **half} for half in halves]) == Usage(9, 5)
