"""What is read from the router, as types."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tetrate_jupyter.http import chunk_reading, chunks, wire


def chunk(**members: Any) -> chunks.ChatChunk:
    return chunk_reading.decode_chunk(json.dumps(members).encode())


def test_a_chunk_may_lack_or_null_everything() -> None:
    for found in (chunk(), chunk(choices=None, usage=None, model=None, error=None), chunk(choices=[])):
        assert (found.choice, found.delta, found.finish_reason, found.has_output) == (None, None, None, False)
    empty = chunk(choices=[{"delta": None}])
    assert (empty.delta, empty.has_output) == (None, False)


@pytest.mark.parametrize(
    ("choice", "output"),
    [
        ({"delta": {"content": "a"}}, True),
        ({"delta": {"content": "", "role": "assistant"}}, False),
        ({"delta": {"reasoning": "hm"}}, True),
        ({"delta": {"thinking": {"not": "text"}}}, False),
        ({"delta": {"tool_calls": [{"index": 0}]}}, True),
        ({"delta": {"refusal": "no"}}, True),
        ({"delta": {}, "finish_reason": "stop"}, True),
    ],
)
def test_a_bare_role_is_no_output(choice: dict[str, Any], output: bool) -> None:
    assert chunk(choices=[choice]).has_output is output


def test_tool_calls_may_lack_id_and_index() -> None:
    calls = [{"function": {"name": "f", "arguments": "{}"}}, {"index": 1, "id": "x", "function": None}]
    delta = chunk(choices=[{"delta": {"tool_calls": calls}}]).delta
    assert delta is not None
    first, second = delta.tool_calls
    assert (first.index, first.id, first.name) == (None, None, "f")
    assert (second.index, second.id, second.name) == (1, "x", None)


def test_usage_details_are_read_where_they_are() -> None:
    usage = chunk(usage={"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4, "caching_tokens": 2}}).usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert (usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens_details.caching_tokens) == (4, 2)
    assert (usage.completion_tokens, usage.completion_tokens_details) == (None, None)


def test_a_whole_answer_becomes_one_chunk() -> None:
    whole = chunk_reading.decode_chunk(b'{"model": "m", "choices": [{"message": {"content": "a"}}], "usage": {}}')
    found = whole.as_chunk()
    assert (found.model, found.finish_reason, found.has_output) == ("m", "stop", True)
    assert found.delta is not None
    assert found.delta.content == "a"


@pytest.mark.parametrize("price", ["2E-7", "0.0000002", 2e-7])
def test_a_price_is_a_decimal_however_it_is_written(price: object) -> None:
    (model,) = wire.read_models(json.dumps({"data": [{"id": "a", "cached_price": price}]}).encode())
    assert model.cached_price == Decimal("0.0000002")


def test_a_price_of_null_is_unknown_and_zero_is_free() -> None:
    first, second = wire.read_catalog_page(
        b'{"models": [{"model": "a", "inputTokensPricePer1M": null}, {"model": "b", "inputTokensPricePer1M": "0"}]}'
    ).models
    assert (first.input_price, second.input_price) == (None, Decimal(0))


def test_a_catalog_entry_keeps_what_fits() -> None:
    entry = {
        "model": "a",
        "displayName": "A",
        "contextWindow": "128k",
        "capabilities": "vision",
        "limits": {"max_output_tokens": "8192", "new": 1},
        "metadata": {"release_date": "2026-01-01", "deprecated": "maybe"},
        "cachingTokensPricePer1M": "5",
    }
    (found,) = wire.read_catalog_page(json.dumps({"models": [entry]}).encode()).models
    assert (found.id, found.display_name, found.context_window, found.capabilities) == ("a", "A", None, None)
    assert found.limits is not None
    assert found.limits.max_output_tokens == 8192
    assert found.metadata is not None
    assert (found.metadata.release_date, found.metadata.deprecated) == ("2026-01-01", None)
    assert found.caching_price == 5


@pytest.mark.parametrize("body", [b"", b"[]", b'{"models": {}}', b'{"models": [1, 2]}', b'{"models": [{"id": "a"}]}'])
def test_what_is_no_catalog_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        wire.read_catalog_page(body)


def test_the_answer_to_a_code_does_not_show_its_key() -> None:
    assert "sk-secret" not in repr(wire.decode_exchange(b'{"key": "sk-secret"}'))
