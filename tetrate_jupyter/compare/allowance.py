"""What `max_cost` allows: the most that each call can cost, and the cap on answers that it implies; pure.

`max_cost` is a promise: it is never exceeded, and either every call is made or none. The most that a call can cost is
known before it is sent: its prompt has no more tokens than bytes, and its answer no more than the cap sent with it. If
none was given, all answers get the same cap, the largest that the money allows; if that is too small to be useful,
nothing is asked. For a model with tools the money of `ROUNDS` rounds is set aside; each further round is run only if
there is money for its bound by then. The promise holds at the prices that the router lists for the requested models; a
column whose price is unknown is left out and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.amounts import product, total
from tetrate_jupyter.catalog.estimate import LONG_FACTOR, is_long, most_cost, most_rates, size
from tetrate_jupyter.completion.request import CAPS, OVER, fewest, given_cap
from tetrate_jupyter.errors import CostLimitError
from tetrate_jupyter.ledger.budget import enough_for, stated
from tetrate_jupyter.render.numbers import money

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.compare.setup import Setup
    from tetrate_jupyter.types import Model

ROUNDS: Final = 3  # rounds paid for in advance where there are tools: call, call again, answer


@dataclass(frozen=True, slots=True)
class Weight:
    """Tokens sent with every prompt of a column: history, system prompt, schema, tools, images.

    `most` is an upper bound, `estimated` an estimate.
    """

    estimated: int
    most: int


@dataclass(frozen=True)
class Load:
    """The calls of one column. `sizes`: upper bounds of input tokens by prompt; `given`: the requested cap or None."""

    model: Model
    sizes: tuple[int, ...]
    repeats: int
    rounds: int
    given: int | None
    allowed: int | None

    @classmethod
    def of(cls, setup: Setup, column: Column, model: Model, weight: Weight, sizes: Sequence[int]) -> Load:
        """Return the load of a column that can be asked; `sizes`: the prompts' bytes."""
        params = {**setup.params, **column.params}
        rounds = ROUNDS if params.get("tools") else 1
        found = tuple(each + weight.most for each in sizes)
        return cls(model, found, setup.repeats, rounds, given_cap(params), column.allowed)

    @property
    def own(self) -> int:
        """The model's own limit of an answer, in tokens."""
        return self.model.max_output_tokens or config.DEFAULT_MAX_OUTPUT

    @property
    def cap(self) -> int:
        """The cap on an answer, in tokens."""
        return self._cap(self.allowed)

    def most(self, allowed: int | None) -> Decimal | None:
        """Return the most that all calls can cost in US dollars, with `allowed` as default cap; None for unknown."""
        rates, cap = most_rates(self.model), self._cap(allowed) + OVER
        if rates is None:
            return None
        read, answers = self._sums
        often = self.repeats * self.rounds
        return total((product(rates[0], read, often), product(rates[1], cap * answers, often)))

    @cached_property
    def _sums(self) -> tuple[int, int]:
        """The tokens of all prompts, and their number, each weighted by `LONG_FACTOR` at the long-context price."""
        times = [LONG_FACTOR if is_long(self.model, each) else 1 for each in self.sizes]
        return sum(n * each for n, each in zip(times, self.sizes)), sum(times)  # noqa: B905 - made from the other

    def most_of(self, prompt: int) -> Decimal | None:
        """Return the most that one call with this prompt can cost in US dollars, in all `rounds`; None for unknown."""
        each = most_cost(self.model, self.sizes[prompt], self.cap + OVER)
        return None if each is None else product(each, self.rounds)

    def _cap(self, allowed: int | None) -> int:
        return self.given or min(self.own, allowed or self.own)


def loads(setup: Setup, weights: Mapping[str, Weight]) -> dict[str, Load]:
    """Return the load of each column that can be asked, by column id. `weights` are by column id, too."""
    sizes = [size(prompt) for prompt in setup.prompts]
    return {
        c.id: Load.of(setup, c, c.model, weights[c.id], sizes)
        for c in setup.columns
        if c.model is not None and c.problem is None
    }


