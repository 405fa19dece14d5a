"""Schemas: every way to give one, what is sent, and how a text becomes an object again."""

from __future__ import annotations

import enum
import json
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict

import jsonschema
import msgspec
import pydantic
import pydantic.dataclasses
import pytest

from tetrate_jupyter.completion.json_schema import fits_strict_mode, inlined, subschemas, with_plain_root
from tetrate_jupyter.completion.schema import Schema, SchemaProblem
from tetrate_jupyter.errors import SchemaDefinitionError


@dataclass
class City:
    """A city."""

    name: str
    population: int


@dataclass
class Country:
    capital: City
    cities: list[City]
    founded: Optional[date]  # noqa: UP045 - old spelling must work too
    rating: Literal["good", "bad"] = "good"


@dataclass
class Tree:
    label: str
    children: list[Tree] = field(default_factory=list)


class Point(TypedDict):
    x: float
    y: float


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Pair(NamedTuple):
    a: int
    b: str


class Bounded(msgspec.Struct):
    percent: Annotated[int, msgspec.Meta(ge=0, le=100)]


class Person(pydantic.BaseModel):
    """A person."""

    name: str
    age: int = pydantic.Field(ge=0, description="years")
    friends: list[Person] = []


class Plain(pydantic.BaseModel):
    name: str
    age: int


@pydantic.dataclasses.dataclass
class Checked:
    age: int

    @pydantic.field_validator("age")
    @classmethod
    def old_enough(cls, value: int) -> int:
        if value < 18:
            raise ValueError("too young")
        return value


JSON_SCHEMA: dict[str, Any] = {
    "title": "Weather report",
    "type": "object",
    "properties": {"place": {"type": "string"}, "days": {"type": "array", "items": {"$ref": "#/$defs/day"}}},
    "required": ["place"],
    "$defs": {"day": {"type": "object", "properties": {"high": {"type": "number"}}, "required": ["high"]}},
}

ROUND_TRIPS: list[tuple[Any, str, object]] = [
    (City, '{"name": "Rome", "population": 3}', City("Rome", 3)),
    (
        Country,
        '{"capital": {"name": "a", "population": 1}, "cities": [], "founded": "1861-03-17"}',
        Country(City("a", 1), [], date(1861, 3, 17)),
    ),
    (Tree, '{"label": "a", "children": [{"label": "b"}]}', Tree("a", [Tree("b")])),
    (Point, '{"x": 1, "y": 2.5}', {"x": 1.0, "y": 2.5}),
    (Bounded, '{"percent": 100}', Bounded(100)),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (dict, '{"a": [1]}', {"a": [1]}),
    (list[City], '{"value": [{"name": "a", "population": 1}]}', [City("a", 1)]),
    (Optional[City], '{"value": null}', None),  # noqa: UP045 - as above
    (int, '{"value": 3}', 3),
    (bool, '{"value": true}', True),
    (Literal["yes", "no"], '{"value": "no"}', "no"),
    (Colour, '{"value": "red"}', Colour.RED),
    (Pair, '{"value": [1, "x"]}', Pair(1, "x")),
    (Plain, '{"name": "a", "age": 3}', Plain(name="a", age=3)),
    (Person, '{"name": "a", "age": 3, "friends": [{"name": "b", "age": 4}]}', None),
    (list[Plain], '{"value": [{"name": "a", "age": 3}]}', [Plain(name="a", age=3)]),
    (Checked, '{"age": 18}', Checked(18)),
    (JSON_SCHEMA, '{"place": "Rome", "days": [{"high": 3}]}', {"place": "Rome", "days": [{"high": 3}]}),
]


