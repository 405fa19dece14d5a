"""The body of a request, field by field: options as JSON's, messages in the API's form, and what a model can't take."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tetrate_jupyter.completion import request as requests
from tetrate_jupyter.completion.request import Options, Request, fitted, wire_message, without_output_images
from tetrate_jupyter.completion.schema import Schema
from tetrate_jupyter.completion.tools import Toolbox
from tetrate_jupyter.errors import OptionError, UnsupportedInputError
from tetrate_jupyter.types import Image, Message, Model, OutputImage, ToolCall

PLAIN = Model("plain", "Plain")
BLIND = Model("blind", "Blind", images=False, tools=False)
OPENAI = Model("o", "O", provider="openai", reasoning=True, reasoning_efforts=("low", "high"))
PICTURE = Image("data:image/png;base64,AA==", "image/png", 1, "a.png")
OUTPUT = OutputImage("data:image/png;base64,AA==", "image/png", 1, "picture of cell 3")


def add(a: int) -> int:
    """Add."""
    return a


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (np.float32(0.1), 0.1),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([1, 2]), [1, 2]),
        (np.array(3), 3),
        (np.str_("a"), "a"),
        (Decimal(3), 3),
        (Decimal("1e39"), 10**39),
        (Decimal("1e40"), 1e40),
        (Decimal("0.5"), 0.5),
        (Fraction(1, 2), 0.5),
        (Fraction(2), 2.0),
        ({"a": (np.int64(1), {Decimal(2)})}, {"a": [1, [2]]}),
        ("a", "a"),
        (None, None),
        (True, True),
    ],
)
def test_an_option_is_sent_as_json_s_own(given: object, sent: object) -> None:
    found = Options(extra={"x": given}).extra["x"]
    assert found == sent
    assert type(found) is type(sent)


@pytest.mark.parametrize(
    ("given", "message", "step"),
    [
        ({"temperature": 2.1}, "temperature is 2.1.", "give a number from 0 to 2"),
        ({"temperature": -0.1}, "temperature is -0.1.", "give a number from 0 to 2"),
        ({"temperature": True}, "temperature can't be bool.", "give a number from 0 to 2"),
        ({"temperature": "1"}, "temperature can't be str.", "give a number from 0 to 2"),
        ({"max_tokens": 0}, "max_tokens is 0.", "give a whole number of at least 1"),
        ({"max_tokens": 1.5}, "max_tokens can't be float.", "give a whole number of at least 1"),
        ({"effort": 3}, "effort can't be int.", 'give its name: effort="low"'),
        (
            {"extra": {"messages": []}},
            "messages can't be given: they are the conversation and this prompt.",
            'give the prompt, and what goes before it as system="..."',
        ),
        (
            {"extra": {"n": 2}},
            "A question gets one answer: n can't be more than 1.",
            'for several answers: session.compare("...", repeats=2), or %%tetrate_compare --repeats 2',
        ),
        ({"extra": {"x": [b"a"]}}, "x holds bytes, which JSON can't.", 'give text: value.decode("utf-8")'),
        ({"extra": {"x": {"y": math.nan}}}, "x holds nan, which JSON can't.", "give a finite number, or leave it out"),
        ({"extra": {"x": Decimal("NaN")}}, "x holds nan, which JSON can't.", "give a finite number, or leave it out"),
        (
            {"extra": {"x": Fraction(10**400)}},
            "x holds inf, which JSON can't.",
            "give a finite number, or leave it out",
        ),
    ],
)
def test_an_option_that_cannot_be_is_refused(given: dict[str, Any], message: str, step: str) -> None:
    with pytest.raises(OptionError) as refused:
        Options(**given)
    assert (refused.value.message, refused.value.next_step) == (message, step)


def test_the_bounds_of_options_are_taken() -> None:
    assert [Options(temperature=given).temperature for given in (0, 2, 2.0, None)] == [0, 2, 2.0, None]
    assert Options(max_tokens=1).max_tokens == 1
    assert [Options(extra={"n": n}).extra["n"] for n in (None, 1, "1")] == [None, 1, "1"]
    with pytest.raises(OptionError):
        Options(extra={"n": True})


def test_the_body_holds_what_was_asked_for_and_no_more() -> None:
    asked = (Message("user", "Hi"),)
    assert Request(PLAIN, asked).body() == {
        "model": "plain",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    schema, toolbox = Schema.of({"type": "object"}), Toolbox.of(add)
    options = Options(temperature=0, max_tokens=9, effort="low", extra={"top_p": 0.5, "stream": 1})
    body = Request(OPENAI, asked, options, schema, toolbox).body([Message("user", "Later")], cap=7)
    assert body["messages"] == [{"role": "user", "content": "Later"}]
    assert (body["temperature"], body["reasoning_effort"], body["top_p"], body["stream"]) == (0, "low", 0.5, 1)
    assert body["response_format"] == schema.response_format
    assert body["tools"] == toolbox.specs
    assert body["max_completion_tokens"] == 7
    assert "max_tokens" not in body
    assert Request(OPENAI, asked, options).body()["max_completion_tokens"] == 9
    assert Request(PLAIN, asked, Options(max_tokens=9)).body()["max_tokens"] == 9
    unable = Model("u", "U", structured_output=False)
    assert "response_format" not in Request(unable, asked, schema=schema).body()


@pytest.mark.parametrize(
    ("model", "given", "cap", "is_sure"),
    [
        (PLAIN, {}, None, False),
        (PLAIN, {"max_tokens": 5}, 5, True),
        (PLAIN, {"extra": {"max_tokens": 5}}, 5, True),
        (PLAIN, {"extra": {"max_completion_tokens": 5}}, 5, False),
        (OPENAI, {"extra": {"max_completion_tokens": 5}}, 5, True),
        (OPENAI, {"extra": {"max_output_tokens": 5}}, 5, False),
        (PLAIN, {"max_tokens": 5, "extra": {"max_output_tokens": 6}}, 6, False),
        (PLAIN, {"extra": {"max_tokens": 0}}, None, False),
        (PLAIN, {"extra": {"max_tokens": 1}}, 1, True),
        (PLAIN, {"extra": {"max_tokens": "5"}}, None, False),
    ],
)
def test_a_cap_counts_in_whichever_field_but_not_each_is_sure(
    model: Model, given: dict[str, Any], cap: int | None, is_sure: bool
) -> None:
    made = Request(model, (), Options(**given))
    assert (made.cap, made.is_surely_capped) == (cap, is_sure)
    assert requests.given_cap({"max_tokens": 0, "max_output_tokens": -1}) is None


def test_the_fewest_tokens_and_the_field_depend_on_the_model() -> None:
    assert (requests.fewest(PLAIN), requests.fewest(OPENAI)) == (256, 1_024)
    assert requests.cap_field(Model("g", "G", provider="openai")) == "max_tokens"
    assert requests.cap_field(Model("g", "G", reasoning=True)) == "max_tokens"


def test_what_a_model_is_known_not_to_take_is_refused() -> None:
    with pytest.raises(UnsupportedInputError) as refused:
        Request(BLIND, (Message("user", "x", (PICTURE,)),))
    assert refused.value.message == "blind takes text only, and this question has an image."
    assert refused.value.next_step == "choose a model that sees: %tetrate_models images"
    with pytest.raises(OptionError) as wrong:
        Request(OPENAI, (), Options(effort="huge"))
    assert (wrong.value.message, wrong.value.next_step) == ("o has no effort 'huge'.", "use one of: low, high")
    assert Request(PLAIN, (Message("user", "x", (PICTURE,)),), Options(effort="huge")).options.effort == "huge"


def test_earlier_images_become_words_for_a_model_without_eyes() -> None:
    messages = [Message("user", "See", (PICTURE, PICTURE)), Message("user", " ", (PICTURE,)), Message("user", "a")]
    sent, notes = fitted(messages, BLIND)
    left = "[an image, left out]"
    assert [m.content for m in sent] == [f"See\n{left}\n{left}", left, "a"]
    assert not any(m.images for m in sent)
    assert notes == ("3 earlier images were not sent: blind takes text only.",)
    assert fitted(messages[1:], BLIND)[1] == ("An earlier image was not sent: blind takes text only.",)
    assert fitted(messages, PLAIN) == (tuple(messages), ())


def test_earlier_calls_become_text_for_a_model_without_tools() -> None:
    messages = [
        Message("user", "Add"),
        Message("assistant", "I add.", tool_calls=(ToolCall("1", "add", '{"a": 1}'),)),
        Message("tool", "1", tool_call_id="1"),
        Message("assistant", "One."),
        Message("user", "Thanks"),
        Message("assistant", " ", tool_calls=(ToolCall("2", "add", "{}"),)),
    ]
    sent, notes = fitted(messages, BLIND)
    assert [(m.role, m.content) for m in sent] == [
        ("user", "Add"),
        ("assistant", 'I add.\n[add was called with {"a": 1}]\n\nIt gave: 1\n\nOne.'),
        ("user", "Thanks"),
        ("assistant", "[add was called with {}]"),
    ]
    assert not any(m.tool_calls for m in sent)
    assert notes == ("Earlier tool calls were sent as text: blind takes no tools.",)


def test_unusual_call_ids_of_another_model_are_replaced() -> None:
    calls = (ToolCall("a.b", "add", "{}"), ToolCall("ok_1", "add", "{}"), ToolCall("x" * 65, "add", "{}"))
    messages = [
        Message("assistant", "", tool_calls=calls, model="other"),
        *(Message("tool", "r", tool_call_id=call.id) for call in calls),
    ]
    sent, notes = fitted(messages, PLAIN)
    assert [call.id for call in sent[0].tool_calls] == ["call_0_0", "ok_1", "call_0_1"]
    assert [m.tool_call_id for m in sent[1:]] == ["call_0_0", "ok_1", "call_0_1"]
    assert notes == ()
    assert fitted(messages, Model("other", "Other"))[0] == tuple(messages)


def test_pictures_of_outputs_are_left_out_for_a_model_without_eyes() -> None:
    asked = Message("user", "Why [image 2: picture of cell 3]? [image 1: a.png]", (PICTURE, OUTPUT))
    sent, notes = without_output_images(asked, BLIND)
    assert (sent.content, sent.images) == ("Why [picture of cell 3; not sent]? [image 1: a.png]", (PICTURE,))
    step = "not sent: blind reads no pictures. Next: ask a model that sees (%tetrate_models images)."
    assert notes == (f"The picture of cell 3 {step}",)
    assert without_output_images(Message("user", "x", (OUTPUT, OUTPUT)), BLIND)[1] == (f"2 pictures of outputs {step}",)
    assert without_output_images(asked, PLAIN) == (asked, ())
    assert without_output_images(Message("user", "x", (PICTURE,)), BLIND)[1] == ()


def test_each_role_has_the_api_s_own_form() -> None:
    assert wire_message(Message("user", "a\ud800")) == {"role": "user", "content": "a\ufffd"}
    assert wire_message(Message("user", "a", (PICTURE,)))["content"] == [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": PICTURE.data_url}},
    ]
    assert [part["type"] for part in wire_message(Message("user", " ", (PICTURE,)))["content"]] == ["image_url"]
    for content, said in (("", "(no output)"), (" \n", "(no output)"), ("r", "r")):
        assert wire_message(Message("tool", content, tool_call_id="1")) == {
            "role": "tool",
            "tool_call_id": "1",
            "content": said,
        }


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [('{"a": 1}', '{"a": 1}'), ("{", "{}"), ("[1]", "{}"), ("", "{}"), ('"{\\"a\\": 2}"', '{"a": 2}')],
)
def test_calls_are_sent_back_in_a_form_that_is_taken(arguments: str, sent: str) -> None:
    call = ToolCall("1", "a b." + "c" * 70, arguments, extra='{"signature": "s"}')
    message = Message("assistant", "\n", tool_calls=(call, ToolCall("2", "", "{}")), aside='{"r": 1}', model="m")
    whole = wire_message(message, "m")
    assert whole["content"] is None
    assert (whole["r"], whole["tool_calls"][0]["signature"]) == (1, "s")
    assert whole["tool_calls"][0]["function"] == {"name": "a_b_" + "c" * 60, "arguments": sent}
    assert whole["tool_calls"][1]["function"]["name"] == "unknown"
    for other in ("", "n"):
        elsewhere = wire_message(message, other)
        assert "r" not in elsewhere
        assert elsewhere["tool_calls"][0].keys() == {"id", "type", "function"}
    assert wire_message(Message("assistant", "x", tool_calls=(call,)))["content"] == "x"


def test_a_schema_and_tools_count_as_tokens_of_the_prompt() -> None:
    bare = Request(PLAIN, (Message("user", "Hi"),))
    schema = Request(PLAIN, bare.messages, schema=Schema.of({"type": "object"}))
    both = Request(PLAIN, bare.messages, schema=schema.schema, toolbox=Toolbox.of(add))
    few, more, most = (requests.estimate_prompt_tokens(each) for each in (bare, schema, both))
    assert few < more < most
    assert requests.most_prompt_tokens(schema) - requests.most_prompt_tokens(bare) > 800
    assert requests.most_prompt_tokens(both) - requests.most_prompt_tokens(bare) > 1_600
    wordy = Request(PLAIN, bare.messages, Options(extra={"stop": ["x" * 1_000]}))
    assert requests.most_prompt_tokens(wordy) - requests.most_prompt_tokens(bare) >= 1_000
    assert requests.most_prompt_tokens(bare, [Message("user", "y" * 5_000)]) > requests.most_prompt_tokens(bare)
