"""What a day has cost so far, over all kernels: the new bytes of their segments, added up.

Nothing here needs a lock between kernels. Who wants to ask first appends what it can cost at most ("open"), then reads
what all have appended, and takes its own back ("void") where that is too much: of two that do so at once, each sees the
other, and both may be refused, but never do both pass. What was begun and has no end (a kernel that was killed) counts
with its bound until midnight, for it may have been billed.
"""

from __future__ import annotations

import errno
import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tetrate_jupyter import whole_files
from tetrate_jupyter.amounts import total
from tetrate_jupyter.errors import ConfigError
from tetrate_jupyter.ledger import segments
from tetrate_jupyter.ledger.record import Record, decoded
from tetrate_jupyter.ledger.totals import midnight

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.ledger.book import Book

_AHEAD: Final = 2 * segments.DAY  # seconds that a clock may have been fast
_DISK: Final = 2.0  # seconds that a disk gets to take what is set aside
_MOST_BYTES: Final = 400_000_000  # that a file of today may have grown by: a million records
_TRIES: Final = 3  # the ledger may be erased meanwhile


class DayCost(NamedTuple):
    """A sum as it is told to a person: US dollars of the requests whose cost is known, None for none, and the rest."""

    cost: Decimal | None
    unknown: int


class Day:
    """The sum of today, as this kernel sees it. Thread-safe; all of it reads files and may wait for the disk."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._lock = threading.Lock()
        self._forget(0.0)

    def _forget(self, since: float) -> None:
        self._since = since
        self._read: dict[Path, int] = {}  # how far
        self._records: dict[tuple[str, int], Record] = {}
        self._sums: dict[tuple[str, bool], Decimal] = {}  # by host of play money, "" for real; whether it is set aside
        self._told: dict[tuple[str, str | None], DayCost] = {}  # by host of play money, "" for real, and notebook
        self._newest: dict[str, tuple[float, bool]] = {}  # by host, when one was sent and whether that was in play

    def spent(self, host: str) -> Decimal:
        """Return US dollars that today has cost, what is set aside included.

        The sandbox's play money is its own: it counts for the `host` that is asked, and for no other. Raises
        `ConfigError` where the ledger can't be read.
        """
        self._book.flush(_DISK)
        with self._lock:
            return self._spent(host)

    def is_play(self, host: str) -> bool:
        """Whether what this host answered last today was play money's. Raises `ConfigError` as `spent` does."""
        self._book.flush(_DISK)
        with self._lock:
            self._spent(host)
            return self._newest.get(host, (0.0, False))[1]

    def ended(self, host: str) -> Decimal:
        """Return the same without what is set aside."""
        self._book.flush(_DISK)
        with self._lock:
            self._spent(host)
            return _sum(self._sums.get(("", False)), self._sums.get((host, False)))

    def told(self, play: str = "", notebook: str | None = None) -> DayCost:
        """Return what today has cost as far as it is known, and how many requests are of unknown cost.

        `play`: the host whose play money is told, "" for real money. `notebook`: the path of one; None: of all. Raises
        `ConfigError` where the ledger can't be read.
        """
        self._book.flush(_DISK)
        with self._lock:
            self._spent(play)
            found = [each for (host, path), each in self._told.items() if host == play and notebook in (None, path)]
        return DayCost(total(each.cost for each in found), sum(each.unknown for each in found))

    def take(self, begun: Record, limit: Decimal) -> bool:
        """Set aside what `begun` can cost at most (`most`); False where today would pass `limit`, and nothing is.

        Raises `ConfigError` where the ledger can't be read or written.
        """
        with self._lock:
            if _sum(self._spent(begun.host), begun.most) > limit:
                return False
            self._book.note(begun)
            if not self._book.flush(_DISK):
                self._book.note(void(begun))
                raise _unusable(self._book.problem or "the disk doesn't answer")
            try:
                fits = self._spent(begun.host) <= limit
            except ConfigError:
                self._book.note(void(begun))
                raise
            if not fits:
                self._book.note(void(begun))
            return fits

    def _spent(self, host: str) -> Decimal:
        problem = ""
        for _ in range(_TRIES):
            try:
                self._look(time.time())
                return _sum(*(self._sums.get((whose, is_aside)) for whose in ("", host) for is_aside in (True, False)))
            except FileNotFoundError:  # erased: what was in it counts no more
                self._forget(0.0)
                problem = "it is being erased"
            except OSError as unreadable:
                problem = whole_files.reason(unreadable)
                break
        raise _unusable(problem)

    def _look(self, now: float) -> None:
        folder = self._book.folder
        if folder is None:
            raise OSError(0, "it is turned off")
        begin = midnight(now)
        if begin != self._since:
            self._forget(begin)
        found = [each.path for each in segments.segments(folder, begin, begin + _AHEAD) if each.day is not None]
        if not self._read.keys() <= set(found):
            self._forget(begin)
        for path in found:
            start = self._read.get(path, 0)
            data = segments.read(path, start, _MOST_BYTES)
            if len(data) == _MOST_BYTES:
                raise OSError(errno.EFBIG, "one of its files is too large")
            whole = data[: data.rfind(b"\n") + 1]
            for each in decoded(whole, Record)[0]:
                if begin <= each.t < begin + _AHEAD:
                    self._count(each)
            self._read[path] = start + len(whole)

    def _count(self, record: Record) -> None:
        before = self._records.get(record.key)
        if before is not None and before.outcome != "open":
            return
        self._records[record.key] = record
        if before is not None:
            self._add(before, is_gone=True)
        self._add(record)
        if record.outcome not in {"open", "void"}:
            key = record.host if record.simulated else "", record.notebook
            cost, unknown = self._told.get(key, DayCost(None, 0))
            self._told[key] = DayCost(total((cost, record.cost)), unknown + (record.cost is None))
            newest = record.t, record.simulated
            self._newest[record.host] = max(newest, self._newest.get(record.host, newest))

    def _add(self, record: Record, *, is_gone: bool = False) -> None:
        amount = cost_of(record)
        key = record.host if record.simulated else "", record.outcome == "open"
        self._sums[key] = _sum(self._sums.get(key), amount.copy_negate() if is_gone else amount)


def cost_of(record: Record) -> Decimal:
    """Return what a record counts with: its cost, or its bound; 0 where neither is known."""
    if record.outcome == "void":
        return Decimal(0)
    return record.cost if record.cost is not None else record.most if record.most is not None else Decimal(0)


def void(begun: Record) -> Record:
    """Return the record that takes back one that was begun."""
    return msgspec.structs.replace(begun, outcome="void", most=None, cost=None)


def _sum(*parts: Decimal | None) -> Decimal:
    return total(parts) or Decimal(0)


def _unusable(why: str) -> ConfigError:
    return ConfigError(
        f"What today has cost so far can't be told from the ledger: {why}.",
        next_step="mend that, or go on without the day's budget: session.daily_budget = None",
    )
