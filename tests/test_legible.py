"""Parts of messages from elsewhere: what is made of whatever stands in their place, and what stays the same object."""

from __future__ import annotations

from typing import Any

import pytest

from tetrate_jupyter.legible import answered, members_only, message, question, replies, text, texts
from tetrate_jupyter.types import Cut, Image, Message, ToolCall

IMAGE = Image("data:image/png;base64,AAAA", "image/png", 3)
CALL = ToolCall("i", "find", "{}")
WHOLE = Message(
    "assistant", "Yes.", (IMAGE,), (CALL,), "t", "name", "typed", (Cut("df", "rows", 1, 2),), '{"a": 1}', "m-1"
)


def odd(**members: object) -> Message:
    return Message(**{"role": "user", "content": "Why?", **members})  # type: ignore[arg-type]  # as a file may have it


# --- one message -------------------------------------------------------------------------------------------------


def test_what_is_legible_stays_the_same_object() -> None:
    asked = Message("user", "Why?")
    assert message(WHOLE) is WHOLE
    assert question(asked) is asked
    both = (WHOLE, asked)
    assert replies(both) is both


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("Yes.", Message("assistant", "Yes.")),
        ({"role": "user", "content": "Why?"}, Message("user", "Why?")),
        ({"role": "tool", "content": None, "tool_call_id": 7, "name": 8}, Message("tool", "", (), (), "7", "8")),
        ({"content": [{"type": "text", "text": "a"}, "x", {"text": None}, {"text": ["b"]}]}, Message("", "a")),  # type: ignore[arg-type]
        (odd(role=None, content=None), Message("", "")),  # type: ignore[arg-type]  # no role that there is
        (odd(content=b"\xffb"), Message("user", "\ufffdb")),
        (odd(content=5), Message("user", "5")),
        (odd(images=None), Message("user", "Why?")),
        (odd(images=[IMAGE, "x", Image(5, "", 0)]), Message("user", "Why?", (IMAGE,))),  # type: ignore[arg-type]
        (odd(tool_calls="ab", tool_call_id=5, name=6, typed=7), Message("user", "Why?", (), (), "5", "6", "7")),
        (odd(cuts=[None, Cut("x", "rows", 1)]), Message("user", "Why?", cuts=(Cut("x", "rows", 1),))),
        (odd(aside="[1]", model=None), Message("user", "Why?")),
        (odd(aside='{"a": 1}', model="m"), Message("user", "Why?", aside='{"a": 1}', model="m")),
    ],
)  # fmt: skip
def test_what_stands_in_its_place_is_made_legible(given: object, right: Message) -> None:
    found = message(given)
    assert found == right
    assert found is not None
    assert (found.typed, found.cuts, found.aside, found.model) == (right.typed, right.cuts, right.aside, right.model)


@pytest.mark.parametrize("given", [None, 5, ["a"], b"a"])
def test_what_is_no_message_is_none(given: object) -> None:
    assert message(given) is None
    assert question(given) == Message("user", "")


def test_a_question_is_a_persons_and_calls_nothing() -> None:
    assert question("Why?") == Message("user", "Why?")
    assert question(Message("tool", "Why?", tool_call_id="i")) == Message("user", "Why?")
    assert question(Message("user", "Why?", tool_calls=(CALL,))) == Message("user", "Why?")
    assert question(Message("user", "Why?", tool_call_id="i")).tool_call_id == "i"


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ({"id": "i", "function": {"name": "f", "arguments": "{}"}}, ToolCall("i", "f", "{}")),
        ({"id": "i", "name": "f", "arguments": {"a": {1}}}, ToolCall("i", "f", '{"a": "{1}"}')),
        ({"id": 5, "function": "x", "name": None}, ToolCall("5", "", "")),
        (ToolCall("i", "f", {"a": 1}), ToolCall("i", "f", '{"a": 1}')),  # type: ignore[arg-type]
        (ToolCall(None, 5, None, "[]"), ToolCall("", "5", "")),  # type: ignore[arg-type]
        (ToolCall("i", "f", "", '{"a": 1}'), ToolCall("i", "f", "", '{"a": 1}')),
    ],
)  # fmt: skip
def test_calls_are_made_legible(given: object, right: ToolCall) -> None:
    found = message(odd(tool_calls=[given, None, "x"]))
    assert found is not None
    assert found.tool_calls == (right,)
    assert found.tool_calls[0].extra == right.extra


# --- several -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("Yes.", (Message("assistant", "Yes."),)),
        (WHOLE, (WHOLE,)),
        ({"role": "user", "content": "a"}, (Message("user", "a"),)),
        ([None, "a", 5, WHOLE], (Message("assistant", "a"), WHOLE)),
        ((), ()), (None, ()), (5, ()), (b"ab", ()),
    ],
)  # fmt: skip
def test_what_followed_is_all_that_is_a_message(given: object, right: tuple[Message, ...]) -> None:
    assert replies(given) == right


def test_texts_are_those_that_are() -> None:
    both = ("a", "b")
    assert texts(both) is both
    assert texts(["a", 5, None, "b"]) == both
    assert texts("ab") == texts(None) == ()


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("a", "a"), (None, ""), (b"a\xff", "a\ufffd"), (5, "5"), ([], ""),
        ([{"text": "a"}, 5, {"text": [{"text": "b"}]}, {}], "ab"), (("a",), "('a',)"),
    ],
)  # fmt: skip
def test_content_is_text(given: object, right: str) -> None:
    assert text(given) == right


@pytest.mark.parametrize(
    ("given", "right"),
    [('{"a": 1}', '{"a": 1}'), ("[]", ""), ("{", ""), ("", ""), (None, ""), (b"{}", ""), ("[" * 100_000, ""),
     ("{}", "{}")],
)  # fmt: skip
def test_members_are_an_object_or_nothing(given: object, right: str) -> None:
    assert members_only(given) == right


# --- calls and results -------------------------------------------------------------------------------------------


def result(call: str, content: str = "r") -> Message:
    return Message("tool", content, tool_call_id=call)


def test_calls_stay_with_their_first_results() -> None:
    calls = (ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))
    asked = Message("assistant", "", tool_calls=calls)
    results = [result("b"), result("a", "first"), result("a", "second"), result("z")]
    assert answered(asked, results) == [asked, result("b"), result("a", "first")]
    assert answered(asked, results)[0] is asked


def test_a_call_without_a_result_is_left_out_and_an_empty_message_too() -> None:
    calls: Any = (ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))
    asked = Message("assistant", "", tool_calls=calls)
    assert answered(asked, [result("b")]) == [Message("assistant", "", tool_calls=calls[1:]), result("b")]
    assert answered(asked, []) == []
    assert answered(Message("assistant", " \n"), []) == []
    said = Message("assistant", "Yes.", tool_calls=calls)
    assert answered(said, []) == [Message("assistant", "Yes.")]
    twice = Message("assistant", "", tool_calls=(calls[0], ToolCall("a", "g", "{}")))
    assert answered(twice, [result("a")]) == [Message("assistant", "", tool_calls=twice.tool_calls[1:]), result("a")]
