"""The list of models as a person first sees it: in sections, each model once, in the first that it fits; pure.

Recommendations follow from the lists alone: first the default model; then one model per price class (1,000 short
questions for up to 0.10 US dollars, up to 1, above). The candidates are each provider's newest model of a class (by the
version in the id) that is of the provider's newest generation (the first number in the id), isn't deprecated, a preview
or retiring within 90 days, takes tools, and has a known price above 0. The best candidate is of a provider that isn't
recommended yet, then has the most capabilities, then the larger window (up to a million tokens; few need more), then
the lower price.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.catalog.estimate import short_questions
from tetrate_jupyter.catalog.search import age, retires_soon

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.types import Model

TICKED: Final = "Ticked"
IN_USE: Final = "In use"
IN_USE_BEFORE: Final = "In use before"  # another was chosen meanwhile, but the list isn't reordered under the pointer
RECENT: Final = "Recent"
STARRED: Final = "Starred"
RECOMMENDED: Final = "Recommended"
OTHERS: Final = "All others"
MOST_RECENT: Final = 5
ENOUGH: Final = 1_000_000  # tokens of a context window, beyond which more doesn't count
CLASSES: Final = (Decimal("0.10"), Decimal(1))  # US dollars per 1,000 short questions, up to; the last class is above


@dataclass(frozen=True)
class Marked:
    """One person's models: the id in use, the recent ones (the most recent first), the starred, the ticked ones."""

    chosen: str | None = None
    recent: tuple[str, ...] = ()
    stars: tuple[str, ...] = ()
    ticked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A title and its models, in order."""

    title: str
    models: tuple[Model, ...]


def sections(models: ModelList, marked: Marked, day: date | None = None) -> list[Section]:
    """Return all models in sections, none of which is empty. `day`: default is today."""
    taken: set[str] = set()

    def fresh(found: Iterable[Model | None], most: int | None = None) -> tuple[Model, ...]:
        kept: dict[str, Model] = {m.id: m for m in found if m is not None and m.id not in taken}
        first = tuple(kept.values())[:most]
        taken.update(m.id for m in first)
        return first

    made = [
        Section(TICKED, fresh(map(models.get, marked.ticked))),
        Section(IN_USE, fresh([models.get(marked.chosen)] if marked.chosen else [])),
        Section(RECENT, fresh(map(models.get, marked.recent), MOST_RECENT)),
        Section(STARRED, fresh(map(models.get, marked.stars))),
        Section(RECOMMENDED, fresh(recommended(models, day))),
        Section(OTHERS, fresh(models)),
    ]
    return [each for each in made if each.models]


def recommended(models: ModelList, day: date | None = None) -> list[Model]:
    """Return up to four models for somebody who doesn't know any; the module's docstring has the rule."""
    first = models.default(day)
    found = [] if first is None else [first]
    for candidates in _candidates(models, day):
        known = {m.provider for m in found}
        new = [m for m in candidates if m not in found]
        if new:
            found.append(max(new, key=lambda m: (m.provider not in known, *_worth(m))))
    return found


def _candidates(models: Sequence[Model], day: date | None) -> list[list[Model]]:
    """Return, for each price class, each provider's newest model."""
    newest: list[dict[str, Model]] = [{} for _ in range(len(CLASSES) + 1)]
    current = [m for m in models if not (m.deprecated or m.preview or retires_soon(m, day))]
    generations: dict[str | None, int] = {}
    for model in current:
        generations[model.provider] = max(_generation(model), generations.get(model.provider, 0))
    for model in current:
        cost, provider = short_questions(model), model.provider or ""
        if not cost or not model.tools or _generation(model) < generations[model.provider]:
            continue
        group = newest[bisect_left(CLASSES, cost)]
        if provider not in group or age(model) > age(group[provider]):
            group[provider] = model
    return [list(group.values()) for group in newest]


def _generation(model: Model) -> int:
    version = age(model)[0]
    return version[0] if version else 0


def _worth(model: Model) -> tuple[int, int, Decimal]:
    abilities = sum(map(bool, (model.images, model.tools, model.reasoning, model.structured_output)))
    return abilities, min(model.context_window or 0, ENOUGH), -(short_questions(model) or Decimal(0))
