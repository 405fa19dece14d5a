"""Describing one Python function to a model, and converting the model's arguments to Python objects."""

from __future__ import annotations

import contextlib
import inspect
import json
import re
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from tetrate_jupyter.completion import docstrings
from tetrate_jupyter.completion import json_schema as shapes
from tetrate_jupyter.completion.foreign import text_of
from tetrate_jupyter.errors import ToolDefinitionError
from tetrate_jupyter.http import reading
from tetrate_jupyter.http.gate import incoming

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.types import JSON, JSONObject

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_SHOWN: Final = 300  # characters of a problem as it is reported to the model
_DECODED: Final = (int, float, str, bool, type(None))


class BadArgumentsError(Exception):
    """Raised for arguments that don't match the parameters; the message is for the model."""


@dataclass(frozen=True)
class Tool:
    """One function as a tool. `spec` is its entry in the request's `tools`."""

    name: str
    function: Callable[..., Any]
    spec: JSONObject
    parameters: tuple[inspect.Parameter, ...]
    hints: dict[str, Any]

    @property
    def is_async(self) -> bool:
        """Whether it is a coroutine function."""
        return inspect.iscoroutinefunction(self.function)

    @staticmethod
    def of(function: object) -> Tool:
        """Return the tool for a function, by signature, type hints and docstring. Raises `ToolDefinitionError`."""
        name = _checked_name(function)
        callable_ = cast("Callable[..., Any]", function)
        parameters = _checked_parameters(callable_, name)
        hints = _hints(callable_, name)
        for parameter in parameters:
            if parameter.name not in hints:
                raise ToolDefinitionError(
                    f"The parameter {parameter.name!r} of {name} has no type.",
                    next_step=f"add one: def {name}({parameter.name}: str, ...)",
                )
        described = _spec(callable_, name, parameters, hints)
        return Tool(name, callable_, described, parameters, hints)

    def bind(self, arguments: str) -> tuple[list[Any], dict[str, Any]]:
        """Return the positional and keyword arguments in the model's JSON. Raises `BadArgumentsError`."""
        if not self.parameters:
            return [], {}  # whatever the model wrote: nothing is passed
        given = read_arguments(arguments)
        known = {parameter.name for parameter in self.parameters}
        unknown = sorted(given.keys() - known)
        if unknown:
            raise BadArgumentsError(
                f"There is no parameter {unknown[0][:64]!r}; {self.name} takes {_listed(known)}."[:_SHOWN]
            )
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for parameter in self.parameters:
            if parameter.name in given:
                value = self._converted(parameter.name, given[parameter.name])
            elif parameter.default is parameter.empty:
                raise BadArgumentsError(f"The parameter {parameter.name!r} is missing.")
            elif parameter.kind is parameter.POSITIONAL_ONLY:
                value = parameter.default  # needed in its place, since a later positional one may be given
            else:
                continue
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                keywords[parameter.name] = value
        return positional, keywords

    def _converted(self, name: str, value: object) -> Any:  # noqa: ANN401 - whatever the parameter's type is
        try:
            return _convert(value, self.hints[name])
        except msgspec.ValidationError as error:
            reason = str(error).replace("`$.", f"`{name}.").replace("`$[", f"`{name}[")
            raise BadArgumentsError(f"The parameter {name!r} does not fit: {reason}"[:_SHOWN]) from None
        except Exception as error:  # noqa: BLE001 - a dataclass's own __post_init__ may raise anything
            raise BadArgumentsError(f"The parameter {name!r} does not fit: {text_of(error)}"[:_SHOWN]) from None


def _convert(value: object, hint: Any) -> Any:  # noqa: ANN401 - any type
    try:
        return msgspec.convert(value, type=hint)
    except msgspec.ValidationError:
        # Models often write "3" or 2.0 for a whole number: not worth another round.
        with contextlib.suppress(msgspec.ValidationError):
            return msgspec.convert(value, type=hint, strict=False)
        raise


def read_arguments(arguments: str) -> dict[str, Any]:
    """Return the arguments in a model's JSON, though it be encoded twice. Raises `BadArgumentsError`."""
    try:
        given = _json(arguments) if arguments.strip() else None  # some models write nothing for no arguments
        if isinstance(given, str):  # encoded twice
            given = _json(given) if given.strip() else None
    except (ValueError, RecursionError) as error:
        raise BadArgumentsError(
            f"The arguments are not valid JSON: {text_of(error, 100)}. They began with {arguments[:100]!r}."[:_SHOWN]
        ) from None
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadArgumentsError("The arguments must be one JSON object.")
    return given


