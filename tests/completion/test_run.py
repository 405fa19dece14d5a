"""One completion over real HTTP: its state and text while it runs, and its rounds with tools."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.completion.conftest import END, USAGE, Kept, calls_event, double, table, thought_event
from tests.http.conftest import DONE, STOP, text_event
from tetrate_jupyter.types import Cut, Message, ReasoningDelta, TextDelta, ToolCalled, Usage

if TYPE_CHECKING:
    from tests.completion.conftest import Ask

pytestmark = pytest.mark.anyio


async def test_an_answer_has_all_that_the_router_told(ask: Ask) -> None:
    ask.raw.will_stream(
        thought_event("Why "), thought_event("not."), text_event("Hi "), text_event("you."), STOP, USAGE, DONE
    )
    found = await ask.run(cuts=(Cut("df", "rows", 1, 2), Cut("df", "rows", 1, 2)))
    assert (found.text, found.reasoning) == ("Hi you.", "Why not.")
    assert (found.model_asked, found.model, found.finish_reason) == ("m-0", "m-1", "stop")
    assert (found.usage.prompt_tokens, found.usage.completion_tokens, found.cost) == (3, 5, Decimal("0.05"))
    assert found.notes == ("Said.", "Cost: as m-1.")
    assert found.cuts == (Cut("df", "rows", 1, 2),)
    assert found.request_id == ask.raw.requests[0].headers["x-request-id"]
    assert (found.partial, found.parsed, found.tool_results, found.dropped_fields) == (None, None, (), ())
    assert (found.refusal, found.has_images, found.simulated, found.cached) == ("", False, False, False)
    assert found.timing.first_token is not None
    assert 0 <= found.timing.first_token <= found.timing.total
    done = ask.completion
    assert (done.state, done.partial, done.text, done.length, done.ignored) == ("done", None, "Hi you.", 7, 0)
    assert done.heard == (Message("assistant", "Hi you."),)
    assert done.replies == [Message("assistant", "Hi you.")]
    assert done.first_token == found.timing.first_token
    assert done.seconds == found.timing.total


async def test_before_it_runs_nothing_is_there(ask: Ask) -> None:
    made = ask.made()
    assert (made.state, made.partial, made.text, made.length, made.has_output) == ("waiting", "stopped", "", 0, False)
    assert (made.first_token, made.heard) == (None, (Message("assistant", ""),))
    found = made.answer()
    assert (found.text, found.model, found.usage, found.cost) == ("", "m-0", Usage(), Decimal(0))
    assert (found.notes, found.request_id) == (("Said.",), None)
    assert made.seconds <= made.seconds  # it goes on


async def test_each_piece_is_told_with_the_state_that_it_brings(ask: Ask) -> None:
    ask.raw.will_stream(thought_event("a"), text_event("b"), thought_event("c"), text_event("d"), STOP, DONE)
    await ask.run()
    told = [
        (state, type(e), e.delta, e.snapshot) for state, e in ask.told if isinstance(e, (TextDelta, ReasoningDelta))
    ]
    assert told == [
        ("thinking", ReasoningDelta, "a", "a"),
        ("writing", TextDelta, "b", "b"),
        ("writing", ReasoningDelta, "c", "ac"),
        ("writing", TextDelta, "d", "bd"),
    ]


async def test_rounds_of_tools_are_one_answer(ask: Ask) -> None:
    ask.raw.will_stream(text_event("Let me see."), calls_event("double", "table"), USAGE, DONE)
    ask.raw.will_stream(text_event("Four."), END)
    purse = Kept(cap=40)
    found = await ask.run(double, table, purse=purse, cuts=(Cut("df", "rows", 1, 2),))
    assert found.text == "Let me see.\n\nFour."
    assert [result.call.name for result in found.tool_results] == ["double", "table"]
    assert (found.usage.completion_tokens, found.cost) == (10, Decimal("0.10"))
    assert found.notes == ("Said.", "Noted.", "Cost: as m-1.")
    assert found.cuts[0] == Cut("df", "rows", 1, 2)
    assert len(found.cuts) == 2
    assert ask.sent == [["user"], ["user", "assistant", "tool", "tool"]]
    first, second = (request.json for request in ask.raw.requests)
    assert first["max_tokens"] == second["max_tokens"] == 40
    assert second["messages"][1]["content"] == "Let me see."
    assert [call["id"] for call in second["messages"][1]["tool_calls"]] == ["c0", "c1"]
    assert (second["messages"][2]["tool_call_id"], second["messages"][2]["content"]) == ("c0", "4")
    assert [m.role for m in ask.completion.heard] == ["assistant", "tool", "tool", "assistant"]
    assert ask.completion.heard[0].model == "m-0"
    assert ask.completion.heard[-1].content == "Four."
    assert purse.asked == [("user",), ("user", "assistant", "tool", "tool")]
    assert [(e.outcome, e.cost.usd, e.error, e.finish) for e in purse.ended] == [
        ("done", Decimal("0.05"), None, "tool_calls"),
        ("done", Decimal("0.05"), None, "stop"),
    ]
    assert purse.finished == 1
    states = [state for state, e in ask.told if isinstance(e, ToolCalled)]
    assert states == ["running double, table"] * 2
    deltas = [e.delta for _, e in ask.told if isinstance(e, TextDelta)]
    assert "".join(deltas) == found.text


async def test_a_round_without_text_leaves_no_gap_and_one_with_a_gap_gets_no_second(ask: Ask) -> None:
    ask.raw.will_stream(calls_event("double"), DONE).will_stream(text_event("Four."), STOP, DONE)
    assert (await ask.run(double)).text == "Four."
    ask.raw.scripts.clear()
    ask.raw.will_stream(text_event("See:\n\n"), calls_event("double"), DONE)
    ask.raw.will_stream(text_event("Four."), text_event(" Yes."), STOP, DONE)
    assert (await ask.run(double)).text == "See:\n\nFour. Yes."
    assert ask.completion.replies[-1].content == "Four. Yes."


async def test_reasoning_goes_back_with_the_calls_of_its_own_round(ask: Ask) -> None:
    for text in ("one", "two"):
        ask.raw.will_stream(thought_event(text), calls_event("double"), DONE)
    ask.raw.will_stream(text_event("Four."), STOP, DONE)
    found = await ask.run(double)
    assert found.reasoning == "onetwo"
    back = [m.get("reasoning_content") for m in ask.raw.requests[-1].json["messages"]]
    assert back == [None, "one", None, "two", None]


async def test_calls_without_tools_are_not_run(ask: Ask) -> None:
    ask.raw.will_stream(text_event("Hm."), calls_event("double"), DONE)
    found = await ask.run()
    assert (found.text, found.finish_reason, found.tool_results) == ("Hm.", "tool_calls", ())
    assert ask.completion.replies == [Message("assistant", "Hm.")]
