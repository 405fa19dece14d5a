"""Earlier conversations in the chat: the list with its search, and the offer to go on where it was."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.amounts import known
from tetrate_jupyter.engine.history import when
from tetrate_jupyter.errors import TetrateError, UnknownModelError
from tetrate_jupyter.front_end import notebook
from tetrate_jupyter.history.words import folded, wanted
from tetrate_jupyter.render.numbers import money
from tetrate_jupyter.render.plain import visible
from tetrate_jupyter.widgets.chat_items import others
from tetrate_jupyter.widgets.chat_kept import given_back
from tetrate_jupyter.widgets.transcript import said, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tetrate_jupyter.conversation import Branch, Exchange
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.history.listing import Earlier, Opened
    from tetrate_jupyter.history.turn import KeptTurn
    from tetrate_jupyter.widgets.feed import Fields

MOST: Final = 50  # conversations of the list: who looks further searches
_NEWEST: Final = 5  # kept conversations among which that of a page is looked for: what was asked since is newer
_LOOKED_AT: Final = 100_000  # characters of a question or answer in which a search looks
_LONGEST: Final = 1_000  # characters of a name that are taken: it is cut to what is kept
ERASED: Final = "Erased. Notebooks' outputs stay; another kernel that has it open keeps only what is asked anew."
_TURNS: Final = count(1)  # each list that is told is another one, so that a page hears of it though it is the same
IN_FRONT: Final = "What was asked after the restart is another conversation now: see Earlier."
OFFER: Final = (
    "Kept from then on, on this machine, in {where}. Each can be erased here, all by %tetrate_history --erase all. "
    "For every kernel: c.TetrateMagics.keep_texts = True in ipython_config.py."
)
KEPT: Final = "From now on conversations are kept in {where}. Each can be erased under Earlier."
VERSIONS: Final = "Other versions of its questions were not given back: the page shows one of each."
BESIDE: Final = "The conversation from before the restart is kept: see Earlier."


class EarlierList:
    """A panel's part: its `fields` go among the panel's, `actions` among its actions.

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
        self._last: tuple[str, str, bool] = ("", "", False)  # the view, words and reach of the open list
        self._asked = 0  # a search that ends late must not replace a newer one's
        self._list: dict[str, Any] | None = None
        self._newest: Earlier | None = None

    def actions(self) -> dict[str, Callable[..., None]]:
        """Return what a page may ask for."""
        return {
            "past": self.ask,
            "keep": self.keep,
            "open": self.open,
            "name": self.rename,
            "star": self.star,
            "erase": self.erase,
        }

    def look(self) -> None:
        """Look for a conversation to continue, where the one in use has not begun."""
        if not self._session.conversation.exchanges:
            self._work(self._look)

    async def _look(self) -> None:
        archive = self._past.archive
        if not await asyncio.to_thread(archive.folder.is_dir):
            return
        with suppress(TetrateError):  # what can't be read isn't offered
            found, _ = await asyncio.to_thread(archive.list, notebook=notebook(), most=1, stars=False)
            self._newest = found[0] if found else None
            self._changed()

    def ask(self, of: str, words: str = "", everywhere: object = False) -> None:
        """Open the list in a view, search it, or close it (`of` no view)."""
        self._asked += 1
        self._last = str(of)[:40], str(words)[:500], bool(everywhere)
        if not of:
            self._list = None
            self._changed()
            return
        self._work(self._search)

    async def _search(self, told: str = "", *, is_same: bool = False) -> None:
        """Show the list that was asked for last; `told`: a note on it. `is_same`: its order stays."""
        number, (of, words, everywhere), before = self._asked, self._last, self._list
        here = await asyncio.to_thread(self._matching, words) if words.strip() else None
        found, passed = await asyncio.to_thread(
            self._past.archive.list, words, notebook=notebook(), everywhere=everywhere, most=MOST
        )
        self._past.noted(found)
        if is_same and before is not None:  # nothing moves under the pointer
            places = {row[0]: place for place, row in enumerate(before["rows"])}
            found = tuple(sorted(found, key=lambda each: places.get(each.id, -1)))
        if number != self._asked or not of:
            return
        notes = [*([told] if told else []), *passed.said]
        if not told and not found and not (self._others() if here is None else here):
            notes.insert(0, "Nothing is found." if words.strip() else "No earlier conversations yet.")
        marks = {each.id: [each.starred, visible(each.name)] for each in found if each.starred or each.name}
        self._list = {
            "of": of,
            "words": words,
            "rows": list(map(_row, found)),
            "marks": marks,
            "here": here,
            "used": self._past.recorder.root(self._session.conversation.branch),
            "note": " ".join(notes),
            "offer": "" if self._past.is_kept else OFFER.format(where=self._where()),
            "turn": next(_TURNS),
        }
        self._changed()

    def _others(self) -> list[Branch]:
        """Return the other conversations of this kernel, newest first, each as it last was."""
        return list(others(self._session.conversation))

    def _matching(self, words: str) -> list[str]:
        """Return the ids of those in whose names, questions and answers all these words are."""
        looked_for = wanted(words)
        return [each.id for each in self._others() if _has(each, self._past.name_of(each), looked_for)]

    def _where(self) -> str:
        """Return the folder of what is kept, as a person reads it."""
        folder = self._past.archive.folder
        with suppress(ValueError, RuntimeError):  # elsewhere, or whose home isn't known
            return visible(f"~/{folder.relative_to(Path.home()).as_posix()}")
        return visible(str(folder))

    def keep(self) -> None:
        """Keep what is said from now on: a person wants it, and has read where."""
        self._then(lambda: self._past.keep(True), lambda _: KEPT.format(where=self._where()))

    def rename(self, identity: str, name: str) -> None:
        """Rename a conversation; "" removes its name."""
        self._then(lambda: self._past.rename(str(identity)[:100], str(name)[:_LONGEST]), lambda _: "")

    def star(self, identity: str, on: object = True) -> None:
        """Star a conversation, or remove its star; its place in the list stays until the list is opened again."""
        self._then(lambda: self._past.star(str(identity)[:100], on=bool(on)), lambda _: "")

    def erase(self, identity: str) -> None:
        """Erase a conversation; the page has asked the person first."""
        self._then(lambda: self._past.erase_one(str(identity)[:100]), lambda _: ERASED)

    def _then(self, act: Callable[[], object], told: Callable[[object], str]) -> None:
        """Run work that waits for the disk, then show the list as it is now, also where the work has failed."""

        async def done() -> None:
            said = ""
            try:
                said = told(await asyncio.to_thread(act))
            finally:
                await self._search(said, is_same=True)
                self._look_again()

        self._work(done)

    def _look_again(self) -> None:
        """Offer to go on with what there still is."""
        self._newest = None
        self.look()

    def open(self, identity: str) -> None:
        """Make a kept conversation the one in use."""

        async def opened() -> None:
            found = await asyncio.to_thread(self._past.open, str(identity)[:100])
            if self._session.model is None and (model := found.lines[-1][-1].model):
                with suppress(UnknownModelError):  # this key may not reach it
                    await asyncio.to_thread(setattr, self._session, "model", model)  # it is noted on disk
            self._list = None
            self._changed()

        self._work(opened)

    def take_back(
        self,
        exchanges: Sequence[Sequence[Any]],
        left: int,
        *,
        begun: bool,
        is_in_front: bool,
        has_versions: bool = False,
    ) -> str:
        """Take the conversation of a page whose kernel was restarted; return a note on that, or "".

        Each exchange: the prompt, as it was sent where variables were put in, the answer, whether that is only a part,
        the model's id, what `chat_kept` told the page (older pages give neither); `left` is how many the page couldn't
        give. Where another has `begun` here both are kept, each as a conversation of its own; the one taken is current
        where it `is_in_front`. What several panels give back is taken once; from the disk, where it is there.
        `has_versions`: there were others of these than the page showed; only the disk has them.
        """
        if not exchanges or self._is_here(exchanges):
            return ""
        found, covered = self._on_disk(exchanges)
        if found is not None:
            if is_in_front:
                before = tuple(map(given_back, exchanges[: len(exchanges) - covered]))
                self._past.recorder.put_back(found, before)
        else:
            self._adopt(tuple(map(given_back, exchanges)), begun=begun, is_in_front=is_in_front)
        lost = f"{left:,} earlier or unanswered questions could not be given back after the restart."
        is_all_there = covered == len(exchanges)
        told = [
            *([lost] if left and not is_all_there else []),
            *([VERSIONS] if has_versions and found is None else []),
            *([_placed(is_in_front)] if begun else []),
        ]
        return " ".join(told)

    def _adopt(self, line: tuple[Exchange, ...], *, begun: bool, is_in_front: bool) -> None:
        conversation = self._session.conversation
        self._past.recorder.leave_out(each.user for each in line)
        if begun:
            conversation.adopt([line], current=0 if is_in_front else None)
            return
        for each in line:  # in the branch that is there, with what has failed in it
            turn = conversation.begin()
            conversation.add(
                turn, each.user, each.replies, partial=each.partial, entry=each.entry, notices=each.notices
            )

    def _is_here(self, exchanges: Sequence[Sequence[Any]]) -> bool:
        """Whether a conversation of this session has it: another panel has given it back, or it never went."""
        given = [(str(prompt), str(answer)) for prompt, _, answer, *_ in exchanges]
        for branch in self._session.conversation.branches:
            line = [(visible(typed(each.user)), said(each)) for each in branch.exchanges]
            if any(line[at : at + len(given)] == given for at in range(len(line) - len(given) + 1)):
                return True
        return False

    def _on_disk(self, exchanges: Sequence[Sequence[Any]]) -> tuple[Opened | None, int]:
        """Return the kept conversation that ends with these questions, and with how many of them; else (None, 0).

        The line that does comes last in it. Not all of them are there where texts were kept from then on only.
        """
        best: tuple[Opened | None, int] = (None, 0)
        if not self._past.archive.folder.is_dir():
            return best
        with suppress(TetrateError):
            found, _ = self._past.archive.list(notebook=notebook(), most=_NEWEST, stars=False)
            for opened in map(self._past.read, found):
                for place in reversed(range(len(opened.lines))):
                    count = _covered(opened.lines[place], exchanges)
                    if count > best[1]:
                        lines = (*opened.lines[:place], *opened.lines[place + 1 :], opened.lines[place])
                        best = replace(opened, lines=lines), count
                    if count == len(exchanges):
                        return best
        return best

    def fields(self) -> Fields:
        """Return the open list (null for none), and what may be gone on with: [id, words of the offer, its title]."""
        if self._session.conversation.exchanges:
            self._newest = None  # something else has begun: after it, that is no longer where it was
        newest, offer = self._newest, None
        if newest is not None:
            turns = f"{newest.turns:,} turn{'' if newest.turns == 1 else 's'}"
            offer = [newest.id, f"Go on where it was ({turns}, {when(newest.ended)})", visible(newest.title)]
        return {"past": self._list, "resume": offer}


