"""What a simulated model is given, and what it gives back."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.profiles import Profile


@dataclass(frozen=True)
class Call:
    """A tool call: the tool's name and its arguments."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What is to be sent. `reasoning` is shown only by models that show it, but always counted.

    `pace`: tokens a second at most, None for the model's own.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = "stop"
    pace: float | None = None


@dataclass(frozen=True)
class Ask:
    """A request as a skill sees it. `prompt` is the text of the last message of the user."""

    model: str
    profile: Profile
    messages: list[dict[str, Any]]
    body: dict[str, Any]
    prompt: str
    rng: random.Random = field(repr=False)

    @property
    def system(self) -> str:
        """All system text."""
        return "\n".join(text_of(m) for m in self.messages if m.get("role") in {"system", "developer"})

    @property
    def earlier_prompts(self) -> list[str]:
        """What the user said before, oldest first."""
        return [text_of(m) for m in self.messages if m.get("role") == "user"][:-1]


def text_of(message: dict[str, Any]) -> str:
    """Return the text of a message, whichever of its two forms it has."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(p.get("text", "")) for p in parts if p.get("type") == "text")


def make_ask(model: str, profile: Profile, body: dict[str, Any], seed: int) -> Ask:
    """Bring a request into the form that skills read. The same request and seed always give the same reply."""
    messages: list[dict[str, Any]] = body["messages"]
    prompt = next((text_of(m) for m in reversed(messages) if m.get("role") == "user"), "")
    rng = random.Random(f"{seed}|{model}|{prompt}|{body.get('seed')}")  # noqa: S311 - variety, not secrecy
    return Ask(model, profile, messages, body, prompt, rng)
