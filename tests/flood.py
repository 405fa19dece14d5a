"""A router that answers as fast as it can with a text of any size, and then keeps the line open until it is hung up."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tetrate_jupyter import config

if TYPE_CHECKING:
    from typing_extensions import Self

MODEL = "raw/flood"
_PIECE = 20_000  # characters of one event


class Flood:
    """Sends `texts[prompt]`, each a pair of field ("content", "reasoning_content") and text, to who asks `prompt`.

    `sent` is set when all of the last text has been written to the connection.
    """

    def __init__(self, texts: dict[str, tuple[str, str]]) -> None:
        self.texts = texts
        self.sent = threading.Event()
        self._closing = threading.Event()
        flood = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                known = self.path.endswith("/models")
                body = json.dumps({"data": [{"id": MODEL}]} if known else {}).encode()
                self.send_response(200 if known else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.close_connection = True
                with contextlib.suppress(OSError):
                    flood.stream(self, asked["messages"][-1]["content"].strip())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def stream(self, handler: BaseHTTPRequestHandler, prompt: str) -> None:
        """Write one answer and wait for the hang-up."""
        field, text = self.texts[prompt]
        for start in range(0, len(text), _PIECE):
            delta = {"choices": [{"index": 0, "delta": {field: text[start : start + _PIECE]}}], "model": MODEL}
            handler.wfile.write(f"data: {json.dumps(delta)}\n\n".encode())
        handler.wfile.flush()
        self.sent.set()
        handler.connection.settimeout(0.1)
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                if not handler.connection.recv(1):
                    return

    @property
    def environment(self) -> dict[str, str]:
        """What points a kernel at it."""
        url = f"http://127.0.0.1:{self._server.server_port}"
        return {
            config.BASE_URL_VARIABLE: f"{url}/v1",
            config.AUTH_URL_VARIABLE: url,
            config.KEY_VARIABLES[0]: "sk-flood",
        }

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
