"""Text into HTML: every character that could be markup is escaped, every character that hides is shown."""

from __future__ import annotations

from tetrate_jupyter.render.plain import visible


def escape(text: str) -> str:
    """Return text for the inside of an element, or of an attribute in double quotes."""
    text = visible(text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
