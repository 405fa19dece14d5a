"""Text without what could trick a terminal or an eye, for this room; the rule itself is `characters`."""

from __future__ import annotations

from tetrate_jupyter.characters import one_line, plain, visible

__all__ = ["one_line", "plain", "visible"]
