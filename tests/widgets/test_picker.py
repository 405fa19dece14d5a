"""The model picker against the sandbox: what it finds, which rows it sends, who follows whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.render.hostile import HOSTILE
from tests.widgets.page import Page
from tetrate_jupyter.catalog.picking import CAPABILITIES, SORTS, Wish, row
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.types import Model, Price
from tetrate_jupyter.widgets.picker import FIRST, MOST, TWIN_ROWS, ModelPicker

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


def test_it_lists_what_the_key_reaches_and_sends_the_rows_in_view(page: Page, session: Session) -> None:
    assert page.fields["of"] == page.fields["count"] == len(session.models())
    assert shown(page) == list(session.models().ids[:FIRST])
    page.do("rows", of="one", start=40, end=60)
    assert shown(page) == list(session.models().ids[40:60])
    page.do("rows", of="two", start=0, end=5)
    assert shown(page) == [*session.models().ids[:5], *session.models().ids[40:60]]


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
    assert shown(page) == list(session.models().ids[40:60])
    page.do("find", words="claude")
    assert shown(page) == list(session.models("claude").ids[:FIRST])


def test_the_twin_shows_what_was_looked_for_and_says_what_it_leaves_out(page: Page, panel: ModelPicker) -> None:
    left_out = f"and {page.fields['of'] - TWIN_ROWS} more"
    assert left_out in panel.twin_html()
    assert left_out in panel.twin_plain()
    page.do("hello", page="reloaded")  # from now on it writes the twin
    page.do("find", words="opus")
    page.wait_for(lambda: "twin" in page.messages[-1])
    twin = page.messages[-1]["twin"]
    for text in (twin["text/plain"], twin["text/html"]):
        assert "claude-opus-5" in text
        assert "sonnet" not in text
    assert "more" not in panel.twin_plain()


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
    assert "claude-opus-5" in panel.twin_plain()
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
    assert "%tetrate_login" in panel.twin_html()
    assert "%tetrate_login" in panel.twin_plain()
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
    assert (told["price"], told["context"], told["can"]) == ("price unknown", "context unknown", "capabilities unknown")
    assert told["marks"] == []


def test_a_row_warns_of_an_end() -> None:
    day = date(2026, 11, 1)
    ending = Model("a", "A", retirement_date=date(2026, 12, 31), fallbacks=("b",), preview=True)
    assert row(ending, day)["marks"] == ["retires 2026-12-31", "preview", "falls back to b"]
    assert row(ending, date(2027, 1, 1))["marks"][0] == "retired 2026-12-31"
    assert row(replace(ending, retirement_date=date(2029, 1, 1)), day)["marks"] == ["preview", "falls back to b"]
    assert row(Model("a", "A", deprecated=True))["marks"] == ["deprecated"]
    assert row(Model("a", "A", price=Price(Decimal(0), Decimal(0))))["price"] == "free in, free out"


def test_what_hides_in_a_name_is_made_visible() -> None:
    for text in HOSTILE.values():
        told = row(Model("x", text, provider=text, description=text))
        for value in (told["name"], told["provider"], told["description"]):
            assert not set(value) & {"\u202e", "\x1b", "\0", "\u2066"}


def test_a_wish_is_checked() -> None:
    with pytest.raises(OptionError):
        Wish(capabilities=frozenset({"flying"}))
    assert len(SORTS) == len(CAPABILITIES) == 4


def test_a_keystroke_sends_rows_in_view_only_however_long_the_list(page: Page, session: Session) -> None:
    page.do("find", words="e")
    first = len(page.items)
    assert page.fields["count"] > FIRST
    assert first <= FIRST
    assert len(str(page.messages[-1])) < FIRST * 700
