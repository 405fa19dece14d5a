"""Earlier conversations in the chat: the list with its search, and the offer to go on where it was."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.amounts import known
from tetrate_jupyter.engine.history import HOW, when
from tetrate_jupyter.errors import TetrateError, UnknownModelError
from tetrate_jupyter.front_end import notebook
from tetrate_jupyter.render.numbers import money
from tetrate_jupyter.render.plain import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.history.archive import Earlier
    from tetrate_jupyter.history.turn import Turn
    from tetrate_jupyter.widgets.feed import Fields

MOST: Final = 50  # conversations of the list: who looks further searches


class EarlierList:
    """A panel's part: its `fields` go among the panel's, `ask` and `open` are its actions "past" and "open".

    `work` starts what reads the disk, `changed` has the panel drawn again.
    """

    def __init__(
        self,
        session: Engine,
        work: Callable[[Callable[[], Coroutine[Any, Any, None]]], None],
        changed: Callable[[], None],
    ) -> None:
        self._session = session
        self._past = session.past
        self._work = work
        self._changed = changed
        self._asked = 0  # a search that ends late must not replace a newer one's
        self._list: dict[str, Any] | None = None
        self._newest: Earlier | None = None

    def look(self) -> None:
        """Find out whether there is one to go on with, where this one has not begun."""
        if not self._session.conversation.exchanges and self._past.archive.folder.is_dir():
            self._work(self._look)

    async def _look(self) -> None:
        with suppress(TetrateError):  # what can't be read isn't offered
            found, _ = await asyncio.to_thread(self._past.archive.list, notebook=notebook(), most=1)
            self._newest = found[0] if found else None
            self._changed()

    def ask(self, of: str, words: str = "", everywhere: object = False) -> None:
        """Open the list in a view, search it, or close it (`of` no view)."""
        self._asked += 1
        number, of, words = self._asked, str(of)[:40], str(words)[:500]
        if not of:
            self._list = None
            self._changed()
            return

        async def search() -> None:
            found, passed = await asyncio.to_thread(
                self._past.archive.list, words, notebook=notebook(), everywhere=bool(everywhere), most=MOST
            )
            if number != self._asked:
                return
            notes = [*passed.said, *([] if self._past.is_kept else [HOW])]
            if not found:
                notes.insert(0, "Nothing is found." if words.strip() else "No earlier conversations yet.")
            self._list = {"of": of, "words": words, "rows": list(map(_row, found)), "note": " ".join(notes)}
            self._changed()

        self._work(search)

    def open(self, identity: str) -> None:
        """Go on with one."""

        async def opened() -> None:
            found = await asyncio.to_thread(self._past.open, str(identity)[:100])
            if self._session.model is None and (model := found.lines[-1][-1].model):
                with suppress(UnknownModelError):  # this key may not reach it
                    self._session.model = model
            self._list = None
            self._changed()

        self._work(opened)

    def take_back(self, exchanges: Sequence[Sequence[Any]]) -> bool:
        """Open the newest one where a page whose kernel was restarted has just that; return whether it has."""
        if not exchanges or not self._past.archive.folder.is_dir():
            return False
        with suppress(TetrateError):
            found, _ = self._past.archive.list(notebook=notebook(), most=1)
            if not found:
                return False
            opened = self._past.read(found[0])
            ends = [_prompt(turn) for turn in opened.lines[-1][-len(exchanges) :]]
            if ends == [str(each[0]) for each in exchanges]:
                return self._past.recorder.put_back(opened)
        return False

    def fields(self) -> Fields:
        """Return the open list (null for none), and what may be gone on with: [id, words of the offer, its title]."""
        if self._session.conversation.exchanges:
            self._newest = None  # something else has begun: after it, that is no longer where it was
        newest, offer = self._newest, None
        if newest is not None:
            turns = f"{newest.turns:,} turn{'' if newest.turns == 1 else 's'}"
            offer = [newest.id, f"Go on where it was ({turns}, {when(newest.ended)})", visible(newest.words)]
        return {"past": self._list, "resume": offer}


def _row(each: Earlier) -> list[str]:
    """Return [id, words, facts, the line that was found]."""
    cost = known(each.cost)
    name = (each.notebook or "").replace("\\", "/").rsplit("/", 1)[-1]
    facts = [
        when(each.ended),
        f"{each.turns:,} turn{'' if each.turns == 1 else 's'}",
        "cost unknown" if cost is None else f"≈ {money(cost)}",
        *each.models[:1],
        *([name] if name else []),
    ]
    return [each.id, visible(each.words), visible(" · ".join(facts)), visible(each.found)]


def _prompt(turn: Turn) -> str:
    return visible(turn.asked if turn.typed is None else turn.typed)
