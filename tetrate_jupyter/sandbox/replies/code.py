"""Small pieces of code that fit a prompt, each of which really runs; they stand in data/recipes.md."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tetrate_jupyter.sandbox.replies.words import LISTS, keywords

_WANTED = re.compile(
    r"\b(code|function|script|program|snippet|python|def|class|sql|query|bash|javascript)\b", re.IGNORECASE
)
_ASKING = re.compile(
    r"\b(write|give|show|make|create|implement|generate|how (do|can|would) i|example|fix|need)\b", re.IGNORECASE
)
_RECIPE = re.compile(r"^# ([^\n]+)\n\n```(\w+)\n([\s\S]*?)\n```$", re.MULTILINE)


@cache
def recipes() -> tuple[tuple[str, str, str], ...]:
    """Give every recipe as pattern, language and code."""
    text = (Path(__file__).parents[1] / "data" / "recipes.md").read_text(encoding="utf-8")
    return tuple(_RECIPE.findall(text))


def wants_code(prompt: str) -> bool:
    """Whether a prompt asks for code."""
    return bool(_WANTED.search(prompt) and _ASKING.search(prompt))


def code_for(prompt: str) -> tuple[str, str]:
    """Give a language and code that fits a prompt; where no recipe does, a function named after it."""
    for pattern, language, code in recipes():
        if re.search(pattern, prompt, re.IGNORECASE):
            return language, code
    skipped = LISTS["code_fillers"]
    name = "_".join([w for w in keywords(prompt) if w.isascii() and w.isalpha() and w not in skipped][:3]) or "answer"
    return "python", (
        f'def {name}(values: list[float]) -> float:\n    """Stand in: the sandbox has no recipe for this one."""\n'
        f"    return sum(values) / len(values)\n\n\nprint({name}([1, 2, 6]))"
    )
