"""`POST /v1/chat/completions`: requests are validated and answered by a simulated model, streamed or whole."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from tetrate_jupyter import config
from tetrate_jupyter.sandbox import models, scripted
from tetrate_jupyter.sandbox.api_error import ApiError
from tetrate_jupyter.sandbox.asked import AskedEndpoint
from tetrate_jupyter.sandbox.endpoint import HungUpError
from tetrate_jupyter.sandbox.faults import of_model
from tetrate_jupyter.sandbox.logprobs import logprobs_of
from tetrate_jupyter.sandbox.odd_answer import OddAnswer
from tetrate_jupyter.sandbox.oddities import ODDITIES
from tetrate_jupyter.sandbox.pace import Schedule, pieces
from tetrate_jupyter.sandbox.profiles import EFFORT_FACTOR
from tetrate_jupyter.sandbox.replies.compose import compose
from tetrate_jupyter.sandbox.replies.reply import Reply, make_ask
from tetrate_jupyter.sandbox.stream import EndOfStreamError, EventWriter
from tetrate_jupyter.sandbox.usage import prompt_text, usage_of
from tetrate_jupyter.sandbox.validate import Accepted, accept, cut_to_size

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.faults import Route

FINGERPRINT = "sandbox-simulated"  # marks simulated answers in a member that OpenAI's clients keep
_HEADERS_SHARE = 0.4  # share of the time to first token after which the headers are sent


class ChatEndpoint(AskedEndpoint):
    """The chat route."""

    route: ClassVar[Route] = "chat"

    async def post(self) -> None:
        """Answer the request, until the client hangs up."""
        self.check_key()
        accepted = accept(self.read_body(), self.state.models)
        fault = of_model(accepted.served.id)
        if fault is not None:
            await self.meet(fault)
            if self._finished:
                return
        self._fail_as_providers_do(accepted)
        try:
            await _Answering(self, accepted).run()
        except (HungUpError, EndOfStreamError):
            return  # the client is gone, or a fault has ended the stream

    def _fail_as_providers_do(self, accepted: Accepted) -> None:
        if self.state.rolls_failure(accepted.served.id, accepted.served.profile.error_rate):
            raise ApiError(529, "The provider is overloaded.", code="overloaded", kind="overloaded_error")


class _Answering:
    """One answer that is being sent."""

    def __init__(self, endpoint: ChatEndpoint, accepted: Accepted) -> None:
        self._endpoint = endpoint
        self._accepted = accepted
        self._fault = endpoint.fault
        self._kind = endpoint.fault.kind if endpoint.fault else None
        self._profile = accepted.served.profile
        self._reply = self._make_reply()
        self._rate = min(self._profile.rate, self._reply.pace or self._profile.rate)
        endpoint.record.usage = usage_of(accepted.body, self._reply, cached=0, thinks=False)
        self._schedule = Schedule(endpoint, endpoint.state.speed)
        served = self._fault.served_model if self._fault and self._kind == "served-differs" else accepted.served.id
        self._frame: dict[str, Any] = {
            "id": f"chatcmpl-{uuid.uuid4().hex[:24]}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": served,
            "system_fingerprint": FINGERPRINT,
        }

    async def run(self) -> None:
        """Send it as requested, or as its fault demands."""
        self._endpoint.set_header(config.SANDBOX_HEADER, config.SIMULATED)
        odd = ODDITIES.get(self._kind or "")
        if odd and await OddAnswer(self._endpoint, odd, self._accepted, lambda: self._reply.text).run(self._schedule):
            return
        dropped = self._fault.dropped if self._fault and self._kind == "dropped-fields" else self._accepted.dropped
        if dropped:
            self._endpoint.set_header("x-tars-dropped-fields", ",".join(dropped))
        if self._accepted.stream and self._kind != "not-streamed":
            await self._streamed()
        else:
            await self._whole()

    def _make_reply(self) -> Reply:
        accepted = self._accepted
        state = self._endpoint.state
        ask = make_ask(accepted.served.id, self._profile, accepted.body, state.seed)
        reply = scripted.reply(ask, self._kind) or compose(ask)
        return cut_to_size(reply, accepted)

    def _usage(self) -> dict[str, Any]:
        body, record = self._accepted.body, self._endpoint.record
        cached = 0
        if self._accepted.served.can("prompt_caching"):
            cached = self._endpoint.state.cache.cached_tokens(record.key or "", record.model or "", prompt_text(body))
        return usage_of(body, self._reply, cached=cached, thinks=self._profile.thinking != "none")

    def _thinking_seconds(self) -> float:
        factor = EFFORT_FACTOR.get(str(self._accepted.body.get("reasoning_effort", "medium")), 1.0)
        return self._profile.thinking_seconds * factor

    async def _whole(self) -> None:
        reply, profile = self._reply, self._profile
        writing = sum(seconds for _, seconds in pieces(reply.text, self._rate))
        await self._schedule.after(profile.first_token + self._thinking_seconds() + writing)
        message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
        if reply.reasoning and profile.thinking == "shown":
            message["reasoning_content"] = reply.reasoning
        if reply.calls:
            message["tool_calls"] = self._calls()
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": reply.finish}
        if (logprobs := logprobs_of(reply.text, self._accepted.body)) is not None:
            choice["logprobs"] = logprobs
        body = {**self._frame, "object": "chat.completion", "choices": [choice]}
        if self._kind != "no-usage":
            body["usage"] = self._usage()
        await self._endpoint.send_json(body)

    async def _streamed(self) -> None:
        writer = EventWriter(self._endpoint)
        first = self._profile.first_token
        await self._schedule.after(first * _HEADERS_SHARE)
        await writer.open()
        await self._schedule.after(first * (1 - _HEADERS_SHARE))
        await self._think(writer)
        await writer.event(self._chunk({"role": "assistant", "content": ""}))
        if self._accepted.served.id == models.STREAM:
            await self._exactly_paced(writer)
        else:
            for piece, seconds in pieces(self._reply.text, self._rate):
                await writer.output(self._chunk({"content": piece}))
                await self._schedule.after(seconds)
        for delta in self._call_deltas():
            await writer.output(self._chunk({"tool_calls": [delta]}))
        await writer.event(self._chunk({}, self._reply.finish))
        if self._accepted.include_usage and self._kind != "no-usage":
            await writer.event({**self._frame, "choices": [], "usage": self._usage()})
        await writer.done()

    async def _think(self, writer: EventWriter) -> None:
        seconds = self._thinking_seconds()
        if self._profile.thinking != "shown" or not self._reply.reasoning:
            await self._schedule.after(seconds)
            return
        thoughts = pieces(self._reply.reasoning, self._profile.rate)
        for thought, _ in thoughts:
            await writer.output(self._chunk({"reasoning_content": thought}))
            await self._schedule.after(seconds / len(thoughts))

    async def _exactly_paced(self, writer: EventWriter) -> None:
        plan = scripted.Script.of(self._accepted.body)
        # Real seconds, whatever the router's speed: a benchmark needs exactly these.
        schedule = Schedule(self._endpoint, 1.0)
        await schedule.after(plan.first)
        for text in plan.texts():
            await writer.output(self._chunk({"content": text}))
            await schedule.after(plan.interval)

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish}
        if text := delta.get("content"):
            logprobs = logprobs_of(text, self._accepted.body)
            if logprobs is not None:
                choice["logprobs"] = logprobs
        return {**self._frame, "choices": [choice]}

    def _calls(self) -> list[dict[str, Any]]:
        return [
            {
                "id": f"call_{self._frame['id'][-12:]}_{place}",
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)},
            }
            for place, call in enumerate(self._reply.calls)
        ]

    def _call_deltas(self) -> list[dict[str, Any]]:
        found = []
        for place, call in enumerate(self._calls()):
            name, arguments = call["function"]["name"], call["function"]["arguments"]
            loose = self._kind == "loose-tool-calls"
            start = {"index": place, "function": {"name": name, "arguments": ""}}
            found.append(start if loose else {**start, "id": call["id"], "type": "function"})
            for piece, _ in pieces(arguments, self._profile.rate):
                function = {"name": name, "arguments": piece} if loose else {"arguments": piece}
                found.append({"index": place, "function": function})
        return found
