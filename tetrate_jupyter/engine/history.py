"""A session's history: the conversation in use, and earlier ones that are kept; behind `%tetrate_history`."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.conversation import Exchange
from tetrate_jupyter.engine.exporting import exported, saved
from tetrate_jupyter.engine.remembering import Recorder, exchange_of
from tetrate_jupyter.errors import InputError, OptionError, TetrateError
from tetrate_jupyter.front_end import notebook
from tetrate_jupyter.history.listing import Earlier
from tetrate_jupyter.ledger.totals import midnight
from tetrate_jupyter.render.numbers import money
from tetrate_jupyter.render.table import Table, TableColumn

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Iterable
    from pathlib import Path

    from typing_extensions import Self

    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.conversation import Branch, Conversation
    from tetrate_jupyter.engine.exporting import Exported
    from tetrate_jupyter.history.archive import Archive
    from tetrate_jupyter.history.listing import Opened

MOST: Final = 20  # conversations of a list, unless told otherwise
_MOST_DAYS: Final = 36_500
HOW: Final = (
    "Texts aren't kept. Next: session.keep_texts = True (%config TetrateMagics.keep_texts = True) keeps those of this "
    "kernel from now on, "
    "c.TetrateMagics.keep_texts = True in ipython_config.py those of all"
)


class Listing(tuple[Earlier, ...]):  # noqa: SLOT001 - a tuple has no slots of its own to give
    """Kept conversations, those with a star first, then the newest.

    Shows itself as a table; `notes` say what is not in it, and why.
    """

    __module__ = "tetrate_jupyter"
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: Iterable[Earlier], notes: Iterable[str]) -> Self:
        """Return the conversations with notes."""
        made = cls(found)
        made.notes = tuple(notes)
        return made

    def __repr__(self) -> str:
        return "\n".join([*([self._table().plain()] if self else []), *self.notes]) or "None."

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from tetrate_jupyter.render.escape import escape

        notes = "".join(f'<p class="tetrate-notice">{escape(note)}</p>' for note in self.notes)
        return {"text/html": (self._table().html() if self else "") + notes, "text/plain": repr(self)}

    def _table(self) -> Table:
        columns = [
            TableColumn("", align="right"),
            TableColumn("conversation", wide=True),
            TableColumn("model", code=True, optional=True),
            TableColumn("turns", align="right"),
            TableColumn("cost", align="right", hint="estimated at the prices of the day"),
            TableColumn("when", align="right"),
            TableColumn("notebook", optional=True),
        ]
        return Table(columns, map(_row, self))


class Past:
    """Keeps a session's conversation on disk, and finds earlier ones. Thread-safe."""

    def __init__(self, conversation: Conversation, archive: Archive) -> None:
        self.conversation = conversation
        self.archive = archive
        self.recorder = Recorder(conversation, archive)
        self._lock = threading.Lock()
        self._listed: tuple[Earlier, ...] = ()
        self._names: dict[str, str] = {}  # of conversations, by their ids on disk, as they were read last

    @property
    def is_kept(self) -> bool:
        """Whether what is said from now on is kept."""
        return self.recorder.is_on

    def keep(self, wanted: object) -> None:
        """Start or stop keeping what is said from now on. Raises `OptionError` for anything but True or False."""
        if not isinstance(wanted, bool):
            raise OptionError("keep_texts is True or False.", next_step="session.keep_texts = True")
        if wanted:
            self.recorder.begin()
        else:
            self.recorder.end()

    async def awaited(self, asked: Awaitable[Answer]) -> Answer:
        """Wait until an answer's text is on disk, where texts are kept; return the answer or raise its error."""
        try:
            answer = await asked
        except TetrateError:
            if self.is_kept:
                await self.archive.settled()
            raise
        return await self.written(answer)

    async def written(self, answer: Answer) -> Answer:
        """Wait until an answer's text is on disk, where texts are kept; return it, with a notice where that failed."""
        if not self.is_kept:
            return answer
        await self.archive.settled()
        news = self.archive.news()
        return replace(answer, notes=(*answer.notes, news)) if news else answer

    def list(self, words: str = "", *, everywhere: bool = False, most: int = MOST) -> Listing:
        """See `History.list`."""
        found, passed = self.archive.list(words, notebook=notebook(), everywhere=everywhere, most=most)
        with self._lock:
            self._listed = found
        self.noted(found)
        notes = [*passed.said]
        if not found:
            where = "" if everywhere else " of this notebook (--all: of every notebook)"
            what = f" with {words.strip()[:100]!r}" if words.strip() else ""
            notes.insert(0, f"No conversation{where}{what} is kept.")
        if not self.is_kept:
            notes.append(HOW)
        return Listing.of(found, notes)

    def read(self, which: int | str | Earlier) -> Opened:
        """Return a kept conversation whole; see `History.open`."""
        return self.archive.opened(self._identity(which))

    def open(self, which: int | str | Earlier) -> Opened:
        """See `History.open`."""
        opened = self.read(which)
        self._name(opened.id, opened.name)
        self.recorder.put_back(opened)
        return opened

    def exchanges(self, which: int | str | Earlier | None) -> tuple[Exchange, ...]:
        """Return the conversation in use, or the newest line of a kept one."""
        if which is None:
            return self.conversation.exchanges
        return tuple(map(exchange_of, self.read(which).lines[-1]))

    def noted(self, found: Iterable[Earlier]) -> None:
        """Take note of the names of conversations that were listed."""
        for each in found:
            self._name(each.id, each.name)

    def name_of(self, branch: Branch) -> str:
        """Return what the person calls the conversation of a branch, as it was read last, "" for nothing."""
        with self._lock:
            return self._names.get(self.recorder.root(branch), "")

    def name(self, which: int | str | Earlier | None) -> str:
        """Return the name of the conversation in use, or of a kept one, as it is on disk now, "" for none."""
        identity = self.recorder.root(self.conversation.branch) if which is None else self._identity(which)
        return self.archive.name_of(identity)

    def rename(self, which: int | str | Earlier, name: str) -> str:
        """See `History.rename`; return the name as it is kept."""
        if not isinstance(name, str):
            raise OptionError("A name is a text.", next_step='session.history.rename(2, "Churn analysis")')
        identity = self._identity(which)
        kept = self.archive.rename(identity, name)
        self._name(identity, kept)
        return kept

    def star(self, which: int | str | Earlier, *, on: bool) -> None:
        """See `History.star`."""
        self.archive.star(self._identity(which), on=bool(on))

    def erase_one(self, which: int | str | Earlier) -> int:
        """Erase one conversation, from this kernel's memory, too; return the number of turns."""
        identity = self._identity(which)
        gone = self.archive.erase_one(identity)
        self._name(identity, "")
        self.recorder.forget(identity)
        return gone

    def _name(self, identity: str, name: str) -> None:
        with self._lock:
            if name:
                self._names[identity] = name
            else:
                self._names.pop(identity, None)

    def erase(self, older_than: float | None = None) -> int:
        """See `History.erase`."""
        if older_than is not None and not isinstance(older_than, (int, float)):
            raise OptionError("older_than is a number of days.", next_step="session.history.erase(which=2) erases one")
        if older_than is not None and not 0 <= older_than <= _MOST_DAYS:
            raise OptionError(f"older_than can't be {older_than!r}.", next_step="give a number of days")
        with self._lock:
            self._names.clear()
        return self.archive.erase(None if older_than is None else midnight(time.time(), int(older_than)))

    def _identity(self, which: int | str | Earlier) -> str:
        if isinstance(which, Earlier):
            return which.id
        if isinstance(which, str):
            return which
        with self._lock:
            listed = self._listed
        listed = listed or self.list(most=max(MOST, which))
        if not 1 <= which <= len(listed):
            raise InputError(
                f"There is no conversation number {which}.", next_step="%tetrate_history lists them with their numbers"
            )
        return listed[which - 1].id


