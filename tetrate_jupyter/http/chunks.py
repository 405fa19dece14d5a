"""A completion as it is on the wire, streamed or whole, as typed structs; fields that we don't use are ignored.

Everything may be missing or null. Members whose shape varies stay JSON (`msgspec.Raw`) until they are used. A choice
has a `delta` (streamed) or a `message` (whole), which are read alike.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Final

import msgspec

from tetrate_jupyter import config
from tetrate_jupyter.http import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING: Final = msgspec.Raw()  # a missing member
_NOT_GIVEN: Final = frozenset({b"", b"null", b"{}", b'""', b"false", b"[]", b"0"})  # ways to express that there is none
_LONGEST_NOT_GIVEN: Final = 16
_LONGEST_EXTRA: Final = 256 * 1024  # bytes of the unknown members of one call; signatures have a few thousand
_LONGEST_NUMBER: Final = 32  # characters of a number written as text
_KNOWN: Final = frozenset({"index", "id", "type", "function", "name", "arguments", "parameters"})  # members of a call


class ToolCallDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of a tool call. Some gateways send no id, no index, or the same index for several calls.

    `name` may be repeated whole in every chunk, or come in pieces. `extra` holds the unknown members as JSON: they have
    to be sent back with the call.
    """

    index: int | None = None
    id: str | None = None
    name: str | None = None
    arguments: str | None = None
    extra: dict[str, bytes] | None = None


class Delta(msgspec.Struct, frozen=True, gc=False):
    """What a chunk adds to a choice; the message of a whole completion has the same members."""

    content: str | None = None
    reasoning_content: msgspec.Raw = NOTHING
    reasoning: msgspec.Raw = NOTHING
    thinking: msgspec.Raw = NOTHING
    calls: msgspec.Raw = msgspec.field(name="tool_calls", default=NOTHING)
    refusal: str | None = None
    images: msgspec.Raw = NOTHING
    function_call: msgspec.Raw = NOTHING
    reasoning_details: msgspec.Raw = NOTHING
    thinking_blocks: msgspec.Raw = NOTHING
    audio: msgspec.Raw = NOTHING

    @property
    def words(self) -> str:
        """The text; where there is none, what is spoken."""
        return self.content or (self.spoken if self.audio is not NOTHING else "")

    @property
    def spoken(self) -> str:
        """The words of an answer that is sound, or ""."""
        said = (members(self.audio) or {}).get("transcript") if is_given(self.audio) else None
        return _string(said) or ""

    @property
    def reasoning_text(self) -> str:
        """The model's reasoning, under whichever of three names it came, or ""."""
        return self.named_reasoning[1]

    @property
    def has_reasoning(self) -> bool:
        """Whether it holds any reasoning, as text or in entries of its own."""
        return bool(self.reasoning_text) or is_given(self.reasoning_details) or is_given(self.thinking_blocks)

    @property
    def named_reasoning(self) -> tuple[str, str]:
        """The name under which reasoning came, and its text; "" and "" where none did."""
        if self.reasoning_content is not NOTHING and (text := _text(self.reasoning_content)):
            return "reasoning_content", text
        if self.reasoning is not NOTHING and (text := _text(self.reasoning)):
            return "reasoning", text
        if self.thinking is not NOTHING and (text := _text(self.thinking)):
            return "thinking", text
        return "", ""

    @property
    def tool_calls(self) -> list[ToolCallDelta]:
        """The pieces of tool calls; anything else there is left out."""
        return read_calls(self.calls) if is_given(self.calls) else []

    @property
    def only_call(self) -> ToolCallDelta:
        """The piece of the one call that `function_call` holds, as the API had it before `tool_calls`."""
        return _call({"function": self.function_call})

    @property
    def has_images(self) -> bool:
        """Whether it contains images, which aren't read."""
        return self.images is not NOTHING and is_given(self.images)

    @property
    def is_plain(self) -> bool:
        """Whether it holds nothing but text, if anything."""
        return (
            self.reasoning_content is NOTHING
            and self.calls is NOTHING
            and self.refusal is None
            and self.reasoning is NOTHING
            and self.thinking is NOTHING
            and self.images is NOTHING
            and self.function_call is NOTHING
            and self.reasoning_details is NOTHING
            and self.thinking_blocks is NOTHING
        )

    @property
    def has_content(self) -> bool:
        """Whether it holds part of the answer itself: text, a refusal, a call or an image. Reasoning doesn't count."""
        if self.content or self.refusal or (self.audio is not NOTHING and self.spoken):
            return True
        return is_given(self.calls) or self.has_images or is_given(self.function_call)


