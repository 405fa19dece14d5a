"""Chunks and whole completions as JSON, regular and odd: what is read of each member, and what is noted as left out."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tetrate_jupyter import config
from tetrate_jupyter.http import chunk_reading, reading
from tetrate_jupyter.http.chunk_reading import decode_chunk, whole
from tetrate_jupyter.http.chunks import ChatChunk, ToolCallDelta, count, is_given


def choice(members: dict[str, Any], ignored: list[str] | None = None, **more: Any) -> Any:
    """A choice read in one step; with `odd`, member by member."""
    return decode_chunk(json.dumps({"choices": [members], **more}).encode(), ignored).choice


def both(members: dict[str, Any]) -> tuple[Any, Any]:
    return choice(members), choice(members, created=None, id=None, model=7)


CONTENTS: list[tuple[object, str, str]] = [
    ("One", "One", ""),
    ("", "", ""),
    (None, "", ""),
    ([], "", ""),
    ({"type": "text", "text": "One"}, "One", ""),
    ({"text": "One"}, "One", ""),
    ({"type": "output_text", "text": {"value": "One"}}, "One", ""),
    ([{"type": "text", "text": "One"}, ", ", {"text": "two"}], "One, two", ""),
    ([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "One"}], "One", "hm"),
    ([{"thinking": [{"type": "text", "text": "h"}, "m"]}], "", "hm"),
    ([{"reasoning": {"text": "hm"}}], "", "hm"),
    ([{"type": "image_url", "image_url": {}}, {"text": "One"}], "One", ""),
    ({"type": "image_url"}, "", ""),
    ([{"type": "text", "content": "One"}, {"type": "output_text", "content": ", two"}], "One, two", ""),
    ([{"type": ["text"], "content": "One"}, {"content": "two"}], "", ""),
]


@pytest.mark.parametrize(("content", "text", "thought"), CONTENTS)
def test_contents(content: object, text: str, thought: str) -> None:
    for name in ("delta", "message"):
        found = choice({"index": 0, name: {"content": content}}, model=7)
        added = found.added
        assert ((added and added.content) or "", added.reasoning_text if added else "") == (text, thought)


@pytest.mark.parametrize("content", [5, True, {"x": 1}, {"text": 5}])
def test_a_content_that_may_be_text_is_refused(content: object) -> None:
    with pytest.raises(ValueError, match="content that is no text"):
        choice({"delta": {"content": content}})


@pytest.mark.parametrize("body", [b"5", b'"x"', b'[{"a":1},{}]', b'{"choices":[5]}', b'{"choices":[{"delta":5}]}'])
def test_what_is_no_chunk_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_chunk(body)


def test_what_says_nothing_is_left_out_and_noted() -> None:
    for body in (b"null", b"[]", b"{}x"[:2], b"false", b"0", b'""'):
        ignored: list[str] = []
        assert decode_chunk(body, ignored) == ChatChunk()
        assert ignored == ([] if body == b"{}" else ["event"])
    assert decode_chunk(b'[{"choices":[{"delta":{"content":"x"}}]}]').delta.content == "x"  # type: ignore[union-attr]
    assert decode_chunk(b'{"choices":{"delta":{"content":"x"}}}').delta.content == "x"  # type: ignore[union-attr]
    assert decode_chunk(b'{"choices":[null,{"index":"0","delta":{"content":"x"}}]}').delta.content == "x"  # type: ignore[union-attr]


NOTED: list[tuple[dict[str, Any], list[str]]] = [
    ({"delta": {"content": "x"}, "finish_reason": 5}, ["finish_reason"]),
    ({"delta": {"content": "x", "tool_calls": "no"}}, ["tool_calls"]),
    ({"delta": {"content": "x", "refusal": 5}}, ["refusal"]),
    ({"delta": {"content": ["x", 5, None]}}, ["content"]),
    ({"delta": {"content": "x", "reasoning": [5]}, "index": None}, ["reasoning"]),
]


@pytest.mark.parametrize(("members", "noted"), NOTED)
def test_what_is_left_out_is_noted(members: dict[str, Any], noted: list[str]) -> None:
    ignored: list[str] = []
    found = choice(members, ignored, model=7)
    assert found.added.content == "x"
    assert [name for name in ignored if name != "model"] == noted


def test_usage_and_model_that_do_not_fit_are_noted() -> None:
    ignored: list[str] = []
    found = decode_chunk(b'{"model":5,"usage":[1],"choices":[]}', ignored)
    assert (found.model, found.usage, ignored) == (None, None, ["usage", "model"])
    ignored.clear()
    found = decode_chunk(b'{"usage":{"prompt_tokens":"many","completion_tokens":"5"},"choices":[]}', ignored)
    assert found.usage is not None
    assert (found.usage.prompt_tokens, found.usage.completion_tokens, ignored) == (None, 5, ["prompt_tokens"])
    ignored.clear()
    many = b'{"choices":[{"delta":{"content":[' + b",".join([b"5"] * 3_000) + b',"x"]}}]}'
    assert decode_chunk(many, ignored).delta.content == "x"  # type: ignore[union-attr]
    assert len(ignored) == 1_000


def test_a_bare_text_counts_where_nothing_else_is() -> None:
    for members in ({"text": "One"}, {"text": "One", "delta": None}, {"text": "One", "delta": None, "message": None}):
        for found in both(members):
            assert found.added.content == "One"
    for members in ({"text": "no", "delta": {"content": "One"}}, {"text": "no", "message": {"content": "One"}}):
        for found in both(members):
            assert found.added.content == "One"
    assert choice({"text": ["One"]}).added.content == "One"
    assert [found.added for found in both({"text": ""})] == [None, None]
    assert [found.added for found in both({"finish_reason": "stop"})] == [None, None]


ADDED: list[tuple[dict[str, Any], str, str]] = [
    ({"delta": {"content": "a"}, "message": {"content": "b"}}, "a", ""),
    ({"delta": {}, "message": {"content": "b"}}, "b", ""),
    ({"delta": {"reasoning": "r"}, "message": {"content": "b"}}, "b", ""),
    ({"delta": {"reasoning": "r"}, "message": {"content": ""}}, "", "r"),
    ({"delta": {"content": ""}, "message": {"reasoning": "r"}}, "", "r"),
    ({"delta": {"content": "a", "thinking": "t", "reasoning_content": "r"}}, "a", "r"),
    ({"delta": {"content": "a", "thinking": "t", "reasoning_content": ""}}, "a", "t"),
    ({"delta": {"content": "a", "thinking": "t", "reasoning": "s"}}, "a", "s"),
]


@pytest.mark.parametrize(("members", "text", "thought"), ADDED)
def test_which_of_delta_and_message_counts(members: dict[str, Any], text: str, thought: str) -> None:
    for found in both(members):
        assert (found.added.content or "", found.added.reasoning_text) == (text, thought)


@pytest.mark.parametrize(
    ("delta", "has", "plain"),
    [
        ({}, False, True),
        ({"content": "x"}, True, True),
        ({"content": ""}, False, True),
        ({"refusal": "no"}, True, False),
        ({"tool_calls": [{"id": "a"}]}, True, False),
        ({"tool_calls": []}, False, False),
        ({"function_call": {"name": "f"}}, True, False),
        ({"function_call": {}}, False, False),
        ({"images": [1]}, True, False),
        ({"images": []}, False, False),
        ({"reasoning": "r"}, False, False),
        ({"reasoning_content": "r"}, False, False),
        ({"thinking": "r"}, False, False),
        ({"audio": {"transcript": "x"}}, True, True),
        ({"audio": {"transcript": "", "data": "AAAA"}}, False, True),
        ({"audio": {"transcript": 5}}, False, True),
        ({"audio": []}, False, True),
        ({"content": [{"refusal": "no"}]}, True, False),
        ({"content": [{"type": "image_url", "image_url": {}}]}, True, False),
    ],
)
def test_what_is_part_of_the_answer(delta: dict[str, Any], has: bool, plain: bool) -> None:
    found = choice({"delta": delta})
    assert (found.added.has_content, found.added.is_plain) == (has, plain)
    chunk = decode_chunk(json.dumps({"choices": [{"delta": delta}]}).encode())
    is_thought = any(delta.get(name) for name in ("reasoning", "reasoning_content", "thinking"))
    assert chunk.has_output is (has or is_thought)


def test_calls_in_another_choice_without_a_number_are_the_answers() -> None:
    call = {"id": "a", "function": {"name": "f", "arguments": "{}"}}
    said = {"message": {"content": "Look."}, "finish_reason": "tool_calls"}

    def joined(*others: dict[str, Any]) -> Any:
        added = decode_chunk(json.dumps({"choices": [said, *others]}).encode()).as_chunk().delta
        return added and (added.content, [each.id for each in added.tool_calls])

    assert joined({"message": {"tool_calls": [call]}}) == ("Look.", ["a"])
    assert joined({"message": {"content": "Other", "tool_calls": [call]}, "index": 1}) == ("Look.", [])
    assert joined({"message": {"content": "Other"}}, {"message": {"tool_calls": [call]}}) == ("Look.", ["a"])
    assert joined({}) == ("Look.", [])


def test_a_completion_in_an_envelope_is_that_completion() -> None:
    inner = {"choices": [{"delta": {"content": "One"}}]}
    for name in ("data", "result", "response", "output"):
        found = decode_chunk(json.dumps({"code": 0, name: inner, "usage": {"prompt_tokens": 3}}).encode())
        assert found.delta is not None
        assert (found.delta.content, found.usage and found.usage.prompt_tokens) == ("One", 3)
    assert decode_chunk(json.dumps({"other": inner}).encode()).choices is None
    assert decode_chunk(json.dumps({"data": json.dumps(inner)}).encode()).choices is None
    assert decode_chunk(json.dumps({"error": {"message": "x"}, "data": inner}).encode()).choices is None


def test_what_is_said_in_sound_counts_where_there_is_no_text() -> None:
    for found in both({"delta": {"content": "", "audio": {"transcript": "One\ud83d"}}}):
        assert found.added.words == "One\ud83d"
    for found in both({"delta": {"content": "Two", "audio": {"transcript": "One"}}}):
        assert found.added.words == "Two"


F = {"name": "f", "arguments": "{}"}
CALLS: list[tuple[Any, list[ToolCallDelta]]] = [
    ([{"index": 0, "id": "a", "type": "function", "function": F}], [ToolCallDelta(0, "a", "f", "{}")]),
    ([{"index": "1", "id": 7, "function": {"name": "f", "arguments": {}}}], [ToolCallDelta(1, "7", "f", "{}")]),
    ([{"index": 1.0, "id": True, "function": None}], [ToolCallDelta(1)]),
    ({"id": "a", "function": F}, [ToolCallDelta(None, "a", "f", "{}")]),
    ([None, 5, {"id": "a"}], [ToolCallDelta(None, "a")]),
    ([{"id": "a", **F}], [ToolCallDelta(None, "a", "f", "{}")]),
    ([{"id": "a", "function": {"name": "f"}, "arguments": "{}"}], [ToolCallDelta(None, "a", "f", "{}")]),
    ([{"id": "a", "function": {"name": "f", "parameters": {"x": 1}}}], [ToolCallDelta(None, "a", "f", '{"x":1}')]),
    ([{"id": "a", "function": F, "name": "g", "arguments": "1"}], [ToolCallDelta(None, "a", "f", "{}")]),
    ([{"id": "a", "function": {"name": 5, "arguments": None}}], [ToolCallDelta(None, "a")]),
    ([{"id": "x" * 100_000, "function": F, "s": 1}], [ToolCallDelta(None, None, "f", "{}", {"s": b"1"})]),
    ([{"id": "a", "extra": "x" * 300_000}], [ToolCallDelta(None, "a")]),
]  # fmt: skip


@pytest.mark.parametrize(("calls", "right"), CALLS, ids=range(len(CALLS)))
def test_calls(calls: Any, right: list[ToolCallDelta]) -> None:
    body = json.dumps({"choices": [{"delta": {"tool_calls": calls}}]}, separators=(",", ":")).encode()
    delta = decode_chunk(body).delta
    assert delta is not None
    assert delta.tool_calls == right
    again = decode_chunk(body[:-1] + b',"model":7}').delta
    assert again is not None
    assert [(each.index, each.id, each.name) for each in again.tool_calls] == [(e.index, e.id, e.name) for e in right]


@pytest.mark.parametrize(("length", "is_kept"), [(256 * 1024, True), (256 * 1024 + 1, False)])
def test_what_comes_with_a_call_is_bounded(length: int, is_kept: bool) -> None:
    extra = b'"' + b"x" * (length - 2) + b'"'
    delta = decode_chunk(b'{"choices":[{"delta":{"tool_calls":[{"id":"a","extra":' + extra + b"}]}}]}").delta
    assert delta is not None
    assert (delta.tool_calls[0].extra is not None) is is_kept


def test_the_older_call_is_one_piece() -> None:
    for found in both({"delta": {"function_call": F}}):
        assert found.added.only_call == ToolCallDelta(None, None, "f", "{}")
    assert choice({"delta": {"function_call": "f"}}).added.only_call == ToolCallDelta()


ERRORS: list[tuple[dict[str, Any], bool, object]] = [
    ({"error": {"message": "m"}}, True, {"message": "m"}),
    ({"error": "m"}, True, "m"),
    ({"error": {"message": "", "code": 0, "more": [{}]}}, False, None),
    ({"error": {"a": {"b": {"c": {"d": {"e": 1}}}}}}, True, {"a": {"b": {"c": {"d": {"e": 1}}}}}),
    ({"error": {"a": {"b": {"c": {"d": {"e": 0}}}}}}, True, {"a": {"b": {"c": {"d": {"e": 0}}}}}),
    ({"error": None}, False, None),
    ({"error": []}, False, None),
    ({"error": {"message": "x" * config.MAX_ERROR_BYTES}}, True, {}),
    ({"x_groq": {"error": "m"}}, True, "m"),
    ({"x_groq": {"error": ""}}, False, None),
    ({"x_groq": [1]}, False, None),
    ({"error": "m", "x_groq": {"error": "n"}}, True, "m"),
]


@pytest.mark.parametrize(("members", "has", "content"), ERRORS, ids=range(len(ERRORS)))
def test_errors(members: dict[str, Any], has: bool, content: object) -> None:
    for odd in ({}, {"created": None, "model": 7}):
        chunk = decode_chunk(json.dumps({"choices": [], **members, **odd}).encode())
        assert chunk.has_error is has
        if has:
            assert chunk.error_content == content
    for found in ([{"index": 0, "delta": {}, **members}], [{"index": 1, "error": "no"}, {"index": 0, **members}]):
        for odd in ({}, {"model": 7}):
            in_choice = decode_chunk(json.dumps({"choices": found, **odd}).encode())
            assert in_choice.has_error is (has and "error" in members)
            if in_choice.has_error:
                assert in_choice.error_content == content


def test_a_whole_completion_is_the_only_chunk() -> None:
    body = {"id": "a", "model": "m", "usage": {"prompt_tokens": 1}, "x_groq": {"usage": {}}, "choices": [
        {"index": 1, "message": {"content": "no"}},
        {"index": 0, "message": {"content": "x"}, "usage": {"prompt_tokens": 2}, "error": {}},
    ]}  # fmt: skip
    chunk = decode_chunk(json.dumps(body).encode()).as_chunk()
    assert chunk.delta is not None
    assert (chunk.delta.content, chunk.finish_reason, chunk.own_id, chunk.model) == ("x", "stop", "a", "m")
    assert chunk.usage is not None
    assert bytes(chunk.choices[0].usage) == b'{"prompt_tokens": 2}'  # type: ignore[index]
    assert bytes(chunk.x_groq) == b'{"usage": {}}'
    others = decode_chunk(b'{"choices":[{"index":3,"message":{"content":"3"}},{"index":2,"message":{"content":"2"}}]}')
    assert others.delta is None
    assert others.as_chunk().delta.content == "2"  # type: ignore[union-attr]
    assert decode_chunk(b'{"choices":[]}').as_chunk().choices == []
    ended = decode_chunk(b'{"choices":[{"message":{"content":"x"},"finish_reason":"length"}]}').as_chunk()
    assert ended.finish_reason == "length"


@pytest.mark.parametrize(
    ("identity", "own"), [('"a"', "a"), ("5", ""), ("null", ""), ('""', ""), ('"' + "x" * 100_000 + '"', "")]
)
def test_ids(identity: str, own: str) -> None:
    assert decode_chunk(f'{{"id":{identity},"choices":[]}}'.encode()).own_id == own
    assert decode_chunk(f'{{"id":{identity},"choices":[],"model":5}}'.encode()).own_id == own
    assert ChatChunk().own_id == ""


@pytest.mark.parametrize("body", [b"null", b"{}", b'""', b"false", b"[]", b"0", b" { } ", b"[\n]"])
def test_what_is_not_given(body: bytes) -> None:
    assert not is_given(msgspec.Raw(body))
    assert is_given(msgspec.Raw(b" " * 20 + body))  # nothing that means nothing is so long
    assert is_given(msgspec.Raw(b"1"))


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), (5.0, 5), ("5", 5), ("5.0", 5), ("5e0", 5), (5.5, None), ("x", None), (True, None), (None, None),
     ("1" * 32, int(float("1" * 32))), ("1" * 33, None), (float("nan"), None), (float("inf"), None), ("inf", None)],
)  # fmt: skip
def test_counts(value: object, number: int | None) -> None:
    assert count(value) == number


def test_texts_with_halves_of_characters() -> None:
    assert whole("a\ud83d\ude00b\ud83d") == "a😀b\ufffd"
    assert whole("\ude00é") == "\ufffdé"
    assert whole("plain é") == "plain é"
    inner = '{"choices":[{"delta":{"content":"\\ude00 é\\ud83d é\\ud83d"}}]}'
    assert decode_chunk(inner.encode()).delta.content == "\ude00 é\ufffd é\ud83d"  # type: ignore[union-attr]


@pytest.mark.parametrize("half", [chr(code) for code in (0xD800, 0xDBFF, 0xDC00, 0xDFFF)], ids=ascii)
def test_a_half_at_an_end_waits_for_the_other_one(half: str) -> None:
    text = f"{half}é" if half >= "\udc00" else f"é{half}"
    delta = decode_chunk(json.dumps({"choices": [{"delta": {"content": text}}]}).encode()).delta
    assert delta is not None
    assert delta.content == text


def test_numbers_that_are_none_and_endless_nesting_beside_a_text() -> None:
    body = b'{"choices":[{"delta":{"content":"x\\ud83d"}}],"a":NaN,"b":-Infinity,"c":' + b"1" * 5_000 + b"}"
    assert decode_chunk(body).delta.content == "x\ud83d"  # type: ignore[union-attr]
    deep = b'{"choices":[{"delta":{"content":"x"}}],"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert decode_chunk(deep).delta.content == "x"  # type: ignore[union-attr]
    with pytest.raises(msgspec.DecodeError, match="second look"):
        decode_chunk(b'{"a":NaN,"b":"' + b"x" * reading.MAX_MENDED + b'"}')
    with pytest.raises(msgspec.DecodeError, match="values"):
        decode_chunk(b'{"a":NaN' + b"," * (config.MAX_JSON_VALUES + 1) + b"}")
    assert chunk_reading._integer("1" * 40) == int("1" * 40)
    assert chunk_reading._integer("1" * 41) is None
