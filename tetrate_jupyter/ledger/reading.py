"""Records read again: all segments of a time merged, whatever was torn or written twice left out."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic

from tetrate_jupyter import whole_files
from tetrate_jupyter.errors import ConfigError
from tetrate_jupyter.keys import private_file
from tetrate_jupyter.ledger import segments
from tetrate_jupyter.ledger.record import Record, RecordT, decoded, holds_open, with_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tetrate_jupyter.ledger.segments import Segment

_MOST_BYTES: Final = 1_000_000_000  # of all segments that are read at once: two million records
_TRIES: Final = 5  # another kernel may be putting a month together
_REST: Final = 2 * segments.DAY  # seconds after which nobody writes into a month that is over, whatever the clocks say


@dataclass(frozen=True)
class Reading(Generic[RecordT]):
    """What was read. `odd`: lines that are no records. `left_out`: segments beyond what is read at once."""

    records: list[RecordT]
    odd: int = 0
    left_out: int = 0


def read(
    folder: Path | None, kind: type[RecordT], since: float | None = None, until: float | None = None
) -> Reading[RecordT]:
    """Return the records of a time, from `since` up to `until` (seconds since the epoch), in no certain order.

    Nothing where there is no ledger. Raises `ConfigError` where it can't be read.
    """
    if folder is None:
        return Reading([])
    problem: OSError | None = None
    for _ in range(_TRIES):
        try:
            return _read(folder, kind, since, until)
        except FileNotFoundError as vanished:  # put together, or erased, since it was listed
            problem = vanished
        except OSError as unreadable:
            problem = unreadable
            break
    raise ConfigError(
        f"The ledger can't be read: {(problem and problem.strerror) or type(problem).__name__}.",
        next_step=f"look at {folder}, or erase it: %tetrate_usage --erase",
    )


def _read(folder: Path, kind: type[RecordT], since: float | None, until: float | None) -> Reading[RecordT]:
    found: list[RecordT] = []
    odd = left_out = size = 0
    wanted = segments.segments(folder, since, until)
    together = {each.month for each in wanted if each.day is None}
    apart = {each.month for each in wanted if each.day is not None}
    is_twice = bool(together & apart) or len(together) < sum(each.day is None for each in wanted)
    for segment in wanted:
        if size > _MOST_BYTES:
            left_out += 1
            continue
        data = segments.read(segment.path, most=_MOST_BYTES)
        size += len(data)
        records, wrong = decoded(data, kind)
        odd += wrong
        is_twice = is_twice or holds_open(data)
        found.extend(records)
    if is_twice:
        found = merged(found)
    if since is not None:
        found = [each for each in found if each.t >= since]
    if until is not None:
        found = [each for each in found if each.t < until]
    return Reading(found, odd, left_out)


def merged(records: Iterable[RecordT]) -> list[RecordT]:
    """Return each record once, and what was open only where it has no end and wasn't taken back."""
    found: dict[tuple[str, int], RecordT] = {}
    for each in records:
        if each.key not in found or found[each.key].outcome == "open":
            found[each.key] = each
    return [each for each in found.values() if each.outcome != "void"]


# --- putting together and erasing --------------------------------------------------------------------------------


def put_together(folder: Path, now: float) -> int:
    """Write each month that is over into one file; return how many there were to do. Raises `OSError`.

    The new file is there before the old ones go, and what is in both is read once: another kernel that reads, or does
    the same, or one that is killed in between, loses and doubles nothing.
    """
    last, done = segments.month_of(segments.day_of(now - _REST)), 0
    for month in segments.months(folder):
        if month >= last:
            break
        done += _together(folder, month, now)
    return done


def _together(folder: Path, month: str, now: float) -> bool:
    old: dict[Path, tuple[int, int]] = {}
    found: list[Record] = []
    lines: dict[int, bytes] = {}  # of each of them, by its identity
    for segment in segments.segments(folder):
        status = segment.path.stat()
        if segment.month != month or (segment.day is not None and now - status.st_mtime < _REST):
            continue
        records, odd = with_lines(segments.read(segment.path))
        if odd:  # what isn't understood is not thrown away
            continue
        old[segment.path] = status.st_size, status.st_mtime_ns
        found += [each for each, _ in records]
        lines |= {id(each): line for each, line in records}
    if len(old) < 2 or sum(size for size, _ in old.values()) > _MOST_BYTES:
        return False
    data = b"".join(lines[id(each)] for each in sorted(merged(found), key=lambda each: each.t))
    private_file.write(segments.together(folder, month, secrets.token_hex(8)), data)
    for path, before in old.items():
        status = path.stat()
        if (status.st_size, status.st_mtime_ns) == before:  # else somebody has appended to it: it stays, read once
            path.unlink()
    return True


_tended: set[Path] = set()
_tending = threading.Lock()


def tend(folder: Path | None) -> None:
    """Put months that are over together, in the background and once in the life of a process; never raises."""
    if folder is None:
        return
    with _tending:
        if folder in _tended:
            return
        _tended.add(folder)

    def work() -> None:
        try:
            put_together(folder, time.time())
        except OSError:  # next time, or by another kernel
            return

    try:
        threading.Thread(target=work, name="tetrate-ledger-months", daemon=True).start()
    except RuntimeError:  # no thread can be started
        return


def erase(folder: Path | None, before: float | None = None) -> int:
    """Erase the records from before a time, or all; return how many there were. Raises `ConfigError`.

    With a time, the days of others that are not wholly over by then stay; what is in one file for a month is cut to
    the second.
    """
    if folder is None:
        return 0
    try:
        gone = sum(_erased(segment, before) for segment in segments.segments(folder))
        for month in segments.months(folder):
            private_file.sweep(folder / month, older_than=0 if before is None else 60.0)
            _remove_empty(folder / month)
    except OSError as problem:
        raise ConfigError(
            f"Not all of the ledger could be erased: {whole_files.reason(problem)}.",
            next_step=f"delete {folder}",
        ) from None
    return gone


def _erased(segment: Segment, before: float | None) -> int:
    if before is not None and segment.day is not None and segment.day >= segments.day_of(before):
        return 0
    try:
        found, odd = with_lines(segments.read(segment.path))
        kept = [line for each, line in found if before is not None and segment.day is None and each.t >= before]
        if kept and len(kept) == len(found):
            return 0
        if kept:
            private_file.write(segment.path, b"".join([*kept, *odd]))
        else:
            segment.path.unlink()
    except FileNotFoundError:
        return 0
    return len(found) - len(kept)


def _remove_empty(month: Path) -> None:
    try:
        month.rmdir()
    except OSError:  # not empty: a kernel writes there
        return
