"""The columns of a comparison, made from ids, lists or patterns, and three models to begin with; pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.amounts import EXACT, magnitude, total
from tetrate_jupyter.catalog.estimate import cost
from tetrate_jupyter.catalog.search import blended_price, default_choice, retires_soon
from tetrate_jupyter.conversation import Conversation, Exchange
from tetrate_jupyter.errors import OptionError, TetrateError, UnknownModelError
from tetrate_jupyter.types import Model, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tetrate_jupyter.catalog.models import ModelList

NEIGHBOURS: Final = 2  # models compared with the session's own where none are named
MAX_COLUMNS: Final = 50  # more than anybody compares: such a pattern is too broad
LIVE_COLUMNS: Final = 12  # in a panel; more are asked, and read in the result
_ASKABLE: Final = frozenset({None, "chat", "responses", "completion"})  # other modes don't answer with text
_NOT_FOR_A_COLUMN: Final = frozenset({"images", "keep", "cell_id", "replaces", "typed"})


@dataclass(frozen=True)
class Column:
    """One column: a model with its parameters and its own history.

    `id` identifies the column and is never the model's, since the same model may be there twice. `label` is what is
    shown ("claude-haiku-4-5 #2" for the second one). `asked` is the requested id; `model` is None, and `problem` says
    why, if it can't be asked. `params` override those of the comparison; `history` precedes the prompt. `allowed`:
    tokens that `max_cost` allows for an answer, None where it sets no cap.
    """

    id: str
    label: str
    asked: str
    model: Model | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Exchange, ...] = ()
    problem: TetrateError | None = field(default=None, compare=False)
    allowed: int | None = None


@dataclass(frozen=True)
class ColumnRequest:
    """A request for one column, or for several if `words` is a pattern."""

    words: str
    params: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Exchange, ...] = ()
    label: str | None = None

    @property
    def is_pattern(self) -> bool:
        """Whether it may match several models ("claude-*")."""
        return any(c in self.words for c in "*?[")


def column_requests(models: object) -> list[ColumnRequest]:
    """Return the requests in an argument: an id, "a,b,c", a pattern, a `Model`, a mapping, a list of those, or None.

    A mapping has "model" and what differs in this column: options of `Session.ask`, "label" for another name, "history"
    for a conversation before the prompt. Raises `OptionError`.
    """
    if models is None:
        return []
    if isinstance(models, str):
        return [ColumnRequest(word) for word in (part.strip() for part in models.split(",")) if word]
    if isinstance(models, Model):
        return [ColumnRequest(models.id)]
    if isinstance(models, Mapping):
        return [_from_mapping(models)]
    if isinstance(models, Iterable):
        return [request for each in models for request in column_requests(each)]
    raise OptionError(
        f"models can't be {type(models).__name__}.", next_step='give ids: models=["claude-haiku-4-5", "gpt-*"]'
    )


def _from_mapping(given: Mapping[str, Any]) -> ColumnRequest:
    rest = dict(given)
    model, label, history = rest.pop("model", None), rest.pop("label", None), rest.pop("history", ())
    words = model.id if isinstance(model, Model) else model
    if not isinstance(words, str) or not words.strip():
        raise OptionError(
            "A column has no model.", next_step='write {"model": "claude-haiku-4-5", "temperature": 0} for it'
        )
    wrong = _NOT_FOR_A_COLUMN & rest.keys()
    if wrong:
        raise OptionError(
            f"A column can't have {min(wrong)!r} of its own.", next_step="give it to the whole comparison, or leave it"
        )
    exchanges = (history if isinstance(history, Conversation) else Conversation(history)).exchanges
    return ColumnRequest(words.strip(), rest, exchanges, None if label is None else str(label))


def columns_of(wanted: Iterable[ColumnRequest], models: ModelList) -> tuple[Column, ...]:
    """Return the requested columns in their order, and a pattern's models in the list's order.

    A request that no model matches becomes a column with a problem. Raises `UnknownModelError` if nothing matches at
    all, and `OptionError` for more than 50 columns.
    """
    found: list[Column] = []
    for request in wanted:
        fitting = [m for m in models.search(request.words) if _is_askable(m)] if request.is_pattern else None
        if fitting is None:
            found.append(_one(request, models))
        elif fitting:
            found += [_of_model(request, model) for model in fitting]
        else:
            found.append(_failed(request, _no_match(request.words, models)))
        _check_count(found, request)
    problems = [c.problem for c in found if c.problem is not None]
    if problems and len(problems) == len(found):
        raise problems[0]
    return numbered(found)


def columns_at_their_word(wanted: Iterable[ColumnRequest], model_of: Callable[[str], Model]) -> tuple[Column, ...]:
    """Return the columns of models given by id, without a list: `model_of` returns what is known of an id."""
    found = []
    for request in wanted:
        found.append(_of_model(request, model_of(request.words)))
        _check_count(found, request)
    return numbered(found)


def _one(request: ColumnRequest, models: ModelList) -> Column:
    try:
        model = models.find(request.words)
    except UnknownModelError as problem:
        return _failed(request, problem)
    return _of_model(request, model)


def _of_model(request: ColumnRequest, model: Model) -> Column:
    return Column("", request.label or model.id, model.id, model, request.params, request.history)


def _failed(request: ColumnRequest, problem: TetrateError) -> Column:
    return Column("", request.label or request.words, request.words, None, request.params, request.history, problem)


def _no_match(pattern: str, models: ModelList) -> UnknownModelError:
    near = models.nearest(pattern.strip("*?[]"))
    step = f"use {' or '.join(repr(i) for i in near)}" if near else "list them with %tetrate_models"
    return UnknownModelError(
        f"No model fits {pattern!r} in this key's list of {len(models):,}.", nearest=near, next_step=step
    )


def _check_count(found: list[Column], request: ColumnRequest) -> None:
    if len(found) > MAX_COLUMNS:
        raise OptionError(
            f"With {request.words!r} there are {len(found)} columns; a comparison takes at most {MAX_COLUMNS}.",
            next_step="name fewer models, or a narrower pattern",
        )


def numbered(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return the columns, each with an id ("c1", "c2", ...) and a unique label."""
    counts: Counter[str] = Counter()
    labels: set[str] = set()
    found = []
    for number, column in enumerate(columns, 1):
        base = label = column.label
        counts[base] += 1
        while label in labels:
            counts[base] += label != base
            label = f"{base} #{counts[base]}"
        labels.add(label)
        found.append(replace(column, id=f"c{number}", label=label))
    return tuple(found)


