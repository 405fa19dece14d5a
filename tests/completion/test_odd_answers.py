"""Every odd answer that the sandbox knows, asked for as a person asks: what comes of each is written here.

Streamed over real HTTP; the whole form is sent by a sandbox that is asked without a stream, and read by the same
reader. The other way round, `CALLS` run a tool and go back for a second round, which the sandbox checks.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.completion.accumulate import Accumulator
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.http.chunk_reading import decode_chunk
from tetrate_jupyter.render.answer import SIMULATED
from tetrate_jupyter.sandbox import INSTANT, ODD_KINDS, Fault, SandboxRouter
from tetrate_jupyter.types import TextDelta

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.http.chunks import ChatChunk

MODEL = "claude-haiku-4-5"
TEXT = "One, two, three."
THOUGHT = "Three numbers are wanted."
USAGE = (9, 5)
BOTH = ("Rome", "Oslo")


@dataclass(frozen=True)
class Right:
    """What an answer must come to. `error`: the error that carries it. `usage` None: whatever the sandbox counted."""

    text: str = TEXT
    reasoning: str = ""
    finish: str | None = "stop"
    usage: tuple[int | None, int | None] | None = None
    error: type[errors.TetrateError] | None = None
    notice: str = ""
    refusal: str = ""
    ignored: bool = False
    streamed_only: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


CUT = errors.StreamCutError
RIGHT: dict[str, Right] = {
    "finish-empty": Right(),
    "finish-empty-cut": Right("One, two, ", finish=None, error=CUT, streamed_only=True),
    "finish-empty-end": Right("One, two, ", finish=None, error=CUT, streamed_only=True),
    "finish-empty-pause": Right(),
    "finish-early": Right(reasoning=THOUGHT),
    "finish-early-pause": Right(reasoning=THOUGHT),
    "finish-stop-capitals": Right(),
    "finish-end-turn": Right(),
    "finish-max-tokens": Right("One, two, thr", finish="length", notice="output cap"),
    "finish-max-tokens-capitals": Right("One, two, thr", finish="length", notice="output cap"),
    "finish-safety": Right("One, ", finish="content_filter", notice="content filter"),
    "finish-recitation": Right("One, ", finish="content_filter", notice="content filter"),
    "finish-object": Right("One, two, thr", finish="length", notice="output cap"),
    "finish-object-abort": Right("One, ", finish="abort", notice="'abort'; it may not be whole"),
    "finish-sensitive": Right("One, ", finish="content_filter", notice="content filter"),
    "finish-unknown": Right(finish="insufficient_system_resource", notice="'insufficient_system_resource'"),
    "after-finish-cut": Right(streamed_only=True),
    "after-finish-error": Right(ignored=True),
    "after-finish-garbage": Right(ignored=True),
    "after-finish-nan": Right(usage=USAGE),
    "after-finish-null": Right(ignored=True),
    "after-done": Right(),
    "calls-object": Right(),
    "calls-null": Right(),
    "choices-by-number": Right(),
    "choices-of-one-number": Right(),
    "remarks": Right(ignored=True),
    "enveloped": Right(),
    "reasoning-in-object": Right(reasoning=THOUGHT),
    "choices-in-turns": Right("One, two."),
    "choices-together": Right("One, two."),
    "choices-other-ends-first": Right("One, two."),
    "content-parts": Right(reasoning="Three numbers."),
    "content-parts-wrapped": Right(),
    "surrogate-halves": Right("a 😀 b"),
    "surrogate-lone": Right("a \ufffd b"),
    "nan-unread": Right(),
    "infinity-unread": Right(),
    "usage-floats": Right(usage=USAGE),
    "usage-strings": Right(usage=USAGE),
    "usage-details-lists": Right(usage=USAGE),
    "usage-in-halves": Right(usage=USAGE),
    "usage-then-zeros": Right(usage=USAGE),
    "usage-zeros": Right(usage=(None, None), streamed_only=True),
    "usage-then-null": Right(usage=USAGE),
    "usage-growing": Right(usage=USAGE),
    "usage-reasoning-beside": Right(usage=(9, 305)),
    "usage-other-names": Right(usage=USAGE),
    "usage-beside-cache": Right(usage=USAGE, notice="cache writes may cost more"),
    "usage-two-names": Right(usage=USAGE),
    "usage-gemini": Right(usage=USAGE),
    "usage-metadata": Right(usage=USAGE),
    "usage-ollama": Right(usage=USAGE),
    "usage-groq": Right(usage=USAGE),
    "usage-groq-and-own": Right(usage=USAGE),
    "usage-in-choice": Right(usage=USAGE),
    "id-number": Right(),
    "frame-nulls": Right(),
    "index-null": Right(),
    "index-missing": Right(),
    "data-null": Right(ignored=True),
    "choices-null": Right(),
    "error-object-empty": Right(),
    "error-text-empty": Right(),
    "error-false": Right(),
    "error-null": Right(),
    "error-members-empty": Right(),
    "events-in-lines": Right(streamed_only=True),
    "events-in-lines-pause": Right(streamed_only=True),
    "events-twice": Right(streamed_only=True),
    "events-as-lines-of-json": Right(streamed_only=True),
    "other-api-messages": Right("", error=errors.MalformedResponseError, streamed_only=True),
    "other-api-responses": Right("", error=errors.MalformedResponseError, streamed_only=True),
    "other-api-lines": Right("", error=errors.MalformedResponseError, streamed_only=True),
    "heartbeats": Right(finish=None, streamed_only=True),
    "stream-labelled-json": Right(),
    "stream-labelled-text": Right(),
    "message-for-delta": Right(),
    "message-beside-deltas": Right(),
    "text-for-delta": Right(),
    "refusal": Right("", refusal="I can't help with that.", notice="I can't help with that."),
    "refusal-after-text": Right("One, ", refusal="I can't go on.", notice="I can't go on."),
    "refusal-in-parts": Right("", refusal="I can't help with that.", notice="I can't help with that."),
    "empty-images-in-parts": Right("", notice="only images"),
    "spoken": Right(),
    "empty-no-choices": Right("", finish=None, error=errors.EmptyAnswerError),
    "empty-only-done": Right("", finish=None, error=errors.EmptyAnswerError),
    "empty-reasoning-only": Right("", reasoning=THOUGHT, notice="only reasoning"),
    "empty-images-only": Right("", notice="only images"),
    "reasoning-in-details": Right(reasoning=THOUGHT),
    "reasoning-in-blocks": Right(reasoning=THOUGHT),
    "think-tags": Right(reasoning=THOUGHT),
    "think-tags-open": Right("", reasoning="Three numbers are wanted, but", finish="length", notice="only reasoning"),
    "think-tags-later": Right("Write `<think>` before and `</think>` behind it."),
}


@dataclass(frozen=True)
class Ran:
    """What the tool must have been given, and what must be told to the model where that was wrong."""

    cities: tuple[str, ...] = ("Rome",)
    told: str = ""


CALLS: dict[str, Ran] = {
    "finish-tool-use": Ran(),
    "finish-stop-with-calls": Ran(),
    "calls-same-index": Ran(BOTH),
    "calls-same-index-in-pieces": Ran(BOTH),
    "calls-no-index-one-chunk": Ran(BOTH),
    "calls-no-index-two-chunks": Ran(BOTH),
    "calls-no-index-in-pieces": Ran(BOTH),
    "calls-no-index-no-id": Ran(BOTH),
    "calls-no-id-in-pieces": Ran(BOTH),
    "calls-same-id": Ran(BOTH),
    "calls-arguments-surrogate-halves": Ran(("Rome 😀",)),
    "calls-not-streamed": Ran(BOTH),
    "calls-extra-braces": Ran(),
    "calls-name-in-pieces": Ran(),
    "calls-arguments-object": Ran(),
    "calls-arguments-empty": Ran((), "'city' is missing"),
    "calls-arguments-null": Ran((), "'city' is missing"),
    "calls-arguments-null-text": Ran((), "'city' is missing"),
    "calls-arguments-broken": Ran((), "not valid JSON"),
    "calls-numbers-as-text": Ran(),
    "calls-arguments-again": Ran(),
    "calls-arguments-line-break": Ran(("New\nYork",)),
    "calls-flat": Ran(),
    "calls-arguments-beside": Ran(),
    "calls-function-call": Ran(),
    "calls-function-call-beside": Ran(),
    "calls-need-reasoning": Ran(),
    "calls-need-reasoning-details": Ran(),
    "calls-need-thinking-blocks": Ran(),
    "calls-need-extra-content": Ran(BOTH),
}
SCHEMA_KINDS = ("answer-in-fence", "answer-in-sentences", "answer-after-sentence")
NOT_ANSWERS = ("insufficient-quota", "tokens-", "model-unknown-", "context-", "error-", "list-")


@pytest.fixture(scope="module")
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT, list_faults=True) as running:
        yield running


@pytest.fixture(scope="module")
def session(router: SandboxRouter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    made = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path_factory.mktemp("data"))
    made.model = MODEL
    yield made
    made.close()


def test_every_kind_has_its_right_outcome_here() -> None:
    named = {*RIGHT, *CALLS, *SCHEMA_KINDS}
    others = {kind for kind in ODD_KINDS if kind.startswith(NOT_ANSWERS)}
    assert named | others == set(ODD_KINDS)


@pytest.mark.parametrize("kind", RIGHT)
def test_the_right_outcome_streamed(router: SandboxRouter, session: Session, kind: str) -> None:
    right = RIGHT[kind]
    router.inject(Fault(kind, delay=0.1))
    before = session.ledger.total().ignored
    error: errors.TetrateError | None = None
    deltas = ""
    try:
        with session.stream("x", keep=False) as stream:
            for event in stream:
                deltas += event.delta if isinstance(event, TextDelta) else ""
        answer: Any = stream.answer
    except errors.TetrateError as failed:
        error, answer = failed, failed.answer
    assert type(error) is (right.error or type(None)), error
    if answer is None:
        assert right.text == ""
        return
    assert (answer.text, answer.reasoning, answer.refusal) == (right.text, right.reasoning, right.refusal)
    assert deltas == right.text
    assert answer.finish_reason == right.finish
    assert answer.partial == (right.error.__name__ if right.error is CUT else None)
    if right.usage is not None:
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == right.usage
    assert right.notice in " ".join(answer.notices)
    if error is None and not right.notice:
        assert answer.notices == (SIMULATED,)
    assert (session.ledger.total().ignored > before) is right.ignored


@pytest.mark.parametrize("kind", [kind for kind, right in RIGHT.items() if not right.streamed_only])
def test_the_right_outcome_in_one_piece(router: SandboxRouter, kind: str) -> None:
    right = RIGHT[kind]

    body = {"model": f"sandbox/fault-{kind}", "messages": [{"role": "user", "content": "x"}]}
    found = asked_whole(router, body)
    adding = Accumulator()
    text, reasoning = adding.add(found.as_chunk())
    more, left = adding.finish()
    if kind in {"after-done", "empty-only-done", "data-null", "choices-null"} or not _has_whole(kind):
        return  # the usual answer comes in its place
    assert (text + more, reasoning + left, adding.refusal) == (right.text, right.reasoning, right.refusal)
    assert adding.finish_reason == (right.finish or adding.finish_reason)
    if right.usage is not None:
        assert (adding.usage.prompt_tokens, adding.usage.completion_tokens) == right.usage
    assert adding.has_choice is (kind != "empty-no-choices")


def _has_whole(kind: str) -> bool:
    from tetrate_jupyter.sandbox.oddities import ODDITIES

    return bool({"whole", "body"} & ODDITIES[kind].blocks.keys())


def asked_whole(router: SandboxRouter, body: dict[str, Any]) -> ChatChunk:
    """Ask without a stream, which we never do ourselves: another server may answer so all the same."""
    headers = {"Authorization": f"Bearer {router.issue_key()}"}
    came = httpx.post(f"{router.base_url}/chat/completions", json=body, headers=headers, timeout=60)
    assert came.status_code == 200, came.text
    return decode_chunk(came.content)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("kind", CALLS)
def test_calls_run_and_go_back_so_that_the_second_round_is_answered(
    router: SandboxRouter, session: Session, kind: str, whole: bool
) -> None:
    ran = CALLS[kind]
    cities: list[str] = []

    def get_weather(city: str) -> str:
        """Return the weather."""
        cities.append(city)
        return f"{city}: sunny"

    if whole:
        if not _has_whole(kind):
            pytest.skip("has no form in one piece")
        run_whole(router, kind, get_weather)
    else:
        answer = session.ask("Weather?", model=f"sandbox/fault-{kind}", tools=[get_weather], keep=False)
        assert answer.text
        assert answer.partial is None
        assert [bool(r.error) for r in answer.tool_results] == ([False] * len(ran.cities) or [True])
        assert ran.told in (answer.tool_results[0].error or "")
    assert tuple(cities) == ran.cities
    sent = router.requests[-1].body
    assert sent is not None
    (calls,) = [m["tool_calls"] for m in sent["messages"] if m.get("tool_calls")]
    assert [json.loads(c["function"]["arguments"]) for c in calls] == ([{"city": c} for c in ran.cities] or [{}])
    assert len({c["id"] for c in calls}) == len(calls)


def run_whole(router: SandboxRouter, kind: str, tool: Any) -> None:
    """Run the calls of an answer in one piece as a round does, and ask the second round."""
    from tetrate_jupyter.completion.request import wire_message
    from tetrate_jupyter.completion.tools import Toolbox
    from tetrate_jupyter.types import Message

    toolbox = Toolbox.of([tool])
    model = f"sandbox/fault-{kind}"

    messages: list[dict[str, Any]] = [{"role": "user", "content": "Weather?"}]
    body = {"model": model, "messages": messages, "tools": toolbox.specs}
    adding = Accumulator(tools=toolbox.names)
    _, thought = adding.add(asked_whole(router, body).as_chunk())
    calls = adding.tool_calls
    aside = adding.aside(thought)
    messages.append(wire_message(Message("assistant", "", tool_calls=calls, aside=aside, model=model), model))
    for call in calls:
        result = asyncio.run(toolbox.call(call))
        messages.append(wire_message(Message("tool", result.result, tool_call_id=call.id)))
    answer = asked_whole(router, body)
    assert answer.delta is not None
    assert answer.delta.content


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_json_with_something_around_it_fits_and_the_reader_is_told(
    router: SandboxRouter, session: Session, kind: str
) -> None:
    schema = {"type": "object", "properties": {"city": {"const": 'Ro"me\n'}}, "required": ["city"]}
    router.inject(Fault(kind))
    answer = session.ask("x", schema=schema, keep=False)
    assert answer.parsed == {"city": 'Ro"me\n'}
    assert any("around the JSON" in notice for notice in answer.notices)


def test_json_alone_has_no_such_notice(session: Session) -> None:
    answer = session.ask("x", schema={"type": "object", "properties": {"city": {"const": "Rome"}}}, keep=False)
    assert not any("around the JSON" in notice for notice in answer.notices)


@pytest.mark.parametrize("kind", ["refusal", "refusal-after-text"])
def test_a_refusal_where_a_schema_was_given_is_an_error_with_its_words(
    router: SandboxRouter, session: Session, kind: str
) -> None:
    router.inject(Fault(kind))
    with pytest.raises(errors.RefusedError, match="I can't") as caught:
        session.ask("x", schema={"type": "object"}, keep=False)
    assert caught.value.refusal == RIGHT[kind].refusal
    assert getattr(caught.value.answer, "refusal", None) == RIGHT[kind].refusal


def test_a_refusal_is_in_the_conversation_and_in_the_comparison(router: SandboxRouter, session: Session) -> None:
    router.inject(Fault("refusal"))
    session.ask("x")
    exchange = session.history[-1]
    assert exchange.answer == "I can't help with that."
    assert any("refused" in notice for notice in exchange.notices)
    session.ask("and now?")  # the words went with it: roles take turns
    sent = router.requests[-1].body
    assert sent is not None
    assert [m["role"] for m in sent["messages"]] == ["user", "assistant", "user"]
    session.reset()
    result = session.compare("x", ["sandbox/fault-refusal", MODEL])
    row = result.rows[0]
    assert (row.state, row.refusal) == ("done", "I can't help with that.")
    assert any("refused" in notice for notice in row.notices)
    assert "I can&#x27;t help with that." in result.html or "I can't help with that." in result.html


def test_the_status_counts_what_was_left_out(router: SandboxRouter, session: Session) -> None:
    router.inject(Fault("data-null"))
    session.ask("x", keep=False)
    assert "odd members of answers left out" in session.status()["asked so far"]


@pytest.mark.parametrize("n", [2, 5, "2", 0])
def test_more_than_one_answer_is_refused_with_what_to_do(session: Session, n: object) -> None:
    with pytest.raises(errors.OptionError) as caught:
        session.ask("x", n=n)
    assert "repeats=2" in caught.value.next_step
    assert session.ask("x", n=1, keep=False).text


def test_an_answer_numbered_in_another_way_is_read() -> None:
    from tetrate_jupyter.http.chunk_reading import decode_chunk

    whole = decode_chunk(b'{"choices":[{"index":1,"message":{"content":"a"}}]}').as_chunk()
    assert whole.delta is not None
    assert whole.delta.content == "a"


def test_a_conversation_with_broken_calls_can_be_asked_on(router: SandboxRouter, session: Session) -> None:
    def get_weather(city: str) -> str:
        """Return the weather."""
        return city

    session.reset()
    session.ask("Weather?", model="sandbox/fault-calls-arguments-broken", tools=[get_weather])
    assert session.ask("and now?").text
    session.reset()


def test_what_belongs_to_one_model_is_not_sent_to_another(router: SandboxRouter, session: Session) -> None:
    def get_weather(city: str) -> str:
        """Return the weather."""
        return city

    session.reset()
    session.ask("Weather?", model="sandbox/fault-calls-need-extra-content", tools=[get_weather])
    session.ask("and now?", model=MODEL)
    assert "thought_signature" not in json.dumps(router.requests[-1].body)
    session.reset()
