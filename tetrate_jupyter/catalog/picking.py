"""A person's query of the list of models, and a model as a row of that list; pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.amounts import EXACT, magnitude
from tetrate_jupyter.catalog.estimate import short_questions
from tetrate_jupyter.catalog.search import retires_soon
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.render.numbers import money, price, tokens
from tetrate_jupyter.render.plain import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.types import Model

CAPABILITIES: Final[dict[str, Callable[[Model], bool | None]]] = {
    "images": lambda m: m.images,
    "tools": lambda m: m.tools,
    "reasoning": lambda m: m.reasoning,
    "structured output": lambda m: m.structured_output,
}
SORTS: Final = ("provider", "price", "context", "name", "input price", "output price", "retirement")
_BY: Final = {"price": "short questions"}  # which is the price that the list shows
_LARGEST_FIRST: Final = "context"
_WORDS: Final = {  # words of a search, and the filter that each means
    **dict.fromkeys(("vision", "images", "image"), "images"),
    **dict.fromkeys(("tools", "tool"), "tools"),
    **dict.fromkeys(("reasoning", "thinking"), "reasoning"),
    **dict.fromkeys(("structured", "schema", "json"), "structured output"),
}
_BETWEEN: Final = re.compile(r"[\s,]+")
_CENT: Final = Decimal("0.01")
_NEAR: Final = 2_000  # models up to which similar ids are searched, at some 30 microseconds each
_LEAST_BAR, _BAR_DECADES = 0.01, 3  # a price's bar is empty at 0.01 US dollars and full at 10


@dataclass(frozen=True)
class ModelQuery:
    """A query. `words` as in `ModelList.search`; `provider`: "" is any; `sort`: one of SORTS.

    `capabilities`: names from CAPABILITIES; a model of which one is unknown is kept. `backwards`: reverse the usual
    order, which is largest first for "context" and lowest first for everything else.
    """

    words: str = ""
    provider: str = ""
    capabilities: frozenset[str] = frozenset()
    sort: str = "provider"
    backwards: bool = False

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise OptionError(
                f"Models can't be sorted by {self.sort!r} here.", next_step=f"use one of: {', '.join(SORTS)}"
            )
        unknown = self.capabilities - set(CAPABILITIES)
        if unknown:
            raise OptionError(f"There is no filter {min(unknown)!r}.", next_step=f"use: {', '.join(CAPABILITIES)}")

    @property
    def is_none(self) -> bool:
        """Whether the query is empty, so that the list is shown in its sections."""
        return self == ModelQuery(words=self.words) and not self.words.strip()

    @property
    def ticked(self) -> frozenset[str]:
        """The filters that are on, including those that the words mean: "images" ticks images."""
        return self.capabilities | {_WORDS[word] for word in self._words if word in _WORDS}

    def tick(self, name: str, *, on: bool) -> ModelQuery:
        """Return the query with a filter on, or off, which also removes the words that mean it."""
        if on:
            return replace(self, capabilities=self.capabilities | {name})
        rest = " ".join(word for word in _BETWEEN.split(self.words) if _WORDS.get(word.lower()) != name)
        return replace(self, capabilities=self.capabilities - {name}, words=rest if name in self.ticked else self.words)

    @property
    def descends(self) -> bool:
        """Whether the largest value comes first."""
        return (self.sort == _LARGEST_FIRST) != self.backwards

    @property
    def _words(self) -> list[str]:
        return [word for word in _BETWEEN.split(self.words.lower()) if word]

    def of(self, models: ModelList) -> ModelList:
        """Return the matching models in the query's order: contexts largest first, prices cheapest first."""
        from tetrate_jupyter.catalog.models import ModelList

        wanted = [CAPABILITIES[name] for name in self.capabilities]
        found = ModelList(
            m
            for m in models.search(self.words)
            if (not self.provider or provider_of(m) == self.provider) and all(has(m) is not False for has in wanted)
        )
        if self.sort == "provider":
            return found
        return found.sorted(_BY.get(self.sort, self.sort), descending=self.descends)

    def near(self, models: ModelList) -> list[Model]:
        """Return up to three models for when none matches: their ids are similar to the words, and the filters hold."""
        name = " ".join(word for word in self._words if word not in _WORDS)
        if not name or len(models) > _NEAR:
            return []
        fitting = replace(self, words="", capabilities=self.ticked).of(models)
        return [m for m in map(models.get, fitting.nearest(name)) if m is not None]


def provider_of(model: Model) -> str:
    """Return the provider's name, "other" where it is unknown."""
    return model.provider or "other"


def providers(models: Sequence[Model]) -> list[str]:
    """Return the providers, in alphabetical order."""
    return sorted({provider_of(m) for m in models}, key=str.lower)


def row(model: Model, day: date | None = None) -> dict[str, Any]:
    """Return a model as the texts of a row, with invisible characters made visible. `day`: default is today.

    `asks`: the cost of 1,000 short questions; `bar`: the same as percent of a logarithmic bar, -1 for unknown. `can`:
    whether it has each of CAPABILITIES, None for unknown. `ends`: see `_ends`.
    """
    cost = short_questions(model)
    return {
        "id": model.id,
        "label": visible(model.id),
        "name": visible(model.name) if model.name != model.id else "",
        "provider": visible(provider_of(model)),
        "description": visible(model.description[:400]),
        "asks": _felt(cost),
        "bar": _bar(cost),
        "input": price(model.price.input),
        "output": price(model.price.output),
        "window": tokens(model.context_window),
        "can": [has(model) for has in CAPABILITIES.values()],
        "ends": _ends(model, day),
        "marks": _marks(model),
        "falls": [visible(name) for name in model.fallbacks[:5]],
    }


def _felt(cost: Decimal | None) -> str:
    """Return an amount below a dollar in whole cents: a column's figures are compared digit by digit."""
    if cost is None or cost >= 1:
        return money(cost)
    cents = cost.quantize(_CENT, ROUND_HALF_UP, EXACT)
    return money(cents) if cents else "free" if not cost else "<$0.01"


def _bar(cost: Decimal | None) -> int:
    if cost is None:
        return -1
    if not cost:
        return 0
    decades = (magnitude(cost) - math.log(_LEAST_BAR)) / math.log(10)
    return round(100 * min(1.0, max(0.04, decades / _BAR_DECADES)))


def _ends(model: Model, day: date | None) -> list[Any]:
    """Return [the retirement date in ISO form or "", whether it is within 90 days or past, whether it is past]."""
    ends = model.retirement_date
    if ends is None:
        return ["", False, False]
    return [ends.isoformat(), retires_soon(model, day), ends <= (day or _today())]


def _marks(model: Model) -> list[str]:
    deprecated = model.deprecated and model.retirement_date is None
    return [name for name, there in (("deprecated", deprecated), ("preview", model.preview)) if there]


def _today() -> date:
    from tetrate_jupyter.catalog.search import today

    return today()
