from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.sandbox.raw import WEATHER, chat
from tetrate_jupyter.completion.schema import Schema

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox import SandboxRouter


@dataclass
class City:
    name: str
    population: int


CITY = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["name", "population"],
    "additionalProperties": False,
}
PROMPT = "Oslo has 700000 inhabitants."


def ask(router: SandboxRouter, prompt: str, system: str = "", model: str = "claude-haiku-4-5", **more: Any) -> str:
    messages = [{"role": "system", "content": system}] if system else []
    sent = chat(router, model, messages=[*messages, {"role": "user", "content": prompt}], **more)
    assert sent.status == 200, sent.text
    return str(sent.json["choices"][0]["message"]["content"])


HINTS = {
    "pydantic-ai": "Always respond with a JSON object that's compatible with this schema:\n\n%s\n\n"
    "Don't include any text or Markdown fencing before or after.",
    "instructor": "As a genius expert, your task is to understand the content and provide the parsed objects in json "
    "that match the following json_schema:\n\n%s\n\nMake sure to return an instance of the JSON, not the schema itself",
    "LangChain": "The output should be formatted as a JSON instance that conforms to the JSON schema below.\n\nAs an "
    'example, for the schema {"properties": {"foo": {"description": "a list", "type": "array", "items": {"type": '
    '"string"}}}, "required": ["foo"]}\nthe object {"foo": ["bar", "baz"]} is a well-formatted instance of the schema. '
    'The object {"properties": {"foo": ["bar", "baz"]}} is not well-formatted.\n\n'
    "Here is the output schema:\n```\n%s\n```",
    "ours": "",
}


@pytest.mark.parametrize("place", ["system", "before", "after"])
@pytest.mark.parametrize("whose", HINTS)
def test_a_schema_in_words_is_met(router: SandboxRouter, whose: str, place: str) -> None:
    hint = Schema.of(City).prompt_hint if whose == "ours" else HINTS[whose] % json.dumps(CITY)
    said = {
        "system": lambda: ask(router, PROMPT, hint),
        "before": lambda: ask(router, f"{hint}\n\n{PROMPT}"),
        "after": lambda: ask(router, f"{PROMPT}\n\n{hint}"),
    }[place]()
    assert json.loads(said) == {"name": "Oslo", "population": 700000}


@pytest.mark.parametrize(
    "wanted", [list[City], int, dict[str, int], {"type": "object", "properties": {"ok": {"enum": ["a", "b"]}}}], ids=str
)
def test_our_own_hint_is_met_whatever_the_shape(router: SandboxRouter, wanted: Any) -> None:
    schema = Schema.of(wanted)
    jsonschema.validate(json.loads(ask(router, PROMPT, schema.prompt_hint)), schema.json_schema)
    schema.parse(ask(router, PROMPT, f"Be kind.\n\n{schema.prompt_hint}", model="groq/openai/gpt-oss-20b"))


def test_a_hint_is_met_where_the_router_drops_the_real_thing(router: SandboxRouter) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
    model = "deepinfra/zai-org/GLM-5.3"  # the catalog says nothing of structured output there
    sent = chat(router, model, response_format=shape)
    assert sent.headers["x-tars-dropped-fields"] == "response_format"
    assert json.loads(ask(router, PROMPT, Schema.of(City).prompt_hint, model=model))["name"] == "Oslo"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Ada, aged 36, lives in London. Answer as JSON with the keys name, age and city.", ("Ada", 36, "London")),
        ("Return JSON with fields `name`, `age` (integer) and `city`: Ada, aged 36, in London.", None),
        ('Ada, aged 36, in London. JSON only, like {"name": "...", "age": 0, "city": ""}', ("Ada", 36, "London")),
    ],
)
def test_members_can_be_named_or_shown(router: SandboxRouter, prompt: str, expected: tuple[Any, ...] | None) -> None:
    found = json.loads(ask(router, prompt))
    assert list(found) == ["name", "age", "city"]
    assert isinstance(found["age"], int)
    if expected:
        assert tuple(found.values()) == expected


def test_an_example_says_its_choices(router: SandboxRouter) -> None:
    said = ask(router, 'I love it. Reply with JSON in this format: {"mood": "happy|sad", "sure": true, "words": []}')
    found = json.loads(said)
    assert found["mood"] in {"happy", "sad"}
    assert isinstance(found["sure"], bool)
    assert isinstance(found["words"], list)


def test_json_of_no_certain_shape(router: SandboxRouter) -> None:
    assert json.loads(ask(router, "List three colours as a JSON array: red, green, blue")) == ["red", "green", "blue"]
    assert json.loads(ask(router, "Ada is 36. Answer in JSON."))["names"] == ["Ada"]
    shape = {"response_format": {"type": "json_object"}}
    assert isinstance(json.loads(ask(router, "hello", **shape)), dict)
    keyed = ask(router, "Ada, aged 36.", "Answer in JSON with the keys name and age.", **shape)
    assert json.loads(keyed) == {"name": "Ada", "age": 36}
    assert json.loads(ask(router, PROMPT, Schema.of(City).prompt_hint, **shape))["name"] == "Oslo"


@pytest.mark.parametrize(
    "prompt",
    ["What is JSON?", "hello", 'What does {"a": 1} mean?', "Explain the JSON format", "Who invented JSON schema?"],
)
def test_talk_of_json_is_not_a_wish_for_it(router: SandboxRouter, prompt: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(ask(router, prompt))


def test_code_that_returns_json_is_code(router: SandboxRouter) -> None:
    assert "```python" in ask(router, "Write a Python function that returns JSON")


def test_json_can_be_repeated(router: SandboxRouter) -> None:
    assert ask(router, 'Reply with exactly this JSON: {"a":  [1, 2]}') == '{"a":  [1, 2]}'


def test_tools_come_first(router: SandboxRouter) -> None:
    messages = [
        {"role": "system", "content": Schema.of(City).prompt_hint},
        {"role": "user", "content": "What is the weather in Oslo?"},
    ]
    choice = chat(router, "claude-haiku-4-5", messages=messages, tools=[WEATHER]).json["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
