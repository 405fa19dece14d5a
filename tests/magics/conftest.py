"""A shell with our magics, on a session that is signed in to a sandbox router."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tetrate_jupyter.face import shared
from tetrate_jupyter.magics import extension

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.face.session import Session


@pytest.fixture
def shell(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A terminal-like shell of this test's own. The shared session is `session` meanwhile."""
    monkeypatch.setattr(shared, "session", session)
    made = InteractiveShell()
    made.history_manager.enabled = False
    for kept in ("outputs", "exceptions"):  # all shells of a process share them
        getattr(made.history_manager, kept, {}).clear()
    extension.load(made)
    yield made
    extension.unload(made)
    made.history_manager.end_session()