def _has(branch: Branch, name: str, words: Sequence[str]) -> bool:
    """Whether all these words are in a conversation's name, questions and answers, each as far as it is looked at."""
    left = set(words)
    for text in (name, *(text for each in branch.exchanges for text in (typed(each.user), said(each)))):
        read = folded(text[:_LOOKED_AT])
        left = {word for word in left if word not in read}
        if not left:
            return True
    return False


def _placed(is_in_front: bool) -> str:
    return IN_FRONT if is_in_front else BESIDE


def _row(each: Earlier) -> list[str]:
    """Return [id, title, facts, the line that was found]."""
    cost = known(each.cost)
    name = (each.notebook or "").replace("\\", "/").rsplit("/", 1)[-1]
    facts = [
        when(each.ended),
        f"{each.turns:,} turn{'' if each.turns == 1 else 's'}",
        "cost unknown" if cost is None else f"≈ {money(cost)}",
        *each.models[:1],
        *([name] if name else []),
    ]
    told = (each.title, " · ".join(facts), each.found)
    return [each.id, *map(visible, told)]


def _covered(line: Sequence[KeptTurn], exchanges: Sequence[Sequence[Any]]) -> int:
    """Return how many of the questions that a page gave back a kept line ends with; 0 where they part.

    A page gives back none whose answer has no text. Where the line is the shorter one its answers have to be the same.
    """
    count, is_same = 0, True
    for turn in reversed(line):
        if count == len(exchanges):
            break
        prompt, _, answer, *_ = exchanges[-1 - count]
        text = "\n\n".join(each.text for each in turn.replies if each.role == "assistant" and each.text.strip())
        if _prompt(turn) == str(prompt):
            count += 1
            is_same = is_same and text.split() == str(answer).split()
        elif text:
            return 0
    return count if is_same or count == len(exchanges) else 0


def _prompt(turn: KeptTurn) -> str:
    return visible(turn.asked if turn.typed is None else turn.typed)
