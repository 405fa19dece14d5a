"""A page's word and %unload_ext at once: nothing follows a session that no page is told of any more."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tetrate_jupyter.errors import InputError
from tetrate_jupyter.lab import docked, link

if TYPE_CHECKING:
    from tetrate_jupyter.face.session import Session

PATIENCE = 60.0  # seconds; only a failing test waits that long
HELLO = {"content": {"data": {"type": "hello"}}}


class Comm:
    """A way to a page that takes everything."""

    def __init__(self) -> None:
        self.comm_id = uuid4().hex

    def send(self, data: Any) -> None:
        """Take what is told."""


def test_a_way_that_ends_while_the_session_is_made_follows_nothing(session: Session) -> None:
    comm, before = Comm(), len(session.account._observers._callbacks)

    def made_too_late() -> Session:
        link.drop(comm)
        return session

    link.hear(comm, made_too_late, HELLO)
    for thread in threading.enumerate():
        if thread.name == "tetrate-page":
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert len(session.account._observers._callbacks) == before


def test_a_way_that_has_ended_makes_no_session(session: Session) -> None:
    asked: list[Session] = []

    def shared() -> Session:
        asked.append(session)
        return session

    comm = Comm()
    link.drop(comm)
    link.hear(comm, shared, HELLO)
    for thread in threading.enumerate():
        if thread.name == "tetrate-page":
            thread.join(PATIENCE)
    assert not asked


def test_a_panel_of_a_kernel_without_the_extension_says_how_to_load_it() -> None:
    with pytest.raises(InputError) as caught:
        docked.show("chat")
    assert caught.value.next_step == "%load_ext tetrate_jupyter"
