"""Calling the tools that came with a request."""

from __future__ import annotations

from typing import Any

from tetrate_jupyter.sandbox.replies.reply import Ask, Call


def call_of(ask: Ask, tool: dict[str, Any]) -> Call:
    """Make a call of a tool with arguments that fit its schema."""
    return Call(tool["function"]["name"], {})
