"""The chat's Earlier: kept conversations listed, searched, opened; the offer to go on after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.widgets.page import Page
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.widgets.chat import ChatPanel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import SandboxRouter


@pytest.fixture
def later(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    """A session as a new kernel of the same account makes it."""
    made = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "data", bridge=bridge)
    made.model = "claude-haiku-4-5"
    yield made
    made.close()


@pytest.fixture
def page_of() -> Iterator[Callable[[Session], Page]]:
    made: list[ChatPanel] = []

    def page(session: Session) -> Page:
        session.models()
        panel = session.chat()
        assert isinstance(panel, ChatPanel)
        made.append(panel)
        return Page(panel)

    yield page
    for each in made:
        each.close()


@pytest.fixture
def kept(session: Session) -> Session:
    session.keep_texts = True
    session.ask("Which month is <b>August</b>?")
    session.ask("And July?")
    return session


def prompts(page: Page) -> list[str]:
    return [item.fields["prompt"] for item in page.items.values()]


def test_without_kept_texts_it_says_how_to_keep_them(session: Session, page_of: Callable[[Session], Page]) -> None:
    page = page_of(session)
    assert page.fields["resume"] is None
    assert page.do("past", of="one")
    page.wait_for(lambda: page.fields["past"] is not None)
    assert page.fields["past"]["rows"] == []
    assert (
        "No earlier conversations yet. Texts aren't kept. Next: session.keep_texts = True"
        in page.fields["past"]["note"]
    )
    page.do("past", of="")
    page.wait_for(lambda: page.fields["past"] is None)


def test_after_a_restart_it_goes_on_where_it_was(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    later.model = None
    page = page_of(later)
    page.wait_for(lambda: page.fields["resume"] is not None)
    identity, words, title = page.fields["resume"]
    assert words.startswith("Go on where it was (2 turns, ")
    assert title == "Which month is <b>August</b>?"
    page.do("open", identity=identity)
    page.wait_for(lambda: prompts(page) == ["Which month is <b>August</b>?", "And July?"])
    page.wait_for(lambda: page.fields["resume"] is None)
    assert later.history == kept.history
    page.wait_for(lambda: page.fields["model"] == "claude-haiku-4-5")
    page.do("new")
    page.wait_for(lambda: not page.items)
    assert page.fields["resume"] is None  # that was left on purpose


def test_it_searches_and_opens(kept: Session, later: Session, page_of: Callable[[Session], Page]) -> None:
    kept.reset()
    kept.ask("Name a colour.")
    later.ask("Something else.")
    page = page_of(later)
    page.do("past", of="one")
    page.wait_for(lambda: page.fields["past"] is not None)
    assert [row[1] for row in page.fields["past"]["rows"]] == ["Name a colour.", "Which month is <b>August</b>?"]
    page.do("past", of="one", words="JULY", everywhere=True)
    page.wait_for(lambda: page.fields["past"]["words"] == "JULY")
    ((identity, words, facts, found),) = page.fields["past"]["rows"]
    assert (words, found) == ("Which month is <b>August</b>?", "And July?")
    assert "2 turns · ≈ $" in facts
    page.do("open", identity=identity)
    page.wait_for(lambda: prompts(page) == ["Which month is <b>August</b>?", "And July?"])
    page.wait_for(lambda: page.fields["past"] is None)
    page.do("open", identity="gone")
    page.wait_for(lambda: "isn't kept any more" in page.fields.get("problem", ""))


def test_a_page_that_gives_back_the_same_opens_it_from_the_disk(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    later.keep_texts = True
    page = page_of(later)
    page.do("take", exchanges=[["And July?", "", "An answer.", False]])
    page.wait_for(lambda: len(page.items) == 2)
    assert later.history == kept.history
    assert [each.turns for each in later.history.list()] == [2]  # nothing is there twice


def test_a_page_that_gives_back_something_else_is_taken_at_its_word(
    kept: Session, later: Session, page_of: Callable[[Session], Page]
) -> None:
    page = page_of(later)
    page.do("take", exchanges=[["Other?", "", "An answer.", False]])
    page.wait_for(lambda: prompts(page) == ["Other?"])
