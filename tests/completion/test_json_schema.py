"""JSON schemas as data: what is a schema in one, which of them strict modes take, references, and the root."""

from __future__ import annotations

from typing import Any

import pytest

from tetrate_jupyter.completion.json_schema import (
    closed,
    fits_strict_mode,
    inlined,
    references,
    subschemas,
    with_enum_types,
    with_plain_root,
)

S: dict[str, Any] = {"type": "string"}
MAPS = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]
LISTS = ["anyOf", "oneOf", "allOf", "prefixItems", "items"]
SINGLE = [
    "items", "additionalProperties", "additionalItems", "contains", "propertyNames", "not", "if", "then", "else",
    "unevaluatedItems", "unevaluatedProperties", "contentSchema",
]  # fmt: skip
REF = {"$ref": "#/$defs/a"}
DEFINED = {"a": {"type": "integer", "description": "A."}}


def obj(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False, **more}


@pytest.mark.parametrize(
    "schema",
    [
        *({key: {"x": REF}} for key in MAPS),
        *({key: [REF, 7]} for key in LISTS),
        *({key: REF} for key in SINGLE),
    ],
)
def test_a_schema_stands_wherever_one_may(schema: dict[str, Any]) -> None:
    assert list(subschemas(schema)) == [schema, REF]
    assert references(schema) == ["#/$defs/a"]
    held = inlined(schema, DEFINED)
    assert held is not None
    assert references(held) == []
    assert list(subschemas(held))[1] == DEFINED["a"]


def test_values_and_unknown_keywords_are_no_schemas() -> None:
    for other in ({"enum": [REF]}, {"const": REF}, {"default": REF}, {"x-mine": {"x": REF}}, {"properties": [REF]}):
        assert list(subschemas(other)) == [other]
        assert inlined(other, DEFINED) == other
    assert references({"$dynamicRef": "#x", "not": {"$ref": 7}}) == ["#x"]


STRICT = [
    obj({}),
    obj({"a": S}),
    obj({"a": S}, title="T", description="D", **{"$defs": {"a": S}}),
    obj({"a": {"type": "array", "items": S}}),
    obj({"a": {"anyOf": [S, {"type": "null"}]}}),
    obj({"a": {"enum": ["x"]}, "b": {"const": "x"}, "c": {"$ref": "#/$defs/a"}}, **{"$defs": {"a": S}}),
    obj({f"p{n}": S for n in range(100)}),
    obj({"a": obj({"b": obj({"c": obj({"d": S})})})}),  # five levels
]
LOOSE = [
    S,
    {},
    {"properties": {}},
    obj({"a": S}, additionalProperties=True),
    obj({"a": S}, required=[]),
    obj({"a": S}, required=["a", "b"]),
    obj({"a": S}, required="a"),
    {"type": "object", "properties": {"a": S}, "required": ["a"]},
    obj({"a": {}}),
    obj({"a": {"description": "Anything."}}),
    obj({"a": {"type": "array"}}),
    obj({"a": {"type": "array", "items": [S]}}),
    obj({"a": {**S, "minLength": 3}}),
    obj({"a": {"allOf": [S]}}),
    obj({f"p{n}": S for n in range(101)}),
    obj({f"p{n}": S for n in range(60)}, **{"$defs": {"a": obj({f"q{n}": S for n in range(41)})}}),
    obj({"a": obj({"b": obj({"c": obj({"d": obj({})})})}), "e": obj({"f": obj({"g": obj({"h": obj({"i": S})})})})}),
    obj({"a": {"$ref": "#"}}),
    obj({"a": REF}, **{"$defs": {"a": obj({"x": REF})}}),
    obj({"a": REF}, **{"$defs": {"a": obj({"x": {"$ref": "#/$defs/b"}}), "b": obj({"y": REF})}}),
]


@pytest.mark.parametrize("schema", STRICT)
def test_what_every_strict_mode_takes(schema: dict[str, Any]) -> None:
    assert fits_strict_mode(schema)


@pytest.mark.parametrize("schema", LOOSE)
def test_what_some_strict_mode_refuses(schema: dict[str, Any]) -> None:
    assert not fits_strict_mode(schema)


def test_properties_that_a_type_lists_are_all_there_are() -> None:
    found = closed({"properties": {"a": {"properties": {}}}, "not": {"properties": {}, "additionalProperties": True}})
    assert found == {
        "properties": {"a": {"properties": {}, "additionalProperties": False}},
        "not": {"properties": {}, "additionalProperties": True},
        "additionalProperties": False,
    }
    assert closed({"type": "object"}) == {"type": "object"}


def test_enums_of_texts_get_their_type() -> None:
    given = [{"enum": ["a", "b"]}, {"enum": ["a", 1]}, {"enum": []}, {"enum": "a"}, {"enum": ["a"], "type": "x"}]
    assert with_enum_types({"anyOf": given})["anyOf"] == [
        {"enum": ["a", "b"], "type": "string"},
        {"enum": ["a", 1]},
        {"enum": []},
        {"enum": "a"},
        {"enum": ["a"], "type": "x"},
    ]


def test_a_root_that_refers_is_its_definition() -> None:
    a = obj({"x": S})
    assert with_plain_root({**REF, "$defs": {"a": a}}) == a
    assert with_plain_root({**REF, "$defs": {"a": a, "b": S}}) == {**a, "$defs": {"b": S}}
    assert with_plain_root({"allOf": [REF], "$defs": {"a": a}}) == a
    again = obj({"x": REF})
    assert with_plain_root({**REF, "$defs": {"a": again}}) == {**again, "$defs": {"a": again}}
    for same in (
        a,
        {**REF},
        {**REF, "$defs": {"a": 7}},
        {"$ref": "#/definitions/a", "$defs": {"a": a}},
        {"allOf": [REF, S], "$defs": {"a": a}},
        {"$ref": 7, "$defs": {"a": a}},
    ):
        assert with_plain_root(dict(same)) == same


def test_a_reference_is_replaced_and_what_stands_beside_it_wins() -> None:
    assert inlined({**REF, "description": "B."}, DEFINED) == {"type": "integer", "description": "B."}
    chain = {"a": {"$ref": "#/$defs/b"}, "b": obj({"x": {"$ref": "#/$defs/c"}}), "c": S}
    assert inlined(REF, chain) == obj({"x": S})
    assert inlined(obj({"x": REF, "y": REF}), DEFINED) == obj({"x": DEFINED["a"], "y": DEFINED["a"]})
    assert inlined(REF, {}) is None
    assert inlined(REF, {"a": REF}) is None
    assert inlined(REF, {"a": {"anyOf": [S, REF]}}) is None
