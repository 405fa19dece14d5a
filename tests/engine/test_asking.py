"""Asking: what is sent, what comes back, what is kept, and what is said when something is wrong."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tetrate_jupyter.answers.key import KeyedRequest, key_of
from tetrate_jupyter.completion.request import Options
from tetrate_jupyter.errors import (
    EmptyPromptError,
    InvalidKeyError,
    NotSignedInError,
    OptionError,
    RateLimitError,
    SchemaMismatchError,
    SecretInPromptError,
    StreamCutError,
    ToolFailedError,
    ToolLoopError,
    UnknownModelError,
    UnreachableError,
    UnsupportedInputError,
)
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.sandbox import LoggedRequest, SandboxRouter

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def chats(router: SandboxRouter) -> list[LoggedRequest]:
    return [r for r in router.requests if r.path.endswith("/chat/completions")]


def test_an_answer_carries_text_model_usage_times_cost_and_request_id(session: Session, router: SandboxRouter) -> None:
    answer = session.ask("What is 17 * 23?")
    assert "391" in answer.text
    assert (answer.model_asked, answer.model) == ("claude-haiku-4-5", "claude-haiku-4-5")
    assert answer.usage.prompt_tokens
    assert answer.usage.completion_tokens
    assert answer.timing.first_token is not None
    assert 0 <= answer.timing.first_token <= answer.timing.total
    assert isinstance(answer.cost, Decimal)
    assert answer.cost > 0
    assert answer.request_id == chats(router)[0].request_id
    assert answer.partial is None
    assert session.last is answer


def test_the_cost_follows_the_published_prices(session: Session) -> None:
    answer = session.ask("What is 17 * 23?")
    model = session.models()["claude-haiku-4-5"]
    assert model.price.input == Decimal(1)
    assert model.price.output == Decimal(5)
    assert answer.usage.cached_tokens in (None, 0)
    expected = (answer.usage.prompt_tokens * 1 + answer.usage.completion_tokens * 5) / Decimal(1_000_000)  # type: ignore[operator]
    assert answer.cost == expected


def test_the_conversation_goes_along_and_a_fresh_one_does_not(session: Session, router: SandboxRouter) -> None:
    session.ask("My name is Ada.")
    session.ask("What is my name?")
    assert [m["role"] for m in chats(router)[-1].body["messages"]] == ["user", "assistant", "user"]
    session.reset()
    session.ask("What is my name?")
    assert len(chats(router)[-1].body["messages"]) == 1


def test_keep_false_asks_outside_of_the_conversation(session: Session, router: SandboxRouter) -> None:
    session.ask("My name is Ada.")
    session.ask("hello", keep=False)
    with session.stream("hello again", keep=False) as events:
        list(events)
    assert [[m["content"] for m in chat.body["messages"]] for chat in chats(router)[1:]] == [["hello"], ["hello again"]]
    assert session.plan("hello", keep=False).prompt_tokens < session.plan("hello").prompt_tokens
    assert [each.user.content for each in session.history] == ["My name is Ada."]
    assert session.ledger.total().calls == 3


def test_running_a_cell_again_replaces_its_exchange(session: Session, router: SandboxRouter) -> None:
    session.ask("first", cell_id="a")
    session.ask("second", cell_id="b")
    session.ask("first, better", cell_id="a")
    assert [e.user.content for e in session.history] == ["first, better", "second"]
    assert len(chats(router)[-1].body["messages"]) == 1  # what came before that cell: nothing


def test_system_prompt_options_and_further_fields_are_sent(session: Session, router: SandboxRouter) -> None:
    session.system = "Be brief."
    session.params["temperature"] = 0.5
    session.ask("hello", max_tokens=50, top_p=0.9)
    body = chats(router)[-1].body
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["temperature"], body["max_tokens"], body["top_p"]) == (0.5, 50, 0.9)
    session.ask("hello", system="Be long.", temperature=0)
    assert chats(router)[-1].body["messages"][0]["content"] == "Be long."
    assert chats(router)[-1].body["temperature"] == 0


def test_numbers_of_other_libraries_are_sent_as_what_they_are(session: Session, router: SandboxRouter) -> None:
    import numpy as np

    session.ask(
        "hello", temperature=np.float32(0.1), max_tokens=np.int64(50), top_p=Decimal("0.9"), seed=np.uint64(2**63)
    )
    body = chats(router)[-1].body
    assert (body["temperature"], body["max_tokens"], body["top_p"], body["seed"]) == (0.1, 50, 0.9, 2**63)
    extra = {
        "a": [np.float16(0.1), {"b": (np.float64(-0.0), np.bool_(True), np.str_("x"))}],
        "c": np.array([[0.1, 2]], dtype=np.float32),
        "d": Fraction(1, 4),
        "e": Decimal("1E+3"),
        "f": np.array(7),
        "g": True,
    }
    sent = Options(extra=extra).extra
    assert json.loads(msgspec.json.encode(sent)) == {
        "a": [0.1, {"b": [0, True, "x"]}], "c": [[0.1, 2]], "d": 0.25, "e": 1000, "f": 7, "g": True,
    }  # fmt: skip
    assert key_of(KeyedRequest("h", "m", (), sent)) == key_of(
        KeyedRequest("h", "m", (), {**sent, "e": 1000, "d": 0.25})
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"messages": []}, "the conversation and this prompt"),
        ({"stop": b"a"}, "stop holds bytes"),
        ({"stop": [b"a"]}, "stop holds bytes"),
        ({"n": True}, "one answer"),
        ({"x": Fraction(10**400)}, "x holds inf"),
        ({"temperature": Fraction(10**400)}, "temperature is inf"),
        ({"x": Decimal("NaN")}, "x holds nan"),
        ({"x": Decimal("sNaN")}, "x holds nan"),
        ({"x": Decimal("1E+999999")}, "x holds inf"),
        ({"x": [Decimal("Infinity")]}, "x holds inf"),
    ],
)
def test_what_would_be_sent_as_something_else_is_refused(
    session: Session, router: SandboxRouter, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(OptionError, match=says) as caught:
        session.ask("hello", **options)
    assert caught.value.next_step
    assert chats(router) == []


def test_a_cap_has_the_name_that_openai_reasoning_models_take(session: Session, router: SandboxRouter) -> None:
    session.ask("hello", model="gpt-6-luna", max_tokens=50)
    body = chats(router)[-1].body
    assert body["max_completion_tokens"] == 50
    assert "max_tokens" not in body


def test_without_a_model_a_small_current_one_is_chosen(session: Session) -> None:
    session.model = None
    session.ask("hello")
    assert session.model is not None
    chosen = session.models()[session.model]
    assert not chosen.deprecated
    assert chosen.price.output is not None


def test_an_image_reaches_the_model(session: Session, router: SandboxRouter) -> None:
    answer = session.ask("What is this?", images=PNG)
    part = chats(router)[-1].body["messages"][-1]["content"][1]
    assert part["image_url"]["url"].startswith("data:image/png;base64,")
    assert "png" in answer.text.lower()


@dataclass
class Person:
    name: str
    age: int


def test_a_schema_gives_a_checked_object(session: Session) -> None:
    answer = session.ask("Extract the person: Ada Lovelace was 36 years old.", schema=Person)
    assert isinstance(answer.parsed, Person)
    assert answer.parsed.name


def test_an_answer_that_breaks_the_schema_keeps_its_text(session: Session) -> None:
    with pytest.raises(SchemaMismatchError) as caught:
        session.ask("This is no JSON.", model="sandbox/echo", schema=Person)
    assert caught.value.answer.text == "This is no JSON."
    assert caught.value.next_step


IN_STOCK = "How many pieces of the product 'lamp' are in stock?"


def stock_of(product: str) -> int:
    """How many pieces of a product are in stock."""
    return {"lamp": 12}.get(product, 0)


async def price_of(product: str) -> float:
    """The price of a product in euros."""
    return 9.5


@pytest.mark.parametrize(
    ("tool", "question", "expected"),
    [(stock_of, IN_STOCK, "12"), (price_of, "What is the price of the product 'lamp' in euros?", "9.5")],
)
def test_tools_plain_and_async_are_called_and_told(
    session: Session, tool: object, question: str, expected: str
) -> None:
    answer = session.ask(question, tools=[tool])
    assert [r.call.name for r in answer.tool_results] == [tool.__name__]  # type: ignore[attr-defined]
    assert answer.tool_results[0].result == expected
    assert expected in answer.text
    assert [m.role for m in session.history[-1].replies] == ["assistant", "tool", "assistant"]


def test_a_tool_may_ask_a_model_itself(session: Session) -> None:
    def second_opinion(question: str) -> str:
        """Ask another model."""
        return session.ask("What is 2 + 3?", keep=False).text

    answer = session.ask("Get a second opinion on 'lamp'.", tools=[second_opinion])
    assert "5" in answer.tool_results[0].result


def test_a_tool_that_raises_is_named_and_its_error_is_the_cause(session: Session) -> None:
    def broken(product: str) -> int:
        """How many pieces of a product are in stock."""
        raise LookupError("no such shelf")

    with pytest.raises(ToolFailedError, match="broken raised LookupError: no such shelf") as caught:
        session.ask(IN_STOCK, tools=[broken])
    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.answer is not None


def test_a_model_that_only_calls_tools_is_stopped(session: Session, router: SandboxRouter) -> None:
    with pytest.raises(ToolLoopError) as caught:
        session.ask("Look up 'lamp'.", model="sandbox/fault-tool-loop", tools=[stock_of])
    assert len(chats(router)) == 8
    assert len(caught.value.answer.tool_results) == 8  # type: ignore[attr-defined]


@pytest.mark.parametrize("prompt", ["", "   \n\t "])
def test_an_empty_prompt_is_refused_before_anything_is_sent(
    session: Session, router: SandboxRouter, prompt: str
) -> None:
    with pytest.raises(EmptyPromptError):
        session.ask(prompt)
    assert chats(router) == []


def test_an_unknown_model_is_answered_with_the_nearest(session: Session, router: SandboxRouter) -> None:
    with pytest.raises(UnknownModelError) as caught:
        session.ask("hello", model="claude-haiku-45")
    assert caught.value.nearest[0] == "claude-haiku-4-5"
    assert "claude-haiku-4-5" in caught.value.next_step
    assert chats(router) == []


def test_an_image_for_a_text_only_model_is_refused(session: Session, router: SandboxRouter) -> None:
    with pytest.raises(UnsupportedInputError, match="text only"):
        session.ask("What is this?", model="groq/openai/gpt-oss-20b", images=PNG)
    assert chats(router) == []


@pytest.mark.parametrize(("options", "says"), [({"temperature": 3}, "0 to 2"), ({"max_tokens": 0}, "at least 1"),
                                               ({"effort": "huge"}, "low")])  # fmt: skip
def test_options_out_of_range_are_refused(session: Session, options: dict[str, object], says: str) -> None:
    with pytest.raises(OptionError) as caught:
        session.ask("hello", model="gpt-6-luna", **options)
    assert says in caught.value.next_step


def test_a_prompt_that_holds_the_key_is_refused(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> None:
    key = router.issue_key()
    session = Session(base_url=router.base_url, key=key, data_dir=tmp_path, bridge=bridge)
    with pytest.raises(SecretInPromptError) as caught:
        session.ask(f"My key is {key}, is it safe?", model="claude-haiku-4-5")
    assert key not in str(caught.value)
    assert chats(router) == []
    session.close()


def test_a_tool_result_that_holds_the_key_is_not_sent(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> None:
    key = router.issue_key()
    session = Session(base_url=router.base_url, key=key, data_dir=tmp_path, bridge=bridge)

    def leak(product: str) -> str:
        """How many pieces of a product are in stock."""
        return f"the key is {key}"

    with pytest.raises(SecretInPromptError):
        session.ask(IN_STOCK, model="claude-haiku-4-5", tools=[leak])
    assert len(chats(router)) == 1
    session.close()


def test_not_signed_in_says_how(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> None:
    session = Session(base_url=router.base_url, data_dir=str(tmp_path), bridge=bridge)
    with pytest.raises(NotSignedInError) as caught:
        session.ask("hello")
    assert "%tetrate_login" in caught.value.next_step
    assert "TETRATE_API_KEY" in caught.value.next_step
    session.close()


def test_a_refused_key_of_the_environment_is_named_by_its_variable(
    router: SandboxRouter, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TETRATE_BASE_URL", router.base_url)
    monkeypatch.setenv("TETRATE_API_KEY", "sk-0123456789abcdefghijklmnop")
    with closing(Session(data_dir=tmp_path, bridge=bridge)) as session, pytest.raises(InvalidKeyError) as caught:
        session.ask("hello")
    assert caught.value.next_step.startswith("correct TETRATE_API_KEY, or sign in again with %tetrate_login")


def test_a_key_revoked_between_two_questions(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> None:
    key = router.issue_key()
    session = Session(base_url=router.base_url, key=key, data_dir=tmp_path, bridge=bridge)
    session.ask("hello", model="claude-haiku-4-5")
    router.revoke_key(key)
    with pytest.raises(InvalidKeyError) as caught:
        session.ask("hello again", model="claude-haiku-4-5")
    assert "%tetrate_login" in caught.value.next_step
    assert caught.value.request_id
    assert len(session.history) == 1
    assert [e.outcome for e in session.ledger.entries] == ["done", "failed"]
    session.close()


def test_a_stream_that_is_cut_keeps_and_marks_its_text(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("stream-cut", after_chunks=3))
    with pytest.raises(StreamCutError) as caught:
        session.ask("Tell me a long story.")
    partial = caught.value.answer
    assert partial is not None
    assert partial.text
    assert session.last is not None
    assert session.last.partial == "StreamCutError"
    assert session.history[-1].partial
    assert session.ledger.entries[-1].outcome == "partial"


def test_a_router_that_is_gone_is_told_with_its_address(router: SandboxRouter, session: Session) -> None:
    session.ask("hello")
    router.stop()
    with pytest.raises(UnreachableError) as caught:
        session.ask("hello again")
    assert router.host in caught.value.message


def test_a_rate_limit_is_waited_for_and_told(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("rate-limit", retry_after=0.01, times=1))
    answer = session.ask("hello")
    assert answer.text
    router.inject(Fault("rate-limit", retry_after=3600, times=None))
    with pytest.raises(RateLimitError) as caught:
        session.ask("hello")
    assert caught.value.retry_after == 3600


def test_text_split_inside_characters_arrives_whole(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("byte-split"))
    assert "世界, 🌍 👩🏽‍🔬" in session.ask("hello").text
    text = "naïve ☃ 👩‍👩‍👧‍👦 שלום עולם مرحبا 日本語 \u0301" * 20
    assert session.ask(text, model="sandbox/echo").text == text


def test_an_answer_of_two_hundred_thousand_characters_arrives_whole(session: Session) -> None:
    answer = session.ask("chunks=2000 size=100 interval=0", model="sandbox/stream")
    assert len(answer.text) == 200_000


def test_fallback_is_told_and_billed_at_the_answering_model(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("served-differs", served_model="claude-sonnet-5"))
    answer = session.ask("hello")
    assert (answer.model_asked, answer.model) == ("claude-haiku-4-5", "claude-sonnet-5")
    expected = (answer.usage.prompt_tokens * 2 + answer.usage.completion_tokens * 10) / Decimal(1_000_000)  # type: ignore[operator]
    assert answer.cost == expected
    assert "claude-haiku-4-5" in answer.footer


def test_missing_usage_is_unknown_and_never_nothing(session: Session, router: SandboxRouter) -> None:
    router.inject(Fault("no-usage"))
    answer = session.ask("hello")
    assert answer.usage.prompt_tokens is None
    assert answer.cost is None
    assert "unknown" in answer.footer
    assert session.ledger.total().unknown_costs == 1


def test_a_plan_sends_nothing_and_names_its_cost(session: Session, router: SandboxRouter) -> None:
    planned = session.plan("hello " * 100, max_tokens=1000)
    assert chats(router) == []
    assert planned.prompt_tokens > 100
    assert planned.cost.usd is not None
    assert planned.worst_cost.usd is not None
    assert planned.worst_cost.usd - planned.cost.usd == Decimal(1000 * 5) / 1_000_000


def test_a_fork_goes_its_own_way(session: Session) -> None:
    session.ask("one")
    other = session.fork()
    other.ask("two")
    assert [e.user.content for e in session.history] == ["one"]
    assert [e.user.content for e in other.history] == ["one", "two"]
    other.close()


@pytest.mark.parametrize(
    ("prompt", "options"),
    [
        (None, {}), (5, {}), (b"hello", {}), ("hello", {"model": 5}), ("hello", {"system": 5}), ("hello", {"tools": 5}),
        ("hello", {"tools": len}), ("hello", {"max_tokens": "many"}), ("hello", {"max_tokens": 2.5}),
        ("hello", {"max_tokens": True}), ("hello", {"temperature": "hot"}), ("hello", {"effort": 3}),
    ],
)  # fmt: skip
def test_what_is_of_another_kind_is_refused_before_anything_is_sent(
    session: Session, router: SandboxRouter, prompt: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(OptionError, match=r"can't be (NoneType|int|bytes|str|float|bool|builtin)") as caught:
        session.ask(prompt, **options)
    assert caught.value.next_step
    assert chats(router) == []


def test_a_model_is_set_by_its_id(session: Session) -> None:
    with pytest.raises(OptionError, match="model can't be int"):
        session.model = 5  # type: ignore[assignment]
