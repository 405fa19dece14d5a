"""A session that asks a hostile router of the test's own making; and the magics' shell."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.magics.conftest import shell
from tetrate_jupyter.face.session import Session

from .hostile_server import HostileServer, response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge

__all__ = ["shell"]

HEAD = b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def delta(**members: Any) -> bytes:
    """One event of a stream."""
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": members}]}).encode() + b"\n\n"


def calls(*named: tuple[str, str]) -> bytes:
    """A whole stream that asks for these calls (name, arguments)."""
    parts = [{"index": i, "id": f"c{i}", "function": {"name": n, "arguments": a}} for i, (n, a) in enumerate(named)]
    end = json.dumps({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}).encode()
    return HEAD + delta(tool_calls=parts) + b"data: " + end + b"\n\ndata: [DONE]\n\n"


def says(text: str) -> bytes:
    """A whole stream with this text."""
    end = json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]}).encode()
    return HEAD + delta(content=text) + b"data: " + end + b"\n\ndata: [DONE]\n\n"


class Asking:
    """A session, and the server whose answers to chat are what `answers` gives, one after the other."""

    def __init__(self, session: Session, server: HostileServer) -> None:
        self.session, self.server = session, server
        self.answers: Iterator[bytes | Iterable[bytes]] = iter(())
        self.models = [{"id": "m"}]

    def answer(self, path: str) -> bytes | Iterable[bytes]:
        if path.endswith("/chat/completions"):
            return next(self.answers)
        if path.endswith("/v1/models"):
            return response(json.dumps({"data": self.models}).encode())
        return response(b'{"models": []}')


@pytest.fixture
def asking(bridge: Bridge, tmp_path: Path) -> Iterator[Callable[..., Asking]]:
    """`asking(answer, ...)`: a session whose questions get these answers in turn."""
    with contextlib.ExitStack() as stack:

        def make(*answers: bytes | Iterable[bytes]) -> Asking:
            server = stack.enter_context(HostileServer(lambda _: b""))
            session = Session(base_url=server.base_url, key="sk-0123456789", data_dir=tmp_path, bridge=bridge)
            session.model = "m"
            stack.callback(session.close)
            made = Asking(session, server)
            made.answers = iter(answers)
            server.answer = made.answer
            return made

        yield make
