"""Earlier conversations in the chat: the list with its search, and the offer to go on where it was."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.amounts import known
from tetrate_jupyter.conversation import Exchange
from tetrate_jupyter.engine.history import HOW, when
from tetrate_jupyter.errors import TetrateError, UnknownModelError
from tetrate_jupyter.front_end import notebook
from tetrate_jupyter.render.numbers import money
from tetrate_jupyter.render.plain import visible
from tetrate_jupyter.types import Message
from tetrate_jupyter.widgets.transcript import said

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.history.archive import Earlier, Opened
    from tetrate_jupyter.history.turn import Turn
    from tetrate_jupyter.widgets.feed import Fields

MOST: Final = 50  # conversations of the list: who looks further searches
_NEWEST: Final = 5  # kept conversations among which that of a page is looked for: what was asked since is newer
IN_FRONT: Final = "What was asked after the restart is another conversation now: see Earlier."
BESIDE: Final = "The conversation from before the restart is kept: see Earlier."


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

    def take_back(self, exchanges: Sequence[Sequence[Any]], left: int, *, begun: bool, is_in_front: bool) -> str:
        """Take the conversation of a page whose kernel was restarted; return what there is to tell of that, or "".

        Each exchange: the prompt, as it was sent where variables were put in, the answer, whether that is only a part;
        `left` is how many the page couldn't give. Where another has `begun` here both are kept, each as a
        conversation of its own; the one taken is current where it `is_in_front`. What several panels give back is taken
        once; from the disk, with its costs, where it is there.
        """
        conversation = self._session.conversation
        if not exchanges or self._is_here(exchanges):
            return ""
        found = self._on_disk(exchanges)
        if found is not None:
            if is_in_front:
                self._past.recorder.put_back(found)
        elif not begun:  # in the branch that is there, with what has failed in it
            for each in map(_exchange, exchanges):
                conversation.add(conversation.begin(), each.user, each.replies, partial=each.partial)
        else:
            conversation.adopt([tuple(map(_exchange, exchanges))], current=0 if is_in_front else None)
        lost = f"{left:,} earlier or unanswered questions could not be given back after the restart."
        return " ".join([*([lost] if left and found is None else []), *([_placed(is_in_front)] if begun else [])])

    def _is_here(self, exchanges: Sequence[Sequence[Any]]) -> bool:
        """Whether a conversation of this session has it: another panel has given it back, or it never went."""
        wanted = [(str(prompt), str(answer)) for prompt, _, answer, _ in exchanges]
        for branch in self._session.conversation.branches:
            line = [(visible(_typed(each.user)), said(each)) for each in branch.exchanges]
            if any(line[at : at + len(wanted)] == wanted for at in range(len(line) - len(wanted) + 1)):
                return True
        return False

    def _on_disk(self, exchanges: Sequence[Sequence[Any]]) -> Opened | None:
        """Return the kept conversation that ends with just these questions; None where none of the newest does."""
        if not self._past.archive.folder.is_dir():
            return None
        with suppress(TetrateError):
            found, _ = self._past.archive.list(notebook=notebook(), most=_NEWEST)
            for each in found:
                opened = self._past.read(each)
                ends = [_prompt(turn) for turn in opened.lines[-1][-len(exchanges) :]]
                if ends == [str(each[0]) for each in exchanges]:
                    return opened
        return None

    def fields(self) -> Fields:
        """Return the open list (null for none), and what may be gone on with: [id, words of the offer, its title]."""
        if self._session.conversation.exchanges:
            self._newest = None  # something else has begun: after it, that is no longer where it was
        newest, offer = self._newest, None
        if newest is not None:
            turns = f"{newest.turns:,} turn{'' if newest.turns == 1 else 's'}"
            offer = [newest.id, f"Go on where it was ({turns}, {when(newest.ended)})", visible(newest.words)]
        return {"past": self._list, "resume": offer}


def _typed(user: Message) -> str:
    return user.content if user.typed is None else user.typed


def _placed(is_in_front: bool) -> str:
    return IN_FRONT if is_in_front else BESIDE


def _exchange(given: Sequence[Any]) -> Exchange:
    prompt, sent, answer, partial = given
    user = Message("user", str(sent or prompt), typed=str(prompt) if sent else None)
    return Exchange("", user, (Message("assistant", str(answer)),), partial=bool(partial))


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
