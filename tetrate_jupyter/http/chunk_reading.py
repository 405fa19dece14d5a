"""Decode chunks and whole completions: what can be read is used, what can't is left out and noted.

A regular chunk is decoded in one step. An irregular one is read member by member: numbers written as text, parts in
place of text, NaN, half of a surrogate pair (kept as it is, since its other half may follow). Only what would make the
text wrong is refused: a choice, a delta or a content of an unknown shape.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from tetrate_jupyter.http import reading
from tetrate_jupyter.http.chunks import NOTHING, ChatChunk, Choice, Delta, TokenDetails, WireUsage, count, members
from tetrate_jupyter.http.wire import check_objects

if TYPE_CHECKING:
    from tetrate_jupyter.http.faults import Body

D = TypeVar("D", TokenDetails, WireUsage)

_SMALL: Final = 64 * 1024  # bytes; in a smaller document objects aren't counted
_MOST_NOTED: Final = 1_000  # names in `ignored`
_LONGEST_INTEGER: Final = 40  # digits; a longer one is no token count, and parsing it takes quadratic time
_REASONING: Final = ("reasoning_content", "reasoning", "thinking")
_UNREAD: Final = ("images", "function_call", "reasoning_details", "thinking_blocks", "audio")  # members kept as JSON
_PICTURES: Final = ("image", "image_url", "output_image")  # kinds of parts; what stands for a kind may be of any type
_TEXTS: Final = ("text", "output_text")
# What answers of other APIs have, each with how it begins.
_OTHER_ANSWERS: Final = (
    ("message", b"{"),
    ("content", b"["),
    ("candidates", b"["),
    ("output", b"["),
    ("response", b'"'),
)
_ENVELOPES: Final = ("data", "result", "response", "output")  # members that may hold a whole completion
_FOREIGN_USAGE: Final = ("x_groq", "usage_metadata", "usageMetadata", "prompt_eval_count", "eval_count")  # in order

_decode = msgspec.json.Decoder(ChatChunk).decode


def decode_chunk(payload: Body, ignored: list[str] | None = None) -> ChatChunk:
    """Decode one event of a stream, or a whole completion. Raises `ValueError` or `RecursionError`.

    `ignored`: the names of the members that were left out are appended to it.
    """
    if len(payload) > _SMALL:
        check_objects(payload)
    names = [] if ignored is None else ignored
    found = _decoded(payload, names)
    if found.choices is None and b'"choices"' in payload and not found.has_error:
        return _unwrapped(payload, found, names)
    return found


def _decoded(payload: Body, ignored: list[str]) -> ChatChunk:
    try:
        return _decode(payload)
    except reading.UNREADABLE:
        pass
    reading.check_values(payload)
    return _Loose(ignored).chunk(_loose(payload))


def _unwrapped(payload: Body, outer: ChatChunk, ignored: list[str]) -> ChatChunk:
    """Return the completion inside an envelope ({"code": 0, "data": {...}}), as some gateways put it; else `outer`."""
    held = members(msgspec.Raw(bytes(payload))) or {}
    for inner in (bytes(held.get(name, b"")) for name in _ENVELOPES):
        if inner[:1] == b"{" and (found := _decoded(inner, ignored)).choices is not None:
            return msgspec.structs.replace(found, usage=found.usage or outer.usage)
    return outer


def is_of_another_api(body: Body) -> bool:
    """Whether a whole answer is one of Ollama's, Anthropic's, Gemini's or OpenAI's other APIs."""
    held = members(msgspec.Raw(bytes(body))) or {}
    starts = {name: bytes(value)[:1] for name, value in held.items()}
    return any(starts.get(name) == start for name, start in _OTHER_ANSWERS)


def _loose(payload: Body) -> Any:  # noqa: ANN401 - any JSON
    """Decode JSON as Python does: it accepts NaN, control characters in strings and half of a surrogate pair."""
    if len(payload) > reading.MAX_MENDED:
        raise msgspec.DecodeError("too large for a second look")
    try:
        return _python(payload)
    except (RecursionError, json.JSONDecodeError):  # endless nesting, an invalid escape
        return _python(reading.mended(payload))


def _python(payload: Body) -> Any:  # noqa: ANN401 - any JSON
    text = payload.decode(
        "utf-8-sig", "replace"
    )  # a byte that is none of a character becomes U+FFFD, as half a pair does
    return json.loads(text, parse_int=_integer, parse_constant=_no_number, strict=False)


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else None


def _no_number(_: str) -> None:
    return None


class _Loose:
    """Reads decoded JSON as a chunk; the names of what is left out are appended to `ignored`."""

    def __init__(self, ignored: list[str]) -> None:
        self._ignored = ignored

    def chunk(self, found: Any) -> ChatChunk:  # noqa: ANN401 - any JSON
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        if not found:
            self._leave("event")
            return ChatChunk()
        if not isinstance(found, dict):
            raise msgspec.ValidationError("an event that is no chunk")
        choices = found.get("choices")
        if isinstance(choices, dict) and choices and all(map(str.isdecimal, choices)):
            choices = list(choices.values())  # a list by number, as PHP writes one with gaps
        several = choices if isinstance(choices, list) else [choices] if choices else []
        model = found.get("model")
        return ChatChunk(
            [self._choice(each) for each in several if each is not None],
            self._counts(found.get("usage"), WireUsage),
            model if isinstance(model, str) else self._leave("model", model),
            reading.raw(found["error"]) if "error" in found else NOTHING,
            reading.raw(found["id"]) if isinstance(found.get("id"), str) else NOTHING,
            *(reading.raw(found[name]) if found.get(name) else NOTHING for name in _FOREIGN_USAGE),
        )

    def _choice(self, found: Any) -> Choice:  # noqa: ANN401 - any JSON
        if not isinstance(found, dict):
            raise msgspec.ValidationError("a choice that is none")
        reason, index = _named(found.get("finish_reason")), count(found.get("index"))
        return Choice(
            self._delta(found.get("delta")),
            reason if isinstance(reason, str) else self._leave("finish_reason", reason),
            0 if index is None else index,
            self._delta(found.get("message")),
            self._content(found["text"])[0] if self._is_bare(found) else None,
            reading.raw(found["usage"]) if found.get("usage") else NOTHING,
            reading.raw(found["error"]) if found.get("error") else NOTHING,
        )

    def _is_bare(self, found: dict[str, Any]) -> bool:
        return bool(found.get("text")) and not found.get("delta") and not found.get("message")

    def _delta(self, found: Any) -> Delta | None:  # noqa: ANN401 - any JSON
        if not found:
            return None
        if not isinstance(found, dict):
            raise msgspec.ValidationError("a delta that is none")
        thoughts = {name: self._parts(found[name], name)[0] for name in _REASONING if found.get(name)}
        content, thought = self._content(found.get("content"))
        if thought and not any(thoughts.values()):
            thoughts["thinking"] = thought
        parts = _parts_of(found.get("content"))
        refusal, calls = found.get("refusal") or _refusal(parts), found.get("tool_calls")
        if pictures := [part for part in parts if part.get("type") in _PICTURES]:
            found = {**found, "images": found.get("images") or pictures}
        return Delta(
            content or None,
            **{name: reading.raw(text) for name, text in thoughts.items()},
            calls=reading.raw(calls)
            if isinstance(calls, (list, dict))
            else self._leave("tool_calls", calls) or NOTHING,
            refusal=refusal if isinstance(refusal, str) else self._leave("refusal", refusal),
            **{name: reading.raw(found[name]) for name in _UNREAD if found.get(name)},
        )

    def _content(self, found: Any) -> tuple[str, str]:  # noqa: ANN401 - any JSON
        """Return the text and the reasoning in a content, which may be a list of parts."""
        text, thought = self._parts(found, "content")
        if not text and not thought and found and not isinstance(found, (str, list)) and not _is_part(found):
            raise msgspec.ValidationError("a content that is no text")
        return _whole_inside(text), thought

    def _parts(self, found: Any, name: str) -> tuple[str, str]:  # noqa: ANN401 - any JSON
        """Return the text and the reasoning in a string, a part, or a list of either."""
        if isinstance(found, str):
            return found, ""
        said, thought = [], []
        for part in found if isinstance(found, list) else [found]:
            if isinstance(part, str):
                said.append(part)
            elif isinstance(part, dict) and (inner := part.get("thinking") or part.get("reasoning")):
                thought.append(inner if isinstance(inner, str) else self._parts(inner, name)[0])
            elif isinstance(part, dict) and (text := _text_of(part)) is not None:
                said.append(text)
            elif not _is_beside(part):
                self._leave(name, part)
        return "".join(said), "".join(each for each in thought if isinstance(each, str))

    def _counts(self, found: Any, kind: type[D]) -> D | None:  # noqa: ANN401 - any JSON
        if not isinstance(found, dict):
            self._leave("usage", found or None)
            return None
        kept: dict[str, Any] = {}
        for name in kind.__struct_fields__:
            value = found.get(name)
            if name.endswith("_details"):
                kept[name] = self._counts(value, TokenDetails)
            elif value is not None:
                number = count(value)
                kept[name] = self._leave(name, value) if number is None else number
        return kind(**kept)

    def _leave(self, name: str, value: object = NOTHING) -> Any:  # noqa: ANN401 - None, for a member of any kind
        """Note that a member is left out, unless it is null. Always returns None."""
        if value is not None and len(self._ignored) < _MOST_NOTED:
            self._ignored.append(name)
        return None


def _parts_of(content: object) -> list[dict[str, Any]]:
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _is_beside(part: object) -> bool:
    """Whether a part is read as something other than text."""
    return isinstance(part, dict) and (isinstance(part.get("refusal"), str) or part.get("type") in _PICTURES)


def _refusal(parts: list[dict[str, Any]]) -> str | None:
    said = [part["refusal"] for part in parts if isinstance(part.get("refusal"), str)]
    return "".join(said) or None


def _text_of(part: dict[str, Any]) -> str | None:
    """Return the text of a part, which the API's assistants wrap once more; None where it has none."""
    text = part.get("text", part.get("content") if part.get("type") in _TEXTS else None)
    if isinstance(text, dict):
        text = text.get("value")
    return text if isinstance(text, str) else None


def _named(reason: object) -> object:
    """Return the name of a finish reason, which SGLang's own form puts in an object, with what belongs to it."""
    return reason.get("type") if isinstance(reason, dict) else reason


def _is_part(found: object) -> bool:
    return isinstance(found, dict) and isinstance(found.get("type"), str)


def _whole_inside(text: str) -> str:
    """Return a text without halves of surrogate pairs, except at its ends, where another chunk may complete one."""
    if text.isascii():
        return text
    first, last = "\udc00" <= text[0] <= "\udfff", "\ud800" <= text[-1] <= "\udbff"
    inside = text[first : len(text) - last]
    return text[:first] + whole(inside) + (text[-1] if last else "")


def whole(text: str) -> str:
    """Return a text with adjacent halves of surrogate pairs joined, and lone ones replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