@pytest.mark.parametrize(("given", "text", "expected"), ROUND_TRIPS, ids=lambda value: str(value)[:30])
def test_every_kind_of_schema_reads_its_own_answers(given: Any, text: str, expected: object) -> None:
    schema = Schema.of(given)
    result = schema.parse(text)
    if expected is None and given is Person:
        expected = Person(name="a", age=3, friends=[Person(name="b", age=4)])
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(("given", "text", "expected"), ROUND_TRIPS, ids=lambda value: str(value)[:30])
def test_what_is_sent_is_a_valid_json_schema_with_an_object_at_its_root(
    given: Any, text: str, expected: object
) -> None:
    schema = Schema.of(given)
    jsonschema.Draft202012Validator.check_schema(schema.json_schema)
    assert schema.json_schema["type"] == "object"
    assert "$ref" not in schema.json_schema
    jsonschema.validate(json.loads(text), schema.json_schema)
    sent = json.loads(json.dumps(schema.response_format))
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["schema"] == schema.json_schema
    assert sent["json_schema"].get("strict", False) is schema.strict
    assert json.dumps(sent["json_schema"]["schema"]["type"]) in schema.prompt_hint


@pytest.mark.parametrize(
    ("given", "strict"),
    [
        (City, True),
        (Point, True),
        (Plain, True),
        (list[City], True),
        (Literal["a", "b"], True),
        (Country, False),  # a default: not all required
        (Tree, False),  # recursive
        (Person, False),
        (Bounded, False),  # minimum, maximum
        (Pair, False),  # prefixItems
        (dict[str, int], False),
        (dict, False),
        (list[Any], False),
        (JSON_SCHEMA, False),
        ({"type": "object", "properties": {}, "required": [], "additionalProperties": False}, True),
        (
            {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"], "additionalProperties": False},
            False,
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_strict_is_sent_only_where_every_provider_takes_it(given: Any, strict: bool) -> None:
    assert Schema.of(given).strict is strict


def test_a_person_decides_on_strict_with_the_api_s_own_form() -> None:
    wrapped = {"type": "json_schema", "json_schema": {"name": "report", "schema": JSON_SCHEMA, "strict": True}}
    for given in (wrapped, wrapped["json_schema"]):
        schema = Schema.of(given)
        assert (schema.name, schema.strict, schema.json_schema) == ("report", True, JSON_SCHEMA)


def test_a_schema_too_deep_or_too_wide_is_not_strict() -> None:
    def obj(properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    deep = obj({})
    for _ in range(6):
        deep = obj({"inner": deep})
    assert not fits_strict_mode(deep)
    assert not fits_strict_mode(obj({f"p{n}": {"type": "string"} for n in range(101)}))
    assert fits_strict_mode(obj({f"p{n}": {"type": "string"} for n in range(100)}))


def test_the_name_comes_from_the_class_or_title_and_fits_the_api() -> None:
    assert Schema.of(City).name == "City"
    assert Schema.of(JSON_SCHEMA).name == "Weather_report"
    assert Schema.of(list[City]).name == "answer"
    assert Schema.of({"type": "object", "title": "été: week 1!"}).name == "t_week_1"
    assert Schema.of({"type": "object", "title": "日本"}).name == "answer"
    assert len(Schema.of({"type": "object", "title": "x" * 100}).name) == 64


def test_a_later_change_of_the_person_s_dict_changes_nothing() -> None:
    given = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = Schema.of(given)
    given["properties"] = {}
    assert schema.json_schema["properties"] == {"a": {"type": "string"}}


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "a", "population": 1}',
        '  \n{"name": "a", "population": 1}\n ',
        '\ufeff{"name": "a", "population": 1}',
        '```json\n{"name": "a", "population": 1}\n```',
        '```\n{"name": "a",\n "population": 1}\n```\n',
        '\n```JSON\r\n{"name": "a", "population": 1}\r\n```  ',
        '{"name": "a", "population": 1, "more": [1, 2]}',
    ],
)
def test_white_space_and_one_fence_are_forgiven(text: str) -> None:
    assert Schema.of(City).parse(text) == City("a", 1)


def test_a_fence_inside_a_string_is_text() -> None:
    text = '```json\n{"name": "```json\\n{}\\n```", "population": 1}\n```'
    assert Schema.of(City).parse(text) == City("```json\n{}\n```", 1)


@pytest.mark.parametrize("given", [City, Plain, JSON_SCHEMA], ids=["dataclass", "pydantic", "dict"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "```json\n\n```",
        "Here is the JSON: none",
        '{"name": "a", "popul',
        "{'name': 'a'}",
        '{"name": NaN}',
        '{"name": "a",}',
        "```python\n[]\n```",
        "[" * 5_000,
        '{"a":' * 5_000,
        "\ud800",
    ],
)
def test_what_holds_no_json_object_is_a_problem_without_a_path(given: Any, text: str) -> None:
    with pytest.raises(SchemaProblem) as problem:
        Schema.of(given).parse(text)
    assert problem.value.path == ""
    assert len(str(problem.value)) < 400


FITTING = '{"name": "a", "population": 1}'


@pytest.mark.parametrize(
    "text",
    [
        f"{FITTING} Hope this helps!",
        f"Sure! {FITTING}",
        f"Sure!\n```json\n{FITTING}\n```",
        f"Sure!\n```\n{FITTING}\n```\nThis is {{it}}.",
        f"Not {{}} nor {{broken, but {FITTING}.",
        f"{FITTING}\n\n{FITTING}",
        f'Not ```json\n{{"name": 1}}\n```, rather\n```json\n{FITTING}\n```',
    ],
)
def test_one_value_that_fits_is_found_in_what_stands_around_it(text: str) -> None:
    value, is_alone = Schema.of(City).read(text)
    assert value == City("a", 1)
    assert not is_alone
    assert Schema.of(City).read(FITTING)[1]


def test_two_values_that_fit_and_differ_are_none() -> None:
    with pytest.raises(SchemaProblem, match="several"):
        Schema.of(City).parse(f"{FITTING} or {FITTING.replace('1', '2')}")


def test_what_is_wrong_with_the_only_value_is_said() -> None:
    with pytest.raises(SchemaProblem, match="population") as problem:
        Schema.of(City).parse('Here is the JSON: {"name": "a"}')
    assert problem.value.path.startswith("$")


@pytest.mark.parametrize(
    ("given", "text", "path"),
    [
        (City, '{"name": "a"}', "$"),
        (City, '{"name": 3, "population": 1}', "$.name"),
        (
            Country,
            '{"capital": {"name": "a", "population": "x"}, "cities": [], "founded": null}',
            "$.capital.population",
        ),
        (list[City], '{"value": [{"name": 1, "population": 1}]}', "$[0].name"),
        (list[City], "[]", "$"),
        (list[City], "{}", "$"),
        (Plain, '{"name": "a", "age": "x"}', "$.age"),
        (Plain, "[]", "$"),
        (list[Plain], '{"value": [{"name": "a"}]}', "$[0].age"),
        (Checked, '{"age": 3}', "$.age"),
        (Bounded, '{"percent": 101}', "$.percent"),
        (JSON_SCHEMA, '{"place": "a", "days": [{"high": 1}, {}]}', "$.days[1]"),
        (JSON_SCHEMA, "[]", "$"),
        (JSON_SCHEMA, json.dumps({"place": ["x" * 10_000]}), "$.place"),
    ],
)
def test_a_misfit_is_told_with_its_place(given: Any, text: str, path: str) -> None:
    with pytest.raises(SchemaProblem) as problem:
        Schema.of(given).parse(text)
    assert problem.value.path == path
    assert 0 < len(problem.value.message) <= 300


@pytest.mark.parametrize(
    ("given", "message", "step"),
    [
        (None, "None", "dataclass"),
        ("{}", "not text", "json.loads"),
        (3, "can't be made", "dataclass"),
        (City("a", 1), "one City, not its class", "schema=City"),
        (Plain(name="a", age=1), "one Plain, not its class", "schema=Plain"),
        ([City], "list", r"list\[City\]"),
        ([], "list", r"list\[City\]"),
        (len, "can't be made", "dataclass"),
        (object, "can't be made", "dataclass"),
        (socket.socket, "can't be made", "dataclass"),
        ({}, "empty", "object"),
        ({"type": "array", "items": {}}, "root is of type 'array'", "inside"),
        ({"type": "objekt"}, "root is of type", "inside"),
        ({"properties": {"a": {"type": "strin"}}}, r"valid JSON schema.*\$\.properties\.a\.type", "correct"),
        ({"properties": {"a": {"pattern": "("}}}, r"valid JSON schema", "correct"),
        ({"type": "object", "default": {1, 2}.__iter__}, "not JSON", "dict"),
        ({"$ref": "#/$defs/missing", "$defs": {"there": {}}}, "names nothing", "there"),
        ({"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}}, "only to itself", "type"),
        ({"type": "json_schema", "json_schema": "x"}, "holds no schema", "dict"),
    ],
)
def test_an_unusable_schema_is_refused_with_the_next_step(given: Any, message: str, step: str) -> None:
    import re

    with pytest.raises(SchemaDefinitionError, match=message) as refused:
        Schema.of(given)
    assert re.search(step, refused.value.next_step)


def test_a_type_that_can_t_be_found_is_told() -> None:
    @dataclass
    class Local:
        other: Missing  # type: ignore[name-defined]  # noqa: F821 - the point of the test

    with pytest.raises(SchemaDefinitionError, match="Missing") as refused:
        Schema.of(Local)
    assert "top level of a cell" in refused.value.next_step


@pytest.mark.parametrize(
    "target", ["https://example.com/a.json", "http://127.0.0.1:9/a.json", "other.json", "file:///a"]
)
def test_a_reference_to_elsewhere_is_refused_and_never_fetched(target: str) -> None:
    with pytest.raises(SchemaDefinitionError, match="nothing is fetched"):
        Schema.of({"type": "object", "properties": {"a": {"$ref": target}}})


def test_a_reference_hidden_under_an_unknown_keyword_is_not_fetched_either() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.json"
        hidden = {"hidden": {"not": {"$ref": url}}}
        schema = Schema.of({"properties": {"a": {"$ref": "#/hidden"}}, **hidden})
        with pytest.raises(SchemaProblem, match="isn't in it"):
            schema.parse('{"a": 1}')
        with pytest.raises(BlockingIOError):
            server.accept()


def test_names_of_properties_are_not_taken_for_keywords() -> None:
    schema = {"type": "object", "properties": {"$ref": {"type": "string"}, "enum": {"enum": [{"$ref": "x"}]}}}
    assert Schema.of(schema).parse('{"$ref": "https://example.com"}') == {"$ref": "https://example.com"}
    assert len(list(subschemas(schema))) == 3


def test_definitions_are_put_in_place_unless_they_never_end() -> None:
    definitions = {"a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/b"}}}, "b": {"type": "string"}}
    assert inlined({"$ref": "#/$defs/a", "description": "x"}, definitions) == {
        "type": "object",
        "properties": {"b": {"type": "string"}},
        "description": "x",
    }
    endless = {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}
    assert inlined({"anyOf": [{"$ref": "#/$defs/a"}]}, endless) is None


def test_making_a_schema_of_a_dataclass_imports_neither_jsonschema_nor_pydantic() -> None:
    code = (
        "import sys, dataclasses; from tetrate_jupyter.completion.schema import Schema;"
        "Schema.of(dataclasses.make_dataclass('A', [('x', int)])).parse('{\"x\": 1}');"
        "print(sorted({'jsonschema', 'referencing', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("root", [{"$ref": "#/$defs/P"}, {"allOf": [{"$ref": "#/$defs/P"}]}])
def test_a_root_that_only_refers_becomes_the_object_itself(root: dict[str, Any]) -> None:
    person = {"type": "object", "properties": {"friends": {"type": "array", "items": {"$ref": "#/$defs/P"}}}}
    assert with_plain_root({**root, "$defs": {"P": person}}) == {**person, "$defs": {"P": person}}
