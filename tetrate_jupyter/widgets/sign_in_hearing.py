"""Lets a cell hear the page while it waits: a kernel answers messages one after the other, and the cell is one of them.

A click on a widget is a message on the kernel's shell channel. ipykernel reads them on the main thread, which a cell
holds until it ends (6), or passes them on to it (7, unless the page sends to a subshell and the kernel leaves it at
that). So the waiting cell reads them itself: what is for a widget is done at once, everything else is put back, in
order, when the wait is over. No other kernel, thread or front end needs to know; where the stream isn't found nothing
is heard, and what a page sends arrives after the cell, as ever. So does what the kernel has read in the moment between
taking up the cell and running it: some milliseconds, in which only another card than the cell's own can be clicked.

The same cell once more is among it where a person has run it again. A page has cleared its output then, and shows
nothing more of the first run: that ends, and the kernel gets the second one when it has done with what the failed
cell takes with it.
"""

from __future__ import annotations

import asyncio
import inspect
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import front_end
from tetrate_jupyter.errors import NotSignedInError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_FOR_WIDGETS: Final = frozenset({"comm_open", "comm_msg", "comm_close"})
_AT_ONCE: Final = 64  # messages that are read in one look: an interrupt waits for them
LOOK: Final = 0.05  # seconds between two looks
_ABORTING: Final = 0.3  # seconds after which a failed cell's kernel has refused those that waited behind it
_AGAIN: Final = "This cell was run again while it waited for somebody to sign in."


@contextmanager
def hearing_the_page() -> Iterator[Callable[[], float] | None]:
    """Yield the function that does what widgets were sent, and returns the seconds until next time.

    It is called again and again on the main thread of a kernel, in whose cell the block stands. None: not to be had.
    It raises `NotSignedInError` where the cell was run again, which no page shows.
    """
    kernel = front_end.kernel()
    stream = _stream_of(kernel)
    put_back = getattr(stream, "_recv_callback", None)
    if put_back is None:
        yield None
        return
    hearing = _Hearing(kernel, stream, put_back)
    try:
        with _uninterrupted():
            stream.on_recv(hearing.take, copy=False)
        yield hearing.look
    finally:
        with _uninterrupted():
            hearing.end()


class _Hearing:
    """What is read meanwhile. All on the main thread."""

    def __init__(self, kernel: Any, stream: Any, put_back: Callable[[Any], Any]) -> None:  # noqa: ANN401 - ipykernel's, pyzmq's
        self._kernel = kernel
        self._stream = stream
        self._put_back = put_back
        self._others: list[Any] = []
        self._cell = _cell_of(kernel.get_parent("shell"))
        self._again: int | None = None  # which of the others is the same cell once more

    def look(self) -> float:
        """Read what has come. An interrupt is raised when that is done: no message is lost between two lines."""
        from zmq import POLLIN

        is_over = self._again is not None  # since the last look: what was sent together (Run All) has come by now
        with _uninterrupted():
            self._stream.flush(POLLIN, limit=_AT_ONCE)
        if is_over:
            raise NotSignedInError(_AGAIN, next_step="sign in where it shows the card now")
        return LOOK

    def take(self, frames: Any) -> None:  # noqa: ANN401 - pyzmq's
        """Do what is for a widget, keep the rest."""
        session = self._kernel.session
        try:
            identities, parts = session.feed_identities(frames, copy=False)
            head = session.deserialize(parts, content=False, copy=False)  # looks only
            kind = head["header"]["msg_type"]
            if kind not in _FOR_WIDGETS:
                if self._again is None and kind == "execute_request" and self._cell == _cell_of(head) is not None:
                    self._again = len(self._others)
                self._others.append(frames)
                return
            message = session.deserialize(parts, content=True, copy=False)
        except Exception:  # noqa: BLE001 - what can't be read is the kernel's own business
            self._others.append(frames)
            return
        self._state("busy", message)
        try:
            with suppress(Exception):  # as in ipykernel: a handler that fails stops nothing
                self._kernel.shell_handlers[kind](self._stream, identities, message)
        finally:
            self._state("idle", message)  # which a page awaits before it sends the widget's next change
            self._state("busy", None)  # the cell goes on

    def _state(self, state: str, message: Any) -> None:  # noqa: ANN401 - a message as ipykernel has it
        kernel = self._kernel
        with suppress(Exception):
            kernel.session.send(
                kernel.iopub_socket,
                "status",
                {"execution_state": state},
                parent=kernel.get_parent("shell") if message is None else message,
                ident=kernel._topic("status"),  # noqa: SLF001 - as ipykernel itself sends it
            )

    def end(self) -> None:
        """Let the kernel read again, and give it what was kept, before anything that comes later."""
        self._stream.on_recv(self._put_back, copy=False)
        others, self._others = self._others, []
        self._give_back(others[: self._again])
        if self._again is not None:
            asyncio.get_running_loop().call_later(_ABORTING, self._give_later, others[self._again :])

    def _give_later(self, messages: list[Any]) -> None:
        """Put back what a person has sent after this cell, once the kernel no longer refuses what was behind it."""
        if getattr(self._kernel, "_aborting", False):
            asyncio.get_running_loop().call_later(_ABORTING, self._give_later, messages)
        else:
            self._give_back(messages)

    def _give_back(self, messages: list[Any]) -> None:
        for frames in messages:
            begun = self._put_back(frames)
            if inspect.isawaitable(begun):
                asyncio.ensure_future(begun)  # noqa: RUF006 - the kernel's own, which its stream doesn't hold either


def _cell_of(message: Any) -> str | None:  # noqa: ANN401 - a message as ipykernel has it
    """Return the id of the cell that asked, where the front end gives one."""
    try:
        cell = message["metadata"]["cellId"]
    except (KeyError, TypeError):
        return None
    return cell if isinstance(cell, str) else None


def _stream_of(kernel: Any) -> Any:  # noqa: ANN401 - ipykernel's or another's; pyzmq's
    """Return the stream on which the main thread gets its messages; None where this isn't it, or there is none."""
    if threading.current_thread() is not threading.main_thread():
        return None
    if not getattr(kernel, "_supports_kernel_subshells", False):
        return getattr(kernel, "shell_stream", None)
    try:  # ipykernel 7
        return kernel.shell_channel_thread.manager.get_shell_channel_to_subshell_pair(None).to_stream
    except Exception:  # noqa: BLE001 - a later version
        return None


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put an interrupt off until the end of the block."""
    heard: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        heard.append(number)

    before = signal.getsignal(signal.SIGINT)
    if before is None:  # not Python's own, and couldn't be put back
        yield
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard and callable(before):
        before(heard[0], None)
