"""The tool calls of one round, assembled from their pieces; pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import config, secrecy
from tetrate_jupyter.http.chunk_reading import whole
from tetrate_jupyter.types import ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tetrate_jupyter.http.chunks import ToolCallDelta

_WEIGHT: Final = 32  # characters that each piece counts for in addition, so that empty pieces are bounded, too
_MOST_LOOKS: Final = 64  # times that one call's growing arguments are parsed, each time from the start
_EXTRA_BRACES: Final = re.compile(r"\A\s*(?:\{\s*\}\s*)+(?=\{)")  # within a text they are the model's: \frac{}{2}
_DECODER: Final = json.JSONDecoder(strict=False)


@dataclass
class _Call:
    index: int
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    extra: dict[str, bytes] = field(default_factory=dict)
    looks: int = 0
    length: int = 0  # characters of the arguments
    names: list[tuple[int, str]] = field(default_factory=list)  # each with the length at which it came

    @property
    def is_begun(self) -> bool:
        """Whether there are arguments that aren't complete yet. False after a bounded number of checks."""
        if not self.arguments or self.looks >= _MOST_LOOKS:
            return False
        self.looks += 1
        text = _EXTRA_BRACES.sub("", "".join(self.arguments), count=1)
        return bool(text.strip()) and not _is_json(text)


class Calls:
    """Assembles calls from pieces. The first `config.MAX_CALLS_PER_ROUND` are kept; `are_too_many`: there were more.

    `within` returns as much of a text as there is room for. `names`: the available tools, to join names sent in pieces.
    """

    def __init__(self, within: Callable[[str], str], names: Iterable[str] = ()) -> None:
        self.are_too_many = False
        self._within = within
        self._names = tuple(names)
        self._calls: list[_Call] = []
        self._newest: dict[int, _Call] = {}  # by index
        self._only: _Call | None = None  # that of `function_call`; some servers send it beside `tool_calls`, for others

    @property
    def are_any(self) -> bool:
        """Whether there is a call."""
        return bool(self._calls or self._only)

    def add_only(self, part: ToolCallDelta) -> None:
        """Take a piece of the one call that an answer has in the API's older form; it counts where no other comes."""
        self._within(" " * _WEIGHT)
        self._only = self._only or _Call(0)
        self._fill(self._only, part)

    def add(self, parts: list[ToolCallDelta]) -> None:
        """Take the pieces in one chunk."""
        named = False  # whether this chunk has already named a call without an index
        for part in parts:
            self._within(" " * _WEIGHT)
            is_lone = part.index is None and not part.id and bool(part.name)
            call = self._new(part) if is_lone and named else self._call_of(part)
            named = named or is_lone
            if call is not None:
                self._fill(call, part)

    def _call_of(self, part: ToolCallDelta) -> _Call | None:
        """Return a piece's call: a new id, or a whole entry without an index, begins a new one. None: too many."""
        if part.index is not None:
            current = self._newest.get(part.index)
        elif part.id:
            current = next((call for call in reversed(self._calls) if call.id == part.id), None)
            if current is None and self._calls and not self._calls[-1].id and not part.name:
                current = self._calls[-1]
        else:
            current = self._calls[-1] if self._calls else None
        if current is None or self._begins(part, current):
            return self._new(part)
        return current

    def _begins(self, part: ToolCallDelta, current: _Call) -> bool:
        if part.id and current.id:
            # Some gateways give each piece of a call an id of its own; such pieces have no name and continue the
            # arguments.
            if part.id != current.id:
                return bool(part.name) or not current.is_begun
            return self._is_another(current.name, part.name)
        if self._is_another(current.name, part.name):
            return True
        if not part.name or not (part.arguments or "").lstrip().startswith("{"):
            return False
        return bool(current.arguments) and not part.id and not current.is_begun

    def _is_another(self, name: str, more: str | None) -> bool:
        """Whether both are tools of their own: a call without arguments is over when another tool is named."""
        if not more or more.startswith(name) or not {name, more} <= set(self._names):
            return False
        return not any(tool.startswith(name + more) for tool in self._names)

    def _new(self, part: ToolCallDelta) -> _Call | None:
        if len(self._calls) >= config.MAX_CALLS_PER_ROUND:
            self.are_too_many = True
            return None
        call = _Call(len(self._calls) if part.index is None else part.index)
        self._calls.append(call)
        self._newest[call.index] = call
        return call

    def _fill(self, call: _Call, part: ToolCallDelta) -> None:
        if part.id and not call.id and len(part.id) <= config.MAX_CALL_ID:
            call.id = part.id
        if part.name:
            name = self._joined(call.name, part.name)[: config.MAX_CALL_NAME]
            if name != call.name:
                call.names.append((call.length, name))
            call.name = name
        if part.arguments:
            call.arguments.append(self._within(part.arguments))
            call.length += len(call.arguments[-1])
        for name, value in (part.extra or {}).items():
            if self._within(value.decode("latin-1")) and len(call.extra) < config.MAX_CALLS_PER_ROUND:
                call.extra[name] = value

    def _joined(self, name: str, more: str) -> str:
        """Return `name + more` where a tool's name begins so, else `more`: some gateways repeat the name each time."""
        if name and name != more and any(tool.startswith(name + more) for tool in self._names):
            return name + more
        return more

    def found(self) -> tuple[ToolCall, ...]:
        """Return the calls in the model's order; a missing or repeated id is replaced by a generated one."""
        calls: list[ToolCall] = []
        ids: set[str] = set()
        for place, call in enumerate(sorted(self._calls or filter(None, [self._only]), key=lambda c: c.index)):
            if not call.name:
                continue
            extra = _extra(call.extra)
            for name, arguments in _apart(call) or [(call.name, _once(call.arguments))]:
                identity = call.id or f"call_{place}"
                while identity in ids:
                    identity = f"{identity}_{max(place, 1)}"
                ids.add(identity)
                one, two, three = (secrecy.redact(whole(text)) for text in (identity, name, arguments))
                calls.append(ToolCall(one, two, three, extra))
                extra = ""  # what came with the first of them is its own
        self.are_too_many = self.are_too_many or len(calls) > config.MAX_CALLS_PER_ROUND
        return tuple(calls[: config.MAX_CALLS_PER_ROUND])


