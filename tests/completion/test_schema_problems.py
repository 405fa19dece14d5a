"""What is wrong with a schema, or with an answer to one: the words, the place, and the next step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pydantic
import pytest

from tetrate_jupyter.completion.schema import Schema, SchemaProblem
from tetrate_jupyter.errors import SchemaDefinitionError

ANY = {"type": "object"}
NAMED: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@dataclass
class City:
    name: str
    people: int = 0


class Person(pydantic.BaseModel):
    name: str
    age: int


def problem(given: Any, text: str) -> SchemaProblem:
    with pytest.raises(SchemaProblem) as caught:
        Schema.of(given).parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("given", "text", "path", "says"),
    [
        (ANY, " \ufeff ", "", "The answer is empty."),
        (ANY, "no", "", "The answer is not JSON ("),
        (ANY, '{"a": 1} or {"b": 2}', "", "The answer holds several values that fit."),
        (NAMED, '{"a": "x"}', "$.a", "'x' is not of type 'integer'"),
        (NAMED, 'So: {"a": "x"}.', "$.a", "'x' is not of type 'integer'"),  # of the only value, though not alone
        (NAMED, '{"a": "x"} {"a": "y"}', "", "The answer is not JSON ("),
        (City, '{"name": 7}', "$.name", "Expected `str`, got `int`"),
        (City, "{}", "$", "Object missing required field `name`"),
        (Person, '{"name": 7, "age": "x"}', "$.name", "Input should be a valid string (1 more)"),
        (Person, '{"name": "A", "age": "x"}', "$.age", "Input should be a valid integer, unable to parse"),
        (list[int], '{"value": [1, "x"]}', "$[1]", "Expected `int`, got `str`"),
        (list[int], "{}", "$", "'value' is a required property"),
        (ANY, '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "", "The answer is nested too deeply."),
    ],
)  # fmt: skip
def test_each_problem_has_its_words_and_its_place(given: Any, text: str, path: str, says: str) -> None:
    found = problem(given, text)
    assert (found.path, found.message[: len(says)]) == (path, says)
    if path == "$.age":
        assert "more)" not in found.message


def test_the_start_of_what_is_no_json_is_quoted() -> None:
    assert problem(ANY, "word " * 20).message.endswith(f"It starts with {('word ' * 20)[:60]!r}.")


def test_what_a_persons_type_raises_is_told() -> None:
    @dataclass
    class Odd:
        a: int

        def __post_init__(self) -> None:
            raise ZeroDivisionError("no such thing")

    found = problem(Odd, '{"a": 1}')
    assert (found.path, found.message) == ("", "Reading it raised ZeroDivisionError: no such thing")


def test_a_reference_to_nothing_is_told_when_it_is_met() -> None:
    hidden = {"type": "object", "x": {"a": {"$ref": "#/nowhere"}}, "properties": {"a": {"$ref": "#/x/a"}}}
    with pytest.raises(SchemaDefinitionError, match="names nothing in the schema"):
        Schema.of(hidden)  # it leads there
    inside = {"type": "object", "x": {"not": {"$ref": "#/nowhere"}}, "properties": {"a": {"$ref": "#/x"}}}
    found = problem(inside, '{"a": 1}')
    assert found.path == ""
    assert found.message.startswith("The schema refers to something that isn't in it: ")


def test_the_same_value_twice_is_one() -> None:
    assert Schema.of(NAMED).read('{"a": 1} is it; again: {"a": 1}') == ({"a": 1}, False)
    assert Schema.of(NAMED).read('{"a": 1}') == ({"a": 1}, True)
    assert Schema.of(NAMED).read('{"b": 1} isn\'t, {"a": 2} is') == ({"a": 2}, False)


@pytest.mark.parametrize(
    ("given", "says", "step"),
    [
        ({}, "The schema is empty.", 'for any JSON object: {"type": "object"}'),
        ({"type": "array"}, "The schema's root is of type 'array'; providers want an object there.",
         'put it inside one: {"type": "object", "properties": {"value": ...}}'),
        ("{}", "A schema is not text.", "parse it first: json.loads(text)"),
        ([City], "A list is not a schema.", "for a list of answers: list[City]"),
        ([], "A list is not a schema.", "for a list of answers: list[City]"),
        (City("x"), "This is one City, not its class.", "schema=City"),
        (Person(name="a", age=1), "This is one Person, not its class.", "schema=Person"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"c": {}, "a": {}}},
         "\"$ref\": '#/$defs/b' names nothing in the schema.", 'its "$defs" are: a, c'),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}},
         "\"$ref\": '#/$defs/b' names nothing in the schema.", 'its "$defs" are: none'),
        ({"type": "object", "properties": {"a": {"$ref": "http://a.example/s"}}},
         "\"$ref\": 'http://a.example/s' points outside the schema; nothing is fetched.",
         'copy what it names into "$defs" and point to "#/$defs/..."'),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"$ref": "#/$defs/b"}}},
         "A $ref in the schema leads only to itself.", "give it a type"),
        ({"type": "object", "required": "a"}, "Not a valid JSON schema: 'a' is not of type 'array' (at $.required).",
         "correct it there; https://json-schema.org/learn explains the keywords"),
    ],
)  # fmt: skip
def test_each_schema_that_cannot_be_used_has_its_next_step(given: Any, says: str, step: str) -> None:
    with pytest.raises(SchemaDefinitionError) as caught:
        Schema.of(given)
    assert (caught.value.message, caught.value.next_step) == (says, step)


def test_a_schema_too_deep_is_refused_with_a_step() -> None:
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(400):
        deep = {"type": "object", "properties": {"a": deep}}
    with pytest.raises(SchemaDefinitionError) as caught:
        Schema.of(deep)
    assert (caught.value.message, caught.value.next_step) == ("The schema is nested too deeply.", "make it flatter")


def test_what_is_no_json_is_told_in_short() -> None:
    with pytest.raises(SchemaDefinitionError, match=r"^The schema is not JSON: Encoding objects of type object"):
        Schema.of({"type": "object", "default": object()})


def test_what_is_sent() -> None:
    schema = Schema.of(City)
    assert schema.response_format["json_schema"] == {
        "name": "City",
        "schema": schema.json_schema,
    }  # a default: not strict
    strict = Schema.of({"name": "x y!", "strict": True, "schema": NAMED})
    assert strict.response_format == {
        "type": "json_schema",
        "json_schema": {"name": "x_y", "schema": NAMED, "strict": True},
    }
    assert json.loads(strict.prompt_hint.rpartition("\n")[2]) == NAMED
    assert Schema.of(list[int]).name == "answer"
