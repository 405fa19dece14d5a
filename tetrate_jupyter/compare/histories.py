"""Each column's own conversation, made of its history and its answer, and one of them made the session's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetrate_jupyter.completion.answer import beside_error
from tetrate_jupyter.conversation import Conversation
from tetrate_jupyter.ledger import Entry
from tetrate_jupyter.types import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.compare.cells import Attempt, Cell
    from tetrate_jupyter.conversation import Branch


class Histories:
    """Conversations by attempt, made when they are wanted; the same attempt always gives the same exchange."""

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
        cost=answer.cost,
        timing=answer.timing,
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
