"""Finding models: patterns, words, capabilities, context windows; near misses; and the default model."""

from __future__ import annotations

import difflib
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import config
from tetrate_jupyter.amounts import EXACT, magnitude
from tetrate_jupyter.amounts import known as finite
from tetrate_jupyter.catalog.estimate import short_questions
from tetrate_jupyter.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from tetrate_jupyter.types import Model

CHEAP: Final = Decimal(1)  # US dollars per million tokens, at three input tokens per output token
_EVERYDAY_LIMIT: Final = Decimal(4)  # likewise; a model above this is never a family's default

# Small general models with tools and images, by provider; patterns, so that a new version needs no change here.
_FAMILIES: Final = ("claude-haiku-*", "gemini-*-flash", "gpt-*-luna", "gpt-*-mini")

_LONGEST: Final = 200  # characters that are compared, since likeness takes quadratic time
_COMPARED: Final = 5_000  # models that are compared
_ALIKE: Final = 0.55  # likeness below which two ids aren't similar

_SIZE = re.compile(r"(?:>=?)?(\d+(?:\.\d+)?)([km])\+?")
_SEPARATORS = re.compile(r"[-_./:\s]+")
_DIGITS = re.compile(r"\d+")


def today() -> date:
    """Return the current date in UTC, as the catalog's dates are."""
    return datetime.now(timezone.utc).date()


def blended_price(model: Model) -> Decimal | None:
    """Return US dollars per million tokens, at three input tokens per output token; None where a price is unknown."""
    if model.price.input is None or model.price.output is None:
        return None
    three = EXACT.multiply(model.price.input, Decimal(3))
    return finite(EXACT.divide(EXACT.add(three, model.price.output), Decimal(4)))


def retires_soon(model: Model, day: date | None = None) -> bool:
    """Whether the model is retired on `day` (default: today), or will be within 90 days."""
    limit = (day or today()) + timedelta(days=config.RETIRING_SOON_DAYS)
    return model.retirement_date is not None and model.retirement_date <= limit


# --- words -----------------------------------------------------------------------------------------------------

# A flag that the router left out is no reason to hide a model: only an explicit "no" is.
_CAPABILITIES: Final[dict[str, Callable[[Model], bool]]] = {
    "vision": lambda m: m.images is not False,
    "images": lambda m: m.images is not False,
    "image": lambda m: m.images is not False,
    "tools": lambda m: m.tools is not False,
    "tool": lambda m: m.tools is not False,
    "reasoning": lambda m: m.reasoning is not False,
    "thinking": lambda m: m.reasoning is not False,
    "structured": lambda m: m.structured_output is not False,
    "schema": lambda m: m.structured_output is not False,
    "json": lambda m: m.structured_output is not False,
    "cheap": lambda m: (price := blended_price(m)) is not None and price <= CHEAP,
    "free": lambda m: blended_price(m) == 0,
    "priced": lambda m: blended_price(m) is not None,
    "preview": lambda m: m.preview,
    "deprecated": lambda m: m.deprecated or retires_soon(m),
}


def wanted_by(query: str) -> Callable[[Model], bool]:
    """Return whether a model matches every word of `query`, as a function; an empty one matches all."""
    tests = [_test_of(word) for word in re.split(r"[\s,]+", query.lower()) if word]
    return lambda model: all(fits(model) for fits in tests)


def _test_of(word: str) -> Callable[[Model], bool]:
    if any(c in word for c in "*?["):
        return lambda m: fnmatchcase(m.id.lower(), word) or fnmatchcase(m.id.lower().rsplit("/", 1)[-1], word)
    size = _SIZE.fullmatch(word)
    if size is not None:
        least = float(size[1]) * (1_000_000 if size[2] == "m" else 1_000)
        return lambda m: m.context_window is not None and m.context_window >= least
    has, part = _CAPABILITIES.get(word), _plain(word)

    def fits(model: Model) -> bool:
        if (has is not None and has(model)) or word in (model.capabilities or ()):
            return True
        return any(part in _plain(text) for text in (model.id, model.name, model.provider or ""))

    return fits


def _plain(text: str) -> str:
    return _SEPARATORS.sub("-", text.lower())


