"""A small HTTP client of this room's own, so that the router is tested by something that knows nothing of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tetrate_jupyter.sandbox import SandboxRouter

MODEL = "claude-haiku-4-5"


@dataclass
class Api:
    """Asks one router with one key."""

    router: SandboxRouter
    key: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=20))

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.client.get(self.router.auth_url + path, headers=self.headers, **kwargs)

    def chat(self, prompt: str | list[Any] = "hello", model: str = MODEL, **body: Any) -> httpx.Response:
        whole = {"model": model, "messages": [{"role": "user", "content": prompt}], **body}
        return self.client.post(self.router.base_url + "/chat/completions", json=whole, headers=self.headers)

    def text(self, prompt: str, model: str = MODEL, **body: Any) -> str:
        response = self.chat(prompt, model, **body)
        assert response.status_code == 200, response.text
        return str(response.json()["choices"][0]["message"]["content"])

    def code(self, prompt: str | list[Any] = "hello", model: str = MODEL, **body: Any) -> tuple[int, Any]:
        response = self.chat(prompt, model, **body)
        error = response.json()
        return response.status_code, error.get("error", error).get("code")


def events(raw: str) -> list[Any]:
    """The data of each event, parsed; "[DONE]" stays text. Good for well-formed streams only."""
    lines = [line.removeprefix("data: ") for line in raw.replace("\r\n", "\n").split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def text_of(chunks: list[Any]) -> str:
    return "".join(
        choice["delta"].get("content") or "" for c in chunks if c != "[DONE]" for choice in c.get("choices", [])
    )


@pytest.fixture
def api(router: SandboxRouter) -> Iterator[Api]:
    made = Api(router, router.issue_key())
    yield made
    made.client.close()
