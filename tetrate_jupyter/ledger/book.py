"""The ledger of a kernel: what its records are given to, and what is asked for them."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from tetrate_jupyter import config
from tetrate_jupyter.ledger import reading, segments
from tetrate_jupyter.ledger.record import Record, clean, encoded
from tetrate_jupyter.ledger.writing import SegmentWriter
from tetrate_jupyter.observers import Observers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tetrate_jupyter.ledger.reading import Reading
    from tetrate_jupyter.ledger.record import RecordT

_KEPT: Final = 10_000  # records in memory, the newest: those of this kernel, for a ledger that is off or can't be read


class Book:
    """Takes records of this process and reads those of all. Thread-safe; nothing is opened before the first record.

    `data_dir`: see `segments.folder_of`. `shared` gives the place where several people meet this system account, or
    None: there a kernel reads its own records only (they are written, for the account's owner pays).
    """

    def __init__(
        self, data_dir: Path | None = None, *, shared: Callable[[], str | None] = config.shared_account
    ) -> None:
        self._data_dir = data_dir
        self._shared = shared
        self._writer = SegmentWriter(lambda: self.folder)
        self._recent: dict[tuple[str, int], Record] = {}
        self._order: deque[tuple[str, int]] = deque()
        self._lock = threading.Lock()
        self._said = ""
        self._under_way: WeakSet[object] = WeakSet()  # who is forgotten elsewhere has ended, whatever was raised
        self._observers = Observers()

    @property
    def folder(self) -> Path | None:
        """Where the records are, None where they are kept in memory only."""
        return segments.folder_of(self._data_dir)

    def note(self, record: Record) -> None:
        """Keep a record: in memory at once, on disk as soon as that takes it."""
        record = clean(record)
        with self._lock:
            if record.key not in self._recent:
                self._order.append(record.key)
            self._recent[record.key] = record
            while len(self._order) > _KEPT:
                self._recent.pop(self._order.popleft(), None)
        self._writer.put(segments.day_of(record.t), encoded(record))

    def begin(self, who: object) -> None:
        """Note that `who` sends a request, until `end`."""
        with self._lock:
            self._under_way.add(who)
        self._observers.notify()

    def end(self, who: object) -> None:
        """Note that the request of `who` is over, and its record noted."""
        with self._lock:
            self._under_way.discard(who)
        self._observers.notify()

    @property
    def under_way(self) -> int:
        """How many requests of this kernel are on their way, those of cells, panels and comparisons."""
        with self._lock:
            return len(self._under_way)

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when a request of this kernel begins or ends; return a function that stops that."""
        return self._observers.add(callback)

    async def settled(self) -> bool:
        """Whether all that was noted is on disk; waits for it as long as the disk may take (see `writing`)."""
        return await self._writer.settled()

    def flush(self, seconds: float) -> bool:
        """Like `settled`, blocking, for so long."""
        return self._writer.flush(seconds)

    def news(self) -> str:
        """Return what is wrong with the ledger in a sentence, each trouble once; "" for nothing new."""
        trouble = self.trouble
        if trouble == self._said:
            return ""
        self._said = trouble
        return trouble

    @property
    def problem(self) -> str:
        """What is wrong with the ledger, in a few words, or ""."""
        return self._writer.problem

    @property
    def trouble(self) -> str:
        """What is wrong with the ledger, in a sentence, or ""."""
        what = self.problem
        said = (
            [f"What is asked can't be noted in the ledger: {what}. It is noted once that works again."] if what else []
        )
        return " ".join([*said, *([_GIVEN_UP] if self._writer.given_up else [])])

    @property
    def recent(self) -> list[Record]:
        """The newest records of this kernel, the oldest first."""
        with self._lock:
            return [self._recent[key] for key in self._order if key in self._recent]

    @property
    def is_everybodys(self) -> bool:
        """Whether the records of others are none of this kernel's business."""
        return self._shared() is not None

    def read(self, kind: type[RecordT], since: float | None = None, until: float | None = None) -> Reading[RecordT]:
        """Return the records of a time, of all kernels. Raises `ConfigError` where they can't be read."""
        self.flush(_OWN)
        found = reading.read(self.folder, kind, since, until)
        reading.tend(self.folder)
        return found

    def erase(self, before: float | None = None) -> int:
        """Erase the records from before a time, or all, in memory and on disk; return how many there were on disk."""
        self.flush(_OWN)
        with self._lock:
            gone = [key for key, each in self._recent.items() if before is None or each.t < before]
            for key in gone:
                del self._recent[key]
            self._order = deque(key for key in self._order if key in self._recent)
        return reading.erase(self.folder, before)


_GIVEN_UP: Final = "Some of what this kernel asked isn't in the ledger: too much of it waited for the disk."
_OWN: Final = 1.0  # seconds that reading waits for what this kernel has noted itself
