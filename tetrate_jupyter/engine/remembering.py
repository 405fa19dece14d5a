"""Keeping of the conversation in use: written to disk as it grows, where a person wants that, and read back."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.answers.kept import KeptCall, KeptCut
from tetrate_jupyter.conversation import Exchange
from tetrate_jupyter.front_end import notebook
from tetrate_jupyter.history.turn import (
    MOST_IMAGE,
    MOST_IMAGES,
    READ,
    VERSION,
    KeptImage,
    KeptTurn,
    Said,
    first_words,
)
from tetrate_jupyter.http.chunk_reading import whole
from tetrate_jupyter.ledger.window import Entry
from tetrate_jupyter.legible import members_only
from tetrate_jupyter.types import Cut, Image, Message, Timing, ToolCall, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tetrate_jupyter.conversation import Branch, Conversation
    from tetrate_jupyter.history.archive import Archive
    from tetrate_jupyter.history.listing import Opened
    from tetrate_jupyter.ledger.window import Outcome

_OUTCOMES: Final[dict[str, Outcome]] = {"done": "done", "partial": "partial", "failed": "failed"}
SHORTENED: Final = "Parts of this were too long to be kept."


class Recorder:
    """Follows a conversation and has each new turn written, from `begin` until `end`. Thread-safe.

    What was there before isn't written: a person has said "from now on". A turn that is shared by several branches is
    written once.
    """

    def __init__(self, conversation: Conversation, archive: Archive) -> None:
        self._conversation = conversation
        self._archive = archive
        self._lock = threading.Lock()
        self._seen: dict[str, Branch] = {}  # each branch as it was looked at last
        self._given: dict[int, Exchange] = {}  # exchanges that were read from disk, by identity
        self._shown: dict[int, Message] = {}  # questions that a page gave back, by identity
        self._roots: dict[str, str] = {}  # of conversations that were opened here: the id they have on disk
        self._stop: Callable[[], None] | None = None

    @property
    def is_on(self) -> bool:
        """Whether turns are written."""
        return self._stop is not None

    def begin(self) -> None:
        """Write what is said from now on."""
        with self._lock:
            if self._stop is None:
                self._seen = {branch.id: branch for branch in self._conversation.branches}
                self._stop = self._conversation.on_change(self._changed)

    def end(self) -> None:
        """Write nothing more."""
        with self._lock:
            if self._stop is not None:
                self._stop()
            self._stop = None
            self._seen = {}

    def root(self, branch: Branch) -> str:
        """Return the id that a branch's conversation has on disk."""
        return self._roots.get(branch.root, branch.root)

    def put_back(self, opened: Opened, before: tuple[Exchange, ...] = ()) -> bool:
        """Make a kept conversation the one in use, and its last line current; return whether it wasn't there already.

        `before`: what a page has of that line from before it was kept; it is put there, and not written either.

        Lines that are in the session already, as whole lines or as part of one, aren't put there twice.
        """
        conversation = self._conversation
        here = [branch for branch in conversation.branches if self.root(branch) == opened.id and branch.exchanges]
        known = [[each.id for each in branch.exchanges] for branch in here]
        made: dict[KeptTurn, Exchange] = {}
        ways: list[tuple[Exchange, ...]] = []
        for line in opened.lines:
            names = [turn.id for turn in line]
            if not any(_is_within(names, ids) for ids in known):
                ways.append(tuple(_once(made, turn) for turn in line))
        if not ways:
            conversation.switch(here[-1].id)
            return False
        ways[-1] = (*before, *ways[-1])
        with self._lock:
            self._given |= {id(each): each for each in (*before, *made.values())}
        if here:
            conversation.switch(here[-1].id)
        elif conversation.exchanges:
            conversation.reset()
        branches = conversation.adopt(ways, current=len(ways) - 1)
        with self._lock:
            self._roots[branches[-1].root] = opened.id
        return True

    def leave_out(self, questions: Iterable[Message]) -> None:
        """Leave these out of what is written: they are on disk already, were never kept, or are erased."""
        with self._lock:
            self._shown |= {id(each): each for each in questions}

    def forget(self, identity: str) -> None:
        """Remove an erased conversation from this kernel's memory."""
        roots = {branch.root for branch in self._conversation.branches if self.root(branch) == identity}
        self._conversation.forget(frozenset(roots))
        with self._lock:
            held = {id(each) for branch in self._conversation.branches for each in branch.exchanges}
            self._given = {key: each for key, each in self._given.items() if key in held}

    def _changed(self) -> None:
        with self._lock:
            if self._stop is None:
                return
            branches = self._conversation.branches
            old = self._seen
            self._seen = {branch.id: branch for branch in branches}
            changed = [branch for branch in branches if old.get(branch.id) is not branch]
            everything = None
            for branch in changed:
                before = old.get(branch.id)
                if before is None and everything is None:
                    everything = {id(each) for seen in old.values() for each in seen.exchanges}
                known = everything if before is None else {id(each) for each in before.exchanges}
                self._write(branch, known or set())

    def _write(self, branch: Branch, known: set[int]) -> None:
        after = ""
        for exchange in branch.exchanges:
            is_old = id(exchange) in self._given or id(exchange.user) in self._shown
            if id(exchange) not in known and not is_old:
                self._archive.put(turn_of(exchange, branch, root=self.root(branch), after=after))
            after = exchange.id


