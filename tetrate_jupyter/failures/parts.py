"""The parts of what is sent about an error, each with a name and a few words for who has to agree to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import clipped, plain
from tetrate_jupyter.errors import SecretInPromptError

TASK: Final = "task"  # the part that isn't about the notebook
_RUN: Final = re.compile(r"`{3,}")


@dataclass(frozen=True)
class Part:
    """One part: `name` ("cell 3"), `note` ("3 lines"), and the `text` that is sent of it."""

    name: str
    note: str
    text: str


@dataclass(frozen=True)
class Sent:
    """What is sent about an error: the parts, `str()` of it all of their text as the model gets it."""

    parts: tuple[Part, ...]

    @property
    def summary(self) -> str:
        """The parts by name, in one line: "cell 3 (3 lines), traceback (7 lines), ..."."""
        told = (part for part in self.parts if part.name != TASK)
        return ", ".join(f"{part.name} ({part.note})" if part.note else part.name for part in told)

    def __str__(self) -> str:
        return "\n\n".join(part.text for part in self.parts)


def sendable(text: str, where: str, limit: int) -> str:
    """Return text as it is sent: at most `limit` characters, what hides in it shown.

    Raises `SecretInPromptError` where it holds a key, or anything that looks like one: nobody has typed this into a
    prompt, so that nobody has looked whether one is in it.
    """
    if secrecy.looks_secret(text[: limit + secrecy.REACH]):
        raise key_in(where)
    return clipped(plain(text), limit)


def key_in(where: str) -> SecretInPromptError:
    """Return the error for a key in what would be sent."""
    return SecretInPromptError(
        f"What looks like an API key is in {where}; nothing was sent.",
        next_step="keep it out of there (os.environ, getpass) and run the cell again",
    )


def fenced(text: str, language: str = "") -> str:
    """Return text between fences that it can't close itself."""
    longest = max((len(run) for run in _RUN.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def counted(count: int, noun: str) -> str:
    """Return a number and what is counted: "1 line", "3 lines"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
