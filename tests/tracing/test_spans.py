"""A span for each request that is sent, with what the conventions want to know; ended whatever happens."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import keyring.core
import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from tests.compare.conftest import eventually
from tests.keys.backends import Faithful
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.ledger.record import Record
from tetrate_jupyter.sandbox import Fault, SandboxRouter
from tetrate_jupyter.tracing import conventions

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from tests.tracing.conftest import Traces

HAIKU, LUNA = "claude-haiku-4-5", "gpt-6-luna"
SLOW = "Write a long poem about the sea."


def sent(router: SandboxRouter) -> list[str | None]:
    """Return the `traceparent` of each question that has arrived."""
    return [r.headers.get("traceparent") for r in router.requests if r.path.endswith("/chat/completions")]


def traceparent(span: ReadableSpan) -> str:
    found = span.get_span_context()
    assert found is not None
    return f"00-{found.trace_id:032x}-{found.span_id:016x}"


def of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def stock_of(item: str) -> int:
    """Number of items in stock."""
    return len(item)


def test_an_answer_is_a_span_with_all_that_is_known(session: Session, router: SandboxRouter, traces: Traces) -> None:
    with trace.get_tracer("a notebook").start_as_current_span("cell") as cell, session.label("eval"):
        answer = session.ask("What is 2 + 2?", temperature=0.5, max_tokens=100, cell_id="cell-1")
    (span,) = traces.asked()
    found = of(span)
    assert span.name == f"chat {HAIKU}"
    assert str(found.pop("gen_ai.response.id")).startswith("chatcmpl-")
    assert 0 <= found.pop("gen_ai.response.time_to_first_chunk") <= answer.timing.total
    assert found.pop("server.port") == int(router.base_url.split(":")[2].split("/")[0])
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "tetrate",
        "gen_ai.request.model": HAIKU,
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.response.model": answer.model,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": answer.usage.prompt_tokens,
        "gen_ai.usage.output_tokens": answer.usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": answer.usage.cached_tokens,
        "server.address": "127.0.0.1",
        "tetrate.cost": float(answer.cost or 0),
        "tetrate.request_id": answer.request_id,
        "tetrate.simulated": True,
    }
    assert span.status.status_code is StatusCode.UNSET
    (question,) = traces.questions
    assert of(question) == {"tetrate.op": "ask", "tetrate.label": "eval", "tetrate.cell": "cell-1"}
    assert span.parent is not None
    assert question.parent is not None
    assert span.parent.span_id == question.context.span_id
    assert question.parent.span_id == cell.get_span_context().span_id


def test_cell_router_and_ledger_are_one_trace(session: Session, router: SandboxRouter, traces: Traces) -> None:
    session.models()
    session.ask("What is 2 + 2?")
    (span,) = traces.asked()
    (header,) = sent(router)
    assert header is not None
    assert header.startswith(traceparent(span) + "-")
    assert not [r for r in router.requests if "traceparent" in r.headers and not r.path.endswith("/chat/completions")]
    assert session.book.flush(20)
    (noted,) = session.book.read(Record).records
    assert noted.trace_id == traceparent(span).split("-")[1]


def test_each_try_is_a_span_below_one_question(session: Session, router: SandboxRouter, traces: Traces) -> None:
    router.inject(Fault("rate-limit", retry_after=0.01, times=1))
    session.ask("What is 2 + 2?")
    refused, answered = traces.asked()
    assert (of(refused)["error.type"], refused.status.status_code) == ("RateLimitError", StatusCode.ERROR)
    assert "error.type" not in of(answered)
    assert (refused.end_time or 0) <= (answered.start_time or 0)
    assert [header and header[:52] for header in sent(router)] == [traceparent(refused), traceparent(answered)]
    (question,) = traces.questions
    assert {each.parent and each.parent.span_id for each in (refused, answered)} == {question.context.span_id}
    assert question.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("no-credits"), "CreditsExhaustedError"),
        (Fault("stream-cut", after_chunks=3), "StreamCutError"),
        (Fault("broken-json", times=None), "MalformedResponseError"),
        (Fault("drop", times=None), "UnreachableError"),
    ],
)
def test_what_fails_says_how(session: Session, router: SandboxRouter, traces: Traces, fault: Fault, error: str) -> None:
    router.inject(fault)
    with pytest.raises(TetrateError):
        session.ask(SLOW)
    found = traces.asked()
    assert len(found) == len(sent(router))
    for span in (*found, *traces.questions):
        assert (of(span)["error.type"], span.status.status_code) == (error, StatusCode.ERROR)
        assert not span.status.description
        assert not span.events
        assert "gen_ai.usage.output_tokens" not in of(span)


def test_what_never_leaves_is_no_request(session: Session, traces: Traces) -> None:
    session.models()
    session.budget = "0.000001"
    with pytest.raises(TetrateError):
        session.ask(SLOW)
    assert traces.asked() == []
    assert of(traces.questions[0])["error.type"] == "CostLimitError"


@pytest.mark.anyio
async def test_a_stopped_question_ends_its_spans(session: Session, router: SandboxRouter, traces: Traces) -> None:
    long = "chunks=2000 size=20 interval=0.01"
    task = asyncio.ensure_future(session.aask(long, model="sandbox/stream"))
    await asyncio.to_thread(router.wait_for, lambda r: r.model == "sandbox/stream" and r.chunks_sent > 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (span,) = await asyncio.to_thread(traces.asked)
    assert of(span)["error.type"] == of(traces.questions[0])["error.type"] == "stopped"


@pytest.mark.anyio
async def test_one_stopped_before_its_headers_too(session: Session, router: SandboxRouter, traces: Traces) -> None:
    router.inject(Fault("slow-headers"))
    task = asyncio.ensure_future(session.aask("hello"))
    await asyncio.to_thread(router.wait_for, lambda r: r.path.endswith("/chat/completions"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (span,) = await asyncio.to_thread(traces.asked)
    assert of(span)["error.type"] == "stopped"


def test_each_round_of_tools_is_one(session: Session, traces: Traces) -> None:
    traced: list[int] = []

    def stock_of(item: str) -> int:
        """Number of items in stock."""
        traced.append(trace.get_current_span().get_span_context().span_id)
        return len(item)

    session.ask("How many of 'lamp' are in stock?", tools=[stock_of])
    first, second = traces.asked()
    assert (of(first)["gen_ai.response.finish_reasons"], of(second)["gen_ai.response.finish_reasons"]) == (
        ("tool_calls",),
        ("stop",),
    )
    (question,) = traces.questions
    assert {each.parent and each.parent.span_id for each in (first, second)} == {question.context.span_id}
    assert traced == [question.context.span_id]  # what a tool traces itself belongs to the question


def test_a_comparison_is_a_question_for_each_column(session: Session, router: SandboxRouter, traces: Traces) -> None:
    with trace.get_tracer("a notebook").start_as_current_span("cell") as cell:
        session.compare("Name a colour.", [HAIKU, LUNA], repeats=2)
    found = traces.asked(questions=4)
    assert sorted(of(each)["gen_ai.request.model"] for each in found) == [HAIKU, HAIKU, LUNA, LUNA]
    assert {each.parent and each.parent.span_id for each in traces.questions} == {cell.get_span_context().span_id}
    assert {of(each)["tetrate.op"] for each in traces.questions} == {"compare"}
    assert sorted(header[:52] for header in sent(router) if header) == sorted(map(traceparent, found))


def test_a_streamed_answer_is_one(session: Session, traces: Traces) -> None:
    with session.stream("hello") as events:
        assert "".join(events.texts())
    (span,) = traces.asked()
    assert of(span)["gen_ai.response.finish_reasons"] == ("stop",)


def test_a_kept_answer_sends_nothing_and_is_none(session: Session, traces: Traces) -> None:
    for _ in range(2):
        session.ask("hello", cached=True, keep=False)
    assert len(traces.asked()) == 1


def test_a_key_that_was_refused_is_a_try_of_its_own(
    router: SandboxRouter, tmp_path: Path, traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", Faithful())
    first, second = (Session(base_url=router.base_url, model=HAIKU, data_dir=tmp_path / "data") for _ in range(2))
    old = router.issue_key()
    first.login(key=old, store="keyring")
    second.ask("hello")
    router.revoke_key(old)
    first.login(key=router.issue_key(), store="keyring")
    second.ask("hello")
    _, refused, answered = traces.asked(questions=2)
    assert (of(refused).get("error.type"), of(answered).get("error.type")) == ("InvalidKeyError", None)
    for session in (first, second):
        session.close()


# --- texts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["true", "SPAN_ONLY", "span_and_event"])
def test_texts_are_there_where_the_conventions_variable_says_so(
    session: Session, traces: Traces, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(conventions.CAPTURE_VARIABLE, value)
    answer = session.ask("How many of 'lamp' are in stock?", system="Be brief.", tools=[stock_of])
    first, second = traces.asked()
    asked = {"role": "user", "parts": [{"type": "text", "content": "How many of 'lamp' are in stock?"}]}
    assert json.loads(of(first)["gen_ai.input.messages"]) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        asked,
    ]
    (called,) = json.loads(of(first)["gen_ai.output.messages"])
    (call,) = [part for part in called["parts"] if part["type"] == "tool_call"]
    assert (call["name"], list(json.loads(call["arguments"]))) == ("stock_of", ["item"])
    told = json.loads(of(second)["gen_ai.input.messages"])[-1]
    assert told == {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": call["id"], "response": answer.tool_results[0].result}],
    }
    (said,) = json.loads(of(second)["gen_ai.output.messages"])
    assert said == {
        "role": "assistant",
        "parts": [{"type": "text", "content": answer.text}],
        "finish_reason": "stop",
    }


def test_texts_have_a_bound_and_stay_json(session: Session, traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(conventions.CAPTURE_VARIABLE, "true")
    for _ in range(3):
        session.ask("sea " * 20_000, model="gemini-3.1-pro-preview")
    for span in traces.asked(questions=3):
        text = of(span)["gen_ai.input.messages"]
        assert len(text) < 110_000
        assert json.loads(text)[-1]["role"] == "user"


# --- where it goes --------------------------------------------------------------------------------------------


def test_what_is_not_sampled_is_told_to_the_router_so(
    session: Session, router: SandboxRouter, traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    monkeypatch.setattr(traces.provider, "sampler", ALWAYS_OFF)
    session.ask("hello")
    (header,) = sent(router)
    assert header is not None
    assert int(header.rsplit("-", 1)[1], 16) & 1 == 0
    assert traces.all == ()


def test_many_questions_leave_nothing_open(session: Session, traces: Traces) -> None:
    session.compare(["hello"] * 4, [HAIKU, LUNA])
    session.ask("hello")
    eventually(lambda: len(traces.all) == 18)
    assert all(span.end_time for span in traces.all)
