"""Spans of a question: one for each request that is sent, below one for the question; see `tracing`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import clipped
from tetrate_jupyter.completion.foreign import passes
from tetrate_jupyter.engine import funds
from tetrate_jupyter.ledger import about
from tetrate_jupyter.tracing import conventions as names
from tetrate_jupyter.tracing.spans import Span, provider, settled
from tetrate_jupyter.types import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from tetrate_jupyter.completion.purse import Ended
    from tetrate_jupyter.completion.run import Completion
    from tetrate_jupyter.engine.asking import Plan

_MOST_TEXT: Final = 100_000  # characters of messages on one span, the newest
_PORTS: Final = {"https": 443, "http": 80}
_NUMBERS: Final = {
    "top_p": names.REQUEST_TOP_P,
    "seed": names.REQUEST_SEED,
    "frequency_penalty": names.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": names.REQUEST_PRESENCE_PENALTY,
}


class Noted(Protocol):
    """What the records of a question are made by."""

    trace_id: str | None


def traced(planned: Plan, completion: Completion, noting: Noted, base_url: str) -> Traced | None:
    """Return what traces a question, None where nobody has set OpenTelemetry up."""
    by = provider()
    return None if by is None else Traced(by, planned, completion, noting, base_url)


class Traced:
    """The spans of one question: `async with`, around its run. A `Purse` without money."""

    def __init__(self, by: Any, planned: Plan, completion: Completion, noting: Noted, base_url: str) -> None:  # noqa: ANN401 - the SDK's
        self._by = by
        self._planned = planned
        self._completion = completion
        self._noting = noting
        self._base_url = base_url
        self._messages: Sequence[Message] = ()
        self._is_captured = os.environ.get(names.CAPTURE_VARIABLE, "").strip().lower() in names.CAPTURES
        self._try: Span | None = None

    async def __aenter__(self) -> Self:
        asks = about.current()
        words = {
            names.OP: asks.op,
            names.LABEL: funds.word(),
            names.RUN: asks.run,
            names.ROW: asks.row,
            names.CELL: self._planned.turn.cell_id,
        }
        self._question = Span(self._by, f"{asks.op} {self._planned.request.model.id}", words)
        await self._question.begun()
        self._token = self._question.attach()
        self._noting.trace_id = self._question.trace_id
        self._completion.on_try = self._sent
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._question.detach(self._token)
        error = None if value is None else "stopped" if passes(value) else type(value).__name__
        if self._try is not None:  # a span that was left open
            self._try.end({}, error or "stopped")
        self._question.end({}, error)
        await settled()

    async def _sent(self) -> Mapping[str, str]:
        if self._try is not None:  # its key was refused, and the same is asked with another one
            self._try.end({}, "InvalidKeyError")
        self._try = span = Span(self._by, self._name, self._asked(), parent=self._question, is_client=True)
        await span.begun()
        return span.headers

    async def open(self, messages: Sequence[Message]) -> int | None:
        """See `Purse`."""
        self._messages = messages
        return None

    def opened(self, dropped: Sequence[str]) -> None:
        """See `Purse`."""

    async def lose(self, ended: Ended) -> None:
        """See `Purse`."""
        self._end(ended)

    def close(self, ended: Ended) -> None:
        """See `Purse`."""
        self._end(ended)

    async def finish(self) -> tuple[str, ...]:
        """See `Purse`."""
        return ()

    # --- inside ----------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return f"{names.CHAT} {self._planned.request.model.id}"

    def _end(self, ended: Ended) -> None:
        span, self._try = self._try, None
        if span is not None:
            span.end(self._came(ended), ended.error)

    def _asked(self) -> dict[str, object]:
        """Return what is known of a request before it is answered."""
        request, where = self._planned.request, urlsplit(self._base_url)
        given = request.options.extra
        return {
            names.OPERATION_NAME: names.CHAT,
            names.PROVIDER_NAME: names.PROVIDER,
            names.REQUEST_MODEL: request.model.id,
            names.REQUEST_STREAM: True,
            names.REQUEST_MAX_TOKENS: request.cap,
            names.REQUEST_TEMPERATURE: request.options.temperature,
            names.OUTPUT_TYPE: "json" if request.schema is not None else None,
            names.SERVER_ADDRESS: where.hostname,
            names.SERVER_PORT: where.port or _PORTS.get(where.scheme),
            **{name: given[key] for key, name in _NUMBERS.items() if type(given.get(key)) in {int, float}},
        }

    def _came(self, ended: Ended) -> dict[str, object]:
        """Return how a request ended."""
        usage = ended.usage
        found: dict[str, object] = {
            names.RESPONSE_MODEL: ended.served,
            names.RESPONSE_ID: ended.response_id,
            names.RESPONSE_FINISH_REASONS: None if ended.finish is None else (ended.finish,),
            names.RESPONSE_FIRST_CHUNK: ended.heard,
            names.USAGE_INPUT_TOKENS: usage.prompt_tokens,
            names.USAGE_OUTPUT_TOKENS: usage.completion_tokens,
            names.USAGE_CACHE_READ: usage.cached_tokens,
            names.USAGE_CACHE_WRITE: usage.cache_write_tokens,
            names.USAGE_REASONING: usage.reasoning_tokens,
            names.COST: None if ended.cost.usd is None else float(ended.cost.usd),
            names.REQUEST_ID: ended.request_id,
            names.SIMULATED: ended.simulated or None,
        }
        if self._is_captured:
            said = Message("assistant", self._completion.heard[-1].content, tool_calls=ended.calls)
            found[names.INPUT_MESSAGES] = _json([_part_of(each) for each in self._messages])
            found[names.OUTPUT_MESSAGES] = _json([{**_part_of(said), "finish_reason": ended.finish or ended.error}])
        return found


def _part_of(message: Message) -> dict[str, Any]:
    """Return a message in the conventions' form. An image is named, and not in it."""
    text = clipped(secrecy.redact(message.content), _MOST_TEXT // 2)
    if message.role == "tool":
        part = {"type": "tool_call_response", "id": message.tool_call_id, "response": text}
        return {"role": "tool", "parts": [part]}
    parts: list[dict[str, Any]] = [{"type": "text", "content": text}] if text else []
    parts += [{"type": "image", "mime_type": each.media_type} for each in message.images]
    parts += [{"type": "tool_call", "id": c.id, "name": c.name, "arguments": c.arguments} for c in message.tool_calls]
    return {"role": message.role, "parts": parts}


def _json(messages: list[dict[str, Any]]) -> str:
    """Return messages as JSON, the newest of them, as many as there is room for; without keys."""
    left, kept = _MOST_TEXT, []
    for message in reversed(messages):
        text = json.dumps(secrecy.redacted(message), ensure_ascii=False)
        left -= len(text)
        if left < 0:
            break
        kept.append(text)
    return f"[{', '.join(reversed(kept))}]"
