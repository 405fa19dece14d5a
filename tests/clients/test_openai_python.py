"""openai-python against the sandbox: what a person types from OpenAI's own documentation works here."""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tetrate_jupyter.sandbox import Fault

openai = pytest.importorskip(
    "openai", minversion="1.100", reason="openai-python (1.100 or newer) is not installed: it comes with the dev extra"
)
pydantic = pytest.importorskip("pydantic")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.sandbox import SandboxRouter

MODEL = "claude-haiku-4-5"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class City(pydantic.BaseModel):  # type: ignore[misc,name-defined] - imported only where it is installed
    name: str
    population: int
    size: Literal["small", "large"]


@pytest.fixture
def client(router: SandboxRouter) -> Iterator[Any]:
    with openai.OpenAI(base_url=router.base_url, api_key=router.issue_key(), max_retries=0, timeout=30) as made:
        yield made


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def test_a_whole_answer(client: Any) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=user("What is 17 * 23?"))
    assert "391" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == MODEL
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_streamed_answer_is_the_same(client: Any) -> None:
    whole = client.chat.completions.create(model=MODEL, messages=user("What is 17 * 23?"))
    options = {"include_usage": True}
    stream = client.chat.completions.create(
        model=MODEL, messages=user("What is 17 * 23?"), stream=True, stream_options=options
    )
    chunks = list(stream)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == whole.choices[0].message.content
    assert [c.finish_reason for chunk in chunks for c in chunk.choices if c.finish_reason] == ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


@pytest.mark.anyio
async def test_an_answer_awaited(router: SandboxRouter) -> None:
    async with openai.AsyncOpenAI(base_url=router.base_url, api_key=router.issue_key(), max_retries=0) as client:
        stream = await client.chat.completions.create(model=MODEL, messages=user("Say yes"), stream=True)
        said = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
    assert "yes" in "".join(said)


def test_tools_are_called_and_answered(client: Any) -> None:
    messages = user("What is the weather in Paris and Rome?")
    first = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER]).choices[0]
    assert first.finish_reason == "tool_calls"
    calls = first.message.tool_calls
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
    results = [{"role": "tool", "tool_call_id": c.id, "content": f"{21 + n} degrees"} for n, c in enumerate(calls)]
    second = client.chat.completions.create(
        model=MODEL, messages=[*messages, first.message, *results], tools=[WEATHER]
    ).choices[0]
    assert "21 degrees" in second.message.content
    assert "22 degrees" in second.message.content


def test_tools_are_called_in_a_stream(client: Any) -> None:
    asked = user("What is the weather in Paris and Rome?")
    with client.chat.completions.stream(model=MODEL, messages=asked, tools=[WEATHER]) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        message = stream.get_final_completion().choices[0].message
    assert [json.loads(event.arguments)["city"] for event in done] == ["Paris", "Rome"]
    assert [call.function.name for call in message.tool_calls] == ["get_weather", "get_weather"]


@pytest.mark.parametrize("streamed", [False, True])
def test_structured_output_becomes_an_object(client: Any, streamed: bool) -> None:
    asked: Any = {"model": "gpt-6-sol", "messages": user("Oslo has 700000 inhabitants."), "response_format": City}
    if streamed:
        with client.chat.completions.stream(**asked) as stream:
            answer = stream.get_final_completion()
    else:
        answer = client.chat.completions.parse(**asked)
    parsed = answer.choices[0].message.parsed
    assert (parsed.name, parsed.population) == ("Oslo", 700000)


def test_json_mode(client: Any) -> None:
    asked = user("Ada, aged 36. Answer as JSON with the keys name and age.")
    answer = client.chat.completions.create(model="gpt-6-sol", messages=asked, response_format={"type": "json_object"})
    assert json.loads(answer.choices[0].message.content) == {"name": "Ada", "age": 36}


def test_logprobs(client: Any) -> None:
    answer = client.chat.completions.create(
        model="sandbox/echo", messages=user("one two"), logprobs=True, top_logprobs=2
    )
    content = answer.choices[0].logprobs.content
    assert "".join(entry.token for entry in content) == "one two"
    assert all(len(entry.top_logprobs) == 2 for entry in content)


def test_fields_of_newer_models_are_accepted(client: Any) -> None:
    answer = client.chat.completions.create(
        model="gpt-6-sol",
        messages=[{"role": "developer", "content": "Be kind."}, *user("hello")],
        verbosity="low",
        prompt_cache_key="k",
        safety_identifier="u",
        prediction={"type": "content", "content": "hello"},
        modalities=["text"],
        reasoning_effort="low",
        max_completion_tokens=500,
        tools=[],
        metadata={"a": "b"},
        store=False,
    )
    assert answer.choices[0].message.content


