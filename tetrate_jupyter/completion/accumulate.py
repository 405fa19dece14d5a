"""Adding up the chunks of one stream: text, reasoning, tool calls and usage, each within bounds; pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion.calls import Calls
from tetrate_jupyter.completion.reasons import normalized
from tetrate_jupyter.completion.signed import SignedReasoning
from tetrate_jupyter.completion.thinking import ThinkTags
from tetrate_jupyter.completion.usage import believed, filled, usage_of
from tetrate_jupyter.http.chunk_reading import whole
from tetrate_jupyter.http.chunks import is_given
from tetrate_jupyter.http.usage_names import foreign_usages
from tetrate_jupyter.types import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tetrate_jupyter.http.chunks import ChatChunk, Choice, Delta
    from tetrate_jupyter.types import ToolCall


class Accumulator:
    """What one stream has brought so far, apart from text and reasoning, which `add` and `finish` return.

    Known keys are redacted everywhere: one that a router repeats must be neither shown nor kept. Reasoning between tags
    at the start of the text counts as reasoning.

    `room`: characters of text, reasoning, refusal and tool calls that are kept (default:
    `config.MAX_ANSWER_CHARACTERS`); `is_full`: there were more, which were left out. The first
    `config.MAX_CALLS_PER_ROUND` tool calls are kept; `has_too_many_calls`: there were more. `tools`: the names of the
    available tools. `reasoning_name`: the member in which reasoning arrived, "" where none did; `has_choice` and
    `has_images`: whether any arrived.
    """

    def __init__(self, room: int = config.MAX_ANSWER_CHARACTERS, tools: Iterable[str] = ()) -> None:
        self.room = self._all_room = room
        self.is_full = False
        self.has_choice = self.has_images = False
        self.finish_reason: str | None = None
        self.served_model: str | None = None
        self.response_id: str | None = None
        self._usage = self._foreign_usage = Usage()
        self.reasoning_name = ""
        self._reason = ""  # the last one, unchanged
        self._calls = Calls(self._within, tools)
        self._signed = SignedReasoning(self._within)
        self._tags = ThinkTags()
        self._text_half, self._thought_half = Halves(), Halves()
        self._said, self._thought = secrecy.Passing(), secrecy.Passing()
        self._refusal: list[str] = []
        self._has_streamed = False  # whether part of the answer came as a delta

    def add(self, chunk: ChatChunk) -> tuple[str, str]:
        """Take one chunk; return its (text, reasoning), "" where it has none."""
        if chunk.model and self.served_model is None:
            self.served_model = one_line(secrecy.redact(chunk.model), MAX_NAME) or None
            self.response_id = one_line(secrecy.redact(chunk.own_id), MAX_NAME) or None
        if chunk.may_have_usage:
            self._add_usage(chunk)
        choices = chunk.choices
        if not choices:
            return "", ""
        choice = chunk.choice if choices[0].index or len(choices) > 1 else choices[0]
        if choice is None:
            return "", ""
        self.has_choice = True
        if choice.finish_reason and choice.finish_reason != self._reason:
            self._end(choice.finish_reason)
        delta = self._added(choice)
        if delta is None:
            return "", ""
        thought = "" if delta.is_plain else self._add_rest(delta)
        text = delta.words
        if text:
            text = self._text_half.feed(text)
            if not self._tags.is_over:
                text, more = self._tags.feed(text)
                thought += more
            text = self._within(self._said.feed(text))
        return text or "", self._within(self._thought.feed(thought)) if thought else ""

    def _add_usage(self, chunk: ChatChunk) -> None:
        if chunk.usage is not None:
            self._usage = usage_of(chunk.usage, self._usage)
        for found in foreign_usages(chunk):
            self._foreign_usage = usage_of(found, self._foreign_usage)

    def _added(self, choice: Choice) -> Delta | None:
        """Return what a choice adds; of Perplexity's, which repeat the whole answer beside their deltas, the deltas."""
        delta, message = choice.delta, choice.message
        if not self._has_streamed:
            self._has_streamed = delta is not None and delta.has_content
            return choice.added
        if choice.finish_reason and message is not None and (delta is None or delta.is_plain):
            self._add_missed(message)
        return delta

    def _add_rest(self, delta: Delta) -> str:
        """Take the parts other than text; return the reasoning."""
        self.has_images = self.has_images or delta.has_images
        if delta.refusal:
            self._refusal.append(self._within(delta.refusal))
        self._add_calls(delta)
        entries = ""  # of one list: who sends both says the same in both
        if is_given(delta.reasoning_details):
            entries = self._signed.add("reasoning_details", delta.reasoning_details)
        if is_given(delta.thinking_blocks):
            entries = self._signed.add("thinking_blocks", delta.thinking_blocks) or entries
        name, thought = delta.named_reasoning
        self.reasoning_name = self.reasoning_name or name
        if not self.reasoning_name:
            thought = entries
        return self._thought_half.feed(thought) if thought else ""

    def _add_missed(self, message: Delta) -> None:
        """Take from the message at the end of deltas what none of them had; its text they have had."""
        self.has_images = self.has_images or message.has_images
        if message.refusal and not self._refusal:
            self._refusal.append(self._within(message.refusal))
        if not self._calls.are_any:
            self._add_calls(message)

    def _add_calls(self, delta: Delta) -> None:
        if is_given(delta.calls):
            self._calls.add(delta.tool_calls)
        elif is_given(delta.function_call):
            self._calls.add_only(delta.only_call)

    def _end(self, reason: str) -> None:
        self._reason = reason
        found = one_line(secrecy.redact(normalized(reason)), MAX_NAME)
        if found != "stop" or self.finish_reason is None:  # a later "stop" doesn't hide that the answer was cut off
            self.finish_reason = found or None

    def finish(self) -> tuple[str, str]:
        """End the stream; return the (text, reasoning) held back, since it might have been the start of a key."""
        text, thought = self._tags.feed(self._text_half.finish())
        more, left = self._tags.finish()
        text = self._said.feed(text + more) + self._said.finish()
        thought = self._thought.feed(self._thought_half.finish() + thought + left) + self._thought.finish()
        self._calls.found()  # some are told apart, and counted, only when all of them has come
        return self._within(text), self._within(thought)

    def _within(self, text: str) -> str:
        """Return as much of a text as there is room for, and take up that room."""
        if len(text) > self.room:
            self.is_full = True
            text = text[: self.room]
        self.room -= len(text)
        return text

    @property
    def usage(self) -> Usage:
        """The usage so far; what the standard names don't tell is taken from the other ones. 0 for text is unknown."""
        return believed(filled(self._usage, self._foreign_usage), has_output=self.room < self._all_room)

    @property
    def has_too_many_calls(self) -> bool:
        """Whether the model made more calls than are kept."""
        return self._calls.are_too_many

    def aside(self, thought: str) -> str:
        """Return the reasoning in the members in which it came, as the JSON that goes back with the calls; or ""."""
        found = self._signed.found()
        if self.reasoning_name:
            found[self.reasoning_name] = thought
        return json.dumps(found) if found else ""

    @property
    def refusal(self) -> str:
        """The model's refusal, "" where it didn't refuse."""
        return secrecy.redact(whole("".join(self._refusal))) if self._refusal else ""

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in the model's order."""
        return self._calls.found()


class Halves:
    """Joins halves of a surrogate pair that arrive in two pieces; a lone half becomes U+FFFD."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take the next piece, which must not be empty; return the text that is complete."""
        if not self._held and (
            piece.isascii() or not ("\ud800" <= piece[-1] <= "\udfff" or "\udc00" <= piece[0] <= "\udfff")
        ):
            return piece
        piece, self._held = self._held + piece, ""
        if "\ud800" <= piece[-1] <= "\udbff":
            piece, self._held = piece[:-1], piece[-1]
        return whole(piece)

    def finish(self) -> str:
        """Return what was held back."""
        held, self._held = self._held, ""
        return whole(held)
