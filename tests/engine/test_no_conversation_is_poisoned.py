"""After whatever a conversation holds, the next question is answered: what would be refused is mended or left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.test_runs import PIXEL, wait_until
from tests.widgets.page import Page
from tetrate_jupyter.completion.images import load_image
from tetrate_jupyter.conversation import Conversation, Exchange
from tetrate_jupyter.engine.asking import plan
from tetrate_jupyter.errors import InputError, TetrateError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.render.answer import SIMULATED
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter
from tetrate_jupyter.types import Message, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge

TEXT_ONLY = "deepinfra/deepseek-ai/DeepSeek-R1-0528"
NO_TOOLS = "deepinfra/zai-org/GLM-5.3"
ANY_MODEL = "claude-haiku-4-5"
HALF = "\ud83d"
CALL, OTHER = ToolCall("call_0", "stock_of", '{"product": "lamp"}'), ToolCall("call_1", "stock_of", "{}")
RESULT = Message("tool", "12", tool_call_id="call_0", name="stock_of")
ASKED = Message("user", "How many lamps?")


def called(*calls: ToolCall, content: Any = "") -> Message:
    return Message("assistant", content, tool_calls=calls)


def said(content: Any) -> Message:
    return Message("assistant", content)


def odd(role: str, content: Any = "x", **rest: Any) -> Message:
    return Message(role, content, **rest)  # type: ignore[arg-type]


HELD: dict[str, tuple[Any, Any]] = {
    "nothing": (ASKED, ()),
    "empty": (ASKED, (said(""),)),
    "none": (ASKED, (said(None),)),
    "white": (ASKED, (said(" \n\t"),)),
    "parts": (ASKED, (said([{"type": "text", "text": "twelve"}, {"type": "text", "text": None}]),)),
    "calls alone": (ASKED, (called(CALL),)),
    "calls and white space": (ASKED, (called(CALL, content="\n\n"), RESULT, said("12"))),
    "some calls without results": (ASKED, (called(CALL, OTHER), RESULT)),
    "results alone": (ASKED, (RESULT,)),
    "results first": (ASKED, (RESULT, called(CALL), said("12"))),
    "the same result twice": (ASKED, (called(CALL), RESULT, RESULT, said("12"))),
    "the same call twice": (ASKED, (called(CALL, CALL), RESULT, said("12"))),
    "the same id in two rounds, the latter cut": (ASKED, (called(CALL), RESULT, called(CALL))),
    "a result after words": (ASKED, (called(CALL), said("wait"), RESULT)),
    "a result without id": (ASKED, (called(CALL), odd("tool", "12"))),
    "an empty result": (ASKED, (called(CALL), odd("tool", None, tool_call_id="call_0"), said("12"))),
    "calls as a list": (ASKED, (odd("assistant", "", tool_calls=[CALL]), RESULT, said("12"))),
    "calls that are none": (ASKED, (odd("assistant", "12", tool_calls=None),)),
    "broken arguments": (ASKED, (called(ToolCall("call_0", "stock_of", "{'a")), RESULT, said("12"))),
    "arguments that are none": (ASKED, (called(ToolCall("call_0", "f", None)), RESULT, said("x"))),  # type: ignore[arg-type]
    "a name that no tool has": (ASKED, (called(ToolCall("call_0", "functions. stock/of", "{}")), RESULT, said("12"))),
    "no name": (ASKED, (called(ToolCall("call_0", "", "{}")), RESULT, said("12"))),
    "half a character": (
        Message("user", f"a {HALF}"),
        (
            called(ToolCall("call_0", f"f{HALF}", f'{{"a": "{HALF}"}}')),
            odd("tool", HALF, tool_call_id="call_0"),
            said(HALF),
        ),
    ),
    "an empty question": (Message("user", ""), (said("what?"),)),
    "a question that is none": (odd("user", None), (said("what?"),)),
    "an unknown role": (ASKED, (odd("function", "12"), odd("", "12"), said("12"))),
    "a system message": (ASKED, (odd("system", " "), odd("system", "be brief"), said("12"))),
    "a question within": (ASKED, (said("which?"), odd("user", " "), odd("user", "the small ones"), said("12"))),
    "a picture": (Message("user", "What is this?", images=(load_image(PIXEL),)), (said("a dot"),)),
    "a picture alone": (Message("user", "", images=(load_image(PIXEL),)), (said("a dot"),)),
    "the API's own messages": (
        ASKED,
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "12"},
            {"role": "assistant", "content": [{"type": "text", "text": "twelve"}]},
        ),
    ),
    "calls that are no calls": (ASKED, (odd("assistant", "", tool_calls=({"id": "call_0"}, None, 3)), RESULT)),
    "arguments that are data": (ASKED, (called(ToolCall("call_0", "f", {"a": 1})), RESULT, said("12"))),  # type: ignore[arg-type]
    "ids that are lists": (ASKED, (called(ToolCall(["a"], "f", "{}")), odd("tool", "12", tool_call_id=["a"]))),  # type: ignore[arg-type]
    "roles that are lists": (ASKED, (odd(["assistant"]), said("12"))),  # type: ignore[arg-type]
    "what is no message": (ASKED, (None, 5, "12")),
    "no replies": (ASKED, None),
    "no question": (None, (said("12"),)),
    "a question that is a text": ("How many?", (said("12"),)),
    "a question of a tool": (odd("tool", "x", tool_call_id="q"), (said("12"),)),
    "a question that calls": (odd("user", "x", tool_calls=(CALL,)), (said("12"),)),
    "pictures that are none": (
        odd("user", "x", images=("abc", {"url": "x"})),
        (odd("assistant", "12", images=("z",)),),
    ),
    "cuts that are none": (odd("user", "x", cuts=None, typed=5), (said("12"),)),
    "bytes and numbers": (ASKED, (said(b"twelve"), said(12))),
    **{
        f"beside calls: {beside}": (
            ASKED,
            (
                odd(
                    "assistant", "", tool_calls=(ToolCall("call_0", "f", "{}", beside),), aside=beside, model=ANY_MODEL
                ),
                RESULT,
            ),
        )
        for beside in ("{", "[1]", "5", None)
    },
    "ids of another model": (
        ASKED,
        (
            called(ToolCall("functions.f:0", "f", "{}"), ToolCall("x" * 90, "f", "{}")),
            odd("tool", "1", tool_call_id="x" * 90),
            odd("tool", "2", tool_call_id="functions.f:0"),
            said("12"),
        ),
    ),
}


def holding(router: SandboxRouter, bridge: Bridge, folder: Path, *exchanges: Exchange) -> Session:
    return Session(
        base_url=router.base_url,
        key=router.issue_key(),
        data_dir=folder,
        bridge=bridge,
        conversation=Conversation(exchanges),
    )


@pytest.mark.parametrize("model", ["claude-haiku-4-5", TEXT_ONLY, NO_TOOLS])
@pytest.mark.parametrize("held", HELD)
def test_what_was_restored_is_answered_after(
    router: SandboxRouter, bridge: Bridge, tmp_path: Path, held: str, model: str
) -> None:
    user, replies = HELD[held]
    before = Exchange("one", Message("user", "Say hello."), (said("hello"),))
    session = holding(router, bridge, tmp_path, before, Exchange("two", user, replies))
    for made in (session, session.fork()):
        assert "5" in made.ask("What is 2 + 3?", model=model).text
        assert "6" in made.ask("What is 3 + 3?", model=model, replaces=made.history[-1].id).text
        made.close()


@pytest.mark.parametrize("held", HELD)
def test_what_was_restored_is_shown(router: SandboxRouter, bridge: Bridge, tmp_path: Path, held: str) -> None:
    session = holding(router, bridge, tmp_path, Exchange("one", *HELD[held]))
    session.models()  # else the panel's own fetching may outlive the session
    panel = session.chat()
    page = Page(panel)
    page.wait_for(lambda: len(page.items) > 0)
    assert panel.problem == ""
    assert panel.fallback_plain()
    session.conversation.adopt([(Exchange("two", *HELD[held]),)])
    assert panel.fallback_html()
    panel.close()
    session.close()


def test_an_exchange_whose_own_parts_are_odd_is_mended_where_it_comes_in() -> None:
    nothing: Any = None
    given = Exchange(nothing, ASKED, (said("12"),), nothing, entry={"cost": 1}, reasoning=nothing, notices=nothing)  # type: ignore[arg-type]
    (held,) = Conversation([given])
    assert held.id
    assert (held.reasoning, held.notices, held.entry, held.user) == ("", (), None, ASKED)
    whole = Exchange("one", ASKED, (called(CALL), RESULT, said("12")))
    assert Conversation([whole]).exchanges[0] is whole
    with pytest.raises(InputError, match="made of exchanges"):
        Conversation([ASKED])  # type: ignore[list-item]


@pytest.fixture(scope="module")
def lasting() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT, list_faults=True) as running:
        yield running


MESSAGES = st.lists(
    st.sampled_from(
        [
            called(CALL), called(CALL, OTHER), called(OTHER, content=" \n"), RESULT, said(""), said("x"), said(None),
            odd("tool", "", tool_call_id="call_1"), odd("user", "y"), odd("user", ""), odd("elsewhere"),
        ]
    ),
    max_size=8,
)  # fmt: skip


@pytest.mark.heavy
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(replies=MESSAGES, model=st.sampled_from(["claude-haiku-4-5", TEXT_ONLY, NO_TOOLS]))
def test_any_messages_in_any_order_are_answered_after(
    lasting: SandboxRouter, bridge: Bridge, tmp_path: Path, replies: list[Message], model: str
) -> None:
    session = holding(lasting, bridge, tmp_path, Exchange("one", ASKED, tuple(replies)))
    assert "5" in session.ask("What is 2 + 3?", model=model).text
    session.close()


def stock_of(product: str) -> int:
    """How many pieces of a product are in stock."""
    return 12


STOCK = "How many pieces of the product 'lamp' are in stock?"


def test_what_was_left_out_is_said(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> None:
    user, replies = HELD["some calls without results"]
    session = holding(router, bridge, tmp_path, Exchange("one", user, replies))
    notice, _ = session.ask("What is 2 + 3?", model="claude-haiku-4-5").notices
    assert notice == "1 earlier call of a tool without its result was left out."
    assert notice in session.history[-1].notices
    session.close()


def test_a_model_that_sees_nothing_is_asked_without_the_pictures(session: Session, router: SandboxRouter) -> None:
    session.ask("", images=[PIXEL])
    answer = session.ask("What is 2 + 3?", model=TEXT_ONLY)
    assert "5" in answer.text
    assert answer.notices == (f"An earlier image was not sent: {TEXT_ONLY} takes text only.", SIMULATED)
    assert "[an image, left out]" in str(router.requests[-1].body["messages"][0]["content"])
    assert "5" in session.ask("What is 2 + 3?", model="claude-haiku-4-5").text
    assert session.last is not None
    assert session.last.notices == (SIMULATED,)
    assert "image_url" in str(router.requests[-1].body["messages"][0]["content"])


def test_a_model_without_tools_reads_what_was_called(session: Session, router: SandboxRouter) -> None:
    session.ask(STOCK, tools=[stock_of])
    model = replace(session.models().find("gpt-5-nano"), tools=False)
    planned = plan(session.question("What is 2 + 3?"), model, session.conversation)
    answer = session.bridge.run(session.run(planned))
    assert "5" in answer.text
    assert answer.notices == ("Earlier tool calls were sent as text: gpt-5-nano takes no tools.", SIMULATED)
    sent = router.requests[-1].body["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "user"]
    assert "stock_of" in sent[1]["content"]
    assert "It gave: 12" in sent[1]["content"]


@pytest.mark.parametrize("fault", ["stream-cut", "invalid-key"])
def test_an_answer_that_breaks_among_its_tools_is_answered_after(
    session: Session, router: SandboxRouter, fault: str
) -> None:
    def breaks(product: str) -> int:
        """How many pieces of a product are in stock."""
        router.inject(Fault(fault, after_chunks=1))
        return 12

    with pytest.raises(TetrateError):
        session.ask(STOCK, tools=[breaks])
    assert session.history[-1].partial
    assert "5" in session.ask("What is 2 + 3?").text
    assert "12" in session.ask(STOCK, tools=[stock_of]).text


def test_a_tool_that_fails_among_several_is_answered_after(session: Session) -> None:
    def breaks(product: str) -> int:
        """How many pieces of a product are in stock."""
        raise OSError

    with pytest.raises(TetrateError):
        session.ask(STOCK, tools=[breaks])
    for model in (None, NO_TOOLS):
        assert "5" in session.ask("What is 2 + 3?", model=model).text


@pytest.mark.parametrize(
    "kind",
    ["refusal", "refusal-after-text", "empty-answer", "empty-reasoning-only", "empty-images-only", "empty-only-done"],
)
def test_odd_answers_are_answered_after(session: Session, kind: str) -> None:
    run = session.start(session.question("Say hello.", model=f"sandbox/fault-{kind}"))
    wait_until(session, lambda: all(r.failure is not None for r in session.runs.all))
    session.runs.dismiss(run.id)
    assert "5" in session.ask("What is 2 + 3?").text


def test_half_a_character_in_a_question_is_replaced(session: Session, router: SandboxRouter) -> None:
    assert "5" in session.ask(f"What is 2 + 3? {HALF}").text
    assert "\ufffd" in str(router.requests[-1].body["messages"][-1]["content"])