def _json(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return msgspec.json.decode(incoming(text.encode()))  # redacts keys, also those written with escapes
    except (msgspec.DecodeError, UnicodeEncodeError):
        # half of a surrogate pair, or control characters in a string: both can be read
        plain = json.dumps(json.loads(text, strict=False)).encode()
        return msgspec.json.decode(incoming(reading.mended(plain)))


def _checked_name(function: object) -> str:
    if isinstance(function, type):
        raise ToolDefinitionError(
            f"{function.__name__} is a class, not a function.", next_step="write a function that makes and uses it"
        )
    if not callable(function):
        kind = type(function).__name__
        raise ToolDefinitionError(f"A {kind} is not a function.", next_step="pass functions: tools=[first, second]")
    if not _is_function(function):
        shown = getattr(function, "__name__", type(function).__name__)
        raise ToolDefinitionError(
            f"{shown} has no signature with types to describe to a model.",
            next_step="wrap it: def name(argument: str) -> str: ... with a docstring that says what it does",
        )
    name = str(getattr(function, "__name__", ""))
    if name == "<lambda>":
        raise ToolDefinitionError(
            "A lambda has no name, types or description.", next_step="write it as a function: def name(x: int): ..."
        )
    if not _NAME.fullmatch(name):
        raise ToolDefinitionError(
            f"{name!r} can't be a tool's name.",
            next_step="rename the function: ASCII letters, digits and _, at most 64 of them",
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ToolDefinitionError(f"{name} is a generator.", next_step="return all at once: return list(...)")
    return name


def _is_function(value: Any) -> bool:  # noqa: ANN401 - anything may be passed as a tool
    # Unwrapped, because @functools.cache and the like turn a function into a callable object.
    return inspect.ismethod(value) or inspect.isfunction(inspect.unwrap(value))


def _checked_parameters(function: Callable[..., Any], name: str) -> tuple[inspect.Parameter, ...]:
    parameters = tuple(inspect.signature(function).parameters.values())
    for parameter in parameters:
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            raise ToolDefinitionError(
                f"{name} takes {parameter}, which can't be described to a model.",
                next_step="name each parameter with its type, or take one list or dict",
            )
    return parameters


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception as error:  # an annotation can be any expression, which may raise anything
        raise ToolDefinitionError(
            f"The types of {name} can't be read: {text_of(error, _SHOWN)}.",
            next_step="define or import every type it names at the top level of a cell",
        ) from error


def _spec(
    function: Callable[..., Any], name: str, parameters: tuple[inspect.Parameter, ...], hints: dict[str, Any]
) -> JSONObject:
    described = docstrings.parameters(function.__doc__)
    properties: JSONObject = {}
    definitions: JSONObject = {}
    for parameter in parameters:
        schema, used = _schema_of(hints[parameter.name], parameter.name, name)
        text = _annotated_text(hints[parameter.name]) or described.get(parameter.name)
        if text and "description" not in schema:
            schema["description"] = text
        if isinstance(parameter.default, _DECODED) and parameter.default is not None:
            schema.setdefault("default", cast("JSON", parameter.default))
        properties[parameter.name] = schema
        definitions.update(used)
    body: JSONObject = {"type": "object", "properties": properties}
    required: list[JSON] = [p.name for p in parameters if p.default is p.empty]
    if required:
        body["required"] = required
    if definitions:
        body = shapes.inlined(body, definitions) or {**body, "$defs": definitions}
    described_function: JSONObject = {"name": name, "parameters": shapes.with_enum_types(body)}
    summary = docstrings.summary(function.__doc__)
    if summary:
        described_function["description"] = summary
    return {"type": "function", "function": described_function}


def _schema_of(hint: Any, parameter: str, name: str) -> tuple[JSONObject, JSONObject]:  # noqa: ANN401 - any type
    try:
        (schema,), definitions = msgspec.json.schema_components([hint], ref_template="#/$defs/{name}")
    except Exception as error:  # msgspec raises TypeError, and whatever a class with its own hooks raises
        shown = getattr(hint, "__name__", None) or str(hint)
        raise ToolDefinitionError(
            f"The parameter {parameter!r} of {name} is of type {shown[:80]}, which JSON can't hold.",
            next_step="take str, int, float, bool, list, dict, Literal, Enum, a TypedDict or a dataclass instead",
        ) from error
    return cast("JSONObject", schema), cast("JSONObject", definitions)


def _annotated_text(hint: Any) -> str | None:  # noqa: ANN401 - any type
    """Return the text in `Annotated[str, "text"]` or `Annotated[str, Doc("text")]`; msgspec reads its own `Meta`."""
    for extra in getattr(hint, "__metadata__", ()):
        text = extra if isinstance(extra, str) else getattr(extra, "documentation", None)
        if isinstance(text, str):
            return text
    return None


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
