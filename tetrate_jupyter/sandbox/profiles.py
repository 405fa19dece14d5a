"""How each model of the sandbox behaves: pace, style, habits. All of it is invented.

The paces are typical of such models in 2026: small ones start within half a second, large ones within one or two, Groq
writes several hundred tokens a second, and a reasoning model is silent for some seconds first.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Size: TypeAlias = Literal["small", "medium", "large"]
Voice: TypeAlias = Literal["warm", "crisp", "structured", "wry", "terse", "stepwise"]
Thinking: TypeAlias = Literal["none", "silent", "shown"]

_SMALL = frozenset(("haiku", "luna", "mini", "nano", "flash", "lite", "20b", "27b"))  # parts of an id
_LARGE = frozenset(("opus", "fable", "astra", "sol", "pro", "r1"))
_SHOWN = ("r1-0528", "gpt-oss", "qwen/qwen")  # these send their reasoning as reasoning_content
_SILENT = ("gpt-5", "gpt-6", "gemini-3.1-pro", "gemini-2.5-pro", "opus-5-5", "grok-4.7", "v4-flash")
_VOICES: dict[str, Voice] = {
    "anthropic": "warm",
    "openai": "crisp",
    "gemini": "structured",
    "xai": "wry",
    "groq": "terse",
    "deepinfra": "stepwise",
}
_FIRST_TOKEN = {"small": 0.35, "medium": 0.7, "large": 1.2}  # seconds
_RATE = {"small": 150.0, "medium": 80.0, "large": 55.0}  # tokens per second
_PROVIDER_SPEED = {"groq": 4.0, "gemini": 1.3, "deepinfra": 0.8}
_ERROR_RATES = {"deepinfra/XiaomiMiMo/MiMo-V2.6-Flash": 0.25}  # a single example of an unreliable provider
_NO_MAX_TOKENS = frozenset({"gpt-5"})  # requires max_completion_tokens, as some OpenAI reasoning models do
_NO_FORCED_TOOL = frozenset({"claude-opus-5-5"})  # always reasons, which excludes a forced tool_choice
_THINKING_SECONDS = {"small": 0.8, "medium": 1.6, "large": 2.5}
EFFORT_FACTOR = {"none": 0.0, "minimal": 0.3, "low": 0.5, "medium": 1.0, "high": 1.6, "xhigh": 2.2, "max": 3.0}


@dataclass(frozen=True)
class Profile:
    """One model's behaviour. `first_token` and `thinking_seconds`: seconds, `rate`: tokens per second, at speed 1.

    `error_rate` is the share of requests that fail with 529; 0 except for "deepinfra/XiaomiMiMo/MiMo-V2.6-Flash"
    (0.25). `thinking`: "shown" sends `reasoning_content`, "silent" sends nothing meanwhile. `careful`: notices a
    negation ("not good") when it judges a text, which small models don't.
    """

    name: str
    provider: str
    size: Size
    voice: Voice
    first_token: float
    rate: float
    thinking: Thinking = "none"
    thinking_seconds: float = 0.0
    error_rate: float = 0.0
    takes_max_tokens: bool = True
    takes_forced_tool: bool = True

    @property
    def careful(self) -> bool:
        """Whether it notices a negation."""
        return self.size != "small"


def profile_of(record: dict[str, Any]) -> Profile:
    """Return the behaviour of a model, derived from its record in the public catalog's shape."""
    model = str(record["model"])
    lower = model.lower()
    provider = str(record.get("provider") or "unknown")
    parts = set(re.split(r"[^a-z0-9]+", lower))
    size: Size = "small" if parts & _SMALL else "large" if parts & _LARGE else "medium"
    speed = _PROVIDER_SPEED.get(provider, 1.0)
    thinking: Thinking = "none"
    if "reasoning" in (record.get("capabilities") or ()):
        thinking = "shown" if _has(lower, _SHOWN) else "silent" if _has(lower, _SILENT) else "none"
    speed *= 0.85 + zlib.crc32(model.encode()) % 31 / 100  # 0.85 to 1.15, so that no two models are quite alike
    return Profile(
        name=str(record.get("displayName") or model).rsplit("/", 1)[-1],
        provider=provider,
        size=size,
        voice=_VOICES.get(provider, "crisp"),
        first_token=round(_FIRST_TOKEN[size] / speed, 3),
        rate=round(_RATE[size] * speed, 1),
        thinking=thinking,
        thinking_seconds=0.0 if thinking == "none" else round(_THINKING_SECONDS[size] / speed, 2),
        error_rate=_ERROR_RATES.get(model, 0.0),
        takes_max_tokens=model not in _NO_MAX_TOKENS,
        takes_forced_tool=model not in _NO_FORCED_TOOL,
    )


TEST_PROFILE = Profile("Sandbox", "sandbox", "small", "crisp", first_token=0.05, rate=400.0)


def _has(text: str, parts: tuple[str, ...]) -> bool:
    return any(part in text for part in parts)
