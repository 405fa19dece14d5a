"""What a person says of kept conversations: names, stars, what is erased; each a line of its own, the newest counts.

    history/marks/2026-11/<host>-<pid>-<start>.jsonl

They have a folder of their own, which versions of this package that know no marks pass over, and from which nothing
goes by age and size: a name is there as long as its conversation.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import one_line
from tetrate_jupyter.history import files
from tetrate_jupyter.history.files import Passed
from tetrate_jupyter.history.turn import VERSION, WORDS, Mark, marked
from tetrate_jupyter.http.chunk_reading import whole
from tetrate_jupyter.keys import private_file
from tetrate_jupyter.ledger import segments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LATE: Final = 2 * segments.DAY  # seconds that another kernel may take to write what was said before it was erased


@dataclass(frozen=True, slots=True)
class ConversationMarks:
    """What counts of a conversation.

    `gone`: what was said up to then is erased, and told at `erased`. `newest`: when anything was told last.
    """

    name: str = ""
    is_starred: bool = False
    gone: float = -1.0
    erased: float = -1.0
    newest: float = 0.0

    def hides(self, moment: float) -> bool:
        """Whether what was said at a moment is erased."""
        return moment <= self.gone


NOTHING: Final = ConversationMarks()


def folder_of(history: Path) -> Path:
    """Return where the marks of a folder of conversations are."""
    return history / "marks"


def read(history: Path) -> dict[str, ConversationMarks]:
    """Return what is said of each conversation, by its id. Raises `OSError`."""
    found = files.files(folder_of(history), Passed())
    return put_together(files.each(found, Mark, Passed()))


def put_together(marks: Iterable[Mark]) -> dict[str, ConversationMarks]:
    """Return what counts of marks, in whatever order they come; pure."""
    told: dict[str, ConversationMarks] = {}
    for mark in sorted(marks, key=lambda each: each.t):
        known = told.get(mark.root, NOTHING)
        if mark.gone is not None:  # its name and star go with it
            known = ConversationMarks(gone=known.gone, erased=mark.t)
        told[mark.root] = ConversationMarks(
            name=known.name if mark.name is None else one_line(mark.name, WORDS),
            is_starred=known.is_starred if mark.star is None else mark.star,
            gone=known.gone if mark.gone is None else max(known.gone, mark.gone),
            erased=known.erased,
            newest=mark.t,
        )
    return told


def name_of(text: str) -> str:
    """Return a name as it is kept: one line, within bounds, whatever hides in it spelled out."""
    return one_line(whole(text), WORDS).strip()


def holds_key(text: str) -> bool:
    """Whether a name holds a key, known or likely."""
    return secrecy.blotted(text) != text


class MarkWriter:
    """Writes marks, this process's into files of its own. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._appender: segments.Appender | None = None
        self._of: tuple[int, Path] | None = None

    def put(self, history: Path, mark: Mark, known: ConversationMarks) -> None:
        """Write one that comes after what is `known`; it is on disk when this returns. Raises `OSError`."""
        moment = max(time.time(), known.newest + 0.001)  # a clock that is behind makes no mark an older one
        line = marked(msgspec.structs.replace(mark, t=round(moment, 6)))
        if line is None:
            raise OSError(errno.EINVAL, "a key seems to be in it")
        folder = folder_of(history)
        with self._lock:
            if self._appender is None or self._of != (os.getpid(), folder):  # a fork's are its own
                private_file.folder(history)
                private_file.folder(folder)
                self._appender, self._of = segments.Appender(folder), (os.getpid(), folder)
            self._appender.append(segments.day_of(time.time()), line)


def mark(root: str, *, name: str | None = None, star: bool | None = None, gone: float | None = None) -> Mark:
    """Return a mark of a conversation, to be put."""
    return Mark(v=VERSION, t=0.0, root=root, name=name, star=star, gone=gone)
