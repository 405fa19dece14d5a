"""A raw server on loopback that answers every request with the same bytes, whatever was asked."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

    Answer = bytes | Iterable[bytes]

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_HANG_BOUND = 60.0  # seconds; a client that neither reads nor hangs up is given up


class HostileServer:
    """`answer` gives the bytes for a request's path, or pieces of them. `with HostileServer(...) as server:`."""

    def __init__(self, answer: Callable[[str], Answer]) -> None:
        self.answer = answer
        self.asked: list[bytes] = []  # the heads of the requests
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._closed = False

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return self.origin + "/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        connection.settimeout(_HANG_BOUND)
        with contextlib.suppress(OSError), connection:
            head = _request(connection)
            if head:
                self.asked.append(head)
                self._send(connection, self.answer(head.split(b" ", 2)[1].decode()))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):  # what was not read yet must not become a reset
                    pass
        self._open.discard(connection)

    def _send(self, connection: socket.socket, answer: Answer) -> None:
        if isinstance(answer, bytes):
            connection.sendall(answer)
            return
        pieces = iter(answer)
        try:
            for piece in pieces:
                connection.sendall(piece)
        finally:  # a generator hears at once that the client has hung up
            close = getattr(pieces, "close", None)
            if close is not None:
                close()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    found = _LENGTH.search(head)
    left = (int(found[1]) if found else 0) - len(body)
    while left > 0:
        left -= len(connection.recv(65536)) or left
    return head


def response(body: bytes, *headers: str, status: int = 200, kind: str = "application/json") -> bytes:
    """One whole response that ends with the connection."""
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(body)}", "connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body
