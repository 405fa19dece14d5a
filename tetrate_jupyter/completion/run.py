"""Running one completion: stream, run the tools that the model calls, stream again, until there is an answer."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.catalog.estimate import Estimate
from tetrate_jupyter.characters import MAX_NAME, clipped
from tetrate_jupyter.completion.accumulate import Accumulator
from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.completion.checking import checked
from tetrate_jupyter.completion.foreign import as_cause, passes, unexpected
from tetrate_jupyter.completion.purse import Ended, Try, priced, summed
from tetrate_jupyter.completion.secrets import without_keys
from tetrate_jupyter.errors import (
    AnswerTooLongError,
    TetrateError,
    ToolFailedError,
    ToolLoopError,
)
from tetrate_jupyter.http.retry import may_have_cost
from tetrate_jupyter.types import GrowingText, Message, ReasoningDelta, TextDelta, Timing, ToolCalled, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tetrate_jupyter.completion.purse import Purse
    from tetrate_jupyter.completion.request import Request
    from tetrate_jupyter.http.attempts import OnTry
    from tetrate_jupyter.http.client import ChatStream, GatewayClient
    from tetrate_jupyter.secret import Secret
    from tetrate_jupyter.types import Cut, Event, Retrying, ToolCall, ToolResult

_FREE: Final = Estimate(Decimal(0))
_STATE: Final = 200  # characters of `state`


class Completion:
    """Runs one `Request`. `text` and `state` may be read from any thread while it runs; `answer()` at any time.

    `on_event` is called for each event on the loop's thread and must return at once. `price` turns (model id, usage)
    into an `Estimate`; it is called when an answer is made. `limit`: characters of text, reasoning and tool calls that
    the answer may have in all rounds together.
    """

    on_try: OnTry | None = None  # returns the headers of each try; set before it runs
    _cap: int | None = None  # tokens of the current round's answer that the purse pays for
    _said_beside: tuple[str, ...] = ()  # the purse's notes

    def __init__(
        self,
        request: Request,
        *,
        price: Callable[[str, Usage], Estimate],
        on_event: Callable[[Event], None] | None = None,
        limit: int = config.MAX_ANSWER_CHARACTERS,
    ) -> None:
        self.request = request
        self.replies: list[Message] = []
        self.tool_results: list[ToolResult] = []
        self.state = "waiting"
        self.partial: str | None = "stopped"  # as `Answer.partial`; None once it is whole
        self.purse: Purse | None = None  # set before it runs
        self._price = price
        self._on_event = on_event
        self._limit = limit
        self._text = GrowingText()
        self._reasoning = GrowingText()
        self._tools = request.toolbox.names if request.toolbox is not None else ()
        self._round = Accumulator(limit, self._tools)
        self._round_began = 0  # length of the text before the current round
        self._thought_began = 0  # length of the reasoning before it
        self._is_apart = False  # whether the next text needs a gap before it, as a later round's
        self._is_said = False  # whether the current round is in `replies`
        self._ignored: list[list[str]] = []  # irregular members that were left out, per round
        self._rounds: list[tuple[str, Usage]] = []
        self._counted = False  # whether the current round is in `_rounds`
        self._stream_now: ChatStream | None = None  # the current round's, once it is made
        self._may_have_cost = False  # whether a try before a retry may have been billed
        self._is_answered = False  # whether the router has accepted the current round, but none of it has been read
        self._is_refused = False  # whether the current round was sent but can't have been billed
        self._started = time.monotonic()
        self._first: float | None = None
        self._finished: float | None = None
        self._try = Try()
        self._request_id: str | None = None
        self._dropped: tuple[str, ...] = ()
        self._simulated = False
        self._kept: Answer | None = None  # the kept answer that is used instead of asking

    @property
    def text(self) -> str:
        """The text so far."""
        return self._text.text()

    @property
    def length(self) -> int:
        """The length of the text so far, in characters."""
        return self._text.length

    @property
    def heard(self) -> tuple[Message, ...]:
        """The replies so far, including the round that is being written or broke off."""
        said = "" if self._is_said else self._said()
        if self.replies and not said:
            return tuple(self.replies)
        return (*self.replies, Message("assistant", said))

    @property
    def ignored(self) -> int:
        """The number of irregular members of the chunks that were left out."""
        return sum(map(len, self._ignored))

    @property
    def seconds(self) -> float:
        """Seconds from the start until now, or until the end."""
        return (self._finished or time.monotonic()) - self._started

    @property
    def first_token(self) -> float | None:
        """Seconds from the start to the first text (time to first token); None before it."""
        return None if self._first is None else self._first - self._started

    async def run(self, client: GatewayClient, key: Secret) -> Answer:
        """Ask and return the answer. Raises only `TetrateError`s, with the answer so far, if any, as `.answer`."""
        self._started = time.monotonic()
        try:
            await self._rounds_of(client, key)
            self._close("done")
            if self.purse is not None:
                self._said_beside = await self.purse.finish()
        except TetrateError as error:
            self._broken(error)
            raise
        except BaseException as foreign:
            if passes(foreign):
                self._close("stopped")
                raise
            raise self._broken(unexpected(foreign, "Asking")) from as_cause(foreign)
        self.partial = None
        return checked(self.answer(), self.request.schema, has_choice=self._round.has_choice)

    def recall(self, kept: Answer, replies: Sequence[Message]) -> Answer:
        """Replay a kept answer, with its events, in place of a run; nothing is sent."""
        self._started = time.monotonic()
        self._kept = kept
        self.tool_results, self._is_said = list(kept.tool_results), True
        for result in kept.tool_results:
            self._tell(ToolCalled(result))
        if kept.reasoning:
            self._think(kept.reasoning)
        self._write(kept.text)
        self.replies = list(replies)
        self._finished, self.state, self.partial = time.monotonic(), "done", None
        return kept

    def _broken(self, error: TetrateError) -> TetrateError:
        """End with an error, and attach the answer so far to it; return the error."""
        self._close(type(error).__name__)
        self.partial = type(error).__name__
        if self.has_output:
            error.answer = self.answer(partial=self.partial)
        return error

    def answer(self, *, partial: str | None = None, parsed: object = None, notes: tuple[str, ...] = ()) -> Answer:
        """Return the answer so far; `partial` says why it isn't whole."""
        if self._kept is not None:
            return self._kept  # always whole
        served = self._round.served_model or self.request.model.id
        usage, cost = self._totals(served)
        priced = tuple(f"Cost: {note}." for note in cost.notes) if cost.usd is not None else ()
        return Answer(
            text=self.text,
            reasoning=self._reasoning.text(),
            model_asked=self.request.model.id,
            model=served,
            usage=usage,
            timing=Timing(self.first_token, self.seconds),
            finish_reason=self._round.finish_reason,
            cost=cost.usd,
            notes=(*notes, *self.request.notes, *self._said_beside, *priced),
            request_id=self._request_id,
            partial=partial,
            parsed=parsed,
            tool_results=tuple(self.tool_results),
            dropped_fields=self._dropped,
            cuts=self._cuts(),
            refusal=self._round.refusal,
            has_images=self._round.has_images,
            simulated=self._simulated,
        )

    def _cuts(self) -> tuple[Cut, ...]:
        """Return the cuts of this question and of its tools' results, each once."""
        asked = self.request.messages[-1].cuts if self.request.messages else ()
        return tuple(dict.fromkeys([*asked, *(cut for result in self.tool_results for cut in result.cuts)]))

    @property
    def has_output(self) -> bool:
        """Whether there is anything of an answer yet."""
        return bool(self._text or self._reasoning or self.tool_results or self._round.refusal)

    async def _rounds_of(self, client: GatewayClient, key: Secret) -> None:
        for _ in range(config.MAX_TOOL_ROUNDS):
            await self._paid(client, key)
            calls = self._round.tool_calls
            if not calls or self.request.toolbox is None:
                self._reply(Message("assistant", self._said()))
                return
            if len(self.tool_results) + len(calls) > config.MAX_CALLS_PER_QUESTION:
                raise self._loop(f"would have called tools more than {config.MAX_CALLS_PER_QUESTION} times")
            model, aside = self.request.model.id, self._aside()
            self._reply(Message("assistant", self._round_text(), tool_calls=calls, aside=aside, model=model))
            await self._call_tools(calls)
            self._separate()
        raise self._loop(f"called tools {config.MAX_TOOL_ROUNDS} times in a row without answering")

    def _reply(self, message: Message) -> None:
        self._is_said = True
        self.replies.append(message)

    def _said(self) -> str:
        # A refusal is the model's reply: without it, two questions would follow each other in the conversation.
        return "\n\n".join(filter(None, (self._round_text(), self._round.refusal)))

    def _loop(self, what: str) -> ToolLoopError:
        # The question ends here: a model doesn't remember in its next round to make fewer calls, and each call that
        # isn't run needs a message of its own, which costs as much as running it.
        return ToolLoopError(
            f"{clipped(self.request.model.id, MAX_NAME)} {what}.",
            next_step="ask for less at once, or pass fewer tools",
            answer=self.answer(partial="ToolLoopError"),
            request_id=self._request_id,
        )

    async def _paid(self, client: GatewayClient, key: Secret) -> None:
        """Stream a round with the money that the purse sets aside for it."""
        self._round, self._counted = Accumulator(self._round.room, self._tools), False
        self._stream_now, self._is_refused, self._is_answered = None, False, False
        if self.purse is not None:
            self._cap = await self.purse.open([*self.request.messages, *self.replies])
        self._try, problem = Try(), None
        try:
            await self._stream(client, key)
        except BaseException as error:
            problem = error
            if isinstance(error, TetrateError):
                self._is_refused = not (may_have_cost(error) or self._round.has_choice or self._is_answered)
            raise
        finally:
            if self.purse is not None:
                self.purse.close(self._ended(problem))

    def _ended(self, problem: BaseException | None) -> Ended:
        """Return the record of the current round."""
        counted = priced(self._price, *self._rounds[-1]) if self._counted else Estimate(None)
        came = self._round.has_choice and self._try.first is not None
        return self._try.ended(
            "done" if self._counted else "partial" if came else "failed",
            _FREE if self._is_free else counted,
            problem,
            self._stream_now,
            self._round,
        )

    @property
    def _is_free(self) -> bool:
        """Whether the current round can't have been billed: it was never sent, or was refused."""
        return self._is_refused or self._stream_now is None or not self._stream_now.was_sent

    async def _stream(self, client: GatewayClient, key: Secret) -> None:
        self._round_began, self._thought_began = self._text.length, self._reasoning.length
        self._is_said = False
        body = self.request.body([*self.request.messages, *self.replies], cap=self._cap)
        self._stream_now = client.stream(key, body, on_retry=self._retrying, on_try=self.on_try)
        async with self._stream_now as stream:
            self._request_id = stream.request_id
            self._dropped = stream.dropped_fields
            self._simulated = self._simulated or stream.simulated
            self._ignored.append(stream.ignored)
            if self.purse is not None:
                self._is_answered = True  # billed, even if the next line ends it
                self.purse.opened(self._dropped)
                self._is_answered = False
            async for chunk in stream:
                self._try.heard = self._try.heard or time.monotonic()
                self._hear(*self._round.add(chunk))
                self._check_bounds()
        self._hear(*self._round.finish())
        self._check_bounds()
        served = self._round.served_model or self.request.model.id
        self._rounds.append((served, self._round.usage))
        self._counted = True

    def _hear(self, text: str, reasoning: str) -> None:
        if text:
            self._write(text)
        if reasoning:
            self._think(reasoning)

    def _check_bounds(self) -> None:
        if self._round.is_full:
            raise AnswerTooLongError(
                f"The answer grew past {self._limit:,} characters and was stopped there; what came is kept.",
                next_step="ask for less, or cap it with max_tokens (--max-tokens); session.max_answer raises the bound",
                request_id=self._request_id,
            )
        if self._round.has_too_many_calls and self.request.toolbox is not None:
            raise self._loop(f"made more than {config.MAX_CALLS_PER_ROUND} tool calls at once; none was run")

    def _round_text(self) -> str:
        return self.text[self._round_began :]

    def _aside(self) -> str:
        """Return the reasoning in the member it arrived in, as JSON: some models need it back after tool calls."""
        return self._round.aside(self._reasoning.text()[self._thought_began :])

    def _write(self, text: str) -> None:
        if self._try.first is None:
            self._try.first = time.monotonic()
        if self._first is None:
            self._first = self._try.first
        self.state = "writing"
        if self._is_apart:  # part of the piece, so that all pieces together make the text
            self._is_apart = False
            gap = "" if self.text.endswith("\n\n") else "\n\n"
            text = gap + text
            self._round_began += len(gap)
        self._text.append(text)
        self._tell(TextDelta(text, self._text))

    def _think(self, text: str) -> None:
        if self.state == "waiting":
            self.state = "thinking"
        self._reasoning.append(text)
        self._tell(ReasoningDelta(text, self._reasoning))

    async def _retrying(self, event: Retrying) -> None:
        self.state = f"trying again: {event.reason}"
        self._may_have_cost = self._may_have_cost or event.may_have_cost
        self._tell(event)
        lost, self._try = self._try, Try(event.seconds)
        if self.purse is not None:
            cost = Estimate(None) if event.may_have_cost else _FREE
            ended, stream = lost.ended("failed", cost, event.error, self._stream_now), self._stream_now
            self._stream_now = None  # if there is no money for a retry, none is sent
            await self.purse.lose(ended)
            self._stream_now = stream

    def _tell(self, event: Event) -> None:
        heard, self._on_event = self._on_event, None  # never called again after it has raised
        if heard is not None:
            heard(event)
            self._on_event = heard

    async def _call_tools(self, calls: Sequence[ToolCall]) -> None:
        toolbox = self.request.toolbox
        assert toolbox is not None  # noqa: S101 - narrows the type; the caller has checked
        self.state = clipped("running " + ", ".join(call.name for call in calls), _STATE)
        for call in calls:
            result, refused = without_keys(await toolbox.call(call))
            self.tool_results.append(result)
            self.replies.append(Message("tool", result.result, tool_call_id=call.id, name=call.name))
            self._tell(ToolCalled(result))
            if refused is not None:
                raise refused
            if result.raised is not None:
                raise ToolFailedError(
                    f"The tool {call.name} raised {result.error}",
                    next_step=f"fix {call.name}, then run the cell again",
                    answer=self.answer(partial="ToolFailedError"),
                    request_id=self._request_id,
                ) from as_cause(result.raised, kept="answer.tool_results[-1].raised")

    def _separate(self) -> None:
        """Separate the text before and after a round of tools, once there is more."""
        self.state = "waiting"
        self._is_apart = bool(self._text)

    def _totals(self, served: str) -> tuple[Usage, Estimate]:
        # A round that broke off was billed, too: without its counts, the total is unknown.
        rounds = self._rounds if self._counted or self._is_free else [*self._rounds, (served, self._round.usage)]
        if not rounds:
            return Usage(), Estimate(None) if self._may_have_cost else _FREE
        return summed(rounds, self._price)

    def _close(self, state: str) -> None:
        self.state = state
        self._finished = time.monotonic()
        try:
            self._hear(*self._round.finish())  # the text held back
        except BaseException as foreign:  # an error of `on_event` must not hide why it ends
            if state == "done" or passes(foreign):
                raise
        self.state = state
