"""Text that nobody has typed into a prompt, made ready to be sent: searched for keys, bounded, between fences."""

from __future__ import annotations

import re
from typing import Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import clipped, plain
from tetrate_jupyter.errors import SecretInPromptError

_RUN: Final = re.compile(r"`{3,}")


def sendable(text: str, where: str, limit: int) -> str:
    """Return text as it is sent: at most `limit` characters, what hides in it shown.

    Raises `SecretInPromptError` where it holds a key, or anything that looks like one: nobody has typed this into a
    prompt, so that nobody has looked whether one is in it.
    """
    if secrecy.looks_secret(text[: limit + secrecy.REACH]):
        raise key_in(where)
    return clipped(plain(text), limit)


def key_in(where: str, next_step: str = "") -> SecretInPromptError:
    """Return the error for a key in what would be sent."""
    return SecretInPromptError(
        f"What looks like an API key is in {where}; nothing was sent.",
        next_step=next_step or "keep it out of there (os.environ, getpass) and run the cell again",
    )


def fenced(text: str, language: str = "") -> str:
    """Return text between fences that it can't close itself."""
    longest = max((len(run) for run in _RUN.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def counted(count: int, noun: str) -> str:
    """Return a number and what is counted: "1 line", "3 lines"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
