"""`session.compare`: preparing a comparison from a caller's arguments, running it and waiting for its end."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.compare.columns import (
    Column,
    ColumnRequest,
    column_requests,
    columns_at_their_word,
    columns_of,
    neighbours,
)
from tetrate_jupyter.compare.questions import Questions, checked
from tetrate_jupyter.compare.running import Comparison
from tetrate_jupyter.compare.setup import CONCURRENCY, Setup, new_seed, prompts_of
from tetrate_jupyter.completion.foreign import guarded
from tetrate_jupyter.engine.funds import dollars
from tetrate_jupyter.engine.keeping import explained
from tetrate_jupyter.errors import (
    CostLimitError,
    GatewayError,
    InvalidKeyError,
    OptionError,
    TetrateError,
    UnknownModelError,
    UnreachableError,
)
from tetrate_jupyter.types import Cut, Image, Model

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from tetrate_jupyter.compare.forecast import Forecast
    from tetrate_jupyter.compare.result import Result
    from tetrate_jupyter.conversation import Exchange
    from tetrate_jupyter.engine.engine import Engine

    _Setup = partial[Setup]  # all but its columns

LARGE: Final = 1_000  # calls above which `max_cost` is required
ANNOUNCED: Final = 50  # calls from which on the estimate is shown first
_SETTLE: Final = 2.0  # seconds that stopped calls get to close their connections
_NOT_FOR_ALL: Final = frozenset({"model", "keep", "cell_id", "replaces", "typed"})


class ComparisonStopped(KeyboardInterrupt):
    """Raised for an interrupted comparison; answers so far are kept. A KeyboardInterrupt, so later cells don't run."""

    def _render_traceback_(self) -> list[str]:
        return ["Stopped. The answers so far are in session.comparison.result; .retry() there asks for the rest."]


async def prepare(
    session: Engine,
    prompts: object,
    models: object = None,
    *,
    images: object = (),
    repeats: int = 1,
    max_cost: float | Decimal | str | None = None,
    seed: int | None = None,
    concurrency: int = CONCURRENCY,
    history: bool = False,
    cuts: tuple[Cut, ...] = (),
    as_typed: str | None = None,
    cached: object = None,
    refresh: bool = False,
    **params: Any,  # noqa: ANN401 - options of `Session.ask`
) -> Comparison:
    """Return a checked comparison, not started. Runs on the session's loop. See `Session.compare` and `Setup`."""
    texts, wanted = prompts_of(prompts), None if models is None else column_requests(models)
    if wrong := _NOT_FOR_ALL & params.keys():
        raise OptionError(f"A comparison takes no {min(wrong)!r}.", next_step="leave it out")
    common = {k: v for k, v in {"system": session.system, **session.params, **params}.items() if v is not None}
    setup = partial(
        Setup,
        texts,
        repeats=repeats,
        seed=new_seed() if seed is None else seed,
        params={k: v for k, v in common.items() if k not in _NOT_FOR_ALL},
        images=await asyncio.to_thread(_images, images),
        max_cost=dollars(max_cost, "max_cost"),
        concurrency=concurrency,
        cuts=cuts,
        as_typed=as_typed,
        cached=session.keeper.resolved(cached, refresh=refresh),
        refresh=refresh or session.keeper.refresh,
    )
    comparison = await _kept_or_to_ask(session, wanted, setup, session.conversation.exchanges if history else ())
    if max_cost is None:
        _refuse_large(comparison.forecast)
    return comparison


async def _kept_or_to_ask(
    session: Engine, wanted: list[ColumnRequest] | None, setup: _Setup, before: tuple[Exchange, ...]
) -> Comparison:
    place, refresh = setup.keywords["cached"], setup.keywords["refresh"]
    if not place or refresh:
        return await _to_ask(session, wanted, setup, before)
    with explained(session.keeper.store(place), next_step=_without_list(wanted)):
        return await _all_kept(session, wanted, setup, before) or await _to_ask(session, wanted, setup, before)


async def _to_ask(
    session: Engine, wanted: list[ColumnRequest] | None, setup: _Setup, before: tuple[Exchange, ...]
) -> Comparison:
    columns = await _columns(session, wanted, images=bool(setup.keywords["images"]))
    asked = setup(columns=_after(columns, before))
    await session.account.key()  # raises where there is no key; from here on the gate knows it
    return Comparison(session, *await asyncio.to_thread(checked, session, asked))


async def _all_kept(
    session: Engine, wanted: list[ColumnRequest] | None, setup: _Setup, before: tuple[Exchange, ...]
) -> Comparison | None:
    """Return the comparison if all of its answers are kept, else None: it needs no key and no list, and costs nothing.

    Only for models given by id: a pattern needs the list. A later retry stays within `max_cost`, which without prices
    means that it isn't sent.
    """
    if not wanted or any(request.is_pattern for request in wanted):
        return None
    asked = setup(columns=_after(columns_at_their_word(wanted, session.chooser.taken_at_its_word), before))
    if not await asyncio.to_thread(Questions(session, asked).are_all_kept):
        return None
    free, forecast = await asyncio.to_thread(checked, session, replace(asked, max_cost=None))
    return Comparison(session, replace(free, max_cost=asked.max_cost), forecast)


