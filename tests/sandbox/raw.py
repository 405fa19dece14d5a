"""A client that interprets nothing: what was sent, byte for byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, IncompleteRead
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox import SandboxRouter

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@dataclass(frozen=True)
class Sent:
    """An answer. `cut`: the connection broke before its end. `events`: the data of each event, as text."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[str]:
        blocks = self.text.split("\n\n")
        assert blocks.pop() == "" or self.cut
        assert all(block.startswith("data: ") and "\n" not in block for block in blocks), blocks
        return [block.removeprefix("data: ") for block in blocks]

    @property
    def chunks(self) -> list[Any]:
        return [json.loads(event) for event in self.events if event != "[DONE]"]

    @property
    def choices(self) -> list[Any]:
        return [choice for chunk in self.chunks for choice in chunk["choices"]]


def send(router: SandboxRouter, method: str, path: str, body: object = None, *, key: str | None = None) -> Sent:
    connection = HTTPConnection(router.host, timeout=30)
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        try:
            content, cut = response.read(), False
        except IncompleteRead as broken:
            content, cut = broken.partial, True
        return Sent(response.status, {n.lower(): v for n, v in response.getheaders()}, content, cut)
    finally:
        connection.close()


def chat(router: SandboxRouter, model: str, *, stream: bool = False, **more: Any) -> Sent:
    body = {"model": model, "messages": [{"role": "user", "content": "Weather in Rome?"}], **more}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return send(router, "POST", "/v1/chat/completions", body, key=router.issue_key())
