"""Validating the messages of a chat request: roles, parts, images, and tool results that match their calls."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.sandbox.api_error import bad_request
from tetrate_jupyter.sandbox.pictures import read_data_url

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.models import Served

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROLES = ("assistant", "developer", "system", "tool", "user")


def check_messages(messages: object, served: Served) -> None:
    """Raise `ApiError` (400) for messages that can't be used, with the place of the error."""
    if not isinstance(messages, list) or not messages:
        raise bad_request("'messages' must be a list with at least one message.", param="messages")
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise bad_request(f"{where}: 'role' must be one of {', '.join(_ROLES)}.", param=where)
        _check_content(message, where, served)
    _check_tool_results(messages)
    if all(m["role"] in {"system", "developer"} for m in messages):
        raise bad_request("There must be at least one message that isn't a system message.", param="messages")


def _check_content(message: dict[str, Any], where: str, served: Served) -> None:
    content, role = message.get("content"), message["role"]
    if role == "assistant" and message.get("tool_calls") == []:
        raise bad_request(
            f"Invalid '{where}.tool_calls': empty array. Expected an array with minimum length 1.",
            code="empty_array",
            param=f"{where}.tool_calls",
        )
    if role == "assistant" and message.get("tool_calls"):
        _check_calls(message["tool_calls"], where)
        if not content:
            return
    if role == "tool":
        _check_result(message, where)
    elif isinstance(content, str):
        if not content.strip():
            raise bad_request(f"{where}: 'content' must not be empty.", param=where)
    elif isinstance(content, list) and content:
        for number, part in enumerate(content):
            _check_part(part, role, f"{where}.content[{number}]", served)
    else:
        raise bad_request(f"{where}: 'content' must be text or a list of parts.", param=where)


def _check_result(message: dict[str, Any], where: str) -> None:
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    is_text = all(isinstance(p, dict) and p.get("type") == "text" and isinstance(p.get("text"), str) for p in parts)
    if not is_text or not any(part["text"] for part in parts):
        raise bad_request(
            f"{where}: the content of a tool message must be text, or parts of text, and not empty.", param=where
        )
    if not isinstance(message.get("tool_call_id"), str):
        raise bad_request(f"{where}: a tool message needs 'tool_call_id'.", param=where)


def _check_part(part: object, role: str, where: str, served: Served) -> None:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        if not part["text"].strip():
            raise bad_request(f"{where}: text parts must not be empty.", param=where)
        return
    if role == "assistant" and isinstance(part, dict) and part.get("type") == "refusal":
        if not isinstance(part.get("refusal"), str) or not part["refusal"]:
            raise bad_request(f"{where}: a refusal must be text.", param=where)
        return
    if not (isinstance(part, dict) and part.get("type") == "image_url" and role == "user"):
        raise bad_request(f"{where}: only text, and image_url from the user, can be sent on this route.", param=where)
    if not served.takes_images:
        raise bad_request(f"{where}: the model '{served.id}' does not support image input.", param=where)
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    if isinstance(url, str) and url[:8].lower().startswith(("http://", "https://")):
        # Whether the service accepts addresses here is unknown, and the sandbox makes no requests, so it refuses them.
        raise bad_request(
            f"{where}: the image can't be downloaded from its address; send it as a base64 data URL.",
            code="invalid_image_url",
            param=where,
        )
    found = read_data_url(url) if isinstance(url, str) else None
    if found is None:
        raise bad_request(f"{where}: not a base64 data URL of a PNG, JPEG, GIF or WebP image.", param=where)
    claimed, picture = found
    if claimed != picture.media_type:
        raise bad_request(f"{where}: the image is {picture.media_type}, not {claimed} as it says.", param=where)


def _check_calls(calls: object, where: str) -> None:
    if not isinstance(calls, list) or not calls:
        raise bad_request(f"{where}: 'tool_calls' must be a list.", param=where)
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(call.get("id"), str) or call.get("type") != "function":
            raise bad_request(f"{where}: a tool call needs id, type 'function' and function.", param=where)
        try:
            is_object = isinstance(json.loads(str(function.get("arguments"))), dict)
        except (ValueError, RecursionError):
            is_object = False
        if not is_object:
            raise bad_request(f"{where}: a tool call's arguments must be a JSON object as text.", param=where)
        if not isinstance(function.get("name"), str) or not _TOOL_NAME.fullmatch(function["name"]):
            raise bad_request(
                f"Invalid '{where}.tool_calls.function.name': string does not match pattern '^[a-zA-Z0-9_-]+$'.",
                param=where,
            )


def _check_tool_results(messages: list[dict[str, Any]]) -> None:
    awaited: set[str] = set()
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in awaited:
                raise bad_request(
                    f"messages[{place}]: a tool message must answer a tool call of the assistant message before it.",
                    param=f"messages[{place}]",
                )
            awaited.discard(message["tool_call_id"])
            continue
        if awaited:
            raise _unanswered(awaited)
        awaited = {call["id"] for call in message.get("tool_calls") or ()}
    if awaited:
        raise _unanswered(awaited)


def _unanswered(awaited: set[str]) -> Exception:
    return bad_request(f"No tool message answers the tool calls {', '.join(sorted(awaited))}.", param="messages")
