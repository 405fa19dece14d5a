"""The model picker against the sandbox: what it finds, which rows it sends, who follows whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.render.hostile import HOSTILE
from tests.widgets.page import Page
from tetrate_jupyter.catalog.estimate import short_questions
from tetrate_jupyter.catalog.picking import CAPABILITIES, ModelQuery, row
from tetrate_jupyter.catalog.sections import Marked, sections
from tetrate_jupyter.compare.columns import LIVE_COLUMNS
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.types import Model, Price
from tetrate_jupyter.widgets.picker import FALLBACK_ROWS, FIRST, MOST, ModelPicker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import SandboxRouter


@pytest.fixture
def panel(session: Session) -> Iterator[ModelPicker]:
    session.models()
    made: ModelPicker = session.picker()
    yield made
    made.close()


@pytest.fixture
def page(panel: ModelPicker) -> Page:
    return Page(panel)


def shown(page: Page) -> list[str]:
    items = sorted(page.items.values(), key=lambda item: item.fields["place"])
    return [item.fields["id"] for item in items]


def listed(session: Session) -> tuple[str, ...]:
    """The ids as they stand in the list where nothing is looked for."""
    marked = Marked(session.model, session.catalog.favourites.recent, session.catalog.favourites.stars)
    return tuple(m.id for section in sections(session.models(), marked) for m in section.models)


def test_it_lists_what_the_key_reaches_and_sends_the_rows_in_view(page: Page, session: Session) -> None:
    ids = listed(session)
    assert set(ids) == set(session.models().ids)
    assert page.fields["of"] == page.fields["count"] == len(ids)
    assert shown(page) == list(ids[:FIRST])
    page.do("rows", of="one", start=40, end=60)
    assert shown(page) == list(ids[40:60])
    page.do("rows", of="two", start=0, end=5)
    assert shown(page) == [*ids[:5], *ids[40:60]]


def titled(page: Page) -> dict[str, list[str]]:
    """What stands under each title, as far as it was sent."""
    ids = {item.fields["place"]: item.fields["id"] for item in page.items.values()}
    return {
        title: [ids[n] for n in range(start, start + count) if n in ids]
        for title, start, count in page.fields["sections"]
    }


def test_it_begins_with_what_is_in_use_used_and_starred(session: Session) -> None:
    session.models()
    for name in ("gpt-6-luna", "claude-opus-5", "claude-haiku-4-5"):
        session.model = name
    for name in ("claude-sonnet-5", "claude-opus-5"):
        session.catalog.favourites.star(name, on=True)
    panel: ModelPicker = session.picker()
    page = Page(panel)
    found = titled(page)
    assert list(found) == ["In use", "Recent", "Starred", "Recommended", "All others"]
    assert found["In use"] == ["claude-haiku-4-5"]
    assert found["Recent"] == ["claude-opus-5", "gpt-6-luna"]
    assert found["Starred"] == ["claude-sonnet-5"]  # once each: the other one is recent
    starred = [k for k, i in page.items.items() if i.fields["starred"]]
    assert starred == ["claude-opus-5", "claude-sonnet-5"]
    for search in ({"words": "claude"}, {"words": "", "sort": "price"}, {"sort": "provider", "provider": "openai"}):
        page.do("find", **search)
        assert page.fields["sections"] == []
    page.do("find", provider="")
    assert list(titled(page)) == list(found)
    panel.close()


def test_no_row_moves_until_the_page_says_that_nobody_is_there(page: Page, session: Session) -> None:
    before = shown(page)
    page.do("choose", model="claude-opus-5")
    page.do("star", model="claude-opus-4-5", on=True)
    assert shown(page) == before
    assert page.fields["stale"] is True
    assert page.fields["sections"][0][0] == "In use before"
    assert page.items["claude-opus-5"].fields["chosen"] is True
    assert page.items["claude-opus-4-5"].fields["starred"] is True
    page.do("settle")
    assert page.fields["stale"] is False
    found = titled(page)
    assert (found["In use"], found["Recent"][0]) == (["claude-opus-5"], "claude-haiku-4-5")
    assert found["Starred"] == ["claude-opus-4-5"]
    assert session.catalog.favourites.stars == ("claude-opus-4-5",)


def test_a_star_in_one_panel_is_one_in_all(page: Page, session: Session) -> None:
    other: ModelPicker = session.picker()
    second = Page(other, "two")
    page.do("star", model="claude-opus-5", on=True)
    second.wait_for(lambda: second.items["claude-opus-5"].fields["starred"])
    second.do("star", model="claude-opus-5", on=False)
    page.wait_for(lambda: not page.items["claude-opus-5"].fields["starred"])
    other.close()


def test_words_tick_filters_and_unticking_takes_the_words_away(page: Page, session: Session) -> None:
    page.do("find", words="flash Images")
    assert page.fields["capabilities"] == {
        "images": True,
        "tools": False,
        "reasoning": False,
        "structured output": False,
    }
    assert page.fields["filters"] == []
    page.do("filter", name="tools", on=True)
    assert page.fields["capabilities"]["tools"] is True
    page.do("filter", name="images", on=False)
    assert (page.fields["words"], page.fields["filters"]) == ("flash", ["tools"])
    page.do("filter", name="tools", on=False)
    assert shown(page) == list(session.models("flash").ids)
    assert page.do("filter", name="flying", on=True) is False


def test_what_was_mistyped_is_offered_with_the_filters_that_are_on(page: Page) -> None:
    page.do("find", words="claude-opsu-5 images")
    assert page.fields["count"] == 0
    assert page.fields["near"][0] == ["claude-opus-5", "claude-opus-5", "anthropic"]
    page.do("find", words="claude-opsu-5", provider="openai")
    assert all(provider == "openai" for _, _, provider in page.fields["near"])
    page.do("find", words="images", provider="", capabilities=[])
    assert page.fields["near"] == []


def test_several_are_ticked_and_compared(page: Page) -> None:
    for name in ("gpt-6-luna", "claude-sonnet-5"):
        page.do("tick", model=name, on=True)
    assert [name for name, _, _ in page.fields["ticked"]] == ["gpt-6-luna", "claude-sonnet-5"]
    assert page.fields["each"] == "≈ $0.00084 a short question"
    page.do("compare", of="one")
    assert page.fields["cell"] == ["one", 1, "%tetrate_compare -m gpt-6-luna,claude-sonnet-5"]
    page.do("tick", model="gpt-6-luna", on=False)
    page.do("compare", of="one")
    assert page.fields["cell"] == ["one", 2, "%tetrate_compare -m claude-haiku-4-5,claude-sonnet-5"]
    page.do("compare", of="two", models=["claude-opus-5"])
    assert page.fields["cell"] == ["two", 3, "%tetrate_compare -m claude-haiku-4-5,claude-opus-5"]
    page.do("compare", of="two", models=["claude-haiku-4-5"])
    assert page.fields["cell"][2] == "%tetrate_compare"
    page.do("clear")
    assert page.fields["ticked"] == []
    assert page.do("tick", model="gone", on=True) is False
    assert page.do("compare", of="one", models=["gone'; import os"]) is False


def test_more_than_can_be_compared_at_once_are_not_ticked(page: Page, session: Session) -> None:
    answers = [page.do("tick", model=name, on=True) for name in session.models().ids[: LIVE_COLUMNS + 1]]
    assert answers == [True] * LIVE_COLUMNS + [False]
    assert "12 models" in page.fields["problem"]
    assert len(page.fields["ticked"]) == LIVE_COLUMNS


def test_after_a_restart_it_is_as_it_was(page: Page, session: Session) -> None:
    page.do("find", words="claude images", sort="price", backwards=True, capabilities=["tools"])
    page.do("tick", model="claude-opus-5", on=True)
    kept = {name: page.fields[name] for name in ("words", "provider", "sort", "backwards")}
    again: ModelPicker = session.picker()
    new = Page(again)
    new.do("take", **kept, capabilities=page.fields["filters"], ticked=["claude-opus-5", "gone"])
    for name in ("words", "filters", "capabilities", "sort", "backwards", "ticked", "count"):
        assert new.fields[name] == page.fields[name]
    assert shown(new) == shown(page)
    again.close()


def test_no_view_can_ask_for_more_than_a_screen_or_two(page: Page) -> None:
    page.do("rows", of="one", start=-5, end=10**9)
    assert len(page.items) <= MOST


@pytest.mark.parametrize("words", ["claude", "vision cheap 200k", "gpt-*", "anthropic", "no such thing"])
def test_words_find_what_the_list_finds(page: Page, session: Session, words: str) -> None:
    page.do("find", words=words)
    assert shown(page) == list(session.models(words).ids[:FIRST])
    assert page.fields["count"] == len(session.models(words))


def test_a_search_that_changes_nothing_leaves_the_views_where_they_are(page: Page, session: Session) -> None:
    page.do("rows", of="one", start=40, end=60)
    page.do("find", words="")
    assert shown(page) == list(listed(session)[40:60])
    page.do("find", words="claude")
    assert shown(page) == list(session.models("claude").ids[:FIRST])


def test_the_fallback_shows_what_was_looked_for_and_says_what_it_leaves_out(page: Page, panel: ModelPicker) -> None:
    left_out = f"and {page.fields['of'] - FALLBACK_ROWS} more"
    assert left_out in panel.fallback_html()
    assert left_out in panel.fallback_plain()
    page.do("hello", page="reloaded")  # from now on it writes the fallback
    page.do("find", words="opus")
    page.wait_for(lambda: "sonnet" not in page.messages[-1].get("fallback", {"text/plain": "sonnet"})["text/plain"])
    fallback = page.messages[-1]["fallback"]
    for text in (fallback["text/plain"], fallback["text/html"]):
        assert "claude-opus-5" in text
        assert "sonnet" not in text
    assert "more" not in panel.fallback_plain()


def test_filters_and_order(page: Page, session: Session) -> None:
    page.do("find", provider="anthropic", capabilities=["images", "tools"], sort="price")
    found = [session.models()[name] for name in shown(page)]
    assert found
    assert {m.provider for m in found} == {"anthropic"}
    assert all(m.images and m.tools for m in found)
    assert [m.price.input for m in found] == sorted(m.price.input for m in found if m.price.input is not None)
    page.do("find", provider="", capabilities=[], sort="context")
    windows = [session.models()[name].context_window for name in shown(page)]
    assert windows == sorted((w for w in windows if w is not None), reverse=True)
    page.do("find", backwards=True)
    assert page.fields["descends"] is False
    known = sorted(w for m in session.models() if (w := m.context_window) is not None)
    assert [session.models()[name].context_window for name in shown(page)] == known[:FIRST]
    for by in ("price", "input price", "output price"):
        page.do("find", sort=by, backwards=False)
        costs = [session.models()[name] for name in shown(page)]
        field = {
            "price": short_questions,
            "input price": lambda m: m.price.input,
            "output price": lambda m: m.price.output,
        }
        found = [cost for m in costs if (cost := field[by](m)) is not None]
        assert found == sorted(found)
    page.do("find", sort="retirement")
    assert page.items[shown(page)[0]].fields["ends"][0]
    assert page.do("find", sort="beauty") is False
    assert "Next:" in page.fields["problem"]


def test_a_choice_is_the_sessions_and_is_followed(page: Page, panel: ModelPicker, session: Session) -> None:
    page.do("choose", model="claude-sonnet-5")
    assert session.model == "claude-sonnet-5"
    assert page.fields["chosen"] == "claude-sonnet-5"
    assert [k for k, i in page.items.items() if i.fields["chosen"]] == ["claude-sonnet-5"]
    session.model = "claude-opus-5"
    page.wait_for(lambda: page.fields["chosen"] == "claude-opus-5")
    assert [k for k, i in page.items.items() if i.fields["chosen"]] == ["claude-opus-5"]
    assert shown(page)[page.fields["place"]] == "claude-opus-5"
    assert "claude-opus-5" in panel.fallback_plain()
    dropdown = session.dropdown()
    page.do("choose", model="claude-haiku-4-5")
    assert dropdown.value == "claude-haiku-4-5"
    dropdown.close()


def test_a_model_that_has_gone_meanwhile_is_refused(page: Page, session: Session) -> None:
    assert page.do("choose", model="gone") is False
    assert session.model == "claude-haiku-4-5"


def test_it_fills_itself_once_somebody_has_signed_in(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> None:
    session = Session(base_url=router.base_url, data_dir=tmp_path / "none", bridge=bridge)
    panel = session.picker("claude")
    page = Page(panel)
    page.wait_for(lambda: "%tetrate_login" in page.fields.get("problem", ""))
    assert "%tetrate_login" in panel.fallback_html()
    assert "%tetrate_login" in panel.fallback_plain()
    session.login(key=router.issue_key(), store="memory")
    page.wait_for(lambda: page.fields["count"] > 0 and not page.fields["problem"])
    assert all("claude" in name for name in shown(page))
    session.close()


def test_refreshing_asks_the_router(page: Page, router: SandboxRouter) -> None:
    before = sum(request.path == "/v1/models" for request in router.requests)
    page.do("refresh")
    router.wait_for(lambda _: sum(request.path == "/v1/models" for request in router.requests) > before)
    page.wait_for(lambda: not page.fields["busy"])


def test_a_row_says_what_is_unknown() -> None:
    told = row(Model("new/model", "new/model"))
    assert (told["asks"], told["bar"], told["input"], told["window"]) == ("unknown", -1, "unknown", "unknown")
    assert told["can"] == [None] * 4
    assert (told["marks"], told["ends"]) == ([], ["", False, False])
    half = row(Model("a", "A", price=Price(Decimal(1), None), tools=False))
    assert (half["asks"], half["input"], half["output"], half["can"][1]) == ("unknown", "$1.00", "unknown", False)


def test_a_row_warns_of_an_end() -> None:
    day = date(2026, 11, 1)
    ending = Model("a", "A", retirement_date=date(2026, 12, 31), fallbacks=("b",), preview=True)
    told = row(ending, day)
    assert (told["ends"], told["marks"], told["falls"]) == (["2026-12-31", True, False], ["preview"], ["b"])
    assert row(ending, date(2027, 1, 1))["ends"] == ["2026-12-31", True, True]
    assert row(replace(ending, retirement_date=date(2029, 1, 1)), day)["ends"] == ["2029-01-01", False, False]
    assert row(Model("a", "A", deprecated=True))["marks"] == ["deprecated"]


@pytest.mark.parametrize(
    ("price", "asks", "bar"),
    [
        (("1", "5"), "$0.40", 53), (("0.1", "0.5"), "$0.04", 20), (("0", "0"), "free", 0),
        (("0.00001", "0"), "<$0.01", 4),
        (("150", "600"), "$51.00", 100), (("0.075", "0.3"), "$0.03", 14), (("1E+30", "1"), ">$1,000,000,000,000", 100),
    ],
)  # fmt: skip
def test_the_price_that_one_can_feel(price: tuple[str, str], asks: str, bar: int) -> None:
    told = row(Model("a", "A", price=Price(*map(Decimal, price))))
    assert (told["asks"], told["bar"]) == (asks, bar)


def test_what_hides_in_a_name_is_made_visible() -> None:
    for text in HOSTILE.values():
        told = row(Model("x", text, provider=text, description=text))
        for value in (told["name"], told["provider"], told["description"]):
            assert not set(value) & {"\u202e", "\x1b", "\0", "\u2066"}


def test_a_wish_is_checked() -> None:
    with pytest.raises(OptionError):
        ModelQuery(capabilities=frozenset({"flying"}))
    assert len(CAPABILITIES) == 4


def test_a_keystroke_sends_rows_in_view_only_however_long_the_list(page: Page, session: Session) -> None:
    page.do("find", words="e")
    first = len(page.items)
    assert page.fields["count"] > FIRST
    assert first <= FIRST
    assert len(str(page.messages[-1])) < FIRST * 700
