"""Comparisons on the session's sandbox router, and waiting for what they do."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter.compare.asking import prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.face.session import Session

Prepare = Any


@pytest.fixture
def prepared(session: Session) -> Prepare:
    """Make a comparison that hasn't started: `prepared("prompt", models, ...)`."""

    def make(*given: Any, **more: Any) -> Comparison:
        return session.bridge.run(prepare(session, *given, **more))

    return make


def eventually(holds: Callable[[], object], timeout: float = 60.0) -> None:
    """Wait until it holds. A text that grows tells nobody: whoever wants to know looks, as a panel does."""
    end = time.monotonic() + timeout
    never = threading.Event()
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        never.wait(0.005)
