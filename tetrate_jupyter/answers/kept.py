"""A kept answer as it is written down: one line of JSON, which is data and nothing else; and what both places share."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from tetrate_jupyter import secrecy
from tetrate_jupyter.http.gate import incoming

if TYPE_CHECKING:
    from pathlib import Path

VERSION: Final = 1
MAX_LINE: Final = 4_000_000  # bytes of one answer: longer ones are asked anew
_KEY: Final = re.compile(r"[0-9a-f]{64}")
_MOST_COST: Final = Decimal(10**6)
_MOST_TOKENS: Final = 10**9
_MOST_SECONDS: Final = 10**6


class KeptCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call of a tool, as `ToolCall`."""

    id: str
    name: str
    arguments: str
    extra: str = ""


class KeptReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message that followed the question, as `Message`."""

    role: str
    content: str = ""
    calls: tuple[KeptCall, ...] = ()
    call_id: str | None = None
    name: str | None = None
    aside: str = ""
    model: str = ""


class KeptResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a tool gave back, as `ToolResult`."""

    call: KeptCall
    result: str
    seconds: float = 0.0
    error: str | None = None


class KeptCut(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a value wasn't sent, as `Cut`."""

    name: str
    what: str
    sent: int
    of: int | None = None
    why: str = ""


class KeptAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answer. What it answers is in `key` only: no prompt, no host and no key of a router is in it.

    `at`: when it was asked, ISO 8601, UTC. `model`: the id that was asked for; `chosen`: nobody had named it.
    `cost`: estimated US dollars at that time, in digits; None for unknown. `first`, `total`: seconds. `tokens`: prompt,
    completion, cached, cache writes, reasoning; None where the router didn't say. `replies` are left out where they
    are the text alone.
    """

    v: int
    key: str
    at: str
    model: str
    text: str
    served: str = ""
    reasoning: str = ""
    replies: tuple[KeptReply, ...] = ()
    results: tuple[KeptResult, ...] = ()
    finish: str | None = None
    cost: str | None = None
    tokens: tuple[int | None, int | None, int | None, int | None, int | None] = (None, None, None, None, None)
    first: float | None = None
    total: float = 0.0
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cuts: tuple[KeptCut, ...] = ()
    images: bool = False
    simulated: bool = False
    chosen: bool = False

    @property
    def asked_at(self) -> datetime:
        """When it was asked, aware, UTC; the epoch where that can't be read."""
        return moment(self.at)

    @property
    def dollars(self) -> Decimal | None:
        """What it cost when it was asked."""
        return None if self.cost is None else Decimal(self.cost)


class AnswerHead(msgspec.Struct, frozen=True):
    """Of a line what a list of answers needs; the rest is read when it is wanted."""

    v: int
    key: str = ""
    at: str = ""
    model: str = ""
    chosen: bool = False


class UnreadableAnswer(ValueError):  # noqa: N818 - no error of the package: whoever reads a line leaves it out
    """A line is no kept answer."""


def line_of(kept: KeptAnswer) -> bytes | None:
    """Return an answer's line, without its end; None where it is too long or seems to hold a key."""
    line = msgspec.json.encode(kept, order="sorted")
    if len(line) > MAX_LINE or secrecy.looks_secret(line.decode("utf-8", "replace")):
        return None
    return line


def read(line: bytes) -> KeptAnswer:
    """Return the answer of a line; a key of this process in it is blotted. Raises `UnreadableAnswer`."""
    try:
        kept = msgspec.json.decode(bytes(incoming(line)), type=KeptAnswer)
        is_one = kept.v == VERSION and _is_sound(kept)
    except (ValueError, ArithmeticError, RecursionError):  # msgspec's and decimal's own, and what is no UTF-8
        raise UnreadableAnswer from None
    if not is_one:
        raise UnreadableAnswer
    return kept


def head_of(line: bytes) -> AnswerHead:
    """Return the head of a line, of a newer version too. Raises `UnreadableAnswer`."""
    try:
        head = msgspec.json.decode(line, type=AnswerHead)
    except (ValueError, RecursionError):
        raise UnreadableAnswer from None
    if head.v < 1 or _KEY.fullmatch(head.key) is None:
        raise UnreadableAnswer
    return head


def moment(text: str) -> datetime:
    """Return a time in ISO 8601, aware; the epoch where it is none."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return datetime.fromtimestamp(0, timezone.utc)
    return found if found.tzinfo is not None else found.replace(tzinfo=timezone.utc)


def at(kept: KeptAnswer, seconds: float) -> KeptAnswer:
    """Return an answer as of another time, in seconds since the epoch."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return msgspec.structs.replace(kept, at=moment.isoformat(timespec="seconds"))


def _is_sound(kept: KeptAnswer) -> bool:
    """Whether every figure can be one of an answer: a file may have been written by anybody."""
    cost = kept.dollars
    figures = [
        *((number, _MOST_TOKENS) for number in kept.tokens),
        *((number, _MOST_SECONDS) for number in (kept.first, kept.total)),
        *((result.seconds, _MOST_SECONDS) for result in kept.results),
    ]
    return (
        _KEY.fullmatch(kept.key) is not None
        and bool(kept.text.strip())
        and (cost is None or (cost.is_finite() and 0 <= cost <= _MOST_COST))
        and all(number is None or 0 <= number <= most for number, most in figures)
        and all(reply.role in {"assistant", "tool"} for reply in kept.replies)
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """What a place holds. `oldest`, `newest`: when they were asked; None where there are none."""

    where: str
    count: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    models: tuple[tuple[str, int], ...] = ()  # ids with the number of their answers, the most first


class Store(Protocol):
    """A place for answers. Thread-safe; trouble with it is said by `told` and never raised, but by `clear`."""

    where: str  # what a person calls it

    @property
    def path(self) -> Path:
        """Where it is."""
        ...

    def get(self, key: str) -> KeptAnswer | None:
        """Return the answer with this key, None where none can be read."""
        ...

    def put(self, *answers: KeptAnswer) -> None:
        """Keep answers; older ones of the same keys go. They are on disk when this returns."""
        ...

    def chosen(self) -> tuple[str, ...]:
        """Return the models that answered where nobody had named one, the newest first."""
        ...

    def summary(self) -> Summary:
        """Return what is there."""
        ...

    def clear(self, *, before: datetime | None = None) -> int:
        """Remove all answers, or those asked before a time; return how many. Raises `ConfigError`."""
        ...

    def told(self) -> tuple[str, ...]:
        """Return the trouble that nobody has been told of yet, a sentence each; each is said once."""
        ...

    def close(self) -> None:
        """Let go of files; the next use opens them again."""
        ...


class Troubles:
    """Sentences on what went wrong, each told once, but for those on one answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._new: list[str] = []

    def add(self, sentence: str, *, again: bool = False) -> None:
        """Have a sentence told, unless it was before; `again`: also where it was."""
        with self._lock:
            if again or sentence not in self._known:
                self._known.add(sentence)
                self._new.append(sentence)

    def take(self) -> tuple[str, ...]:
        """Return those that are new."""
        if not self._new:
            return ()
        with self._lock:
            new, self._new = tuple(self._new), []
        return new


NOT_KEPT: Final = "This answer was not kept: it seems to hold a key, or is longer than 4 MB."


def reason(error: BaseException) -> str:
    """Return why a file failed, in a few words without its path."""
    return getattr(error, "strerror", None) or str(error)[:200] or type(error).__name__
