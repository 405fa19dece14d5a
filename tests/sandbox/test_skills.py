from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tetrate_jupyter.sandbox.replies.arithmetic import evaluate, expression_in, shown

if TYPE_CHECKING:
    from .conftest import Api

LARGE = "claude-opus-5"
FAMILIES = (
    "claude-haiku-4-5", LARGE, "gpt-5.4", "gemini-2.5-pro", "xai/grok-4.5", "groq/openai/gpt-oss-120b",
    "deepinfra/deepseek-ai/DeepSeek-V3.2",
)  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "result"),
    [
        ("What is 17 * 23?", "391"),
        ("what's (2+3)*4 - 7.5", "12.5"),
        ("10 divided by 4", "2.5"),
        ("2^10 plus 1,000", "2024"),
        ("6 \u00d7 7 and nothing else", "42"),
        ("Multiply 6 by 7", "42"),
        ("subtract 3 from 10", "7"),
        ("1/3", "0.333333"),
        ("On 2026-01-02 call 555-123-4567", None),
        ("7 / 0", None),
        ("9 ** 9 ** 9", None),
        ("three little pigs", None),
    ],
)
def test_arithmetic_is_found_and_exact(prompt: str, result: str | None) -> None:
    expression = expression_in(prompt)
    value = evaluate(expression) if expression else None
    assert (None if value is None else shown(value)) == result


def test_families_differ_in_voice_and_length(api: Api) -> None:
    answers = {model: api.text("What is 2 + 2?", model) for model in FAMILIES}
    assert len(set(answers.values())) >= len(FAMILIES) - 1  # a small one and a terse one may agree on this
    assert all("**4**" in text for text in answers.values())
    assert len(answers["claude-haiku-4-5"]) < len(answers[LARGE])


def test_sentiment_is_judged_and_only_larger_models_see_a_negation(api: Api) -> None:
    assert api.text("Classify the sentiment, one word: I love this!") == "positive"
    assert api.text("Classify the sentiment, one word: It was awful and slow.") == "negative"
    tricky = "Is this positive or negative? One word. 'The food was not good.'"
    assert (api.text(tricky), api.text(tricky, LARGE)) == ("positive", "negative")


def test_a_summary_is_the_first_sentence(api: Api) -> None:
    text = api.text("Summarise: Bees make honey. They live in hives. Winters are hard.")
    assert text.startswith("Bees make honey.")
    assert "Winters" not in text


def test_the_conversation_is_remembered(api: Api) -> None:
    messages = [
        {"role": "user", "content": "My name is Ada. What is 2 + 2?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "What is my name?"},
    ]
    assert "Ada" in api.text("", messages=messages)
    messages[-1]["content"] = "What did I ask before?"
    assert "What is 2 + 2?" in api.text("", messages=messages)
    assert "first message" in api.text("What did I ask before?")


def test_only_what_is_wanted_is_said_when_the_prompt_says_so(api: Api) -> None:
    assert api.text("Reply with exactly: OK") == "OK"
    assert api.text("What is 6 * 7? Answer with only the number.") == "42"
    assert api.text("How many r's in strawberry? Just the number.") == "3"


def test_markdown_is_shown_off(api: Api) -> None:
    text = api.text("Show off your Markdown, with a table and maths")
    assert "```python" in text
    assert "|:---" in text
    assert "$$" in text


def test_python_is_given_when_asked_for(api: Api) -> None:
    assert "def fibonacci" in api.text("Write a Python function for Fibonacci numbers")
    assert "def rotate_matrix" in api.text("Write Python code to rotate a matrix")


# --- JSON ----------------------------------------------------------------------------------------------------

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}


def filled(api: Api, prompt: str, schema: dict[str, Any], model: str = "claude-haiku-4-5") -> Any:
    shape = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    value = json.loads(api.text(prompt, model, response_format=shape))
    jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())
    return value


