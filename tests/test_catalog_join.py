"""Joining the key's list with the public catalog, from the bytes that the router sends."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter.catalog.join import join
from tetrate_jupyter.http.wire import read_catalog_page, read_models

if TYPE_CHECKING:
    from tetrate_jupyter.types import Model

CATALOGUED: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "provider": "anthropic",
    "displayName": "Claude Haiku 4.5",
    "mode": "chat",
    "isEnabled": True,
    "contextWindow": 200000,
    "capabilities": ["reasoning", "structured_outputs", "tool_choice", "vision"],
    "modalities": {"input": ["text", "image"], "output": ["text"]},
    "limits": {"max_output_tokens": 64000},
    "metadata": {
        "description": "Small and fast.",
        "reasoning_efforts": ["low", "high"],
        "release_date": "2025-10-01",
        "fallback_policies": ["vertexanthropic/claude-haiku-4-5"],
    },
    "inputTokensPricePer1M": "1.0000000000",
    "outputTokensPricePer1M": "5.0000000000",
    "cachedTokensPricePer1M": "0.1000000000",
}


def joined(listed: list[dict[str, Any]], *entries: dict[str, Any]) -> tuple[Model, ...]:
    models = read_models(json.dumps({"data": listed}).encode())
    catalog = read_catalog_page(json.dumps({"models": list(entries)}).encode()).models
    return join(models, catalog)


def one(listed: dict[str, Any], *entries: dict[str, Any]) -> Model:
    (model,) = joined([listed], *entries)
    return model


def test_a_plain_entry_takes_everything_from_the_catalog() -> None:
    model = one({"id": "claude-haiku-4-5"}, CATALOGUED)
    assert (model.name, model.provider, model.mode) == ("Claude Haiku 4.5", "anthropic", "chat")
    assert (model.context_window, model.max_output_tokens) == (200_000, 64_000)
    assert (model.images, model.tools, model.reasoning, model.structured_output) == (True, True, True, True)
    assert (model.price.input, model.price.output, model.price.cache_read) == (1, 5, Decimal("0.1"))
    assert model.price.cache_write is None
    assert model.release_date == date(2025, 10, 1)
    assert model.reasoning_efforts == ("low", "high")
    assert model.fallbacks == ("vertexanthropic/claude-haiku-4-5",)
    assert model.description == "Small and fast."


def test_an_enriched_entry_wins_over_the_catalog_where_it_says_something() -> None:
    enriched = {
        "id": "claude-haiku-4-5",
        "input_price": "0.000002",
        "caching_price": "0.0000025",
        "context_window": 100000,
        "supports_vision": False,
    }
    model = one(enriched, CATALOGUED)
    assert (model.price.input, model.price.output) == (2, 5)
    assert model.price.cache_write == Decimal("2.5")
    assert (model.context_window, model.max_output_tokens) == (100_000, 64_000)
    assert model.images is False


def test_prices_are_exact_and_plainly_written() -> None:
    with localcontext() as context:
        context.prec = 3
        model = one({"id": "m", "input_price": "0.0000001130000001", "output_price": "0.00001"})
    assert str(model.price.input) == "0.1130000001"
    assert str(model.price.output) == "10"


def test_a_price_of_nothing_is_free_and_no_price_is_unknown() -> None:
    model = one({"id": "m", "input_price": "0", "output_price": None})
    assert model.price.input == 0
    assert model.price.output is None


@pytest.mark.parametrize("odd", ["-1", "NaN", "Infinity", "soon", True, [], ""])
def test_an_unusable_price_is_unknown(odd: object) -> None:
    assert one({"id": "m", "input_price": odd}).price.input is None


def test_a_free_price_of_the_keys_list_wins_over_the_catalog() -> None:
    assert one({"id": "claude-haiku-4-5", "input_price": "0"}, CATALOGUED).price.input == 0


def test_a_window_of_nothing_is_unknown() -> None:
    assert one({"id": "claude-haiku-4-5", "context_window": 0}, CATALOGUED).context_window == 200_000
    assert one({"id": "m", "max_output_tokens": -1}).max_output_tokens is None


def test_an_uncatalogued_model_is_offered_and_nothing_about_it_is_guessed() -> None:
    model = one({"id": "somebody/new-1"}, CATALOGUED)
    assert (model.name, model.provider, model.capabilities) == ("somebody/new-1", None, None)
    assert (model.images, model.tools, model.reasoning, model.context_window) == (None, None, None, None)


def test_an_empty_list_of_capabilities_says_nothing() -> None:
    model = one({"id": "m"}, {"model": "m", "capabilities": []})
    assert model.capabilities is None
    assert model.tools is None


def test_images_are_told_by_capability_or_by_modality() -> None:
    assert one({"id": "m"}, {"model": "m", "capabilities": ["vision"]}).images is True
    assert one({"id": "m"}, {"model": "m", "modalities": {"input": ["text", "image"]}}).images is True
    assert one({"id": "m"}, {"model": "m", "capabilities": ["tool_choice"]}).images is False


def test_the_older_word_for_tools_counts_too() -> None:
    assert one({"id": "m"}, {"model": "m", "capabilities": ["function_calling"]}).tools is True


def test_ids_match_whatever_their_case_and_are_sent_as_the_key_lists_them() -> None:
    model = one({"id": "Claude-Haiku-4-5"}, CATALOGUED)
    assert model.id == "Claude-Haiku-4-5"
    assert model.provider == "anthropic"


def test_what_the_key_does_not_list_is_not_offered() -> None:
    assert joined([], CATALOGUED) == ()


def test_duplicates_and_disabled_models_are_dropped() -> None:
    disabled = {"model": "old", "isEnabled": False}
    models = joined([{"id": "a"}, {"id": "A"}, {"id": "old"}, {"id": "a"}], disabled)
    assert [m.id for m in models] == ["a"]


def test_of_two_catalog_entries_the_enabled_one_counts() -> None:
    assert one({"id": "m"}, {"model": "m", "isEnabled": False}, {"model": "M", "displayName": "On"}).name == "On"


@pytest.mark.parametrize(
    "mode",
    ["embedding", "image_generation", "rerank", "moderation", "audio_speech", "audio_transcription", "classifier"],
)
def test_modes_that_are_not_for_chat_are_dropped(mode: str) -> None:
    assert joined([{"id": "m"}], {"model": "m", "mode": mode}) == ()


@pytest.mark.parametrize("mode", ["chat", "completion", "responses", "something_new"])
def test_other_modes_stay(mode: str) -> None:
    assert one({"id": "gpt-image-chat"}, {"model": "gpt-image-chat", "mode": mode}).mode == mode


@pytest.mark.parametrize(
    "identity",
    [
        "text-embedding-3-small",
        "deepinfra/BAAI/bge-reranker-v2",
        "omni-moderation-latest",
        "groq/whisper-large-v3",
        "gpt-4o-mini-tts",
        "tts-1-hd",
        "dall-e-3",
        "gpt-image-1.5",
        "imagen-4",
        "gemini-2.5-flash-image",
        "groq/meta/llama-guard-4-12b",
        "gpt-4o-transcribe",
    ],
)
def test_uncatalogued_ids_that_name_another_use_are_dropped(identity: str) -> None:
    assert joined([{"id": identity}]) == ()


@pytest.mark.parametrize(
    "identity", ["gpt-4o-audio-preview", "mattsby/charts-1", "imagine-7b", "vanguard-2", "pixtral-12b"]
)
def test_uncatalogued_ids_that_merely_resemble_one_stay(identity: str) -> None:
    assert one({"id": identity}).id == identity


def test_the_provider_comes_from_the_catalog_then_the_prefix_then_the_owner() -> None:
    assert one({"id": "xai/grok", "owned_by": "system"}).provider == "xai"
    assert one({"id": "thing", "owned_by": "somebody"}).provider == "somebody"
    assert one({"id": "claude-haiku-4-5", "owned_by": "system"}, CATALOGUED).provider == "anthropic"


def test_the_long_context_threshold_is_the_last_count_at_the_base_price() -> None:
    def threshold(**limits: object) -> int | None:
        return one({"id": "m"}, {"model": "m", "limits": limits}).long_context_threshold

    assert threshold(high_context=272000) == 272_000
    assert threshold(high_context=200000, high_context_comparison="gte") == 199_999
    assert threshold() is None
    assert threshold(high_context=0) is None


def test_dates_are_read_and_odd_ones_are_unknown() -> None:
    def retirement(text: str) -> date | None:
        return one({"id": "m"}, {"model": "m", "metadata": {"retirement_date": text}}).retirement_date

    assert retirement("2026-12-11") == date(2026, 12, 11)
    assert retirement("2026-12-11T00:00:00Z") == date(2026, 12, 11)
    assert retirement("winter") is None
    assert retirement("") is None


def test_models_come_by_provider_and_id_with_the_unknown_provider_last() -> None:
    listed = [{"id": "z"}, {"id": "xai/b"}, {"id": "xai/A"}, {"id": "claude-haiku-4-5"}]
    assert [m.id for m in joined(listed, CATALOGUED)] == ["claude-haiku-4-5", "xai/A", "xai/b", "z"]
