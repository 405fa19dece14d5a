"""Reading and rewriting JSON schemas as data: subschemas, providers' strict mode, inlined references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tetrate_jupyter.types import JSON, JSONObject

_MAPS_OF_SCHEMAS: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS_OF_SCHEMAS: Final = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
_SINGLE_SCHEMAS: Final = (
    "items",
    "additionalProperties",
    "additionalItems",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
)
# Keywords that the strict modes of OpenAI, Anthropic and Google all accept; of the others each refuses some.
_STRICT_KEYWORDS: Final = frozenset(
    {
        "$defs",
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "description",
        "enum",
        "items",
        "properties",
        "required",
        "title",
        "type",
    }
)
_STRICT_PROPERTIES: Final = 100  # OpenAI's first published bounds; later ones are wider, other providers publish none
_STRICT_DEPTH: Final = 5


def subschemas(schema: JSONObject) -> Iterator[JSONObject]:
    """Yield `schema` and every schema within it; names of properties and values of enums aren't schemas."""
    waiting = [schema]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(_children(current))


def _children(schema: JSONObject) -> Iterator[JSONObject]:
    found: list[JSON] = []
    for key in _MAPS_OF_SCHEMAS:
        held = schema.get(key)
        if isinstance(held, dict):
            found.extend(held.values())
    for key in _LISTS_OF_SCHEMAS:
        held = schema.get(key)
        if isinstance(held, list):
            found.extend(held)
    found.extend(schema.get(key) for key in _SINGLE_SCHEMAS)
    return (child for child in found if isinstance(child, dict))


def references(schema: JSONObject) -> list[str]:
    """Return the targets of every `$ref` and `$dynamicRef`, in no particular order."""
    found = [part.get(key) for part in subschemas(schema) for key in ("$ref", "$dynamicRef")]
    return [target for target in found if isinstance(target, str)]


def fits_strict_mode(schema: JSONObject) -> bool:
    """Whether every provider's strict mode accepts `schema`: closed objects, all properties required, few keywords.

    Providers refuse a request with `strict` and any other schema, so `strict` is sent only with those that fit.
    Recursive schemas don't (Anthropic refuses them), nor those with more than 5 levels or 100 properties.
    """
    if schema.get("type") != "object" or _is_recursive(schema):
        return False
    parts = list(subschemas(schema))
    properties = sum(len(_mapping(part.get("properties"))) for part in parts)
    return properties <= _STRICT_PROPERTIES and _depth(schema) <= _STRICT_DEPTH and all(map(_is_strict, parts))


def _is_strict(part: JSONObject) -> bool:
    if not part.keys() <= _STRICT_KEYWORDS:
        return False
    names = _mapping(part.get("properties")).keys()
    if part.get("type") == "object":
        required = part.get("required", [])
        return part.get("additionalProperties") is False and isinstance(required, list) and set(required) == set(names)
    if part.get("type") == "array":
        return isinstance(part.get("items"), dict)
    return bool(part.keys() & {"type", "$ref", "anyOf", "enum", "const"})  # one that allows anything can't be enforced


def _is_recursive(schema: JSONObject) -> bool:
    definitions = _mapping(schema.get("$defs"))
    reached = {
        name: {target.removeprefix("#/$defs/") for target in references(part)}
        for name, part in definitions.items()
        if isinstance(part, dict)
    }
    for start, first in reached.items():
        seen: set[str] = set()
        waiting = set(first)
        while waiting - seen:
            seen |= waiting
            waiting = set().union(*(reached.get(name, set()) for name in waiting))
        if start in seen:
            return True
    return "#" in references(schema)


def _depth(schema: JSONObject) -> int:
    """Return the number of nested levels; a reference counts as one."""
    deepest, waiting = 0, [(schema, 1)]
    while waiting:
        part, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((child, level + 1) for child in _children(part))
    return deepest


def closed(schema: JSONObject) -> JSONObject:
    """Forbid additional properties wherever `schema` lists some and leaves that open; modify and return `schema`.

    Only for schemas made from types: properties that a type doesn't have are dropped when the answer is read, so they
    would be paid for in vain.
    """
    for part in subschemas(schema):
        if "properties" in part:
            part.setdefault("additionalProperties", False)
    return schema


def with_enum_types(schema: JSONObject) -> JSONObject:
    """Add "type": "string" to enums of strings, which Google's API requires; modify and return `schema`."""
    for part in subschemas(schema):
        values = part.get("enum")
        if "type" not in part and isinstance(values, list) and values and all(isinstance(v, str) for v in values):
            part["type"] = "string"
    return schema


def with_plain_root(schema: JSONObject) -> JSONObject:
    """Return `schema` with its definition in place of a root that is a bare `$ref`: providers want an object there.

    pydantic 2.6 writes such a root as `allOf` with a single `$ref`.
    """
    match schema.get("allOf"):
        case [{"$ref": target}] if "$ref" not in schema:
            pass
        case _:
            target = schema.get("$ref")
    definitions = _mapping(schema.get("$defs"))
    if not isinstance(target, str) or not target.startswith("#/$defs/"):
        return schema
    name = target.removeprefix("#/$defs/")
    root = definitions.get(name)
    if not isinstance(root, dict):
        return schema
    others = {key: part for key, part in definitions.items() if key != name}
    whole: JSONObject = {**root, **({"$defs": others} if others else {})}
    if target in references(whole):
        whole["$defs"] = {**others, name: root}
    return whole


class _EndlessError(Exception):
    """Raised for a definition that contains itself."""


def inlined(schema: JSONObject, definitions: Mapping[str, JSON]) -> JSONObject | None:
    """Return a copy of `schema` with references replaced by their `definitions`; None where it is recursive.

    Some providers accept no `$ref` in tools.
    """
    try:
        return _inlined(schema, definitions, ())
    except _EndlessError:
        return None


def _inlined(schema: JSONObject, definitions: Mapping[str, JSON], opened: tuple[str, ...]) -> JSONObject:
    target = schema.get("$ref")
    if isinstance(target, str):
        name = target.removeprefix("#/$defs/")
        part = definitions.get(name)
        if name in opened or not isinstance(part, dict):
            raise _EndlessError
        beside = {key: value for key, value in schema.items() if key != "$ref"}  # such as a more specific description
        return _inlined({**part, **beside}, definitions, (*opened, name))

    def again(held: JSON) -> JSON:
        return _inlined(held, definitions, opened) if isinstance(held, dict) else held

    copy = dict(schema)
    for key, held in schema.items():
        if key in _MAPS_OF_SCHEMAS and isinstance(held, dict):
            copy[key] = {name: again(part) for name, part in held.items()}
        elif key in _LISTS_OF_SCHEMAS and isinstance(held, list):
            copy[key] = [again(part) for part in held]
        elif key in _SINGLE_SCHEMAS:
            copy[key] = again(held)
    return copy


def _mapping(value: JSON) -> JSONObject:
    return value if isinstance(value, dict) else {}
