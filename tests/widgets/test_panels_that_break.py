"""Whatever is raised behind a panel is said in it, and the panel goes on working."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.widgets.page import Page
from tests.widgets.test_sign_in import Watched
from tetrate_jupyter.engine.account import Account
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.widgets.sign_in import SignInPanel
from tetrate_jupyter.widgets.sign_in_words import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.keys.store import FoundKey
    from tetrate_jupyter.sandbox import SandboxRouter

each_kind = pytest.mark.parametrize("error", [RuntimeError("x"), SystemExit(2), KeyboardInterrupt()], ids=repr)


class OddSession(Session):
    """A session of one's own in which something breaks, as long as `error` is there."""

    error: BaseException | None = None

    def completion(self, *given: Any, **options: Any) -> Completion:
        if self.error is not None:
            raise self.error
        return super().completion(*given, **options)

    async def amodels(self, *given: Any, **options: Any) -> ModelList:
        if self.error is not None:
            raise self.error
        return await super().amodels(*given, **options)


@pytest.fixture
def odd(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[OddSession]:
    made = OddSession(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path, bridge=bridge)
    made.model = "claude-haiku-4-5"
    yield made
    made.close()


@each_kind
def test_the_chat_is_never_busy_for_ever(odd: OddSession, error: BaseException) -> None:
    odd.models()
    panel = odd.chat()
    page = Page(panel)
    odd.error = error
    page.do("ask", text="Say hello.")
    page.wait_for(lambda: [i.fields["state"] for i in page.items.values()] == ["failed"] and not page.fields["busy"])
    (item,) = page.items.values()
    assert type(error).__name__ in item.fields["notes"][0]
    assert "Next:" in item.fields["notes"][0]
    odd.error = None
    page.do("ask", text="What is 2 + 3?")
    page.wait_for(lambda: "done" in [i.fields["state"] for i in page.items.values()] and not page.fields["busy"])
    panel.close()


@each_kind
def test_the_picker_says_why_there_is_no_list(odd: OddSession, error: BaseException) -> None:
    odd.error = error
    panel = odd.picker()
    page = Page(panel)
    page.wait_for(lambda: bool(page.fields["problem"]) and not page.fields["busy"])
    assert type(error).__name__ in page.fields["problem"]
    odd.error = None
    page.do("refresh")
    page.wait_for(lambda: page.fields["count"] > 0 and not page.fields["busy"] and not page.fields["problem"])
    panel.close()


@each_kind
def test_what_a_page_asks_for_is_answered(odd: OddSession, error: BaseException) -> None:
    odd.models()
    panel = odd.chat()
    page = Page(panel)

    def fail(_: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise error

    odd.start = fail  # type: ignore[method-assign,assignment]  # a session of one's own
    asking = threading.Thread(target=page.do, args=("ask",), kwargs={"text": "Say hello."})
    asking.start()
    asking.join(30)
    page.wait_for(lambda: type(error).__name__ in page.fields["problem"])
    assert page.answers[-1] is False
    panel.close()


class OddAccount(Account):
    """An account whose keyring is of whatever kind."""

    error: BaseException | None = None

    def find(self) -> FoundKey | None:
        if self.error is not None:
            raise self.error
        return super().find()


@each_kind
def test_a_keyring_of_whatever_kind_leaves_sign_in_usable(
    router: SandboxRouter,
    bridge: Bridge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    monkeypatch.setattr("tetrate_jupyter.engine.engine.Account", OddAccount)
    monkeypatch.setattr(OddAccount, "error", error)
    session = Session(base_url=router.base_url, data_dir=tmp_path, bridge=bridge)
    watched = Watched(SignInPanel(session))
    watched.until_state(State.FAILED)
    watched.until_says(type(error).__name__)
    monkeypatch.setattr(OddAccount, "error", None)
    watched.view.act.click()
    watched.until_state(State.OFFERED)
    watched.panel.close()
    session.close()
