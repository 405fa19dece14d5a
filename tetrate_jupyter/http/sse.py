"""Parsing server-sent events: bytes in, data payloads out; independent of HTTP."""

from __future__ import annotations

from typing import Final

import msgspec

from tetrate_jupyter import config

_BOM = b"\xef\xbb\xbf"
_AROUND: Final = _BOM + b" \t"  # bytes before a field's name that some servers write
END_MARK: Final = b"[DONE]"
_BEATS: Final = frozenset({b"ping", b"pong", b"heartbeat", b"keepalive", b"keep-alive", b"keep_alive"})
MOST_LINES: Final = 100_000  # of one event, each 47 bytes plus its text; routers send one


class EventTooLargeError(Exception):
    """Raised for an event that is larger than the bound."""


class EventSplitter:
    """Splits a stream of bytes into the data of its events, wherever the bytes were cut.

    Line ends may be CRLF, LF or CR. Comments, keep-alives ("ping"), other event names, ids and retry hints are dropped;
    several data lines of one event are joined by LF, unless each is JSON of its own (some servers leave out the blank
    lines). JSON without "data:" counts as data. An event named "error", and a bare JSON array, become a chunk with an
    `error`. Everything is bytes, so a character that was cut in two needs no care.
    `max_event`: bytes that one event may have (default: `config.MAX_EVENT_BYTES`); beyond that, `feed` raises
    `EventTooLargeError`.
    """

    __slots__ = ("_after_cr", "_buffer", "_max_event", "_started")

    def __init__(self, max_event: int = config.MAX_EVENT_BYTES) -> None:
        self._buffer = bytearray()
        self._max_event = max_event
        self._after_cr = False
        self._started = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the data of each event that they complete."""
        buffer = self._buffer
        if not self._started:
            buffer += data
            if len(buffer) < len(_BOM) and _BOM.startswith(buffer):
                return []
            self._started = True
            data = bytes(buffer).removeprefix(_BOM)
            buffer.clear()
        if self._after_cr or b"\r" in data:
            data = self._plain_line_ends(data)
        if not buffer and data.endswith(b"\n\n"):
            return self._payloads(data[:-2].split(b"\n\n"))  # the common case: whole events only
        seen = max(0, len(buffer) - 1)
        buffer += data
        if buffer.find(b"\n\n", seen) < 0:
            if len(buffer) > self._max_event:
                raise EventTooLargeError
            return []
        whole = bytes(buffer)
        buffer.clear()
        *blocks, rest = whole.split(b"\n\n")
        del whole  # keeps the number of copies of a large event low
        self._buffer = bytearray(rest)
        return self._payloads(blocks)

    def finish(self) -> list[bytes]:
        """Return the data of what is left at the end of the bytes: an event without its blank line, perhaps cut off."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return self._payloads([rest])

    def _plain_line_ends(self, data: bytes) -> bytes:
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
            self._after_cr = False
        if data:
            self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _payloads(self, blocks: list[bytes]) -> list[bytes]:
        found = []
        for block in filter(None, blocks):
            if len(block) > self._max_event or block.count(b"\n") >= MOST_LINES:
                raise EventTooLargeError
            if block.startswith(b"data: {") and b"\n" not in block:
                found.append(block[6:])
            else:
                found.extend(_data_of(block))
        return found


def _data_of(block: bytes) -> list[bytes]:
    if block[:1] in (b"{", b"["):  # an error sent as bare JSON, without "data:", though a stream was announced
        return [block if block[:1] == b"{" else b'{"error":' + block + b"}"]
    lines: list[tuple[bytes, bytes]] = []  # what data lines hold, each behind the name of its event
    named = event = b""
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        name = name.lstrip(_AROUND).lower()
        if name == b"data":
            lines.append((named, value.removeprefix(b" ")))
            named = b""
        elif name == b"event":
            named = event = value.strip().lower()
    filled = [each for each in lines if each[1].strip()]
    if len(filled) > 1 and _are_apart([line for _, line in filled]):
        return [payload for each in filled for payload in _payload(*each)]
    return _payload(event, b"\n".join(line for _, line in lines))


def _payload(event: bytes, data: bytes) -> list[bytes]:
    """Return the data of one event, [] for a keep-alive."""
    is_empty = not data.strip(b"\n")
    if event == b"error":
        return [_named_error(None if is_empty else data)]
    if event in _BEATS or is_empty or _is_beat(data):
        return []
    return [END_MARK if _is_end(data) else data]


def _are_apart(lines: list[bytes]) -> bool:
    """Whether lines of data are events of their own, which no blank lines separate."""
    documents = [line for line in lines if not _is_end(line) and not _is_beat(line)]
    return all(line.lstrip()[:1] == b"{" for line in documents) and (not documents or _is_whole(documents[0]))


def _is_beat(data: bytes) -> bool:
    return data.strip(b' \t\n"').lower() in _BEATS


def _is_end(data: bytes) -> bool:
    return data.strip(b' \t\n"').upper() == END_MARK


def _is_whole(line: bytes) -> bool:
    """Whether a line is valid JSON by itself, so that nothing can follow it in the same document."""
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return False
    return True


def _named_error(data: bytes | None) -> bytes:
    """Return the data of an event named "error" as a chunk with the member `error`, whatever its shape."""
    try:
        content = msgspec.json.decode(data or b"null")
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        content = (data or b"").decode("utf-8", "replace")
    return msgspec.json.encode({"error": content or "the server named no reason"})
