"""Token counts, estimated from the length of the actual text, and a simulated prompt cache."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from typing import Any, Final

from tetrate_jupyter.config import CHARACTERS_PER_TOKEN, TOKENS_PER_IMAGE, TOKENS_PER_MESSAGE
from tetrate_jupyter.sandbox.replies.reply import Reply, text_of

CACHE_MINIMUM: Final = 1024  # tokens; providers don't cache shorter prefixes
CACHE_STEP: Final = 128  # tokens; a cached prefix has a multiple of this
_REMEMBERED = 64  # pairs of key and model whose last prompt is kept


def tokens_in(text: str) -> int:
    """Return an estimate of a text's tokens."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def prompt_text(body: dict[str, Any]) -> str:
    """Return all text of a request that a model would read, without image data."""
    tools = json.dumps(body["tools"]) if body.get("tools") else ""
    shape = json.dumps(body["response_format"]) if body.get("response_format") else ""
    return "\n".join([tools, shape, *(_whole_text(m) for m in body["messages"])])


def prompt_tokens(body: dict[str, Any]) -> int:
    """Return a request's prompt tokens: those of its text, plus 4 per message and 800 per image."""
    messages: list[dict[str, Any]] = body["messages"]
    images = sum(
        bool(part.get("type") == "image_url")
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
    )
    return tokens_in(prompt_text(body)) + len(messages) * TOKENS_PER_MESSAGE + images * TOKENS_PER_IMAGE


def usage_of(body: dict[str, Any], reply: Reply, *, cached: int, thinks: bool) -> dict[str, Any]:
    """Return the `usage` member of an answer. Reasoning tokens are part of the completion tokens."""
    prompt = prompt_tokens(body)
    reasoning = tokens_in(reply.reasoning)
    calls = sum(tokens_in(call.name + json.dumps(call.arguments)) for call in reply.calls)
    completion = tokens_in(reply.text) + calls + reasoning
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": min(cached, prompt)},
    }
    if thinks:
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return usage


class PromptCache:
    """The last prompt of each key and model; the prefix that the next one shares with it counts as cached."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, str], str] = OrderedDict()

    def cached_tokens(self, key: str, model: str, text: str) -> int:
        """Return the number of cached tokens of a prompt, and remember the prompt."""
        shared = _shared_start(self._last.pop((key, model), ""), text)
        self._last[key, model] = text
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        tokens = int(shared / CHARACTERS_PER_TOKEN) // CACHE_STEP * CACHE_STEP
        return tokens if tokens >= CACHE_MINIMUM else 0


def _shared_start(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _whole_text(message: dict[str, Any]) -> str:
    calls = json.dumps(message["tool_calls"]) if message.get("tool_calls") else ""
    return f"{message.get('role')}: {text_of(message)}{calls}"