def turn_of(exchange: Exchange, branch: Branch, *, root: str, after: str) -> KeptTurn:
    """Return an exchange as it is kept, as of now."""
    user = exchange.user
    return KeptTurn(
        v=VERSION,
        t=round(time.time(), 3),
        id=exchange.id,
        root=root,
        branch=branch.id,
        after=after,
        notebook=notebook(),
        cell=exchange.cell_id,
        words=first_words(secrecy.blotted(whole(user.typed or user.content)[:READ])),
        asked=user.content,
        typed=user.typed,
        images=_images(user.images),
        replies=tuple(map(_said, exchange.replies)),
        reasoning=exchange.reasoning,
        partial=exchange.partial,
        **facts_of(exchange),
    )


def facts_of(exchange: Exchange) -> dict[str, Any]:
    """Return what is kept of an exchange beside its texts: what it took and cost, and what a reader must know."""
    entry = exchange.entry
    usage, timing = (entry.usage, entry.timing) if entry is not None else (None, None)
    return {
        "cuts": tuple(KeptCut(c.name, c.what, c.sent, c.of, c.why) for c in exchange.user.cuts),
        "notices": exchange.notices,
        "model": "" if entry is None else entry.asked,
        "served": None if entry is None else entry.answered,
        "tokens": None if usage is None else _tokens(usage),
        "cost": None if entry is None else entry.cost,
        "first": None if timing is None else timing.first_token,
        "total": None if timing is None else timing.total,
        "outcome": "done" if entry is None else entry.outcome,
        "error": None if entry is None else entry.error,
        "at": None if entry is None else entry.time.timestamp(),
        "request_id": None if entry is None else entry.request_id,
        "ignored": 0 if entry is None else entry.ignored,
    }


def exchange_of(turn: KeptTurn) -> Exchange:
    """Return a kept turn as an exchange of a conversation.

    An image that isn't kept is named in what is sent, so that the next model knows what was there.
    """
    images, lost = [], []
    for each in turn.images:
        if each.url.startswith("data:image/"):
            images.append(Image(each.url, each.type, each.size, each.label))
        else:
            lost.append(f"{each.label or 'image'}, {each.size:,} bytes")
    notices = [
        *turn.notices,
        *([SHORTENED] if turn.shortened else []),
        *(f"This image was not kept: {i}." for i in lost),
    ]
    content = "\n\n".join([*([turn.asked] if turn.asked else []), *(f"[An image that is not kept: {i}]" for i in lost)])
    user = Message(
        "user",
        whole(content),
        images=tuple(images),
        typed=turn.asked if lost and turn.typed is None else turn.typed,
        cuts=tuple(Cut(c.name, c.what, c.sent, c.of, c.why) for c in turn.cuts),
    )
    return Exchange(
        turn.id,
        user,
        tuple(map(_message, turn.replies)),
        turn.cell,
        turn.partial,
        _entry(turn),
        whole(turn.reasoning),
        tuple(dict.fromkeys(map(whole, notices))),
    )


def _is_within(names: list[str], ids: list[str]) -> bool:
    """Whether a line is part of another one, which may have begun before texts were kept."""
    if names[0] not in ids:
        return False
    start = ids.index(names[0])
    return names == ids[start : start + len(names)]


def _once(made: dict[KeptTurn, Exchange], turn: KeptTurn) -> Exchange:
    if turn not in made:
        made[turn] = exchange_of(turn)
    return made[turn]


def _entry(turn: KeptTurn) -> Entry | None:
    if not turn.model:
        return None
    return Entry(
        asked=turn.model,
        answered=turn.served,
        usage=Usage(*turn.tokens) if turn.tokens is not None else Usage(),
        cost=turn.cost,
        timing=None if turn.total is None else Timing(turn.first, turn.total),
        outcome=_OUTCOMES.get(turn.outcome, "done"),
        error=turn.error,
        request_id=turn.request_id,
        ignored=turn.ignored,
        time=datetime.fromtimestamp(turn.t if turn.at is None else turn.at, timezone.utc),
    )


def _tokens(usage: Usage) -> tuple[int | None, int | None, int | None, int | None, int | None]:
    return (
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )


def _images(images: Iterable[Image]) -> tuple[KeptImage, ...]:
    found, room = [], MOST_IMAGES
    for image in images:
        is_small = len(image.data_url) <= min(MOST_IMAGE, room)
        room -= len(image.data_url) if is_small else 0
        found.append(KeptImage(image.label, image.media_type, image.size, image.data_url if is_small else ""))
    return tuple(found)


def _said(message: Message) -> Said:
    calls = tuple(KeptCall(c.id, c.name, c.arguments, c.extra) for c in message.tool_calls)
    role = "tool" if message.role == "tool" else "assistant"
    return Said(role, message.content, calls, message.tool_call_id, message.name, message.aside, message.model)


def _message(said: Said) -> Message:
    return Message(
        "tool" if said.role == "tool" else "assistant",
        whole(said.text),
        tool_calls=tuple(ToolCall(c.id, c.name, c.arguments, members_only(c.extra)) for c in said.calls),
        tool_call_id=said.call_id,
        name=said.name,
        aside=members_only(said.aside),
        model=said.model,
    )