class Choice(msgspec.Struct, frozen=True, gc=False):
    """One choice of a chunk (`delta`) or of a whole completion (`message`), or with a bare `text` (`/completions`)."""

    delta: Delta | None = None
    finish_reason: str | None = None
    index: int | None = 0
    message: Delta | None = None
    text: str | None = None
    usage: msgspec.Raw = NOTHING
    error: msgspec.Raw = NOTHING

    @property
    def added(self) -> Delta | None:
        """The delta or the message, whichever holds the content; without any, the one with the reasoning.

        Where there is neither, the bare text.
        """
        delta, message = self.delta, self.message
        if delta is None and message is None and self.text:
            return Delta(self.text)
        if message is None or delta is None:
            return delta or message
        if delta.has_content or (delta.has_reasoning and not message.has_content):
            return delta
        return message


class TokenDetails(msgspec.Struct, frozen=True, gc=False):
    """Details of a token count. `cached_tokens` were read from the provider's cache, `caching_tokens` written to it."""

    cached_tokens: int | None = None
    caching_tokens: int | None = None
    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct, frozen=True, gc=False):
    """The usage in tokens, as the router counted it. Those from `input_tokens` on are other servers' names."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: TokenDetails | None = None
    completion_tokens_details: TokenDetails | None = None
    total_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: TokenDetails | None = None
    output_tokens_details: TokenDetails | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None
    cached_tokens: int | None = None


class ChatChunk(msgspec.Struct, frozen=True, gc=False):
    """One chunk of a stream, or a whole completion. The last chunk may have `usage` and no choices.

    `model` is the one that answers; `id` is the completion's, the same in every chunk. `http/usage_names` reads the
    usage where other servers put it.
    """

    choices: list[Choice] | None = None
    usage: WireUsage | None = None
    model: str | None = None
    error: msgspec.Raw = NOTHING
    id: msgspec.Raw = NOTHING
    x_groq: msgspec.Raw = NOTHING
    usage_metadata: msgspec.Raw = NOTHING
    gemini_usage: msgspec.Raw = msgspec.field(name="usageMetadata", default=NOTHING)
    prompt_eval_count: msgspec.Raw = NOTHING
    eval_count: msgspec.Raw = NOTHING

    @property
    def may_have_usage(self) -> bool:
        """Whether there is any place in which usage may stand, under whatever name."""
        if self.usage is not None or any(choice.usage is not NOTHING for choice in self.choices or ()):
            return True
        return not (
            self.x_groq is NOTHING
            and self.usage_metadata is NOTHING
            and self.gemini_usage is NOTHING
            and self.prompt_eval_count is NOTHING
            and self.eval_count is NOTHING
        )

    @property
    def error_content(self) -> object:
        """The error as Python objects; {} for one that can't be read or is longer than any message.

        It may stand in the choice (OpenRouter) or in `x_groq`, too.
        """
        found = next(self._errors(), NOTHING)
        with contextlib.suppress(ValueError, RecursionError):
            if len(bytes(found)) <= config.MAX_ERROR_BYTES:
                return msgspec.json.decode(found)
        return {}

    @property
    def has_error(self) -> bool:
        """Whether `error` says anything: an object whose members are all empty says nothing."""
        if next(self._errors(), None) is None:
            return False
        content = self.error_content
        return not content or not reading.is_hollow(content)

    def _errors(self) -> Iterator[msgspec.Raw]:
        if is_given(self.error):
            yield self.error
        choice = self.choice
        if choice is not None and is_given(choice.error):
            yield choice.error
        if self.x_groq is not NOTHING and is_given(found := (members(self.x_groq) or {}).get("error", NOTHING)):
            yield found

    @property
    def own_id(self) -> str:
        """The completion's id, "" where it has none, or one that isn't a short text."""
        found = short(self.id) if self.id is not NOTHING else None
        return found if isinstance(found, str) else ""

    @property
    def choice(self) -> Choice | None:
        """The choice with index 0 or none, wherever it is in the list (we never request more than one), or None."""
        for choice in self.choices or ():
            if not choice.index:
                return choice
        return None

    @property
    def delta(self) -> Delta | None:
        """What the choice with index 0 adds, or None."""
        choice = self.choice
        return None if choice is None else choice.added

    @property
    def finish_reason(self) -> str | None:
        """Why the choice with index 0 ended ("stop", "length", ...), or None while it goes on; "" counts as None."""
        choice = self.choice
        return None if choice is None else choice.finish_reason or None

    @property
    def has_output(self) -> bool:
        """Whether it holds anything of an answer: content, reasoning or a finish reason. A bare role doesn't count."""
        choice = self.choice
        if choice is None:
            return False
        delta = choice.added
        return bool(choice.finish_reason or (delta is not None and (delta.has_content or delta.has_reasoning)))

    def as_chunk(self) -> ChatChunk:
        """Return a whole completion as the only chunk of a stream, with a finish reason even where it has none."""
        choice = self.choice
        if choice is None and self.choices:
            choice = min(self.choices, key=lambda c: c.index or 0)  # numbered from another start
        choices = (
            []
            if choice is None
            else [Choice(_joined(choice, self.choices or []), choice.finish_reason or "stop", usage=choice.usage)]
        )
        return msgspec.structs.replace(self, choices=choices, error=NOTHING)


