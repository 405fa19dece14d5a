"""The short-lived loopback listener that the browser's callback comes to; it accepts nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MAX_HEAD: Final = 16 * 1024  # bytes of a request's head; browsers send far fewer
PATIENCE: Final = 5.0  # seconds for the head to arrive, and for the page to be read; an idle preconnection just closes
MAX_CONNECTIONS: Final = 16  # answered at the same time
MAX_IDLE: Final = 64  # connections without a whole request yet, or with their page sent; a new one evicts the oldest

_STATUS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Failed",
    503: "Busy",
}
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
    """What the browser is shown: an HTTP status, a heading and a sentence or two."""

    status: int
    title: str
    text: str

    def html(self) -> str:
        """Return the page as HTML; everything in it is escaped, nothing is loaded, no script runs."""
        return (
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style>"
            f"<main role=main><h1>{escape(self.title)}</h1><p>{escape(self.text)}</p></main>"
        )


NOT_HERE: Final = Page(404, "Nothing here", "This address only takes the callback of a sign-in.")
_NO_VISIT: Final = Page(400, "Not this way", "Only a person's own visit in a browser is accepted here.")
_AHEAD: Final = Page(503, "Not yet", "This address can't be loaded ahead.")


class Listener:
    """Listens on a port of 127.0.0.1 that the system chooses, and on ::1, where `localhost` may mean that.

    `answer` gets the query of each GET of "/" and returns the page to show. Everything else is refused, and so is what
    a page loads without the person, where the browser's headers say so: an image, a fetch, a frame, a prefetch.
    `patience`: seconds that a client has to send its request, and again to read the page; a silent connection is closed
    after that, and sooner where others need its place.
    """

    def __init__(self, answer: Callable[[str], Awaitable[Page]], *, patience: float = PATIENCE) -> None:
        self._answer = answer
        self._patience = patience
        self._servers: list[asyncio.Server] = []
        self._answering = 0
        self._idle: dict[asyncio.StreamWriter, None] = {}  # oldest first
        self.port = 0

    async def start(self) -> None:
        """Open the port. Raises `OSError`, and leaves nothing open, where that fails."""
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
        # recorded before it serves: one that is cancelled while it starts serving would never be closed
        server = await asyncio.start_server(self._serve, address, port, limit=MAX_HEAD, start_serving=False)
        self._servers.append(server)
        await server.start_serving()
        if not server.sockets:  # asyncio skips a socket that can't be made, as where no more files may be open
            raise OSError(errno.EMFILE, "no socket could be made")
        return server

    def close(self) -> None:
        """Stop listening; a page that is being sent is still sent."""
        for server in self._servers:
            server.close()
        self._servers = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._let_in(writer)
        try:
            request = await self._request(reader)
            if request is not None:
                writer.write(_response(await self._page(request, writer)))
                await asyncio.wait_for(_see_off(reader, writer), self._patience)
        except (OSError, asyncio.TimeoutError):
            pass  # the browser is gone; nobody is left to answer
        finally:
            self._idle.pop(writer, None)
            writer.close()
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), self._patience)

    def _let_in(self, writer: asyncio.StreamWriter) -> None:
        self._idle[writer] = None
        if len(self._idle) > MAX_IDLE:
            oldest = next(iter(self._idle))
            del self._idle[oldest]
            oldest.transport.abort()

    async def _request(self, reader: asyncio.StreamReader) -> _Request | Page | None:
        """Read a request's head, or return the page that refuses it; None where none comes in time."""
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), self._patience)
        except asyncio.LimitOverrunError:
            return Page(400, "Too long", "This request is too long.")
        except (asyncio.IncompleteReadError, asyncio.TimeoutError):
            return None
        return _Request.read(head)

    async def _page(self, request: _Request | Page, writer: asyncio.StreamWriter) -> Page:
        refused = request if isinstance(request, Page) else request.refused(self.port)
        if refused is not None or isinstance(request, Page):
            return refused or NOT_HERE
        if self._answering >= MAX_CONNECTIONS:
            return Page(503, "Busy", "Too many connections.")
        self._idle.pop(writer, None)  # not evicted until it is answered
        self._answering += 1
        try:
            return await self._answer(request.query)
        except Exception:  # noqa: BLE001 - it would be logged, with frames that hold the query
            return Page(500, "Not signed in", "Something went wrong here. Start again in the notebook.")
        finally:
            self._answering -= 1
            self._let_in(writer)


@dataclass(frozen=True)
class _Request:
    """A request's head; header names are in lower case, values as they came."""

    method: str
    path: str
    query: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)

    @classmethod
    def read(cls, head: bytes) -> _Request:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        path, _, query = rest.partition(" ")[0].partition("?")
        named = (line.partition(":") for line in lines if line)
        return cls(method, path, query, tuple((name.strip().lower(), value.strip()) for name, _, value in named))

    def all(self, name: str) -> list[str]:
        return [value.lower() for found, value in self.headers if found == name]

    def refused(self, port: int) -> Page | None:
        """Return the page for a request that isn't a browser's callback to this port; None where it is one."""
        if self.all("host") not in [[f"{name}:{port}"] for name in ("localhost", "127.0.0.1", "[::1]")]:
            return Page(400, "Not for here", "This request names another host.")
        if self.method != "GET":
            return Page(405, "Not allowed", NOT_HERE.text)
        if self.path != "/" or not self.query:
            return NOT_HERE
        if any(self.all(name) for name in ("sec-purpose", "purpose", "x-purpose", "x-moz")):
            return _AHEAD  # a prefetch or a link preview must not use up the code
        # Browsers name the mode and destination of a request (older ones and curl don't), and an origin only where no
        # person followed a link; a GET has no body.
        expected = (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"))
        if any(value != allowed for name, allowed in expected for value in self.all(name)):
            return _NO_VISIT
        bodied = self.all("transfer-encoding") or any(size != "0" for size in self.all("content-length"))
        return _NO_VISIT if self.all("origin") or bodied else None


async def _see_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait until the client has read the page: closing while it still sends would reset the connection."""
    await writer.drain()
    writer.write_eof()
    while await reader.read(MAX_HEAD):
        pass


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
