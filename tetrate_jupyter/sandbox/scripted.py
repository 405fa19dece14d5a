"""Replies that are given rather than composed: those of the test models and of some faults."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.sandbox import models
from tetrate_jupyter.sandbox.api_error import bad_request
from tetrate_jupyter.sandbox.replies.reply import Ask, Reply
from tetrate_jupyter.sandbox.replies.tools import call_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTING = re.compile(r"(\w+)\s*=\s*([0-9.]+)")
_FILLER = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor "
_MOST_CHUNKS = 1_000_000
_MOST_CHARACTERS = 50_000_000  # of one answer, which is made as a whole


@dataclass(frozen=True)
class Script:
    """The plan that "sandbox/stream" reads from its prompt, such as "chunks=1000 size=20 interval=0.01 first=0.5".

    It sends `chunks` chunks of exactly `size` characters, `interval` seconds apart, the first after `first` seconds:
    real ones, whatever the router's speed. Chunk i (from 0) begins with "#i " where `size` leaves room for it. With
    `paragraph=25` every 25th chunk ends with a blank line in place of its last two characters.
    """

    chunks: int = 100
    size: int = 20
    interval: float = 0.0
    first: float = 0.0
    paragraph: int = 0

    @staticmethod
    def of(body: dict[str, Any]) -> Script:
        """Return the plan in the last message. Raises `ApiError` (400) for an invalid one."""
        content = body["messages"][-1].get("content")
        found = dict(_SETTING.findall(content)) if isinstance(content, str) else {}
        unknown = found.keys() - {"chunks", "size", "interval", "first", "paragraph"}
        if unknown:
            known = "chunks, size, interval, first and paragraph"
            raise bad_request(f"sandbox/stream takes {known}, not {', '.join(unknown)}.")
        try:
            chunks, size = int(found.get("chunks", 100)), int(found.get("size", 20))
            seconds = float(found.get("interval", 0)), float(found.get("first", 0))
            plan = Script(chunks, size, *seconds, paragraph=int(found.get("paragraph", 0)))
        except ValueError:
            raise bad_request("sandbox/stream takes whole numbers, and seconds for interval and first.") from None
        most = _MOST_CHARACTERS // max(plan.size, 1)
        if not (0 <= plan.chunks <= min(_MOST_CHUNKS, most) and 1 <= plan.size <= _MOST_CHUNKS):
            raise bad_request("sandbox/stream: chunks or size out of range.")
        return plan

    def texts(self) -> Iterator[str]:
        """Yield the text of each chunk."""
        filler = (_FILLER * (self.size // len(_FILLER) + 2))[: self.size]
        for number in range(self.chunks):
            text = (f"#{number} {filler}" if self.size > len(str(number)) + 2 else filler)[: self.size]
            ends = self.paragraph and (number + 1) % self.paragraph == 0
            yield text[:-2] + "\n\n" if ends else text


_DICTATED: dict[str, Reply] = {
    "content-filter": Reply(finish="content_filter"),
    "empty-answer": Reply(),
    "length": Reply("This answer stops at its output limit, in the middle of a", finish="length"),
    "byte-split": Reply("Grüße aus dem Sandkasten, 世界, 🌍 👩🏽‍🔬 — naïve café, ½ π ≈ 1.5708."),
}


def reply(ask: Ask, kind: str | None) -> Reply | None:
    """Return the given reply of a test model or fault, or None where a reply is composed."""
    if kind in _DICTATED:
        return _DICTATED[kind]
    answered = kind == "loose-tool-calls" and ask.messages[-1].get("role") == "tool"
    if kind in {"tool-loop", "loose-tool-calls"} and ask.body.get("tools") and not answered:
        return Reply(calls=(call_of(ask, ask.body["tools"][0]),), finish="tool_calls")
    if ask.model == models.ECHO:
        return Reply(ask.prompt)
    if ask.model == models.STREAM:
        return Reply("".join(Script.of(ask.body).texts()))
    return None
