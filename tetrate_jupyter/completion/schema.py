"""A schema for an answer: from a JSON schema or a Python type to the request, and from the text to an object."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from tetrate_jupyter.characters import clipped
from tetrate_jupyter.completion import json_schema as shapes
from tetrate_jupyter.completion.foreign import name_of, text_of
from tetrate_jupyter.errors import SchemaDefinitionError
from tetrate_jupyter.http.gate import incoming

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

    from tetrate_jupyter.types import JSONObject

_WRAPPED: Final = "value"  # the property around a list, number etc., since providers want an object at the root
_MESSAGE_LENGTH: Final = 300  # characters of a problem; jsonschema's messages repeat the whole value
_WAYS: Final = "pass a JSON schema as a dict, a dataclass, a TypedDict or a pydantic model class"
_FENCED = re.compile(
    r"^[ \t]*```[ \t]*(?:json\w*)?[ \t]*\r?\n(.*?)\r?\n[ \t]*```", re.DOTALL | re.IGNORECASE | re.MULTILINE
)
_MOST_VALUES: Final = 20  # JSON values in one text that are tried
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")

_Reader = Callable[[str], object]


class SchemaProblem(ValueError):  # noqa: N818 - not an error of the package: `checking` makes it one
    """Raised for an answer that doesn't match. `path`: the place in it, as "$.a[0].b", "" where it isn't JSON."""

    def __init__(self, path: str, message: str) -> None:
        self.path = clipped(path, _MESSAGE_LENGTH)  # bounded, since the model wrote its names
        self.message = clipped(message, _MESSAGE_LENGTH)
        super().__init__(f"{self.message} (at {self.path})" if path else self.message)


@dataclass(frozen=True)
class Schema:
    """The schema that an answer must match, and how its text becomes an object.

    `name`: its name in the request. `json_schema`: what is sent. `strict`: whether the provider is asked to enforce it,
    which happens only if `json_schema` fits every provider's strict mode (closed objects, all properties required, no
    recursion, few keywords), since others would refuse the request. The answer is validated here in either case.
    """

    name: str
    json_schema: JSONObject
    strict: bool
    _read: _Reader = field(repr=False, compare=False)

    @staticmethod
    def of(value: object) -> Schema:
        """Return the schema for a JSON schema (dict), dataclass, TypedDict, pydantic v2 model or other type.

        With a dict, answers become plain dicts and lists; with a type, objects of it. A type that isn't an object at
        the root (`list[City]`, `int`) is requested inside one, which is removed again. Raises `SchemaDefinitionError`.
        """
        if isinstance(value, Mapping):
            return _of_mapping(value)
        _refuse_values(value)
        return _of_type(value)

    @property
    def response_format(self) -> JSONObject:
        """The request's `response_format`."""
        body: JSONObject = {"name": self.name, "schema": self.json_schema}
        if self.strict:
            body["strict"] = True
        return {"type": "json_schema", "json_schema": body}

    @property
    def prompt_hint(self) -> str:
        """The same as an instruction, for models without the `structured_outputs` capability."""
        text = msgspec.json.encode(self.json_schema).decode()
        return (
            "Answer with one JSON value and nothing else: no explanation, no code fence. "
            f"It must be valid against this JSON schema:\n{text}"
        )

    def parse(self, text: str) -> object:
        """Return the object in an answer's text; a fence and sentences around the JSON are ignored.

        Raises `SchemaProblem`.
        """
        return self.read(text)[0]

    def read(self, text: str) -> tuple[object, bool]:
        """Return the object in an answer's text, and whether the text holds nothing else.

        Of several JSON values in the text, the only one that matches is taken. Raises `SchemaProblem` where none does,
        or several different ones do.
        """
        body = text.strip().removeprefix("\ufeff").strip()
        if not body:
            raise SchemaProblem("", "The answer is empty.")
        try:
            return self._exactly(body), True
        except SchemaProblem as problem:
            first = problem
        fitting: dict[str, object] = {}
        problems: list[SchemaProblem] = []
        for candidate in _inside(body):
            try:
                fitting.setdefault(candidate, self._exactly(candidate))
            except SchemaProblem as problem:
                problems.append(problem)
        if len(fitting) > 1:
            raise SchemaProblem("", "The answer holds several values that fit.")
        if not fitting:
            raise problems[0] if len(problems) == 1 and not first.path else first
        return next(iter(fitting.values())), False

    def _exactly(self, body: str) -> object:
        try:
            msgspec.json.decode(body)  # first, so that invalid JSON is reported alike for every kind of schema
            return self._read(bytes(incoming(body.encode())).decode())  # redacts keys, also those written with escapes
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `")
            raise SchemaProblem(path.rstrip("`") or "$", message) from None
        except (msgspec.DecodeError, UnicodeEncodeError) as error:  # a lone surrogate can't be encoded
            raise SchemaProblem("", f"The answer is not JSON ({error}). It starts with {body[:60]!r}.") from None
        except RecursionError:
            raise SchemaProblem("", "The answer is nested too deeply.") from None
        except SchemaProblem:
            raise
        except Exception as error:  # noqa: BLE001 - a person's type may raise anything when it is constructed
            raise SchemaProblem("", f"Reading it raised {name_of(error)}: {text_of(error)}") from None


