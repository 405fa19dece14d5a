"""Estimating a comparison's cost before anything is sent: expected and at most, per column and in all; pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.amounts import total
from tetrate_jupyter.catalog.estimate import LONG_CONTEXT, cost, estimate_tokens, most_tokens, text_tokens
from tetrate_jupyter.characters import one_line
from tetrate_jupyter.compare.allowance import ROUNDS, Load, Weight, loads
from tetrate_jupyter.ledger.budget import stated
from tetrate_jupyter.render.numbers import money
from tetrate_jupyter.types import Message, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.compare.setup import CellPlace, Setup
    from tetrate_jupyter.ledger.window import Entry

EXPECTED_OUTPUT: Final = 400  # tokens of an answer, until this session has seen some


@dataclass(frozen=True, slots=True)
class Share:
    """One column's share. Costs are in US dollars, None for unknown; tokens are estimates for all its calls.

    `worst` is an upper bound (see `compare.allowance`), `uncapped` the one without the cap that `max_cost` sets.
    """

    column: str
    label: str
    calls: int
    prompt_tokens: int
    output_tokens: int
    output_cap: int
    expected: Decimal | None
    worst: Decimal | None
    notes: tuple[str, ...] = ()
    uncapped: Decimal | None = None
    load: Load | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """All columns' shares. `expected` and `worst` are sums of known costs; `unknown` has columns without a price."""

    shares: tuple[Share, ...]
    max_cost: Decimal | None = None
    prompts: int = 1

    @property
    def calls(self) -> int:
        """The number of calls."""
        return sum(s.calls for s in self.shares)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The labels of the columns whose price is unknown."""
        return tuple(s.label for s in self.shares if s.calls and s.worst is None)

    @property
    def expected(self) -> Decimal | None:
        """US dollars for answers of the usual length; None if no column's price is known."""
        return total(s.expected for s in self.shares if s.calls)

    @property
    def worst(self) -> Decimal | None:
        """US dollars for answers as long as their caps; None if no column's price is known."""
        return total(s.worst for s in self.shares if s.calls)

    @property
    def uncapped(self) -> Decimal | None:
        """As `worst`, but without the cap that `max_cost` sets."""
        return total(s.uncapped for s in self.shares if s.calls)

    @property
    def allowed(self) -> int | None:
        """The cap in tokens that `max_cost` sets; None for none."""
        caps = [s.load.allowed for s in self.shares if s.load is not None and s.load.allowed is not None]
        return max(caps, default=None)

    def load(self, column: str) -> Load | None:
        """Return a column's load, by its id; None if it can't be asked."""
        return next((s.load for s in self.shares if s.column == column), None)

    def most(self, place: CellPlace) -> Decimal | None:
        """Return the most that a call can cost in US dollars; None for unknown."""
        load = self.load(place.column)
        return None if load is None else load.most_of(place.prompt)

    @property
    def sentence(self) -> str:
        """The forecast in one line: "This makes 240 calls, at most ≈ $1.10 (≈ $0.08 expected)."."""
        prompts = f" for {self.prompts:,} prompts" if self.prompts > 1 and self.calls else ""
        calls = f"This makes {self.calls:,} call{'' if self.calls == 1 else 's'}{prompts}"
        if self.worst is None:
            return f"{calls}; the cost is unknown." if self.calls else f"{calls}."
        known = f"{calls}, at most ≈ {money(self.worst)} (≈ {money(self.expected)} expected)"
        left_out = f", without {', '.join(map(one_line, self.unknown))}: price unknown" if self.unknown else ""
        return f"{known}{left_out}.{self._capped}{self._rounds}"

    @property
    def _capped(self) -> str:
        if self.allowed is None or self.worst == self.uncapped:
            return ""
        return (
            f" Answers are capped at {self.allowed:,} tokens, what max_cost {stated(self.max_cost)} allows; without "
            f"it, at most ≈ {money(self.uncapped)}."
        )

    @property
    def _rounds(self) -> str:
        if all(s.load is None or s.load.rounds == 1 for s in self.shares):
            return ""
        return f" A model that uses its tools may take more rounds than the {ROUNDS} counted here."


def forecast(
    setup: Setup, usual_output: Mapping[str, int] | None = None, weights: Mapping[str, Weight] | None = None
) -> Forecast:
    """Return a setup's forecast. `usual_output`: tokens of an answer by model id, "" for all others (default: 400).

    `weights`: the tokens sent with each prompt, by column id (default: those of history, system prompt and images).
    """
    weights = weights or {column.id: weight(setup, column) for column in setup.columns}
    known = loads(setup, weights)
    together, usual = sum(map(text_tokens, setup.prompts)), usual_output or {}
    shares = [_share(setup, column, known.get(column.id), together, usual, weights) for column in setup.columns]
    return Forecast(tuple(shares), setup.max_cost, len(setup.prompts))


def _share(  # noqa: PLR0917 - values that all shares have in common are computed once
    setup: Setup,
    column: Column,
    load: Load | None,
    together: int,
    usual: Mapping[str, int],
    weights: Mapping[str, Weight],
) -> Share:
    model = column.model
    if model is None or load is None:
        return Share(column.id, column.label, 0, 0, 0, 0, None, None)
    calls = len(setup.prompts) * setup.repeats
    each = min(load.cap, usual.get(model.id, usual.get("", EXPECTED_OUTPUT)))
    beside = weights[column.id].estimated
    sent = setup.repeats * (together + beside * len(setup.prompts))
    threshold = model.long_context_threshold
    longest = max(map(len, setup.prompts))
    is_long = (
        threshold is not None
        and longest + beside > threshold
        and any(text_tokens(prompt) + beside > threshold for prompt in setup.prompts)
    )
    return Share(
        column.id,
        column.label,
        calls,
        sent,
        each * calls,
        load.cap,
        cost(model, Usage(sent, each * calls)).usd,
        load.most(load.allowed),
        (LONG_CONTEXT,) if is_long else (),
        load.most(None),
        load,
    )


def weight(setup: Setup, column: Column) -> Weight:
    """Return the tokens sent with each prompt of a column, as far as the setup determines them."""
    system = {**setup.params, **column.params}.get("system")
    messages = [m for exchange in column.history for m in exchange.messages()]
    if isinstance(system, str) and system:
        messages.append(Message("system", system))
    messages.append(Message("user", "", images=setup.images))
    return Weight(estimate_tokens(messages), most_tokens(messages, column.model.id if column.model else ""))


def usual_output(entries: Iterable[Entry]) -> dict[str, int]:
    """Return the median length of earlier answers in tokens, by model id, and of all under ""."""
    seen: dict[str, list[int]] = {}
    for entry in entries:
        tokens = entry.usage.completion_tokens
        if entry.outcome == "done" and tokens is not None:
            seen.setdefault(entry.asked, []).append(tokens)
            seen.setdefault("", []).append(tokens)
    return {model: round(statistics.median(tokens)) for model, tokens in seen.items()}
