"""What a stream tells piece by piece, joined, is what its answer says, whatever comes between the pieces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.recorder import Arrived, Recorder, Reply
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.types import ReasoningDelta, TextDelta

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.types import Event

KEY = "sk-deltas-0123456789abcdefghij"
MOST_ROUNDS = 4


class Script:
    """The rounds that the server plays, one for each request: lists of deltas; None cuts the stream there."""

    rounds: list[list[dict[str, Any] | None]]

    def next(self) -> bytes:
        deltas = self.rounds.pop(0) if self.rounds else [{"content": "The end."}]
        events = []
        for delta in deltas:
            if delta is None:
                return "".join(events).encode()
            events.append(f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n")
        reason = "tool_calls" if any(d and "tool_calls" in d for d in deltas) else "stop"
        ended = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
        return "".join([*events, f"data: {json.dumps(ended)}\n\n", "data: [DONE]\n\n"]).encode()


@pytest.fixture(scope="module")
def script() -> Iterator[tuple[Script, str]]:
    playing = Script()

    def reply(arrived: Arrived) -> Reply:
        if arrived.method == "GET":
            return Reply(body={"data": [{"id": "m"}]})
        return Reply(body=playing.next(), headers={"Content-Type": "text/event-stream"})

    with Recorder(reply) as server:
        yield playing, server.origin


@pytest.fixture
def asked(script: tuple[Script, str], bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    made = Session(base_url=f"{script[1]}/v1", key=KEY, data_dir=tmp_path, bridge=bridge, model="m")
    yield made
    made.close()


def look() -> str:
    """Look something up."""
    return "found"


PIECES = st.sampled_from(
    [
        "a",
        "One two. ",
        "\n",
        "\n\n",
        " ",
        "😀",
        "\ud83d",
        "\ude00",
        "<think>",
        "hm</think>",
        "</",
        KEY[:9],
        KEY[9:],
        KEY,
        "sk-",
    ]
)
CALL = {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}]}
DELTA = st.one_of(
    st.builds(lambda text: {"content": text}, PIECES),
    st.builds(lambda text: {"content": text}, PIECES),
    st.builds(lambda text: {"reasoning_content": text}, PIECES),
    st.builds(lambda text, thought: {"content": text, "reasoning": thought}, PIECES, PIECES),
    st.just({"refusal": "I can't."}),
    st.just(None),
)
CALLING = st.lists(DELTA, max_size=5).map(lambda deltas: [*(d for d in deltas if d is not None), CALL])


def heard(session: Session) -> tuple[list[Event], Any, TetrateError | None]:
    events: list[Event] = []
    error = None
    with session.stream("Go on.", tools=[look]) as stream:
        try:
            events.extend(stream)
        except TetrateError as raised:
            error = raised
    return events, stream.answer, error


@pytest.mark.heavy
@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True, database=None
)
@given(calling=st.lists(CALLING, max_size=MOST_ROUNDS), last=st.lists(DELTA, max_size=8))
def test_joined_they_are_the_answer(
    script: tuple[Script, str], asked: Session, calling: list[list[dict[str, Any] | None]], last: list[Any]
) -> None:
    script[0].rounds = [*calling, last]
    events, answer, error = heard(asked)
    texts = [e for e in events if isinstance(e, TextDelta)]
    thoughts = [e for e in events if isinstance(e, ReasoningDelta)]
    assert "".join(e.delta for e in texts) == answer.text
    assert "".join(e.delta for e in thoughts) == answer.reasoning
    for each, whole in ((texts, answer.text), (thoughts, answer.reasoning)):
        told = ""
        for event in each:
            told += event.delta
            assert event.snapshot == told
        assert told == whole
    assert KEY not in answer.text
    assert KEY not in answer.reasoning  # the two together may be anything
    if error is not None and error.answer is not None:
        assert error.answer.text == answer.text
        assert asked.last is not None
        assert asked.last.text == answer.text
    asked.reset()


@pytest.mark.parametrize("before", ["Let me look.", "Let me look.\n\n", ""])
def test_what_is_said_after_a_tool_begins_anew(script: tuple[Script, str], asked: Session, before: str) -> None:
    script[0].rounds = [[{"content": before}, CALL], [{"content": "It is "}, {"content": "there."}]]
    events, answer, error = heard(asked)
    assert error is None
    gap = "\n\n" if before.strip() else ""
    assert answer.text == before.strip() + gap + "It is there."
    assert "".join(e.delta for e in events if isinstance(e, TextDelta)) == answer.text
    assert [m.content for m in asked.history[-1].replies if m.role == "assistant"] == [before, "It is there."]


def test_nothing_is_said_after_the_last_tool(script: tuple[Script, str], asked: Session) -> None:
    script[0].rounds = [[{"content": "Let me look."}, CALL], []]
    events, answer, _ = heard(asked)
    assert answer.text == "Let me look." == "".join(e.delta for e in events if isinstance(e, TextDelta))


def test_what_breaks_off_after_a_tool_is_kept_once(script: tuple[Script, str], asked: Session) -> None:
    script[0].rounds = [[{"content": "Let me look."}, CALL], [{"content": "It is"}, None]]
    _, answer, error = heard(asked)
    assert error is not None
    assert answer.text == "Let me look.\n\nIt is"
    assert [m.content for m in asked.history[-1].replies] == ["Let me look.", "found", "It is"]
