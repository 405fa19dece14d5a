"""The request to a simulated model, and its reply."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.profiles import Profile

READ: Final = 20_000  # characters of a prompt that are read; more would block other streams


@dataclass(frozen=True)
class Call:
    """A tool call: the tool's name and its arguments."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """A reply. `reasoning` is sent only by models that show theirs, but always counted.

    `pace`: tokens a second at most, None for the model's own.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = "stop"
    pace: float | None = None


@dataclass(frozen=True)
class Ask:
    """A request in the form that skills read. `prompt` is the text of the user's last message."""

    model: str
    profile: Profile
    messages: list[dict[str, Any]]
    body: dict[str, Any]
    prompt: str
    rng: random.Random = field(repr=False)

    @property
    def system(self) -> str:
        """The text of all system messages."""
        return "\n".join(text_of(m) for m in self.messages if m.get("role") in {"system", "developer"})

    @property
    def earlier_prompts(self) -> list[str]:
        """The user's earlier messages, oldest first."""
        return [text_of(m) for m in self.messages if m.get("role") == "user"][:-1]


def text_of(message: dict[str, Any]) -> str:
    """Return the text of a message, whether its content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(p.get("text", "")) for p in parts if p.get("type") == "text")


def make_ask(model: str, profile: Profile, body: dict[str, Any], seed: int) -> Ask:
    """Return a request in the form that skills read. The same request and seed always get the same reply."""
    messages: list[dict[str, Any]] = body["messages"]
    prompt = next((text_of(m) for m in reversed(messages) if m.get("role") == "user"), "")
    rng = random.Random(f"{seed}|{model}|{prompt}|{body.get('seed')}")  # noqa: S311 - not used for secrets
    return Ask(model, profile, messages, body, prompt, rng)
