"""Choose the skill that fits a request and let it answer."""

from __future__ import annotations

from tetrate_jupyter.sandbox.replies.reply import Ask, Reply


def compose(ask: Ask) -> Reply:
    """Give the reply of a simulated model."""
    return Reply(f"This is a simulated answer of {ask.profile.name} in the sandbox router. You asked: “{ask.prompt}”")
