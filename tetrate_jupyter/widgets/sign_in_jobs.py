"""What a sign-in card has under way: one thing at a time that it is about, and what goes on beside that."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.completion.foreign import passes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future


class Jobs:
    """Coroutine functions that `begin` starts, from any thread. What one of them raises is given to `failed`."""

    def __init__(
        self, begin: Callable[[Coroutine[Any, Any, None]], Future[None]], failed: Callable[[BaseException], None]
    ) -> None:
        self._begin = begin
        self._failed = failed
        self._lock = threading.Lock()
        self._turn = 0
        self._aside: set[Future[None]] = set()  # a task that nobody holds may be collected while it runs
        self._closed = False
        self._about: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.main: Future[None] | None = None

    def do(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run it in place of what runs now."""
        with self._lock:
            self._turn += 1
            before, self.main, self._about = self.main, None, work
            if not self._closed:
                self.main = self._begin(self._watched(work, self._turn))
        if before is not None:
            before.cancel()

    def does(self, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Whether this is what runs in the first place."""
        with self._lock:
            return self._about == work and self.main is not None and not self.main.done()

    def beside(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run it while the other one goes on."""
        if not self._closed:
            job = self._begin(self._watched(work))
            self._aside.add(job)
            job.add_done_callback(self._aside.discard)

    def stop_main(self) -> None:
        """Cancel what runs in the first place; what runs beside goes on."""
        if self.main is not None:
            self.main.cancel()

    def close(self) -> None:
        """Cancel everything; nothing more begins until `open`."""
        with self._lock:
            self._closed = True
        for job in (self.main, *self._aside):
            if job is not None:
                job.cancel()

    def open(self) -> None:
        """Let work begin again."""
        self._closed = False

    async def _watched(self, work: Callable[[], Coroutine[Any, Any, None]], turn: int | None = None) -> None:
        try:
            await work()
        except BaseException as error:
            if passes(error):
                raise
            if turn in {None, self._turn}:  # else how it ended is no longer what the card is about
                self._failed(error)
