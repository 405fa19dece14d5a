"""One turn of a conversation as one line of JSON: what was asked, what came of it, and where in the conversation it is.

A turn names the one `after` which it stands, so that the lines of a conversation, branches included, come together
again whoever has written them and in whichever file. A turn that was asked anew has the same `id`; the newest counts.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from tetrate_jupyter import secrecy
from tetrate_jupyter.answers.kept import KeptCall, KeptCut  # noqa: TC001 - msgspec reads the annotations
from tetrate_jupyter.characters import one_line
from tetrate_jupyter.http.chunk_reading import whole
from tetrate_jupyter.http.gate import incoming

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION: Final = 1
MOST_LINE: Final = 2_000_000  # bytes of one turn: an answer of 400,000 tokens fits; what is longer is cut, and says so
MOST_IMAGE: Final = 64_000  # characters of an image that is kept whole: a small picture, a sketch
MOST_IMAGES: Final = 256_000  # characters of all images of one turn
WORDS: Final = 120  # characters of the question's beginning, for lists
READ: Final = 20_000  # characters in which that is looked for: what was pasted may stand before it
_PASTED: Final = re.compile(r"^[ \t]*\|[^\n]*\|[ \t]*$|^[ \t]*```.*?(?:^[ \t]*```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_MOST_TIME: Final = 1e11  # seconds since the epoch: the year 5138
_LEAST_COST: Final = Decimal("1e-12")
_MOST_COST: Final = Decimal(10**6)
_MOST_TOKENS: Final = 10**9
_MOST_SECONDS: Final = 10**6


class KeptImage(msgspec.Struct, frozen=True, omit_defaults=True):
    """An image: its bytes as a `data:` URL where it is small, else only what it was. `size`: bytes."""

    label: str
    type: str
    size: int
    url: str = ""


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message that followed the question, as `Message`."""

    role: str
    text: str = ""
    calls: tuple[KeptCall, ...] = ()
    call_id: str | None = None
    name: str | None = None
    aside: str = ""
    model: str = ""