def _apart(call: _Call) -> list[tuple[str, str]]:
    """Return name and arguments of each call in what came as one; [] where it is one.

    Some servers send parallel calls under one id, or without any: several whole objects, which are never valid as one.
    """
    text = "".join(call.arguments)
    pieces: list[tuple[str, str]] = []
    at = _past_spaces(text, 0)
    while text.startswith("{", at):
        try:
            _, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return []
        name = next((name for start, name in reversed(call.names) if start <= at), call.name)
        pieces.append((name, text[at:end]))
        at = _past_spaces(text, end)
    filled = {name for name, arguments in pieces if arguments[1:-1].strip()}
    found = [piece for piece in pieces if piece[1][1:-1].strip() or piece[0] not in filled]
    found = [piece for place, piece in enumerate(found) if not place or piece != found[place - 1]]
    return found if at == len(text) and len(found) > 1 else []


def _past_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _once(pieces: list[str]) -> str:
    """Return a call's arguments, without empty ones before them or the same ones again.

    Some servers end a call with all of its arguments once more, or send with each piece those before it.
    """
    text = _EXTRA_BRACES.sub("", whole("".join(pieces)), count=1)
    last = whole(pieces[-1]).strip() if len(pieces) > 1 else ""
    if last[:1] != "{" or _is_json(text) or not _is_json(last):
        return text
    is_again = _EXTRA_BRACES.sub("", whole("".join(pieces[:-1])), count=1).strip() == last
    return last if is_again or all(last.startswith(piece.strip()) for piece in pieces[:-1]) else text


def _extra(members: dict[str, bytes]) -> str:
    if not members:
        return ""
    found: dict[str, Any] = {}
    for name, value in members.items():
        try:
            found[name] = json.loads(value)
        except (ValueError, RecursionError):
            continue
    return whole(json.dumps(secrecy.redacted(found), ensure_ascii=False)) if found else ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    return True
