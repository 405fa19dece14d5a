"""The work of a sign-in card: one main job at a time, one look at the state of things, and the rest beside them."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from weakref import WeakKeyDictionary

from tetrate_jupyter.completion.foreign import passes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

JobLane: TypeAlias = Literal["about", "look"]  # of each at most one goes on


class Jobs:
    """Coroutine functions that `begin` starts, from any thread. What one of them raises is given to `failed`.

    One whose place another has taken is cancelled; until it hears of that, it is `outrun`, and has nothing more to say.
    """

    def __init__(
        self, begin: Callable[[Coroutine[Any, Any, None]], Future[None]], failed: Callable[[BaseException], None]
    ) -> None:
        self._begin = begin
        self._failed = failed
        self._lock = threading.Lock()
        self._turns: dict[JobLane, int] = {"about": 0, "look": 0}
        self._going: dict[JobLane, Future[None]] = {}
        self._tasks: WeakKeyDictionary[asyncio.Task[Any], tuple[JobLane, int]] = WeakKeyDictionary()
        self._aside: set[Future[None]] = set()  # a task that nobody holds may be collected while it runs
        self._closed = False
        self._about: Callable[[], Coroutine[Any, Any, None]] | None = None

    def do(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run it as the main job in place of the present one; ignored when a job that is outrun asks for it."""
        if not self.outrun:
            self._about = work
            self._take_the_place("about", work)

    def look(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run it beside the main job, in place of an earlier look, which may have seen an old state."""
        self._take_the_place("look", work)

    def does(self, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Whether this is the main job that runs."""
        with self._lock:
            main = self._going.get("about")
            return self._about == work and main is not None and not main.done()

    def beside(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run it while all others go on."""
        if not self._closed:
            job = self._begin(self._watched(work))
            self._aside.add(job)
            job.add_done_callback(self._aside.discard)

    def stop_main(self) -> None:
        """Cancel the main job; the others go on. Ignored when a job that is outrun asks for it."""
        if not self.outrun:
            self._take_the_place("about", None)

    @property
    def outrun(self) -> bool:
        """Whether the calling job was stopped, or replaced by another."""
        try:
            task = asyncio.current_task()
        except RuntimeError:  # no loop runs on this thread
            return False
        found = None if task is None else self._tasks.get(task)
        return found is not None and self._turns[found[0]] != found[1]

    def close(self) -> None:
        """Cancel everything; nothing more begins until `open`."""
        with self._lock:
            self._closed = True
            going = [*self._going.values(), *self._aside]
        for job in going:
            job.cancel()

    def open(self) -> None:
        """Let work begin again."""
        self._closed = False

    def _take_the_place(self, lane: JobLane, work: Callable[[], Coroutine[Any, Any, None]] | None) -> None:
        with self._lock:
            self._turns[lane] += 1
            before = self._going.pop(lane, None)
            if work is not None and not self._closed:
                self._going[lane] = self._begin(self._watched(work, (lane, self._turns[lane])))
        if before is not None:
            before.cancel()

    async def _watched(
        self, work: Callable[[], Coroutine[Any, Any, None]], turn: tuple[JobLane, int] | None = None
    ) -> None:
        task = asyncio.current_task()
        if turn is not None and task is not None:
            self._tasks[task] = turn
        try:
            if not self.outrun:
                await work()
        except BaseException as error:
            if passes(error):
                raise
            if not self.outrun:  # else how it ended is no longer what the card is about
                self._failed(error)