# --- order -----------------------------------------------------------------------------------------------------

# Sort keys; None is unknown. Ties are in the order of ids.
_ORDERS: Final[dict[str, Callable[[Model], Any]]] = {
    "id": lambda m: m.id.lower(),
    "name": lambda m: m.name.lower(),
    "provider": lambda m: m.provider,
    "context": lambda m: m.context_window,
    "output": lambda m: m.max_output_tokens,
    "price": blended_price,
    "short questions": short_questions,
    "input price": lambda m: m.price.input,
    "output price": lambda m: m.price.output,
    "released": lambda m: m.release_date,
    "retirement": lambda m: m.retirement_date,
}


def in_order(models: Iterable[Model], by: str, *, descending: bool = False) -> list[Model]:
    """Return the models sorted by one of `_ORDERS`, unknown values last either way. Raises `OptionError`."""
    key = _ORDERS.get(by)
    if key is None:
        names = ", ".join(repr(name) for name in _ORDERS)
        raise OptionError(f"Models can't be sorted by {by!r}.", next_step=f"use one of {names}")
    by_id = sorted(models, key=_ORDERS["id"])
    known = [m for m in by_id if key(m) is not None]
    return sorted(known, key=key, reverse=descending) + [m for m in by_id if key(m) is None]


# --- near misses ---------------------------------------------------------------------------------------------


def nearest(models: Iterable[Model], text: str, n: int = 3) -> list[Model]:
    """Return up to `n` models whose id or name is similar to `text`, best first."""
    wanted = _plain(text.strip()[:_LONGEST])
    if not wanted:
        return []
    scored = [(_likeness(wanted, m), m) for m in _comparable(in_order(models, "id"), wanted)]
    good = [(score, m) for score, m in scored if score >= _ALIKE]
    return [m for _, m in sorted(good, key=lambda pair: -pair[0])[:n]]


def _comparable(models: list[Model], wanted: str) -> list[Model]:
    """Return at most 5,000 models to compare, since likeness takes some 30 microseconds per model."""
    if len(models) <= _COMPARED:
        return models
    parts = [part for part in wanted.rsplit("/", 1)[-1].split("-") if len(part) > 1]
    sharing = [m for m in models if any(part in m.id.lower() for part in parts)]
    return (sharing or models)[:_COMPARED]


def _likeness(wanted: str, model: Model) -> float:
    tail = model.id.rsplit("/", 1)[-1]
    wanted_tail = wanted.rsplit("/", 1)[-1]
    best = 0.0
    for text in {_plain(each[:_LONGEST]) for each in (model.id, tail, model.name)}:
        ratio = difflib.SequenceMatcher(None, wanted_tail, text, autojunk=False).ratio()
        within = wanted_tail in text or text in wanted_tail  # "haiku", or an id with a date appended
        best = max(best, ratio + (0.5 if within and len(text) > 2 else 0.0))
    return best


# --- the default model -----------------------------------------------------------------------------------------


def default_choice(models: Sequence[Model], day: date | None = None) -> Model | None:
    """Return the default model: a small, current, priced one that takes tools. None for an empty list.

    First the newest of a family of small general models (Claude Haiku, Gemini Flash, GPT Luna or mini); otherwise the
    one whose price is nearest to 1 US dollar per million tokens; otherwise the first current one, or the first.
    """
    usable = [m for m in models if m.tools is not False and not (m.deprecated or m.preview or retires_soon(m, day))]
    priced = [(m, price) for m in usable if (price := blended_price(m)) is not None and 0 < price <= _EVERYDAY_LIMIT]
    for family in _FAMILIES:
        members = [m for m, _ in priced if fnmatchcase(m.id.lower(), family)]
        if members:
            return max(members, key=age)
    if priced:  # nearest to 1 US dollar, whose logarithm is 0
        return min(priced, key=lambda pair: (abs(magnitude(pair[1])), pair[0].id))[0]
    return next(iter(usable or models), None)


def age(model: Model) -> tuple[tuple[int, ...], str]:
    """Return a sort key that is larger for a family's newer model: its version numbers, as release dates often lack."""
    return tuple(int(n) for n in _DIGITS.findall(model.id)), model.id
