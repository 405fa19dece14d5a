"""How a completion ends: whole, stopped, refused or broken off, what it keeps then, and what is recorded of it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.completion.conftest import END, KEY, USAGE, Kept, calls_event, double, fails, leaks, price, thought_event
from tests.http.conftest import DONE, STOP, Then, event, text_event
from tetrate_jupyter import config
from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.completion.run import Completion
from tetrate_jupyter.errors import (
    AnswerTooLongError,
    CostLimitError,
    RequestRejectedError,
    SecretInPromptError,
    StreamCutError,
    TetrateError,
    ToolFailedError,
    ToolLoopError,
)
from tetrate_jupyter.types import Event, Message, ReasoningDelta, Retrying, TextDelta, Timing, ToolCalled, Usage

if TYPE_CHECKING:
    from tests.completion.conftest import Ask

pytestmark = pytest.mark.anyio


async def test_a_model_that_only_calls_tools_is_stopped(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "MAX_TOOL_ROUNDS", 2)
    ask.raw.will_stream(calls_event("double"), DONE)
    error = await ask.fail(ToolLoopError, double)
    assert error.message == "m-0 called tools 2 times in a row without answering."
    assert error.next_step == "ask for less at once, or pass fewer tools"
    assert error.request_id == ask.raw.requests[-1].headers["x-request-id"]
    assert (error.answer.partial, len(error.answer.tool_results)) == ("ToolLoopError", 2)
    assert ask.sent[1:] == [["user", "assistant", "tool"]]


async def test_too_many_calls_are_not_run(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "MAX_CALLS_PER_QUESTION", 3)
    ask.raw.will_stream(calls_event("double", "double", "double"), DONE).will_stream(calls_event("double"), DONE)
    error = await ask.fail(ToolLoopError, double)
    assert error.message == "m-0 would have called tools more than 3 times."
    assert len(error.answer.tool_results) == 3
    monkeypatch.setattr(config, "MAX_CALLS_PER_ROUND", 1)
    ask.raw.scripts.clear()
    ask.raw.will_stream(calls_event("double", "double"), DONE)
    error = await ask.fail(ToolLoopError, double)
    assert error.message == "m-0 made more than 1 tool calls at once; none was run."
    assert error.answer.tool_results == ()


async def test_a_tool_that_raises_ends_the_question(ask: Ask) -> None:
    ask.raw.will_stream(calls_event("fails", "double"), DONE)
    purse = Kept()
    error = await ask.fail(ToolFailedError, fails, double, purse=purse)
    assert error.message == "The tool fails raised ZeroDivisionError: by nothing"
    assert error.next_step == "fix fails, then run the cell again"
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert error.request_id == ask.raw.requests[0].headers["x-request-id"]
    assert (error.answer.partial, len(error.answer.tool_results)) == ("ToolFailedError", 1)
    assert (ask.completion.state, ask.completion.partial) == ("ToolFailedError", "ToolFailedError")
    assert [m.role for m in ask.completion.heard] == ["assistant", "tool"]
    assert purse.finished == 0


async def test_a_key_in_a_result_is_not_sent(ask: Ask) -> None:
    ask.raw.will_stream(calls_event("leaks"), DONE)
    error = await ask.fail(SecretInPromptError, leaks)
    assert error.message == "The result of the tool leaks holds an API key; it was not sent."
    assert KEY.reveal() not in repr(error.answer) + repr(ask.completion.heard) + repr(ask.told)
    assert len(ask.raw.requests) == len(error.answer.tool_results) == 1


async def test_a_refusal_is_the_models_reply(ask: Ask) -> None:
    ask.raw.will_stream(event(model="m-1", choices=[{"index": 0, "delta": {"refusal": "No."}}]), STOP, DONE)
    assert (await ask.run()).refusal == "No."
    assert ask.completion.has_output
    assert ask.completion.heard == (Message("assistant", "No."),)
    ask.raw.scripts.clear()
    ask.raw.will_stream(text_event("Well."), event(choices=[{"index": 0, "delta": {"refusal": "No."}}]), STOP, DONE)
    await ask.run()
    assert ask.completion.heard == (Message("assistant", "Well.\n\nNo."),)


async def test_an_answer_that_breaks_off_keeps_its_text_and_its_cost_is_unknown(ask: Ask) -> None:
    ask.raw.will_stream(text_event("Hi "))
    purse = Kept()
    error = await ask.fail(StreamCutError, purse=purse)
    assert (error.answer.text, error.answer.partial, error.answer.cost) == ("Hi ", "StreamCutError", None)
    assert error.answer.notes == ("Said.",)
    assert (ask.completion.state, ask.completion.partial) == ("StreamCutError", "StreamCutError")
    assert ask.completion.heard == (Message("assistant", "Hi "),)
    (ended,) = purse.ended
    assert (ended.outcome, ended.cost.usd, ended.error, ended.served) == ("partial", None, "StreamCutError", "m-1")
    assert ended.is_asked
    assert ended.first is not None
    assert ended.heard is not None
    assert 0 <= ended.heard <= ended.first <= ended.total


async def test_a_refused_request_costs_nothing(ask: Ask) -> None:
    ask.raw.will_answer(400, {"error": {"message": "no"}})
    purse = Kept()
    error = await ask.fail(RequestRejectedError, purse=purse)
    assert error.answer is None
    assert ask.completion.answer().cost == Decimal(0)
    (ended,) = purse.ended
    assert (ended.outcome, ended.cost.usd, ended.error, ended.heard) == (
        "failed", Decimal(0), "RequestRejectedError", None,
    )  # fmt: skip
    assert purse.dropped == []


async def test_a_round_after_the_first_that_is_refused_leaves_the_cost_of_the_first(ask: Ask) -> None:
    ask.raw.will_stream(calls_event("double"), USAGE, DONE).will_answer(400, {"error": {"message": "no"}})
    error = await ask.fail(RequestRejectedError, double)
    assert (error.answer.cost, error.answer.usage.completion_tokens) == (Decimal("0.05"), 5)
    assert [m.role for m in ask.completion.heard] == ["assistant", "tool"]


async def test_a_retry_is_told_and_the_lost_try_recorded(ask: Ask) -> None:
    ask.raw.will_answer(503, {"error": {"message": "busy"}}, {"retry-after": "0"})
    ask.raw.will_stream(text_event("Hi."), END)
    purse = Kept()
    assert (await ask.run(purse=purse)).cost == Decimal("0.05")
    state, told = ask.told[0]
    assert isinstance(told, Retrying)
    assert state == f"trying again: {told.reason}"
    (lost,) = purse.lost
    assert (lost.outcome, lost.cost.usd, lost.error, lost.is_asked) == ("failed", Decimal(0), "ProviderError", True)
    assert [e.outcome for e in purse.ended] == ["done"]
    assert purse.ended[0].is_asked


async def test_a_try_that_was_sent_and_lost_makes_the_cost_unknown_where_no_other_answered(ask: Ask) -> None:
    ask.raw.will(Then.CLOSE)
    purse = Kept(refuses="lose")
    error = await ask.fail(CostLimitError, purse=purse)
    assert error.answer is None
    (lost,) = purse.lost
    assert (lost.cost.usd, lost.error) == (None, "UnreachableError")
    (ended,) = purse.ended
    assert (ended.is_asked, ended.cost.usd, ended.error) == (False, Decimal(0), "CostLimitError")
    assert ask.completion.answer().cost is None


async def test_what_the_purse_refuses_is_not_sent(ask: Ask) -> None:
    ask.raw.will_stream(text_event("Hi."), STOP, DONE)
    purse = Kept(refuses="open")
    await ask.fail(CostLimitError, purse=purse)
    assert (ask.raw.requests, purse.ended, purse.finished) == ([], [], 0)
    late = Kept(refuses="opened")
    await ask.fail(CostLimitError, purse=late)
    (ended,) = late.ended
    assert (ended.outcome, ended.cost.usd, ended.is_asked) == ("failed", None, True)  # it is billed all the same
    assert ask.completion.answer().cost is None


async def test_an_answer_past_its_bound_is_stopped_there(ask: Ask) -> None:
    ask.raw.will_stream(text_event("a" * 8), text_event("b" * 8), STOP, DONE)
    error = await ask.fail(AnswerTooLongError, limit=12)
    assert error.message == "The answer grew past 12 characters and was stopped there; what came is kept."
    assert error.answer.text == "a" * 8 + "b" * 4
    assert error.request_id == ask.raw.requests[-1].headers["x-request-id"]
    ask.raw.scripts.clear()
    ask.raw.will_stream(text_event("a" * 8), calls_event("double"), DONE).will_stream(text_event("b" * 30), STOP, DONE)
    assert (await ask.fail(AnswerTooLongError, double, limit=50)).answer.text[:12] == "a" * 8 + "\n\nbb"


async def test_what_a_listener_raises_is_ours_and_it_is_never_called_again(ask: Ask) -> None:
    ask.raw.will_stream(text_event("Hi "), text_event("you."), STOP, DONE)
    heard: list[Event] = []

    def listen(event: Event) -> None:
        heard.append(event)
        raise KeyError("mine")

    made = ask.made()
    made = Completion(made.request, price=price, on_event=listen)
    with pytest.raises(TetrateError) as caught:
        await made.run(ask.client, ask.raw.key)
    assert caught.value.message == "Asking failed with KeyError: 'mine'."
    assert isinstance(caught.value.__cause__, KeyError)
    assert len(heard) == 1
    assert (made.state, made.partial) == ("TetrateError", "TetrateError")
    assert caught.value.answer.text == "Hi "


async def test_a_run_that_is_cancelled_has_stopped(ask: Ask) -> None:
    ask.raw.will_stream(text_event("Hi "), asyncio.Event())
    wrote = asyncio.Event()
    purse = Kept()
    made = Completion(ask.made().request, price=price, on_event=lambda _: wrote.set())
    made.purse = purse
    running = asyncio.ensure_future(made.run(ask.client, ask.raw.key))
    await wrote.wait()
    assert made.state == "writing"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (made.state, made.partial, made.text) == ("stopped", "stopped", "Hi ")
    assert made.answer(partial="stopped").cost is None
    assert [(e.outcome, e.error, e.cost.usd) for e in purse.ended] == [("partial", "stopped", None)]


async def test_a_kept_answer_is_told_as_if_it_came(ask: Ask) -> None:
    ask.raw.will_stream(thought_event("Why."), calls_event("double"), DONE)
    ask.raw.will_stream(text_event("Four."), STOP, DONE)
    kept = await ask.run(double)
    ask.told.clear()
    made = ask.made(double)
    said = [Message("assistant", "Four.")]
    assert made.recall(kept, said) is kept
    assert [type(e) for _, e in ask.told] == [ToolCalled, ReasoningDelta, TextDelta]
    assert (made.state, made.partial, made.text, made.heard) == ("done", None, "Four.", tuple(said))
    assert made.answer(partial="stopped") is kept
    assert made.tool_results == list(kept.tool_results)
    assert made.seconds == made.seconds
    assert made.recall(Answer("a", "m", "m", Usage(), Timing(None, 0.0)), said).text == "a"


async def test_irregular_members_and_dropped_fields_are_counted(ask: Ask) -> None:
    odd = event(model=7, choices=[{"index": 0, "delta": {"content": "Hi."}}])
    ask.raw.will(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-tars-dropped-fields: top_k\r\n"
        b"connection: close\r\n\r\n" + odd + STOP + DONE,
    )
    purse = Kept()
    found = await ask.run(purse=purse)
    assert (found.dropped_fields, purse.dropped) == (("top_k",), [("top_k",)])
    assert (found.model, ask.completion.ignored) == ("m-0", 1)
