"""Streams: typed events, the request always closed, from blocking and from async code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.engine.test_runs import some_text_has_come
from tetrate_jupyter.errors import InputError, StreamCutError
from tetrate_jupyter.sandbox import Fault
from tetrate_jupyter.types import ReasoningDelta, TextDelta, ToolCalled

if TYPE_CHECKING:
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

SLOW = "chunks=2000 size=20 interval=0.01"


def test_events_carry_the_delta_and_all_so_far(session: Session) -> None:
    with session.stream("Tell me about routers.") as events:
        deltas = [event for event in events if isinstance(event, TextDelta)]
    assert len(deltas) > 1
    assert "".join(d.delta for d in deltas) == deltas[-1].snapshot
    assert events.answer is not None
    assert events.answer.text == deltas[-1].snapshot
    assert events.answer.partial is None
    assert events.answer is session.last


def test_the_texts_alone_are_the_answer(session: Session) -> None:
    with session.stream("Tell me about routers.") as events:
        texts = list(events.texts())
    assert len(texts) > 1
    assert events.answer is not None
    assert "".join(texts) == events.answer.text


@pytest.mark.anyio
async def test_the_texts_alone_are_the_answer_for_async_code(session: Session) -> None:
    async with session.astream("Tell me about routers.") as events:
        texts = [text async for text in events.texts()]
    assert events.answer is not None
    assert "".join(texts) == events.answer.text


def test_reasoning_comes_apart_from_the_text(session: Session) -> None:
    with session.stream("Why is the sky blue?", model="deepinfra/deepseek-ai/DeepSeek-R1-0528") as events:
        kinds = [type(event) for event in events]
    assert kinds[0] is ReasoningDelta
    assert kinds[-1] is TextDelta
    assert events.answer is not None
    assert events.answer.reasoning
    assert events.answer.reasoning not in events.answer.text


def test_leaving_the_block_stops_the_request(session: Session, router: SandboxRouter) -> None:
    with session.stream(SLOW, model="sandbox/stream", keep=False) as events:
        next(iter(events))
    logged = router.wait_for(lambda r: r.model == "sandbox/stream" and r.hung_up_at is not None)
    assert logged.chunks_sent < 2000
    assert events.answer is not None
    assert events.answer.partial == "stopped"
    assert session.ledger.entries[-1].outcome == "partial"


def test_an_error_in_the_stream_is_raised_where_the_events_are_read(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("stream-cut", after_chunks=2))
    seen: list[object] = []
    with session.stream("Tell me about routers.") as events, pytest.raises(StreamCutError):
        seen.extend(events)
    assert seen


def test_tool_calls_are_events(session: Session) -> None:
    def stock_of(product: str) -> int:
        """How many pieces of a product are in stock."""
        return 12

    with session.stream("How many pieces of the product 'lamp' are in stock?", tools=[stock_of]) as events:
        called = [event for event in events if isinstance(event, ToolCalled)]
    assert [c.result.result for c in called] == ["12"]


@pytest.mark.anyio
async def test_the_async_form_runs_on_the_callers_loop(session: Session) -> None:
    async with session.astream("Tell me about routers.") as events:
        text = ""
        async for event in events:
            if isinstance(event, TextDelta):
                text += event.delta
    assert events.answer is not None
    assert events.answer.text == text


@pytest.mark.anyio
async def test_cancelling_an_awaited_question_stops_the_request(session: Session, router: SandboxRouter) -> None:
    task = asyncio.ensure_future(session.aask(SLOW, model="sandbox/stream"))
    await asyncio.to_thread(some_text_has_come, session)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(router.wait_for, lambda r: r.model == "sandbox/stream" and r.hung_up_at is not None)
    while session.last is None:  # it is kept once its request is noted, which no router sees  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert session.last.partial == "stopped"


@pytest.mark.anyio
async def test_leaving_an_async_block_stops_the_request(session: Session, router: SandboxRouter) -> None:
    async with session.astream(SLOW, model="sandbox/stream") as events:
        async for _ in events:
            break
    await asyncio.to_thread(router.wait_for, lambda r: r.model == "sandbox/stream" and r.hung_up_at is not None)


@pytest.mark.anyio
async def test_many_questions_at_once_share_the_connections(session: Session) -> None:
    answers = await asyncio.gather(*(session.aask(f"What is {n} + {n}?", keep=False) for n in range(1, 9)))
    assert [str(2 * n) in a.text for n, a in enumerate(answers, 1)] == [True] * 8


@pytest.mark.anyio
async def test_a_stream_that_was_not_opened_says_how_it_is(session: Session) -> None:
    with pytest.raises(InputError, match="isn't open") as caught:
        next(iter(session.stream("hello")))
    assert caught.value.next_step == "with session.stream(...) as events:"
    with pytest.raises(InputError, match="isn't open") as caught:
        async for _ in session.astream("hello"):
            pass
    assert caught.value.next_step.startswith("async with")
