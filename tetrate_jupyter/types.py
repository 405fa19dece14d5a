"""The value types that every room shares: frozen, without behaviour beyond their own arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol, TypeAlias

from tetrate_jupyter import secrecy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from decimal import Decimal

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
JSONObject: TypeAlias = "dict[str, JSON]"
Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
Effort: TypeAlias = str  # values differ per model ("none", "minimal", "low", ... "max"): see Model.reasoning_efforts


class AnswerLike(Protocol):
    """What an error may carry of an answer."""

    @property
    def text(self) -> str:
        """The text so far."""
        ...


class Secret:
    """A key, or anything else that must never be shown. Bound to the gateway `host` it was made for.

    Shows itself as "<secret>" in every form (repr, str, format); can't be pickled or turned into JSON, and a copy of it
    is itself. What shows objects (`vars`, `copy`, `dill`, `jsonpickle`, rich's `inspect` and tracebacks with locals)
    finds no text in it. That keeps it from being shown by accident; it keeps nothing from code that asks for it.
    `reveal()` is called where the header is written and where the key is stored, nowhere else.
    `searched=False`: for what anybody may have sent. No text is refused or changed since it holds that.
    """

    __slots__ = ("__weakref__", "_text", "host")

    def __init__(self, value: str, *, host: str, searched: bool = True) -> None:
        # a function, since whatever walks through attributes shows those and not what a function closes over
        self._text: Callable[[], str] = lambda: value
        self.host = host
        if searched:
            secrecy.note(self)  # from now on no text that holds it is sent or shown

    @classmethod
    def typed(cls, text: object, *, searched: bool = True) -> Secret:
        """Wrap what a person typed, for a host that is named later by `bound_to`. What is no text is no key: "".

        To be called in the first line that sees the text, which then lets go of it: a frame of an error has no other.
        A `Secret` is given back as it is, bound as it was.
        """
        if isinstance(text, Secret):
            return text
        return cls(text.strip() if isinstance(text, str) else "", host="", searched=searched)

    def bound_to(self, host: str) -> Secret:
        """Return it as one for `host`, where it has none yet; one that was made for a host stays that host's."""
        return self if self.host else Secret(self._text(), host=host)

    def reveal(self) -> str:
        """Return the plain text; the caller must not keep it."""
        return self._text()

    def is_inside(self, text: str) -> bool:
        """Whether `text` holds this secret."""
        return bool(self._text()) and self._text() in text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text() == self._text() and other.host == self.host

    def __hash__(self) -> int:
        return hash((Secret, self._text(), self.host))

    def __repr__(self) -> str:
        return "<secret>"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled")

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a secret can't be pickled")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens. None is "unknown", which is never 0; Decimal("0") is "free"."""

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

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds on a monotonic clock. `first_token` is None when no text came."""

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
class Cut:
    """Something of a value that a model was not sent: `sent` of `of` rows, columns, members, characters.

    `name` is what the person calls the value ("df", "data['rows']"). With `of` None, `what` says what was done to
    `sent` of them ("cells shortened"). `why` is there where more was asked for ("no more fit the model's window").
    """

    name: str
    what: str
    sent: int
    of: int | None = None
    why: str = ""

    @property
    def sentence(self) -> str:
        """The line that a reader gets: "df: 15 of 2,000 rows sent"."""
        if self.of is None:
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

    __slots__ = ()


class ReasoningDelta(_Snapshot):
    """More of the model's reasoning, where it shows any: `delta`, and `snapshot`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool has been run for the model."""

    result: ToolResult


@dataclass(frozen=True, slots=True)
class Retrying:
    """The request failed before any output and will be sent again in `seconds`. `reason` is one short sentence.

    `may_have_cost`: the failed one had left, and no status refused it, so it may have been billed all the same.
    """

    reason: str
    seconds: float
    attempt: int
    may_have_cost: bool = False


Event: TypeAlias = TextDelta | ReasoningDelta | ToolCalled | Retrying
Params: TypeAlias = "Mapping[str, Any]"  # request parameters by the API's own names; checked by the router
