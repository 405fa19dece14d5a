"""What a comparison asks: columns from what a person gives, the order of the calls, and bad input answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.compare.columns import Column, column_requests, columns_of, neighbours, numbered
from tetrate_jupyter.compare.setup import CellPlace, Setup, prompts_of
from tetrate_jupyter.errors import EmptyPromptError, OptionError, UnknownModelError
from tetrate_jupyter.types import Model, Price


def model(identity: str, provider: str = "p", price: str | None = "1", **more: Any) -> Model:
    both = None if price is None else Decimal(price)
    return Model(identity, identity, provider, mode=more.pop("mode", "chat"), price=Price(both, both), **more)


MODELS = ModelList(
    [
        model("claude-haiku", "anthropic", "1"),
        model("claude-sonnet", "anthropic", "3"),
        model("claude-vectors", "anthropic", "1", mode="embedding"),
        model("gemini-flash", "gemini", "0.9", images=True),
        model("gpt-mini", "openai", "1.3", images=False),
        model("gpt-large", "openai", "10"),
        model("mystery", "other", None),
    ]
)


def columns(models: object) -> tuple[Column, ...]:
    return columns_of(column_requests(models), MODELS)


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ("claude-haiku", ["claude-haiku"]),
        ("claude-haiku, gpt-mini,", ["claude-haiku", "gpt-mini"]),
        (["claude-haiku", "gpt-mini,gpt-large"], ["claude-haiku", "gpt-mini", "gpt-large"]),
        ("claude-*", ["claude-haiku", "claude-sonnet"]),
        (MODELS["gpt-mini"], ["gpt-mini"]),
        (MODELS[3:5], ["gemini-flash", "gpt-mini"]),
        (["CLAUDE-HAIKU", "claude-*"], ["claude-haiku", "claude-haiku #2", "claude-sonnet"]),
        ([{"model": "gpt-mini", "label": "cold", "temperature": 0}, "gpt-mini"], ["cold", "gpt-mini"]),
    ],
)
def test_columns_come_from_whatever_names_models(given: object, labels: list[str]) -> None:
    assert [c.label for c in columns(given)] == labels


def test_the_same_model_twice_is_two_columns_with_ids_of_their_own() -> None:
    found = columns(["gpt-mini"] * 3 + [{"model": "gpt-large", "label": "gpt-mini #2"}])
    assert [c.id for c in found] == ["c1", "c2", "c3", "c4"]
    assert len({c.label for c in found}) == 4
    assert [c.label for c in found][:3] == ["gpt-mini", "gpt-mini #2", "gpt-mini #3"]


def test_an_unknown_model_among_good_ones_is_a_column_with_the_nearest_names() -> None:
    good, typo, pattern = columns(["gpt-mini", "claude-haikoo", "grok-*"])
    assert good.problem is None
    assert isinstance(typo.problem, UnknownModelError)
    assert typo.problem.nearest[0] == "claude-haiku"
    assert pattern.problem is not None
    assert "grok-*" in str(pattern.problem)


@pytest.mark.parametrize("given", ["grok-*", "nothing-like-it", ["grok-*", "nope"]])
def test_no_match_at_all_is_an_error(given: object) -> None:
    with pytest.raises(UnknownModelError):
        columns(given)


def test_a_pattern_that_is_too_wide_is_an_error() -> None:
    many = ModelList(model(f"m-{n:03}") for n in range(500))
    with pytest.raises(OptionError, match="500 columns; a comparison takes at most 50"):
        columns_of(column_requests("*"), many)
    with pytest.raises(OptionError, match="at most 50"):
        columns_of(column_requests(list(many)), many)


@pytest.mark.parametrize("given", [3, [None, 3], {"temperature": 1}, {"model": "gpt-mini", "images": []}])
def test_what_names_no_model_is_an_error(given: object) -> None:
    with pytest.raises(OptionError):
        column_requests(given)


def test_neighbours_are_of_other_providers_and_near_in_price() -> None:
    assert [m.id for m in neighbours(MODELS["claude-haiku"], MODELS)] == ["gemini-flash", "gpt-mini"]
    assert [m.id for m in neighbours(MODELS["claude-haiku"], MODELS, images=True)] == ["gemini-flash", "gpt-large"]
    assert [m.id for m in neighbours(MODELS["mystery"], MODELS)] == ["gemini-flash", "claude-haiku"]
    assert neighbours(MODELS["mystery"], [MODELS["mystery"]]) == []


def setup(prompts: object = "hi", **more: Any) -> Setup:
    return Setup(prompts_of(prompts), more.pop("columns", columns(["gpt-mini", "claude-*", "mystery"])), **more)


def test_every_cell_is_started_once_in_an_order_that_the_seed_decides() -> None:
    one, same, other = (setup(["a", "b"], repeats=3, seed=n).start_order() for n in (7, 7, 8))
    assert one == same != other
    assert sorted(one) == sorted(
        CellPlace(c, p, r) for c in ("c1", "c2", "c3", "c4") for p in range(2) for r in range(3)
    )
    assert len({tuple(p.column for p in one[i : i + 4]) for i in range(0, 24, 4)}) > 1


def test_blind_names_are_shuffled_by_the_seed() -> None:
    orders = {tuple(setup(seed=n).blind_names()) for n in range(40)}
    assert len(orders) > 10
    assert list(setup(seed=1).blind_names().values()) == ["A", "B", "C", "D"]
    wide = Setup(("x",), numbered(Column("", f"m{n}", "m") for n in range(30)))
    assert list(wide.blind_names().values())[25:28] == ["Z", "AA", "AB"]


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        ("  ", "The prompt is empty"),
        ([], "There is no prompt"),
        (["a", "", "b", " "], r"Prompt 2 of 4 \(and 1 more\) is empty"),
    ],
)
def test_an_empty_prompt_is_an_error_that_says_which(prompts: object, words: str) -> None:
    with pytest.raises(EmptyPromptError, match=words):
        setup(prompts)


@pytest.mark.parametrize("prompts", [None, 7, {"a": 1}, ["a", float("nan")]])
def test_what_is_no_text_is_an_error(prompts: object) -> None:
    with pytest.raises(OptionError):
        setup(prompts)


@pytest.mark.parametrize(
    "wrong",
    [{"repeats": 0}, {"concurrency": 0}, {"max_cost": Decimal(-1)}, {"max_cost": Decimal("nan")}, {"columns": ()}],
)
def test_unusable_numbers_are_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        setup(**wrong)


def test_ten_thousand_prompts_are_fine_and_a_million_calls_are_not() -> None:
    many = [f"prompt {n}" for n in range(10_000)]
    assert setup(many).size == 40_000
    with pytest.raises(OptionError, match="400,000 calls"):
        setup(many, repeats=10)
