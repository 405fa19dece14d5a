"""Parsing server-sent events: bytes in, data payloads out; independent of HTTP."""

from __future__ import annotations

from typing import Final

import msgspec

from tetrate_jupyter import config

_BOM = b"\xef\xbb\xbf"
_AROUND: Final = _BOM + b" \t"  # bytes before a field's name that some servers write
END_MARK: Final = b"[DONE]"
_ENOUGH: Final = 64  # bytes of a line that show how it begins
_BEATS: Final = frozenset({b"ping", b"pong", b"heartbeat", b"keepalive", b"keep-alive", b"keep_alive"})
MOST_LINES: Final = 100_000  # of one event, each 47 bytes plus its text; routers send one


class EventTooLargeError(Exception):
    """Raised for an event that is larger than the bound."""


class EventSplitter:
    """Splits a stream of bytes into the data of its events, wherever the bytes were cut.

    Line ends may be CRLF, LF or CR. Comments, keep-alives ("ping"), other event names, ids and retry hints are dropped;
    several data lines of one event are joined by LF, unless each is JSON of its own (some servers leave out the blank
    lines); such a line is given as soon as that can be told. JSON without "data:" counts as data, in lines of its own,
    too, and so does what stands behind "data:" twice. An event named "error", a field of that name and a bare JSON
    array become a chunk with an `error`. Everything is bytes, so a character that was cut in
    two needs no care.
    `max_event`: bytes that one event may have (default: `config.MAX_EVENT_BYTES`); beyond that, `feed` raises
    `EventTooLargeError`.
    """

    __slots__ = ("_after_cr", "_buffer", "_lines", "_looked", "_max_event", "_named", "_started")

    def __init__(self, max_event: int = config.MAX_EVENT_BYTES) -> None:
        self._buffer = bytearray()
        self._max_event = max_event
        self._after_cr = False
        self._started = False
        self._begin_block()

    def _begin_block(self) -> None:
        self._lines = _Lines()  # of the block in the buffer, whose end hasn't come
        self._looked = 0  # bytes of the buffer that it has seen
        self._named = b""  # the name of an event whose data hasn't come, where lines are events of their own

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
            return self._early()
        whole = bytes(buffer)
        buffer.clear()
        *blocks, rest = whole.split(b"\n\n")
        del whole  # keeps the number of copies of a large event low
        self._buffer = bytearray(rest)
        found = self._of_own(blocks.pop(0)) if self._lines.are_apart else []
        self._begin_block()
        return found + self._payloads(blocks) + self._early()

    def _early(self) -> list[bytes]:
        """Return the events in the buffer that are over, though no blank line has come."""
        buffer, lines = self._buffer, self._lines
        if buffer.startswith((b"{", b"[")):
            lines.are_apart = False
        while lines.are_apart is None and (end := buffer.find(b"\n", self._looked)) >= 0:
            lines.see(_field(bytes(buffer[self._looked : end])))
            self._looked = end + 1
        lines.expect(_field(bytes(buffer[self._looked : self._looked + _ENOUGH])))
        found = []
        if lines.are_apart and (end := buffer.rfind(b"\n")) > 0:
            found = self._of_own(bytes(buffer[:end]))
            del buffer[:end]  # the line end stays: with the next one it makes a blank line
            self._looked = 0
        if len(buffer) > self._max_event:
            raise EventTooLargeError
        return found

    def _of_own(self, block: bytes) -> list[bytes]:
        """Return the data of lines that are events of their own."""
        lines, self._named, _ = _data_lines(block, self._named)
        return [payload for named, data in lines if data.strip() for payload in _payload(named, data)]

    def finish(self) -> list[bytes]:
        """Return the data of what is left at the end of the bytes: an event without its blank line, perhaps cut off."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        found = self._of_own(rest) if self._lines.are_apart else self._payloads([rest])
        self._begin_block()
        return found

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
    if block[:1] == b"[":  # an error sent as bare JSON, without "data:", though a stream was announced
        return [b'{"error":' + block + b"}"]
    if block[:1] == b"{":
        documents = [line for line in block.split(b"\n") if line.strip()]
        are_apart = len(documents) > 1 and all(each.lstrip()[:1] == b"{" for each in documents)
        return documents if are_apart and _is_whole(documents[0]) else [block]
    lines, _, event = _data_lines(block)
    filled = [each for each in lines if each[1].strip()]
    apart = _Lines()
    for line in filled:
        apart.see((b"data", line[1]))
    if apart.are_apart or apart.are_marks:
        return [payload for each in filled for payload in _payload(*each)]
    return _payload(event, b"\n".join(line for _, line in lines))


def _field(line: bytes) -> tuple[bytes, bytes]:
    """Return the name of a line's field, in small letters, and what it holds."""
    name, _, value = line.partition(b":")
    value = value.removeprefix(b" ")
    if value.startswith(b"data:"):  # written as an event by one server, and once more by what stands before it
        value = value[len(b"data:") :].removeprefix(b" ")
    return name.lstrip(_AROUND).lower(), value


def _data_lines(block: bytes, named: bytes = b"") -> tuple[list[tuple[bytes, bytes]], bytes, bytes]:
    """Return what data lines hold, each behind the name of its event; then a name without data, and the last name."""
    lines: list[tuple[bytes, bytes]] = []
    event = named
    for line in block.split(b"\n"):
        name, value = _field(line)
        if name == b"data":
            lines.append((named, value))
            named = b""
        elif name == b"event":
            named = event = value.strip().lower()
        elif name == b"error" and value[:1] == b"{":  # llama.cpp's older form
            lines.append((b"error", value))
            event = b"error"
    return lines, named, event


class _Lines:
    """Tells whether the data lines of a block are events of their own, which no blank lines separate.

    `are_apart`: None while it isn't known. What is known stays so, whatever follows, or events would depend on how the
    bytes were cut: the first line with JSON must be whole, so that nothing can follow it in the same document, and
    another one must begin behind it.
    """

    __slots__ = ("_count", "_has_document", "are_apart")

    def __init__(self) -> None:
        self.are_apart: bool | None = None
        self._count = 0
        self._has_document = False

    @property
    def are_marks(self) -> bool:
        """Whether there are several lines, none of which holds more than a mark."""
        return self.are_apart is None and not self._has_document and self._count > 1

    def see(self, line: tuple[bytes, bytes]) -> None:
        """Take the next line, whole."""
        name, value = line
        if self.are_apart is not None or name != b"data" or not value.strip():
            return
        self._count += 1
        is_object = value.lstrip()[:1] == b"{"
        if self._has_document:
            self.are_apart = is_object or _is_end(value) or _is_beat(value)
        elif not _is_end(value) and not _is_beat(value):
            self._has_document = is_object and _is_whole(value)
            if not self._has_document or self._count > 1:
                self.are_apart = self._has_document

    def expect(self, line: tuple[bytes, bytes]) -> None:
        """Look at the beginning of the next line, whose end hasn't come."""
        name, value = line
        if self.are_apart is None and self._has_document and name == b"data" and value.lstrip()[:1] == b"{":
            self.are_apart = True


def _payload(event: bytes, data: bytes) -> list[bytes]:
    """Return the data of one event, [] for a keep-alive."""
    is_empty = not data.strip(b"\n")
    if event == b"error":
        return [_named_error(None if is_empty else data)]
    if event in _BEATS or is_empty or _is_beat(data):
        return []
    return [END_MARK if _is_end(data) else data]


def _is_beat(data: bytes) -> bool:
    found = data.strip(b' \t\n"').lower()
    return found in _BEATS or (found[:1] == b":" and b"{" not in found)  # a comment that was written as data


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
