"""Log probabilities of an answer's tokens: invented, deterministic, with a total probability of at most 1."""

from __future__ import annotations

import math
import re
import zlib
from typing import Any, Final

_TOKENS: Final = re.compile(r"\s?\S{1,6}|\s")
_ALTERNATIVES: Final = (
    " the", " a", " of", " and", " to", " in", " is", " that", " it", " for", " as", " with", " on", " at", " by",
    " or", " an", " be", " this", " are", " from",
)  # fmt: skip


def logprobs_of(text: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the `logprobs` member for a text, or None where none were requested."""
    if not body.get("logprobs"):
        return None
    most = int(body.get("top_logprobs") or 0)
    return {"content": [_entry(token, most) for token in _TOKENS.findall(text)], "refusal": None}


def _entry(token: str, most: int) -> dict[str, Any]:
    chance = 0.5 + zlib.crc32(token.encode("utf-8", "replace")) % 499 / 1000  # 0.5 or more: the likeliest
    top = [_shown(token, chance)]
    for place, other in enumerate((t for t in _ALTERNATIVES if t != token), 1):
        top.append(_shown(other, (1 - chance) / 2**place))
    return {**_shown(token, chance), "top_logprobs": top[:most]}


def _shown(token: str, chance: float) -> dict[str, Any]:
    return {
        "token": token,
        "logprob": round(math.log(chance), 8),
        "bytes": list(token.encode("utf-8", "replace")),
    }
