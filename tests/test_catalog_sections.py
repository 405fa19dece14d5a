"""The sections of the model list: each model once, and what is recommended by the lists' data alone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.catalog.sections import MOST_RECENT, Marked, recommended, sections
from tetrate_jupyter.types import Model, Price

DAY = date(2026, 11, 1)


def model(identity: str, provider: str, price: tuple[str, str] | None = ("1", "5"), **more: object) -> Model:
    cost = Price() if price is None else Price(*map(Decimal, price))
    usual = {"tools": True, "images": True, "context_window": 1_000_000}
    return Model(identity, identity, provider, price=cost, **{**usual, **more})  # type: ignore[arg-type]


def ids(*models: Model) -> list[str]:
    return [m.id for m in recommended(ModelList(models), DAY)]


def test_every_model_stands_once_in_its_first_fitting_section() -> None:
    models = ModelList([model(f"m{n}", "p") for n in range(20)])
    marked = Marked("m3", ("m3", "m4", "gone", "m5", "m6", "m7", "m8", "m9"), ("m5", "m10", "m9", "gone"))
    made = sections(models, marked, DAY)
    found = {each.title: [m.id for m in each.models] for each in made}
    assert found["In use"] == ["m3"]
    assert found["Recent"] == ["m4", "m5", "m6", "m7", "m8"]
    assert len(found["Recent"]) == MOST_RECENT
    assert found["Starred"] == ["m10", "m9"]
    every = [m.id for each in made for m in each.models]
    assert sorted(every) == sorted(models.ids)


def test_sections_without_models_are_not_there() -> None:
    assert sections(ModelList(), Marked("m", ("m",), ("m",)), DAY) == []
    only = sections(ModelList([model("m", "p")]), Marked("m"), DAY)
    assert [each.title for each in only] == ["In use"]


def test_one_of_each_class_of_prices_is_recommended_from_several_providers() -> None:
    assert ids(
        model("claude-haiku-4-5", "anthropic"),
        model("claude-opus-5", "anthropic", ("5", "25")),
        model("gpt-6-luna", "openai", ("0.1", "0.5")),
        model("gemini-3-pro", "gemini", ("2", "10")),
        model("grok-4", "xai", ("3", "15")),
    ) == ["claude-haiku-4-5", "gpt-6-luna", "gemini-3-pro", "grok-4"]


def test_what_is_on_its_way_out_or_unknown_is_never_recommended() -> None:
    good = model("a-1", "good")
    for other in (
        model("b-9", "p", None),
        model("b-9", "p", ("0", "0")),
        model("b-9", "p", tools=False),
        model("b-9", "p", tools=None),
        model("b-9", "p", deprecated=True),
        model("b-9", "p", preview=True),
        model("b-9", "p", retirement_date=date(2026, 12, 1)),
    ):
        assert ids(good, other) == ["a-1"]
    assert "b-9" in ids(good, model("b-9", "p", ("0.1", "0.1"), retirement_date=date(2029, 1, 1)))


def test_an_older_generation_gives_way_to_the_newest() -> None:
    first = model("claude-haiku-4-5", "anthropic")
    assert ids(first, model("x-2", "p", ("0.1", "0.1")), model("x-3", "p", ("9", "9"))) == ["claude-haiku-4-5", "x-3"]
    assert "x-3.1" in ids(first, model("x-3", "p", ("0.1", "0.1")), model("x-3.1", "p", ("0.2", "0.1")))


def test_abilities_then_window_then_price_decide() -> None:
    first = model("claude-haiku-4-5", "anthropic")
    cheap = ("0.1", "0.1")
    able = model("a-1", "a", cheap, reasoning=True, context_window=8_000)
    assert "a-1" in ids(first, able, model("b-1", "b", cheap))
    assert "b-1" in ids(first, model("a-1", "a", cheap, context_window=8_000), model("b-1", "b", cheap))
    large, dear = model("a-1", "a", ("0.2", "0.2"), context_window=9_000_000), model("b-1", "b", cheap)
    assert "b-1" in ids(first, large, dear)  # a window beyond a million tokens is no reason to pay more


def test_without_a_model_in_use_there_is_no_such_section() -> None:
    made = sections(ModelList([model("m", "p")]), Marked(None, ("m",)), DAY)
    assert [each.title for each in made] == ["Recent"]


def test_of_a_class_the_most_able_then_the_widest_then_the_cheapest_is_recommended() -> None:
    first = model("claude-haiku-4-5", "anthropic", ("0.2", "0.2"))
    plain = model("a-1", "a", images=False)
    assert ids(first, plain, model("b-1", "b"))[1:] == ["b-1"]
    assert ids(first, model("a-1", "a", context_window=999_999), model("b-1", "b"))[1:] == ["b-1"]
    assert ids(first, model("a-1", "a", context_window=None), model("b-1", "b", context_window=1))[1:] == ["b-1"]
    wide = model("a-1", "a", ("1.1", "5"), context_window=2_000_000)
    assert ids(first, wide, model("b-1", "b"))[1:] == ["b-1"]
    for ability in ("reasoning", "structured_output"):
        assert ids(first, model("a-1", "a", ("0.9", "5")), model("b-1", "b", **{ability: True}))[1:] == ["b-1"]


def test_another_provider_comes_before_a_better_model() -> None:
    first = model("claude-haiku-4-5", "anthropic", ("0.2", "0.2"))
    better = model("claude-opus-5", "anthropic", reasoning=True)
    assert ids(first, better, model("b-1", "b", context_window=1))[1:] == ["b-1"]


def test_the_classes_of_prices_end_at_ten_cents_and_a_dollar() -> None:
    first = model("claude-haiku-4-5", "anthropic", ("0.2", "0.2"))
    # 1,000 short questions at one price for both: 160,000 tokens
    up_to = {"0.625": 1, "0.626": 2, "6.25": 2, "6.26": 3}
    for price, place in up_to.items():
        cheap = [model("b-1", "b", ("0.1", "0.1"))] if place > 1 else []
        middle = [model("c-1", "c", ("1", "1"))] if place > 2 else []
        found = ids(first, *cheap, *middle, model("d-1", "d", (price, price)))
        assert found[place] == "d-1"
