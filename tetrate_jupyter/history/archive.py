"""Kept conversations: turns on their way to the disk, and what is found there again.

The same rules as the ledger's: append-only files with one writer each, no lock, a thread of its own that writes, and no
trouble with the disk fails or delays a call. Nothing is opened before the first turn.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import ages, config, whole_files
from tetrate_jupyter.errors import ConfigError, InputError, SecretInPromptError
from tetrate_jupyter.history import erasing, files, marks
from tetrate_jupyter.history.files import Passed
from tetrate_jupyter.history.lines import by_id, lines_of
from tetrate_jupyter.history.listing import Earlier, Found, Opened, earlier, searched
from tetrate_jupyter.history.marks import NOTHING, MarkWriter
from tetrate_jupyter.history.turn import encoded
from tetrate_jupyter.history.words import wanted
from tetrate_jupyter.keys import private_file
from tetrate_jupyter.ledger import segments
from tetrate_jupyter.ledger.writing import SegmentWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.history.files import LineLocation
    from tetrate_jupyter.history.turn import KeptTurn, Mark

MOST_BYTES: Final = 200_000_000  # of all files; beyond, the oldest go
MOST_DAYS: Final = 365.0  # after so long a file goes
_NO_CLOCK: Final = "20010101"  # before: by a clock that had no power, so that nothing tells how old it is
_LOOK_EACH: Final = 16_000_000  # bytes that this process has written after which both are looked at again
_MOST_WAITING: Final = 64_000_000  # bytes that wait for a disk
_SCRUB_EACH: Final = 60.0  # seconds
_OWN: Final = 1.0  # seconds that reading waits for what this kernel has written itself
_EVERYBODYS: Final = "Several people share this account ({}): texts aren't kept for all of them together."


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
        self._writer = SegmentWriter(self._begun, most_bytes=_MOST_WAITING)
        self._marks = MarkWriter()
        self._lock = threading.Lock()
        self._until_look = 0
        self._scrub_after = 0.0
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

    def put(self, turn: KeptTurn) -> None:
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
        what = self._writer.problem
        said = [f"What is said can't be kept: {what}. It is kept once that works again."] if what else []
        if self._writer.given_up:
            said.append("Some of what was said isn't kept: too much of it waited for the disk.")
        if self._refused and not what:
            said.append(f"Not kept, since a key seems to be in it: {self._refused:,} of what was said.")
        return " ".join(said)

    def news(self) -> str:
        """Return the trouble that nobody has been told of yet, "" for none."""
        trouble = self.trouble
        if trouble == self._said:
            return ""
        self._said = trouble
        return trouble

    def _tend(self) -> None:
        self._aside(lambda: tend(self.folder, time.time()))

    def _scrub(self) -> None:
        """Take out what was erased and came to the disk late, or couldn't be taken out then; once a minute at most."""
        with self._lock:
            if time.monotonic() < self._scrub_after:
                return
            self._scrub_after = time.monotonic() + _SCRUB_EACH
        self._aside(lambda: erasing.scrubbed(self.folder, self._writer.put))

    def _aside(self, act: Callable[[], object]) -> None:
        def work() -> None:
            try:
                act()
            except (OSError, ConfigError):  # next time, or by another kernel
                return

        try:
            threading.Thread(target=work, name="tetrate-history-bounds", daemon=True).start()
        except RuntimeError:  # no thread can be started
            return

    # --- reading ---------------------------------------------------------------------------------------------

    def list(
        self,
        words: str = "",
        *,
        notebook: str | None = None,
        everywhere: bool = False,
        most: int = 100,
        stars: bool = True,
    ) -> tuple[tuple[Earlier, ...], Passed]:
        """Return conversations, the newest first, and what was passed over. Raises `ConfigError`.

        `words`: those that have all of these in their questions, answers and names. `notebook`: only this one's, unless
        `everywhere`. `stars`: those with a star before all others.
        """
        terms = wanted(words)
        found = self._found()
        groups: dict[str, list[LineLocation]] = {}
        for place in found.places:
            groups.setdefault(place.head.root, []).append(place)
        if not everywhere:
            groups = {r: several for r, several in groups.items() if any(p.head.notebook == notebook for p in several)}
        hits = searched(found, groups.keys(), terms) if terms else dict.fromkeys(groups, "")

        def rank(root: str) -> tuple[bool, float]:
            return stars and found.told_of(root).is_starred, max(place.head.t for place in groups[root])

        order = sorted(hits, key=rank, reverse=True)[:most]
        listed = (earlier(n, root, groups[root], hits[root], found.told_of(root)) for n, root in enumerate(order, 1))
        return tuple(listed), found.passed

    def opened(self, identity: str) -> Opened:
        """Return a conversation whole. Raises `InputError` where it isn't kept any more, and `ConfigError`."""
        found = self._found()
        lines, is_cut = lines_of(identity, by_id(found.places))
        places = list(dict.fromkeys(place for line in lines for place in line))
        turns = files.turns(places)
        whole = tuple(tuple(turns[place] for place in line if place in turns) for line in lines)
        whole = tuple(line for line in whole if line)
        if not whole:
            raise _not_kept()
        return Opened(identity, whole, is_cut or len(turns) < len(places), found.told_of(identity).name)

    def _found(self) -> Found:
        self._be_allowed()
        self.flush()
        passed, told = Passed(), dict[str, marks.ConversationMarks]()
        try:
            told = marks.read(self.folder)
        except OSError:  # names and stars; the conversations are there all the same
            passed.files += 1
        try:
            segments_ = files.files(self.folder, passed)
            places = [*files.heads(segments_, passed)]
        except OSError as problem:
            raise self._unreadable(problem, "read") from None
        left = [each for each in places if not told.get(each.head.root, NOTHING).hides(each.head.t)]
        if len(left) < len(places):
            self._scrub()
        return Found(left, segments_, told, passed)

    def name_of(self, identity: str) -> str:
        """Return what a person calls a conversation; "" for nothing, and where that can't be read."""
        if self._shared() is not None:
            return ""
        try:
            return marks.read(self.folder).get(identity, NOTHING).name
        except OSError:
            return ""

    # --- what a person says of one ---------------------------------------------------------------------------

    def rename(self, identity: str, name: str) -> str:
        """Rename a conversation: a name of at most 120 characters, "" for none; return it as it is kept.

        Raises `SecretInPromptError` for one with a key in it, `InputError` where the conversation isn't kept any more,
        and `ConfigError`.
        """
        if marks.holds_key(name):
            raise SecretInPromptError("A key seems to be in that name; it isn't kept.", next_step="choose another name")
        name = marks.name_of(name)
        self._mark(identity, marks.mark(identity, name=name))
        return name

    def star(self, identity: str, *, on: bool) -> None:
        """Star a conversation, or take its star away; raises as `rename`."""
        self._mark(identity, marks.mark(identity, star=on))

    def _mark(self, identity: str, mark: Mark) -> None:
        found = self._found()
        if not any(place.head.root == identity for place in found.places):
            raise _not_kept()
        try:
            self._marks.put(self.folder, mark, found.told_of(identity))
        except OSError as problem:
            raise self._unreadable(problem, "changed") from None

    # --- erasing ---------------------------------------------------------------------------------------------

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
            with erasing.alone(self.folder):
                for segment in (
                    found if before is not None else [*found, *files.files(marks.folder_of(self.folder), passed)]
                ):
                    erasing.remove(segment.path)
                erasing.tidied(self.folder)
        except OSError as problem:
            raise self._unreadable(problem, "erased") from None
        return gone

    def erase_one(self, identity: str) -> int:
        """Erase one conversation, its name and all its branches, whoever has written them; return how many turns.

        What other conversations go on from goes with it. Other kernels that have it open write nothing of it again;
        what is asked in it there from now on is kept. Raises `InputError` where it isn't kept any more, `ConfigError`.
        """
        found = self._found()
        own = [place.head for place in found.places if place.head.root == identity]
        if not own:
            raise _not_kept()
        until = max(time.time(), *(head.t for head in own))
        try:
            self._marks.put(self.folder, marks.mark(identity, gone=until), found.told_of(identity))
            problems = erasing.scrubbed(self.folder, self._writer.put)
        except OSError as problem:
            raise self._unreadable(problem, "erased") from None
        if problems:
            raise ConfigError(
                f"It is listed no more, but not yet erased from {len(problems):,} files: {problems[0]}.",
                next_step=f"close other kernels, then look at {self.folder}",
            )
        return len({head.id for head in own})

    def _be_allowed(self) -> None:
        where = self._shared()
        if where is not None:
            raise ConfigError(_EVERYBODYS.format(where), next_step="use %tetrate_chat, whose conversation ends with it")

    def _unreadable(self, problem: OSError, what: str) -> ConfigError:
        reason = whole_files.reason(problem)
        return ConfigError(f"Earlier conversations can't be {what}: {reason}.", next_step=f"look at {self.folder}")


