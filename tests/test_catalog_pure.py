"""The list of models as values: joined, found, picked, shown as rows; each member on its own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tetrate_jupyter.catalog.join import MAX_DESCRIPTION, NOT_CHAT, by_id, is_offered, is_usable, join, merge
from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.catalog.picking import ModelQuery, provider_of, providers, row
from tetrate_jupyter.catalog.search import blended_price, default_choice, in_order, nearest, retires_soon
from tetrate_jupyter.errors import OptionError, UnknownModelError
from tetrate_jupyter.http.wire import CatalogModel, Metadata, Modalities, TokenLimits, WireModel
from tetrate_jupyter.types import Model, Price

DAY = date(2026, 1, 1)


def model(identity: str = "m", **members: Any) -> Model:
    prices = Price(*(None if p is None else Decimal(p) for p in members.pop("price", ("1", "1"))))
    return Model(identity, members.pop("name", identity), price=prices, **members)


def ids(models: Any) -> list[str]:
    return [m.id for m in models]


# --- joining ----------------------------------------------------------------------------------------------------


def test_each_member_has_its_place() -> None:
    wire = WireModel(" M-1 ", owned_by="owner", description="theirs")
    entry = CatalogModel(
        "m-1", "prov", "Name", "chat", True, 1000, ["Vision", "tool_choice"], Modalities(["text"]),
        TokenLimits(max_output_tokens=100, high_context=200, high_context_comparison="gt"),
        Metadata("meta", "said", True, "2027-02-03T00:00", "2025-01-02", True, ["low"], ["f"]),
        Decimal("1.50"), Decimal(2), Decimal(3), Decimal("4E+1"),
    )  # fmt: skip
    assert merge(wire, entry) == Model(
        "M-1", "Name", "prov", "chat", "theirs", 1000, 100,
        Price(Decimal("1.5"), Decimal(2), Decimal(3), Decimal(40)), frozenset({"vision", "tool_choice"}),
        True, True, False, False, ("low",), 200, True, True, date(2027, 2, 3), date(2025, 1, 2), ("f",),
    )  # fmt: skip
    assert merge(WireModel("M-1"), None) == Model("M-1", "M-1")
    assert str(merge(wire, entry).price.cache_write) == "40"


def test_what_the_keys_list_says_goes_before_the_catalog() -> None:
    wire = WireModel(
        "m", "owner", "", Decimal("1e-6"), Decimal("2e-6"), Decimal("3e-6"), Decimal("4e-6"), 10, 20, False, True,
    )  # fmt: skip
    one = Decimal(9)
    entry = CatalogModel("m", context_window=1, capabilities=["vision"], input_price=one, output_price=one,
                         cached_price=one, caching_price=one, metadata=Metadata(description="said"))  # fmt: skip
    joined = merge(wire, entry)
    assert joined.price == Price(Decimal(1), Decimal(2), Decimal(3), Decimal(4))
    assert (joined.context_window, joined.max_output_tokens) == (10, 20)
    assert (joined.images, joined.reasoning, joined.tools) == (False, True, False)
    assert (joined.description, joined.provider) == ("said", "owner")


@pytest.mark.parametrize(
    ("entry", "name", "value"),
    [
        (CatalogModel("m", metadata=Metadata(display_name="Meta")), "name", "Meta"),
        (CatalogModel("m", modalities=Modalities(["image"])), "images", True),
        (CatalogModel("m", modalities=Modalities(None)), "images", None),
        (CatalogModel("m", capabilities=["function_calling"]), "tools", True),
        (CatalogModel("m", capabilities=["reasoning"]), "reasoning", True),
        (CatalogModel("m", capabilities=["structured_outputs"]), "structured_output", True),
        (CatalogModel("m", capabilities=[]), "capabilities", None),
        (CatalogModel("m", context_window=0), "context_window", None),
        (CatalogModel("m", context_window=1), "context_window", 1),
        (CatalogModel("m", context_window=10**9), "context_window", 10**9),
        (CatalogModel("m", context_window=10**9 + 1), "context_window", None),
        (CatalogModel("m", limits=TokenLimits(high_context=200, high_context_comparison="gte")),
         "long_context_threshold", 199),
        (CatalogModel("m", limits=TokenLimits(high_context=200)), "long_context_threshold", 200),
        (CatalogModel("m", metadata=Metadata(release_date="1999-12-31")), "release_date", None),
        (CatalogModel("m", metadata=Metadata(release_date="2000-01-01")), "release_date", date(2000, 1, 1)),
        (CatalogModel("m", metadata=Metadata(release_date="2199-12-31")), "release_date", date(2199, 12, 31)),
        (CatalogModel("m", metadata=Metadata(release_date="2200-01-01")), "release_date", None),
        (CatalogModel("m", metadata=Metadata(release_date="soon")), "release_date", None),
        (CatalogModel("m", metadata=Metadata(reasoning_efforts=["low", "", "a\nb"])), "reasoning_efforts", ("low",
        "a b")),
        (CatalogModel("m", metadata=Metadata(fallback_policies=["x"] * 101)), "fallbacks", ("x",) * 100),
        (CatalogModel("m", metadata=Metadata(description="x" * 2001)), "description", "x" * MAX_DESCRIPTION),
    ],
)  # fmt: skip
def test_one_member_at_a_time(entry: CatalogModel, name: str, value: object) -> None:
    assert getattr(merge(WireModel("m"), entry), name) == value


@pytest.mark.parametrize(
    ("price", "kept"),
    [
        ("0", "0"), ("-0", None), ("-1", None), ("NaN", None), ("Infinity", None), ("1e-9", "1E-9"), ("9e-10", None),
        ("1000000", "1000000"), ("1000001", None), ("1.2300", "1.23"),
        ("1" * 6 + "." + "1" * 14, "1" * 6 + "." + "1" * 14),
        ("1" * 6 + "." + "1" * 15, None), ("1E+1", "10"), ("1." + "1" * 19 + "000", "1." + "1" * 19),
    ],
)  # fmt: skip
def test_a_sane_price_is_kept_as_it_is(price: str, kept: str | None) -> None:
    found = merge(WireModel("m"), CatalogModel("m", input_price=Decimal(price))).price.input
    assert (None if found is None else str(found)) == kept


@pytest.mark.parametrize(
    ("per_token", "per_million"),
    [("1", "1000000"), ("1.1", None), ("1e-15", "1E-9"), ("9e-16", None), ("0", "0"), ("0.00000025", "0.25")],
)
def test_a_price_per_token(per_token: str, per_million: str | None) -> None:
    found = merge(WireModel("m", input_price=Decimal(per_token)), None).price.input
    assert (None if found is None else str(found)) == per_million


@pytest.mark.parametrize("prefix", ["xai", "groq", "deepinfra", "vertex", "vertexanthropic"])
def test_the_provider_may_stand_in_the_id(prefix: str) -> None:
    assert merge(WireModel(f" {prefix.upper()}/a/b", "owner"), None).provider == prefix
    assert merge(WireModel(f"{prefix}/a", "owner"), CatalogModel("m", "theirs")).provider == "theirs"
    assert merge(WireModel("else/a", "owner"), None).provider == "owner"


def test_of_entries_with_one_id_an_enabled_one_counts_then_the_first() -> None:
    off, first, second = (
        CatalogModel(" M ", is_enabled=e, mode=m) for e, m in ((False, "a"), (None, "b"), (True, "c"))
    )
    assert by_id([off, first, second]) == {"m": first}
    assert by_id([first, off]) == {"m": first}
    assert by_id([off]) == {"m": off}


@pytest.mark.parametrize("mode", sorted(NOT_CHAT))
def test_what_isnt_for_chat_by_its_mode(mode: str) -> None:
    assert len(NOT_CHAT) == 7
    assert not is_offered("m", CatalogModel("m", mode=mode.upper()))
    assert is_offered("an-embedding", CatalogModel("m", mode="chat"))
    assert is_offered("m", CatalogModel("m", mode="responses"))
    assert not is_offered("m", CatalogModel("m", mode="chat", is_enabled=False))


@pytest.mark.parametrize(
    "name",
    [
        "text-embed-3",
        "rerank-1",
        "x-moderation",
        "whisper-1",
        "x-transcribe",
        "dall-e-3",
        "imagen-4",
        "stable-diffusion-x",
        "gpt-image-1",
        "gemini-flash-image",
        "llama-guard",
        "tts",
        "tts-1",
        "x/tts-1",
        "x-tts",
        "x_tts.1",
        "x.image",
        "a-image/b",
    ],
)
def test_what_isnt_for_chat_by_its_name(name: str) -> None:
    assert not is_offered(name.upper(), None)
    assert not is_offered(name, CatalogModel("m"))


@pytest.mark.parametrize("name", ["gpt-5", "imagery-1", "guardian", "attsx", "llama-guards", "x-images"])
def test_what_is_for_chat_by_its_name(name: str) -> None:
    assert is_offered(name, None)


def test_ids_that_can_be_sent() -> None:
    assert [is_usable(i) for i in ("m", " m ", "", "  ", "x" * 200, "x" * 201, "a\u200bb", "a\x1bb")] == [
        True, True, False, False, True, False, False, False,
    ]  # fmt: skip


def test_joined_models_are_sorted_and_each_is_there_once() -> None:
    wires = [
        WireModel("b"),
        WireModel("A", "z"),
        WireModel("c", "y"),
        WireModel(" B", "x"),
        WireModel("a2", "z"),
        WireModel(""),
    ]
    assert ids(join(wires)) == ["c", "A", "a2", "b"]
    assert join(wires, [CatalogModel("B", display_name="Bee")])[-1].name == "Bee"


# --- finding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "members", "fits"),
    [
        ("", {}, True), ("m", {}, True), ("M", {}, True), ("x", {}, False), ("m x", {}, False), ("m,m", {}, True),
        ("wor", {"name": "The Word"}, True), ("pro", {"provider": "Prov"}, True), ("a b", {"name": "A-B"}, True),
        ("a.b", {"name": "a b"}, True), ("custom", {"capabilities": frozenset({"custom"})}, True),
        ("m*", {}, True), ("x*", {}, False), ("?", {}, True), ("[m]", {}, True),
        ("200k", {"context_window": 200_000}, True), ("200k", {"context_window": 199_999}, False), ("200k", {}, False),
        ("1m", {"context_window": 1_000_000}, True), (">=1.5k", {"context_window": 1500}, True),
        (">2k+", {"context_window": 1999}, False),
        ("cheap", {"price": ("1", "1")}, True), ("cheap", {"price": ("1", "1.01")}, False),
        ("cheap", {"price": (None, "1")}, False), ("free", {"price": ("0", "0")}, True), ("free", {}, False),
        ("priced", {}, True), ("priced", {"price": ("1", None)}, False),
        ("preview", {"preview": True}, True), ("preview", {}, False),
        ("deprecated", {"deprecated": True}, True), ("deprecated", {"retirement_date": date(2020, 1, 1)}, True),
        ("deprecated", {}, False),
        *[(word, {flag: value}, value is not False)
          for words, flag in (("vision images image", "images"), ("tools tool", "tools"),
                              ("reasoning thinking", "reasoning"), ("structured schema json", "structured_output"))
          for word in words.split() for value in (True, None, False)],
    ],
)  # fmt: skip
def test_words(query: str, members: dict[str, Any], *, fits: bool) -> None:
    assert ids(ModelList([model(**members)]).search(query)) == ["m"] * fits


def test_a_pattern_may_leave_out_the_part_before_the_slash() -> None:
    listed = ModelList([model("xai/Grok-4")])
    assert ids(listed.search("grok*")) == ids(listed.search("xai/*")) == ["xai/Grok-4"]
    assert ids(listed.search("ro*")) == []


def test_prices_are_blended_three_to_one() -> None:
    assert blended_price(model(price=("1", "5"))) == 2
    assert blended_price(model(price=(None, "5"))) is None
    assert blended_price(model(price=("1", None))) is None


def test_ninety_days_are_soon() -> None:
    assert retires_soon(model(retirement_date=date(2026, 4, 1)), DAY)
    assert not retires_soon(model(retirement_date=date(2026, 4, 2)), DAY)
    assert not retires_soon(model(), DAY)


ORDERED = [
    model("B", name="x", provider="p", context_window=1, max_output_tokens=9, price=("3", "1"),
        release_date=date(2025, 1, 1)),
    model("a", name="Y", provider="o", context_window=2, max_output_tokens=8, price=("1", "9"), retirement_date=DAY),
    model("c", name="z", price=(None, "5"), release_date=date(2024, 1, 1), retirement_date=date(2025, 1, 1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "up", "down"),
    [
        ("id", "aBc", "cBa"), ("name", "Bac", "caB"), ("provider", "aBc", "Bac"), ("context", "Bac", "aBc"),
        ("output", "aBc", "Bac"), ("price", "Bac", "aBc"), ("input price", "aBc", "Bac"),
        ("output price", "Bca", "acB"), ("released", "cBa", "Bca"), ("retirement", "caB", "acB"),
    ],
)  # fmt: skip
def test_orders(by: str, up: str, down: str) -> None:
    assert "".join(ids(in_order(ORDERED, by))) == up
    assert "".join(ids(ModelList(ORDERED).sorted(by, descending=True))) == down


def test_another_order_is_refused_with_those_there_are() -> None:
    with pytest.raises(OptionError) as caught:
        in_order(ORDERED, "size")
    assert "'size'" in caught.value.message
    assert "'id', 'name', 'provider'" in caught.value.next_step
    assert ids(ModelList(ORDERED).sorted()) == ["a", "B", "c"]


def test_near_misses() -> None:
    models = [
        model("claude-haiku-4-5"),
        model("claude-sonnet-4-5"),
        model("xai/grok-4"),
        model("zz", name="Gemini Flash"),
    ]
    assert ids(nearest(models, "claude-haiku-45"))[0] == "claude-haiku-4-5"
    assert ids(nearest(models, "haiku")) == ["claude-haiku-4-5"]
    assert ids(nearest(models, "grok")) == ["xai/grok-4"]
    assert ids(nearest(models, "gemini flash")) == ["zz"]
    assert ids(nearest(models, "claude", 1)) == ["claude-haiku-4-5"]
    assert ids(nearest(models, "claude-haiku-4-5-20251001"))[0] == "claude-haiku-4-5"
    assert nearest(models, "qqqqqq") == nearest(models, "  ") == []


@pytest.mark.parametrize(
    ("models", "chosen"),
    [
        ([], None),
        ([model("gpt-5-mini"), model("claude-haiku-4-5"), model("claude-haiku-10"), model("gemini-3-flash")],
        "claude-haiku-10"),
        ([model("gpt-5-mini"), model("gpt-6-luna"), model("gemini-3-flash")], "gemini-3-flash"),
        ([model("gpt-5-mini"), model("gpt-6-luna")], "gpt-6-luna"),
        ([model("gpt-5-mini"), model("a")], "gpt-5-mini"),
        ([model("gpt-5-mini", price=("4", "4.01")), model("a", price=("3", "3"))], "a"),
        ([model("gpt-5-mini", price=("4", "4")), model("a")], "gpt-5-mini"),
        ([model("gpt-5-mini", price=("0", "0")), model("a")], "a"),
        ([model("b", price=("3", "3")), model("a", price=("0.5", "0.5")), model("c", price=("2", "2"))], "a"),
        ([model("b", tools=False), model("a", price=("3", "3"))], "a"),
        ([model("b", deprecated=True), model("a", price=("3", "3"))], "a"),
        ([model("b", preview=True), model("a", price=("3", "3"))], "a"),
        ([model("b", retirement_date=DAY), model("a", price=("3", "3"))], "a"),
        ([model("b", preview=True), model("c", price=("9", "9")), model("a", price=("9", "9"))], "c"),
        ([model("b", preview=True), model("a", preview=True)], "b"),
    ],
)  # fmt: skip
def test_the_choice_for_somebody_who_hasnt_chosen(models: list[Model], chosen: str | None) -> None:
    found = default_choice(models, DAY)
    assert (None if found is None else found.id) == chosen
    assert ModelList(models).default(DAY) == found


def test_a_list_is_a_sequence_that_finds_by_id() -> None:
    models = ModelList(ORDERED)
    assert (len(models), models.ids, models[0], models[:2].ids) == (3, ("B", "a", "c"), ORDERED[0], ("B", "a"))
    assert isinstance(models[:2], ModelList)
    assert models["b"] is models.get(" unlisted: B ") is models.find("B") is ORDERED[0]
    assert "A" in models
    assert "x" not in models
    assert ORDERED[1] in models
    assert model("x") not in models
    assert 5 not in models
    assert models == ModelList(ORDERED)
    assert models != ModelList(ORDERED[:2])
    assert models != tuple(ORDERED)
    assert hash(models) == hash(ModelList(ORDERED))
    assert models.get("x") is None
    assert ModelList(model(f"gpt-{n}") for n in range(5)).nearest("gpt") == ("gpt-0", "gpt-1", "gpt-2")
    twice = ModelList([model("m", name="first"), model("M", name="second")])
    assert twice["m"].name == "first"


def test_an_unknown_id_offers_the_nearest() -> None:
    models = ModelList([model("claude-haiku-4-5"), model("gpt-5")])
    with pytest.raises(UnknownModelError) as caught:
        models.find("claude-haiku ")
    assert caught.value.message == "No model 'claude-haiku ' in this key's list of 2."
    assert caught.value.nearest == models.nearest("claude-haiku ") == ("claude-haiku-4-5",)
    assert caught.value.next_step.startswith(
        "use 'claude-haiku-4-5'; to use a model that is served but not listed, write"
    )
    assert caught.value.next_step.endswith("'unlisted:claude-haiku'")
    with pytest.raises(UnknownModelError) as caught:
        models["qqqqq"]
    assert caught.value.next_step.startswith("list them with %tetrate_models; ")


def test_a_list_shows_itself() -> None:
    bundle = ModelList(ORDERED)._repr_mimebundle_()
    assert bundle["text/plain"] == repr(ModelList(ORDERED))
    assert "<table" in bundle["text/html"]
    assert list(ModelList(ORDERED).df.index) == [0, 1, 2] or len(ModelList(ORDERED).df) == 3


# --- picking ----------------------------------------------------------------------------------------------------

PICKED = ModelList([
    model("a", provider="x", images=True, tools=False, price=("3", "3"), context_window=10),
    model("b", provider="y", images=None, tools=True, price=("1", "1"), context_window=30),
    model("C", images=False, reasoning=True, structured_output=True, price=("2", "2"), context_window=20),
])  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "right"),
    [
        (ModelQuery(), "abC"), (ModelQuery("b"), "b"), (ModelQuery(provider="x"), "a"),
        (ModelQuery(provider="other"), "C"),
        (ModelQuery(capabilities=frozenset({"images"})), "ab"), (ModelQuery(capabilities=frozenset({"tools"})), "bC"),
        (ModelQuery(capabilities=frozenset({"images", "tools"})), "b"),
        (ModelQuery(capabilities=frozenset({"reasoning"})), "abC"),
        (ModelQuery(sort="price"), "bCa"), (ModelQuery(sort="context"), "bCa"), (ModelQuery(sort="name"), "abC"),
        (ModelQuery("x", provider="x"), "a"), (ModelQuery("y", provider="x"), ""),
    ],
)  # fmt: skip
def test_wishes(wish: ModelQuery, right: str) -> None:
    assert "".join(ids(wish.of(PICKED))) == right


def test_a_wish_that_cant_be_is_refused() -> None:
    with pytest.raises(OptionError, match="'size'") as caught:
        ModelQuery(sort="size")
    assert "provider, price, context, name" in caught.value.next_step
    with pytest.raises(OptionError, match="'a'") as caught:
        ModelQuery(capabilities=frozenset({"tools", "b", "a"}))
    assert "images, tools, reasoning, structured output" in caught.value.next_step


def test_providers_by_name() -> None:
    assert providers(PICKED) == ["other", "x", "y"]
    assert providers([model(provider="B"), model(provider="a")]) == ["a", "B"]
    assert provider_of(PICKED[2]) == "other"


def test_a_row_of_the_picker() -> None:
    full = model(
        "m\u200b", name="Name", provider="p", description="d" * 500, price=("1", "2"), context_window=200_000,
            images=True,
        structured_output=True, preview=True, deprecated=True, fallbacks=("f", "g"),
    )  # fmt: skip
    assert row(full, DAY) == {
        "id": "m\u200b", "label": "m[U+200B]" if "U+200B" in row(full, DAY)["label"] else row(full, DAY)["label"],
        "name": "Name", "provider": "p", "description": "d" * 400,
        "asks": "$0.22", "bar": 45, "input": "$1.00", "output": "$2.00", "window": "200k",
        "can": [True, None, None, True], "ends": ["", False, False], "marks": ["deprecated", "preview"],
        "falls": ["f", "g"],
    }  # fmt: skip
    assert row(full, DAY)["label"] != full.id
    bare = row(model("m", price=("1", None)), DAY)
    assert (bare["name"], bare["provider"], bare["input"], bare["output"], bare["window"]) == (
        "", "other", "$1.00", "unknown", "unknown",
    )  # fmt: skip
    assert (bare["can"], bare["marks"], bare["asks"], bare["bar"]) == ([None] * 4, [], "unknown", -1)
    assert row(model(price=(None, "1")))["asks"] == "unknown"
    assert row(model(images=False))["can"] == [False, None, None, None]


def test_a_row_says_when_a_model_goes() -> None:
    gone = row(model(retirement_date=DAY, deprecated=True), DAY)
    assert (gone["ends"], gone["marks"]) == (["2026-01-01", True, True], [])
    assert row(model(retirement_date=date(2026, 1, 2)), DAY)["ends"] == ["2026-01-02", True, False]
    assert row(model(retirement_date=date(2027, 1, 2)), DAY)["ends"] == ["2027-01-02", False, False]
    assert row(model(retirement_date=date(2000, 1, 1)))["ends"] == ["2000-01-01", True, True]
