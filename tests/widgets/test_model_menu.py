"""The small list of models in the chat: what it sends while it is open, and nothing when it isn't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.widgets.page import Page
from tetrate_jupyter.widgets.chat import ChatPanel
from tetrate_jupyter.widgets.model_menu import MOST, ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.face.session import Session


@pytest.fixture
def page(session: Session) -> Iterator[Page]:
    session.models()
    panel = ChatPanel(session)
    yield Page(panel)
    panel.close()


def test_nothing_of_the_list_is_sent_until_it_is_opened(page: Page, session: Session) -> None:
    assert page.fields["menu"] is None
    assert page.fields["using"] == ["claude-haiku-4-5", "claude-haiku-4-5", "anthropic", False]
    assert page.fields["reach"] == len(session.models())
    assert len(str(page.messages[-1])) < 3_000


def test_it_opens_with_sections_and_sends_more_as_it_is_scrolled(page: Page, session: Session) -> None:
    session.catalog.favourites.star("claude-sonnet-5", on=True)
    page.do("menu", of="one")
    menu = page.fields["menu"]
    assert (menu["of"], menu["count"], len(menu["rows"])) == ("one", len(session.models()), ROWS)
    assert [title for title, _ in menu["titles"]] == ["In use", "Starred", "Recommended", "All others"]
    assert menu["rows"][0]["id"] == "claude-haiku-4-5"
    assert menu["rows"][dict(menu["titles"])["Starred"]]["id"] == "claude-sonnet-5"
    page.do("menu", of="one", rows=ROWS + 60)
    assert len(page.fields["menu"]["rows"]) == ROWS + 60
    page.do("menu", of="one", rows=10**9)
    assert len(page.fields["menu"]["rows"]) <= MOST
    page.do("menu", of="one", opened=False)
    assert page.fields["menu"] is None


def test_it_is_searched_as_the_large_list_is(page: Page, session: Session) -> None:
    page.do("menu", of="one", words="grok images")
    menu = page.fields["menu"]
    assert [told["id"] for told in menu["rows"]] == list(session.models("grok images").ids)
    assert (menu["titles"], menu["ticked"], menu["words"]) == ([], ["images"], "grok images")
    page.do("menu", of="one", words="no such thing")
    assert page.fields["menu"]["rows"] == []


def test_what_is_chosen_meanwhile_moves_no_row(page: Page, session: Session) -> None:
    page.do("menu", of="one")
    before = [told["id"] for told in page.fields["menu"]["rows"]]
    session.model = "gpt-6-luna"
    page.wait_for(lambda: page.fields["using"][0] == "gpt-6-luna")
    assert [told["id"] for told in page.fields["menu"]["rows"]] == before
    page.do("menu", of="one", opened=False)
    page.do("menu", of="one")
    assert page.fields["menu"]["rows"][0]["id"] == "gpt-6-luna"


def test_one_menu_that_closes_leaves_alone_another_that_has_opened(page: Page) -> None:
    page.do("menu", of="one")
    page.do("menu", of="two")
    page.do("menu", of="one", opened=False)  # as a page says it: a moment later
    assert page.fields["menu"]["of"] == "two"
    page.do("menu", of="two", opened=False)
    assert page.fields["menu"] is None
