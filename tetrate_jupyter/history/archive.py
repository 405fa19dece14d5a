"""Kept conversations: turns on their way to the disk, and what is found there again.

The same rules as the ledger's: append-only files with one writer each, no lock, a thread of its own that writes, and no
trouble with the disk fails or delays a call. Nothing is opened before the first turn.
"""

from __future__ import annotations

import stat
import threading
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import ages, amounts, config
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.errors import ConfigError, InputError
from tetrate_jupyter.history import files
from tetrate_jupyter.history.files import Passed
from tetrate_jupyter.history.lines import by_id, lines_of
from tetrate_jupyter.history.turn import Texts, encoded, first_words
from tetrate_jupyter.keys import private_file
from tetrate_jupyter.ledger import segments
from tetrate_jupyter.ledger.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from decimal import Decimal

    from tetrate_jupyter.history.files import Place
    from tetrate_jupyter.history.turn import Turn

MOST_BYTES: Final = 200_000_000  # of all files; beyond, the oldest go
MOST_DAYS: Final = 365.0  # after so long a file goes
_NO_CLOCK: Final = "20010101"  # before: by a clock that had no power, so that nothing tells how old it is
_LOOK_EACH: Final = 16_000_000  # bytes that this process has written after which both are looked at again
_MOST_WAITING: Final = 64_000_000  # bytes that wait for a disk
_OWN: Final = 1.0  # seconds that reading waits for what this kernel has written itself
MOST_WORDS: Final = 20  # of a search
_AROUND: Final = 40  # characters of the line that was found, on each side
_SILENT: Final = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))  # no word is told apart by these
_EVERYBODYS: Final = "Several people meet this account ({}): texts aren't kept for all of them together."


@dataclass(frozen=True, slots=True)
class Earlier:
    """One kept conversation.

    `number`: its place in the list, from 1. `words`: how its first question begins. `models`: that have answered.
    `turns`: questions with their answers, in all branches. `cost`: estimated US dollars of those whose cost is known,
    None where none is. `began`, `ended`: the first and the last answer, seconds since the epoch. `found`: the line in
    which a search has found something.
    """

    __module__ = "tetrate_jupyter"

    number: int
    id: str
    words: str
    models: tuple[str, ...]
    turns: int
    cost: Decimal | None
    began: float
    ended: float
    notebook: str | None = None
    found: str = ""


@dataclass(frozen=True)
class Opened:
    """A conversation read again: its lines, the one used last at the end. `is_cut`: its beginning is not kept."""

    id: str
    lines: tuple[tuple[Turn, ...], ...]
    is_cut: bool = False


