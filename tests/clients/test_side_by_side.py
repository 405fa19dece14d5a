"""The same odd streams read by openai-python and by us: text, finish reason, usage. Each difference has a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.completion.test_odd_answers import CALLS, RIGHT
from tetrate_jupyter import errors
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator

openai = pytest.importorskip("openai")

DIFFERENT = {
    "finish-empty-end": "an answer without its end is cut for us, whole for openai-python",
    "finish-empty-cut": "openai-python raises httpx's own error",
    "after-finish-cut": "the answer was whole: we don't raise",
    "after-finish-error": "the answer was whole: we don't raise",
    "after-finish-garbage": "the answer was whole: we don't raise",
    "finish-stop-capitals": "we give the API's word",
    "finish-end-turn": "we give the API's word",
    "finish-max-tokens": "we give the API's word",
    "finish-max-tokens-capitals": "we give the API's word",
    "finish-safety": "we give the API's word",
    "finish-recitation": "we give the API's word",
    "finish-sensitive": "we give the API's word",
    "finish-object": "its reason is an object there",
    "finish-object-abort": "its reason is an object there",
    "content-parts": "its text is a list there",
    "content-parts-wrapped": "its text is a list there",
    "refusal-in-parts": "its text is a list there",
    "empty-images-in-parts": "its text is a list there",
    "remarks": "it gives chunks without choices, which can't be gone through",
    "choices-by-number": "it goes through the numbers",
    "enveloped": "it knows no envelope",
    "spoken": "it knows no sound in a chunk",
    "surrogate-halves": "it keeps the halves apart",
    "surrogate-lone": "it keeps the half, which can't be encoded",
    "usage-in-halves": "its last usage wins",
    "usage-then-zeros": "its last usage wins",
    "usage-zeros": "0 tokens of a text are unknown here",
    "usage-then-null": "its last usage wins",
    "usage-reasoning-beside": "it doesn't look at the total",
    "usage-other-names": "it knows the API's names",
    "usage-beside-cache": "it knows the API's names",
    "usage-gemini": "it knows the API's place",
    "usage-metadata": "it knows the API's place",
    "usage-ollama": "it knows the API's place",
    "usage-groq": "it knows the API's place",
    "usage-in-choice": "it knows the API's place",
    "after-finish-null": "it fails at an event null",
    "data-null": "it fails at an event null",
    "choices-null": "it gives choices that can't be gone through",
    "message-for-delta": "it knows no message in a chunk",
    "empty-no-choices": "we raise where nothing came",
    "empty-only-done": "we raise where nothing came",
    "error-members-empty": "it takes an error without a word for one",
    "events-in-lines": "it takes all lines for one event",
    "events-twice": "it reads what is behind the first data:",
    "events-as-lines-of-json": "it reads nothing without data:",
    "other-api-messages": "it gives chunks that hold nothing",
    "other-api-responses": "it gives chunks that hold nothing",
    "other-api-lines": "it reads nothing without data:",
    "events-in-lines-pause": "it takes all lines for one event",
    "text-for-delta": "it knows no text beside a delta",
    "heartbeats": "it takes a ping for a chunk",
    "think-tags": "reasoning in tags is text there",
    "think-tags-open": "reasoning in tags is text there",
}


@pytest.fixture(scope="module")
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT, list_faults=True) as running:
        yield running


def by_openai(router: SandboxRouter, kind: str) -> tuple[object, ...]:
    """Read it as its documentation shows: the first choice's deltas, the last usage."""
    client = openai.OpenAI(base_url=router.base_url, api_key=router.issue_key(), max_retries=0)
    router.inject(Fault(kind, delay=0.05))
    text, reason, usage = "", None, None
    try:
        stream = client.chat.completions.create(
            model="claude-haiku-4-5",
            messages=[{"role": "user", "content": "x"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                if (choice.index or 0) == 0:
                    text += choice.delta.content or "" if choice.delta is not None else ""
                    reason = choice.finish_reason or reason
    except Exception as error:  # noqa: BLE001 - whatever it raises is its outcome
        return (type(error).__name__,)
    return text, reason, None if usage is None else (usage.prompt_tokens, usage.completion_tokens)


def by_us(session: Session, router: SandboxRouter, kind: str) -> tuple[object, ...]:
    router.inject(Fault(kind, delay=0.05))
    try:
        answer: Any = session.ask("x", keep=False)
    except errors.TetrateError as error:
        return (type(error).__name__,)
    usage = answer.usage.prompt_tokens, answer.usage.completion_tokens
    return answer.text, answer.finish_reason, None if usage == (None, None) else usage


@pytest.mark.parametrize("kind", [kind for kind in RIGHT if kind not in CALLS])
def test_both_read_the_same_or_the_difference_has_a_reason(
    router: SandboxRouter, session_of: Session, kind: str
) -> None:
    theirs, ours = by_openai(router, kind), by_us(session_of, router, kind)
    assert (ours != theirs) is (kind in DIFFERENT), (ours, theirs)


@pytest.fixture(scope="module")
def session_of(router: SandboxRouter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    made = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path_factory.mktemp("data"))
    made.model = "claude-haiku-4-5"
    yield made
    made.close()
