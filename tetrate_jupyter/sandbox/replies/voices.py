"""Each model family's voice: the same answer, longer or shorter, in a style of its own."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.sandbox.replies.words import DATA, keywords

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.replies.core import Core
    from tetrate_jupyter.sandbox.replies.reply import Ask

_BARE = re.compile(
    r"\b(only|just|exactly)\b[^.]*\b(number|word|label|result|answer|value|name|code|json|text)\b"
    r"|\b(one|single) word\b|\bnothing else\b|\bno (explanation|comment|other text)\b"
    r"|\b(reply|answer|respond) (only|just)\b"
    r"|\b(reply|answer|respond|say) with (only|just|exactly)\b",
    re.IGNORECASE,
)
_BRIEF = re.compile(r"\b(brief|briefly|short|concise|terse|one sentence|one line)\b", re.IGNORECASE)
_EFFORT_SENTENCES = {"none": 0, "minimal": 1, "low": 2, "medium": 3, "high": 5, "xhigh": 7, "max": 9}
_STEPS: Final = {"small": 0, "medium": 1, "large": 3}  # number of steps that a model of each size explains


def dress(core: Core, ask: Ask) -> str:
    """Return the answer in the model's voice, or its bare value where only that is requested."""
    wishes = f"{ask.system}\n{ask.prompt}"
    if core.bare is not None and _BARE.search(wishes):
        return core.bare
    manner = _manners()[ask.profile.voice]
    if core.is_finished or _BRIEF.search(wishes) or ask.body.get("verbosity") == "low":
        return core.answer
    if ask.profile.size == "small" and "\n" in core.answer:
        is_code = core.answer.startswith("```") and not core.answer.startswith("```json")
        is_framed = is_code and not _BARE.search(wishes)
        return str(manner["code"]).replace("{answer}", core.answer) if is_framed else core.answer
    steps = [
        manner["step"].format(n=number, step=step, Step=step[0].upper() + step[1:])
        for number, step in enumerate(core.how[: _STEPS[ask.profile.size]], 1)
    ]
    paragraphs = ask.rng.choice(manner[ask.profile.size]).split("\n\n")
    kept = [p for p in paragraphs if steps or "{how}" not in p]
    text = "\n\n".join(kept).replace("{how}", manner["between"].join(steps)).replace("{answer}", core.answer)
    return f"Arr! {text}" if "pirate" in ask.system.lower() else text


def thoughts(core: Core | None, ask: Ask) -> str:
    """Return a model's reasoning, longer for a higher effort."""
    if ask.profile.thinking == "none":
        return ""
    topics = ", ".join(keywords(ask.prompt)[:4])
    steps = [f"{step[0].upper()}{step[1:]}." for step in (core.how if core else ("the answer has to fit the schema",))]
    line = [
        f"The user's message is about {topics}." if topics else "The user's message is short.",
        "Which of my small skills fits?",
        *steps,
        "Let me check that once more.",
        "It holds.",
        "Is there another way to read the question?",
        "None that changes the answer.",
        "Now I can write it down.",
    ]
    most = _EFFORT_SENTENCES.get(str(ask.body.get("reasoning_effort", "medium")), 3)
    return " ".join(line[: most + (ask.profile.size == "large")] if most else [])


@cache
def _manners() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((DATA / "manners.json").read_text("utf-8"))
    return found
