"""Estimates and bounds as values: what each part of a request adds, and where a price changes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tetrate_jupyter.catalog import estimate
from tetrate_jupyter.catalog.estimate import (
    Estimate,
    cost,
    estimate_tokens,
    is_long,
    most_cost,
    most_rates,
    most_tokens,
    short_questions,
    size,
    text_tokens,
)
from tetrate_jupyter.types import Image, Message, Model, Price, ToolCall, Usage


def model(*prices: str | None, threshold: int | None = None) -> Model:
    known = [None if each is None else Decimal(each) for each in prices]
    return Model("m", "m", price=Price(*known), long_context_threshold=threshold)


IMAGE = Image("data:image/png;base64,AAAA", "image/png", 3)
ASKED = Message("user", "Where is it?", images=(IMAGE,))
CALLED = Message("assistant", "", tool_calls=(ToolCall("i", "find", '{"a": 1}', extra='{"s": "é"}'),), aside='{"r": 1}')


@pytest.mark.parametrize(
    ("character", "a_hundred"),
    [
        (0x0080, 140), (0x036F, 140), (0x0370, 50), (0x03FF, 50), (0x0400, 40), (0x052F, 40), (0x0530, 111),
        (0x058F, 111), (0x05D0, 50), (0x06FF, 50), (0x0700, 120), (0x08FF, 120), (0x0900, 80), (0x0DFF, 80),
        (0x0E00, 50), (0x0E7F, 50), (0x0E80, 120), (0x109F, 120), (0x10A0, 100), (0x10FF, 100), (0x1100, 200),
        (0x1DFF, 200), (0x1E00, 40), (0x1FFF, 40), (0x2000, 100), (0x206F, 100), (0x2070, 250), (0x2E7F, 250),
        (0x2E80, 70), (0x30FF, 70), (0x3100, 90), (0x9FFF, 90), (0xA000, 150), (0xABDF, 150), (0xAC00, 80),
        (0xD7AF, 80), (0xD7B0, 100), (0xFFFF, 100), (0x10000, 170), (0x1F600, 170),
    ],
)  # fmt: skip
def test_a_script_has_its_weight_from_its_first_sign_to_its_last(character: int, a_hundred: int) -> None:
    assert text_tokens(chr(character) * 100) == a_hundred


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0), ("a", 1), ("hello " * 10, 13), ("word", 2), ("1" * 20, 10), ("!" * 100, 68), ("~!" * 50, 68),
        ("\x7f" * 50, 0), ("\n" * 10, 2), ("a\n" * 10, 17), ("a  " * 10, 17), ("Z" * 100, 24), ("9a" * 10, 9),
    ],
)  # fmt: skip
def test_letters_digits_signs_and_gaps_count(text: str, tokens: int) -> None:
    assert text_tokens(text) == tokens


def test_messages_images_and_calls_add_their_tokens() -> None:
    asked = text_tokens("Where is it?")
    assert estimate_tokens([]) == 0
    assert estimate_tokens([Message("user", "Where is it?")]) == asked + 4
    assert estimate_tokens([ASKED]) == asked + 4 + 800
    assert estimate_tokens([ASKED, CALLED]) == asked + 804 + 4 + text_tokens("find") + text_tokens('{"a": 1}')


def test_the_bound_is_the_bytes_and_what_providers_add() -> None:
    assert most_tokens([]) == 128
    assert most_tokens([Message("user", "aé")]) == 128 + 32 + 3
    assert most_tokens([ASKED]) == 128 + 32 + 12 + 6_000
    assert most_tokens([ASKED], "openai/gpt-4o-mini-2024") == 128 + 32 + 12 + 50_000
    assert most_tokens([CALLED]) == 128 + 32 + len('{"r": 1}') + 32 + 4 + len('{"a": 1}') + len('{"s": "é"}') + 1


def test_the_larger_form_of_a_character_counts() -> None:
    assert size("abc") == 3
    assert size("é") == 2
    assert size("\ufdfa") == 33  # one sign that stands for eighteen letters
    assert size("\ud800") == 3


def test_the_most_that_a_token_costs() -> None:
    each = Decimal("0.000001")
    assert most_rates(model("2", "8")) == (2 * each, 8 * each)
    assert most_rates(model("2", "8", "3")) == (3 * each, 8 * each)
    assert most_rates(model("2", "8", "1", "5")) == (5 * each, 8 * each)
    assert most_rates(model("2", "8", "1", "1")) == (2 * each, 8 * each)
    assert most_rates(model("2", None)) is None
    assert most_rates(model(None, "2")) is None


def test_above_the_threshold_it_may_cost_twice_as_much() -> None:
    assert not is_long(model("2", "8"), 10**9)
    assert not is_long(model("2", "8", threshold=1000), 1000)
    assert is_long(model("2", "8", threshold=1000), 1001)
    assert most_cost(model("2", "8", threshold=1000), 1000, 10) == Decimal("0.002080")
    assert most_cost(model("2", "8", threshold=1000), 1001, 10) == Decimal("0.004164")
    assert most_cost(model("2", None), 1, 1) is None


def test_a_thousand_short_questions() -> None:
    assert short_questions(model("1", "5")) == Decimal("0.4")
    assert short_questions(model("0", "0")) == 0
    assert short_questions(model("1", None)) is None
    assert short_questions(model(None, "1")) is None
    assert short_questions(model("9e999999", "1")) is None


def test_an_unknown_cost_says_why() -> None:
    assert cost(model("1", "9e999999"), Usage(1, 10**6)) == Estimate(None, (estimate.NO_PRICE,))
    assert cost(model("1", "5"), Usage(-1, 5)) == Estimate(None, (estimate.NO_USAGE,))
    assert cost(model("1", "5"), Usage(0, 0)) == Estimate(Decimal(0))
    assert cost(model("1", "5"), Usage(5, -1)) == Estimate(None, (estimate.NO_USAGE,))


def test_what_errs_downwards_is_noted_from_the_threshold_on() -> None:
    priced = model("1", "5", threshold=10)
    assert cost(priced, Usage(10, 1)).notes == ()
    assert cost(priced, Usage(11, 1)).notes == (estimate.LONG_CONTEXT,)
    assert cost(priced, Usage(11, 1, cache_write_tokens=1)).notes == (estimate.LONG_CONTEXT, estimate.CACHE_WRITES)
    assert cost(model("0", "5"), Usage(1, 1, cache_write_tokens=1)).notes == ()