def _joined(choice: Choice, others: list[Choice]) -> Delta | None:
    """Return what a whole choice holds, with the calls that stand in another one without a number (Copilot)."""
    found = choice.added
    for more in (other.added for other in others if other is not choice and not other.index):
        if found is not None and more is not None:
            calls = found.calls if is_given(found.calls) else more.calls
            found = msgspec.structs.replace(found, content=found.content or more.content, calls=calls)
    return found


def is_given(member: msgspec.Raw) -> bool:
    """Whether a member is there and isn't empty: null, "", {}, [], 0 and false are."""
    if member is NOTHING:
        return False
    content = bytes(member)
    return len(content) > _LONGEST_NOT_GIVEN or b"".join(content.split()) not in _NOT_GIVEN


def _text(value: msgspec.Raw) -> str:
    """Return the text that a member holds, in whatever parts; "" where there is none."""
    try:
        return msgspec.json.decode(value, type=str)
    except ValueError:
        return reading.words_in(reading.loosely(value))


def read_calls(raw: msgspec.Raw) -> list[ToolCallDelta]:
    """Read `tool_calls`: a list of pieces, or a single one; anything else is left out."""
    try:
        return [_call(each) for each in _decode_calls(raw)]
    except reading.UNREADABLE:
        pass
    try:
        entries = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except reading.UNREADABLE:
        found = reading.loosely(raw)  # halves of a surrogate pair, as the pieces of a text that was cut there have them
        entries = [reading.raw(each) for each in found] if isinstance(found, list) else [raw]
    return [_call(found) for each in entries if (found := members(each)) is not None]


_decode_calls = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def members(raw: msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    """Return the members of an object, unread; None where it is none."""
    try:
        return _decode_members(raw)
    except reading.UNREADABLE:
        found = reading.loosely(raw) if bytes(raw)[:1] == b"{" else None
    return {name: reading.raw(value) for name, value in found.items()} if isinstance(found, dict) else None


def _call(found: dict[str, msgspec.Raw]) -> ToolCallDelta:
    function = members(found["function"]) if "function" in found else None
    function = {
        **found,
        **(function or {}),
    }  # some servers write the call's name and arguments beside it, or only there
    extra = None
    if found.keys() - _KNOWN:
        extra = {key: bytes(value) for key, value in found.items() if key not in _KNOWN}
        if sum(map(len, extra.values())) > _LONGEST_EXTRA:
            extra = None
    identity = short(found.get("id"))
    return ToolCallDelta(
        count(short(found.get("index"))),
        str(identity) if type(identity) in {int, str} else None,
        _string(function.get("name")),
        _arguments(function.get("arguments", function.get("parameters"))),
        extra,
    )


def short(raw: msgspec.Raw | None) -> object:
    """Return a short member, decoded; None where it is missing, longer or unreadable."""
    if raw is None or len(bytes(raw)) > config.MAX_CALL_ID * 6:
        return None
    try:
        return msgspec.json.decode(raw)
    except reading.UNREADABLE:
        return None


def _string(raw: msgspec.Raw | None) -> str | None:
    if raw is None or bytes(raw)[:1] != b'"':
        return None
    try:
        return msgspec.json.decode(raw, type=str)
    except reading.UNREADABLE:
        return str(json.loads(bytes(raw), strict=False))  # Python's parser accepts halves of a surrogate pair


def _arguments(raw: msgspec.Raw | None) -> str | None:
    """Return a call's arguments as text, unchanged; some servers send them as an object rather than as a string."""
    text = _string(raw)
    if raw is None or text is not None or bytes(raw) == b"null":
        return text
    return bytes(raw).decode()


def count(value: object) -> int | None:
    """Return a whole number that is given as int, float or text; None for anything else."""
    if type(value) is int:
        return value
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER:
        with contextlib.suppress(ValueError):
            value = float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None
