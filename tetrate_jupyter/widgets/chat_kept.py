"""What the page keeps of each answer for another kernel beside its texts, and the exchange that is made of it again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import msgspec

from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.engine.remembering import exchange_of, facts_of
from tetrate_jupyter.history.turn import VERSION, KeptTurn, Said, UnreadableTurn, decoded, possible
from tetrate_jupyter.http.chunk_reading import whole
from tetrate_jupyter.render.answer import beside_chip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.conversation import Exchange

BROKEN: Final = "the kernel ended"  # why an answer that was being written is only a part
MOST: Final = 40_000  # characters of what is kept of one answer beside its texts; of more, its figures and marks are
_LONGEST: Final = 2_000  # characters of a notice
_FACTS: Final = frozenset(
    {
        "cuts",
        "notices",
        "model",
        "served",
        "tokens",
        "cost",
        "first",
        "total",
        "outcome",
        "error",
        "at",
        "request_id",
        "ignored",
    }
)


def kept(exchange: Exchange) -> dict[str, Any]:
    """Return what the page is told to keep of an answer: notices, what was cut, model, times, tokens, cost."""
    facts = facts_of(exchange)
    told = _told({**facts, "notices": [notice[:_LONGEST] for notice in exchange.notices]})
    if len(msgspec.json.encode(told)) <= MOST:
        return told
    return _told({**facts, "cuts": (), "notices": _marks(exchange.notices)})


def kept_so_far(notices: Sequence[str]) -> dict[str, Any]:
    """Return the same of an answer that is being written: what it took isn't known yet."""
    told = {"notices": [notice[:_LONGEST] for notice in notices]}
    return told if len(msgspec.json.encode(told)) <= MOST else {"notices": _marks(notices)}


def given_back(given: Sequence[Any]) -> Exchange:
    """Return the exchange that a page gives back; see `EarlierList.take_back`."""
    prompt, sent, answer, partial, *more = given
    name, facts, *_ = (*more, "", None)
    model = one_line(str(name or ""), MAX_NAME)
    texts = {
        "v": VERSION,
        "t": round(time.time(), 3),
        "id": uuid4().hex[:12],
        "root": "-",
        "branch": "-",
        "asked": whole(str(sent or prompt)),
        "typed": whole(str(prompt)) if sent else None,
        "replies": (Said("assistant", whole(str(answer)), model=whole(model)),),
        "partial": bool(partial),
    }
    return exchange_of(_read(facts, texts))


def _read(facts: object, texts: dict[str, Any]) -> KeptTurn:
    """Return the turn with these texts, and with the facts where they can be."""
    wanted = {name: facts[name] for name in _FACTS & facts.keys()} if isinstance(facts, dict) else {}
    try:
        told = msgspec.json.encode(wanted)
        if len(told) <= 2 * MOST:
            return decoded(msgspec.json.encode({**wanted, **texts}), KeptTurn)
    except (UnreadableTurn, ValueError, TypeError, RecursionError):  # no page of ours has written these
        pass
    return KeptTurn(**texts)


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """Return those that say something, as a page can hold them; what can't be of them is unknown."""
    turn = possible(KeptTurn(v=VERSION, t=0.0, id="-", root="-", branch="-", asked="", **facts))
    told: dict[str, Any] = msgspec.to_builtins(turn)
    return {name: told[name] for name in sorted(_FACTS & told.keys())}


def _marks(notices: Sequence[str]) -> list[str]:
    beside = set(beside_chip(notices))
    return [notice for notice in notices if notice not in beside]
