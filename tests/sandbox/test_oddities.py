"""Each odd answer is sent as it says: read by a plain client, against what is written here and nowhere else."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.raw import WEATHER, Sent, chat, send
from tetrate_jupyter.sandbox import INSTANT, ODD_KINDS, Fault, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT) as running:
        yield running


def odd(router: SandboxRouter, kind: str, *, stream: bool, **more: Any) -> Sent:
    return chat(router, f"sandbox/fault-{kind}", stream=stream, **more)


def deltas(sent: Sent, member: str = "content") -> str:
    return "".join(choice["delta"].get(member) or "" for choice in sent.choices)


def reasons(sent: Sent) -> list[Any]:
    return [choice["finish_reason"] for choice in sent.choices]


def call_parts(sent: Sent) -> list[Any]:
    return [part for choice in sent.choices for part in choice["delta"].get("tool_calls") or ()]


ENDINGS: dict[str, tuple[list[Any], str, bool]] = {  # finish reasons, the last event, whether it is cut
    "finish-empty": (["", "", "", "", "stop"], "[DONE]", False),
    "finish-empty-cut": (["", "", ""], "two", True),
    "finish-empty-end": (["", "", ""], "two", False),
    "finish-early": ([None, "stop", None, None, None, "stop"], "[DONE]", False),
    "after-finish-cut": ([None, "stop"], '"stop"', True),
}


@pytest.mark.parametrize("kind", ENDINGS)
def test_endings(router: SandboxRouter, kind: str) -> None:
    sent = odd(router, kind, stream=True)
    expected, last, cut = ENDINGS[kind]
    assert reasons(sent) == expected
    assert last in sent.events[-1]
    assert sent.cut is cut


@pytest.mark.parametrize("kind", ["finish-empty-pause", "finish-early-pause"])
def test_a_pause_is_as_long_as_its_fault_says_and_all_comes(router: SandboxRouter, kind: str) -> None:
    router.inject(Fault(kind, delay=0.2))
    began = time.monotonic()
    sent = chat(router, "claude-haiku-4-5", stream=True)
    assert time.monotonic() - began >= 0.2
    assert deltas(sent) == "One, two, three."
    assert reasons(sent)[-1] == "stop"
    assert reasons(sent).count("") == (4 if kind == "finish-empty-pause" else 0)


WORDS: dict[str, Any] = {
    "finish-stop-capitals": "STOP",
    "finish-end-turn": "end_turn",
    "finish-max-tokens": "max_tokens",
    "finish-max-tokens-capitals": "MAX_TOKENS",
    "finish-safety": "SAFETY",
    "finish-recitation": "RECITATION",
    "finish-object": {"type": "length", "length": 5},
    "finish-object-abort": {"type": "abort", "message": "Out of memory.", "status_code": 500},
    "finish-sensitive": "sensitive",
    "finish-tool-use": "tool_use",
    "finish-stop-with-calls": "stop",
    "finish-unknown": "insufficient_system_resource",
}


@pytest.mark.parametrize("kind", WORDS)
def test_reasons_in_other_words(router: SandboxRouter, kind: str) -> None:
    sent = odd(router, kind, stream=True)
    assert reasons(sent) == [None, WORDS[kind]]
    choice = odd(router, kind, stream=False).json["choices"][0]
    assert choice["finish_reason"] == WORDS[kind]
    assert (choice["message"]["content"] or "") == deltas(sent)
    assert bool(call_parts(sent)) is bool(choice["message"].get("tool_calls")) is ("tool" in kind or "calls" in kind)


AFTER = {
    "after-finish-error": '{"error":{',
    "after-finish-garbage": '{"usage":{"prompt_tok',
    "after-finish-nan": '"cost":NaN',
    "after-finish-null": "null",
}


@pytest.mark.parametrize("kind", AFTER)
def test_something_odd_after_the_finish(router: SandboxRouter, kind: str) -> None:
    *before, finish, after, end = odd(router, kind, stream=True).events
    assert "One, two, three." in before[0]
    assert '"finish_reason":"stop"' in finish
    assert AFTER[kind] in after.replace(kind, "")  # the model's name is none of it
    assert end == "[DONE]"


def test_events_after_the_end_mark(router: SandboxRouter) -> None:
    events = odd(router, "after-done", stream=True).events
    assert events.index("[DONE]") == len(events) - 3
    assert "Four" in events[-2]


CALLS: dict[str, list[tuple[Any, Any, Any, Any]]] = {  # index, id, name, arguments; "" where it isn't there
    "calls-same-index": [
        (0, "call_a", "get_weather", '{"city":"Rome"}'),
        (0, "call_b", "get_weather", '{"city":"Oslo"}'),
    ],
    "calls-same-index-in-pieces": [
        (0, "call_a", "get_weather", ""),
        (0, "", "", '{"city":'),
        (0, "", "", '"Rome"}'),
        (0, "call_b", "get_weather", ""),
        (0, "", "", '{"city":'),
        (0, "", "", '"Oslo"}'),
    ],
    "calls-no-index-one-chunk": [
        ("", "call_a", "get_weather", '{"city":"Rome"}'),
        ("", "call_b", "get_weather", '{"city":"Oslo"}'),
    ],
    "calls-no-index-two-chunks": [
        ("", "call_a", "get_weather", '{"city":"Rome"}'),
        ("", "call_b", "get_weather", '{"city":"Oslo"}'),
    ],
    "calls-no-index-in-pieces": [
        ("", "call_a", "get_weather", ""),
        ("", "", "", '{"city":'),
        ("", "", "", '"Rome"}'),
        ("", "call_b", "get_weather", ""),
        ("", "", "", '{"city":'),
        ("", "", "", '"Oslo"}'),
    ],
    "calls-no-index-no-id": [("", "", "get_weather", '{"city":"Rome"}'), ("", "", "get_weather", '{"city":"Oslo"}')],
    "calls-no-id-in-pieces": [
        ("", "", "get_weather", ""),
        ("", "", "", '{"city":'),
        ("", "", "", '"Rome"}'),
        ("", "", "get_weather", ""),
        ("", "", "", '{"city":'),
        ("", "", "", '"Oslo"}'),
    ],
    "calls-same-id": [
        (0, "call_a", "get_weather", '{"city":"Rome"}'),
        (0, "call_a", "get_weather", '{"city":"Oslo"}'),
    ],
    "calls-arguments-surrogate-halves": [
        (0, "call_a", "get_weather", '{"city":"Rome \ud83d'),
        (0, "", "", '\ude00"}'),
    ],
    "calls-extra-braces": [
        (0, "call_a", "get_weather", "{}"),
        (0, "", "", '{"city":'),
        (0, "", "", '"Rome"}'),
    ],
    "calls-name-in-pieces": [
        (0, "call_a", "get_", ""),
        (0, "", "weather", ""),
        (0, "", "", '{"city":"Rome"}'),
    ],
    "calls-arguments-object": [(0, "call_a", "get_weather", {"city": "Rome"})],
    "calls-arguments-empty": [(0, "call_a", "get_weather", "")],
    "calls-arguments-null": [(0, "call_a", "get_weather", None)],
    "calls-arguments-null-text": [(0, "call_a", "get_weather", "null")],
    "calls-arguments-again": [
        (0, "call_a", "get_weather", '{"city":'),
        (0, "", "", '"Rome"}'),
        (0, "call_a", "get_weather", '{"city":"Rome"}'),
    ],
    "calls-arguments-line-break": [(0, "call_a", "get_weather", '{"city":"New\nYork"}')],
    "calls-arguments-broken": [(0, "call_a", "get_weather", '{"city": "Ro')],
    "calls-numbers-as-text": [("0", 7, "get_weather", '{"city":"Rome"}')],
}


@pytest.mark.parametrize("kind", CALLS)
def test_calls_of_tools(router: SandboxRouter, kind: str) -> None:
    sent = odd(router, kind, stream=True, tools=[WEATHER])
    found = [
        (p.get("index", ""), p.get("id", ""), p["function"].get("name", ""), p["function"].get("arguments", ""))
        for p in call_parts(sent)
    ]
    assert found == CALLS[kind]
    assert reasons(sent)[-1] == "tool_calls"
    in_one = any(len(choice["delta"].get("tool_calls") or ()) == 2 for choice in sent.choices)
    assert in_one is (kind in {"calls-no-index-one-chunk", "calls-no-index-no-id"})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("calls-same-id", '"arguments":"{\\"city\\":\\"Oslo\\"}"'),
        ("calls-extra-braces", '"arguments":"{}{\\"city\\":\\"Rome\\"}"'),
        ("calls-arguments-object", '"arguments":{"city":"Rome"}'),
        ("calls-arguments-empty", '"arguments":""'),
        ("calls-arguments-null", '"arguments":null'),
        ("calls-arguments-null-text", '"arguments":"null"'),
        ("calls-arguments-line-break", '"arguments":"{\\"city\\":\\"New\\nYork\\"}"'),
        ("calls-arguments-broken", '"arguments":"{\\"city\\": \\"Ro"'),
        ("calls-object", '"tool_calls":{}'),
        ("calls-null", '"tool_calls":null'),
        ("calls-numbers-as-text", '"index":"0","id":7'),
    ],
)
def test_calls_in_a_whole_answer(router: SandboxRouter, kind: str, expected: str) -> None:
    assert expected in odd(router, kind, stream=False, tools=[WEATHER]).text


def test_calls_that_are_none_stand_beside_text(router: SandboxRouter) -> None:
    for kind, value in (("calls-object", {}), ("calls-null", None)):
        sent = odd(router, kind, stream=True)
        assert [c["delta"]["tool_calls"] for c in sent.choices[:-1]] == [value, value]
        assert deltas(sent) == "One, two, three."


def test_parallel_calls_in_one_document_have_no_index(router: SandboxRouter) -> None:
    for stream in (True, False):
        sent = odd(router, "calls-not-streamed", stream=stream, tools=[WEATHER])
        assert sent.headers["content-type"] == "application/json"
        calls = sent.json["choices"][0]["message"]["tool_calls"]
        assert [call["id"] for call in calls] == ["call_a", "call_b"]
        assert not any("index" in call for call in calls)


def test_calls_name_the_tool_that_was_sent_and_end_with_its_result(router: SandboxRouter) -> None:
    tool = {"type": "function", "function": {"name": "lookup"}}
    sent = odd(router, "calls-name-in-pieces", stream=True, tools=[tool])
    assert [p["function"].get("name") for p in call_parts(sent)] == ["loo", "kup", None]
    done = odd(router, "calls-name-in-pieces", stream=True, tools=[WEATHER], messages=second_round())
    assert not call_parts(done)
    assert "21 degrees" in deltas(done)


def second_round(in_message: dict[str, Any] | None = None, in_call: dict[str, Any] | None = None) -> list[Any]:
    function = {"name": "get_weather", "arguments": '{"city":"Rome"}'}
    call = {"id": "call_a", "type": "function", "function": function, **(in_call or {})}
    return [
        {"role": "user", "content": "Weather in Rome?"},
        {"role": "assistant", "content": None, "tool_calls": [call], **(in_message or {})},
        {"role": "tool", "tool_call_id": "call_a", "content": "21 degrees"},
    ]


@pytest.mark.parametrize("stream", [True, False])
def test_reasoning_has_to_come_back_with_its_calls(router: SandboxRouter, stream: bool) -> None:
    kind = "calls-need-reasoning"
    first = odd(router, kind, stream=stream, tools=[WEATHER])
    message = {} if stream else first.json["choices"][0]["message"]
    thought = deltas(first, "reasoning_content") if stream else message["reasoning_content"]
    assert thought == "The weather of Rome has to be looked up."
    for wrong in ({}, {"reasoning_content": ""}, {"reasoning_content": "Something else."}):
        refused = odd(router, kind, stream=stream, tools=[WEATHER], messages=second_round(wrong))
        assert refused.status == 400
        assert "must be passed back" in refused.json["error"]["message"]
    taken = odd(router, kind, stream=stream, tools=[WEATHER], messages=second_round({"reasoning_content": thought}))
    assert taken.status == 200
    assert "21 degrees" in taken.text
    later = [*second_round(), {"role": "assistant", "content": "21."}, {"role": "user", "content": "And now?"}]
    assert odd(router, kind, stream=stream, tools=[WEATHER], messages=later).status == 200


@pytest.mark.parametrize("member", ["reasoning_details", "thinking_blocks"])
def test_signed_reasoning_has_to_come_back_joined(router: SandboxRouter, member: str) -> None:
    kind = f"calls-need-{member.replace('_', '-')}"
    streamed = odd(router, kind, stream=True, tools=[WEATHER])
    pieces = [piece for choice in streamed.choices for piece in choice["delta"].get(member, ())]
    joined = odd(router, kind, stream=False, tools=[WEATHER]).json["choices"][0]["message"][member]
    assert len(pieces) == 4
    assert [entry["type"] for entry in joined] == [pieces[0]["type"], pieces[-1]["type"]]
    word = "text" if member == "reasoning_details" else "thinking"
    assert "".join(piece.get(word, "") for piece in pieces) == joined[0][word] == "Rome has to be looked up."
    for wrong in ({}, {member: []}, {member: pieces}, {member: joined[:1]}):
        refused = odd(router, kind, stream=True, tools=[WEATHER], messages=second_round(wrong))
        assert (refused.status, "Expected `thinking`" in refused.text) == (400, True)
    assert odd(router, kind, stream=True, tools=[WEATHER], messages=second_round({member: joined})).status == 200


@pytest.mark.parametrize("stream", [True, False])
def test_what_a_call_carries_has_to_come_back_with_it(router: SandboxRouter, stream: bool) -> None:
    kind = "calls-need-extra-content"
    first = odd(router, kind, stream=stream, tools=[WEATHER])
    calls = call_parts(first) if stream else first.json["choices"][0]["message"]["tool_calls"]
    signature = calls[0]["extra_content"]
    assert signature["google"]["thought_signature"]
    assert "extra_content" not in calls[1]
    refused = odd(router, kind, stream=stream, tools=[WEATHER], messages=second_round())
    assert refused.status == 400
    assert "thought_signature" in refused.json[0]["error"]["message"]
    messages = second_round(in_call={"extra_content": signature})
    assert odd(router, kind, stream=stream, tools=[WEATHER], messages=messages).status == 200


CHOICES = {
    "choices-in-turns": ([0, 1, 0, 1, 1, 0], {0: "One, two.", 1: "Uno, due."}),
    "choices-together": ([1, 0, 1, 0, 1, 0], {0: "One, two.", 1: "Uno, due."}),
    "choices-other-ends-first": ([1, 0, 0, 0], {0: "One, two.", 1: "Uno."}),
}


@pytest.mark.parametrize("kind", CHOICES)
def test_two_answers_at_once(router: SandboxRouter, kind: str) -> None:
    order, texts = CHOICES[kind]
    sent = odd(router, kind, stream=True)
    assert [choice["index"] for choice in sent.choices] == order
    for index, text in texts.items():
        assert "".join(c["delta"].get("content", "") for c in sent.choices if c["index"] == index) == text
    assert any(len(chunk["choices"]) == 2 for chunk in sent.chunks) is (kind == "choices-together")
    if kind != "choices-other-ends-first":
        whole = odd(router, kind, stream=False).json["choices"]
        assert {c["index"]: c["message"]["content"] for c in whole} == texts


MEMBERS: dict[str, tuple[str, str | None]] = {  # what stands in the stream, and in the whole answer
    "nan-unread": ('"score":NaN', '"score":NaN'),
    "infinity-unread": ('"logprob":-Infinity', '"logprob":-Infinity'),
    "usage-reasoning-beside": (
        '"completion_tokens":5,"total_tokens":314,',
        '"completion_tokens":5,"total_tokens":314}',
    ),
    "id-number": ('{"id":42,', '{"id":42,'),
    "frame-nulls": ('{"id":null,"object":null,"created":null,"model":null', '"model":null'),
    "index-null": ('{"index":null,', '{"index":null,'),
    "index-missing": ('"choices":[{"delta"', '"choices":[{"message"'),
    "choices-null": ('"choices":null}', None),
    "data-null": ("data: null\n\n", None),
    "error-object-empty": ('"error":{}', '"error":{}'),
    "error-text-empty": ('"error":""', '"error":""'),
    "error-false": ('"error":false', '"error":false'),
    "error-null": ('"error":null', '"error":null'),
    "error-members-empty": ('"error":{"code":null,"message":null,"type":null}', '"error":{"code":0,"message":""'),
    "message-for-delta": ('"message":{"content":"two, three."}', None),
    "message-beside-deltas": ('"message":{"role":"assistant","content":"One, two, three."}', None),
    "usage-other-names": ('"input_tokens":9,"output_tokens":5,', '"input_tokens":9,"output_tokens":5,'),
    "usage-beside-cache": ('"cache_creation_input_tokens":3', '"cache_read_input_tokens":4'),
    "usage-two-names": ('"input_tokens":0,"output_tokens":7', '"input_tokens":0,"output_tokens":7'),
    "usage-gemini": ('"usageMetadata":{"promptTokenCount":9', '"candidatesTokenCount":3,"thoughtsTokenCount":2'),
    "usage-metadata": ('"usage_metadata":{"input_tokens":9', '"usage_metadata":{"input_tokens":9'),
    "usage-ollama": ('"prompt_eval_count":9,"eval_count":5', '"prompt_eval_count":9,"eval_count":5'),
    "usage-groq": ('"x_groq":{"id":"req_1","usage":{', None),
    "usage-groq-and-own": ('"x_groq":{"id":"req_1","usage":{', None),
    "usage-in-choice": ('"finish_reason":"stop","usage":{"prompt_tokens":9', None),
    "usage-floats": ('"completion_tokens":5.0', '"completion_tokens":5.0'),
    "usage-strings": ('"completion_tokens":"5"', '"completion_tokens":"5"'),
    "usage-details-lists": ('"prompt_tokens_details":[]', '"completion_tokens_details":[]'),
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_odd_members_stand_beside_a_good_text(router: SandboxRouter, kind: str) -> None:
    streamed, whole = MEMBERS[kind]
    sent = odd(router, kind, stream=True)
    assert streamed in sent.text
    assert sent.events[-1] == "[DONE]"
    said = [
        (choice.get("delta") or choice.get("message") or {}).get("content") or ""
        for chunk in filter(None, sent.chunks)
        for choice in chunk["choices"] or ()
    ]
    assert "".join(said) == "One, two, three."
    if whole is not None:
        answer = odd(router, kind, stream=False)
        assert whole in answer.text
        assert answer.json["choices"][0]["message"]["content"] == "One, two, three."


def test_content_can_be_a_list_of_parts(router: SandboxRouter) -> None:
    parts = [part for c in odd(router, "content-parts", stream=True).choices for part in c["delta"].get("content", ())]
    assert [part["type"] for part in parts] == ["thinking", "text", "text", "text"]
    assert "".join(part.get("text", "") for part in parts) == "One, two, three."
    content = odd(router, "content-parts", stream=False).json["choices"][0]["message"]["content"]
    assert [part["type"] for part in content] == ["thinking", "text", "text"]


def test_halves_of_a_surrogate_pair_come_apart(router: SandboxRouter) -> None:
    first, second, *_ = odd(router, "surrogate-halves", stream=True).events
    assert '"a \\ud83d"' in first
    assert '"\\ude00 b"' in second
    assert odd(router, "surrogate-halves", stream=False).json["choices"][0]["message"]["content"] == "a 😀 b"
    first, second, *_ = odd(router, "surrogate-lone", stream=True).events
    assert '"a \\ud83d"' in first
    assert "\\u" not in second


USAGES = {
    "usage-in-halves": [{"prompt_tokens": 9}, {"completion_tokens": 5, "total_tokens": 14}],
    "usage-then-zeros": [
        {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    ],
    "usage-zeros": [{"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}],
    "usage-then-null": [{"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}, None, {}],
    "usage-growing": [
        {"prompt_tokens": 9, "completion_tokens": n, "total_tokens": 9 + n} for n in (2, 5, 5)
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", USAGES)
def test_usage_in_several_chunks(router: SandboxRouter, kind: str) -> None:
    sent = odd(router, kind, stream=True)
    assert [chunk["usage"] for chunk in sent.chunks if "usage" in chunk] == USAGES[kind]
    assert deltas(sent) == "One, two, three."


@pytest.mark.parametrize(
    ("kind", "label"), [("stream-labelled-json", "application/json"), ("stream-labelled-text", "text/plain")]
)
def test_a_good_stream_can_be_labelled_wrong(router: SandboxRouter, kind: str, label: str) -> None:
    sent = odd(router, kind, stream=True)
    assert sent.headers["content-type"] == label
    assert deltas(sent) == "One, two, three."
    assert odd(router, kind, stream=False).json["object"] == "chat.completion"


def test_refusals(router: SandboxRouter) -> None:
    sent = odd(router, "refusal", stream=True)
    assert (deltas(sent), deltas(sent, "refusal")) == ("", "I can't help with that.")
    message = odd(router, "refusal", stream=False).json["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "I can't help with that.")
    later = odd(router, "refusal-after-text", stream=True)
    assert (deltas(later), deltas(later, "refusal")) == ("One, ", "I can't go on.")
    message = odd(router, "refusal-after-text", stream=False).json["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == ("One, ", "I can't go on.")


def test_empty_answers(router: SandboxRouter) -> None:
    assert odd(router, "empty-no-choices", stream=True).choices == []
    assert odd(router, "empty-no-choices", stream=False).json["choices"] == []
    assert odd(router, "empty-only-done", stream=True).events == ["[DONE]"]
    for kind, member in (("empty-reasoning-only", "reasoning_content"), ("empty-images-only", "images")):
        sent = odd(router, kind, stream=True)
        assert deltas(sent) == ""
        assert any(choice["delta"].get(member) for choice in sent.choices)
        message = odd(router, kind, stream=False).json["choices"][0]["message"]
        assert not message["content"]
        assert message[member]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("think-tags", "<think>Three numbers are wanted.</think>\n\nOne, two, three."),
        ("think-tags-open", "<think>Three numbers are wanted, but"),
        ("think-tags-later", "Write `<think>` before and `</think>` behind it."),
    ],
)
def test_reasoning_in_tags(router: SandboxRouter, kind: str, text: str) -> None:
    sent = odd(router, kind, stream=True)
    assert deltas(sent) == text
    assert not any("<think>Three numbers are wanted.</think>" in event for event in sent.events)
    assert odd(router, kind, stream=False).json["choices"][0]["message"]["content"] == text


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("answer-in-fence", "```json\n", "\n```"),
        ("answer-in-sentences", "Here is the JSON you asked for:\n\n```json\n", "\n```\n\nI hope this helps!"),
        ("answer-after-sentence", "Sure! Here it is: ", ""),
    ],
)
def test_json_with_something_around_it(router: SandboxRouter, kind: str, before: str, after: str) -> None:
    shape = {"name": "x", "schema": {"type": "object", "properties": {"city": {"const": 'Ro"me\n'}}}}
    asked = {"response_format": {"type": "json_schema", "json_schema": shape}}
    whole = odd(router, kind, stream=False, **asked).json["choices"][0]["message"]["content"]
    for text in (deltas(odd(router, kind, stream=True, **asked)), whole):
        assert text.startswith(before)
        assert text.endswith(after)
        assert json.loads(text.removeprefix(before).removesuffix(after)) == {"city": 'Ro"me\n'}


ERRORS: dict[str, tuple[int, Callable[[Sent], object], object]] = {
    "insufficient-quota": (429, lambda s: s.json["error"]["code"], "insufficient_quota"),
    "tokens-per-minute": (429, lambda s: s.headers["retry-after"], "6"),
    "tokens-per-minute-bare": (429, lambda s: s.json["message"][:26], "Too many tokens per minute"),
    "model-unknown-no-code": (404, lambda s: s.json["error"]["code"], None),
    "model-unknown-numeric": (404, lambda s: s.json["code"], 404),
    "context-available-size": (400, lambda s: "exceeds the available context size" in s.json["error"]["message"], True),
    "error-array": (400, lambda s: s.json[0]["error"]["message"], "This model takes no system message."),
    "error-detail": (400, lambda s: s.json["detail"], "This model takes no system message."),
    "error-detail-list": (422, lambda s: s.json["detail"][0]["msg"], "Field required"),
    "error-list": (400, lambda s: s.json["errors"][0]["message"], "This model takes no system message."),
    "error-msg": (400, lambda s: s.json["msg"], "This model takes no system message."),
    "error-text": (400, lambda s: s.json["error"], "This model takes no system message."),
    "error-plain-text": (400, lambda s: s.text, "This model takes no system message."),
    "error-named": (400, lambda s: s.json["error_description"], "This model takes no system message."),
    "error-message-object": (400, lambda s: s.json["error"]["message"]["text"], "This model takes no system message."),
    "error-xml": (400, lambda s: s.text.split("<Code>")[1][:19], "BadRequest</Code><M"),
    "error-without-data": (200, lambda s: s.json["error"]["code"], 529),
}
TYPES = {"error-plain-text": "text/plain", "error-xml": "application/xml", "error-without-data": "text/event-stream"}


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_in_other_shapes(router: SandboxRouter, kind: str) -> None:
    status, read, expected = ERRORS[kind]
    router.inject(Fault(kind, model="claude-haiku-4-5"))
    injected = chat(router, "claude-haiku-4-5")
    for sent in (injected, odd(router, kind, stream=True), odd(router, kind, stream=False)):
        assert sent.status == status
        assert read(sent) == expected
        assert sent.headers["content-type"].partition(";")[0] == TYPES.get(kind, "application/json")
    if kind.startswith("model-unknown"):
        assert "claude-haiku-4-5" in injected.text


@pytest.mark.parametrize(
    ("kind", "member", "words"), [("details", "reasoning_details", "text"), ("blocks", "thinking_blocks", "thinking")]
)
def test_reasoning_in_entries_only(router: SandboxRouter, kind: str, member: str, words: str) -> None:
    for stream in (True, False):
        sent = odd(router, f"reasoning-in-{kind}", stream=stream)
        parts = [c["delta"] for c in sent.choices] if stream else [sent.json["choices"][0]["message"]]
        entries = [entry for part in parts for entry in part.get(member) or ()]
        assert "".join(entry.get(words) or "" for entry in entries) == "Three numbers are wanted."
        assert not any("reasoning" in part or "reasoning_content" in part for part in parts)
        assert "".join(part.get("content") or "" for part in parts) == "One, two, three."


def test_events_named_error(router: SandboxRouter) -> None:
    text, error, end = odd(router, "error-event", stream=True).text.split("\n\n")
    assert "One, " in text
    assert error.startswith('event: error\ndata: {"type":"error","error":{"type":"overloaded_error"')
    assert end == ""
    assert odd(router, "error-event-first", stream=True).text == "event: error\ndata: The provider gave up.\n\n"
    assert odd(router, "error-field", stream=True).text.split("\n\n")[1].startswith('error: {"code":500,')
    beside = json.loads(odd(router, "error-beside-no-choices", stream=True).events[1])
    assert (beside["choices"], beside["base_resp"]["status_code"]) == ([], 1000)


def test_errors_inside_a_chunk(router: SandboxRouter) -> None:
    sent = odd(router, "error-in-choice", stream=True)
    assert (deltas(sent), reasons(sent)) == ("One, ", [None, "error"])
    whole = odd(router, "error-in-choice", stream=False).json["choices"][0]
    assert sent.choices[-1]["error"] == whole["error"] == {"code": 502, "message": "The provider gave up."}
    sent = odd(router, "error-in-groq", stream=True)
    assert (deltas(sent), reasons(sent)) == ("One, ", [None])
    assert sent.chunks[-1]["x_groq"]["error"] == "The provider gave up."


def test_calls_without_a_function_around_them(router: SandboxRouter) -> None:
    parts = call_parts(odd(router, "calls-flat", stream=True, tools=[WEATHER]))
    assert [part.get("name") for part in parts] == ["get_weather", None]
    assert "".join(part["arguments"] for part in parts) == '{"city":"Rome"}'
    (call,) = odd(router, "calls-flat", stream=False, tools=[WEATHER]).json["choices"][0]["message"]["tool_calls"]
    assert (call["name"], call["arguments"]) == ("get_weather", {"city": "Rome"})
    (call,) = call_parts(odd(router, "calls-arguments-beside", stream=True, tools=[WEATHER]))
    assert (call["function"], call["arguments"]) == ({"name": "get_weather"}, '{"city":"Rome"}')
    message = odd(router, "calls-arguments-beside", stream=False, tools=[WEATHER]).json["choices"][0]["message"]
    assert message["tool_calls"][0]["arguments"] == '{"city":"Rome"}'


def test_the_text_of_parts_can_be_wrapped(router: SandboxRouter) -> None:
    sent = odd(router, "content-parts-wrapped", stream=True)
    parts = [part for choice in sent.choices for part in choice["delta"].get("content", ())]
    assert "".join(part["text"]["value"] for part in parts) == "One, two, three."
    (part,) = odd(router, "content-parts-wrapped", stream=False).json["choices"][0]["message"]["content"]
    assert part["text"]["value"] == "One, two, three."


def test_events_of_another_form(router: SandboxRouter) -> None:
    lines = odd(router, "events-in-lines", stream=True).text.splitlines()
    assert [line[:6] for line in lines] == ["data: "] * 3
    assert lines[-1] == "data: [DONE]"
    blocks = odd(router, "heartbeats", stream=True).text.split("\n\n")
    assert blocks[0] == "event: ping\ndata: ping"
    assert blocks[2] == "data: ping"
    assert blocks[-2:] == ["data: [DONE] ", ""]
    twice = odd(router, "events-twice", stream=True).text.split("\n\n")
    assert twice[0] == "data: : keep-alive"
    assert [block.startswith("data: data: {") for block in twice] == [False, True, True, False, False]
    lines = [json.loads(line) for line in odd(router, "events-as-lines-of-json", stream=True).text.splitlines()]
    assert [line["choices"][0]["finish_reason"] for line in lines] == [None, None, "stop"]


def test_what_is_no_text_stands_in_parts_or_beside(router: SandboxRouter) -> None:
    for kind, member in (("refusal-in-parts", "refusal"), ("empty-images-in-parts", "image_url")):
        contents = [choice["delta"].get("content") for choice in odd(router, kind, stream=True).choices]
        contents.append(odd(router, kind, stream=False).json["choices"][0]["message"]["content"])
        assert all(part["type"] == member and member in part for parts in contents for part in parts or ())
    streamed = [choice["delta"].get("audio", {}) for choice in odd(router, "spoken", stream=True).choices]
    assert "".join(audio.get("transcript", "") for audio in streamed) == "One, two, three."
    message = odd(router, "spoken", stream=False).json["choices"][0]["message"]
    assert (message["content"], message["audio"]["transcript"]) == (None, "One, two, three.")


def test_choices_and_reasoning_in_other_shapes(router: SandboxRouter) -> None:
    assert [choice["index"] for choice in odd(router, "choices-of-one-number", stream=True).chunks[0]["choices"]] == [
        0,
        0,
    ]
    assert ["choices" in chunk for chunk in odd(router, "remarks", stream=True).chunks][:4] == [
        False,
        True,
        False,
        True,
    ]
    for stream in (True, False):
        for kind in ("choices-by-number", "enveloped"):
            sent = odd(router, kind, stream=stream)
            for chunk in sent.chunks if stream else [sent.json]:
                assert "choices" in (chunk["data"] if kind == "enveloped" else chunk)
                assert kind == "enveloped" or list(chunk["choices"]) == ["0"]
    thoughts = [choice["delta"].get("reasoning") for choice in odd(router, "reasoning-in-object", stream=True).choices]
    assert [type(thought) for thought in thoughts[:2]] == [dict, list]
    assert "summary" in odd(router, "reasoning-in-object", stream=False).json["choices"][0]["message"]["reasoning"]


def test_streams_of_other_apis(router: SandboxRouter) -> None:
    for kind, named in (("messages", "content_block_delta"), ("responses", "response.output_text.delta")):
        assert f"event: {named}\ndata: {{" in odd(router, f"other-api-{kind}", stream=True).text
    sent = odd(router, "other-api-lines", stream=True)
    assert sent.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["done"] for line in sent.text.splitlines()] == [False, True]


def test_events_in_lines_can_pause(router: SandboxRouter) -> None:
    router.inject(Fault("events-in-lines-pause", delay=0.2))
    began = time.monotonic()
    sent = chat(router, "claude-haiku-4-5", stream=True)
    assert time.monotonic() - began >= 0.2
    assert [line[:6] for line in sent.text.splitlines()] == ["data: "] * 4
    assert "!pause" not in sent.text


def test_text_can_stand_where_a_delta_should_be(router: SandboxRouter) -> None:
    sent = odd(router, "text-for-delta", stream=True)
    assert "".join(choice["text"] for choice in sent.choices) == "One, two, three."
    assert not any("delta" in choice for choice in sent.choices)
    assert odd(router, "text-for-delta", stream=False).json["choices"][0]["text"] == "One, two, three."


@pytest.mark.parametrize("kind", ["calls-function-call", "calls-function-call-beside"])
def test_calls_in_the_older_form(router: SandboxRouter, kind: str) -> None:
    sent = odd(router, kind, stream=True, tools=[WEATHER])
    parts = [choice["delta"]["function_call"] for choice in sent.choices if "function_call" in choice["delta"]]
    assert "".join(part.get("name", "") for part in parts) == "get_weather"
    assert "".join(part["arguments"] for part in parts) == '{"city":"Rome"}'
    message = odd(router, kind, stream=False, tools=[WEATHER]).json["choices"][0]["message"]
    assert message["function_call"] == {"name": "get_weather", "arguments": '{"city":"Rome"}'}
    is_beside = kind == "calls-function-call-beside"
    assert bool(call_parts(sent)) is bool(message.get("tool_calls")) is is_beside


def listed(router: SandboxRouter, kind: str) -> Sent:
    router.inject(Fault(kind))
    return send(router, "GET", "/v1/models", key=router.issue_key())


LISTS: dict[str, Callable[[Sent], object]] = {
    "list-bare": lambda sent: sent.json,
    "list-under-models": lambda sent: sent.json["models"],
    "list-bom": lambda sent: json.loads(sent.body.decode("utf-8-sig"))["data"] if sent.text[0] == "\ufeff" else None,
    "list-nan": lambda sent: sent.json["data"] if b'"input_price":NaN' in sent.body else None,
    "list-surrogate": lambda sent: sent.json["data"] if rb'"a \ud83d b"' in sent.body else None,
    "list-price-huge": lambda sent: (
        sent.json["data"] if b":1e4000," in sent.body and b':"1e4000"' in sent.body else None
    ),
    "list-odd-entries": lambda sent: sent.json["data"] if b'[null,7,"text",[],{' in sent.body else None,
}


@pytest.mark.parametrize("kind", LISTS)
def test_model_lists_in_other_shapes(router: SandboxRouter, kind: str) -> None:
    entries: Any = LISTS[kind](listed(router, kind))
    good = [e["id"] for e in entries if isinstance(e, dict) and str(e.get("id")).startswith("claude-")]
    usual = send(router, "GET", "/v1/models", key=router.issue_key()).json["data"]
    assert good == [e["id"] for e in usual if e["id"].startswith("claude-")]
    router.inject(Fault(kind))
    assert send(router, "GET", "/v1/models", key="sk-wrong").status == 401


def test_a_price_beyond_all_numbers_is_infinite_to_whoever_reads_it_as_a_float(router: SandboxRouter) -> None:
    entry = next(e for e in listed(router, "list-price-huge").json["data"] if e["id"] == "sandbox/odd-entry")
    assert math.isinf(entry["input_price"])


def test_usage_is_sent_where_it_was_asked_for_only(router: SandboxRouter) -> None:
    body = {"model": "sandbox/fault-finish-empty", "messages": [{"role": "user", "content": "x"}], "stream": True}
    sent = send(router, "POST", "/v1/chat/completions", body, key=router.issue_key())
    assert "usage" not in sent.text
    assert "usage" in odd(router, "finish-empty", stream=True).text


def test_odd_answers_are_given_to_good_requests_only(router: SandboxRouter) -> None:
    assert odd(router, "finish-empty", stream=True, temperature=9).status == 400
    body = {"model": "sandbox/fault-finish-empty", "messages": [{"role": "user", "content": "x"}]}
    assert send(router, "POST", "/v1/chat/completions", body, key="sk-wrong").status == 401


def test_every_oddity_can_be_asked_for_and_the_log_names_it(router: SandboxRouter) -> None:
    for kind in ODD_KINDS:
        if not kind.startswith("list-") and "pause" not in kind:
            odd(router, kind, stream=True, tools=[WEATHER])
            assert router.requests[-1].fault == kind


def test_the_model_list_says_what_is_odd() -> None:
    with SandboxRouter(speed=INSTANT, list_faults=True) as router:
        listed = send(router, "GET", "/v1/models", key=router.issue_key()).json["data"]
    said = {entry["id"]: entry.get("description") for entry in listed}
    assert said["sandbox/fault-calls-same-index"] == "Parallel calls have one index and different ids."
    assert all(said[f"sandbox/fault-{kind}"] for kind in ODD_KINDS if not kind.startswith("list-"))


def test_no_oddity_is_without_a_test_of_its_own() -> None:
    alone = {
        "after-done", "calls-not-streamed", "calls-object", "calls-null", "calls-need-reasoning",
        "calls-need-extra-content", "content-parts", "surrogate-halves", "surrogate-lone", "stream-labelled-json",
        "stream-labelled-text", "refusal", "refusal-after-text", "empty-no-choices", "empty-only-done",
        "empty-reasoning-only", "empty-images-only", "think-tags", "think-tags-open", "think-tags-later",
        "reasoning-in-details", "reasoning-in-blocks",
        "answer-in-fence", "answer-in-sentences", "answer-after-sentence", "error-event", "error-event-first",
        "finish-empty-pause", "finish-early-pause", "events-in-lines", "heartbeats",
        "error-in-choice", "error-in-groq", "calls-flat", "calls-arguments-beside", "content-parts-wrapped",
        "calls-need-reasoning-details", "calls-need-thinking-blocks",
        "error-field", "error-beside-no-choices", "other-api-messages", "other-api-responses", "other-api-lines",
        "choices-of-one-number", "remarks",
        "choices-by-number", "enveloped", "reasoning-in-object", "refusal-in-parts", "empty-images-in-parts",
        "spoken", "events-twice", "events-as-lines-of-json",
        "events-in-lines-pause", "text-for-delta", "calls-function-call", "calls-function-call-beside",
    }  # fmt: skip
    tables = (ENDINGS, WORDS, AFTER, CALLS, CHOICES, MEMBERS, USAGES, ERRORS, LISTS)
    assert alone.union(*tables) == set(ODD_KINDS)
