"""How many rows of a table a question sends, and how much room the asked models leave for them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.catalog.estimate import text_tokens
from tetrate_jupyter.completion.cuts import USUAL, Limits, rows_of
from tetrate_jupyter.errors import TetrateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Model

_CHARACTERS: Final = 8  # of a token, at the most: how many a table has is found when it is written
_KEPT: Final = 0.8  # share of the window; the rest is for errors of the estimates


def limits(
    engine: Engine,
    text: str,
    rows: object = None,
    *,
    models: Sequence[Model | None] | None = None,
    history: bool = True,
) -> Limits:
    """Return how much of each value goes into the prompt `text`.

    `rows` of this question, else `session.rows`: 15 (tables of up to 30 whole), another number, or "all". More than 15
    may take what the windows of `models` (else of the session's own) leave beside the answer, the prompt and, with
    `history`, the conversation. Raises `OptionError` where it is no number of rows.
    """
    wanted = rows_of(engine.rows if rows is None else rows)
    if rows is None and wanted == config.DEFAULT_ROWS:
        return USUAL
    if wanted is not None and wanted <= config.DEFAULT_ROWS:
        return Limits(wanted, is_usual=False)
    asked = [engine.catalog.models.get(engine.model) if engine.model else None] if models is None else models
    taken = engine.conversation.estimate_tokens(system=engine.system) if history else 0
    tokens = min(map(_window, asked or [None])) - taken - text_tokens(text)
    room = max(0, round(tokens * _KEPT))
    return Limits(wanted, room * _CHARACTERS, is_usual=False, tokens=room)


def is_asked_for(engine: Engine, rows: object = None) -> bool:
    """Whether more or fewer rows than usual are wanted, so that the models' windows matter."""
    return rows is not None or engine.rows != config.DEFAULT_ROWS


def asked_limits(engine: Engine, text: str, rows: object, model: str | None, *, history: bool = True) -> Limits:
    """Return the limits of a question to `model` (None: the session's), asking the router for its window where needed.

    `history`: the conversation goes with it. Blocks; a list that can't be read leaves the window to the default.
    """
    if not is_asked_for(engine, rows):
        return USUAL
    with contextlib.suppress(TetrateError):
        engine.bridge.run(engine.amodels())
    known = engine.catalog.models
    wanted = model or engine.model
    models = [known.get(wanted) if wanted else engine.chooser.default_at_hand()]
    return limits(engine, text, rows, models=models, history=history)


def _window(model: Model | None) -> int:
    window = config.DEFAULT_CONTEXT_WINDOW if model is None else model.context_window or config.DEFAULT_CONTEXT_WINDOW
    answer = config.DEFAULT_MAX_OUTPUT if model is None else model.max_output_tokens or config.DEFAULT_MAX_OUTPUT
    return window - min(answer, window // 4)