class Archive:
    """The kept conversations of this account. Thread-safe.

    `data_dir`: where Jupyter's data directory is not meant. `shared`: see `config.shared_account`; there nothing is
    kept and nothing is read.
    """

    def __init__(
        self, data_dir: Path | None = None, *, shared: Callable[[], str | None] = config.shared_account
    ) -> None:
        self._data_dir = data_dir
        self._shared = shared
        self._writer = Writer(self._begun, most_bytes=_MOST_WAITING)
        self._lock = threading.Lock()
        self._until_look = 0
        self._refused = 0
        self._said = ""

    @property
    def folder(self) -> Path:
        """Where they are."""
        if self._data_dir is not None:
            return self._data_dir / "history"
        from jupyter_core.paths import jupyter_data_dir

        return Path(jupyter_data_dir()) / "tetrate-jupyter" / "history"

    def _begun(self) -> Path:
        """Return the folder to write to, as a person's own. Raises `OSError`."""
        private_file.folder(self.folder)
        return self.folder

    # --- writing ---------------------------------------------------------------------------------------------

    def put(self, turn: Turn) -> None:
        """Have a turn written. Returns at once, never raises for a disk."""
        if self._shared() is not None:
            return
        line = encoded(turn)
        if line is None:
            self._refused += 1
            return
        with self._lock:
            self._until_look -= len(line)
            is_time = self._until_look < 0
            if is_time:
                self._until_look = _LOOK_EACH
        self._writer.put(segments.day_of(turn.t), line)
        if is_time:
            self._tend()

    async def settled(self) -> bool:
        """Whether all that was put is written; waits for it as long as a disk may take (see `ledger.writing`)."""
        return await self._writer.settled()

    def flush(self, seconds: float = _OWN) -> bool:
        """Like `settled`, blocking, for so long."""
        return self._writer.flush(seconds)

    @property
    def trouble(self) -> str:
        """What is wrong with keeping texts, in a sentence, or ""."""
        where = self._shared()
        if where is not None:
            return _EVERYBODYS.format(where)
        what = self._writer.trouble or ("the disk doesn't answer" if self._writer.is_stuck else "")
        if what:
            return f"What is said can't be kept: {what}. It is kept once that works again."
        return f"Not kept, since a key seems to be in it: {self._refused:,} of what was said." if self._refused else ""

    def news(self) -> str:
        """Return the trouble that nobody has been told of yet, "" for none."""
        trouble = self.trouble
        if trouble == self._said:
            return ""
        self._said = trouble
        return trouble

    def _tend(self) -> None:
        def work() -> None:
            try:
                tend(self.folder, time.time())
            except OSError:  # next time, or by another kernel
                return

        try:
            threading.Thread(target=work, name="tetrate-history-bounds", daemon=True).start()
        except RuntimeError:  # no thread can be started
            return

    # --- reading ---------------------------------------------------------------------------------------------

    def list(
        self, words: str = "", *, notebook: str | None = None, everywhere: bool = False, most: int = 100
    ) -> tuple[tuple[Earlier, ...], Passed]:
        """Return conversations, the newest first, and what was passed over. Raises `ConfigError`.

        `words`: those that have all of these in their questions and answers. `notebook`: only this one's, unless
        `everywhere`.
        """
        wanted = _wanted(words)
        places, segments_, passed = self._places()
        groups: dict[str, list[Place]] = {}
        for place in places:
            groups.setdefault(place.head.root, []).append(place)
        if not everywhere:
            groups = {r: several for r, several in groups.items() if any(p.head.notebook == notebook for p in several)}
        hits = self._searched(segments_, groups.keys(), wanted) if wanted else dict.fromkeys(groups, "")
        order = sorted(hits, key=lambda root: max(p.head.t for p in groups[root]), reverse=True)[:most]
        return tuple(_earlier(n, root, groups[root], hits[root]) for n, root in enumerate(order, 1)), passed

    def opened(self, identity: str) -> Opened:
        """Return a conversation whole. Raises `InputError` where it isn't kept any more, and `ConfigError`."""
        places, _, _ = self._places()
        lines, is_cut = lines_of(identity, by_id(places))
        wanted = list(dict.fromkeys(place for line in lines for place in line))
        found = files.turns(wanted)
        whole = tuple(tuple(found[place] for place in line if place in found) for line in lines)
        whole = tuple(line for line in whole if line)
        if not whole:
            raise InputError("That conversation isn't kept any more.", next_step="%tetrate_history lists what is")
        return Opened(identity, whole, is_cut or len(found) < len(wanted))

    def erase(self, before: float | None = None) -> int:
        """Erase what was said before a time, or all; return the number of turns. Raises `ConfigError`.

        With a time, days that are not wholly over by then stay.
        """
        self._be_allowed()
        self.flush()
        passed = Passed()
        try:
            found = files.files(self.folder, passed)
            if before is not None:
                found = [each for each in found if each.day is not None and each.day < segments.day_of(before)]
            gone = sum(1 for _ in files.heads(found, passed))
            for segment in found:
                _remove(segment.path)
            _remove_empty(self.folder, time.time())
        except OSError as problem:
            raise self._unreadable(problem, "erased") from None
        return gone

    def _places(self) -> tuple[Sequence[Place], Sequence[segments.Segment], Passed]:
        self._be_allowed()
        self.flush()
        passed = Passed()
        try:
            found = files.files(self.folder, passed)
            return [*files.heads(found, passed)], found, passed
        except OSError as problem:
            raise self._unreadable(problem, "read") from None

    def _searched(
        self, found: Sequence[segments.Segment], roots: Iterable[str], wanted: Sequence[str]
    ) -> dict[str, str]:
        """Return the conversations that have every word, with a line that has one."""
        roots = frozenset(roots)
        missing: dict[str, set[str]] = {}
        lines: dict[str, str] = {}
        for texts in files.each([*found], Texts, Passed()):
            if texts.root not in roots:
                continue
            left = missing.setdefault(texts.root, set(wanted))
            for text in (texts.typed or "", texts.asked, *(reply.text for reply in texts.replies)):
                folded = _folded(text)
                hit = next((word for word in wanted if word in folded), None)
                if hit is not None:
                    left -= {word for word in wanted if word in folded}
                    lines.setdefault(texts.root, _excerpt(text, hit))
        return {root: lines[root] for root, left in missing.items() if not left}

    def _be_allowed(self) -> None:
        where = self._shared()
        if where is not None:
            raise ConfigError(_EVERYBODYS.format(where), next_step="use %tetrate_chat, whose conversation ends with it")

    def _unreadable(self, problem: OSError, what: str) -> ConfigError:
        reason = problem.strerror or type(problem).__name__
        return ConfigError(f"Earlier conversations can't be {what}: {reason}.", next_step=f"look at {self.folder}")


