"""%tetrate_chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetrate_jupyter.front_end import place
from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from ipywidgets import DOMWidget

    from tetrate_jupyter.magics.context import Context


def chat(context: Context, line: str) -> DOMWidget | None:
    """Return the chat panel; in a terminal, raise the error that names what to use instead."""
    commands.CHAT.parse(line)
    if place() == "terminal":
        print("The chat panel needs a notebook. Next: %tetrate asks here, and keeps the conversation.")  # noqa: T201 - a magic's answer
        return None
    return context.session.chat()