def _inside(text: str) -> Iterator[str]:
    """Yield the candidates for JSON in a text: the content of fences or, without any fence, the JSON objects."""
    fences = [found[1].strip() for found in _FENCED.finditer(text)]
    if fences:
        yield from fences[:_MOST_VALUES]
        return
    decoder, at = json.JSONDecoder(strict=False), 0
    for _ in range(_MOST_VALUES):
        start = text.find("{", at)
        if start < 0:
            return
        try:
            at = decoder.raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            at = start + 1
            continue
        yield text[start:at]


def _of_mapping(given: Mapping[Any, Any]) -> Schema:
    name, schema, strict = _unwrapped(given)
    try:
        copy = msgspec.json.decode(msgspec.json.encode(schema))  # later changes to the person's dict have no effect
    except (TypeError, ValueError, RecursionError) as error:
        reason = text_of(error, _MESSAGE_LENGTH)
        raise SchemaDefinitionError(f"The schema is not JSON: {reason}.", next_step=_WAYS) from None
    if not copy:
        raise SchemaDefinitionError("The schema is empty.", next_step='for any JSON object: {"type": "object"}')
    kind = copy.get("type")
    if kind is not None and kind != "object":
        raise SchemaDefinitionError(
            f"The schema's root is of type {kind!r}; providers want an object there.",
            next_step=f'put it inside one: {{"type": "object", "properties": {{"{_WRAPPED}": ...}}}}',
        )
    validator = _validator(copy)
    title = copy.get("title")
    return Schema(
        _clean_name(name or (title if isinstance(title, str) else "")),
        copy,
        shapes.fits_strict_mode(copy) if strict is None else strict,
        lambda text: _checked(text, validator),
    )


def _unwrapped(given: Mapping[Any, Any]) -> tuple[str, Mapping[Any, Any], bool | None]:
    """Return (name, schema, strict) from the wrapping that the API's documentation shows, if there is one."""
    inner = given.get("json_schema") if given.get("type") == "json_schema" else given
    if isinstance(inner, Mapping) and isinstance(inner.get("schema"), Mapping) and "type" not in inner:
        strict = inner.get("strict")
        return str(inner.get("name", "")), inner["schema"], strict if isinstance(strict, bool) else None
    if not isinstance(inner, Mapping):
        raise SchemaDefinitionError('"json_schema" holds no schema.', next_step=_WAYS)
    return "", inner, None


def _validator(schema: JSONObject) -> Validator:
    import jsonschema
    from jsonschema.validators import validator_for

    kind = validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise SchemaDefinitionError(
            f"Not a valid JSON schema: {error.message[:_MESSAGE_LENGTH]} (at {error.json_path}).",
            next_step="correct it there; https://json-schema.org/learn explains the keywords",
        ) from None
    except RecursionError:
        raise SchemaDefinitionError("The schema is nested too deeply.", next_step="make it flatter") from None
    return kind(schema, registry=_local_registry(schema))


def _local_registry(schema: JSONObject) -> Any:  # noqa: ANN401 - jsonschema's stubs want their own kind of registry
    """Check that each reference stays inside `schema`; return a registry that never uses the network."""
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    resource = Resource.from_contents(schema, default_specification=DRAFT202012)
    resolver = Registry().with_resource("", resource).resolver()
    for target in shapes.references(schema):
        _follow(target, schema, resolver)
    return Registry()


def _follow(target: str, schema: JSONObject, resolver: Any) -> None:  # noqa: ANN401 - referencing's class is private
    """Follow a reference until it reaches something other than a reference. Raises `SchemaDefinitionError`."""
    from referencing.exceptions import Unresolvable

    for _ in range(100):
        if not target.startswith("#"):
            raise SchemaDefinitionError(
                f'"$ref": {target[:100]!r} points outside the schema; nothing is fetched.',
                next_step='copy what it names into "$defs" and point to "#/$defs/..."',
            )
        try:
            found = resolver.lookup(target).contents
        except Unresolvable:
            raise SchemaDefinitionError(
                f'"$ref": {target[:100]!r} names nothing in the schema.',
                next_step=f'its "$defs" are: {", ".join(_definitions(schema)) or "none"}',
            ) from None
        if not isinstance(found, dict) or not isinstance(found.get("$ref"), str):
            return
        target = found["$ref"]
    raise SchemaDefinitionError("A $ref in the schema leads only to itself.", next_step="give it a type")