def tend(folder: Path, now: float) -> int:
    """Remove the files that are too old, and the oldest beyond `MOST_BYTES`; return how many. Raises `OSError`.

    `now`: what the clock says, which isn't taken at its word (see `ages`).
    """
    gone = size = 0
    found = files.files(folder, Passed())
    days = sorted({each.day for each in found if each.day is not None})
    present = min(now, ages.witnessed(map(segments.day_number, days[-ages.WITNESSES :])))
    last = segments.day_of(present - MOST_DAYS * segments.DAY) if present > 0 else ""
    for segment in found:
        try:
            size += segment.path.lstat().st_size
            if size > MOST_BYTES or _NO_CLOCK < (segment.day or last) < last:
                gone += _remove(segment.path)
        except FileNotFoundError:  # another kernel does the same
            continue
    _remove_empty(folder, now)
    return gone


def _remove(path: Path) -> bool:
    """Remove a file, or a link in its place; return whether there was one."""
    try:
        if stat.S_ISDIR(path.lstat().st_mode):  # nothing of ours
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _remove_empty(folder: Path, now: float) -> None:
    """Remove the folders of months that are over: in this one's a kernel may be about to begin a file."""
    for month in segments.months(folder):
        if month >= segments.month_of(segments.day_of(now - 2 * segments.DAY)):
            continue
        try:
            (folder / month).rmdir()
        except OSError:  # not empty: a kernel writes there
            continue


def _earlier(number: int, root: str, places: Sequence[Place], hit: str) -> Earlier:
    heads = sorted((place.head for place in places), key=lambda each: each.t)
    first = next((head for head in heads if not head.after), heads[0])
    models = dict.fromkeys(one_line(head.served or head.model, MAX_NAME) for head in heads if head.served or head.model)
    return Earlier(
        number=number,
        id=root,
        words=first_words(first.words) or "(no text)",
        models=tuple(models),
        turns=len({head.id for head in heads}),
        cost=amounts.total(head.cost for head in heads),
        began=heads[0].t,
        ended=heads[-1].t,
        notebook=None if heads[-1].notebook is None else one_line(heads[-1].notebook, 2 * MAX_NAME),
        found=hit,
    )


def _wanted(words: str) -> tuple[str, ...]:
    """Return the words of a search as they are looked for: as they look, in either case."""
    return tuple(dict.fromkeys(_folded(words[:1000]).split()))[:MOST_WORDS]


def _folded(text: str) -> str:
    """Return text for comparing: "Straße" as "STRASSE", "ﬁ" as "fi", an accent on its own as the letter with it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.translate(_SILENT)).casefold())


def _excerpt(text: str, word: str) -> str:
    """Return a piece of a line that has the word."""
    line = next((line for line in text.splitlines() if word in _folded(line)), text)
    at = _folded(line).find(word)  # near enough: folding changes few lengths
    piece = line[max(0, at - _AROUND) : at + len(word) + _AROUND]
    return one_line(f"{'…' if at > _AROUND else ''}{piece}{'…' if at + len(word) + _AROUND < len(line) else ''}")
