"""A list of models as a table for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter.catalog.search import retires_soon
from tetrate_jupyter.render.numbers import price, tokens
from tetrate_jupyter.render.table import WIDTH, Table, TableColumn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from tetrate_jupyter.types import Model

UNKNOWN = "?"
MOST_ROWS: Final = 500  # more than the real service lists; a hundred thousand would be 30 MB of HTML
_BESIDE_ID = 90  # characters of the other columns that are never left out


def model_table(models: Sequence[Model], day: date | None = None) -> Table:
    """Return a table of the first 500 models. "?" means unknown.

    There is a retirement column if a model is deprecated or retires within 90 days of `day` (default: today).
    """
    count = len(models)
    models = models[:MOST_ROWS]
    retiring = any(_ending(m, day) for m in models)
    columns = [  # what matters most for a choice comes first: in a narrow view the rest needs scrolling
        TableColumn("id", code=True),
        TableColumn("name", optional=True),
        TableColumn("$/1M in", align="right", hint="US dollars per million tokens sent"),
        TableColumn("$/1M out", align="right", hint="US dollars per million tokens written"),
        TableColumn("context", align="right", hint="tokens that prompt and answer may have together"),
        *([TableColumn("retires", hint="the day the model goes away")] if retiring else []),
        TableColumn("capabilities"),
        TableColumn("provider", optional=True),
        TableColumn("max output", align="right", hint="tokens an answer may have", optional=True),
        TableColumn("cached", align="right", hint="US dollars per million tokens read from the cache", optional=True),
    ]
    rows = [_row(m, day, retiring=retiring) for m in models]
    return Table(columns, rows, caption=_caption(count))


def model_text(models: Sequence[Model], day: date | None = None) -> str:
    """Return the table as plain text, wider than usual rather than with an id cut: ids are meant to be copied."""
    longest = max((len(m.id) for m in models[:MOST_ROWS]), default=0)
    return model_table(models, day).plain(max(WIDTH, longest + _BESIDE_ID))


def brief(model: Model) -> str:
    """Return price and window in one line, for lists with little room: "$1.00 in, $5.00 out per M; 200k"."""
    prices = f"{_price(model.price.input)} in, {_price(model.price.output)} out per M"
    known = model.price.input is not None or model.price.output is not None
    return f"{prices if known else 'price unknown'}; {_tokens(model.context_window)}"


def _row(model: Model, day: date | None, *, retiring: bool) -> list[str]:
    return [
        model.id,
        model.name,
        _price(model.price.input),
        _price(model.price.output),
        _tokens(model.context_window),
        *([_ending(model, day)] if retiring else []),
        _capabilities(model),
        model.provider or UNKNOWN,
        _tokens(model.max_output_tokens),
        _price(model.price.cache_read),
    ]


def _caption(count: int) -> str:
    if not count:
        return "No models."
    caption = f"{count} model{'s' if count != 1 else ''}; prices in US dollars per million tokens"
    if count <= MOST_ROWS:
        return caption
    more = f"{count - MOST_ROWS:,} more"
    return f"{caption}; the first {MOST_ROWS} are shown … and {more}; narrow it: session.models('claude')"


def _tokens(count: int | None) -> str:
    return UNKNOWN if count is None else tokens(count)


def _price(per_million: Decimal | None) -> str:
    return UNKNOWN if per_million is None else price(per_million)


def _capabilities(model: Model) -> str:
    flags = {
        "images": model.images,
        "tools": model.tools,
        "reasoning": model.reasoning,
        "schema": model.structured_output,
    }
    if all(flag is None for flag in flags.values()):
        return UNKNOWN
    return ", ".join(name for name, flag in flags.items() if flag) or "text"


def _ending(model: Model, day: date | None) -> str:
    if retires_soon(model, day) and model.retirement_date is not None:
        return model.retirement_date.isoformat()
    return "deprecated" if model.deprecated else ""
