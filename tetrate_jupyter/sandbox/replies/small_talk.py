"""Small talk: greetings, a joke, a haiku, a few facts that a first notebook asks for."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.sandbox.replies.core import Core
from tetrate_jupyter.sandbox.replies.words import keywords

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.replies.reply import Ask

_WHO = re.compile(r"\b(who|what) are you\b|\bwhich model\b|\byour name\b|\bwhat can you do\b", re.IGNORECASE)
_HELLO = re.compile(r"^\W*(?:say )?(hi|hello|hey|good (morning|evening|day)|ping|test)\b[^?]*$", re.IGNORECASE)
_CAPITAL = re.compile(r"\bcapital(?: city)? of (?:the )?([A-Za-z ]+?)\s*(?:[?.,!]|$)", re.IGNORECASE)
_HAIKU_FILLERS = frozenset(["haiku", "poem", "short", "write", "line", "verse"])


def small_talk(ask: Ask) -> Core | None:
    """Answer what needs no skill."""
    prompt = ask.prompt
    if _WHO.search(prompt):
        return _who(ask)
    if _HELLO.search(prompt) and len(prompt) < 60:
        return Core(ask.rng.choice(("Hello!", "Hello, and welcome.", "Hi there!")), ("you greeted me",))
    if re.search(r"\bhello\b.*\blanguages?\b", prompt, re.IGNORECASE):
        return Core(", ".join(_talk()["hello"]), ("I know a few greetings",))
    if re.search(r"\bjoke\b", prompt, re.IGNORECASE):
        return Core(ask.rng.choice(_talk()["jokes"]), ("I know three",))
    if re.search(r"\bhaiku\b|\bpoem\b", prompt, re.IGNORECASE):
        return _haiku(ask)
    return _fact(prompt)


def _who(ask: Ask) -> Core:
    answer = (
        f"I'm the sandbox's stand-in for **{ask.profile.name}** (`{ask.model}`). No language model runs here: "
        "I'm a few hundred lines of Python with a word list."
    )
    return Core(answer, ("I know my own name", "nothing leaves this computer"), ask.profile.name)


def _haiku(ask: Ask) -> Core:
    topic = next((w for w in keywords(ask.prompt) if w not in _HAIKU_FILLERS), "notebook")
    lines = [ask.rng.choice(options) for options in _talk()["haiku"]]
    return Core("  \n".join(line.format(topic=topic) for line in lines), ("the lines are drawn by lot",))


def _fact(prompt: str) -> Core | None:
    talk = _talk()
    if found := _CAPITAL.search(prompt):
        city = talk["capitals"].get(found[1].strip().lower())
        if city:
            return Core(f"The capital of {found[1].strip()} is **{city}**.", ("I have a short list of capitals",), city)
    for term, meaning in talk["terms"].items():
        if re.search(rf"\b(what|explain|describe|define|tell)\b.*\b{re.escape(term)}s?\b", prompt, re.IGNORECASE):
            return Core(meaning, ("I have a short list of terms",), meaning)
    return None


@cache
def _talk() -> dict[str, Any]:
    path = Path(__file__).parents[1] / "data" / "small_talk.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