def _definitions(schema: JSONObject) -> list[str]:
    found = schema.get("$defs", schema.get("definitions"))
    return sorted(found)[:10] if isinstance(found, dict) else []


def _checked(text: str, validator: Validator) -> object:
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    value = msgspec.json.decode(text)
    try:
        error = best_match(validator.iter_errors(value))
    except Unresolvable as missing:  # under an unknown keyword, so not found when the schema was made
        raise SchemaProblem("", f"The schema refers to something that isn't in it: {missing}") from None
    except BaseException as end:
        if type(end).__name__ != "PanicException":  # a RecursionError that passed through Rust code; not an `Exception`
            raise
        raise RecursionError from None
    if error is not None:
        raise SchemaProblem(error.json_path, error.message)
    return value


def _refuse_values(value: object) -> None:
    """Raise `SchemaDefinitionError` for a value in place of a type; its next step says what to pass instead."""
    if isinstance(value, (str, bytes)):
        raise SchemaDefinitionError("A schema is not text.", next_step="parse it first: json.loads(text)")
    if isinstance(value, list):
        example = getattr(value[0], "__name__", "City") if value else "City"
        raise SchemaDefinitionError("A list is not a schema.", next_step=f"for a list of answers: list[{example}]")
    is_object = not isinstance(value, type) and (dataclasses.is_dataclass(value) or hasattr(value, "model_dump"))
    if is_object:
        name = type(value).__name__
        raise SchemaDefinitionError(f"This is one {name}, not its class.", next_step=f"schema={name}")
    if isinstance(value, type) and hasattr(value, "schema_json") and not hasattr(value, "model_json_schema"):
        raise SchemaDefinitionError("This is a model of pydantic 1.", next_step="use pydantic 2, or a dataclass")
    if value is None:
        raise SchemaDefinitionError("None is not a schema.", next_step=_WAYS)


def _of_type(value: Any) -> Schema:  # noqa: ANN401 - types come in classes, aliases and special forms
    schema, read = _by_pydantic(value) if hasattr(value, "__pydantic_core_schema__") else _by_msgspec(value)
    schema = shapes.with_enum_types(shapes.closed(shapes.with_plain_root(schema)))
    if schema.get("type") != "object":
        schema, read = _wrapped(schema, read)
    is_named = isinstance(value, type) and typing.get_origin(value) is None and value.__module__ != "builtins"
    return Schema(_clean_name(value.__name__ if is_named else ""), schema, shapes.fits_strict_mode(schema), read)


def _by_msgspec(value: Any) -> tuple[JSONObject, _Reader]:  # noqa: ANN401 - as above
    try:
        schema = msgspec.json.schema(value)
        decoder = msgspec.json.Decoder(value)
    except NameError as error:
        raise SchemaDefinitionError(
            f"The type refers to another one that can't be found: {text_of(error, _MESSAGE_LENGTH)}.",
            next_step="define both at the top level of a cell, not inside a function",
        ) from error
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        if "pydantic" in sys.modules and typing.get_origin(value) is not None:  # list[Model]
            return _by_pydantic(value)
        shown = getattr(value, "__name__", None) or type(value).__name__
        raise SchemaDefinitionError(
            f"{shown} can't be made into a schema: {text_of(error, 200)}", next_step=_WAYS
        ) from error
    return cast("JSONObject", schema), decoder.decode


def _by_pydantic(value: Any) -> tuple[JSONObject, _Reader]:  # noqa: ANN401 - as above
    import pydantic

    try:
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(value)
        schema = adapter.json_schema()
    except (pydantic.errors.PydanticUserError, TypeError, NameError, RecursionError) as error:
        reason = text_of(error).partition("\n")[0][:200]
        raise SchemaDefinitionError(f"pydantic can't make a schema of it: {reason}", next_step=_WAYS) from error

    def read(text: str) -> object:
        try:
            return adapter.validate_json(text)
        except pydantic.ValidationError as error:
            first, *others = error.errors(include_url=False, include_context=False, include_input=False)
            more = f" ({len(others)} more)" if others else ""
            raise SchemaProblem(_json_path(first["loc"]), first["msg"] + more) from None

    return schema, read


def _json_path(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def _wrapped(schema: JSONObject, read: _Reader) -> tuple[JSONObject, _Reader]:
    definitions = schema.pop("$defs", None)
    whole: JSONObject = {
        "type": "object",
        "properties": {_WRAPPED: schema},
        "required": [_WRAPPED],
        "additionalProperties": False,
    }
    if definitions is not None:
        whole["$defs"] = definitions

    def read_inside(text: str) -> object:
        parts = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        if _WRAPPED not in parts:
            raise SchemaProblem("$", f"'{_WRAPPED}' is a required property")
        return read(bytes(parts[_WRAPPED]).decode())

    return whole, read_inside


def _clean_name(text: str) -> str:
    return _NOT_IN_NAMES.sub("_", text).strip("_")[:64] or "answer"
