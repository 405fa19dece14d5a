"""The dropdown sets the session's model, follows it, and lets go when closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernels import CountingKernel

if TYPE_CHECKING:
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter


def test_a_choice_is_the_sessions_model_and_the_other_way_round(session: Session) -> None:
    dropdown = session.dropdown()
    assert dropdown.value == "claude-haiku-4-5"
    dropdown.value = "gpt-6-luna"
    assert session.model == "gpt-6-luna"
    session.model = "xai/grok-4.5"
    assert dropdown.value == "xai/grok-4.5"
    dropdown.close()
    session.model = "gpt-6-luna"
    assert dropdown.value == "xai/grok-4.5"


def test_two_dropdowns_follow_each_other(session: Session) -> None:
    one, other = session.dropdown(), session.dropdown()
    one.value = "gpt-6-luna"
    assert other.value == "gpt-6-luna"
    one.close()
    other.close()


def test_without_a_model_it_offers_the_choice_and_takes_no_default(session: Session) -> None:
    session.model = None
    dropdown = session.dropdown()
    default = session.models().default()
    assert default is not None
    assert dropdown.options[0] == (f"{default.id} (default)", dropdown.value)
    dropdown.value = "gpt-6-luna"
    assert session.model == "gpt-6-luna"
    dropdown.close()


def test_a_new_list_keeps_the_choice(session: Session) -> None:
    dropdown = session.dropdown()
    session.models(refresh=True)
    assert dropdown.value == session.model == "claude-haiku-4-5"
    assert "claude-haiku-4-5" in repr(dropdown)
    dropdown.close()


@pytest.mark.slow
def test_a_saved_notebook_tells_the_model_that_was_in_use(router: SandboxRouter) -> None:
    with CountingKernel({**router.environment, "TETRATE_API_KEY": router.issue_key()}) as kernel:
        kernel.run("from tetrate_jupyter import session\nsession.model = 'gpt-6-luna'")
        shown = kernel.run("session.dropdown()")
        assert "<p>Model: gpt-6-luna. Run this cell to choose another.</p>" in "".join(shown.texts)
        changed = kernel.run("session.model = 'claude-haiku-4-5'")
        assert "<p>Model: claude-haiku-4-5. Run this cell to choose another.</p>" in "".join(changed.texts)
