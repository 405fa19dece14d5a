"""%tetrate_models and %tetrate_model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetrate_jupyter.characters import MAX_NAME, one_line, plain
from tetrate_jupyter.errors import UnknownModelError
from tetrate_jupyter.front_end import place
from tetrate_jupyter.magics import commands

if TYPE_CHECKING:
    from ipywidgets import DOMWidget

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.magics.context import Context
    from tetrate_jupyter.types import Model
    from tetrate_jupyter.widgets.dropdown import ModelDropdown

_NAMED = 8  # models that fit the same words, in an error


def models(context: Context, line: str) -> ModelList | DOMWidget | None:
    """Return the picker in a notebook; elsewhere, or with --table, the list, narrowed and sorted."""
    parsed = commands.MODELS.parse(line)
    by = parsed.text("sort")
    if place() == "notebook" and not parsed.flag("table"):
        if parsed.flag("refresh"):
            context.session.models(refresh=True)
        return context.session.picker(parsed.words, sort=by or "provider")
    found = context.session.models(parsed.words, refresh=parsed.flag("refresh"))
    if not found and parsed.words:
        print(plain(f"No model fits {parsed.words!r}. Next: fewer words, or %tetrate_models for all."))  # noqa: T201 - a magic's answer
        return None
    return found.sorted(by) if by else found


def model(context: Context, line: str) -> ModelDropdown | None:
    """Choose the session's model; without an id, offer the dropdown in a notebook and the name elsewhere."""
    parsed = commands.MODEL.parse(line)
    if parsed.words:
        chosen = _only(context, parsed.words)
        print(f"Model: {chosen.id}")  # noqa: T201 - a magic's answer
        return None
    if place() != "terminal":
        offered: ModelDropdown = context.session.dropdown()
        return offered
    told = context.session.chooser.told(context.session.model)
    print(f"Model: {one_line(told or 'none chosen yet', MAX_NAME)}. Next: %tetrate_model ID")  # noqa: T201 - likewise
    return None


def _only(context: Context, words: str) -> Model:
    """Choose the model with this id or, where there is none, the only one that the words fit."""
    try:
        return context.session.choose(words)
    except UnknownModelError as unknown:
        fitting = context.session.catalog.models.search(words)
        if len(fitting) != 1:
            if fitting:
                shown = ", ".join(fitting.ids[:_NAMED]) + (", …" if len(fitting) > _NAMED else "")
                unknown.next_step = f"say which: {shown}"
            raise
    return context.session.choose(fitting[0].id)
