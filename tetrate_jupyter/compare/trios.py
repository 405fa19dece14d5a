"""Three models to begin with, chosen from the list by price and provider; pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.amounts import EXACT, total
from tetrate_jupyter.catalog.estimate import cost
from tetrate_jupyter.catalog.search import blended_price, default_choice, retires_soon
from tetrate_jupyter.compare.columns import is_askable, neighbours
from tetrate_jupyter.types import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tetrate_jupyter.types import Model

SIZE: Final = 3
SHORT: Final = Usage(100, 60)  # tokens of a short question and its answer, without reasoning
_QUESTIONS: Final = Decimal(1_000)
_DEAREST: Final = Decimal(15)  # US dollars per million tokens, blended; beyond, trying it out is no small thing


@dataclass(frozen=True, slots=True)
class Trio:
    """Models to begin with. `price`: US dollars for 1,000 short questions to all of them, None for unknown."""

    name: str
    models: tuple[Model, ...]
    price: Decimal | None


def trios(models: Sequence[Model], own: Model | None = None) -> list[Trio]:
    """Return the trios to begin with: the default, the cheap and the strong models.

    `own`: the session's model, where one is chosen. Each has three providers where there are as many. Preview models,
    those that retire soon and those of unknown price are left out; what would be there twice is there once.
    """
    usable = [m for m in models if _is_current(m)]
    first = own or default_choice(models)
    beside = [first, *neighbours(first, models)] if first is not None else []
    found = [("Three providers" if len({m.provider for m in beside}) == SIZE else "To begin with", beside)]
    found.append(("Cheap", _of_providers(usable, _price)))
    able = [m for m in usable if m.reasoning is not False and _price(m) <= _DEAREST]
    newest = sorted(able, key=lambda m: (str(m.release_date or ""), m.id), reverse=True)
    found.append(("Strong", _of_providers(newest, lambda m: -_price(m))))
    made: dict[frozenset[str], Trio] = {}
    for name, chosen in found:
        if len(chosen) > 1:
            made.setdefault(frozenset(m.id for m in chosen), Trio(name, tuple(chosen), _of_short_questions(chosen)))
    return list(made.values())


def _is_current(model: Model) -> bool:
    return bool(
        is_askable(model)
        and model.tools is not False
        and not (model.deprecated or model.preview or retires_soon(model))
        and blended_price(model)
    )


def _price(model: Model) -> Decimal:
    return blended_price(model) or Decimal(0)


def _of_providers(models: Iterable[Model], by: Callable[[Model], Decimal]) -> list[Model]:
    """Return the first by that order, one of each provider, further ones only where there are too few."""
    found: list[Model] = []
    ordered = sorted(models, key=by)
    for again in (False, True):
        for model in ordered:
            if (
                len(found) < SIZE
                and model not in found
                and (again or model.provider not in {m.provider for m in found})
            ):
                found.append(model)
    return found


def _of_short_questions(models: Iterable[Model]) -> Decimal | None:
    costs = [cost(model, SHORT).usd for model in models]
    return None if None in costs else EXACT.multiply(total(costs) or Decimal(0), _QUESTIONS)
