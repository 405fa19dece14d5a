"""What a comparison will cost before it is paid for: expected and at most, by column and in all; pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.amounts import total
from tetrate_jupyter.catalog.estimate import LONG_CONTEXT, cost, estimate_tokens
from tetrate_jupyter.characters import one_line
from tetrate_jupyter.render.numbers import money
from tetrate_jupyter.types import Message, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from tetrate_jupyter.compare.columns import Column
    from tetrate_jupyter.compare.setup import Setup
    from tetrate_jupyter.ledger import Entry

EXPECTED_OUTPUT: Final = 400  # tokens of an answer, where this session hasn't seen any yet


@dataclass(frozen=True, slots=True)
class Share:
    """One column's part. Costs are US dollars, None for unknown; tokens are estimates for all its calls."""

    column: str
    label: str
    calls: int
    prompt_tokens: int
    output_tokens: int
    output_cap: int
    expected: Decimal | None
    worst: Decimal | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """All columns' parts. `expected` and `worst` add up what is known; `unknown` names the columns that isn't."""

    shares: tuple[Share, ...]

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
        """US dollars at the usual length of an answer; None where no column's price is known."""
        return total(s.expected for s in self.shares if s.calls)

    @property
    def worst(self) -> Decimal | None:
        """US dollars with every answer as long as its cap allows; None where no column's price is known."""
        return total(s.worst for s in self.shares if s.calls)

    @property
    def sentence(self) -> str:
        """The forecast in one line: "This makes 240 calls, at most ≈ $1.10 (≈ $0.08 expected)."."""
        calls = f"This makes {self.calls:,} call{'' if self.calls == 1 else 's'}"
        if self.worst is None:
            return f"{calls}; the cost is unknown." if self.calls else f"{calls}."
        known = f"{calls}, at most ≈ {money(self.worst)} (≈ {money(self.expected)} expected)"
        left_out = f", without {', '.join(map(one_line, self.unknown))}: price unknown" if self.unknown else ""
        return f"{known}{left_out}."


def forecast(setup: Setup, usual_output: Mapping[str, int] | None = None) -> Forecast:
    """Estimate before asking. `usual_output`: tokens of an answer by model id, "" for all others (400)."""
    usual = usual_output or {}
    prompts = [estimate_tokens([Message("user", p, images=setup.images)]) for p in setup.prompts]
    together, longest = sum(prompts), max(prompts)
    return Forecast(tuple(_share(setup, column, together, longest, usual) for column in setup.columns))


def _share(setup: Setup, column: Column, together: int, longest: int, usual: Mapping[str, int]) -> Share:
    model = column.model
    if model is None or column.problem is not None:
        return Share(column.id, column.label, 0, 0, 0, 0, None, None)
    params = {**setup.params, **column.params}
    before = _before(column, params)
    calls = len(setup.prompts) * setup.repeats
    cap = int(params.get("max_tokens") or model.max_output_tokens or config.DEFAULT_MAX_OUTPUT)
    each = min(cap, usual.get(model.id, usual.get("", EXPECTED_OUTPUT)))
    sent = setup.repeats * (together + before * len(setup.prompts))
    threshold = model.long_context_threshold
    return Share(
        column.id,
        column.label,
        calls,
        sent,
        each * calls,
        cap,
        cost(model, Usage(sent, each * calls)).usd,
        cost(model, Usage(sent, cap * calls)).usd,
        (LONG_CONTEXT,) if threshold is not None and longest + before > threshold else (),
    )


def _before(column: Column, params: Mapping[str, object]) -> int:
    messages = [m for exchange in column.history for m in exchange.messages()]
    system = params.get("system")
    if isinstance(system, str) and system:
        messages.append(Message("system", system))
    return estimate_tokens(messages)


def usual_output(entries: Iterable[Entry]) -> dict[str, int]:
    """Learn the usual length of answers from what was asked before: the median, by model id and ("") over all."""
    seen: dict[str, list[int]] = {}
    for entry in entries:
        tokens = entry.usage.completion_tokens
        if entry.outcome == "done" and tokens is not None:
            seen.setdefault(entry.asked, []).append(tokens)
            seen.setdefault("", []).append(tokens)
    return {model: round(statistics.median(tokens)) for model, tokens in seen.items()}
