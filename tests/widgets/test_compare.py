"""The compare panel against the sandbox: every column for itself, failures in their place, and going on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.widgets.page import Page
from tetrate_jupyter.render.markdown import render
from tetrate_jupyter.widgets.compare import COLUMNS, ComparePanel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.sandbox import SandboxRouter
    from tetrate_jupyter.sessions.session import Session

SLOW = "chunks=2000 size=20 interval=0.01"
THREE = ("claude-haiku-4-5", "claude-sonnet-5", "gpt-6-luna")


@pytest.fixture
def panel(session: Session) -> Iterator[ComparePanel]:
    session.models()
    made = ComparePanel(session)
    yield made
    made.close()


@pytest.fixture
def page(panel: ComparePanel) -> Page:
    return Page(panel)


def pick(page: Page, *models: str) -> None:
    for model in models:
        assert page.do("add", model=model)


def states(page: Page) -> list[str]:
    return [item.fields["state"] for item in page.items.values()]


def over(page: Page) -> None:
    page.wait_for(lambda: bool(page.items) and not page.fields["running"] and not page.fields["busy"])


def by_label(page: Page) -> dict[str, Any]:
    return {item.fields["label"]: item for item in page.items.values()}


def test_columns_write_side_by_side_and_end_as_what_was_answered(page: Page, panel: ComparePanel) -> None:
    pick(page, *THREE)
    assert page.do("run", text="Show off Markdown with code, a table and math.")
    page.wait_for(lambda: page.fields["prompts"] == 1)
    over(page)
    assert states(page) == ["done"] * 3
    assert panel.comparison is not None
    for column in panel.comparison.columns:
        item = page.items[column.id]
        assert item.fields["label"] == column.label
        assert item.html == render(panel.comparison.cell(column.id).text)
        assert "≈ $" in item.fields["status"]
    assert "3 of 3 done" in page.fields["progress"]
    assert page.fields["table"].count("| claude") == 2
    assert "session.compare(" in page.fields["code"]


def test_with_no_model_named_there_are_neighbours(page: Page) -> None:
    page.do("run", text="Say hello.")
    over(page)
    assert len(page.items) == 3
    assert "claude-haiku-4-5" in by_label(page)
    assert len(page.fields["picked"]) == 3


def test_the_same_model_twice_is_two_columns(page: Page) -> None:
    pick(page, "claude-haiku-4-5", "claude-haiku-4-5")
    page.do("run", text="Say hello.")
    over(page)
    assert list(by_label(page)) == ["claude-haiku-4-5", "claude-haiku-4-5 #2"]


def test_a_failure_stays_in_its_column_and_can_be_retried(page: Page, router: SandboxRouter) -> None:
    pick(page, "claude-haiku-4-5", "sandbox/fault-no-credits", "no-such-model")
    page.do("run", text="Say hello.")
    over(page)
    found = by_label(page)
    assert found["claude-haiku-4-5"].fields["state"] in {"done", "failed"}
    assert any("Next:" in line for line in found["sandbox/fault-no-credits"].fields["error"])
    assert any("no-such-model" in line for line in found["no-such-model"].fields["error"])
    before = len(router.requests)
    page.do("retry")
    page.wait_for(lambda: len(router.requests) > before and not page.fields["running"])


def test_a_column_is_stopped_and_another_goes_on(page: Page, router: SandboxRouter) -> None:
    pick(page, "sandbox/stream", "sandbox/stream")
    page.do("run", text="chunks=150 size=20 interval=0.01")
    page.wait_for(lambda: len(page.items) == 2 and all("#9" in i.html for i in page.items.values()))
    first, second = page.items
    page.do("stop", key=first)
    over(page)
    assert page.items[first].fields["state"] == "stopped"
    assert page.items[second].fields["state"] == "done"
    assert "#149" in page.items[second].html
    assert "#149" not in page.items[first].html
    router.wait_for(lambda request: request.hung_up_at is not None)


def test_a_removed_column_is_gone_and_the_rest_stays(page: Page) -> None:
    pick(page, *THREE)
    page.do("run", text="Say hello.")
    over(page)
    gone = next(iter(page.items))
    page.do("remove", key=gone)
    assert gone not in page.items
    assert len(page.items) == 2


def test_blind_hides_the_names_until_they_are_revealed(page: Page) -> None:
    pick(page, *THREE)
    page.do("blind", wanted=True)
    page.do("run", text="Say hello.")
    over(page)
    assert sorted(by_label(page)) == ["A", "B", "C"]
    shown = str([(i.fields["label"], i.fields["status"], i.fields["exact"]) for i in page.items.values()])
    for told in (shown, page.fields["verdict"], page.fields["table"], str(page.fields["columns"])):
        assert not any(model in told for model in THREE)
    page.do("blind", wanted=False)
    assert set(by_label(page)) == set(THREE)


def test_differences_from_a_chosen_column(page: Page) -> None:
    pick(page, "claude-haiku-4-5", "gpt-6-luna")
    page.do("run", text="Say hello.")
    over(page)
    first, second = page.items
    plain = page.items[first].html
    page.do("show", how="differences", base=first)
    assert page.items[first].html == plain
    assert "<ins>" in page.items[second].html
    assert "<del>" in page.items[second].html
    page.do("show", how="answers")
    assert "<ins>" not in page.items[second].html
    assert page.do("show", how="upside down") is False


def test_going_on_with_one_makes_it_the_sessions_conversation(page: Page, session: Session) -> None:
    pick(page, "claude-haiku-4-5", "gpt-6-luna")
    page.do("run", text="Say hello.")
    over(page)
    assert session.history == ()
    page.do("continue", key=list(page.items)[1])
    assert session.model == "gpt-6-luna"
    assert [e.user.content for e in session.history] == ["Say hello."]


def test_parameters_are_checked_and_used(page: Page, panel: ComparePanel) -> None:
    pick(page, "claude-haiku-4-5", "gpt-6-luna")
    assert page.do("set", name="temperature", value="0.5")
    assert page.do("set", name="repeats", value="2")
    assert page.do("set", name="temperature", value="hot") is False
    assert page.do("set", name="temperature", value="9") is False
    page.do("run", text="Say hello.")
    over(page)
    assert panel.comparison is not None
    assert panel.comparison.setup.params["temperature"] == 0.5
    assert page.fields["repeats"] == 2
    assert "4 of 4 done" in page.fields["progress"]
    page.do("look", prompt=0, repeat=1)
    assert page.fields["at"] == [0, 1]


def test_what_cannot_be_asked_is_said(page: Page) -> None:
    page.do("run", text="  ")
    page.wait_for(lambda: "empty" in page.fields["problem"])
    for _ in range(COLUMNS):
        pick(page, "claude-haiku-4-5")
    assert page.do("add", model="claude-haiku-4-5") is False
    page.do("drop", place=0)
    assert len(page.fields["picked"]) == COLUMNS - 1
    assert page.do("stop") is False


def test_a_view_that_comes_late_is_told_everything(page: Page, panel: ComparePanel) -> None:
    pick(page, *THREE)
    page.do("run", text="Say hello.")
    over(page)
    late = Page(panel, "two")
    assert late.items == page.items
    assert late.fields == page.fields


def test_the_twin_holds_every_column(page: Page, panel: ComparePanel) -> None:
    pick(page, *THREE)
    page.do("run", text="Say hello.")
    over(page)
    for model in THREE:
        assert model in panel.twin_html()
        assert model in panel.twin_plain()
    assert "<script" not in panel.twin_html()
