"""What a session goes on with after a comparison: a column's conversation and its model, and the way back."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.completion.answer import beside_error
from tetrate_jupyter.conversation import Conversation
from tetrate_jupyter.errors import InputError
from tetrate_jupyter.ledger.window import Entry
from tetrate_jupyter.types import Message, Timing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.compare.cells import Attempt, Cell
    from tetrate_jupyter.compare.setup import CellPlace
    from tetrate_jupyter.conversation import Branch
    from tetrate_jupyter.engine.engine import Engine

_MOST: Final = 50  # choices that can be taken back, one after the other


@dataclass(frozen=True, slots=True)
class _Choice:
    """A column that the session went on with, and what it had before: `branch` None for an empty conversation.

    `exchange`: the id of the chosen answer's exchange. The root of its branch wouldn't tell: a column that continued
    the session's conversation shares it with whatever else did.
    """

    place: CellPlace
    exchange: str
    model: str | None
    branch: str | None
    before: str | None


class GoingOn:
    """The columns of one comparison that its session went on with. Thread-safe."""

    def __init__(self, session: Engine) -> None:
        self._lock = threading.RLock()
        self._session = session
        self._histories = _Histories()
        self._choices: tuple[_Choice, ...] = ()

    def conversation(self, cell: Cell) -> Conversation:
        """Return a cell's conversation; only the column's history where no text came."""
        return self._histories.of(cell)

    def take(self, chosen: Cell, cells: Sequence[Cell]) -> Branch:
        """Make a cell's conversation the session's, and its model, too; `cells`: those of the same question."""
        if not chosen.text.strip():
            raise InputError(f"{chosen.column.label} has no answer to go on from.", next_step="choose another column")
        if chosen.attempt is None or chosen.attempt.answer is None:
            raise InputError(
                f"{chosen.column.label} is still writing.", next_step="wait until it has ended, or stop it"
            )
        with self._lock:
            conversation, before = self._session.conversation, self._session.model
            old = conversation.branch
            branch = self._histories.into(conversation, cells, chosen)
            if chosen.column.model is not None:
                self._session.model = chosen.column.model.id
            now = self._session.model
            if branch.id != old.id or now != before or self.used != chosen.place:
                exchange = self._histories.of(chosen).exchanges[-1].id
                choice = _Choice(chosen.place, exchange, now, old.id if old.exchanges else None, before)
                self._choices = (*self._choices[1 - _MOST :], choice)
        return branch

    @property
    def used(self) -> CellPlace | None:
        """Where the cell is that was chosen last, None where none was or the session goes on with something else."""
        last = self._in_use()
        return None if last is None else last.place

    @property
    def can_go_back(self) -> bool:
        """Whether what was chosen last is still what the session goes on with, and what was before is kept."""
        last = self._in_use()
        return last is not None and self._is_kept(last)

    def go_back(self) -> None:
        """Put back what the session had before the last choice. Raises `InputError` for none, or another since."""
        with self._lock:
            last = self._in_use()
            if last is None or not self._is_kept(last):
                raise InputError(
                    "Nothing was changed: the session goes on with something else by now.",
                    next_step="session.conversation.branches has what was before; session.model names the model",
                )
            if last.branch is None:
                self._session.conversation.reset()
            else:
                self._session.conversation.switch(last.branch)
            self._choices = self._choices[:-1]
            self._session.model = last.before

    def _in_use(self) -> _Choice | None:
        last = next(reversed(self._choices), None)
        if last is None or self._session.model != last.model:
            return None
        return last if any(each.id == last.exchange for each in self._session.conversation.exchanges) else None

    def _is_kept(self, choice: _Choice) -> bool:
        kept = self._session.conversation.branches
        return choice.branch is None or any(branch.id == choice.branch for branch in kept)


class _Histories:
    """Each column's conversation, made of its history and its answer, by attempt, when it is first asked for.

    The same attempt always gives the same exchange.
    """

    def __init__(self) -> None:
        self._made: dict[Attempt, Conversation] = {}
        self._branches: dict[Attempt, str] = {}

    def of(self, cell: Cell) -> Conversation:
        """Return a cell's conversation; only the column's history where no text came."""
        attempt = cell.attempt
        if attempt is None or attempt.answer is None or not attempt.answer.text.strip():
            return Conversation(cell.column.history)
        if attempt not in self._made:
            self._made[attempt] = _conversation(cell, attempt)
        return self._made[attempt]

    def into(self, conversation: Conversation, cells: Sequence[Cell], chosen: Cell) -> Branch:
        """Make the chosen cell's conversation the current branch, the others' branches beside it; only once each."""
        answered = [c for c in cells if c.attempt is not None and len(self.of(c)) > len(c.column.history)]
        kept = {b.id for b in conversation.branches}
        known = self._branches.get(chosen.attempts[-1])
        if known in kept:
            conversation.switch(known)
            return conversation.branch
        fresh = [c for c in answered if self._branches.get(c.attempts[-1]) not in kept]
        made = conversation.adopt([self.of(c).exchanges for c in fresh], current=fresh.index(chosen))
        self._branches |= {c.attempts[-1]: b.id for c, b in zip(fresh, made, strict=True)}
        return conversation.branch


def _conversation(cell: Cell, attempt: Attempt) -> Conversation:
    found, answer = Conversation(cell.column.history), attempt.answer
    assert answer is not None  # noqa: S101 - narrows the type; the caller has looked
    user = attempt.user or Message("user", "")
    partial = answer.partial is not None
    replies = attempt.replies or (Message("assistant", answer.text),)
    entry = Entry(
        asked=answer.model_asked,
        answered=answer.model,
        usage=answer.usage,
        cost=Decimal(0) if answer.cached else answer.cost,
        timing=Timing(None, 0.0) if answer.cached else answer.timing,
        request_id=answer.request_id,
        outcome="partial" if partial else "done",
        error=type(attempt.error).__name__ if attempt.error else None,
        time=attempt.asked_at,
    )
    notices = answer.notices
    if attempt.error is not None:
        notices = (*beside_error(notices), attempt.error.advice)
    turn = found.begin()
    found.add(turn, user, replies, partial=partial, entry=entry, reasoning=answer.reasoning, notices=notices)
    return found
