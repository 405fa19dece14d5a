"""Signed reasoning that comes beside an answer and has to go back with its tool calls as it came; pure.

OpenRouter's `reasoning_details` and LiteLLM's `thinking_blocks` are lists whose entries come in pieces; without them
some providers refuse the next round. Usually the same words come as plain reasoning, too; some gateways leave that out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.http.chunk_reading import whole

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

MOST: Final = 1_000  # entries of one answer; each thought has one
_GROWING: Final = ("text", "thinking", "summary")  # members whose pieces are joined


class SignedReasoning:
    """The entries of one answer, by the member in which they came.

    `within` returns as much of a text as there is room for.
    """

    def __init__(self, within: Callable[[str], str]) -> None:
        self._within = within
        self._found: dict[str, list[dict[str, Any]]] = {}

    def add(self, name: str, raw: msgspec.Raw) -> str:
        """Take the entries in one chunk and return their words; what doesn't fit, or is no object, is left out."""
        text = bytes(raw).decode("utf-8", "replace")
        if self._within(text) != text:
            return ""
        try:
            pieces = json.loads(text)
        except (ValueError, RecursionError):
            return ""
        entries, words = self._found.setdefault(name, []), list[str]()
        for piece in pieces if isinstance(pieces, list) else ():
            if not isinstance(piece, dict):
                continue
            words += [piece[each] for each in _GROWING if isinstance(piece.get(each), str)]
            if entries and _continues(piece, entries[-1]):
                _join(entries[-1], piece)
            elif len(entries) < MOST:
                entries.append(piece)
        return "".join(words)

    def found(self) -> dict[str, Any]:
        """Return the members that have entries, without any key."""
        held = {name: entries for name, entries in self._found.items() if entries}
        return dict(json.loads(whole(json.dumps(secrecy.redacted(held), ensure_ascii=False)))) if held else {}


def _continues(piece: dict[str, Any], last: dict[str, Any]) -> bool:
    if not any(isinstance(piece.get(name), str) and isinstance(last.get(name), str) for name in _GROWING):
        return False
    return piece.get("type") == last.get("type") and piece.get("index") == last.get("index")


def _join(last: dict[str, Any], piece: dict[str, Any]) -> None:
    for name, value in piece.items():
        if name in _GROWING and isinstance(value, str) and isinstance(last.get(name), str):
            last[name] += value
        elif value is not None or name not in last:
            last[name] = value
