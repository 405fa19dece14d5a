"""The value types that every room shares: frozen, without behaviour beyond their own arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from tetrate_jupyter import secrecy

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
JSONObject: TypeAlias = "dict[str, JSON]"
Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


class AnswerLike(Protocol):
    """What an error may carry of an answer."""

    @property
    def text(self) -> str:
        """The text so far."""
        ...


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens. None is "unknown", which is never 0; Decimal("0") is "free"."""

    __module__ = "tetrate_jupyter"

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One model this key reaches. Whatever the router doesn't say is None (unknown), never a guess.

    `context_window`, `max_output_tokens`, `long_context_threshold` are tokens. `capabilities` holds the catalog's own
    words ("vision", "tool_choice", "reasoning", "structured_outputs", ...), or None where the model isn't catalogued.
    """

    __module__ = "tetrate_jupyter"

    id: str
    name: str
    provider: str | None = None
    mode: str | None = None
    description: str = ""
    context_window: int | None = None
    max_output_tokens: int | None = None
    price: Price = field(default_factory=Price)
    capabilities: frozenset[str] | None = None
    images: bool | None = None
    tools: bool | None = None
    reasoning: bool | None = None
    structured_output: bool | None = None
    reasoning_efforts: tuple[str, ...] = ()
    long_context_threshold: int | None = None
    deprecated: bool = False
    preview: bool = False
    retirement_date: date | None = None
    release_date: date | None = None
    fallbacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the router counted them; None where it did not say. Reasoning tokens are part of completion tokens."""

    __module__ = "tetrate_jupyter"

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds on a monotonic clock. `first_token` is None when no text came."""

    __module__ = "tetrate_jupyter"

    first_token: float | None
    total: float

    @property
    def waiting(self) -> float:
        """Seconds until the first token (all of it, where none came)."""
        return self.total if self.first_token is None else self.first_token

    @property
    def writing(self) -> float:
        """Seconds from the first token to the end."""
        return self.total - self.waiting


@dataclass(frozen=True, slots=True)
class Image:
    """An image ready to be sent: a `data:` URL and what it was made from (for display, never a path in full)."""

    data_url: str = field(repr=False)
    media_type: str
    size: int
    label: str = "image"

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", secrecy.redact(self.label))  # shown and saved, though never sent


@dataclass(frozen=True, slots=True)
class OutputImage(Image):
    """A picture of a cell's output that goes along with a question: left out for a model that reads none."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Something of a value that a model was not sent: `sent` of `of` rows, columns, members, characters.

    `name` is what the person calls the value ("df", "data['rows']"). With `of` 0 it is empty. With `of` None, `what`
    says what was done to `sent` of them ("cells shortened"). `why` is there where more was asked for ("no more are
    sure to fit the model's window"). `text` is the beginning and end of what was sent of it, "" for unknown.
    """

    name: str
    what: str
    sent: int
    of: int | None = None
    why: str = ""
    text: str = field(default="", compare=False, repr=False)

    @property
    def sentence(self) -> str:
        """The line that a reader gets: "df: 15 of 2,000 rows sent"."""
        if self.of == 0:
            said = f"{self.name} is empty"
        elif self.of is None:
            first, _, rest = self.what.partition(" ")
            what = f"{first.removesuffix('s') if self.sent == 1 else first} {rest}".rstrip()
            said = f"{self.name}: {self.sent:,} {what}"
        else:
            said = f"{self.name}: {self.sent:,} of {self.of:,} {self.what} sent"
        return f"{said} ({self.why})" if self.why else said


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asked for. `arguments` is JSON text as the model wrote it, which may be broken.

    `extra`: JSON of the members that came with it and are unknown here; they go back with it.
    """

    id: str
    name: str
    arguments: str
    extra: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. `tool_call_id` and `name` belong to role "tool".

    `typed` is a prompt as the person wrote it, where variables were put into `content`; `cuts` is what was left out of
    those. Both are shown and never sent. `aside` belongs to calls of tools: JSON of the members that came with them (a
    model's reasoning) and go back to the model `model`, and to no other.
    """

    __module__ = "tetrate_jupyter"

    role: Role
    content: str
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    typed: str | None = field(default=None, compare=False)
    cuts: tuple[Cut, ...] = field(default=(), compare=False)
    aside: str = field(default="", repr=False, compare=False)
    model: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back for one call. `seconds` is the time it took.

    `error` is a message where it raised or could not be called as asked; `raised` its own error where it raised.
    `cuts` is what was left out of the result.
    """

    call: ToolCall
    result: str
    seconds: float
    error: str | None = None
    raised: BaseException | None = field(default=None, repr=False, compare=False)
    cuts: tuple[Cut, ...] = ()


class GrowingText:
    """Text that grows at its end: one thread appends, any may read. `length` is its characters.

    Pieces are joined once in a while, so that small ones don't stay in memory one by one, and a reader joins only what
    is new since; n pieces cost about n, however often they are read.
    """

    __slots__ = ("_parts", "_seen", "length")

    def __init__(self) -> None:
        self.length = 0
        # Replaced as a whole, so that another thread sees either the old pair or the new one.
        self._parts: tuple[str, list[str]] = ("", [])
        self._seen: tuple[int, int, str] = (0, 0, "")  # what a reader was given last, and of how much it was made

    def append(self, piece: str) -> None:
        """Add to the end."""
        joined, pieces = self._parts
        pieces.append(piece)
        self.length += len(piece)
        if len(pieces) >= 512 + len(joined) // 64:  # joining costs what is there: it happens as it grows by parts
            self._parts = (joined + "".join(pieces), [])

    def text(self) -> str:
        """Return all text so far."""
        joined, pieces = self._parts
        count = len(pieces)
        had_joined, had_count, text = self._seen
        if (had_joined, had_count) != (len(joined), count):
            text = joined + "".join(pieces[:count]) if count else joined
            self._seen = (len(joined), count, text)
        return text

    def __bool__(self) -> bool:
        return self.length > 0


class _Snapshot:
    """Joins the text so far when asked, so that a stream of n chunks costs n and not n squared."""

    __slots__ = ("_length", "_so_far", "delta")

    def __init__(self, delta: str, so_far: GrowingText) -> None:
        self.delta = delta
        self._so_far = so_far
        self._length = so_far.length

    @property
    def snapshot(self) -> str:
        """All text of this kind up to and with this event."""
        return self._so_far.text()[: self._length]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.delta!r})"


class TextDelta(_Snapshot):
    """More text of the answer: `delta`, and `snapshot` with all so far."""

    __module__ = "tetrate_jupyter"

    __slots__ = ()


class ReasoningDelta(_Snapshot):
    """More of the model's reasoning, where it shows any: `delta`, and `snapshot`."""

    __module__ = "tetrate_jupyter"

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool has been run for the model."""

    __module__ = "tetrate_jupyter"

    result: ToolResult


@dataclass(frozen=True, slots=True)
class Retrying:
    """The request failed before any output and will be sent again in `seconds`. `reason` is one short sentence.

    `may_have_cost`: the failed one had left, and no status refused it, so it may have been billed all the same.
    `error`: the name of its kind of error.
    """

    __module__ = "tetrate_jupyter"

    reason: str
    seconds: float
    attempt: int
    may_have_cost: bool = False
    error: str = ""


Event: TypeAlias = TextDelta | ReasoningDelta | ToolCalled | Retrying