def _not_kept() -> InputError:
    return InputError("That conversation isn't kept any more.", next_step="%tetrate_history lists what is")


def tend(folder: Path, now: float) -> int:
    """Remove the files that are too old, and the oldest beyond `MOST_BYTES`; return how many. Raises `OSError`.

    Of those with turns of starred conversations only the rest goes, as long as there is anything else. `now`: what the
    clock says, which isn't taken at its word (see `ages`).
    """
    found = files.files(folder, Passed())
    days = sorted({each.day for each in found if each.day is not None})
    present = min(now, ages.witnessed(map(segments.day_number, days[-ages.WITNESSES :])))
    last = segments.day_of(present - MOST_DAYS * segments.DAY) if present > 0 else ""
    starred = erasing.starred(folder, found)
    room = max(0, MOST_BYTES - sum(starred.sizes.values()))
    size = kept = gone = 0
    with erasing.alone(folder) if found else contextlib.nullcontext():
        for segment in found:
            own = starred.sizes.get(segment.path, 0)
            kept += own
            try:
                size += segment.path.lstat().st_size - own
            except FileNotFoundError:  # another kernel does the same
                continue
            if kept > MOST_BYTES or ((size > room or _NO_CLOCK < (segment.day or last) < last) and not own):
                gone += erasing.remove(segment.path)
            elif size > room or _NO_CLOCK < (segment.day or last) < last:
                gone += bool(erasing.erase([segment], starred.is_other, segments.Appender(folder).append).lines)
        if gone:
            erasing.tidied(folder)
    erasing.remove_empty(folder, now)
    return gone