def of(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def test_json_holds_the_real_values_of_the_prompt(api: Api) -> None:
    assert filled(api, "Ada Lovelace was 36 years old.", PERSON) == {"name": "Ada Lovelace", "age": 36}
    people = of(people={"type": "array", "items": {"$ref": "#/$defs/P"}}) | {"$defs": {"P": PERSON}}
    found = filled(api, "Ada is 36 and Alan Turing is 41 years old, while Grace is 85.", people)
    assert found == {"people": [{"name": n, "age": a} for n, a in (("Ada", 36), ("Alan Turing", 41), ("Grace", 85))]}
    order = of(
        order_id={"type": "string", "pattern": r"^[A-Z]-\d{3}$"},
        email={"type": "string", "format": "email"},
        date={"type": "string", "format": "date"},
        quantity={"type": "integer"},
        total={"type": "number"},
    )
    text = "Order A-123 from ada@example.com on 2026-02-03: 3 apples at $2.50, total $7.50"
    assert filled(api, text, order) == {
        "order_id": "A-123", "email": "ada@example.com", "date": "2026-02-03", "quantity": 3, "total": 7.5,
    }  # fmt: skip
    assert filled(api, "Visit Paris, Rome and Oslo", of(cities={"type": "array", "items": {"type": "string"}})) == {
        "cities": ["Paris", "Rome", "Oslo"]
    }
    assert filled(api, "What is 6 * 7?", of(answer={"type": "integer"})) == {"answer": 42}


def test_json_judges(api: Api) -> None:
    schema = of(
        sentiment={"enum": ["positive", "negative", "neutral"]}, score={"type": "number", "minimum": 0, "maximum": 1}
    )
    assert filled(api, "Sentiment of: 'The service was awful'", schema)["sentiment"] == "negative"


TREE: dict[str, Any] = {
    "$ref": "#/$defs/Node",
    "$defs": {
        "Node": of(
            value={"type": "integer"}, children={"type": "array", "items": {"$ref": "#/$defs/Node"}, "maxItems": 2}
        )
    },
}
CHAIN: dict[str, Any] = {
    "$ref": "#/$defs/Link",
    "$defs": {"Link": of(label={"type": "string"}, next={"anyOf": [{"$ref": "#/$defs/Link"}, {"type": "null"}]})},
}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "null"},
        {"const": 7},
        {"enum": [1, None, "x"]},
        {"type": ["string", "null"]},
        {"type": "integer", "minimum": 5, "maximum": 5},
        {"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 7},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.02},
        {"type": "number", "maximum": -1},
        {"type": "integer", "multipleOf": 7, "minimum": 10},
        {"type": "number", "multipleOf": 0.25, "minimum": 0.3, "maximum": 1},
        {"type": "string", "minLength": 40},
        {"type": "string", "maxLength": 3},
        {"type": "string", "pattern": r"^(red|green)-[0-9a-f]{4}$"},
        {"type": "string", "pattern": r"^\d{3}-\d{4}$"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "uuid"},
        {"type": "array", "items": {"type": "string"}, "minItems": 4, "uniqueItems": True},
        {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 9}, "minItems": 3, "maxItems": 3},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 2, "uniqueItems": True},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "maxItems": 2},
        {"type": "array", "items": {"type": "string"}, "maxItems": 0},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {
            "allOf": [
                of(a={"type": "integer"}) | {"additionalProperties": True},
                {"properties": {"b": {"type": "boolean"}}},
            ]
        },
        {
            "oneOf": [
                of(kind={"const": "circle"}, r={"type": "number"}),
                of(kind={"const": "box"}, w={"type": "number"}),
            ]
        },
        {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        of(a=of(b=of(c=of(d=of(e=of(f=of(g={"type": "string"}))))))),
        of(**{"weird name-1": {"type": "boolean"}, "": {"type": "string"}}),
        TREE,
        CHAIN,
    ],
    ids=lambda s: json.dumps(s)[:60],
)
@pytest.mark.parametrize("prompt", ["Ada is 36, lives in Paris; 3, 4 and 5 are numbers.", "nothing"])
def test_json_satisfies_any_schema(api: Api, schema: dict[str, Any], prompt: str) -> None:
    filled(api, prompt, schema)


def test_an_impossible_schema_is_a_bad_request(api: Api) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "x", "schema": of(a={"type": "string", "minLength": "x"})}}
    assert api.code("x", response_format=shape) == (400, "invalid_schema")


# --- tools ---------------------------------------------------------------------------------------------------


def tool(name: str, description: str, **properties: Any) -> dict[str, Any]:
    required = [n for n, p in properties.items() if "default" not in p]
    schema = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