def own_label(label: str, asked: str) -> str | None:
    """Return a column's label if it was chosen; None if it is the model's name, numbered or not."""
    base, _, number = label.rpartition(" #")
    return None if label == asked or (base == asked and number.isdigit()) else label


def _is_askable(model: Model) -> bool:
    """Whether the model answers with text; others make images or vectors."""
    return model.mode in _ASKABLE


def neighbours(own: Model, models: Iterable[Model], *, images: bool = False) -> list[Model]:
    """Return two models to compare with `own`: of other providers, current, nearest to it in price.

    If its price is unknown, the cheapest ones. `images`: without models that are known to take text only.
    """
    usable = [m for m in models if m.id != own.id and _is_current(m) and not (images and m.images is False)]
    usable.sort(key=lambda m: (_distance(own, m), m.id))
    chosen: list[Model] = []
    for other_provider in (True, False):  # a second model of a provider only if there are no others
        for model in usable:
            taken = {own.provider, *(m.provider for m in chosen)}
            if len(chosen) < NEIGHBOURS and model not in chosen and (model.provider not in taken or not other_provider):
                chosen.append(model)
    return chosen


def _distance(own: Model, other: Model) -> float:
    price, of_own = blended_price(other), blended_price(own)
    logarithm = magnitude(price) if price else math.inf
    return logarithm if not of_own else abs(logarithm - magnitude(of_own))


SIZE: Final = 3
SHORT: Final = Usage(100, 60)  # tokens of a short question and its answer, without reasoning
_QUESTIONS: Final = Decimal(1_000)
_DEAREST: Final = Decimal(15)  # US dollars per million tokens, blended; more is too expensive for a first try


@dataclass(frozen=True, slots=True)
class Trio:
    """Models to begin with. `price`: US dollars for 1,000 short questions to all of them, None for unknown."""

    name: str
    models: tuple[Model, ...]
    price: Decimal | None


def trios(models: Sequence[Model], own: Model | None = None) -> list[Trio]:
    """Return sets of models to begin with: the default, the cheap and the strong ones.

    `own`: the session's model, if one is chosen. Each set has three providers if there are that many. Preview and
    retiring models and those of unknown price are left out, and so are duplicate sets.
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
        _is_askable(model)
        and model.tools is not False
        and not (model.deprecated or model.preview or retires_soon(model))
        and blended_price(model)
    )


def _price(model: Model) -> Decimal:
    return blended_price(model) or Decimal(0)


def _of_providers(models: Iterable[Model], by: Callable[[Model], Decimal]) -> list[Model]:
    """Return the first models in this order, one per provider; more of a provider only if there are too few."""
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
