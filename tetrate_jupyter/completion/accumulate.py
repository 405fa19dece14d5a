"""Chunks of one stream, added up: text, reasoning, tool calls, usage, each within bounds; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.types import ToolCall, Usage

if TYPE_CHECKING:
    from tetrate_jupyter.http.wire import ChatChunk, ToolCallDelta, WireUsage

MAX_TOKENS: Final = 10**9  # of one answer; a count beyond, or below 0, is no count
_CALL_WEIGHT: Final = " " * 32  # what a part of a call counts for at least: one without content is something, too


@dataclass
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class Accumulator:
    """What one stream has brought so far, apart from its text: that is given back by `add` and `finish`.

    All of it is without keys: a router that repeats ours must not have it shown or kept.

    `room` is the characters of text, reasoning and tool calls that it may bring; `is_full` says that there was more,
    which was left out. Of tool calls, the first `config.MAX_CALLS_PER_ROUND` are kept; `has_too_many_calls` says that
    there were more.
    """

    def __init__(self, room: int = config.MAX_ANSWER_CHARACTERS) -> None:
        self.room = room
        self.is_full = False
        self.has_too_many_calls = False
        self.finish_reason: str | None = None
        self.served_model: str | None = None
        self.usage = Usage()
        self._calls: dict[int, _Call] = {}
        self._said, self._thought = secrecy.Passing(), secrecy.Passing()

    def add(self, chunk: ChatChunk) -> tuple[str, str]:
        """Take one chunk; give its (text, reasoning), "" where it has none."""
        if chunk.model and self.served_model is None:
            self.served_model = one_line(secrecy.redact(chunk.model), MAX_NAME) or None
        if chunk.usage is not None:
            self.usage = usage_of(chunk.usage)
        if not chunk.choices:
            return "", ""
        choice = chunk.choices[0]
        if choice.finish_reason:
            self.finish_reason = one_line(secrecy.redact(choice.finish_reason), MAX_NAME)
        delta = choice.delta
        if delta is None:
            return "", ""
        if delta.tool_calls:
            for part in delta.tool_calls:
                self._add_call(part)
        text, reasoning = self._said.feed(delta.content or ""), self._thought.feed(delta.reasoning_text)
        return self._within(text), self._within(reasoning)

    def finish(self) -> tuple[str, str]:
        """Take the end of the stream; return (text, reasoning) that was held back, since it might have become a key."""
        return self._within(self._said.finish()), self._within(self._thought.finish())

    def _within(self, text: str) -> str:
        """Return as much of a text as there is room for."""
        if len(text) > self.room:
            self.is_full = True
            text = text[: self.room]
        self.room -= len(text)
        return text

    def _add_call(self, part: ToolCallDelta) -> None:
        index = part.index if part.index is not None else max(len(self._calls) - 1, 0)
        call = self._calls.get(index)
        self._within(_CALL_WEIGHT)
        if call is None:
            if len(self._calls) >= config.MAX_CALLS_PER_ROUND:
                self.has_too_many_calls = True
                return
            call = self._calls[index] = _Call()
        if part.id and len(part.id) <= config.MAX_CALL_ID:
            call.id = part.id
        if part.function is None:
            return
        if part.function.name:  # some gateways repeat the whole name on each chunk: assign, don't append
            call.name = part.function.name[: config.MAX_CALL_NAME]
        if part.function.arguments:
            call.arguments.append(self._within(part.function.arguments))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls asked for, in the model's order; an id that some gateways leave out is made up."""
        return tuple(
            ToolCall(*map(secrecy.redact, (call.id or f"call_{index}", call.name, "".join(call.arguments))))
            for index, call in sorted(self._calls.items())
            if call.name
        )


def usage_of(wire: WireUsage) -> Usage:
    """Return the router's counts in our terms; what it left out, or can't be a count, stays unknown."""
    prompt = wire.prompt_tokens_details
    completion = wire.completion_tokens_details
    return Usage(
        prompt_tokens=_count(wire.prompt_tokens),
        completion_tokens=_count(wire.completion_tokens),
        cached_tokens=_count(prompt.cached_tokens) if prompt else None,
        cache_write_tokens=_count(prompt.caching_tokens) if prompt else None,
        reasoning_tokens=_count(completion.reasoning_tokens) if completion else None,
    )


def _count(tokens: int | None) -> int | None:
    return tokens if tokens is not None and 0 <= tokens <= MAX_TOKENS else None


def add_usage(one: Usage, other: Usage) -> Usage:
    """Add the counts of two rounds; a count that either lacks is unknown for both together, never taken for 0.

    Details (cached, cache-write, reasoning tokens) are left out by the router where there are none.
    """

    def both(a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else a + b

    def detail(a: int | None, b: int | None) -> int | None:
        return None if a is None and b is None else (a or 0) + (b or 0)

    return Usage(
        prompt_tokens=both(one.prompt_tokens, other.prompt_tokens),
        completion_tokens=both(one.completion_tokens, other.completion_tokens),
        cached_tokens=detail(one.cached_tokens, other.cached_tokens),
        cache_write_tokens=detail(one.cache_write_tokens, other.cache_write_tokens),
        reasoning_tokens=detail(one.reasoning_tokens, other.reasoning_tokens),
    )
