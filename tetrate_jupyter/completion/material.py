"""Preparing text that nobody typed into a prompt for sending: searched for keys, bounded, put between fences."""

from __future__ import annotations

import re
from typing import Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import clipped, plain
from tetrate_jupyter.errors import SecretInPromptError

_RUN: Final = re.compile(r"`{3,}")


def sendable(text: str, where: str, limit: int) -> str:
    """Return text as it is sent: at most `limit` characters, with hidden characters made visible.

    Raises `SecretInPromptError` where it holds a key, or anything that looks like one: nobody typed this text, so
    nobody has checked it for keys.
    """
    if secrecy.looks_secret(text[: limit + secrecy.REACH]):
        raise key_in(where)
    return clipped(plain(text), limit)


def key_in(where: str, next_step: str = "") -> SecretInPromptError:
    """Return the error for a key in the text that would be sent; `where` names the place."""
    return SecretInPromptError(
        f"What looks like an API key is in {where}; nothing was sent.",
        next_step=next_step or "keep it out of there (os.environ, getpass) and run the cell again",
    )


def fenced(text: str, language: str = "") -> str:
    """Return text between fences longer than any in it, so that it can't close them."""
    longest = max((len(run) for run in _RUN.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: "1 line", "3 lines"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
