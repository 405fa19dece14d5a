"""The kernel's end of the way to a page: how the session stands is told when it has changed, twice a second at most.

Nothing is told before a page has said hello, and nothing that isn't to be seen on a screen anyway: no key, no prompt.
What a page asks for is one of a few names; whatever else it sends is left alone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.bridge import default_bridge
from tetrate_jupyter.completion.foreign import passes, unexpected
from tetrate_jupyter.engine.proposing import take
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.lab.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from tetrate_jupyter.engine.engine import Engine

PROTOCOL: Final = 1  # as in labextension/static/link.js; another number is another language
_PAUSE: Final = 0.5  # seconds between two pushes
_log = logging.getLogger(__name__)


class Link:
    """Tells the pages on `comm` how the session stands, and does what they ask for. Any thread may call it."""

    def __init__(self, comm: Any, session: Engine) -> None:  # noqa: ANN401 - its kinds share no type
        self._comm = comm
        self._session = session
        self._standing = Standing(session)
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._telling = threading.Lock()  # one after the other, so that the newest is told last
        self._is_due = False
        self._told_at = float("-inf")
        self._told: dict[str, Any] | None = None
        followed = (session.account, session.catalog, session.runs, session.book)
        self._stops = [each.on_change(self.changed) for each in followed]
        self._stops.append(session.on_model_change(self.changed))
        self._stops.append(session.account.on_awaited(self.changed))
        self._stops.append(session.account.on_change(self._standing.sign_in_changed))

    def hear(self, data: Any) -> None:  # noqa: ANN401 - whatever a page sends
        """Take a page's message: a greeting, or the name of something to do."""
        if not isinstance(data, dict):
            return
        if data.get("type") == "hello":
            problems = take(self._session, data.get("settings"))  # first: the state that is told below has them
            self._send({"type": "hello", "protocol": PROTOCOL})
            if problems:
                self._said(problems)
            self._told = None  # this page has heard nothing yet
            self._standing.sign_in_changed()
            self.changed()
        elif data.get("type") == "do" and data.get("name") == "sign-out":
            self._begin(self._sign_out())

    def changed(self) -> None:
        """Have it told how things stand, soon. Costs nothing where that is due anyway."""
        with self._lock:
            if self._is_due or os.getpid() != self._process:  # a forked process has no page of its own
                return
            self._is_due = True
        self._begin(self._tell_soon())

    def close(self) -> None:
        """Follow the session no longer."""
        for stop in self._stops:
            stop()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        session = self._session
        try:  # not on the kernel's own loop, which stands still while a cell runs
            session.begin(work, session.bridge if session.bridge.mode == "thread" else default_bridge())
        except TetrateError:  # a kernel without threads: its pages show no state
            work.close()
            self._is_due = False

    async def _tell_soon(self) -> None:
        try:
            await asyncio.sleep(max(0.0, self._told_at + _PAUSE - time.monotonic()))
        finally:
            with self._lock:
                self._is_due, self._told_at = False, time.monotonic()
        await asyncio.to_thread(self._tell)

    def _tell(self) -> None:
        with self._telling:
            state = secrecy.redacted(self._standing.now())
            if state != self._told:
                self._told = state
                self._send({"type": "state", **state})

    async def _sign_out(self) -> None:
        from tetrate_jupyter.widgets.sign_in_words import signed_out_lines

        session = self._session
        try:
            lines = signed_out_lines(session.endpoints, await session.alogout())
        except BaseException as error:
            if passes(error):
                raise
            lines = [unexpected(error, "Signing out").advice]
        self._said(lines)

    def _said(self, lines: Iterable[str]) -> None:
        """Have the pages tell the person something."""
        self._send({"type": "said", "lines": secrecy.redacted(list(lines))})

    def _send(self, data: dict[str, Any]) -> None:
        with suppress(Exception):  # the kernel is ending, or the page has closed the way
            self._comm.send(data)


_links: dict[str, Link] = {}  # by comm
_ended: set[str] = set()  # comms for which a word of a page may still be on its way
_making = threading.Lock()


def hear(comm: Any, shared: Callable[[], Engine], message: Any) -> None:  # noqa: ANN401 - see `Link`
    """Take a message that came over `comm`. The session is made in another thread: the next cell waits for nothing."""
    data = message.get("content", {}).get("data") if isinstance(message, dict) else None

    def begin() -> None:
        try:
            link = _link_of(comm, shared)
            if link is not None:
                link.hear(data)
        except Exception:  # noqa: BLE001 - whatever is wrong with the session, its magics tell
            _log.warning("a page's message was not heard", exc_info=True)

    with suppress(RuntimeError):  # a kernel without threads
        threading.Thread(target=begin, name="tetrate-page", daemon=True).start()


def _link_of(comm: Any, shared: Callable[[], Engine]) -> Link | None:  # noqa: ANN401 - see `Link`
    """Return the link of `comm`, made at its first message; None where it has ended, if only meanwhile."""
    with _making:
        if comm.comm_id not in _links and comm.comm_id not in _ended:
            _links[comm.comm_id] = Link(comm, shared())
    if comm.comm_id in _ended:  # asked last, and noted first in `drop`: one of the two closes what was made
        drop(comm)
    return _links.get(comm.comm_id)


def drop(comm: Any) -> None:  # noqa: ANN401 - see `Link`
    """End the link of `comm`, where there is one, for good."""
    _ended.add(comm.comm_id)
    link = _links.pop(comm.comm_id, None)
    if link is not None:
        link.close()
