"""%tetrate_models and %tetrate_model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetrate_jupyter.characters import MAX_NAME, one_line, plain
from tetrate_jupyter.front_end import place
from tetrate_jupyter.magics import commands
from tetrate_jupyter.magics.output import in_kernel

if TYPE_CHECKING:
    from ipywidgets import DOMWidget

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.magics.extension import TetrateMagics
    from tetrate_jupyter.widgets.dropdown import ModelDropdown


def models(magics: TetrateMagics, line: str) -> ModelList | DOMWidget | None:
    """Give the picker in a notebook; elsewhere, or where it is wanted, the list, narrowed and sorted."""
    parsed = commands.MODELS.parse(line)
    by = parsed.text("sort")
    if place() == "notebook" and not parsed.flag("table"):
        if parsed.flag("refresh"):
            magics.session.models(refresh=True)
        return magics.session.picker(parsed.words, sort=by or "provider")
    found = magics.session.models(parsed.words, refresh=parsed.flag("refresh"))
    if not found and parsed.words:
        print(plain(f"No model fits {parsed.words!r}. Next: fewer words, or %tetrate_models for all."))  # noqa: T201 - a magic's answer
        return None
    return found.sorted(by) if by else found


def model(magics: TetrateMagics, line: str) -> ModelDropdown | None:
    """Choose the session's model; without an id, offer the dropdown in a notebook and the name elsewhere."""
    parsed = commands.MODEL.parse(line)
    if parsed.words:
        chosen = magics.session.choose(parsed.words)
        print(f"Model: {chosen.id}")  # noqa: T201 - a magic's answer
        return None
    if in_kernel(magics.ip):
        offered: ModelDropdown = magics.session.dropdown()
        return offered
    print(f"Model: {one_line(magics.session.model or 'none chosen yet', MAX_NAME)}. Next: %tetrate_model ID")  # noqa: T201 - likewise
    return None
