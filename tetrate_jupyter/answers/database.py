"""A person's own kept answers, in an SQLite file of theirs; only where the file system is local."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, TypeVar

from tetrate_jupyter import ages
from tetrate_jupyter.answers.kept import (
    NOT_KEPT,
    KeptAnswer,
    Summary,
    Troubles,
    UnreadableAnswer,
    line_of,
    read,
    reason,
)
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

MAX_BYTES: Final = 200 * 1024 * 1024
_WAIT: Final = 2.0  # seconds for the writes of other kernels, for which nobody waits (`aside`); then it is not kept
_AGAIN: Final = 0.02  # seconds until a file that others begin at the same time is tried again
_PUT: Final = "INSERT OR REPLACE INTO answers (at, key, model, chosen, size, line) VALUES (?, ?, ?, ?, ?, ?)"
_NEVER: Final = 1e12  # seconds since the epoch, in tens of thousands of years
_TENTH: Final = 10  # of the answers go at once where there are too many bytes
_FIRST: Final = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
PRAGMA secure_delete=ON;
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, at REAL NOT NULL, model TEXT NOT NULL, chosen INTEGER NOT NULL, size INTEGER NOT NULL,
    line BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_at ON answers (at);
"""


class DatabaseStore:
    """The answers in one database. Of several kernels each may write; none waits for another for more than 50 ms."""

    where = "your own store of answers"

    def __init__(self, path: Path, *, days: float | None = None, most: int = MAX_BYTES) -> None:
        self.path = path
        self._days = days
        self._most = most
        self._lock = threading.RLock()
        self._open: tuple[int, sqlite3.Connection] | None = None  # a connection is its process's own
        self._troubles = Troubles()

    # --- reading ---------------------------------------------------------------------------------------------

    def get(self, key: str) -> KeptAnswer | None:
        """See `Store`."""

        def look(database: sqlite3.Connection) -> bytes | None:
            row = database.execute("SELECT line FROM answers WHERE key=? AND at>=?", (key, self._oldest())).fetchone()
            return None if row is None else bytes(row[0])

        line = self._try(look) if self.path.exists() else None
        if line is None:
            return None
        try:
            kept = read(line)
        except UnreadableAnswer:  # of another version, or damaged
            return None
        return kept if kept.key == key else None

    def chosen(self) -> tuple[str, ...]:
        """See `Store`."""
        sql = "SELECT model FROM answers WHERE chosen AND at>=? GROUP BY model ORDER BY max(at) DESC"

        def look(database: sqlite3.Connection) -> tuple[str, ...]:
            return tuple(str(model) for (model,) in database.execute(sql, (self._oldest(),)))

        return (self._try(look) if self.path.exists() else None) or ()

    def summary(self) -> Summary:
        """See `Store`."""

        def look(database: sqlite3.Connection) -> Summary:
            sql = "SELECT count(*), coalesce(sum(size), 0), min(at), max(at) FROM answers"
            count, size, oldest, newest = database.execute(sql).fetchone()
            by = "SELECT model, count(*) FROM answers GROUP BY model ORDER BY count(*) DESC, model"
            models = tuple((str(model), int(number)) for model, number in database.execute(by))
            return Summary(self.where, count, size, _time(oldest), _time(newest), models)

        return (self._try(look) if self.path.exists() else None) or Summary(self.where)

    def told(self) -> tuple[str, ...]:
        """See `Store`."""
        return self._troubles.take()

    # --- writing ---------------------------------------------------------------------------------------------

    def put(self, *answers: KeptAnswer) -> None:
        """See `Store`."""
        rows = []
        for kept in answers:
            line = line_of(kept)
            if line is None:
                self._troubles.add(NOT_KEPT, again=True)
            else:
                rows.append((kept.asked_at.timestamp(), kept.key, kept.model, kept.chosen, len(line), line))

        def write(database: sqlite3.Connection) -> None:
            with database:
                witnessed = _witnessed(database)  # of a clock that is behind the answer tells, but its age is another
                database.executemany(_PUT, [(max(when, witnessed), *rest) for when, *rest in rows])
                if self._days is not None:
                    oldest = min(time.time(), _witnessed(database)) - self._days * ages.DAY
                    database.execute("DELETE FROM answers WHERE at<?", (oldest,))
                self._make_room(database)

        if rows:
            self._try(write)

    def _make_room(self, database: sqlite3.Connection) -> None:
        pages, free, size = (
            database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size > self._most:
            count = database.execute("SELECT count(*) FROM answers").fetchone()[0]
            sql = "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY at LIMIT ?)"
            database.execute(sql, (max(1, count // _TENTH),))

    def clear(self, *, before: datetime | None = None) -> int:
        """See `Store`."""
        if not self.path.exists():
            return 0
        try:
            with self._lock:
                database = self._connection()
                with database:
                    where, values = ("", ()) if before is None else (" WHERE at<?", (before.timestamp(),))
                    count = database.execute(f"DELETE FROM answers{where}", values).rowcount  # noqa: S608 - ours
                with contextlib.suppress(
                    sqlite3.OperationalError
                ):  # another kernel reads: its pages are empty all the same
                    database.execute("VACUUM")
                    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return count
        except (sqlite3.Error, OSError) as error:
            if before is None and _is_damaged(error):
                self._begin_anew()
                return 0
            raise ConfigError(
                f"{self.where.capitalize()} can't be removed: {reason(error)}.",
                next_step=f"try again, or remove the file yourself: {self.path}",
            ) from None

    def close(self) -> None:
        """See `Store`."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is not None and opened[0] == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                opened[1].close()

    # --- the file --------------------------------------------------------------------------------------------

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the database; None where that fails, which is said and costs no answer."""
        try:
            with self._lock:
                return work(self._connection())
        except (sqlite3.Error, OSError) as error:
            if _is_damaged(error):
                self._begin_anew()
                self._troubles.add(f"{self.where.capitalize()} was damaged ({reason(error)}) and is begun anew.")
            else:
                self._troubles.add(f"{self.where.capitalize()} can't be used now: {reason(error)}.")
            return None

    def _connection(self) -> sqlite3.Connection:
        if self._open is not None and self._open[0] == os.getpid() and self.path.exists():
            return self._open[1]
        self.close()
        _make_private(self.path)
        database = sqlite3.connect(self.path, timeout=_WAIT, check_same_thread=False)
        try:
            _begin(database)
        except BaseException:
            database.close()
            raise
        self._open = os.getpid(), database
        return database

    def _begin_anew(self) -> None:
        self.close()
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self.path.with_name(self.path.name + ending).unlink()

    def _oldest(self) -> float:
        if self._days is None:
            return 0.0
        return (datetime.now(timezone.utc) - timedelta(days=self._days)).timestamp()


def _begin(database: sqlite3.Connection) -> None:
    """Make the tables where they aren't there. Waits for who does the same: SQLite turns on its log without waiting."""
    until = time.monotonic() + _WAIT
    while True:
        try:
            database.executescript(_FIRST)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(_AGAIN)
        else:
            return


def _witnessed(database: sqlite3.Connection) -> float:
    """Return since when it is the present at least, by what is there (see `ages`)."""
    days: list[int] = []
    while len(days) < ages.WITNESSES:
        before = days[-1] * ages.DAY if days else _NEVER
        newest = database.execute("SELECT max(at) FROM answers WHERE at<?", (before,)).fetchone()[0]
        if newest is None:
            break
        days.append(ages.day_number(newest))
    return ages.witnessed(days)


def _make_private(path: Path) -> None:
    """Have the file there before SQLite opens it: mode 0600 from its first moment, which its journals take from it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    no_follow = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | no_follow, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it isn't a regular file")
        if os.name == "posix":
            if status.st_uid != os.geteuid():
                raise OSError("the file belongs to another user")
            if stat.S_IMODE(status.st_mode) & 0o077:
                os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _is_damaged(error: BaseException) -> bool:
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
    )


def _time(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, timezone.utc)
