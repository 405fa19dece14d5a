"""The forms in which a key may turn up, and a router that says the key it was asked with again, wherever it can."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda key: key,
    "in json": lambda key: json.dumps({"key": key}),
    "reversed": lambda key: key[::-1],
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 after one": lambda key: base64.b64encode(f":{key}!".encode()).decode(),
    "base64 after two": lambda key: base64.b64encode(f"u:{key}".encode()).decode(),
    "base64 of a header": lambda key: base64.urlsafe_b64encode(f"Bearer {key}\n".encode()).decode(),
    "hex": lambda key: key.encode().hex(),
    "HEX": lambda key: key.encode().hex().upper(),
    "percent": lambda key: "".join(f"%{byte:02x}" for byte in key.encode()),
    "PERCENT": lambda key: "".join(f"%{byte:02X}" for byte in key.encode()),
    "in a url": lambda key: f"https://a.example/?key={quote(key, safe='')}",
    "its beginning": lambda key: key[: len(key) // 2],
    "its end": lambda key: key[len(key) // 2 :],
}


def without(key: str, *shown: object) -> None:
    """Check that no form of the key, nor half of it, is in what was shown."""
    text = "\n".join(each if isinstance(each, str) else repr(each) for each in shown)
    found = [name for name, form in FORMS.items() if form(key).rstrip("=") in text]
    assert found == [], f"the key is there: {found}"


@dataclass
class EchoRouter:
    """A router that takes any key. `say` gets it and gives the body of each route's answer, or (status, body, type).

    The body of a chat is a list of events, a text, or JSON.
    """

    say: dict[str, Callable[[str], Any]] = field(default_factory=dict)
    headers: Callable[[str], dict[str, str]] = lambda _: {}
    bodies: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        echo = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                echo.answer(self)

            def do_POST(self) -> None:
                echo.bodies.append(self.rfile.read(int(self.headers.get("content-length", 0))))
                echo.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        key = handler.headers.get("authorization", "").removeprefix("Bearer ")
        route = handler.path.partition("?")[0].rsplit("/", 1)[-1]
        usual = {"models": _models, "completions": lambda _: [text("fine"), STOP]}
        if handler.path.startswith("/api/public"):
            route = "catalog"
        said = (self.say.get(route) or usual.get(route, lambda _: (404, {}, "application/json")))(key)
        status, body, kind = said if isinstance(said, tuple) else (200, said, "application/json")
        if isinstance(body, list) and route == "completions":
            kind = "text/event-stream"
            body = "".join(f"data: {each if isinstance(each, str) else json.dumps(each)}\n\n" for each in body)
            body += "data: [DONE]\n\n"
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        handler.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(data)), **self.headers(key)}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)


def _models(_: str) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": "m-1"}, {"id": "m-2"}]}


def text(content: str, **more: Any) -> dict[str, Any]:
    return {"model": "m-1", "choices": [{"index": 0, "delta": {"content": content}}], **more}


def delta(**members: Any) -> dict[str, Any]:
    return {"model": "m-1", "choices": [{"index": 0, "delta": members}]}


def pieces(whole: str, size: int) -> Iterator[str]:
    return (whole[at : at + size] for at in range(0, len(whole), size))


STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
