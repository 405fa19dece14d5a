"""What of a variable isn't sent is said in the panels, under the answers and above the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.widgets.page import Page
from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.types import Cut
from tetrate_jupyter.widgets import chat

if TYPE_CHECKING:
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

LINE = "df: 15 of 2,000 rows and a summary of all sent"
CUTS = (Cut("df", "rows and a summary of all", 15, 2_000),)


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"df": pd.DataFrame({"n": range(2_000)})}
    monkeypatch.setattr(chat, "namespace", lambda: names)  # the notebook's variables; there is no shell here


def notes(page: Page) -> list[list[str]]:
    return [item.fields["notes"] for item in page.items.values()]


def warned(page: Page) -> list[str]:
    """The chips above the columns."""
    return [label for label, *_ in page.fields["warns"]]


def test_the_chat_says_it_while_it_writes_afterwards_and_when_it_is_asked_again(session: Session) -> None:
    session.models()
    panel = session.chat()
    page = Page(panel)
    try:
        assert page.do("ask", text="What is the mean of {df}?")
        page.wait_for(lambda: notes(page) == [[LINE]])
        page.wait_for(lambda: not page.fields["busy"] and len(session.history) == 1)
        assert notes(page) == [[LINE]]
        assert session.history[0].user.cuts == CUTS
        ((label, says, kind, sent),) = next(iter(page.items.values())).fields["chips"][:1]
        assert (label, kind) == (LINE, "warn")
        assert says.endswith("sends more.")
        assert "Summary of all 2,000 rows" in sent  # the very text, without the question
        assert sent in session.history[0].user.content
        (key,) = page.items
        assert page.do("retry", key=key)
        page.wait_for(lambda: not page.fields["busy"] and session.history[0].id != key)
        assert notes(page) == [[LINE]]
        session.rows = "all"
        assert page.do("ask", text="And of {df} and {nothing}?")
        page.wait_for(lambda: not page.fields["busy"] and len(session.history) == 2)
        assert notes(page) == [[LINE], []]
        assert page.fields["hint"] == "{nothing} isn't a variable here and stays as typed."
        assert "| 1999 |" in session.history[1].user.content
    finally:
        panel.close()


def test_the_compare_panel_says_it_above_the_columns_and_keeps_it_while_the_prompt_is_the_same(
    session: Session, router: SandboxRouter
) -> None:
    models = "claude-haiku-4-5,gpt-6-luna"
    comparison = session.bridge.run(prepare(session, "What is the mean?", models, cuts=CUTS))
    panel = session.side_by_side(comparison, blind=True)
    page = Page(panel)
    try:
        assert warned(page) == [LINE]
        comparison.start()
        page.wait_for(lambda: "2 of 2 done" in page.fields["progress"])
        assert page.do("blind", wanted=False)
        page.wait_for(lambda: all(item.fields["source"] for item in page.items.values()))
        assert [item.fields["chips"] + item.fields["said"] for item in page.items.values()] == [[], []]  # once, above
        assert page.do("run", text="What is the mean?")
        page.wait_for(lambda: panel.comparison is not comparison and not page.fields["running"])
        assert warned(page) == [LINE]
        before = panel.comparison
        assert page.do("run", text="Something else")
        page.wait_for(lambda: panel.comparison is not before and not page.fields["running"])
        assert warned(page) == []
    finally:
        panel.close()