WEATHER = tool(
    "get_weather",
    "Weather of a city",
    city={"type": "string"},
    unit={"enum": ["celsius", "fahrenheit"], "default": "celsius"},
)
ADD = tool("add", "Add two numbers", a={"type": "number"}, b={"type": "number"})
TOOLS = [WEATHER, ADD]


def calls(api: Api, prompt: str, **body: Any) -> list[tuple[str, Any]]:
    message = api.chat(prompt, tools=TOOLS, **body).json()["choices"][0]
    found = message["message"].get("tool_calls", [])
    assert message["finish_reason"] == ("tool_calls" if found else "stop")
    return [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in found]


def test_the_fitting_tool_is_called_with_arguments_from_the_prompt(api: Api) -> None:
    assert calls(api, "What's the weather in Paris?") == [("get_weather", {"city": "Paris"})]
    assert calls(api, "Weather in Oslo in fahrenheit") == [("get_weather", {"city": "Oslo", "unit": "fahrenheit"})]
    assert calls(api, "What is 3 + 4.5?") == [("add", {"a": 3, "b": 4.5})]
    assert calls(api, "Tell me a joke") == []


def test_several_places_are_several_calls_unless_that_is_forbidden(api: Api) -> None:
    both = [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})]
    assert calls(api, "Weather in Paris and Rome?") == both
    assert calls(api, "Weather in Paris and Rome?", parallel_tool_calls=False) == both[:1]


def test_the_choice_of_tools_is_obeyed(api: Api) -> None:
    assert calls(api, "Weather in Paris?", tool_choice="none") == []
    assert len(calls(api, "Tell me a joke", tool_choice="required")) == 1
    named = {"type": "function", "function": {"name": "add"}}
    assert calls(api, "Weather in Paris?", tool_choice=named)[0][0] == "add"


def test_the_result_is_used_in_the_answer(api: Api) -> None:
    first = api.chat("Weather in Paris?", tools=TOOLS).json()["choices"][0]["message"]
    result = {
        "role": "tool",
        "tool_call_id": first["tool_calls"][0]["id"],
        "content": '{"celsius": 18, "sky": "clear"}',
    }
    messages = [{"role": "user", "content": "Weather in Paris?"}, first, result]
    text = api.text("", tools=TOOLS, messages=messages)
    assert "celsius: **18**" in text


def test_a_tool_loop_never_ends_by_itself(api: Api) -> None:
    model = "sandbox/fault-tool-loop"
    messages: list[Any] = [{"role": "user", "content": "Weather in Paris?"}]
    for _ in range(3):
        message = api.chat("", model, tools=TOOLS, messages=messages).json()["choices"][0]["message"]
        messages += [message, {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "18"}]
    assert len(messages) == 7


def test_loose_tool_calls_have_no_ids_and_repeat_the_name(api: Api) -> None:
    from .conftest import events

    raw = api.chat("Weather in Paris?", "sandbox/fault-loose-tool-calls", tools=TOOLS, stream=True).text
    deltas = [
        c["choices"][0]["delta"]["tool_calls"][0]
        for c in events(raw)[:-1]
        if c["choices"][0]["delta"].get("tool_calls")
    ]
    assert len(deltas) > 1
    assert not any("id" in d for d in deltas)
    assert all(d["function"]["name"] == "get_weather" for d in deltas)
    assert json.loads("".join(d["function"]["arguments"] for d in deltas)) == {"city": "Paris"}


TABLE = (
    "| region | units_sold | price |\n| --- | --- | --- |\n"
    "| North | 120 | 2.5 |\n| West | 1,430 | 2.25 |\n| X | n/a | 1 |"
)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Which region sold the most units?", "**West** has the most: `units_sold` is 1,430."),
        ("Where were the fewest units sold?", "**North** has the least: `units_sold` is 120."),
        ("What is the total of units sold?", "The total of `units_sold` is **1550**."),
        ("The average price, please.", "The average of `price` is **1.9166"),
    ],
)
def test_a_table_is_read(api: Api, question: str, says: str) -> None:
    assert says in api.text(f"{question}\n\n{TABLE}", "claude-haiku-4-5")


@pytest.mark.parametrize("prompt", ["Which has the most units?", f"Most what?\n{TABLE}", "| a |\n| most a |\n| 1 |"])
def test_without_table_or_column_nothing_is_made_up(api: Api, prompt: str) -> None:
    assert "has the most" not in api.text(prompt, "claude-haiku-4-5")