def _after(columns: tuple[Column, ...], before: tuple[Exchange, ...]) -> tuple[Column, ...]:
    return tuple(replace(c, history=c.history or before) for c in columns) if before else columns


def _without_list(wanted: list[ColumnRequest] | None) -> str:
    """Return the next step where a pattern needs the list of models to find kept answers; "" without a pattern."""
    if wanted and not any(request.is_pattern for request in wanted):
        return ""
    return (
        "sign in (%tetrate_login); or name each model, then kept answers need no list: -m claude-haiku-4-5,gpt-6-luna"
    )


def _refuse_large(found: Forecast) -> None:
    if found.calls > LARGE:
        raise CostLimitError(
            f"{found.sentence} Nothing was asked.",
            next_step='say what it may cost: max_cost=5 (US dollars), or max_cost="inf" for no limit',
        )


def compare(session: Engine, prompts: object, models: object, options: dict[str, Any]) -> Result:
    """Prepare a comparison, run it and return its result. See `Session.compare`."""
    with guarded("Preparing the comparison"):
        comparison = session.bridge.run(prepare(session, prompts, models, **options))
    begin(session, comparison)
    if not came_to_its_end(comparison):
        raise ComparisonStopped
    return comparison.result


async def acompare(session: Engine, prompts: object, models: object, options: dict[str, Any]) -> Result:
    """Like `compare`, as a coroutine. Cancelling it stops the calls; answers so far stay in `session.comparison`."""
    with guarded("Preparing the comparison"):
        comparison = await session.bridge.arun(prepare(session, prompts, models, **options))
    begin(session, comparison)
    try:
        return await comparison.finished()
    except asyncio.CancelledError:
        comparison.stop()
        raise


def begin(session: Engine, comparison: Comparison) -> None:
    """Start a comparison that a person waits for, as the session's; print the estimate of a large one first."""
    session.comparison = comparison
    if comparison.forecast.calls >= ANNOUNCED:
        print(comparison.forecast.sentence)  # noqa: T201 - to the person
    comparison.start()


def came_to_its_end(comparison: Comparison) -> bool:
    """Wait for the end; return False where an interrupt came first, which has stopped the calls by then."""
    try:
        comparison.wait()
    except KeyboardInterrupt:
        comparison.stop()
        with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
            comparison.wait(timeout=_SETTLE)
        return False
    return True


async def models_of(session: Engine, models: object) -> list[Model]:
    """Return the models that `prepare` would ask, without unknown ones."""
    columns = await _columns(session, None if models is None else column_requests(models), images=False)
    return [column.model for column in columns if column.model is not None]


async def beside(
    session: Engine, model: str | None, *, history: Iterable[Exchange] = (), images: bool = False
) -> list[dict[str, Any]]:
    """Return columns for a model (None: the session's) and two others to compare it with, all with this `history`."""
    wanted = _usual(session, await _listed(session, []), model or session.model, images=images)
    return [{"model": request.words, "history": history} for request in wanted]


async def _columns(session: Engine, wanted: list[ColumnRequest] | None, *, images: bool) -> tuple[Column, ...]:
    models = await _listed(session, wanted)
    if wanted is None:
        wanted = _usual(session, models, session.model, images=images)
    if not wanted:  # an empty filtered list: comparing other models would be a surprise
        raise OptionError("The list of models is empty.", next_step='name some: models=["claude-*", "gpt-6-luna"]')
    if any(not request.is_pattern and models.get(request.words) is None for request in wanted):
        with contextlib.suppress(TetrateError):  # the model may be newer than our list
            newer = await session.amodels(refresh=True)
            models = ModelList([*newer, *(m for m in models if newer.get(m.id) is None)])
    return columns_of(wanted, models)


async def _listed(session: Engine, wanted: list[ColumnRequest] | None) -> ModelList:
    """Return the key's list, plus named models that it lacks but that `Chooser.find` accepts by id."""
    named = [request.words for request in wanted or () if not request.is_pattern]
    try:
        models = await session.amodels()
    except (InvalidKeyError, UnreachableError):
        raise
    except GatewayError:
        if not named:
            raise
        models = ModelList()
    chooser, bare = session.chooser, []
    for words in named:
        if models.get(words) is None:
            with contextlib.suppress(UnknownModelError):
                bare.append(chooser.at_hand(words) if models else await chooser.find(words))
    return ModelList([*models, *filter(None, bare)]) if bare else models


def _usual(session: Engine, models: ModelList, model: str | None, *, images: bool) -> list[ColumnRequest]:
    """Return the columns where none are named: `model`, or the default, and two others to compare it with."""
    own = models.get(model or "") or session.chooser.default_of(models)
    if own is None:
        raise session.chooser.no_model()
    return [ColumnRequest(m.id) for m in (own, *neighbours(own, models, images=images))]


def _images(given: object) -> tuple[Image, ...]:
    from tetrate_jupyter.completion.images import load_image

    items = given if isinstance(given, (list, tuple)) else (given,)
    return tuple(item if isinstance(item, Image) else load_image(item) for item in items)
