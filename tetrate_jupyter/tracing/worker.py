"""The thread on which all of a tracing SDK's code runs: its processors and exporters may be slow, hang, or raise.

Who asks waits for it for `PATIENCE` at most, and not at all while it is behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

PATIENCE: Final = 0.05  # seconds of one job that a call waits for
MOST_WAITING: Final = 2_000  # jobs; while so many wait, no span is begun
_AT_MOST: Final = 1.0  # seconds to wait for the thread itself: on a busy machine it gets its turn late
_LOOK: Final = 0.01  # seconds between looks whether it is at a job
_IDLE: Final = 2.0  # seconds without a job after which the thread ends


class Worker:
    """Does jobs one after the other, in their order. Thread-safe; nothing it does raises."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._at_job = False
        self.has_given_up = False  # somebody has waited in vain, and it has not caught up since: nobody waits now
        self._has_told = False

    @property
    def is_full(self) -> bool:
        """Whether it has more to do than it is going to."""
        return self._jobs.qsize() >= MOST_WAITING

    def do(self, job: Callable[[], object]) -> None:
        """Have a job done. Returns at once; where no thread can be started it is never done."""
        with self._lock:
            if self._pid != os.getpid():  # a fork: what waits is the parent's
                self._jobs, self._thread, self._pid = queue.SimpleQueue(), None, os.getpid()
                self._at_job = self.has_given_up = False
            self._jobs.put(job)
            if self._thread is not None:
                return
            self._thread = thread = threading.Thread(target=self._work, name="tetrate-tracing", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._thread = None

    async def caught_up(self) -> bool:
        """Whether all jobs so far are done; waits for that while each is done in time."""
        if self.has_given_up:
            return False
        ready, loop = asyncio.Event(), asyncio.get_running_loop()

        def tell() -> None:
            self.has_given_up = False
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ready.set)

        self.do(tell)
        until, looks = time.monotonic() + _AT_MOST, 0
        while not ready.is_set() and time.monotonic() < until and looks * _LOOK < PATIENCE:
            try:
                await asyncio.wait_for(ready.wait(), _LOOK)
            except (TimeoutError, asyncio.TimeoutError):
                looks += self._at_job
        if not ready.is_set():
            self.has_given_up = True
        return ready.is_set()

    def _work(self) -> None:
        jobs = self._jobs
        while True:
            try:
                job = jobs.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if jobs.empty():
                        self._thread = None
                        return
                continue
            self._at_job = True
            try:
                job()
            except BaseException as problem:  # noqa: BLE001 - an exporter of somebody's, SystemExit included
                self._tell(problem)
            self._at_job = False

    def _tell(self, problem: BaseException) -> None:
        if not self._has_told:
            self._has_told = True
            _log.warning("OpenTelemetry raised %s; what is asked goes on without its spans.", type(problem).__name__)
