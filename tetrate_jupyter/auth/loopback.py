"""The one-shot listener that the browser comes back to: loopback only, short-lived, accepts one thing."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MAX_HEAD: Final = 16 * 1024  # bytes of a request's head; browsers send far less
PATIENCE: Final = 5.0  # seconds for it to arrive, and for the page to be taken; a connection opened ahead just closes
MAX_CONNECTIONS: Final = 16

_STATUS: Final = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Busy"}
_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif;"
    "background:light-dark(#f6f7f9,#16181d);color:light-dark(#1d2129,#e6e8ec)}"
    "main{max-width:26rem;margin:1.5rem;padding:2rem;border-radius:12px;text-align:center;"
    "background:light-dark(#fff,#1f2229);border:1px solid light-dark(#dfe2e8,#343943)}"
    "h1{margin:0 0 .5rem;font-size:1.35rem}p{margin:0;overflow-wrap:anywhere}"
)


@dataclass(frozen=True)
class Page:
    """What the browser is shown: a status, a heading and one sentence."""

    status: int
    title: str
    text: str

    def html(self) -> str:
        """Give the page; everything in it is escaped, nothing is loaded, no script runs."""
        return (
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style>"
            f"<main role=main><h1>{escape(self.title)}</h1><p>{escape(self.text)}</p></main>"
        )


NOT_HERE: Final = Page(404, "Nothing here", "This address only waits for a sign-in to come back.")


class Listener:
    """Waits on a port of 127.0.0.1 (and ::1, where `localhost` may mean that) that the system chooses.

    `answer` is given the query of each GET of "/" and gives the page to show. Everything else is refused. `patience`:
    seconds for a client to send its request, and again to take the page.
    """

    def __init__(self, answer: Callable[[str], Awaitable[Page]], *, patience: float = PATIENCE) -> None:
        self._answer = answer
        self._patience = patience
        self._servers: list[asyncio.Server] = []
        self._open = 0
        self.port = 0

    async def start(self) -> None:
        """Open the port; nothing stays open where that fails. Raises `OSError`."""
        try:
            server = await self._listen("127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            if socket.has_ipv6:
                with contextlib.suppress(OSError):
                    await self._listen("::1", self.port)
        except BaseException:
            self.close()
            raise

    async def _listen(self, address: str, port: int) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, address, port, limit=MAX_HEAD)
        self._servers.append(server)
        if not server.sockets:  # asyncio passes over a socket that can't be made, as where no file may be opened
            raise OSError(errno.EMFILE, "no socket could be made")
        return server

    def close(self) -> None:
        """Stop listening; a page that is being sent is still sent."""
        for server in self._servers:
            server.close()
        self._servers = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            page = (
                Page(503, "Busy", "Too many connections.") if self._open > MAX_CONNECTIONS else await self._page(reader)
            )
            if page is not None:
                writer.write(_response(page))
                await asyncio.wait_for(_see_off(reader, writer), self._patience)
        except (OSError, asyncio.TimeoutError):
            pass  # the browser is gone; there is nobody to tell
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), self._patience)

    async def _page(self, reader: asyncio.StreamReader) -> Page | None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), self._patience)
        except asyncio.LimitOverrunError:
            return Page(400, "Too long", "This request is too long.")
        except (asyncio.IncompleteReadError, asyncio.TimeoutError):
            return None
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        target = rest.partition(" ")[0]
        if _header(lines, "host") not in {f"localhost:{self.port}", f"127.0.0.1:{self.port}", f"[::1]:{self.port}"}:
            return Page(400, "Not for here", "This request names another host.")
        if method != "GET":
            return Page(405, "Not allowed", NOT_HERE.text)
        path, _, query = target.partition("?")
        if path != "/" or not query:
            return NOT_HERE
        return await self._answer(query)


async def _see_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let the client take the page: closing on what it still sends would reset the connection and lose the page."""
    await writer.drain()
    writer.write_eof()
    while await reader.read(MAX_HEAD):
        pass


def _header(lines: list[str], name: str) -> str:
    found = [line.partition(":")[2].strip().lower() for line in lines[1:] if line.lower().startswith(name + ":")]
    return found[0] if len(found) == 1 else ""


def _response(page: Page) -> bytes:
    body = page.html().encode()
    head = [
        f"HTTP/1.1 {page.status} {_STATUS[page.status]}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        *(["Allow: GET"] if page.status == 405 else []),
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
