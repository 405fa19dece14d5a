"""Records on their way to the disk: a thread of their own writes them, so that no disk holds up a call.

Two promises meet here. *A paid answer is on disk before it is shown as finished*: who shows it awaits `settled`. *No
trouble with the ledger fails or delays a call*: `put` never blocks and never raises, and `settled` waits `PATIENCE` for
a disk that is at work. Where a disk takes longer the second one wins: the answer is shown, and its record follows once
the disk takes it. What couldn't be written (a full disk) stays here and is written with the next record; beyond
`MOST_WAITING` the oldest are given up, and counted. On disk means given to the system: a kernel that is killed loses
nothing; a power cut may take the last seconds, since waiting for the platter would hold up every answer.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
import weakref
from collections import deque
from itertools import groupby, islice
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.interrupts import held_back
from tetrate_jupyter.ledger.segments import Appender

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE: Final = 0.05  # seconds that an answer waits for a disk that is writing
MOST_WAITING: Final = 10_000  # records, about 5 MB
_AT_MOST: Final = 1.0  # seconds to wait for the thread itself: on a busy machine it gets its turn late
_LOOK: Final = 0.01  # seconds between looks whether the disk is at work
_STUCK: Final = 5.0  # seconds of one write after which it is said
_IDLE: Final = 2.0  # seconds without a record after which the thread ends
_AT_EXIT: Final = 1.0  # seconds that the interpreter's exit waits for the disk
_AT_ONCE: Final = 1_000  # records of one append


class SegmentWriter:
    """Writes lines to the segments in `folder`, which is asked for at the first one; None: nowhere. Thread-safe.

    `most_bytes`: of the lines that wait for a disk; beyond, the oldest are given up. None: only their number counts.
    """

    def __init__(self, folder: Callable[[], Path | None], *, most_bytes: int | None = None) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self.given_up = 0  # records that were not written and won't be
        self.trouble = ""  # why the last write failed, in words for a person; "" once one has worked again
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._lines: deque[tuple[str, bytes]] = deque()
        self._thread: threading.Thread | None = None
        self._appender: Appender | None = None
        self._put = self._done = 0  # lines, since the start
        self._bytes = 0  # of the lines that wait
        self._writing_since: float | None = None
        self._in_vain: float | None = None  # since when the disk was writing that somebody has waited for in vain
        self._waiting: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = []

    def put(self, day: str, line: bytes) -> None:
        """Have a line written to the segment of a day. Returns at once, never raises."""
        if self._pid != os.getpid():  # a fork: the lines that wait are the parent's, and so is its segment
            self._begin()
        with self._lock:
            while self._is_too_much(len(line)):
                self._bytes -= len(self._lines.popleft()[1])
                self._done += 1
                self.given_up += 1
            self._lines.append((day, line))
            self._bytes += len(line)
            self._put += 1
            if self._thread is not None:
                self._wake.notify()
                return
            _WRITERS.add(self)
            self._thread = threading.Thread(target=self._work, name="tetrate-ledger", daemon=True)
            thread = self._thread
        try:
            with held_back():
                thread.start()
        except RuntimeError:  # no thread can be started here: then it has to be done at once
            self._work(stay=False)

    def _is_too_much(self, size: int) -> bool:
        if len(self._lines) >= MOST_WAITING:
            return True
        return bool(self._lines) and self._most_bytes is not None and self._bytes + size > self._most_bytes

    async def settled(self) -> bool:
        """Whether all that was put is written; waits for it as long as the disk may take."""
        if self._pid != os.getpid():
            return True
        with self._lock:
            wanted = self._put
            if self._done >= wanted or self._thread is None:  # written, or it couldn't be
                return self._done >= wanted
            if self._in_vain is not None and self._in_vain == self._writing_since:
                return False  # a disk that one call has waited for in vain holds up no other
            ready = asyncio.Event()
            self._waiting.append((wanted, asyncio.get_running_loop(), ready))
        until, looks = time.monotonic() + _AT_MOST, 0
        # Counted in looks: on a machine that is busy both threads wait for their turns, and the disk is no slower.
        while not ready.is_set() and time.monotonic() < until and looks * _LOOK < PATIENCE:
            try:
                await asyncio.wait_for(ready.wait(), _LOOK)
            except (TimeoutError, asyncio.TimeoutError):
                looks += self._writing_since is not None
        if not ready.is_set():
            self._in_vain = self._writing_since
        return self._done >= wanted

    def flush(self, seconds: float) -> bool:
        """Wait so long until all that was put is written, or couldn't be. Return whether it is."""
        until = time.monotonic() + seconds
        with self._lock:
            while self._lines and self._thread is not None and self._pid == os.getpid():
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._wake.wait(min(left, _LOOK))
            return not self._lines

    @property
    def problem(self) -> str:
        """What is wrong with the disk now, in a few words, "" for nothing."""
        since = self._writing_since
        is_stuck = since is not None and time.monotonic() - since > _STUCK
        return self.trouble or ("the disk doesn't answer" if is_stuck else "")

    # --- the thread ------------------------------------------------------------------------------------------

    def _work(self, *, stay: bool = True) -> None:
        while True:
            with self._lock:
                if not self._lines and stay:
                    self._wake.wait(_IDLE)
                batch = list(islice(self._lines, _AT_ONCE))
                if not batch:
                    self._thread = None
                    return
                self._writing_since = time.monotonic()
                done = self._done
            problem = self._written(batch)
            with self._lock:
                self._writing_since = None
                self.trouble = problem
                if not problem:
                    for _ in range(done + len(batch) - self._done):  # some may have been given up meanwhile
                        self._bytes -= len(self._lines.popleft()[1])
                    self._done = max(self._done, done + len(batch))
                self._tell(everybody=bool(problem))
                if problem:
                    self._thread = None  # the next record tries again
                    return

    def _written(self, batch: list[tuple[str, bytes]]) -> str:
        """Write lines; return why that failed, "" where it didn't."""
        try:
            if self._appender is None:
                folder = self._folder()
                if folder is None:
                    return ""
                self._appender = Appender(folder)
            for day, lines in groupby(batch, key=lambda each: each[0]):
                self._appender.append(day, b"".join(line for _, line in lines))
        except Exception as problem:  # noqa: BLE001 - no home, no data directory, whatever a file system raises
            said = problem.strerror if isinstance(problem, OSError) else getattr(problem, "message", "").rstrip(".")
            return said or type(problem).__name__
        return ""

    def _tell(self, *, everybody: bool) -> None:
        left = []
        for wanted, loop, ready in self._waiting:
            if not everybody and self._done < wanted:
                left.append((wanted, loop, ready))
                continue
            try:
                loop.call_soon_threadsafe(ready.set)
            except RuntimeError:  # its loop is closed: nobody waits any more
                continue
        self._waiting = left
        self._wake.notify_all()


_WRITERS: Final[weakref.WeakSet[SegmentWriter]] = weakref.WeakSet()


@atexit.register
def _flush_all() -> None:
    until = time.monotonic() + _AT_EXIT
    for writer in list(_WRITERS):
        writer.flush(max(0.0, until - time.monotonic()))
