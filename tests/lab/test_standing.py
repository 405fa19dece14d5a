"""How a session stands, as a line of a page tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.widgets.page import Page
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.lab.standing import Standing
from tetrate_jupyter.widgets.chat import ChatPanel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import SandboxRouter


@pytest.fixture(autouse=True)
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "sales.ipynb")


@pytest.fixture
def later(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    """A session as the next kernel of the same notebook makes it."""
    made = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "data", bridge=bridge)
    yield made
    made.close()


def test_a_kernel_that_has_asked_nothing_yet_tells_what_the_one_before_has_spent(
    session: Session, later: Session
) -> None:
    session.ask("Say hello.")
    before = Standing(session).now()
    assert before["cost"].startswith("$0.0")
    after = Standing(later).now()
    assert (after["sandbox"], after["cost"], after["notes"]) == (True, before["cost"], before["notes"])
    assert after["notes"][2:] == ["Play money is counted for each sandbox by itself, and never with what is paid."]


def test_where_nothing_was_asked_nothing_is_taken_for_the_sandboxs(later: Session) -> None:
    told = Standing(later).now()
    assert (told["sandbox"], told["cost"]) == (False, "$0")
    assert told["notes"] == ["This notebook today: $0.", "All notebooks today: $0."]


def test_the_model_that_a_question_would_go_to_is_told_before_it_is_asked(later: Session) -> None:
    assert Standing(later).now()["model"] == ""  # no list is there yet, and none is fetched for this
    later.models()
    told = Standing(later).now()["model"]
    panel = later.chat()
    assert isinstance(panel, ChatPanel)
    shown = Page(panel).fields
    panel.close()
    answer = later.ask("Say hello.")
    assert told == f"{answer.model_asked} (default)"
    assert shown["using"][::3] == [answer.model_asked, True]
    assert shown["model"] is None  # nothing is chosen by being looked at
    assert Standing(later).now()["model"] == answer.model_asked
