"""Kept conversations as they are listed and opened, and a search through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tetrate_jupyter import amounts
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.history import files
from tetrate_jupyter.history.files import Passed
from tetrate_jupyter.history.marks import NOTHING
from tetrate_jupyter.history.turn import Texts, first_words
from tetrate_jupyter.history.words import excerpt, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from tetrate_jupyter.history.files import LineLocation
    from tetrate_jupyter.history.marks import ConversationMarks
    from tetrate_jupyter.history.turn import KeptTurn
    from tetrate_jupyter.ledger.segments import Segment


@dataclass(frozen=True, slots=True)
class Earlier:
    """One kept conversation.

    `number`: its place in the list, from 1. `words`: how its first question begins. `models`: that have answered.
    `turns`: questions with their answers, in all branches. `cost`: estimated US dollars of those whose cost is known,
    None where none is. `began`, `ended`: the first and the last answer, seconds since the epoch. `found`: the line in
    which a search has found something. `name`: what the person calls it, "" for nothing; `starred`: whether it has a
    star.
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
    name: str = ""
    starred: bool = False

    @property
    def title(self) -> str:
        """What it is listed as: its name, or how its first question begins."""
        return self.name or self.words


@dataclass(frozen=True)
class Opened:
    """A conversation read again: its lines, the one used last at the end. `is_cut`: its beginning is not kept."""

    id: str
    lines: tuple[tuple[KeptTurn, ...], ...]
    is_cut: bool = False
    name: str = ""


@dataclass(frozen=True)
class Found:
    """What is on disk now, without what is erased."""

    places: Sequence[LineLocation]
    segments: list[Segment]
    told: Mapping[str, ConversationMarks]
    passed: Passed

    def told_of(self, root: str) -> ConversationMarks:
        """Return what is said of a conversation."""
        return self.told.get(root, NOTHING)


def earlier(number: int, root: str, places: Sequence[LineLocation], hit: str, told: ConversationMarks) -> Earlier:
    """Return a conversation as it is listed, from its turns; `hit`: the line in which a search has found something."""
    once = {(place.head.id, place.head.branch, place.head.t): place.head for place in places}
    heads = sorted(once.values(), key=lambda each: each.t)
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
        name=told.name,
        starred=told.is_starred,
    )


def searched(found: Found, roots: Iterable[str], terms: Sequence[str]) -> dict[str, str]:
    """Return the conversations that have every word, with a line that has one."""
    names = {root: folded(found.told_of(root).name) for root in roots}
    missing = {root: {word for word in terms if word not in name} for root, name in names.items()}
    lines: dict[str, str] = {}
    for texts in files.each(found.segments, Texts, Passed()):
        left = missing.get(texts.root)
        if left is None or found.told_of(texts.root).hides(texts.t):
            continue
        for text in (texts.typed or "", texts.asked, *(reply.text for reply in texts.replies)):
            plain = folded(text)
            hit = next((word for word in terms if word in plain), None)
            if hit is not None:
                left -= {word for word in terms if word in plain}
                lines.setdefault(texts.root, excerpt(text, hit))
    return {root: lines.get(root, "") for root, left in missing.items() if not left}
