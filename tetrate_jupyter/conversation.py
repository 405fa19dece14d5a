"""Messages with branches: what was said, and what is sent as context for the next question."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import legible
from tetrate_jupyter.catalog.estimate import estimate_tokens
from tetrate_jupyter.errors import InputError
from tetrate_jupyter.ledger.window import Entry
from tetrate_jupyter.observers import Observers
from tetrate_jupyter.types import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


NO_TEXT: Final = "(no text)"  # stands for a question without any: an empty message is refused
_ROLES: Final = frozenset({"system", "user", "assistant", "tool"})
MAX_BRANCHES: Final = 200  # per conversation object; the oldest ones that aren't current are forgotten first


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and all that followed it: calls of tools, their results, the answer.

    `cell_id` names the cell it was asked in, None outside one. `partial`: the answer broke or was stopped. `entry`
    says what it took and cost, `reasoning` what the model showed of its thinking, `notices` what a reader must know.
    """

    id: str
    user: Message
    replies: tuple[Message, ...] = ()
    cell_id: str | None = None
    partial: bool = False
    entry: Entry | None = None
    reasoning: str = ""
    notices: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """The text of the last assistant message, "" where none came."""
        return next((m.content for m in reversed(self.replies) if m.role == "assistant"), "")

    def messages(self) -> tuple[Message, ...]:
        """Return what a model is sent of this exchange.

        That is all of it, except what a provider refuses and what a partial answer (or an exchange that was put
        together elsewhere) can hold: empty messages, and calls of tools without their result right behind them, or
        results without their call. `Turn.left_out` says of these.
        """
        return _sendable(self)[0]


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of exchanges. `root` is the branch that the reset began (its own id there), `parent` where it split."""

    id: str
    root: str
    parent: str | None = None
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """The place of the next question: `messages` go before it, `branch` is where the answer belongs.

    `left_out`: what of the conversation is not among the messages, since it would be refused; one sentence each.
    """

    branch: Branch
    messages: tuple[Message, ...]
    cell_id: str | None = None
    left_out: tuple[str, ...] = ()


class Conversation:
    """Exchanges in branches. Thread-safe; everything it gives out is an immutable snapshot.

    A question takes two steps: `begin` says what is sent before it, `add` keeps it with its answer. What happens in
    between (a reset, another question) doesn't misplace the answer. Nothing is cut from the context, ever:
    `estimate_tokens` tells how large it has become, `reset` starts anew.
    """

    __module__ = "tetrate_jupyter"

    def __init__(self, exchanges: Iterable[Exchange] = (), *, limit: int = MAX_BRANCHES) -> None:
        self._lock = threading.RLock()
        self._limit = limit
        self._observers = Observers()
        identity = _new_id()
        self._branches = {identity: Branch(identity, identity, exchanges=_all_taken(exchanges))}
        self._current = identity
        self._forgotten = set[str]()  # roots of what was erased: an answer on its way brings none of it back
        self._cells: tuple[Branch, dict[str, int]] | None = None  # where in a branch each cell has asked

    # --- asking ----------------------------------------------------------------------------------------------

    def begin(self, *, cell_id: str | None = None, system: str | None = None) -> Turn:
        """Return the context for the next question.

        Where the cell `cell_id` has asked before in this branch, that is what came before its exchange, and `add` will
        replace it. A `system` prompt, where there is one, comes first.
        """
        with self._lock:
            branch = self.branch
            place = self._place_of_cell(branch, cell_id)
            before = branch.exchanges if place is None else branch.exchanges[:place]
        messages, left_out = _wire(before, system)
        return Turn(branch, messages, cell_id, left_out)

    def add(
        self,
        turn: Turn,
        user: Message,
        replies: Iterable[Message],
        *,
        partial: bool = False,
        entry: Entry | None = None,
        reasoning: str = "",
        notices: Iterable[str] = (),
    ) -> Exchange:
        """Keep a question and what followed it, in the branch of its `turn`.

        A cell's earlier exchange is replaced in place and keeps its id; the exchanges after it stay.
        """
        with self._lock:
            lost = replace(turn.branch, exchanges=()) if turn.branch.root in self._forgotten else turn.branch
            branch = self._branches.get(turn.branch.id, lost)
            place = self._place_of_cell(branch, turn.cell_id)
            identity = _new_id() if place is None else branch.exchanges[place].id
            exchange = Exchange(identity, user, tuple(replies), turn.cell_id, partial, entry, reasoning, tuple(notices))
            line = branch.exchanges
            line = (*line, exchange) if place is None else (*line[:place], exchange, *line[place + 1 :])
            longer = replace(branch, exchanges=line)
            if self._cells is not None and self._cells[0] is branch:
                self._cells = longer, self._cells[1]
                if turn.cell_id is not None:
                    self._cells[1].setdefault(turn.cell_id, len(line) - 1)
            self._store(longer)
        self._observers.notify()
        return exchange

    # --- reading ---------------------------------------------------------------------------------------------

    @property
    def branch(self) -> Branch:
        """The current branch."""
        with self._lock:
            return self._branches[self._current]

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The current branch's exchanges, oldest first."""
        return self.branch.exchanges

    @property
    def branches(self) -> tuple[Branch, ...]:
        """All branches that are kept, those from before a reset included, oldest first."""
        with self._lock:
            return tuple(self._branches.values())

    def messages(self, *, system: str | None = None, upto: str | None = None) -> tuple[Message, ...]:
        """Return the current branch as it is sent: `system` first, then every exchange up to `upto` (an id), too."""
        exchanges = self.exchanges
        if upto is not None:
            exchanges = exchanges[: _place(exchanges, upto) + 1]
        return _wire(exchanges, system)[0]

    def estimate_tokens(self, *, system: str | None = None) -> int:
        """Estimate the tokens of `messages()`; rough (3.5 characters each), for a person's orientation."""
        return estimate_tokens(self.messages(system=system))

    def variants(self, exchange_id: str) -> tuple[Branch, ...]:
        """Return the branches that differ first at this exchange of the current one, one for each way it went.

        Oldest way first; the current branch stands for its own. One branch only: it was never edited.
        """
        current = self.branch
        _place(current.exchanges, exchange_id)
        return self.ways().get(exchange_id, (current,))

    def ways(self) -> dict[str, tuple[Branch, ...]]:
        """Return the `variants` of those exchanges of the current branch that have several, by their ids."""
        with self._lock:
            current, branches = self.branch, self.branches
        line = current.exchanges
        shared = [(b, _shared(line, b.exchanges)) for b in branches if b.root == current.root]
        found: dict[str, tuple[Branch, ...]] = {}
        for place in {length for branch, length in shared if length < min(len(line), len(branch.exchanges))}:
            ways: dict[str, Branch] = {}
            for branch, length in shared:
                if length >= place and len(branch.exchanges) > place:
                    way = branch.exchanges[place].id
                    if ways.get(way) is not current:
                        ways[way] = branch
            found[line[place].id] = tuple(ways.values())
        return found

    # --- branching -------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Start anew. The branch so far stays in `branches`; an empty one isn't kept twice."""
        with self._lock:
            if not self.exchanges:
                return
            identity = _new_id()
            self._store(Branch(identity, identity), current=True)
        self._observers.notify()

    def edit(self, exchange_id: str, *, system: str | None = None) -> Turn:
        """Branch off before an exchange of the current branch, to ask it differently.

        The new branch is current from now on; the old one is kept. Returns the turn for the new question.
        """
        with self._lock:
            old = self.branch
            before = old.exchanges[: _place(old.exchanges, exchange_id)]
            new = Branch(_new_id(), old.root, old.id, before)
            self._store(new, current=True)
        self._observers.notify()
        messages, left_out = _wire(before, system)
        return Turn(new, messages, left_out=left_out)

    def switch(self, branch_id: str) -> None:
        """Make another of `branches` current. Raises `InputError` where it isn't kept (any more)."""
        with self._lock:
            if branch_id not in self._branches:
                raise InputError("That branch of the conversation isn't kept.", next_step="choose one of .branches")
            changed = self._current != branch_id
            self._current = branch_id
        if changed:
            self._observers.notify()

    def adopt(self, ways: Sequence[tuple[Exchange, ...]], *, current: int | None = 0) -> tuple[Branch, ...]:
        """Keep lines of exchanges that came about elsewhere as branches; that number `current` is current from now on.

        With None the branch that is current stays so. Where they go on from the current branch they are ways of it (see
        `variants`), otherwise of one another.
        """
        with self._lock:
            old = self.branch
            identities = [_new_id() for _ in ways]
            ways = [_all_taken(way) for way in ways]
            shared = bool(old.exchanges) and any(way and way[0].id == old.exchanges[0].id for way in ways)
            root, parent = (old.root, old.id) if shared else (identities[current or 0], None)
            made = [Branch(each, root, parent, way) for each, way in zip(identities, ways, strict=True)]
            first = None if current is None else made[current]
            for branch in sorted(made, key=lambda b: b is first):
                self._store(branch, current=branch is first)
            if first is not None and not old.exchanges:
                self._branches.pop(old.id, None)
        self._observers.notify()
        return tuple(made)

    def forget(self, roots: frozenset[str]) -> None:
        """Drop all branches of these `root`s; where the current one is among them, start anew."""
        with self._lock:
            self._forgotten |= roots
            self._branches = {i: b for i, b in self._branches.items() if b.root not in roots}
            self._cells = None
            if self._current not in self._branches:
                identity = _new_id()
                self._store(Branch(identity, identity), current=True)
        self._observers.notify()

    def fork(self, *, upto: str | None = None) -> Conversation:
        """Return an independent conversation with a copy of the exchanges up to `upto` (an id), too; default: all."""
        exchanges = self.exchanges
        if upto is not None:
            exchanges = exchanges[: _place(exchanges, upto) + 1]
        return Conversation(exchanges, limit=self._limit)

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change, on the changing thread; return a function that stops it."""
        return self._observers.add(callback)

    def _place_of_cell(self, branch: Branch, cell_id: str | None) -> int | None:
        """Return where in the branch the cell has asked. Kept for the branch that was looked at last: it grows."""
        if cell_id is None:
            return None
        if self._cells is None or self._cells[0] is not branch:
            found = {e.cell_id: n for n, e in reversed(tuple(enumerate(branch.exchanges))) if e.cell_id is not None}
            self._cells = branch, found
        return self._cells[1].get(cell_id)

    def _store(self, branch: Branch, *, current: bool = False) -> None:
        self._branches[branch.id] = branch
        if current:
            self._current = branch.id
        protected = {self._current, branch.id}
        for identity in [i for i in self._branches if i not in protected]:
            if len(self._branches) <= self._limit:
                break
            del self._branches[identity]

    def __len__(self) -> int:
        return len(self.exchanges)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges)

    def __bool__(self) -> bool:
        return True  # an empty conversation is one all the same: `given or session.conversation` must not lose it

    def __repr__(self) -> str:
        return f"<Conversation: {len(self)} exchanges>"


def _new_id() -> str:
    return uuid.uuid4().hex[:12]


def _shared(one: tuple[Exchange, ...], other: tuple[Exchange, ...]) -> int:
    """Return how many exchanges both begin with; the same one with another answer counts as the same."""
    if one is other:
        return len(one)
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a is not b and a.id != b.id), min(len(one), len(other)))


def _all_taken(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return exchanges as they can be asked after and shown. Raises `InputError` for what is no exchange."""
    found = tuple(exchanges)
    if not all(isinstance(each, Exchange) for each in found):
        raise InputError("A conversation is made of exchanges.", next_step='give Exchange("1", Message("user", "..."))')
    return tuple(map(_taken, found))


