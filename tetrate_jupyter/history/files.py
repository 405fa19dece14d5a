"""The files of kept conversations as they are read: line by line, whatever somebody has put in their place.

    history/2026-11/<host>-<pid>-<start>.jsonl     one process, one day (UTC), as in the ledger

A link, anything but a regular file, what belongs to another user and what has no end of a line is passed over: one bad
file costs no conversation that is in the others.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from tetrate_jupyter.history.turn import MOST_LINE, KeptTurn, TurnHead, UnreadableTurn, decoded
from tetrate_jupyter.ledger import segments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.history.turn import LineT

MOST_TURNS: Final = 200_000  # whose heads are held at once, about 100 MB; the newest files' first
MOST_READ: Final = 400_000_000  # bytes that are read at once, the newest files first
_OPENED: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class LineLocation:
    """Where a turn's line is, and the part of it that lists are made of."""

    head: TurnHead
    path: Path
    start: int
    size: int


@dataclass
class Passed:
    """What was passed over while reading: lines that are no turns, files that can't be read or are too many."""

    lines: int = 0
    files: int = 0

    @property
    def said(self) -> tuple[str, ...]:
        """A sentence on each, for a person."""
        return (
            *([f"{self.lines:,} lines can't be read."] if self.lines else []),
            *([f"{self.files:,} files were left out: another's, links, or too many."] if self.files else []),
        )


def files(folder: Path | None, passed: Passed) -> list[segments.Segment]:
    """Return the files of all days, the newest first. Raises `OSError`."""
    if folder is None:
        return []
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "its folder is a link to elsewhere")
    bad = {month for month in segments.months(folder) if not _is_own_folder(folder / month)}
    passed.files += len(bad)
    found = [each for each in segments.segments(folder) if each.month not in bad]
    return sorted(found, key=lambda each: (each.day or "", each.path.name), reverse=True)


def heads(found: list[segments.Segment], passed: Passed) -> Iterator[LineLocation]:
    """Yield the places of all turns."""
    for number, (path, start, line) in enumerate(_lines(found, passed)):
        if number >= MOST_TURNS:
            passed.files += 1
            return
        with _counted(passed):
            yield LineLocation(decoded(line, TurnHead), path, start, len(line))


def each(found: list[segments.Segment], kind: type[LineT], passed: Passed) -> Iterator[LineT]:
    """Yield all turns as one kind."""
    for _, _, line in _lines(found, passed):
        with _counted(passed):
            yield decoded(line, kind)


def turns(places: list[LineLocation]) -> dict[LineLocation, KeptTurn]:
    """Return whole turns; those that have vanished meanwhile are left out."""
    found: dict[LineLocation, KeptTurn] = {}
    for path in dict.fromkeys(place.path for place in places):
        with suppress(OSError), opened(path) as file:
            for place in (each for each in places if each.path == path):
                file.seek(place.start)
                with suppress(UnreadableTurn):
                    found[place] = decoded(file.read(place.size), KeptTurn)
    return {place: turn for place, turn in found.items() if turn.id == place.head.id}


@contextmanager
def _counted(passed: Passed) -> Iterator[None]:
    try:
        yield
    except UnreadableTurn:
        passed.lines += 1


def _lines(found: list[segments.Segment], passed: Passed) -> Iterator[tuple[Path, int, bytes]]:
    room = MOST_READ
    for segment in found:
        try:
            with opened(segment.path) as file:
                size = os.fstat(file.fileno()).st_size
                room -= size
                if room < 0:
                    passed.files += 1
                    continue
                for start, line in _lines_of(file, size, passed):
                    yield segment.path, start, line
        except FileNotFoundError:  # erased meanwhile
            continue
        except OSError:
            passed.files += 1


def _lines_of(file: IO[bytes], size: int, passed: Passed) -> Iterator[tuple[int, bytes]]:
    """Yield the whole lines of a file as it is now, without what is too long for a turn."""
    start = file.tell()
    while start < size:
        line = file.readline(MOST_LINE + 2)
        if not line.endswith(b"\n"):
            if len(line) < MOST_LINE + 2:  # the end of one that was torn, or is being written
                return
            passed.lines += 1
            while line and not line.endswith(b"\n"):
                line = file.readline(MOST_LINE)
        elif line.strip():
            yield start, line
        start = file.tell()


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file of one's own for reading; one that others may read is closed to them. Raises `OSError`."""
    descriptor = os.open(path, _OPENED)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it isn't a regular file")
        if os.name == "posix":
            if status.st_uid != os.geteuid():
                raise OSError(errno.EPERM, "it belongs to another user")
            if stat.S_IMODE(status.st_mode) & 0o077:
                with suppress(OSError):  # a disk without modes
                    os.fchmod(descriptor, 0o600)
        yield file


def _is_own_folder(month: Path) -> bool:
    status = month.lstat()
    return stat.S_ISDIR(status.st_mode) and (os.name != "posix" or status.st_uid == os.geteuid())
