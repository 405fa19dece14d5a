"""Making JSON for a given schema, nested in any way, with actual values from the prompt where that is easy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetrate_jupyter.sandbox.replies.findings import Findings
from tetrate_jupyter.sandbox.replies.schema_values import choice_value, number_value, text_value, truth_value
from tetrate_jupyter.sandbox.replies.words import material, name_words

if TYPE_CHECKING:
    import random

_DEEPEST = 6  # levels below which only required members are filled, so that a recursive schema ends
_HARD_END = 40


class Filler:
    """Fills one schema. `careful` is passed on to the sentiment skill."""

    def __init__(self, root: dict[str, Any], rng: random.Random, *, careful: bool = True) -> None:
        self._root = root
        self._rng = rng
        self._careful = careful
        self._near_only = False

    def fill(self, found: Findings) -> Any:  # noqa: ANN401 - any JSON value
        """Return a value for the whole schema."""
        return self._value(self._root, "", found, 0)[0]

    def arguments(self, found: Findings) -> dict[str, Any]:
        """Return a tool's arguments: the required ones, and others whose values are in the prompt."""
        schema = self._resolved(self._root, 0)
        required = schema.get("required") or ()
        arguments = {}
        for name, part in (schema.get("properties") or {}).items():
            self._near_only = name not in required  # an optional number has to be near its name
            value, is_real = self._value(part, name, found, 1)
            if name in required or (is_real and ("default" not in part or "enum" in part)):
                arguments[name] = value
        return arguments

    def _value(self, schema: Any, name: str, found: Findings, depth: int) -> tuple[Any, bool]:  # noqa: ANN401 - JSON
        if depth > _HARD_END or not isinstance(schema, dict):
            return None, False
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"], True
        if "enum" in schema:
            return choice_value(schema["enum"], found, self._rng, careful=self._careful)
        return self._of_kind(_kind(schema), schema, name, found, depth)

    def _of_kind(self, kind: str, schema: dict[str, Any], name: str, found: Findings, depth: int) -> tuple[Any, bool]:
        if kind == "object":
            return self._object(schema, found, depth)
        if kind == "array":
            return self._array(schema, name, found, depth)
        if kind in {"integer", "number"}:
            return number_value({**schema, "type": kind}, name, found, self._rng, near_only=self._near_only)
        if kind == "boolean":
            return truth_value(name, found, careful=self._careful)
        return (None, False) if kind == "null" else text_value(schema, name, found, self._rng)

    def _resolved(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        for _ in range(_HARD_END):
            if "$ref" in schema:
                rest = {k: v for k, v in schema.items() if k != "$ref"}
                schema = {**self._target(str(schema["$ref"])), **rest}
            elif schema.get("allOf"):
                schema = _merged([{k: v for k, v in schema.items() if k != "allOf"}, *schema["allOf"]])
            elif options := schema.get("anyOf") or schema.get("oneOf"):
                rest = {k: v for k, v in schema.items() if k not in {"anyOf", "oneOf"}}
                schema = _merged([rest, self._option(options, depth)])
            else:
                break
        return schema

    def _option(self, options: list[Any], depth: int) -> dict[str, Any]:
        plain = [o for o in options if isinstance(o, dict)]
        nothing = [o for o in plain if o.get("type") == "null"]
        something: list[dict[str, Any]] = [o for o in plain if o.get("type") != "null"]
        if depth > _DEEPEST:  # an option that ends the nesting
            return next(iter(nothing), None) or min(something, key=lambda o: "$ref" in o or _kind(o) == "object")
        return something[0] if something else nothing[0]

    def _target(self, reference: str) -> dict[str, Any]:
        target: Any = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            if part:
                target = target.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
        return target if isinstance(target, dict) else {}

    def _object(self, schema: dict[str, Any], found: Findings, depth: int) -> tuple[dict[str, Any], bool]:
        required = schema.get("required") or ()
        filled: dict[str, Any] = {}
        any_real = False
        for name, part in (schema.get("properties") or {}).items():
            if depth <= _DEEPEST or name in required:
                filled[name], is_real = self._value(part, name, found, depth + 1)
                any_real = any_real or is_real
        for name in required:
            filled.setdefault(name, "example")
        extra = schema.get("additionalProperties")
        if not filled and isinstance(extra, dict):
            for name in found.names[:5] or ["example"]:
                filled[name] = self._value(extra, name, found, depth + 1)[0]
        return filled, any_real

    def _array(self, schema: dict[str, Any], name: str, found: Findings, depth: int) -> tuple[list[Any], bool]:
        fixed = schema.get("prefixItems") or ()
        start = [self._value(part, name, found, depth + 1)[0] for part in fixed]
        items = schema.get("items")
        least, most = int(schema.get("minItems", 0)), int(schema.get("maxItems", 20))
        if not isinstance(items, dict) or len(start) >= most:
            return start[:most] + ["example"] * (least - len(start)), False
        items = self._resolved(items, depth)
        values = [] if depth > _DEEPEST else self._many(items, name, found, depth)
        is_real = bool(values)
        if depth <= _DEEPEST and not start:
            least = max(least, min(1, most))
        values = self._checked(values, items)
        while len(start) + len(values) < least:
            values.append(self._one_more(items, name, found, depth, values, unique=bool(schema.get("uniqueItems"))))
        if schema.get("uniqueItems"):
            values = [v for i, v in enumerate(values) if v not in values[:i]]
        return (start + values)[:most], is_real

    def _many(self, items: dict[str, Any], name: str, found: Findings, depth: int) -> list[Any]:
        kind = _kind(items)
        if "enum" in items:
            return [o for o in items["enum"] if isinstance(o, str) and Findings(material(found.text)).mentions(o)]
        if kind == "object":
            segments = found.segments()
            return [self._value(items, name, part, depth + 1)[0] for part in segments] if len(segments) > 1 else []
        if kind in {"integer", "number"}:
            values = [float(text.replace(",", "")) for _, _, text in found.numbers]
            return [int(v) if v == int(v) else v for v in values if kind == "number" or v == int(v)]
        if kind == "string" and "format" not in items:
            return self._texts(name, found)
        return []

    @staticmethod
    def _texts(name: str, found: Findings) -> list[Any]:
        parts = set(name_words(name))
        if parts & {"cities", "places", "countries", "locations", "towns"} and found.places:
            return list(found.places)
        if parts & {"names", "people", "persons", "authors", "companies"} and found.names:
            return list(found.names)
        return list(found.listed() or found.names)

    def _checked(self, values: list[Any], items: dict[str, Any]) -> list[Any]:
        low, high = items.get("minimum"), items.get("maximum")
        return [
            v
            for v in values
            if not isinstance(v, (int, float)) or ((low is None or v >= low) and (high is None or v <= high))
            if not isinstance(v, str) or int(items.get("minLength", 0)) <= len(v) <= int(items.get("maxLength", 10**6))
            if not isinstance(v, str) or "pattern" not in items
        ]

    def _one_more(
        self, items: dict[str, Any], name: str, found: Findings, depth: int, others: list[Any], *, unique: bool
    ) -> Any:  # noqa: ANN401 - any JSON value
        value = self._value(items, name, found, depth + 1)[0]
        for number in range(2, 50):
            if not unique or value not in others:
                break
            remade = self._value(items, name, Findings(f"{number}"), depth + 1)[0]
            value = f"{remade} {number}" if isinstance(remade, str) and "enum" not in items else remade
        return value


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "string"


def _merged(parts: list[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in (p for p in parts if isinstance(p, dict)):
        for key, value in part.items():
            if key == "properties":
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required":
                merged[key] = list(dict.fromkeys([*merged.get(key, ()), *value]))
            else:
                merged[key] = value
    return merged