def _taken(exchange: Exchange) -> Exchange:
    """Return an exchange with every part of its kind; the same object where that is so."""
    parts: dict[str, Any] = {
        "id": exchange.id if exchange.id and isinstance(exchange.id, str) else _new_id(),
        "user": legible.question(exchange.user),
        "replies": legible.replies(exchange.replies),
        "cell_id": exchange.cell_id if isinstance(exchange.cell_id, str) else None,
        "entry": exchange.entry if isinstance(exchange.entry, Entry) else None,
        "reasoning": legible.text(exchange.reasoning),
        "notices": legible.texts(exchange.notices),
    }
    changed = {name: part for name, part in parts.items() if part is not getattr(exchange, name)}
    return replace(exchange, **changed) if changed else exchange


def _place(exchanges: tuple[Exchange, ...], exchange_id: str) -> int:
    for place, exchange in enumerate(exchanges):
        if exchange.id == exchange_id:
            return place
    raise InputError("That exchange isn't in this branch of the conversation.", next_step="take its id from .exchanges")


def _wire(exchanges: Iterable[Exchange], system: str | None) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Return what is sent of exchanges, and sentences on what can't be."""
    sent = [Message("system", system)] if system else []
    left_out: dict[str, None] = {}
    for exchange in exchanges:
        messages, lost = _sendable(exchange)
        sent += messages
        left_out |= dict.fromkeys(lost)
    return tuple(sent), tuple(left_out)


