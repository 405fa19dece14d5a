"""Kept answers stand for asking: without network and key, marked, free; and what is never kept."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter.errors import (
    ConfigError,
    NotSignedInError,
    OptionError,
    SecretInPromptError,
    TetrateError,
    UnreachableError,
)
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.render.answer import CACHED
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.sandbox import LoggedRequest

Colleague = Any
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
IN_STOCK = "How many pieces of the product 'lamp' are in stock?"


def chats(router: SandboxRouter) -> list[LoggedRequest]:
    return [r for r in router.requests if r.path.endswith("/chat/completions")]


def stock_of(product: str) -> int:
    """How many pieces of a product are in stock."""
    return {"lamp": 12}.get(product, 0)


@dataclass
class Person:
    name: str
    age: int


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "answers.jsonl")


@pytest.fixture
def colleague(session: Session, router: SandboxRouter, tmp_path: Path, bridge: Bridge) -> Iterator[Colleague]:
    """Switch the router off and return the session of somebody without a key; nothing but the file is shared."""
    made: list[Session] = []

    def begin() -> Session:
        router.stop()
        made.append(Session(base_url=router.base_url, data_dir=tmp_path / "another home", bridge=bridge))
        return made[0]

    yield begin
    for each in made:
        each.close()


def _with_model(session: Session, model: str | None) -> Session:
    session.model = model
    return session


def _streamed(session: Session) -> Answer:
    with session.stream("Tell of tables and code.", model="claude-haiku-4-5") as events:
        text = "".join(events.texts())
    assert events.answer is not None
    assert events.answer.text == text
    return events.answer


def _asked_on(session: Session) -> Answer:
    session.ask(IN_STOCK, model="claude-haiku-4-5", tools=[stock_of])
    session.ask("My lucky number is 4711.", model="claude-haiku-4-5", images=PNG)
    return session.ask("What is my lucky number?", model="gpt-6-luna")


QUESTIONS: dict[str, Callable[[Session], Answer]] = {
    "plain": lambda s: s.ask("What is 17 * 23?", model="claude-haiku-4-5"),
    "the model as it is written": lambda s: s.ask("What is 17 * 23?", model=" Claude-Haiku-4-5"),
    "the session's model": lambda s: _with_model(s, "gpt-6-luna").ask("What is 17 * 23?"),
    "no model": lambda s: _with_model(s, None).ask("What is 17 * 23?"),
    "options": lambda s: s.ask("hi", model="gpt-6-luna", max_tokens=500, temperature=0.5, top_p=0.9, system="Be kind."),
    "an image": lambda s: s.ask("What is this?", model="claude-haiku-4-5", images=PNG),
    "a schema": lambda s: s.ask("Ada Lovelace was 36 years old.", model="claude-haiku-4-5", schema=Person),
    "a schema in words": lambda s: s.ask(
        "Ada was 36 years old.", model="sandbox/fault-answer-in-sentences", schema=Person
    ),
    "tools": lambda s: s.ask(IN_STOCK, model="claude-haiku-4-5", tools=[stock_of]),
    "a stream": _streamed,
    "a coroutine": lambda s: asyncio.run(s.aask("hi", model="claude-haiku-4-5")),
    "a conversation": _asked_on,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_colleague_without_key_and_router_gets_the_same_answer(
    session: Session, colleague: Colleague, file: str, name: str
) -> None:
    session.cached(file)
    first = QUESTIONS[name](session)
    other = colleague()
    other.cached(file)
    again = QUESTIONS[name](other)
    assert not first.cached
    assert again.cached
    for part in ("text", "reasoning", "parsed", "model", "model_asked", "cost", "usage", "finish_reason", "simulated"):
        assert getattr(again, part) == getattr(first, part), part
    assert [notice for notice in again.notices if notice != CACHED] == list(first.notices)
    assert [r.result for r in again.tool_results] == [r.result for r in first.tool_results]
    assert [[m.content for m in e.messages()] for e in other.history] == [
        [m.content for m in e.messages()] for e in session.history
    ]
    assert again.simulated
    assert other.ledger.total().calls == 0


def test_a_model_is_chosen_without_a_list_where_kept_answers_are_used(
    session: Session, colleague: Colleague, file: str
) -> None:
    session.cached(file)
    session.ask("hi", model="gpt-6-luna", keep=False)
    other = colleague()
    with pytest.raises(NotSignedInError):
        other.choose("gpt-6-luna")
    other.cached(file)
    other.choose("gpt-6-luna")
    assert other.ask("hi", keep=False).cached


def test_tools_are_not_run_for_a_kept_answer(session: Session, router: SandboxRouter) -> None:
    ran: list[str] = []

    def stock(product: str) -> int:
        """How many pieces of a product are in stock."""
        ran.append(product)
        return 12

    first = session.ask(IN_STOCK, tools=[stock], cached=True, keep=False)
    again = session.ask(IN_STOCK, tools=[stock], cached=True, keep=False)
    assert ran == ["lamp"]
    assert again.cached
    assert again.tool_results[0].call == first.tool_results[0].call


def test_a_tool_that_was_changed_is_another_question(session: Session, tmp_path: Path) -> None:
    def of(number: int) -> Any:
        source = f'def stock(product: str) -> int:\n    """Pieces in stock."""\n    return {number}\n'
        path = tmp_path / f"tool_{number}.py"
        path.write_text(source)
        names: dict[str, Any] = {}
        exec(compile(source, str(path), "exec"), names)
        return names["stock"]

    for number in (1, 2):
        assert not session.ask(IN_STOCK, tools=[of(number)], cached=True, keep=False).cached
    assert session.ask(IN_STOCK, tools=[of(2)], cached=True, keep=False).cached


def test_it_is_marked_and_costs_nothing_now(session: Session) -> None:
    first = session.ask("What is 17 * 23?", cached=True, keep=False)
    again = session.ask("What is 17 * 23?", cached=True)
    assert first.cost
    assert again.cost == first.cost
    assert again.asked_at is not None
    assert "$0 now (≈ $" in again.footer
    assert "when asked on 20" in again.footer
    bundle = again.bundle()
    assert "· cached · simulated]" in bundle["text/plain"]
    assert ">cached</span>" in bundle["text/html"]
    assert session.ledger.total().calls == 1
    (exchange,) = session.history
    assert exchange.entry is not None
    assert exchange.entry.cost == Decimal(0)
    assert exchange.notices == again.notices
    assert session.last is again


def test_without_a_word_nothing_is_kept_and_nothing_taken(session: Session, router: SandboxRouter) -> None:
    for _ in range(2):
        session.ask("hi", keep=False)
    assert len(chats(router)) == 2
    assert not list(Path(session.keeper.folder or "").rglob("answers*"))


def test_refresh_asks_anew_and_replaces(session: Session, router: SandboxRouter, file: str) -> None:
    session.cached(file)
    session.ask("one", keep=False)
    before = Path(file).read_bytes()
    router.inject(Fault("served-differs"))
    fresh = session.ask("one", keep=False, refresh=True)
    assert not fresh.cached
    assert len(chats(router)) == 2
    again = session.ask("one", keep=False)
    assert again.cached
    assert again.model == fresh.model
    assert len(Path(file).read_bytes().splitlines()) == len(before.splitlines()) == 1


def test_repeats_are_answers_of_their_own(session: Session, router: SandboxRouter) -> None:
    for repeat in (0, 1, 2):
        assert not session.ask("hi", cached=True, keep=False, repeat=repeat).cached
    assert session.ask("hi", cached=True, keep=False, repeat=1).cached
    assert len(chats(router)) == 3
    for wrong in (-1, "1", 1.0, True):
        with pytest.raises(OptionError, match="repeat"):
            session.ask("hi", repeat=wrong)


def test_another_router_has_other_answers(session: Session, file: str, bridge: Bridge, tmp_path: Path) -> None:
    session.cached(file)
    session.ask("hi", keep=False)
    with SandboxRouter(speed=INSTANT) as second:
        other = Session(base_url=second.base_url, key=second.issue_key(), data_dir=tmp_path / "two", bridge=bridge)
        other.cached(file)
        assert not other.ask("hi", keep=False, model="claude-haiku-4-5").cached
        other.close()


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        *((kind, {}) for kind in ("refusal", "refusal-after-text", "content-filter", "empty-answer", "length")),
        *((kind, {}) for kind in ("finish-safety", "finish-unknown", "finish-max-tokens", "empty-reasoning-only")),
        *((kind, {}) for kind in ("stream-cut", "stream-error", "server-error")),
        ("echo", {"schema": Person}),
        ("claude-haiku-4-5", {"max_tokens": 1}),
    ],
)
def test_what_is_no_whole_answer_is_never_kept(
    session: Session, router: SandboxRouter, file: str, kind: str, more: dict[str, Any]
) -> None:
    model = kind if "claude" in kind else f"sandbox/{kind}" if kind == "echo" else f"sandbox/fault-{kind}"
    session.cached(file)
    for number in range(2):
        try:
            answer = session.ask("Write a long story, please.", model=model, keep=False, **more)
        except TetrateError:
            pass
        else:
            assert not answer.cached
        assert len(chats(router)) > number
    assert not Path(file).exists()


def test_a_key_in_the_question_is_refused_before_anything_is_looked_up(
    session: Session, router: SandboxRouter, file: str
) -> None:
    session.cached(file)
    key = router.issue_key()
    keyed = Session(base_url=router.base_url, key=key, bridge=session.bridge)
    keyed.cached(file)
    with pytest.raises(SecretInPromptError):
        keyed.ask(f"My key is {key}", model="claude-haiku-4-5")
    assert not Path(file).exists()
    keyed.close()


def test_what_is_missing_is_said_where_nothing_can_be_asked(
    session: Session, router: SandboxRouter, colleague: Colleague, file: str
) -> None:
    session.cached(file)
    session.ask("What is 17 * 23?", keep=False)
    other = colleague()
    other.cached(file)
    with pytest.raises(NotSignedInError, match=r"No answer to this is kept in answers\.jsonl"):
        other.ask("What is 18 * 23?", model="claude-haiku-4-5")
    keyed = Session(base_url=router.base_url, key=router.issue_key(), bridge=session.bridge)
    with pytest.raises(UnreachableError, match="No answer to this is kept in your own store"):
        keyed.ask("What is 18 * 23?", model="unlisted:claude-haiku-4-5", cached=True)
    keyed.close()


def test_a_merged_file_is_said_under_the_next_answer_once(session: Session, file: str) -> None:
    Path(file).write_text("<<<<<<< HEAD\n=======\n>>>>>>> side\n")
    session.cached(file)
    first, second = (session.ask(text, keep=False) for text in ("one", "two"))
    assert any("marks of a merge conflict" in notice for notice in first.notices)
    assert not any("merge" in notice for notice in second.notices)
    again = session.ask("one", keep=False)
    assert again.cached
    assert not any("merge" in notice for notice in again.notices)


def test_a_place_that_takes_nothing_costs_no_answer(session: Session, tmp_path: Path) -> None:
    session.cached(str(tmp_path / "nowhere" / "answers.jsonl"))
    answer = session.ask("What is 17 * 23?")
    assert "391" in answer.text
    assert any("can't be written" in notice for notice in answer.notices)


def test_text_that_no_longer_fits_the_schema_is_asked_anew(session: Session, router: SandboxRouter, file: str) -> None:
    session.cached(file)
    session.ask("Ada was 36 years old.", schema=Person, keep=False)
    line = json.loads(Path(file).read_text())
    line["text"] = "no JSON any more"
    Path(file).write_text(json.dumps(line, sort_keys=True, separators=(",", ":")) + "\n")
    fresh = session.ask("Ada was 36 years old.", schema=Person, keep=False)
    assert not fresh.cached
    assert isinstance(fresh.parsed, Person)
    assert len(chats(router)) == 2


def test_the_file_holds_neither_prompt_nor_router_nor_key(session: Session, router: SandboxRouter, file: str) -> None:
    session.cached(file)
    session.ask("What is 17 * 23?", system="You are a ledger of Umbridge & Co.", keep=False)
    text = Path(file).read_text()
    assert "391" in text
    for hidden in ("17 * 23", "Umbridge", "127.0.0.1", router.base_url):
        assert hidden not in text


def test_a_block_ends_what_it_has_begun_and_a_fork_has_its_own(session: Session, router: SandboxRouter) -> None:
    with session.cached():
        session.ask("hi", keep=False)
        fork = session.fork()
        with session.cached(False):
            assert not session.ask("hi", keep=False).cached
        with session.cached(refresh=True):
            assert not session.ask("hi", keep=False).cached
        assert session.ask("hi", keep=False).cached
        assert not session.ask("hi", keep=False, cached=False).cached
    assert not session.ask("hi", keep=False).cached
    assert fork.ask("hi", keep=False).cached
    with pytest.raises(ConfigError):
        session.cached("notes.ipynb")
    assert session.keeper.place == ""
    fork.close()
