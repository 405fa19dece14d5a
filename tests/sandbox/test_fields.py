"""Fields that real models accept, and the forms in which they don't."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.raw import WEATHER, chat, send

if TYPE_CHECKING:
    from tests.sandbox.raw import Sent
    from tetrate_jupyter.sandbox import SandboxRouter

OPENAI, ANTHROPIC, PLAIN = "gpt-6-sol", "claude-haiku-4-5", "sandbox/echo"


@pytest.mark.parametrize("model", [OPENAI, ANTHROPIC, PLAIN, "gemini-2.5-flash", "groq/openai/gpt-oss-20b"])
@pytest.mark.parametrize(
    "body",
    [
        {"verbosity": "low"},
        {"prompt_cache_key": "k", "prompt_cache_retention": "24h"},
        {"safety_identifier": "u" * 64},
        {"prediction": {"type": "content", "content": "def f(): ..."}},
        {"prediction": {"type": "content", "content": [{"type": "text", "text": "def f(): ..."}]}},
        {"modalities": ["text"]},
        {"tools": []},
        {"tools": [], "tool_choice": "auto"},
        {"metadata": {"a": "b"}, "user": "u", "seed": 7, "logit_bias": {"50256": -100}},
        {"verbosity": None, "prediction": None, "modalities": None, "logprobs": None, "top_logprobs": None},
        {"logprobs": False},
    ],
    ids=json.dumps,
)
def test_what_real_models_accept_is_accepted(router: SandboxRouter, model: str, body: dict[str, Any]) -> None:
    for stream in (True, False):
        assert chat(router, model, stream=stream, **body).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"verbosity": "loud"},
        {"verbosity": 1},
        {"prompt_cache_key": 1},
        {"prompt_cache_retention": "1h"},
        {"safety_identifier": "u" * 65},
        {"prediction": "text"},
        {"prediction": {"type": "content"}},
        {"prediction": {"type": "content", "content": []}},
        {"prediction": {"type": "text", "content": "a"}},
        {"modalities": ["text", "audio"]},
        {"modalities": "text"},
        {"modalities": []},
        {"metadata": {"a": 1}},
        {"metadata": {str(n): "" for n in range(17)}},
        {"user": 1},
        {"seed": 1.5},
        {"logit_bias": "{50256: -100}"},
        {"logit_bias": {"50256": -101}},
        {"logit_bias": {"the": 1}},
        {"logit_bias": {"5": "1"}},
        {"service_tier": "first"},
        {"top_logprobs": 3},
        {"logprobs": True, "top_logprobs": 21},
        {"logprobs": True, "top_logprobs": True},
        {"logprobs": 1},
    ],
    ids=lambda body: json.dumps(body)[:60],
)
def test_and_refused_in_any_other_form(router: SandboxRouter, body: dict[str, Any]) -> None:
    sent = chat(router, PLAIN, **body)
    assert sent.status == 400
    assert sent.json["error"]["param"] in {*body}


def test_what_another_provider_has_not_is_dropped_and_named(router: SandboxRouter) -> None:
    body = {"verbosity": "low", "prompt_cache_key": "k", "modalities": ["text"]}
    assert chat(router, ANTHROPIC, **body).headers["x-tars-dropped-fields"] == "modalities,prompt_cache_key,verbosity"
    assert "x-tars-dropped-fields" not in chat(router, OPENAI, **body).headers


def test_low_verbosity_is_brief(router: SandboxRouter) -> None:
    def length(**more: Any) -> int:
        return len(
            chat(router, OPENAI, messages=[user("What is 17 * 23?")], **more).json["choices"][0]["message"]["content"]
        )

    assert length(verbosity="low") < length()


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def after_call(result: Any) -> list[Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    calling = {"role": "assistant", "content": None, "tool_calls": [call]}
    return [user("Weather?"), calling, {"role": "tool", "tool_call_id": "c1", "content": result}]


def test_a_tool_result_may_come_in_parts_of_text(router: SandboxRouter) -> None:
    parts = [{"type": "text", "text": "21 degrees"}, {"type": "text", "text": "and rain"}]
    sent = chat(router, ANTHROPIC, tools=[WEATHER], messages=after_call(parts))
    assert "21 degrees\nand rain" in sent.json["choices"][0]["message"]["content"]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    for wrong in ([], [image], [{"type": "text", "text": ""}], [{"type": "text"}], ["21"], {"a": 1}, None, ""):
        assert chat(router, ANTHROPIC, tools=[WEATHER], messages=after_call(wrong)).status == 400


def test_an_empty_list_of_calls_is_refused_in_a_message(router: SandboxRouter) -> None:
    said = {"role": "assistant", "content": "Hello.", "tool_calls": []}
    sent = chat(router, OPENAI, messages=[user("Hi"), said, user("And?")])
    assert (sent.status, sent.json["error"]["code"]) == (400, "empty_array")
    said["tool_calls"] = None
    assert chat(router, OPENAI, messages=[user("Hi"), said, user("And?")]).status == 200


def test_a_refusal_may_be_sent_back_as_a_part_of_the_assistant(router: SandboxRouter) -> None:
    said = {"role": "assistant", "content": [{"type": "refusal", "refusal": "I can't."}]}
    assert chat(router, OPENAI, messages=[user("Hi"), said, user("And?")]).status == 200
    assert chat(router, OPENAI, messages=[user([{"type": "refusal", "refusal": "I can't."}])]).status == 400


@pytest.mark.parametrize("address", ["https://example.org/a.png", "http://example.org/a.png", "HTTPS://example.org/a"])
def test_an_image_by_its_address_is_refused_with_the_way(router: SandboxRouter, address: str) -> None:
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": address}}]
    sent = chat(router, OPENAI, messages=[user(parts)])
    assert (sent.status, sent.json["error"]["code"]) == (400, "invalid_image_url")
    assert "base64 data URL" in sent.json["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "sandbox/echo", "temperature": NaN, "messages": [{"role": "user", "content": "x"}]}',
        b'{"model": "sandbox/echo", "temperature": -Infinity, "messages": [{"role": "user", "content": "x"}]}',
        b'{"model": "sandbox/echo", "messages": [{"role": "user", "content": "a \\ud83d b"}]}',
        b'{"model": "sandbox/echo", "messages": [{"role": "user", "content": "\xff"}]}',
        '{"model": "sandbox/echo", "messages": [{"role": "user", "content": "x"}]}'.encode("utf-16"),
        b"[" * 100_000,
    ],
    ids=["NaN", "Infinity", "half a character", "not UTF-8", "UTF-16", "too deep"],
)
def test_what_is_not_json_is_refused_though_python_would_read_it(router: SandboxRouter, body: bytes) -> None:
    import urllib.error
    import urllib.request

    headers = {"Authorization": f"Bearer {router.issue_key()}", "Content-Type": "application/json"}
    request = urllib.request.Request(router.base_url + "/chat/completions", body, headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
    assert refused.value.code == 400
    assert "not valid JSON" in json.loads(refused.value.read())["error"]["message"]


def test_a_whole_pair_of_surrogates_is_a_character(router: SandboxRouter) -> None:
    sent = chat(router, PLAIN, messages=[user("a 😀 b")])  # json.dumps writes it as a pair
    assert sent.json["choices"][0]["message"]["content"] == "a 😀 b"


def entries(sent: Sent) -> list[Any]:
    return list(sent.json["choices"][0]["logprobs"]["content"])


def test_logprobs_come_token_by_token(router: SandboxRouter) -> None:
    text = "Grüße  an\nalle, extraordinarily!"
    found = entries(chat(router, PLAIN, messages=[user(text)], logprobs=True, top_logprobs=3))
    assert "".join(entry["token"] for entry in found) == text
    assert all(bytes(entry["bytes"]).decode() == entry["token"] and entry["logprob"] < 0 for entry in found)
    for entry in found:
        top = entry["top_logprobs"]
        assert len(top) == 3
        assert top[0] == {name: entry[name] for name in ("token", "logprob", "bytes")}
        assert sorted((t["logprob"] for t in top), reverse=True) == [t["logprob"] for t in top]
        assert sum(math.exp(t["logprob"]) for t in top) <= 1
    assert all(e["top_logprobs"] == [] for e in entries(chat(router, PLAIN, messages=[user(text)], logprobs=True)))


def test_streamed_logprobs_are_those_of_each_piece(router: SandboxRouter) -> None:
    sent = chat(router, PLAIN, stream=True, messages=[user("one two three " * 5)], logprobs=True)
    with_text = [choice for choice in sent.choices if choice["delta"].get("content")]
    assert len(with_text) > 1
    for choice in with_text:
        said = "".join(entry["token"] for entry in choice["logprobs"]["content"])
        assert said == choice["delta"]["content"]
    assert "logprobs" not in chat(router, PLAIN, stream=True).text
    assert "logprobs" not in chat(router, PLAIN).text


def test_logprobs_are_refused_where_there_are_none(router: SandboxRouter) -> None:
    for model in (ANTHROPIC, "groq/openai/gpt-oss-20b", OPENAI, "gpt-5"):
        for stream in (True, False):
            sent = chat(router, model, stream=stream, logprobs=True)
            assert (sent.status, sent.json["error"]["code"]) == (400, "unsupported_parameter")
    assert entries(chat(router, OPENAI, logprobs=True, reasoning_effort="none"))


def test_openais_models_want_to_hear_of_json_for_json_object(router: SandboxRouter) -> None:
    shape = {"response_format": {"type": "json_object"}}
    refused = chat(router, OPENAI, **shape)
    assert refused.status == 400
    assert "'json'" in refused.json["error"]["message"]
    assert chat(router, OPENAI, messages=[user("Ada is 36. As JSON.")], **shape).status == 200
    assert chat(router, ANTHROPIC, **shape).status == 200


def test_a_body_that_is_no_object_is_refused_on_both_routes(router: SandboxRouter) -> None:
    for path in ("/v1/chat/completions", "/v1/embeddings"):
        assert send(router, "POST", path, [], key=router.issue_key()).status == 400
