"""Kept answers in a file: one line each, sorted by their keys, written as a whole; made to be committed and merged."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import threading
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec

from tetrate_jupyter import ages, secrecy
from tetrate_jupyter.answers.kept import (
    NOT_KEPT,
    VERSION,
    AnswerHead,
    KeptAnswer,
    Summary,
    Troubles,
    UnreadableAnswer,
    at,
    head_of,
    line_of,
    moment,
    read,
    reason,
)
from tetrate_jupyter.answers.turn import turn
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_FILE: Final = 50 * 1024 * 1024  # bytes; code hosts refuse files of 100 MB
_MOST_READ: Final = 2 * MAX_FILE  # two branches of it, merged
_MARKS: Final = (b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")  # what git leaves where lines meet
_BEGIN: Final = b'{"at":"'  # of our lines, torn ones too: "at" is the first member in the order of the alphabet
_PIECE: Final = 1024 * 1024  # bytes that are read at once
_A_WHILE: Final = 1_000  # lines
_NAMED: Final = 10  # line numbers in a sentence
_LEFT_AFTER: Final = 60.0  # seconds; a write takes less
_Stamp: TypeAlias = "tuple[int, ...] | None"


class _Line(NamedTuple):
    """One answer as it stands in the file."""

    head: AnswerHead
    raw: bytes


class _Content(NamedTuple):
    """What was read of a file. `others`: lines that are none of ours and stay as they are."""

    stamp: _Stamp = None
    lines: dict[str, _Line] = {}  # noqa: RUF012 - never changed: each reading makes its own
    others: tuple[bytes, ...] = ()
    is_usable: bool = True


class FileStore:
    """The answers of one file. `is_private`: mode 0600 and answers that are too old go; else an ordinary file.

    Others may write it meanwhile, by hand too: it is read anew when it has changed, and before it is written. What is
    no answer is left out and stays in the file, lines of a newer version as well; what is torn goes at the next write,
    and so do the marks of a merge conflict, of which both sides' answers are kept.
    """

    def __init__(
        self,
        path: Path,
        *,
        is_private: bool = False,
        days: float | None = None,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path
        self.where = path.name if not is_private else "your own store of answers"
        self._is_private = is_private
        self._days = days
        self._alive = alive
        self._lock = threading.Lock()  # of what is known
        self._writing = threading.Lock()
        self._content = _Content()
        self._waiting: dict[str, _Line] = {}
        self._troubles = Troubles()

    # --- reading ---------------------------------------------------------------------------------------------

    def get(self, key: str) -> KeptAnswer | None:
        """See `Store`."""
        found = self._now().lines.get(key)
        if found is None or self._is_old(found.head):
            return None
        try:
            return read(found.raw)
        except UnreadableAnswer:
            self._troubles.add(f"{self.where}: an answer there could not be read, so it is asked anew.")
            return None

    def chosen(self) -> tuple[str, ...]:
        """See `Store`."""
        heads = [line.head for line in self._now().lines.values() if line.head.chosen and not self._is_old(line.head)]
        heads.sort(key=lambda head: moment(head.at), reverse=True)
        return tuple(dict.fromkeys(head.model for head in heads))

    def summary(self) -> Summary:
        """See `Store`."""
        lines = self._now().lines.values()
        times = [moment(line.head.at) for line in lines]
        return Summary(
            self.where,
            len(lines),
            sum(len(line.raw) + 1 for line in lines),
            min(times, default=None),
            max(times, default=None),
            tuple(Counter(line.head.model for line in lines).most_common()),
        )

    def told(self) -> tuple[str, ...]:
        """See `Store`."""
        return self._troubles.take()

    def close(self) -> None:
        """See `Store`: nothing is held open."""

    def _now(self) -> _Content:
        stamp = _stamp(self.path)
        with self._lock:
            if stamp != self._content.stamp:
                self._content = self._read(stamp)
            return self._content

    def _read(self, stamp: _Stamp) -> _Content:
        if stamp is None:
            return _Content()
        try:
            data = _bytes_of(self.path, self._alive)
        except OSError as error:
            self._troubles.add(f"{self.where} can't be read ({reason(error)}), so it isn't used.")
            return _Content(stamp, is_usable=False)
        return self._sorted_out(stamp, data)

    def _sorted_out(self, stamp: _Stamp, data: bytes) -> _Content:
        lines: dict[str, _Line] = {}
        others: list[bytes] = []
        odd: list[int] = []
        marks: list[int] = []
        newer = torn = 0
        known = {line.raw: line for line in self._content.lines.values()}
        for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
            line = raw.strip()
            if not number % _A_WHILE:
                self._alive()
            if not line:
                continue
            if (had := known.get(line)) is not None:  # most of it is as it was
                _take(lines, had)
                continue
            if line.startswith(_MARKS):
                marks.append(number)
                continue
            try:
                head = head_of(line)
            except UnreadableAnswer:
                odd.append(number)
                if line.startswith(_BEGIN):
                    torn += 1
                else:
                    others.append(line)
                continue
            if head.v > VERSION:
                newer += 1
                others.append(line)
            else:
                _take(lines, _Line(head, line))
        if odd and not (lines or newer or torn):
            self._troubles.add(f"{self.where} holds no kept answers, so it isn't used and stays as it is.")
            return _Content(stamp, is_usable=False)
        self._say(odd, marks, newer)
        return _Content(stamp, lines, tuple(others))

    def _say(self, odd: list[int], marks: list[int], newer: int) -> None:
        if marks:
            self._troubles.add(f"{self.where} has marks of a merge conflict ({_lines(marks)}); both sides are used.")
        if odd:
            what = "line is no answer" if len(odd) == 1 else "lines are no answers"
            self._troubles.add(f"{self.where}: {len(odd):,} {what} ({_lines(odd)}); the others are used.")
        if newer:
            self._troubles.add(
                f"{self.where}: {newer:,} of its answers are of a newer version. %pip install -U tetrate-jupyter"
            )

    # --- writing ---------------------------------------------------------------------------------------------

    def put(self, *answers: KeptAnswer) -> None:
        """See `Store`. Answers that come while one is being written go into the file together, with the next write."""
        for kept in answers:
            raw = line_of(kept)
            if raw is None:
                self._troubles.add(NOT_KEPT, again=True)
                continue
            with self._lock:
                self._waiting[kept.key] = _Line(AnswerHead(kept.v, kept.key, kept.at, kept.model, kept.chosen), raw)
        with self._writing:
            with self._lock:
                batch, self._waiting = self._waiting, {}
            if batch:
                try:
                    self._add(batch)
                except OSError as error:
                    self._troubles.add(f"{self.where} can't be written ({reason(error)}), so the answer wasn't kept.")

    def _add(self, batch: dict[str, _Line]) -> None:
        if not self._now().is_usable:
            return
        with turn(self._target()):
            now = self._now()  # as the last one has left it
            if now.is_usable:
                self._replace(_bounded(self._aged({**now.lines, **batch}, batch)), now.others)

    def _aged(self, lines: dict[str, _Line], new: Iterable[str]) -> dict[str, _Line]:
        """Return the lines without those that are too old, whatever the clock says (see `ages`)."""
        if self._days is None:
            return lines
        times = {key: moment(line.head.at).timestamp() for key, line in lines.items()}
        witnessed = ages.witnessed(map(ages.day_number, times.values()))
        for key in new:
            if times[key] < witnessed:
                lines[key], times[key] = _put_right(lines[key], witnessed), witnessed
        oldest = min(time.time(), witnessed) - self._days * ages.DAY
        return {key: line for key, line in lines.items() if times[key] >= oldest}

    def clear(self, *, before: datetime | None = None) -> int:
        """See `Store`."""
        if not self.path.exists():
            return 0
        with self._writing, turn(self._target()):
            now = self._now()
            left = {k: v for k, v in now.lines.items() if before is not None and moment(v.head.at) >= before}
            if len(left) == len(now.lines):
                return 0
            try:
                if left or now.others:
                    self._replace(left, now.others)
                else:
                    self.path.unlink(missing_ok=True)
            except OSError as error:
                raise ConfigError(
                    f"{self.where} can't be changed: {reason(error)}.", next_step=f"remove it yourself: {self.path}"
                ) from None
            return len(now.lines) - len(left)

    def _replace(self, lines: dict[str, _Line], others: Iterable[bytes]) -> None:
        kept = [lines[key].raw for key in sorted(lines)]
        kept += [line for line in others if not secrecy.holds(line)]
        target = self._target()
        _sweep(target)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.new")
        try:
            mode = 0o600 if self._is_private else 0o666  # the system takes the umask from it
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                if not self._is_private:
                    with contextlib.suppress(OSError):  # there is none yet, or a disk without modes
                        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))  # noqa: PTH101 - beside os.open
                file.write(b"".join(line + b"\n" for line in kept))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        with self._lock:
            self._content = _Content(_stamp(self.path), lines, tuple(others))

    def _target(self) -> Path:
        """Return the file itself, in a folder that is there where it is ours to make."""
        target = Path(os.path.realpath(self.path))  # a link stays one
        if self._is_private:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return target

    def _is_old(self, head: AnswerHead) -> bool:
        return self._days is not None and moment(head.at) < datetime.now(timezone.utc) - timedelta(days=self._days)


def _take(lines: dict[str, _Line], line: _Line) -> None:
    """Have one line of each key: the newest; of two of one time, always the same one."""
    had = lines.get(line.head.key)
    if had is None or (moment(had.head.at), had.raw) < (moment(line.head.at), line.raw):
        lines[line.head.key] = line


def _put_right(line: _Line, seconds: float) -> _Line:
    """Return a line that was made by a clock that was behind, as of another time."""
    kept = at(msgspec.json.decode(line.raw, type=KeptAnswer), seconds)
    return _Line(msgspec.structs.replace(line.head, at=kept.at), line_of(kept) or line.raw)


def _bounded(lines: dict[str, _Line]) -> dict[str, _Line]:
    """Return the newest answers that fit the file."""
    room = MAX_FILE
    if sum(len(line.raw) + 1 for line in lines.values()) <= room:
        return lines
    kept = {}
    for line in sorted(lines.values(), key=lambda each: moment(each.head.at), reverse=True):
        room -= len(line.raw) + 1
        if room < 0:
            break
        kept[line.head.key] = line
    return kept


def _lines(numbers: list[int]) -> str:
    more = ", …" if len(numbers) > _NAMED else ""
    return f"line{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers[:_NAMED]))}{more}"


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _bytes_of(path: Path, alive: Callable[[], None]) -> bytes:
    """Read a regular file within its bound, calling `alive` after each piece. Raises `OSError`."""
    pieces, size = [], 0
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a device gives without end, a pipe waits
            raise OSError("it isn't a regular file")
        while piece := file.read(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > _MOST_READ:
                raise OSError(f"it is larger than {_MOST_READ // 1024**2} MB")
            alive()
    return b"".join(pieces)


def _sweep(target: Path) -> None:
    """Remove what writes that were killed have left."""
    with contextlib.suppress(OSError):
        for left in target.parent.glob(f".{target.name}.*.new"):
            if time.time() - left.stat().st_mtime > _LEFT_AFTER:
                left.unlink()
