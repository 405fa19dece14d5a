"""Finding models: words, patterns, sizes, near misses, and a sensible choice where nobody chose."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.errors import OptionError, UnknownModelError
from tetrate_jupyter.types import Model, Price

TODAY = date(2026, 11, 1)


def model(identity: str, inp: str | None = None, out: str | None = None, /, **more: object) -> Model:
    price = Price(None if inp is None else Decimal(inp), None if out is None else Decimal(out))
    return Model(**{"id": identity, "name": identity, "price": price, **more})  # type: ignore[arg-type]


HAIKU = model(
    "claude-haiku-4-5",
    "1",
    "5",
    name="Claude Haiku 4.5",
    provider="anthropic",
    context_window=200_000,
    max_output_tokens=64_000,
    images=True,
    tools=True,
    reasoning=True,
    capabilities=frozenset({"vision", "tool_choice", "pdf_support"}),
    release_date=date(2025, 10, 1),
)
OPUS = model(
    "claude-opus-5-5", "4", "20", name="Claude Opus 5.5", provider="anthropic", context_window=1_000_000, tools=True
)
NANO = model(
    "gpt-5-nano", "0.05", "0.4", provider="openai", deprecated=True, retirement_date=date(2026, 12, 11), images=False
)
LUNA = model("gpt-6-luna", "0.1", "0.5", name="GPT-6 Luna", provider="openai", context_window=1_050_000)
DEEP = model("deepinfra/deepseek-ai/DeepSeek-V3.2", "0.26", "0.38", provider="deepinfra", images=False)
PLAIN = model("somebody/unheard-of-1")
ALL = ModelList([HAIKU, OPUS, DEEP, NANO, LUNA, PLAIN])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [HAIKU, OPUS, DEEP, NANO, LUNA, PLAIN]),
        ("claude-*", [HAIKU, OPUS]),
        ("DeepSeek*", [DEEP]),
        ("deepinfra/*", [DEEP]),
        ("claude 4.5", [HAIKU]),
        ("Claude-Haiku-4.5", [HAIKU]),
        ("openai", [NANO, LUNA]),
        ("gpt 1m", [LUNA]),
        ("200k", [HAIKU, OPUS, LUNA]),
        (">=1m", [OPUS, LUNA]),
        ("pdf_support", [HAIKU]),
        ("cheap", [DEEP, NANO, LUNA]),
        ("openai, cheap", [NANO, LUNA]),
        ("deprecated", [NANO]),
        ("nothing-of-the-sort", []),
    ],
)
def test_search(query: str, found: list[Model]) -> None:
    assert list(ALL.search(query)) == found


def test_a_capability_that_the_router_does_not_mention_hides_no_model() -> None:
    assert list(ALL.search("vision")) == [HAIKU, OPUS, LUNA, PLAIN]


def test_free_means_priced_at_nothing_and_not_unpriced() -> None:
    free = model("free-one", "0", "0")
    assert list(ModelList([free, PLAIN]).search("free")) == [free]


def test_sorting_puts_the_unknown_last_either_way() -> None:
    assert ALL.sorted("price").ids == tuple(m.id for m in (NANO, LUNA, DEEP, HAIKU, OPUS, PLAIN))
    assert ALL.sorted("price", descending=True).ids[-1] == PLAIN.id
    assert ALL.sorted("context", descending=True).ids[:3] == (LUNA.id, OPUS.id, HAIKU.id)


@pytest.mark.parametrize(
    "by",
    ["id", "name", "provider", "context", "output", "price", "input price", "output price", "released", "retirement"],
)
def test_every_order_keeps_every_model(by: str) -> None:
    assert set(ALL.sorted(by)) == set(ALL)


def test_an_unknown_order_is_explained() -> None:
    with pytest.raises(OptionError) as caught:
        ALL.sorted("beauty")
    assert "'price'" in caught.value.next_step


def test_ids_are_found_whatever_their_case() -> None:
    assert ALL.get(" Claude-HAIKU-4-5 ") is HAIKU
    assert ALL["DEEPINFRA/deepseek-ai/deepseek-v3.2"] is DEEP
    assert "GPT-6-Luna" in ALL
    assert HAIKU in ALL
    assert ALL.get("nowhere") is None
    assert 5 not in ALL


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("haiku", HAIKU),
        ("claude-haiku", HAIKU),
        ("claude-haiku-4-5-20251001", HAIKU),
        ("anthropic/claude-haiku-4.5", HAIKU),
        ("claud-opus5.5", OPUS),
        ("deepseek-v3", DEEP),
        ("GPT 6 luna", LUNA),
    ],
)
def test_near_misses_are_understood(typed: str, meant: Model) -> None:
    assert ALL.nearest(typed)[0] == meant.id


def test_what_resembles_nothing_has_no_near_miss() -> None:
    assert ALL.nearest("zzzzzz") == ()
    assert ALL.nearest("  ") == ()


def test_an_unknown_id_is_answered_with_the_nearest_ones() -> None:
    with pytest.raises(UnknownModelError) as caught:
        ALL.find("claude-haiku")
    assert caught.value.nearest[0] == HAIKU.id
    assert repr(HAIKU.id) in caught.value.next_step
    with pytest.raises(UnknownModelError) as caught:
        ALL.find("zzzzzz")
    assert "%tetrate_models" in caught.value.next_step


def test_the_default_is_the_newest_of_a_small_family() -> None:
    older, newest = replace(HAIKU, id="claude-haiku-3-5"), replace(HAIKU, id="claude-haiku-10-1")
    assert ModelList([older, newest, HAIKU, OPUS]).default(TODAY) is newest


def test_the_default_without_a_known_family_is_an_everyday_price() -> None:
    listed = ModelList([OPUS, DEEP, model("mid", "0.8", "1.5"), model("costly", "30", "90")])
    default = listed.default(TODAY)
    assert default is not None
    assert default.id == "mid"


@pytest.mark.parametrize(
    "flaw", [{"deprecated": True}, {"preview": True}, {"tools": False}, {"retirement_date": date(2026, 12, 1)}]
)
def test_the_default_is_never_on_its_way_out_nor_unable_to_use_tools(flaw: dict[str, object]) -> None:
    flawed = replace(HAIKU, **flaw)  # type: ignore[arg-type]
    assert ModelList([flawed, OPUS, DEEP]).default(TODAY) is DEEP


def test_a_family_member_that_is_no_longer_cheap_is_no_default() -> None:
    dear = replace(HAIKU, price=Price(Decimal(10), Decimal(50)))
    assert ModelList([dear, DEEP]).default(TODAY) is DEEP


def test_the_default_without_any_price_is_still_a_model() -> None:
    assert ModelList([PLAIN]).default(TODAY) is PLAIN
    assert ModelList([replace(PLAIN, deprecated=True)]).default(TODAY) is not None
    assert ModelList().default(TODAY) is None


def test_a_list_is_an_immutable_sequence() -> None:
    assert ALL[0] is HAIKU
    assert ALL[-1] is PLAIN
    assert ALL[:2] == ModelList([HAIKU, OPUS])
    assert next(reversed(ALL)) is PLAIN
    assert hash(ALL) == hash(ModelList(list(ALL)))
    with pytest.raises(TypeError):
        ALL[0] = OPUS  # type: ignore[index]
