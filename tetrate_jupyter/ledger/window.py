"""What was asked and what it cost, in memory only."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from tetrate_jupyter import amounts
from tetrate_jupyter.observers import Observers
from tetrate_jupyter.types import Timing, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

Outcome: TypeAlias = Literal["done", "partial", "failed"]

MAX_ENTRIES: Final = 10_000  # about 5 MB; older entries go, the totals go on counting them


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. Holds no prompt, no answer and no key.

    `time`: when it was asked, aware, UTC. `asked`, `answered`: model ids; `answered` is None where none said so.
    `cost`: estimated US dollars, None for unknown; give Decimal(0) where nothing can have been billed (a refused key).
    `outcome`: "done", "partial" (text came, then it broke or was stopped) or "failed" (nothing came).
    `error`: the error's class name, or None. `ignored`: odd members of the answer that were left out.
    """

    asked: str
    answered: str | None = None
    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = None
    timing: Timing | None = None
    request_id: str | None = None
    outcome: Outcome = "done"
    error: str | None = None
    ignored: int = 0
    time: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over entries. What isn't known is counted apart and never taken for 0.

    `cost`: US dollars of the `calls - unknown_costs` calls whose cost is known; None where no call's is.
    `prompt_tokens`, `completion_tokens`: tokens of the `calls - unknown_tokens` calls that came with both counts.
    """

    calls: int = 0
    failed: int = 0
    partial: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    unknown_tokens: int = 0
    cost: Decimal | None = None
    unknown_costs: int = 0
    ignored: int = 0

    def plus(self, entry: Entry) -> Total:
        """Return the total with `entry` counted too."""
        sent, written = entry.usage.prompt_tokens, entry.usage.completion_tokens
        known = sent is not None and written is not None
        return Total(
            calls=self.calls + 1,
            failed=self.failed + (entry.outcome == "failed"),
            partial=self.partial + (entry.outcome == "partial"),
            prompt_tokens=self.prompt_tokens + (sent or 0 if known else 0),
            completion_tokens=self.completion_tokens + (written or 0 if known else 0),
            unknown_tokens=self.unknown_tokens + (not known),
            cost=amounts.total((self.cost, entry.cost)),
            unknown_costs=self.unknown_costs + (amounts.known(entry.cost) is None),
            ignored=self.ignored + entry.ignored,
        )


def total_of(entries: Iterable[Entry]) -> Total:
    """Add up `entries`; for part of a ledger: `total_of(e for e in ledger.entries if e.answered == "...")`."""
    total = Total()
    for entry in entries:
        total = total.plus(entry)
    return total


class Ledger:
    """Entries in the order they were recorded. Thread-safe.

    Keeps the newest `limit` entries (default 10,000); `total()` counts all since the start or the last `clear()`.
    """

    __module__ = "tetrate_jupyter"

    def __init__(self, *, limit: int = MAX_ENTRIES) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._total = Total()
        self._observers = Observers()

    def record(self, entry: Entry) -> None:
        """Add one entry and tell the observers."""
        with self._lock:
            self._entries.append(entry)
            self._total = self._total.plus(entry)
        self._observers.notify()

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._entries.clear()
            self._total = Total()
        self._observers.notify()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """A snapshot, oldest first."""
        with self._lock:
            return tuple(self._entries)

    def total(self) -> Total:
        """Return the sums over everything recorded, entries already dropped included."""
        with self._lock:
            return self._total

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change, on the changing thread; return a function that stops it."""
        return self._observers.add(callback)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        total = self.total()
        return f"<Ledger: {total.calls} calls>"
