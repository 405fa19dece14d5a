"""What a person looks for in the list of models, and a model as one row of it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.catalog.search import retires_soon
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.render.numbers import price, tokens
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
SORTS: Final = ("provider", "price", "context", "name")


@dataclass(frozen=True)
class Wish:
    """What is looked for. `words` as in `ModelList.search`; `provider` "" is any; `sort` is one of SORTS.

    `capabilities`: names out of CAPABILITIES; a model of which the router doesn't say whether it has one is kept.
    """

    words: str = ""
    provider: str = ""
    capabilities: frozenset[str] = frozenset()
    sort: str = "provider"

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise OptionError(
                f"Models can't be sorted by {self.sort!r} here.", next_step=f"use one of: {', '.join(SORTS)}"
            )
        unknown = self.capabilities - set(CAPABILITIES)
        if unknown:
            raise OptionError(f"There is no filter {min(unknown)!r}.", next_step=f"use: {', '.join(CAPABILITIES)}")

    def of(self, models: ModelList) -> ModelList:
        """Return the models that fit, in the order wished for; contexts largest first, prices cheapest first."""
        from tetrate_jupyter.catalog.models import ModelList

        wanted = [CAPABILITIES[name] for name in self.capabilities]
        found = ModelList(
            m
            for m in models.search(self.words)
            if (not self.provider or provider_of(m) == self.provider) and all(has(m) is not False for has in wanted)
        )
        return found if self.sort == "provider" else found.sorted(self.sort, descending=self.sort == "context")


def provider_of(model: Model) -> str:
    """Return the provider's name, "other" where none is known."""
    return model.provider or "other"


def providers(models: Sequence[Model]) -> list[str]:
    """Return the providers, in the order of the alphabet."""
    return sorted({provider_of(m) for m in models}, key=str.lower)


def row(model: Model, day: date | None = None) -> dict[str, Any]:
    """Return a model as texts for a row; what hides in a text is made visible. `day`: today, unless told otherwise."""
    known = model.price.input is not None and model.price.output is not None
    flags = {name: has(model) for name, has in CAPABILITIES.items()}
    can = [name for name, flag in flags.items() if flag]
    unknown = all(flag is None for flag in flags.values())
    return {
        "id": model.id,
        "label": visible(model.id),
        "name": visible(model.name) if model.name != model.id else "",
        "provider": visible(provider_of(model)),
        "description": visible(model.description[:400]),
        "price": f"{price(model.price.input)} in, {price(model.price.output)} out" if known else "price unknown",
        "context": f"{tokens(model.context_window)} context" if model.context_window else "context unknown",
        "can": "capabilities unknown" if unknown else ", ".join(can).replace(" output", "") or "text",
        "marks": _marks(model, day),
    }


def _marks(model: Model, day: date | None) -> list[str]:
    found = []
    if retires_soon(model, day) and model.retirement_date is not None:
        gone = model.retirement_date <= (day or _today())
        found.append(f"{'retired' if gone else 'retires'} {model.retirement_date.isoformat()}")
    elif model.deprecated:
        found.append("deprecated")
    if model.preview:
        found.append("preview")
    if model.fallbacks:
        found.append(f"falls back to {', '.join(visible(name) for name in model.fallbacks)}")
    return found


def _today() -> date:
    from tetrate_jupyter.catalog.search import today

    return today()