def refuse_unknown_prices(setup: Setup) -> Setup:
    """Return the setup with a problem in each column whose price is unknown, since `max_cost` can't cover it."""
    if setup.max_cost is None:
        return setup
    columns = tuple(
        replace(column, problem=_unpriced(setup.max_cost))
        if column.problem is None and column.model is not None and most_rates(column.model) is None
        else column
        for column in setup.columns
    )
    return replace(setup, columns=columns)


def kept_within(setup: Setup, weights: Mapping[str, Weight]) -> Setup:
    """Return the setup with the cap that `max_cost` implies, in the columns that need one and have none.

    Raises `CostLimitError` where not all calls can be made. Without `max_cost` nothing is capped.
    """
    most = setup.max_cost
    columns = tuple(replace(column, allowed=None) for column in setup.columns)
    if most is None:
        return replace(setup, columns=columns)
    columns = tuple(_surely_capped(column, setup) for column in columns)
    setup = replace(setup, columns=columns)
    found = loads(setup, weights)
    if not found:
        return setup
    free = [load for load in found.values() if load.given is None]
    needed = max((min(load.own, fewest(load.model)) for load in free), default=1)
    if _whole(found.values(), needed) > most:
        raise _too_dear(list(found.values()), most, needed)
    allowed = _longest(found.values(), most, max((load.own for load in free), default=1))
    capped = {
        column: min(allowed, load.own)
        for column, load in found.items()
        if load.given is None and (allowed < load.own or load.model.max_output_tokens is None)
    }
    return replace(setup, columns=tuple(replace(c, allowed=capped.get(c.id)) for c in columns))


def _surely_capped(column: Column, setup: Setup) -> Column:
    """Return the column with its cap in a field that its model is sure to know: one that it ignores is no limit.

    `max_output_tokens` is another API's field, and `max_completion_tokens` is OpenAI's.
    """
    params = {**setup.params, **column.params}
    given = given_cap(params)
    known = CAPS[:2] if column.model is not None and column.model.provider == "openai" else CAPS[:1]
    if given is None or given_cap({name: params.get(name) for name in known}) == given:
        return column
    return replace(column, params={**column.params, "max_tokens": given})


def _whole(found: Iterable[Load], allowed: int | None) -> Decimal:
    return total(load.most(allowed) for load in found) or Decimal(0)


def _longest(found: Collection[Load], most: Decimal, longest: int) -> int:
    low, high = 0, longest
    while low < high:
        middle = (low + high + 1) // 2
        if _whole(found, middle) <= most:
            low = middle
        else:
            high = middle - 1
    return low


def _too_dear(found: list[Load], most: Decimal, needed: int) -> CostLimitError:
    """Return the error for a comparison that is too expensive, with the figures and the next step."""
    calls = sum(len(load.sizes) * load.repeats for load in found)
    makes = f"This makes {calls:,} call{'' if calls == 1 else 's'}"
    given = [load.given for load in found if load.given is not None]
    free = [replace(load, given=None) for load in found] if len(given) == len(found) else found
    fits = _longest(free, most, max([needed, *given]))
    enough = enough_for(_whole(found, needed))
    if len(given) == len(found):
        known = f"answers of up to {max(given):,} tokens can cost {money(_whole(found, None))}"
        what = f"{known}, more than max_cost {stated(most)}"
    elif fits:
        what = (
            f"max_cost {stated(most)} allows {fits:,} tokens for each answer, too few to be of use ({needed:,}); "
            f"answers of any length can cost {money(_whole(found, None))}"
        )
    else:
        what = f"the prompts alone can cost {money(_whole(free, 1))}, more than max_cost {stated(most)}"
    shorter = f"cap the answers (--max-tokens {fits}; max_tokens={fits}), " if fits else ""
    refused = CostLimitError(
        f"{makes}; {what}. Nothing was asked.",
        next_step=f"allow more (--max-cost {enough}; max_cost={enough}), {shorter}"
        "or give fewer prompts, models or repeats",
    )
    refused.fits, refused.enough = fits, enough
    return refused


def _unpriced(most: Decimal) -> CostLimitError:
    return CostLimitError(
        f"Not asked: the price of this model is unknown, so max_cost {stated(most)} could be passed.",
        next_step="leave this model out, or compare without max_cost",
    )
