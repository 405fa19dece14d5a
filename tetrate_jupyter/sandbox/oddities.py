"""Odd answers that real servers have sent: read from data/oddities.md and filled in for one request."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECTION = re.compile(r"^# ([a-z0-9-]+)\n(.+)\n((?:```[^\n]*\n(?:.*\n)*?```\n?)+)", re.MULTILINE)
_BLOCK = re.compile(r"^```([a-z]+) ?([^\n]*)\n((?:.*\n)*?)```$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\$(tool|head|tail|model|answer|entries|bom)\b")
_SHORT = re.compile(r'([DW])("[^"]*")?(\{.*\})')
_FINISH = re.compile(r'([FZ])(?: ("[^"]*"))?')
_USAGE: Final = '"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}'
_DEFAULT_TOOL: Final = "get_weather"
_TYPES: Final = {"stream": "text/event-stream", "raw": "text/event-stream"}
END_MARK: Final = "[DONE]"
CUT: Final = "!cut"
PAUSE: Final = "!pause"


@dataclass(frozen=True)
class Block:
    """One answer: its text, status, content type and headers. `told`: the words after its fence in the file."""

    text: str
    status: int
    content_type: str
    headers: Mapping[str, str]
    told: str = ""


@dataclass(frozen=True)
class Oddity:
    """One odd way to answer; `says` describes it in a sentence."""

    name: str
    says: str
    blocks: Mapping[str, Block] = field(repr=False)

    @property
    def body(self) -> Block | None:
        """The answer that is sent whether or not a stream was requested, or None."""
        return self.blocks.get("body")

    @property
    def calls_tools(self) -> bool:
        """Whether it calls a tool; the request with the tool's result then gets the normal answer."""
        return any("$tool" in block.text or "$head" in block.text for block in self.blocks.values())

    @property
    def lists_models(self) -> bool:
        """Whether it is an answer of the model list's route rather than of chat."""
        return any("$entries" in block.text for block in self.blocks.values())

    def refusal(self, messages: list[Any]) -> Block | None:
        """Return the answer to a round that doesn't send back what came with the tool calls; None where it does.

        As with real providers, only the assistant's messages since the user's last one are checked.
        """
        back = self.blocks.get("back")
        if back is None:
            return None
        wanted = json.loads(back.text)
        for message in _since_user(messages):
            calls = message.get("tool_calls") if message.get("role") == "assistant" else None
            if not calls:
                continue
            holder = message if back.told == "message" else calls[0]
            if any(holder.get(name) != value for name, value in wanted.items()):
                return self.blocks["refused"]
        return None


@dataclass(frozen=True)
class Values:
    """Values for placeholders. `answer`: the normal one; `entries`: the model list as JSON without its brackets."""

    model: str = ""
    tool: str | None = None
    answer: str = ""
    entries: str = ""

    def fill(self, text: str) -> str:
        """Return the text with its placeholders replaced."""
        tool = self.tool or _DEFAULT_TOOL
        half = tool.index("_") + 1 if "_" in tool[:-1] else len(tool) // 2
        values = {
            "tool": tool,
            "head": tool[:half],
            "tail": tool[half:],
            "model": _inside(self.model),
            "answer": _inside(self.answer),
            "entries": self.entries,
            "bom": "\ufeff",
        }
        return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def tool_of(body: Mapping[str, Any]) -> str | None:
    """Return the name of a request's first tool, or None."""
    tools = body.get("tools") or ()
    return str(tools[0]["function"]["name"]) if tools else None


def events(block: Block, values: Values, *, include_usage: bool) -> Iterator[str]:
    """Yield the data of each event of a stream, and `CUT` and `PAUSE` where those are due."""
    for line in block.text.splitlines():
        for data in _data_of(line):
            if data is not _USAGE_EVENT or include_usage:
                yield values.fill(_framed(data, "chat.completion.chunk"))


def whole(block: Block, values: Values) -> str:
    """Return the text of an answer that isn't streamed."""
    text = block.text.removesuffix("\n")
    if (short := _SHORT.fullmatch(text)) and short[1] == "W":
        finish = short[2] or '"stop"'
        text = f'{{~"choices":[{{"index":0,"message":{short[3]},"finish_reason":{finish}}}],{_USAGE}}}'
    return values.fill(_framed(text, "chat.completion"))


_USAGE_EVENT: Final = f'{{~"choices":[],{_USAGE}}}'


def _data_of(line: str) -> tuple[str, ...]:
    if (short := _SHORT.fullmatch(line)) and short[1] == "D":
        return (_chunk(short[3], short[2] or "null"),)
    if found := _FINISH.fullmatch(line):
        finish = _chunk("{}", found[2] or '"stop"')
        return (finish,) if found[1] == "F" else (finish, _USAGE_EVENT, END_MARK)
    return (_USAGE_EVENT,) if line == "U" else (line,)


def _chunk(delta: str, finish: str) -> str:
    return f'{{~"choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}'


def _framed(text: str, kind: str) -> str:
    if not text.startswith("{~"):
        return text
    return f'{{"id":"chatcmpl-odd","object":"{kind}","created":1764115200,"model":"$model",{text[2:]}'


def _inside(text: str) -> str:
    return json.dumps(text)[1:-1]  # ASCII only, so that it is valid in any encoding


def _since_user(messages: list[Any]) -> Iterator[dict[str, Any]]:
    for message in reversed(messages):
        if message.get("role") == "user":
            return
        yield message


def _read() -> dict[str, Oddity]:
    text = (Path(__file__).parent / "data" / "oddities.md").read_text(encoding="utf-8")
    return {name: Oddity(name, says, _blocks(blocks)) for name, says, blocks in _SECTION.findall(text)}


def _blocks(text: str) -> dict[str, Block]:
    return {kind: _block(kind, told, body) for kind, told, body in _BLOCK.findall(text)}


def _block(kind: str, told: str, text: str) -> Block:
    words = told.split()
    status = next((int(word) for word in words if word.isdecimal()), 200)
    content_type = next((word for word in words if "/" in word), _TYPES.get(kind, "application/json"))
    headers = dict(word.split("=", 1) for word in words if "=" in word)
    return Block(text, status, content_type, headers, told)


ODDITIES: Final = _read()
ODD_KINDS: Final = tuple(ODDITIES)
