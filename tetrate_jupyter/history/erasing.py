"""Lines taken out of files that others write: one conversation of many, the unstarred among starred ones.

A file is replaced as a whole, under its own name. Whoever writes it opens it anew for each append and looks afterwards
whether it is still there (`ledger.segments.Appender`), so that a living kernel goes on in the new one; what it wrote
into the old one meanwhile is found there through our own descriptor.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import whole_files
from tetrate_jupyter.answers.turn import turn
from tetrate_jupyter.history import files, marks
from tetrate_jupyter.history.files import Passed
from tetrate_jupyter.history.turn import Mark, TurnHead, UnreadableTurn, decoded
from tetrate_jupyter.keys import private_file
from tetrate_jupyter.ledger import segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tetrate_jupyter.history.marks import ConversationMarks

_SILENT: Final = 5.0  # seconds that one of another machine may erase: all that is kept is read, the rest is written
_NEW: Final = 600.0  # seconds in which a name may be of a conversation that wasn't there when they were read
_AT_MOST: Final = 15.0  # seconds to wait for others that erase; marks and a second look hold, should both go on


@dataclass
class Erased:
    """What came of it: lines that are gone, and why files could not be changed, one reason each."""

    lines: int = 0
    problems: list[str] = field(default_factory=list)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Erase while no other kernel does: of two that replace a file, one would put back what the other took out."""
    with turn(folder / "erasing", silent=_SILENT, at_most=_AT_MOST):
        yield


def turns_of(dead: Mapping[str, ConversationMarks]) -> Callable[[bytes], bool]:
    """Return whether a line is of a conversation that is erased, also where it is torn or of another version."""
    names = [f'"{root}"'.encode() for root in dead]

    def goes(line: bytes) -> bool:
        try:
            head = decoded(line, TurnHead)
        except UnreadableTurn:
            return any(name in line for name in names)
        told = dead.get(head.root)
        return told is not None and told.hides(head.t)

    return goes


def marks_of(told: Mapping[str, ConversationMarks], known: Iterable[str] | None, now: float) -> Callable[[bytes], bool]:
    """Return whether a line is a mark that counts for nothing any more.

    `known`: the conversations that there are, None where not all of them could be read. Of others only that they are
    erased is kept, for as long as another kernel may still write what was said before.
    """
    there = None if known is None else frozenset(known)

    def goes(line: bytes) -> bool:
        try:
            mark = decoded(line, Mark)
        except UnreadableTurn:
            return True  # what is torn may be part of a name
        of = told.get(mark.root)
        is_over = there is not None and mark.root not in there
        if mark.gone is not None and mark.name is None:
            return is_over and mark.t < now - marks.LATE
        return (of is not None and of.gone >= 0 and mark.t <= of.erased) or (is_over and mark.t < now - _NEW)

    return goes


def erase(found: list[segments.Segment], goes: Callable[[bytes], bool], late: Callable[[str, bytes], None]) -> Erased:
    """Take the lines that go out of files. What others have written into them meanwhile is given to `late`."""
    made = Erased()
    for segment in found:
        try:
            made.lines += _rewritten(segment.path, goes, partial(late, segment.day or ""))
        except FileNotFoundError:  # erased meanwhile
            continue
        except OSError as problem:
            made.problems.append(whole_files.reason(problem))
    return made


def sweep(folder: Path) -> None:
    """Remove what was being written by one that was killed, for whoever is `alone`. Raises `OSError`."""
    for month in segments.months(folder):
        private_file.sweep(folder / month)


@dataclass(frozen=True)
class Starred:
    """The turns that starred conversations are made of, also those of others that they go on from, by their ids.

    `sizes`: how many bytes of each file they are.
    """

    ids: frozenset[str]
    sizes: Mapping[Path, int]

    def is_other(self, line: bytes) -> bool:
        """Whether a line is none of them."""
        try:
            return decoded(line, TurnHead).id not in self.ids
        except UnreadableTurn:
            return True


def starred(folder: Path, found: list[segments.Segment]) -> Starred:
    """Return what has to stay for the stars in these files. Raises `OSError`."""
    roots = {root for root, told in marks.read(folder).items() if told.is_starred}
    if not roots:
        return Starred(frozenset(), {})
    places = list(files.heads(found, Passed()))
    before: dict[str, set[str]] = {}
    for place in places:
        before.setdefault(place.head.id, set()).add(place.head.after)
    ids: set[str] = set()
    left = {place.head.id for place in places if place.head.root in roots}
    while left:
        ids |= left
        left = set().union(*(before.get(each, set()) for each in left)) - ids
    sizes: dict[Path, int] = {}
    for place in places:
        if place.head.id in ids:
            sizes[place.path] = sizes.get(place.path, 0) + place.size
    return Starred(frozenset(ids), sizes)


def scrubbed(folder: Path, late: Callable[[str, bytes], None]) -> list[str]:
    """Take what is erased out of all files; return why that failed. Raises `OSError`."""
    with alone(folder):
        dead = {root: each for root, each in marks.read(folder).items() if each.gone >= 0}
        made = erase(files.files(folder, Passed()), turns_of(dead), late)
        tidied(folder)
    return made.problems


def tidied(folder: Path) -> None:
    """Remove marks of what is gone, what was left half written, and empty folders. Raises `OSError`."""
    passed, now = Passed(), time.time()
    told = marks.read(folder)
    roots = {place.head.root for place in files.heads(files.files(folder, passed), passed)}
    of_marks = files.files(marks.folder_of(folder), Passed())
    erase(of_marks, marks_of(told, None if passed.files else roots, now), lambda _day, _data: None)
    for each in (folder, marks.folder_of(folder)):
        sweep(each)
        remove_empty(each, now)


def remove(path: Path) -> bool:
    """Remove a file, or a link in its place; return whether there was one."""
    try:
        if stat.S_ISDIR(path.lstat().st_mode):  # nothing of ours
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def remove_empty(folder: Path, now: float) -> None:
    """Remove the folders of months that are over: in this one's a kernel may be about to begin a file."""
    for month in segments.months(folder):
        if month >= segments.month_of(segments.day_of(now - 2 * segments.DAY)):
            continue
        try:
            (folder / month).rmdir()
        except OSError:  # not empty: a kernel writes there
            continue


def _rewritten(path: Path, goes: Callable[[bytes], bool], late: Callable[[bytes], None]) -> int:
    """Return how many lines went. Raises `OSError`."""
    with files.opened(path) as file:
        if os.fstat(file.fileno()).st_size > files.MOST_READ:
            raise OSError(errno.EFBIG, "it is too large to be read")
        data = file.read()
        end = data.rfind(b"\n") + 1
        lines = _lines(data[:end])
        stay = [line for line in lines if not goes(line)]
        if len(stay) == len(lines) and not (end < len(data) and goes(data[end:])):
            return 0
        if os.name != "posix":  # an open file can't be replaced there: not by us, nor under another kernel
            file.close()
        if stay:
            private_file.write(path, b"".join(stay))
        else:
            path.unlink()
        if not file.closed:
            file.seek(end)
            data = file.read()
            rest = [line for line in _lines(data[: data.rfind(b"\n") + 1]) if not goes(line)]
            if rest:
                late(b"".join(rest))
    return len(lines) - len(stay)


def _lines(data: bytes) -> list[bytes]:
    return [line + b"\n" for line in data.split(b"\n") if line]
