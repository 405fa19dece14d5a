"""How each family of models says it: the same answer, more or less of it, in its own manner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tetrate_jupyter.sandbox.replies.words import keywords

if TYPE_CHECKING:
    from collections.abc import Callable

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
_QUIPS = (
    "No neurons were harmed in the making.",
    "Somewhere, a GPU is enjoying its day off.",
    "I'd be insulted if you were impressed.",
)
_EFFORT_SENTENCES = {"none": 0, "minimal": 1, "low": 2, "medium": 3, "high": 5, "xhigh": 7, "max": 9}


def dress(core: Core, ask: Ask) -> str:
    """Say it in the model's voice. Where only the bare value is wanted, that is all there is."""
    wishes = f"{ask.system}\n{ask.prompt}"
    if core.bare is not None and _BARE.search(wishes):
        return core.bare
    if _BRIEF.search(wishes) or ask.body.get("verbosity") == "low":
        return f"{core.answer}\n\n*Simulated.*" if "\n" in core.answer else f"{core.answer} *(simulated)*"
    text = _VOICES[ask.profile.voice](core, ask)
    return f"Arr! {text}" if "pirate" in ask.system.lower() else text


def thoughts(core: Core | None, ask: Ask) -> str:
    """Give what a thinking model thinks first; longer the more effort it is to make."""
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
        "I should say that this is simulated.",
        "Now I can write it down.",
    ]
    most = _EFFORT_SENTENCES.get(str(ask.body.get("reasoning_effort", "medium")), 3)
    return " ".join(line[: most + (ask.profile.size == "large")] if most else [])


def _warm(core: Core, ask: Ask) -> str:
    if ask.profile.size == "small":
        return f"{core.answer}\n\n*(I'm a simulation of {ask.profile.name}.)*"
    how = f"Here is how I got there: {', and '.join(core.how)}." if core.how else ""
    more = "Would you like me to go further into any part of it?" if ask.profile.size == "large" else ""
    note = f"*A note in fairness: this is a simulation of {ask.profile.name}, no model ran.*"
    return "\n\n".join(filter(None, (core.answer, how, more, note)))


def _crisp(core: Core, ask: Ask) -> str:
    points = core.how[: {"small": 0, "medium": 1, "large": 3}[ask.profile.size]]
    bullets = "\n".join(f"- {point[0].upper()}{point[1:]}." for point in points)
    return "\n\n".join(filter(None, (core.answer, bullets, f"*Simulated {ask.profile.name}.*")))


def _structured(core: Core, ask: Ask) -> str:
    if ask.profile.size == "small":
        return f"**Answer**\n\n{core.answer}\n\n*Simulated {ask.profile.name}*"
    steps = "\n".join(f"{n}. {step[0].upper()}{step[1:]}." for n, step in enumerate(core.how, 1))
    how = f"### How\n\n{steps}" if steps else ""
    return "\n\n".join(filter(None, ("### Answer", core.answer, how, f"> Simulated {ask.profile.name}: no model ran.")))


def _wry(core: Core, ask: Ask) -> str:
    return f"{core.answer}\n\n{ask.rng.choice(_QUIPS)} *(Simulated {ask.profile.name}.)*"


def _terse(core: Core, _ask: Ask) -> str:
    return f"{core.answer}\n\n*Simulated.*" if "\n" in core.answer else f"{core.answer} *(simulated)*"


def _stepwise(core: Core, ask: Ask) -> str:
    steps = [f"**Step {n}.** {step[0].upper()}{step[1:]}." for n, step in enumerate(core.how, 1)]
    return "\n\n".join([*steps, "**Answer.**", core.answer, f"*({ask.profile.name}, simulated.)*"])


_VOICES: dict[str, Callable[[Core, Ask], str]] = {
    "warm": _warm,
    "crisp": _crisp,
    "structured": _structured,
    "wry": _wry,
    "terse": _terse,
    "stepwise": _stepwise,
}
