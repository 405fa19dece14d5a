"""Where records are on disk: append-only files that have one writer each, so that nothing needs a lock.

    ledger/2026-11/<host>-<pid>-<start>.jsonl     one process, one day (UTC); a fork begins its own
    ledger/2026-10/all-<token>.jsonl              a month that is over, put together

No SQLite: homes are network file systems often, where its locks hang or its files break. A segment is opened for each
append and closed again: on a network file system that is what lets other machines see it, and a segment that somebody
has erased meanwhile is begun anew instead of being written into nowhere.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import platform
import re
import stat
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from tetrate_jupyter import config, whole_files
from tetrate_jupyter.errors import ConfigError
from tetrate_jupyter.keys import private_file

DAY: Final = 86_400.0  # seconds
_ENDING: Final = ".jsonl"
_TOGETHER: Final = "all-"
_MONTH: Final = re.compile(r"\d{4}-\d\d")
_START: Final = re.compile(r"-\d+-(\d{8})T\d+(?:\.\d+)?\Z")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.]")
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)  # a pipe under this name would be waited for without end
_APPEND: Final = os.O_WRONLY | os.O_APPEND | _NO_FOLLOW | _NO_WAIT | getattr(os, "O_CLOEXEC", 0)
_MOST_NAMES: Final = 100  # segments of one process on one day: so often it may be erased


def folder_of(data_dir: Path | None) -> Path | None:
    """Return the ledger's folder, None where none is kept on disk.

    `TETRATE_JUPYTER_LEDGER=off` turns it off; else `data_dir` has it where one is given, then the folder that the
    variable names, then Jupyter's data directory. Raises `ConfigError` where there is no such place.
    """
    named = os.environ.get(config.LEDGER_VARIABLE, "").strip()
    if named.lower() == "off":
        return None
    if data_dir is not None:
        return data_dir / "ledger"
    if named:
        return _absolute(named)
    from jupyter_core.paths import jupyter_data_dir

    try:
        return Path(jupyter_data_dir()) / "tetrate-jupyter" / "ledger"
    except RuntimeError:
        problem = "This account has no home folder, so there is no place for the ledger."
    raise ConfigError(problem, next_step=f"set {config.LEDGER_VARIABLE} to a folder, or to off")


@functools.cache  # a ledger that moved with the kernel's working folder would begin the day's sum anew
def _absolute(named: str) -> Path:
    try:
        return Path(os.path.abspath(whole_files.named(named)))  # noqa: PTH100 - a link stays as it is named
    except OSError as problem:
        reason = whole_files.reason(problem)
    raise ConfigError(
        f"The ledger can't be in {whole_files.shown(named)}: {reason}.",
        next_step=f"set {config.LEDGER_VARIABLE} to a folder, or to off, and restart the kernel",
    )


def day_of(moment: float) -> str:
    """Return the day (UTC) of seconds since the epoch: "20261126"."""
    try:
        return time.strftime("%Y%m%d", time.gmtime(moment))
    except (ValueError, OverflowError, OSError):  # a clock out of its mind
        return "19700101"


def day_number(day: str) -> int:
    """Return the number of a day ("20261126"), counted from the epoch; 0 for one that there isn't."""
    try:
        return (date(int(day[:4]), int(day[4:6]), int(day[6:])) - date(1970, 1, 1)).days
    except ValueError:
        return 0


def month_of(day: str) -> str:
    """Return the month's folder of a day: "2026-11"."""
    return f"{day[:4]}-{day[4:6]}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of records: its month's folder, and its day (UTC), None for a month that was put together."""

    path: Path
    month: str
    day: str | None


def segments(folder: Path, since: float | None = None, until: float | None = None) -> list[Segment]:
    """Return the segments that may have records of a time, by name. Raises `OSError`; nothing for no folder."""
    first = "" if since is None else day_of(since)
    last = "99991231" if until is None else day_of(until)
    found: list[Segment] = []
    for month in months(folder):
        if not month_of(first or "00000000") <= month <= month_of(last):
            continue
        for path in _files(folder / month):
            start = None if path.name.startswith(_TOGETHER) else _START.search(path.name.removesuffix(_ENDING))
            day = start.group(1) if start else None
            if day is None or first <= day <= last:
                found.append(Segment(path, month, day))
    return found


def months(folder: Path) -> list[str]:
    """Return the months that there are, the oldest first. Raises `OSError`; nothing for no folder.

    A link is none: what it leads to isn't ours to count, and least of all to erase.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if _MONTH.fullmatch(e.name) and e.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _files(month: Path) -> list[Path]:
    try:
        with os.scandir(month) as entries:
            return sorted(Path(e.path) for e in entries if e.name.endswith(_ENDING) and not e.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):  # erased meanwhile
        return []


def together(folder: Path, month: str, token: str) -> Path:
    """Return the file that a month is put together in."""
    return folder / month / f"{_TOGETHER}{token}{_ENDING}"


def read(path: Path, start: int = 0, most: int | None = None) -> bytes:
    """Return a segment's bytes from `start`, `most` of them. Raises `OSError`, also where it isn't a regular file."""
    descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it isn't a regular file")
        if start:
            file.seek(start)
        return file.read() if most is None else file.read(most)


class Appender:
    """The segments that one process writes, one for each day. Used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] = {}
        self._torn: set[str] = set()  # days whose segment ends in part of a line, which could not be taken back

    def append(self, day: str, data: bytes) -> None:
        """Append whole lines to the segment of a day. Raises `OSError`; then nothing of them is in it.

        What a full disk has taken of them is cut off again, and where that fails, too, the next lines begin a new one.
        """
        for _ in range(2):
            descriptor = self._opened(day)
            try:
                self._write(descriptor, day, data)
                if os.fstat(descriptor).st_nlink:
                    return
            finally:
                os.close(descriptor)
            del self._paths[day]  # erased between opening and writing

    def _write(self, descriptor: int, day: str, data: bytes) -> None:
        before = os.fstat(descriptor).st_size
        left = memoryview(b"\n" + data if day in self._torn else data)
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError:
            try:
                os.ftruncate(descriptor, before)
            except OSError:
                self._torn.add(day)
            raise
        self._torn.discard(day)

    def _opened(self, day: str) -> int:
        path = self._paths.get(day)
        if path is not None:
            with contextlib.suppress(FileNotFoundError):
                return os.open(path, _APPEND)
        month = self._folder / month_of(day)
        host = _UNSAFE.sub("_", platform.node())[:60] or "host"
        start = f"{day}T{time.strftime('%H%M%S', time.gmtime())}.{time.time_ns() // 1000 % 1_000_000:06d}"
        for number in range(_MOST_NAMES):
            more = f"{number:02d}" if number else ""
            path = month / f"{host}-{os.getpid()}-{start}{more}{_ENDING}"
            descriptor = _begun(path)
            if descriptor is not None:
                self._paths[day] = path
                self._torn.discard(day)
                return descriptor
        raise FileExistsError(errno.EEXIST, "no name is free for it")


def _begun(path: Path) -> int | None:
    """Make a segment and its folder, and return it opened; None where that has to be tried again.

    Another kernel erases at the same time: what is an empty folder to it may be the one that was just made for this.
    """
    with contextlib.suppress(FileNotFoundError):
        private_file.folder(path.parent)
        with contextlib.suppress(FileExistsError):  # another machine of the same name, in the same microsecond
            return os.open(path, _APPEND | os.O_CREAT | os.O_EXCL, 0o600)
    return None
