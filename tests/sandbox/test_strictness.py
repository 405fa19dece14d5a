from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Api

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}


def png(width: int = 3, height: int = 2) -> str:
    header = (
        b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    )
    return "data:image/png;base64," + base64.b64encode(header + b"\x08\x02\0\0\0" + zlib.compress(b"")).decode()


def picture(url: str) -> list[Any]:
    return [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": url}}]


def test_the_body_must_be_a_json_object(api: Api) -> None:
    for content in (b"", b"{", b"[]", b'"text"'):
        reply = api.client.post(api.router.base_url + "/chat/completions", content=content, headers=api.headers)
        assert reply.status_code == 400


def test_an_unknown_model_is_not_found_and_an_embedding_model_is_a_bad_request(api: Api) -> None:
    assert api.code(model="claude-haiku-4-5-20251001") == (404, "model_not_found")
    assert api.code(model="text-embedding-ada-002") == (400, "bad_request")
    assert api.code(model="gpt-image-1.5") == (400, "bad_request")


def test_models_of_mode_responses_answer_over_chat(api: Api) -> None:
    assert api.chat(model="gpt-6-sol").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"temprature": 1},
        {"temperature": 3},
        {"temperature": "hot"},
        {"temperature": True},
        {"top_p": -1},
        {"max_tokens": 0},
        {"max_tokens": 1.5},
        {"max_tokens": 10**6},
        {"n": 2},
        {"n": []},
        {"stop": 1},
        {"stop": ["a"] * 5},
        {"stream": "yes"},
        {"stream_options": {"include_usage": True}},
        {"stream_options": [], "stream": True},
        {"tools": {}},
        {"tools": [], "tool_choice": "required"},
        {"tools": [{}]},
        {"tools": [TOOL, TOOL]},
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "sub"}}},
        {"tools": [TOOL], "tool_choice": {"function": 1}},
        {"tool_choice": "auto"},
        {"tool_choice": {"a": 1}},
        {"response_format": "json"},
        {"response_format": {"type": {}}},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
    ],
    ids=json.dumps,
)
def test_parameters_that_can_not_be_are_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.code(**body)[0] == 400


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        "hello",
        ["hello"],
        [{"role": "me", "content": "x"}],
        [{"role": ["user"], "content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": " "}],
        [{"role": "user", "content": []}],
        [{"role": "user", "content": [{"type": "audio"}]}],
        [{"role": "user", "content": [{"type": "text", "text": ""}]}],
        [{"role": "system", "content": "only this"}],
        [{"role": "tool", "content": "lost", "tool_call_id": "c1"}],
        [{"role": "user", "content": "x"}, {"role": "assistant", "content": None}],
        [{"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]}],
    ],
    ids=str,
)
def test_messages_that_can_not_be_are_refused(api: Api, messages: Any) -> None:
    assert api.code(messages=messages)[0] == 400


def called(arguments: str = "{}", result: str | None = "3") -> list[Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": arguments}}
    messages: list[Any] = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]
    return messages if result is None else [*messages, {"role": "tool", "tool_call_id": "c1", "content": result}]


def test_a_tool_result_must_be_there_and_not_be_empty(api: Api) -> None:
    assert api.code(messages=called(result=""))[0] == 400
    assert api.code(messages=called(result=None))[0] == 400
    assert api.code(messages=[*called(result=None), {"role": "user", "content": "so?"}])[0] == 400
    assert api.code(messages=called("no json"))[0] == 400
    assert api.chat(messages=called()).status_code == 200


def test_pictures_go_to_models_that_take_them_and_must_be_what_they_say(api: Api) -> None:
    assert "3 x 2 pixels" in api.text(picture(png()))  # type: ignore[arg-type] - content in parts
    for wrong in ("https://example.org/a.png", png().replace("png", "gif"), "data:image/png;base64,AAAA", png()[:-90]):
        assert api.code(picture(wrong))[0] == 400
    assert api.code(picture(png()), model="groq/openai/gpt-oss-20b")[0] == 400


def test_what_exceeds_the_window_is_refused_as_context_length(api: Api) -> None:
    status, code = api.code("x" * 130_000 * 4, model="groq/openai/gpt-oss-20b")
    assert (status, code) == (400, "context_length_exceeded")


def test_one_openai_model_wants_the_newer_name_of_the_cap(api: Api) -> None:
    assert api.code(model="gpt-5", max_tokens=50) == (400, "unsupported_parameter")
    assert api.chat(model="gpt-5", max_completion_tokens=50).status_code == 200
    assert api.chat(model="gpt-6-sol", max_tokens=50).status_code == 200


def test_a_forced_tool_fails_where_thinking_is_always_on(api: Api) -> None:
    assert api.code(model="claude-opus-5-5", tools=[TOOL], tool_choice="required")[0] == 400
    assert api.chat(model="claude-opus-5", tools=[TOOL], tool_choice="required").status_code == 200


def test_efforts_are_those_of_the_model(api: Api) -> None:
    assert api.code(model="claude-opus-4-5", reasoning_effort="max")[0] == 400
    assert api.chat(model="claude-opus-5", reasoning_effort="max").status_code == 200


def test_fields_without_a_counterpart_are_dropped_and_named(api: Api) -> None:
    assert api.chat(seed=1, logit_bias={"5": 1}).headers["x-tars-dropped-fields"] == "logit_bias,seed"
    cached = api.chat(prompt_cache_key="k", verbosity="low")
    assert cached.headers["x-tars-dropped-fields"] == "prompt_cache_key,verbosity"
    assert "x-tars-dropped-fields" not in api.chat(model="gpt-6-sol", seed=1).headers