class TurnHead(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a `KeptTurn` that lists are made of, without its texts."""

    v: int
    t: float
    id: str
    root: str
    branch: str
    after: str = ""
    notebook: str | None = None
    words: str = ""
    model: str = ""
    served: str | None = None
    cost: Decimal | None = None


class KeptTurn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question with all that followed it.

    `t`: when its answer was there, seconds since the epoch. `root`: the conversation; `branch`: the line of it that
    the turn was asked in; `after`: the id of the turn before it, "" for the first. `words`: how the question begins.
    `tokens`: prompt, completion, cached, cache writes, reasoning; None for unknown, as `cost` (US dollars). `at`: when
    what it cost was noted. The rest as in `ledger.window.Entry`.
    `shortened`: parts of it were longer than what is kept.
    """

    v: int
    t: float
    id: str
    root: str
    branch: str
    after: str = ""
    notebook: str | None = None
    cell: str | None = None
    words: str = ""
    asked: str
    typed: str | None = None
    images: tuple[KeptImage, ...] = ()
    cuts: tuple[KeptCut, ...] = ()
    replies: tuple[Said, ...] = ()
    reasoning: str = ""
    notices: tuple[str, ...] = ()
    partial: bool = False
    model: str = ""
    served: str | None = None
    tokens: tuple[int | None, int | None, int | None, int | None, int | None] | None = None
    cost: Decimal | None = None
    first: float | None = None
    total: float | None = None
    outcome: str = "done"
    error: str | None = None
    at: float | None = None
    request_id: str | None = None
    ignored: int = 0
    shortened: bool = False


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a `KeptTurn` that is searched."""

    v: int
    t: float
    root: str
    asked: str
    typed: str | None = None
    replies: tuple[Said, ...] = ()


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person has said of the conversation `root` at `t`: its `name` ("": none any more), a `star`.

    `gone`: what was said in it up to this moment is erased. None: nothing is said of that.
    """

    v: int
    t: float
    root: str
    name: str | None = None
    star: bool | None = None
    gone: float | None = None


class UnreadableTurn(ValueError):  # noqa: N818 - no error of the package: whoever reads a line leaves it out
    """A line is no turn."""


LineT = TypeVar("LineT", TurnHead, KeptTurn, Texts, Mark)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")
_KINDS: Final = (TurnHead, KeptTurn, Texts, Mark)
_DECODERS: Final[dict[type, msgspec.json.Decoder[Any]]] = {kind: msgspec.json.Decoder(kind) for kind in _KINDS}


def encoded(turn: KeptTurn) -> bytes | None:
    """Return the turn as a line, with its end, without keys and within bounds; None where a key is left in it."""
    turn = possible(_clean(turn))
    line = _ENCODER.encode(turn)
    if len(line) > MOST_LINE:
        line = _ENCODER.encode(_shortened(turn))
    return None if secrecy.holds(line) else line + b"\n"


def marked(mark: Mark) -> bytes | None:
    """Return a mark as a line, with its end; None where a key is in it."""
    line = _ENCODER.encode(mark)
    return None if secrecy.holds(line) else line + b"\n"


def decoded(line: bytes, kind: type[LineT]) -> LineT:
    """Return a line as a turn or the part of one; a key of this process in it is blotted. Raises `UnreadableTurn`."""
    try:
        found: LineT = _DECODERS[kind].decode(bytes(incoming(line)))
        is_one = found.v == VERSION and _is_sound(found)
    except (ValueError, ArithmeticError, RecursionError):  # msgspec's and decimal's own, and what is no UTF-8
        raise UnreadableTurn from None
    if not is_one:
        raise UnreadableTurn
    return found


def first_words(text: str, limit: int = WORDS) -> str:
    """Return how a question begins, on one line of at most `limit` characters, cut at a word where it has any.

    Tables and code that were pasted into it are left out, unless there is nothing else.
    """
    start = text[:READ]
    line = one_line(_PASTED.sub(" ", start)) or one_line(start)
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    words = cut if line[limit - 1] == " " else cut.rpartition(" ")[0]
    return f"{(words if len(words) > limit // 2 else cut).rstrip()}…"


def _is_sound(found: TurnHead | KeptTurn | Texts | Mark) -> bool:
    """Whether what is told of a turn can be: a file may have been written by anybody."""
    if not (0 <= found.t < _MOST_TIME and found.root):
        return False
    if isinstance(found, Mark):
        return _is_within(found.gone, _MOST_TIME)
    if isinstance(found, Texts):
        return True
    if not (found.id and _is_cost(found.cost)):
        return False
    return isinstance(found, TurnHead) or (
        _is_within(found.at, _MOST_TIME)
        and all(_is_within(number, _MOST_TOKENS) for number in found.tokens or ())
        and _is_within(found.first, _MOST_SECONDS)
        and _is_within(found.total, _MOST_SECONDS)
        and all(each.role in {"assistant", "tool"} for each in found.replies)
    )


def _is_cost(cost: Decimal | None) -> bool:
    return cost is None or (cost.is_finite() and (not cost or _LEAST_COST <= cost <= _MOST_COST))


def _is_within(number: float | None, most: float) -> bool:
    return number is None or 0 <= number <= most


def possible(turn: KeptTurn) -> KeptTurn:
    """Return a turn with what can't be of its figures as unknown, so that it can be read again."""
    tokens = turn.tokens and tuple(n if _is_within(n, _MOST_TOKENS) else None for n in turn.tokens)
    figures = {
        "cost": turn.cost if _is_cost(turn.cost) else None,
        "tokens": tokens,
        "at": turn.at if _is_within(turn.at, _MOST_TIME) else None,
        "first": turn.first if _is_within(turn.first, _MOST_SECONDS) else None,
        "total": turn.total if _is_within(turn.total, _MOST_SECONDS) else None,
    }
    return msgspec.structs.replace(turn, **figures)


def _clean(turn: KeptTurn) -> KeptTurn:
    """Return it with every key, and what looks like one, blotted in all that it says, and as text that can be told."""
    return _each_text(turn, lambda text: secrecy.blotted(whole(text)))


def _each_text(turn: KeptTurn, change: Callable[[str], str]) -> KeptTurn:
    """Return the turn with a change made to each of its texts."""

    def said(each: Said) -> Said:
        calls = tuple(
            msgspec.structs.replace(c, name=change(c.name), arguments=change(c.arguments), extra=change(c.extra))
            for c in each.calls
        )
        return msgspec.structs.replace(
            each,
            text=change(each.text),
            calls=calls,
            name=None if each.name is None else change(each.name),
            aside=change(each.aside),
            model=change(each.model),
        )

    return msgspec.structs.replace(
        turn,
        notebook=None if turn.notebook is None else change(turn.notebook),
        words=change(turn.words),
        asked=change(turn.asked),
        typed=None if turn.typed is None else change(turn.typed),
        images=tuple(msgspec.structs.replace(i, label=change(i.label)) for i in turn.images),
        cuts=tuple(msgspec.structs.replace(c, name=change(c.name)) for c in turn.cuts),
        replies=tuple(map(said, turn.replies)),
        reasoning=change(turn.reasoning),
        notices=tuple(map(change, turn.notices)),
    )


def _shortened(turn: KeptTurn) -> KeptTurn:
    """Return a turn that is too long within the bound: question and answer, without tools, images and reasoning."""
    answer = next((each for each in reversed(turn.replies) if each.role == "assistant" and each.text), None)
    short = msgspec.structs.replace(
        turn,
        images=tuple(msgspec.structs.replace(i, url="", label=i.label[:WORDS]) for i in turn.images[:20]),
        cuts=(),
        replies=() if answer is None else (Said("assistant", answer.text, model=answer.model),),
        reasoning="",
        notices=tuple(notice[:WORDS] for notice in turn.notices[:20]),
        shortened=True,
    )
    most = MOST_LINE // 2
    while len(_ENCODER.encode(short)) > MOST_LINE:
        short = _each_text(short, lambda text, most=most: _cut(text, most))  # type: ignore[misc]  # bound now
        most //= 2
    return short


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n[… {len(text) - most:,} characters were not kept]"
