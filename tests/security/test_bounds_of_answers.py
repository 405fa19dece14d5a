"""One answer has a cap: an endless one is closed, kept and marked, and costs no more than the cap says."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter import config
from tetrate_jupyter.errors import AnswerTooLongError
from tetrate_jupyter.types import GrowingText

from .conftest import HEAD, calls, delta, says
from .hostile_server import response
from .test_bounds_of_bodies import HANG_BOUND, MB, measured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Asking

CAP = 50_000

PIECES = {
    "text": delta(content="ab" * 100),
    "one letter": delta(content="a"),
    "reasoning": delta(reasoning_content="thinking "),
    "arguments": delta(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": "1234567890"}}]),
    "calls without content": delta(tool_calls=[{}]),
}


def endless(piece: bytes, closed: threading.Event) -> Iterator[bytes]:
    """Send it until the client hangs up."""
    try:
        yield HEAD
        while True:
            yield piece * (1 + 4096 // len(piece))
    finally:
        closed.set()


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("with_tools", [False, True])
def test_an_endless_answer_is_closed_kept_and_marked(
    asking: Callable[..., Asking], name: str, with_tools: bool
) -> None:
    closed = threading.Event()
    session = asking(endless(PIECES[name], closed)).session
    session.max_answer = CAP
    ran: list[int] = []

    def f() -> int:
        ran.append(1)
        return 1

    with pytest.raises(AnswerTooLongError, match="50,000 characters") as caught:
        session.ask("hello", tools=[f] if with_tools else [])
    assert closed.wait(30)  # the request was closed, not read on
    assert caught.value.next_step
    assert not ran
    assert session.ledger.entries[-1].error == "AnswerTooLongError"
    if name not in {"text", "one letter", "reasoning"}:
        return
    answer: Any = caught.value.answer
    assert len(answer.text or answer.reasoning) == CAP
    assert answer.partial == "AnswerTooLongError"
    assert "the longest that an answer may be" in answer.notices[0]
    assert session.last is not None
    assert session.last.partial == "AnswerTooLongError"
    assert session.history[-1].partial
    assert session.ledger.entries[-1].outcome == "partial"


def test_an_answer_in_one_piece_has_the_same_cap(asking: Callable[..., Asking]) -> None:
    whole = b'{"choices":[{"message":{"content":"%s"},"finish_reason":"stop"}]}' % (b"a" * (CAP + 1))
    session = asking(response(whole)).session
    session.max_answer = CAP
    with pytest.raises(AnswerTooLongError) as caught:
        session.ask("hello")
    assert caught.value.answer is not None
    assert caught.value.answer.text == "a" * CAP


def test_an_answer_of_just_the_cap_is_whole(asking: Callable[..., Asking]) -> None:
    session = asking(says("a" * CAP)).session
    session.max_answer = CAP
    assert session.ask("hello").partial is None


def test_the_cap_is_for_all_rounds_together(asking: Callable[..., Asking]) -> None:
    def f(a: str) -> str:
        return a[:1]

    rounds = [calls(("f", '{"a": "%s"}' % ("x" * 20_000))) for _ in range(3)]
    session = asking(*rounds).session
    session.max_answer = CAP
    with pytest.raises(AnswerTooLongError) as caught:
        session.ask("hello", tools=[f])
    answer: Any = caught.value.answer
    assert [len(r.call.arguments) > 20_000 for r in answer.tool_results] == [True, True]


def test_a_fork_has_the_same_cap(asking: Callable[..., Asking]) -> None:
    session = asking().session
    session.max_answer = CAP
    assert session.fork().max_answer == CAP


@pytest.mark.heavy
@pytest.mark.once
@pytest.mark.timeout(HANG_BOUND)
@pytest.mark.parametrize("size", [2, 4000])
def test_the_cap_bounds_memory(size: int) -> None:
    """Also where the pieces are small, whose objects would take thirty times what they hold."""

    def pieces() -> Iterator[bytes]:
        piece = delta(content="ab" * (size // 2))
        yield HEAD
        for _ in range(2 * config.MAX_ANSWER_CHARACTERS // size):
            yield piece

    seen = measured(lambda _: pieces(), "json:chat")["json:chat"]
    assert seen["outcome"].startswith("AnswerTooLongError: ")
    assert seen["growth"] <= config.MAX_RESPONSE_BYTES + 8 * MB


# --- text that grows -----------------------------------------------------------------------------------------


def test_growing_text_is_what_was_appended() -> None:
    text, pieces = GrowingText(), [f"{number}," for number in range(5_000)]
    assert not text
    for number, piece in enumerate(pieces):
        text.append(piece)
        if number % 617 == 0:
            assert text.text() == "".join(pieces[: number + 1])
    assert text.text() == "".join(pieces)
    assert text.length == len(text.text())


def test_looking_again_costs_nothing() -> None:
    text = GrowingText()
    text.append("a" * 1000)
    text.append("b")
    assert text.text() is text.text()


def test_growing_text_is_read_whole_from_other_threads() -> None:
    text, wrong, done = GrowingText(), [], threading.Event()

    def read() -> None:
        seen = ""
        while not done.is_set():
            now = text.text()
            if not now.startswith(seen) or now != whole[: len(now)]:
                wrong.append(now[-20:])
            seen = now

    whole = "".join(f"{number} " for number in range(30_000))
    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(30_000):
        text.append(f"{number} ")
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert text.text() == whole
