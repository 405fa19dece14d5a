"""Writers of one file, one after the other, on any file system: a file beside it, which only one of them can make.

A write is read, add, replace: of two at once, one would take the other's answer away, which is then paid for again.
File systems' own locks are no help: those of networks hang, or hold nothing. Whoever was killed while it had its turn
loses it at once on this machine, and after `_SILENT` seconds on another. Where no turn can be had, the write is done
without one, as it is where a folder lets nobody make a file.

Who waits looks now and then, and so would nearly always miss the moment between two turns of one that writes without a
pause. So whoever waits the longest makes a second file, and nobody else begins while that is there: a wait is about as
many turns as there are others (three that write constantly: at most some 5 turns, where it was up to 190). It is
courtesy only: one who doesn't come loses that place after `_NEXT`, and nobody waits in line for longer than `_IN_LINE`.
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SILENT: Final = 2.0  # seconds that one writer may have its turn: a write takes milliseconds, more on a busy machine
_AT_MOST: Final = 10.0  # seconds to wait, however many others write
_LOOK: Final = 0.001  # seconds between looks
_NEXT: Final = 0.25  # seconds that one may be the next, which is for the length of one turn
_IN_LINE: Final = 1.0  # seconds to wait until one is, before trying as everybody does
_MANNERS: Final = 0.003  # seconds to leave to those who wait already: they look each millisecond
_MOST_READ: Final = 1_000  # bytes of a name
_READ: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)  # no pipe is waited for
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


@contextlib.contextmanager
def turn(target: Path, *, silent: float | None = None, at_most: float | None = None) -> Iterator[None]:
    """Have a file for oneself among all that write it here, as far as that can be had.

    `silent`: seconds that one may have its turn (2). `at_most`: seconds to wait for one's own (10).
    """
    mark, ahead = target.with_name(f".{target.name}.turn"), target.with_name(f".{target.name}.next")
    mine = f"{platform.node()} {os.getpid()} {secrets.token_hex(8)}".encode()
    until = time.monotonic() + (_AT_MOST if at_most is None else at_most)
    has_it = _had(mark, ahead, mine, _SILENT if silent is None else silent, until)
    try:
        yield
    finally:
        if has_it:
            _gone(mark, mine)


def _had(mark: Path, ahead: Path, mine: bytes, silent: float, until: float) -> bool:
    """Whether the turn was had: at once where nobody has it and nobody is the next, else as the next."""
    if os.path.lexists(ahead):
        time.sleep(_MANNERS)
    else:
        made = _made(mark, mine)
        if made is not None:
            return made
    is_next = _taken(ahead, mine, _NEXT, min(until, time.monotonic() + _IN_LINE))
    try:
        return _taken(mark, mine, silent, until)
    finally:
        if is_next:
            _gone(ahead, mine)


def _taken(mark: Path, mine: bytes, silent: float, until: float) -> bool:
    since = 0.0
    seen: bytes | None = None
    while time.monotonic() < until:
        made = _made(mark, mine)
        if made is not None:
            return made
        holder, now = _holder(mark), time.monotonic()
        if holder is None:
            time.sleep(_LOOK)  # gone meanwhile
            continue
        if holder != seen:
            seen, since = holder, now
        if _has_ended(holder) or now - since > silent:
            if not _gone(mark, holder) and os.name == "posix":  # elsewhere one that is read stays a moment
                return False
            seen = None
        else:
            time.sleep(_LOOK)
    return False


def _made(mark: Path, mine: bytes) -> bool | None:
    """Whether a mark could be made; None where another's is there."""
    try:
        _make(mark, mine)
    except FileExistsError:
        return None
    except OSError:
        return False
    return True


def _make(mark: Path, mine: bytes) -> None:
    descriptor = os.open(mark, _FLAGS, 0o600)
    try:
        os.write(descriptor, mine)
    finally:
        os.close(descriptor)


def _holder(mark: Path) -> bytes | None:
    """Return who has the turn, b"" for one who hasn't said so yet or whom we may not read, None for nobody any more."""
    try:
        descriptor = os.open(mark, _READ)
        try:
            return os.read(descriptor, _MOST_READ)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError:
        return b""


def _has_ended(holder: bytes) -> bool:
    """Whether this was a process of this machine that is gone."""
    words = holder.decode(errors="replace").rsplit(" ", 2)
    if os.name != "posix" or len(words) != 3 or words[0] != platform.node() or not words[1].isdecimal():
        return False
    try:
        os.kill(int(words[1]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it is somebody else's
        return False
    return False


def _gone(mark: Path, holder: bytes) -> bool:
    """Take a turn away that is still this one's. Whether it is this one's no more; a folder may let nobody do that."""
    try:
        if _holder(mark) == holder:
            mark.unlink()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
