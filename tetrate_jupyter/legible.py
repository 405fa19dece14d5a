"""Parts of messages as our types say they are, whatever stands in their place.

A conversation may have been put together elsewhere: read from a file, made of the API's own JSON, kept by an older
version. It is made legible where it comes in, so that neither the next question nor a panel meets anything else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from tetrate_jupyter.types import Cut, Image, Message, ToolCall

_T = TypeVar("_T")
_NO_CALLS: Final[dict[str, Any]] = {"role": "user", "tool_calls": (), "tool_call_id": None}


def question(given: object) -> Message:
    """Return the message of a person; an empty one where `given` is none."""
    found = message(given) or Message("user", "")
    return found if found.role == "user" and not found.tool_calls else replace(found, **_NO_CALLS)


def replies(given: object) -> tuple[Message, ...]:
    """Return what followed it, without what is no message; the same object where nothing is odd."""
    several = (given,) if isinstance(given, (str, Message, Mapping)) else given
    return _each(message, several)


def message(given: object) -> Message | None:
    """Return a message, also of the API's JSON and of a bare text (an answer); None for anything else."""
    if isinstance(given, str):
        given = Message("assistant", given)
    if isinstance(given, Mapping):
        members = {name: given.get(name) for name in ("content", "tool_calls", "tool_call_id", "name", "images")}
        given = Message(given.get("role"), **members)  # type: ignore[arg-type]  # mended below
    if not isinstance(given, Message):
        return None
    parts = {
        "role": given.role if isinstance(given.role, str) else "",
        "content": text(given.content),
        "images": _of(given.images, Image, "data_url"),
        "tool_calls": _calls(given.tool_calls),
        "tool_call_id": None if given.tool_call_id is None else text(given.tool_call_id),
        "name": None if given.name is None else text(given.name),
        "typed": None if given.typed is None else text(given.typed),
        "cuts": _of(given.cuts, Cut, "name"),
        "aside": members_only(given.aside),
        "model": given.model if isinstance(given.model, str) else "",
    }
    return _with(given, parts)


def answered(message: Message, results: Sequence[Message]) -> list[Message]:
    """Return a model's message with the calls that have a result, and those results; nothing of an empty one."""
    first = {result.tool_call_id: result for result in reversed(results)}
    calls = {call.id: call for call in message.tool_calls if call.id in first}
    if not calls and not message.content.strip():
        return []
    kept = tuple(calls.values())
    shown = message if len(kept) == len(message.tool_calls) else replace(message, tool_calls=kept)
    return [shown, *(first.pop(r.tool_call_id) for r in results if r.tool_call_id in calls and r.tool_call_id in first)]


def text(content: object) -> str:
    """Return content as text: it may be missing, or in the API's parts."""
    if isinstance(content, list):
        return "".join(text(part.get("text")) for part in content if isinstance(part, Mapping))
    if isinstance(content, bytes):
        return content.decode("utf-8", "replace")
    return content if isinstance(content, str) else "" if content is None else str(content)


def texts(given: object) -> tuple[str, ...]:
    """Return those of several things that are texts; the same object where all are."""
    return _of(given, str)


def members_only(aside: object) -> str:
    """Return the JSON of an object, "" where it is none."""
    if not isinstance(aside, str) or not aside:
        return ""
    try:
        return aside if isinstance(json.loads(aside), dict) else ""
    except (ValueError, RecursionError):
        return ""


def _calls(given: object) -> tuple[ToolCall, ...]:
    return _each(_call, given)


def _call(given: object) -> ToolCall | None:
    if isinstance(given, Mapping):
        function = given.get("function")
        named = function if isinstance(function, Mapping) else given
        given = ToolCall(given.get("id"), named.get("name"), named.get("arguments"))  # type: ignore[arg-type]
    if not isinstance(given, ToolCall):
        return None
    arguments: object = given.arguments
    if isinstance(arguments, Mapping):
        arguments = json.dumps(arguments, default=str)
    parts = {"id": text(given.id), "name": text(given.name), "arguments": text(arguments)}
    return _with(given, {**parts, "extra": members_only(given.extra)})


def _with(given: _T, parts: Mapping[str, object]) -> _T:
    """Return it with these parts; the same object where it has them."""
    changed: dict[str, Any] = {name: part for name, part in parts.items() if part is not getattr(given, name)}
    return replace(given, **changed) if changed else given  # type: ignore[type-var]  # a dataclass


def _of(given: object, kind: type[_T], named: str = "") -> tuple[_T, ...]:
    """Return those of `kind`, whose part `named` is a text; the same object where all are."""
    items = tuple(_several(given))  # a tuple stays the same object
    found = [each for each in items if isinstance(each, kind) and (not named or isinstance(getattr(each, named), str))]
    return items if len(found) == len(items) else tuple(found)  # type: ignore[return-value]  # all are


def _several(given: object) -> Iterable[object]:
    return given if isinstance(given, Iterable) and not isinstance(given, (str, bytes, Mapping)) else ()


def _each(read: Callable[[object], _T | None], given: object) -> tuple[_T, ...]:
    items = tuple(_several(given))
    found = tuple(each for each in map(read, items) if each is not None)
    is_same = len(found) == len(items) and all(one is other for one, other in zip(found, items, strict=True))
    return items if is_same else found  # type: ignore[return-value]  # the same ones
