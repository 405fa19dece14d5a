"""The requests that arrived at the sandbox router, for tests to read and to wait for."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.interrupts import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

KEPT = 2000  # requests; a demo that runs for days must not grow without bound
KEPT_BYTES = 64 * 1024 * 1024  # of their bodies as they were sent: pictures make some as large as 32 MB
SECRET_HEADERS = frozenset({"authorization", "x-api-key", "x-tars-api-key", "cookie", "proxy-authorization"})


@dataclass(frozen=True)
class LoggedRequest:
    """A snapshot of one request. Times are `time.monotonic()` seconds of this process.

    `key` is "key 1", "key 2" and so on in the order of issue, or None without a known key; headers that could hold a
    secret aren't kept, and an exchange's code and verifier are replaced by their names. Names in `headers` are in lower
    case. `hung_up_at` is None unless the client hung up before the end; `finished_at` is None until all has been sent.
    `chunks_sent` counts server-sent events with data, except "[DONE]". `fault` is the kind of fault that was applied,
    or None. `usage` is that of the whole answer, however much of it was sent, without cached tokens; None where there
    was no answer.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    request_id: str | None
    body: Any
    model: str | None
    arrived_at: float
    key: str | None = None
    fault: str | None = None
    status: int | None = None
    chunks_sent: int = 0
    first_chunk_at: float | None = None
    finished_at: float | None = None
    hung_up_at: float | None = None
    usage: Mapping[str, Any] | None = None


@dataclass
class RequestInProgress:
    """The same record while it changes; only the router's own thread changes it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    request_id: str | None
    body: Any
    model: str | None
    arrived_at: float = field(default_factory=time.monotonic)
    key: str | None = None
    fault: str | None = None
    status: int | None = None
    chunks_sent: int = 0
    first_chunk_at: float | None = None
    finished_at: float | None = None
    hung_up_at: float | None = None
    usage: Mapping[str, Any] | None = None

    def snapshot(self) -> LoggedRequest:
        """Return an immutable copy."""
        return LoggedRequest(**{f.name: getattr(self, f.name) for f in fields(self)})


class RequestLog:
    """The latest requests, oldest first; thread-safe."""

    def __init__(self) -> None:
        self._records: deque[RequestInProgress] = deque()
        self._sizes: deque[int] = deque()  # of their bodies
        self._bytes = 0  # their sum
        self._changed = Guard(threading.RLock())

    def add(self, record: RequestInProgress, size: int = 0) -> None:
        """Add a request whose body has `size` bytes; the oldest go where that is too much. This one stays."""
        with self.change():
            while self._records and (len(self._records) >= KEPT or self._bytes + size > KEPT_BYTES):
                self._records.popleft()
                self._bytes -= self._sizes.popleft()
            self._records.append(record)
            self._sizes.append(size)
            self._bytes += size

    @contextmanager
    def change(self) -> Iterator[None]:
        """Lock the log while a record changes, then wake all waiters."""
        with self._changed:
            yield
            self._changed.notify_all()

    def snapshot(self) -> list[LoggedRequest]:
        """Return snapshots of all requests."""
        with self._changed:
            return [record.snapshot() for record in self._records]

    def wait_for(self, predicate: Callable[[LoggedRequest], bool], timeout: float) -> LoggedRequest:
        """Wait `timeout` seconds at most for a request that matches; return the oldest one. Raises `TimeoutError`."""
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                for record in self._records:
                    if predicate(found := record.snapshot()):
                        return found
                left = end - time.monotonic()
                if left <= 0:
                    seen = ", ".join(f"{r.method} {r.path}" for r in self._records) or "none"
                    raise TimeoutError(f"no request as awaited within {timeout:g} s; requests so far: {seen}")
                self._changed.wait(left)


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers, names in lower case, without those that can hold a key."""
    return {name.lower(): value for name, value in headers.items() if name.lower() not in SECRET_HEADERS}