def _sendable(exchange: Exchange) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Return the messages that can be sent, and sentences on what can't."""
    question = legible.question(exchange.user)
    if not question.content.strip() and not question.images:
        question = replace(question, content=NO_TEXT)
    sent, odd, unanswered, orphans = [question], 0, 0, 0
    replies = list(legible.replies(exchange.replies))
    while replies:
        message = replies.pop(0)
        if message.role == "tool":
            orphans += 1
        elif message.role not in _ROLES:
            odd += 1
        elif message.role != "assistant":
            sent += [message] if message.content.strip() or message.images else []
        else:
            count = next((n for n, m in enumerate(replies) if m.role != "tool"), len(replies))
            results, replies = replies[:count], replies[count:]
            answered = legible.answered(message, results)
            sent += answered
            unanswered += len(message.tool_calls) - sum(len(m.tool_calls) for m in answered)
            orphans += count - sum(m.role == "tool" for m in answered)
    lost = (
        (unanswered, "call", "of a tool without its result"),
        (orphans, "result", "of a tool without its call"),
        (odd, "message", "of an unknown role"),
    )
    return tuple(sent), tuple(
        f"{count:,} earlier {what}{'' if count == 1 else 's'} {which} {'was' if count == 1 else 'were'} left out."
        for count, what, which in lost
        if count
    )