class History(tuple[Exchange, ...]):  # noqa: SLOT001 - as above
    """The conversation in use, oldest exchange first; and the earlier ones that are kept (`session.keep_texts`).

    A kept conversation is named by its number in the newest list, by its id, or by what `list` gave.
    """

    __module__ = "tetrate_jupyter"
    _past: Past

    def __new__(cls, exchanges: Iterable[Exchange], past: Past) -> Self:  # noqa: D102 - the class says it
        made = super().__new__(cls, exchanges)
        made._past = past
        return made

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return tuple, (tuple(self),)  # the exchanges are data, the rest is the session's

    def list(self, words: str = "", *, everywhere: bool = False, most: int = MOST) -> Listing:
        """Return the kept conversations of this notebook, those with a star first, then the newest.

        `words`: only those that have all of them in their names, questions and answers, however they are written (case,
        accents apart or together, ligatures). `everywhere`: of all notebooks. `most`: at most so many. Raises
        `ConfigError` where they can't be read.
        """
        return self._past.list(words, everywhere=everywhere, most=most)

    def search(self, words: str, *, everywhere: bool = True, most: int = MOST) -> Listing:
        """Return the kept conversations that have all these words, of all notebooks unless told otherwise."""
        return self._past.list(words, everywhere=everywhere, most=most)

    def open(self, which: int | str | Earlier) -> History:
        """Make a kept conversation the one in use, with its branches; return it. The previous one stays in `branches`.

        Raises `InputError` where it isn't kept (any more).
        """
        self._past.open(which)
        return History(self._past.conversation.exchanges, self._past)

    def export(
        self, form: str = "md", which: int | str | Earlier | None = None, *, file: str | os.PathLike[str] | None = None
    ) -> Exported | Path:
        """Return the conversation in use, or a kept one, as "md" (Markdown), "json" (the API's messages) or "cells".

        "cells" ask the questions again and have the answers as their outputs. `file`: written to it, and its path is
        returned; cells as a notebook. Raises `OptionError`.
        """
        exchanges = tuple(self) if which is None else self._past.exchanges(which)
        name = self._past.name(which)
        return exported(exchanges, form, name) if file is None else saved(exchanges, form, file, name)

    def rename(self, which: int | str | Earlier, name: str) -> None:
        """Rename a kept conversation: it is listed, searched and exported under its name; "" removes the name.

        At most 120 characters, on one line. Raises `SecretInPromptError` for one with a key in it, `InputError` where
        the conversation isn't kept (any more), `ConfigError` where the disk doesn't take it.
        """
        self._past.rename(which, name)

    def star(self, which: int | str | Earlier, on: bool = True) -> None:
        """Star a kept conversation, or take its star away. Raises as `rename`.

        Those with a star are listed first, and stay when others are too old or too many.
        """
        self._past.star(which, on=on)

    def erase(self, older_than: float | None = None, *, which: int | str | Earlier | None = None) -> int:
        """Erase all kept conversations, the days older than so many days, or only `which`; return the number of turns.

        All: the conversation in use stays as it is. One: it goes with its name and all its branches, from this kernel's
        memory, too; where it is in use, a new one begins. Another kernel that has it open writes nothing of it again,
        and keeps what is asked in it from then on. Raises `ConfigError`, and `InputError` where it isn't kept.
        """
        if which is None:
            return self._past.erase(older_than)
        if older_than is not None:
            raise OptionError("A single conversation is erased whatever its age.", next_step="leave older_than out")
        return self._past.erase_one(which)

    async def alist(self, words: str = "", **options: Any) -> Listing:  # noqa: ANN401 - see `list`
        """Like `list`."""
        return await asyncio.to_thread(self.list, words, **options)

    async def asearch(self, words: str, **options: Any) -> Listing:  # noqa: ANN401 - see `search`
        """Like `search`."""
        return await asyncio.to_thread(self.search, words, **options)

    async def aopen(self, which: int | str | Earlier) -> History:
        """Like `open`."""
        return await asyncio.to_thread(self.open, which)

    async def aexport(
        self, form: str = "md", which: int | str | Earlier | None = None, *, file: str | os.PathLike[str] | None = None
    ) -> Exported | Path:
        """Like `export`."""
        return await asyncio.to_thread(self.export, form, which, file=file)

    async def arename(self, which: int | str | Earlier, name: str) -> None:
        """Like `rename`."""
        await asyncio.to_thread(self.rename, which, name)

    async def astar(self, which: int | str | Earlier, on: bool = True) -> None:
        """Like `star`."""
        await asyncio.to_thread(self.star, which, on)

    async def aerase(self, older_than: float | None = None, *, which: int | str | Earlier | None = None) -> int:
        """Like `erase`."""
        return await asyncio.to_thread(self.erase, older_than, which=which)


def when(moment: float, now: float | None = None) -> str:
    """Return a time as a person says it: "14:05" today, "26 Nov 14:05" this year, else the day."""
    local, today = time.localtime(moment), time.localtime(time.time() if now is None else now)
    if local[:3] == today[:3]:
        return time.strftime("%H:%M", local)
    return (
        f"{local.tm_mday} {time.strftime('%b %H:%M', local)}"
        if local[0] == today[0]
        else time.strftime("%Y-%m-%d", local)
    )


def _row(each: Earlier) -> list[object]:
    words = " — ".join([each.title, *([each.found] if each.found else [])])
    words = f"{'★ ' if each.starred else ''}{words}".replace("\n", " — ")
    models = ", ".join(each.models[:2]) + (f" + {len(each.models) - 2}" if len(each.models) > 2 else "")
    cost = "unknown" if each.cost is None else f"≈ {money(each.cost)}"
    name = (each.notebook or "").replace("\\", "/").rsplit("/", 1)[-1]
    return [each.number, words, models, each.turns, cost, when(each.ended), name]