def test_models_are_listed_and_retrieved(client: Any) -> None:
    listed = {model.id for model in client.models.list()}
    for name in (MODEL, "groq/openai/gpt-oss-20b"):
        assert name in listed
        assert client.models.retrieve(name).id == name
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("groq/nobody")


@pytest.mark.parametrize(("model", "size"), [("text-embedding-ada-002", 1536), ("gemini-embedding-2", 3072)])
def test_embeddings_as_floats_and_as_base64(client: Any, router: SandboxRouter, model: str, size: int) -> None:
    made = client.embeddings.create(model=model, input=["one", "two"])  # base64 on the wire, floats for the person
    assert router.requests[-1].body["encoding_format"] == "base64"
    floats = client.embeddings.create(model=model, input=["one", "two"], encoding_format="float")
    assert [len(e.embedding) for e in made.data] == [size, size]
    assert [list(e.embedding) for e in made.data] == [e.embedding for e in floats.data]
    text = client.embeddings.create(model=model, input="one", encoding_format="base64").data[0].embedding
    assert list(struct.unpack(f"<{size}f", base64.b64decode(text))) == floats.data[0].embedding
    assert made.usage.prompt_tokens == made.usage.total_tokens > 0


def test_embeddings_of_fewer_dimensions(client: Any) -> None:
    made = client.embeddings.create(model="gemini-embedding-2", input="one", dimensions=64)
    assert len(made.data[0].embedding) == 64


def test_a_refusal_comes_as_one(client: Any) -> None:
    message = client.chat.completions.create(model="sandbox/fault-refusal", messages=user("x")).choices[0].message
    assert (message.content, message.refusal) == (None, "I can't help with that.")
    with client.chat.completions.stream(model="sandbox/fault-refusal", messages=user("x")) as stream:
        assert stream.get_final_completion().choices[0].message.refusal == "I can't help with that."


ERRORS = {
    "bad-request": "BadRequestError",
    "context-overflow": "BadRequestError",
    "invalid-key": "AuthenticationError",
    "forbidden": "PermissionDeniedError",
    "wrong-host": "PermissionDeniedError",
    "model-not-found": "NotFoundError",
    "unsupported-endpoint": "NotFoundError",
    "rate-limit": "RateLimitError",
    "budget": "RateLimitError",
    "insufficient-quota": "RateLimitError",
    "error-detail-list": "UnprocessableEntityError",
    "server-error": "InternalServerError",
    "unavailable": "InternalServerError",
    "overloaded": "InternalServerError",
    "no-credits": "APIStatusError",
    "too-large": "APIStatusError",
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", ERRORS)
def test_errors_are_those_of_the_library(client: Any, kind: str, streamed: bool) -> None:
    with pytest.raises(getattr(openai, ERRORS[kind])) as raised:
        client.chat.completions.create(model=f"sandbox/fault-{kind}", messages=user("x"), stream=streamed)
    assert type(raised.value).__name__ == ERRORS[kind]
    if kind in {"insufficient-quota", "model-not-found"}:
        assert raised.value.code == kind.replace("-", "_")


def test_a_connection_that_breaks_is_a_connection_error(client: Any, router: SandboxRouter) -> None:
    router.inject(Fault("drop"))
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model=MODEL, messages=user("x"))


def test_an_error_inside_a_stream_is_an_api_error(client: Any) -> None:
    stream = client.chat.completions.create(model="sandbox/fault-stream-error", messages=user("Explain"), stream=True)
    with pytest.raises(openai.APIError, match="in the middle"):
        list(stream)


def test_the_library_tries_again_where_it_is_told_to(router: SandboxRouter) -> None:
    router.inject(Fault("rate-limit", retry_after=0.01))
    with openai.OpenAI(base_url=router.base_url, api_key=router.issue_key(), max_retries=1, timeout=30) as client:
        assert client.chat.completions.create(model=MODEL, messages=user("Say yes")).choices
    assert [request.fault for request in router.requests] == ["rate-limit", None]


def test_a_wrong_key_and_a_wrong_field_are_told_apart(client: Any) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=MODEL, messages=user("x"), temperature=9)
    assert refused.value.param == "temperature"
    stranger = client.with_options(api_key="sk-wrong")
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()


def test_routes_that_are_not_served_are_not_found(client: Any) -> None:
    with pytest.raises(openai.NotFoundError, match="Unsupported endpoint"):
        client.responses.create(model=MODEL, input="x")
    with pytest.raises(openai.NotFoundError, match="Unsupported endpoint"):
        client.moderations.create(input="x")
