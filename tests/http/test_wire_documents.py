"""Whole documents of the router, member by member: what each is called there, and what an odd one costs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tetrate_jupyter import config
from tetrate_jupyter.http import wire

LISTED: dict[str, Any] = {
    "id": "a", "object": "model", "owned_by": "o", "description": "d", "input_price": "0.000001",
    "output_price": "0.000002", "cached_price": "0.0000001", "caching_price": 3e-7, "context_window": 200_000,
    "max_output_tokens": 8_000, "supports_vision": True, "supports_reasoning": False,
}  # fmt: skip
READ = wire.WireModel(
    "a",
    "o",
    "d",
    Decimal("0.000001"),
    Decimal("0.000002"),
    Decimal("1e-7"),
    Decimal("3e-7"),
    200_000,
    8_000,
    True,
    False,
)
CATALOGUED: dict[str, Any] = {
    "model": "a", "provider": "p", "displayName": "A", "mode": "chat", "isEnabled": True, "contextWindow": 200_000,
    "capabilities": ["vision"], "modalities": {"input": ["text", "image"], "output": ["text"]},
    "limits": {"max_output_tokens": 9, "high_context": 128_000, "high_context_comparison": "gte"},
    "metadata": {
        "display_name": "A!", "description": "d", "deprecated": False, "retirement_date": "2027-01-01",
        "release_date": "2026-01-01", "preview": True, "reasoning_efforts": ["low"], "fallback_policies": ["b"],
    },
    "inputTokensPricePer1M": "1", "outputTokensPricePer1M": 2, "cachedTokensPricePer1M": "0.1",
    "cachingTokensPricePer1M": "1.25",
}  # fmt: skip
ENTRY = wire.CatalogModel(
    "a", "p", "A", "chat", True, 200_000, ["vision"], wire.Modalities(["text", "image"], ["text"]),
    wire.TokenLimits(9, 128_000, "gte"),
    wire.Metadata("A!", "d", False, "2027-01-01", "2026-01-01", True, ["low"], ["b"]),
    Decimal(1), Decimal(2), Decimal("0.1"), Decimal("1.25"),
)  # fmt: skip
SEEN = {
    "name": "p", "reachable": True, "observed_requests": 9, "failures": 1, "last_failure_at": "2026-01-01T00:00:00Z",
    "last_failure_code": 503,
}  # fmt: skip


def body(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("name", ["data", "models", None])
@pytest.mark.parametrize("odd", [[], [3], [{"id": 7}], [{"id": ""}], [None]])
def test_a_list_of_models_is_read_whole_under_each_of_its_names(name: str | None, odd: list[object]) -> None:
    entries = [LISTED, *odd, {"id": "b", "input_price": {"not": "a price"}}]
    document = entries if name is None else {"object": "list", name: entries}
    assert wire.read_models(body(document)) == [READ, wire.WireModel("b")]


@pytest.mark.parametrize(
    "document", [{"data": [{"id": ""}]}, {"data": [{"id": 1}]}, {"error": "no"}, "x", {"other": [LISTED]}]
)
def test_what_is_no_list_of_models_is_an_error(document: object) -> None:
    with pytest.raises(msgspec.DecodeError):
        wire.read_models(body(document))


@pytest.mark.parametrize(
    ("pages", "read"), [(3, 3), ("4", 4), (None, None), ("many", None), ([1], None), ("absent", None)]
)
@pytest.mark.parametrize("odd", [[], [{"model": 7}], ["x"]])
def test_a_page_of_the_catalog_is_read_whole(pages: object, read: int | None, odd: list[object]) -> None:
    document = {"models": [CATALOGUED, *odd, {"model": ""}], "totalPages": pages}
    if pages == "absent":
        del document["totalPages"]
    sent = body(document)
    found = wire.read_catalog_page(sent)
    assert (found.models, found.total_pages, found.size) == ([ENTRY], read, len(sent))
    assert found.values > 20


@pytest.mark.parametrize("code", [*range(32), 127])
def test_a_control_character_in_a_text_costs_nothing(code: int) -> None:
    body = b'{\n"data":\t[{"id":"a","description":"one%ctwo"},\r\n{"id":"b"}]}' % code
    first, second = wire.read_models(body)
    assert (first.id, second.id) == ("a", "b")
    assert first.description == ("one two" if code < 32 else "one\x7ftwo")


def test_more_entries_than_are_kept_are_cut_and_no_entries_are_none() -> None:
    most = config.MAX_MODELS
    found = wire.read_models(b'{"data":[' + b",".join(b'{"id":"%d"}' % n for n in range(most + 2)) + b"]}")
    assert (len(found), found[-1].id) == (most, str(most - 1))
    assert wire.read_models(b'{"data":[]}') == []
    page = wire.CatalogPage([])
    assert (page.total_pages, page.values, page.size) == (None, 0, 0)


def test_a_report_of_providers_is_read_entry_by_entry() -> None:
    report = wire.decode_status(body({"providers": [SEEN, 3, {"reachable": True}, {"name": "q", "failures": "x"}]}))
    assert report.providers == [
        wire.ProviderStatus("p", True, 9, 1, "2026-01-01T00:00:00Z", 503),
        wire.ProviderStatus("q"),
    ]
    with pytest.raises(msgspec.DecodeError):
        wire.decode_status(b'{"providers": 1}')


def test_what_was_read_is_not_changed_afterwards_and_a_key_is_not_shown() -> None:
    reply = wire.decode_exchange(b'{"key":"sk-0123456789abcdef","more":1}')
    assert reply.key == "sk-0123456789abcdef"
    assert repr(reply) == "ExchangeReply(<secret>)"
    assert ENTRY.modalities is not None
    assert ENTRY.limits is not None
    assert ENTRY.metadata is not None
    provider = wire.ProviderStatus("p")
    parts = (READ, ENTRY, ENTRY.modalities, ENTRY.limits, ENTRY.metadata, wire.CatalogPage([]), provider, reply)
    for read in (*parts, wire.StatusReport([provider])):
        with pytest.raises(AttributeError):
            setattr(read, read.__struct_fields__[0], None)
