"""What a question is told by: all that decides its answer, as canonical JSON, hashed; pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.http.chunk_reading import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

VERSION: Final = 1  # of the form below: answers of another one are asked anew


@dataclass(frozen=True)
class KeyedRequest:
    """All that decides an answer. What a router makes of it today (an alias, a price, a default) isn't part of it.

    `host`: where it is asked. `model`: the id as it is asked for, whatever its case. `messages`: in the API's form, as
    the person means them: not what was left out or put in to suit one model. Pictures in them count by their content.
    `params`: options by our names, further request fields by theirs. `repeat`: which of several askings of the same
    it is; `duplicate`: which of several columns that ask the same.
    """

    host: str
    model: str
    messages: Sequence[Mapping[str, Any]]
    params: Mapping[str, Any] = field(default_factory=dict)
    schema: Mapping[str, Any] | None = None
    tools: Sequence[object] = ()
    repeat: int = 0
    duplicate: int = 0


def key_of(asked: KeyedRequest) -> str:
    """Return the key, 64 hexadecimal digits. Nothing of the question can be read from it.

    Raises `TypeError` or `ValueError` where a part isn't JSON, which no request can hold either.
    """
    whole_question = {
        "v": VERSION,
        "host": asked.host.lower(),
        "model": asked.model.strip().lower(),
        "messages": list(map(_by_digest, _numbered(asked.messages))),
        "params": {name: value for name, value in asked.params.items() if value is not None},
        "schema": asked.schema,
        "tools": list(asked.tools),
        "repeat": [asked.repeat, asked.duplicate],
    }
    text = json.dumps(
        _canonical(whole_question), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def digest(content: str | bytes) -> str:
    """Return the digest by which something large stands in a key."""
    return "sha256:" + hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _numbered(messages: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield messages with calls of tools numbered: their ids are made up anew each time."""
    new: dict[object, str] = {}
    for message in messages:
        if message.get("tool_calls"):
            calls = [{**call, "id": new.setdefault(call.get("id"), f"{len(new)}")} for call in message["tool_calls"]]
            yield {**message, "tool_calls": calls}
        elif "tool_call_id" in message:
            yield {**message, "tool_call_id": new.get(message["tool_call_id"], "")}
        else:
            yield message


def _by_digest(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    return {**message, "content": [_part(part) for part in content]}


def _part(part: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(part, dict) or not isinstance(part.get("image_url"), dict):
        return part
    return {"type": "image", "image": digest(str(part["image_url"].get("url")))}


def _canonical(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value so that what means the same is written the same: 0 and 0.0, a tuple and a list."""
    if isinstance(value, str):
        return whole(str.__str__(value))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {whole(str(name)): _canonical(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)
