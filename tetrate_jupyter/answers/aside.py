"""A place for answers whose disk holds up nobody: all that touches it is done on two threads of the place's own.

Two promises meet here, as in the ledger. *A paid answer is on disk before it is shown as finished*: `put` waits for it.
*No trouble with a place fails or delays a call*: it waits `PATIENCE` for a disk that is at work. Beyond, the answer
goes first, is written when the disk takes it, and is found here until then. A lookup is waited for longer, since what
is asked again costs money: `LOOKUP` without a sign of life, which a large file gives while it is read. A disk that was
waited for in vain is waited for by nobody until it has answered. That is said once.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from tetrate_jupyter.answers.kept import Summary, Troubles, reason
from tetrate_jupyter.errors import ConfigError
from tetrate_jupyter.interrupts import Latch, held_back

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from tetrate_jupyter.answers.kept import KeptAnswer, Store

T = TypeVar("T")

PATIENCE: Final = 0.25  # seconds that an answer waits for a disk that is writing: a busy one takes 0.1
LOOKUP: Final = 1.0  # seconds without a sign of life that a question waits for a disk that is read
_BY_HAND: Final = 20.0  # the same, where a person has asked for nothing else
_TURN: Final = 1.0  # seconds to wait for the thread itself: on a busy machine it gets its turn late
_LOOK: Final = 0.01  # seconds between looks whether the disk is at work
_IDLE: Final = 2.0  # seconds without a job after which a thread ends
_AT_EXIT: Final = 1.0  # seconds that the interpreter's exit waits for the disk
MOST_WAITING: Final = 1_000  # answers that wait for a disk
_MOST_BYTES: Final = 64_000_000  # of them


class NoAnswer(Exception):  # noqa: N818 - never leaves this module
    """A disk was waited for in vain."""


class _DiskWork(Generic[T]):
    """Something to do, and what came of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._result: T
        self._error: BaseException | None = None
        self.done = Latch()

    def do(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error.with_traceback(None)
        self.done.set()

    @property
    def result(self) -> T:
        """What came of it. Raises what the work has raised."""
        if self._error is not None:
            raise self._error
        return self._result


class _Hand:
    """Does jobs one after the other, on a thread of its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[_DiskWork[Any]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_at_work = False
        self._signs = 0
        self._in_vain: _DiskWork[Any] | None = None  # what somebody has waited for in vain

    def alive(self) -> None:
        """Note that the job goes on: who waits for it may wait on."""
        self._signs += 1

    @property
    def has_given_up(self) -> bool:
        """Whether somebody has waited in vain, and that is still not done."""
        return self._in_vain is not None and not self._in_vain.done.is_set()

    def do(self, job: _DiskWork[T]) -> _DiskWork[T]:
        """Have a job done; at once where no thread can be started."""
        try:
            with self._lock:
                self._jobs.put(job)
                if self._thread is None:
                    with held_back():
                        thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                        thread.start()
                        self._thread = thread
        except RuntimeError:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._jobs.get_nowait().do()
        return job

    def waited(self, job: _DiskWork[T], patience: float) -> bool:
        """Whether a job is done; waits for it while the disk isn't at work for longer than `patience` (seconds)."""
        looks, signs, until = 0, self._signs, time.monotonic() + _TURN + patience
        # Counted in looks: on a machine that is busy both threads wait for their turns, and the disk is no slower.
        while not job.done.wait(_LOOK):
            if signs != self._signs:
                looks, signs, until = 0, self._signs, time.monotonic() + _TURN + patience
            looks += self._is_at_work
            if looks * _LOOK >= patience or time.monotonic() > until:
                self._in_vain = job
                return False
        return True

    def ask(self, work: Callable[[], T], patience: float, *, always: bool = False) -> T:
        """Return what a job gives. Raises `NoAnswer`; `always`: not at once where others have waited in vain."""
        if self.has_given_up and not always:
            raise NoAnswer
        job = self.do(_DiskWork(work))
        if not self.waited(job, patience):
            raise NoAnswer
        return job.result

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._thread = None
                        return
                continue
            self._is_at_work = True
            job.do()
            self._is_at_work = False


class Aside:
    """The place that `make` gives, which is called on a thread, too, with what a long reading calls meanwhile.

    A `Store`: nothing but `clear` raises, and everything comes back within moments, whatever the disk does.
    """

    def __init__(self, where: str, make: Callable[[Callable[[], None]], Store]) -> None:
        self.where = where
        self._make = make
        self._troubles = Troubles()
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._reader, self._writer = _Hand("tetrate-answers-read"), _Hand("tetrate-answers-write")
        self._lock = threading.Lock()  # of what waits
        self._making = threading.Lock()
        self._made: Store | None = None
        self._waiting: deque[tuple[KeptAnswer, int]] = deque()
        self._bytes = 0
        self._unseen: dict[str, KeptAnswer] = {}  # by their keys: those that the disk hasn't taken yet
        self._next: _DiskWork[None] | None = None  # will write all that waits
        self._unwritten = 0

    def _be_own(self) -> None:
        if self._pid != os.getpid():  # a fork: threads, locks and what waits are the parent's
            self._begin()

    # --- reading ---------------------------------------------------------------------------------------------

    def get(self, key: str) -> KeptAnswer | None:
        """See `Store`. What still waits for the disk is found, too: it isn't paid for again."""
        self._be_own()
        with self._lock:
            unseen = self._unseen.get(key)
        if unseen is not None:
            return unseen
        return self._looked(lambda store: store.get(key), None)

    def chosen(self) -> tuple[str, ...]:
        """See `Store`."""
        nobody: tuple[str, ...] = ()
        return self._looked(lambda store: store.chosen(), nobody)

    def summary(self) -> Summary:
        """See `Store`."""
        return self._looked(lambda store: store.summary(), Summary(self.where), by_hand=True)

    @property
    def path(self) -> Path:
        """See `Store`. Raises `ConfigError` where the disk doesn't answer."""
        self._be_own()
        try:
            made = self._made
            return (made if made is not None else self._reader.ask(self._store, LOOKUP, always=True)).path
        except NoAnswer:
            raise self._no_answer() from None

    def told(self) -> tuple[str, ...]:
        """See `Store`."""
        made = self._made
        return (*self._troubles.take(), *(made.told() if made is not None else ()))

    def _store(self) -> Store:
        with self._making:
            if self._made is None:
                self._made = self._make(self._reader.alive)
            return self._made

    def _looked(self, look: Callable[[Store], T], otherwise: T, *, by_hand: bool = False) -> T:
        self._be_own()
        try:
            return self._reader.ask(lambda: look(self._store()), _BY_HAND if by_hand else LOOKUP, always=by_hand)
        except NoAnswer:
            self._troubles.add(
                f"The disk that {self.where} is on doesn't answer, so no kept answer is used: questions are asked."
            )
        except Exception as problem:  # noqa: BLE001 - whatever a file system raises: a lookup costs no answer
            self._troubles.add(f"Kept answers can't be used now ({self.where}: {reason(problem)}).")
        return otherwise

    # --- writing ---------------------------------------------------------------------------------------------

    def put(self, *answers: KeptAnswer) -> None:
        """See `Store`. It is on disk when this returns, unless that takes longer than `PATIENCE`."""
        self._be_own()
        for kept in answers:
            self._add(kept)
        with self._lock:
            job, is_new = self._next, self._next is None
            if job is None:
                job = self._next = _DiskWork(self._write)
        if is_new:
            self._writer.do(job)
        if self._writer.has_given_up or not self._writer.waited(job, PATIENCE):
            self._troubles.add(
                f"The disk that {self.where} is on doesn't answer: answers are shown before they are kept there."
            )

    def _add(self, kept: KeptAnswer) -> None:
        size = len(msgspec.json.encode(kept))
        with self._lock:
            lost = 0
            while self._waiting and (len(self._waiting) >= MOST_WAITING or self._bytes + size > _MOST_BYTES):
                gone, its_size = self._waiting.popleft()
                self._bytes -= its_size
                self._forget(gone)
                lost += 1
            self._waiting.append((kept, size))
            self._unseen[kept.key] = kept
            self._bytes += size
            self._unwritten += 1 - lost
        if lost:
            self._troubles.add(f"Answers for {self.where} were given up: too many waited for the disk.")

    def _write(self) -> None:
        with self._lock:
            batch, self._next = [kept for kept, _ in self._waiting], None
            self._waiting.clear()
            self._bytes = 0
        try:
            self._store().put(*batch)
        except Exception as problem:  # noqa: BLE001 - as above
            self._troubles.add(f"{self.where}: an answer wasn't kept ({reason(problem)}).")
        with self._lock:
            self._unwritten -= len(batch)
            for kept in batch:
                self._forget(kept)

    def _forget(self, kept: KeptAnswer) -> None:
        if self._unseen.get(kept.key) is kept:
            del self._unseen[kept.key]

    def clear(self, *, before: datetime | None = None) -> int:
        """See `Store`."""
        self._be_own()
        try:
            return self._writer.ask(lambda: self._store().clear(before=before), _BY_HAND, always=True)
        except NoAnswer:
            raise self._no_answer() from None

    def close(self) -> None:
        """See `Store`."""
        made = self._made
        if made is not None and self._pid == os.getpid():
            with contextlib.suppress(NoAnswer):
                self._writer.ask(made.close, PATIENCE)

    def flush(self, seconds: float) -> bool:
        """Wait so long until all that was put is written, or couldn't be. Return whether it is."""
        if not self._unwritten or self._pid != os.getpid():
            return True
        return self._writer.do(_DiskWork(lambda: None)).done.wait(seconds)

    def _no_answer(self) -> ConfigError:
        return ConfigError(
            f"The disk that {self.where} is on doesn't answer.", next_step="try again, or name another file"
        )


_PLACES: Final[weakref.WeakSet[Aside]] = weakref.WeakSet()


def aside(where: str, make: Callable[[Callable[[], None]], Store]) -> Aside:
    """Return a place by its name, which is made when it is first used; what waits for its disk is written at exit."""
    made = Aside(where, make)
    _PLACES.add(made)
    return made


@atexit.register
def _flush_all() -> None:
    until = time.monotonic() + _AT_EXIT
    for place in list(_PLACES):
        place.flush(max(0.0, until - time.monotonic()))
