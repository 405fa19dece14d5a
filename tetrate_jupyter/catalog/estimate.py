"""What a request costs, and how large it is: estimates from the catalog's prices; the dashboard has the bill."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.amounts import product, total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tetrate_jupyter.types import Message, Model, Usage

NO_PRICE: Final = "the price is unknown"
NO_USAGE: Final = "the router sent no token counts"
LONG_CONTEXT: Final = "above the long-context threshold: too low"
CACHE_WRITES: Final = "cache writes may cost more: too low"

_PER_TOKEN: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Estimate:
    """US dollars, or None for unknown; `notes` say why it is unknown or in which direction it errs."""

    usd: Decimal | None
    notes: tuple[str, ...] = ()


def cost(model: Model | None, usage: Usage) -> Estimate:
    """Estimate what a request cost, at the price of `model`: the one that answered, not the one asked for.

    (input - cached) x input price + cached x cached price (the input price where there is none) + output x output
    price, per million tokens. Reasoning tokens are part of the output. Unknown without both prices and both counts.
    """
    price = None if model is None else model.price
    if model is None or price is None or price.input is None or price.output is None:
        return Estimate(None, (NO_PRICE,))
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return Estimate(None, (NO_USAGE,))
    if usage.prompt_tokens < 0 or usage.completion_tokens < 0:
        return Estimate(None, (NO_USAGE,))
    cached = min(max(usage.cached_tokens or 0, 0), usage.prompt_tokens)
    cached_price = price.input if price.cache_read is None else price.cache_read
    parts = (
        product(usage.prompt_tokens - cached, price.input),
        product(cached, cached_price),
        product(usage.completion_tokens, price.output),
    )
    whole = None if None in parts else total(parts)
    if whole is None:
        return Estimate(None, (NO_PRICE,))
    return Estimate(product(whole, _PER_TOKEN), _notes(model, usage))


def _notes(model: Model, usage: Usage) -> tuple[str, ...]:
    notes = []
    threshold = model.long_context_threshold
    if threshold is not None and (usage.prompt_tokens or 0) > threshold:
        notes.append(LONG_CONTEXT)  # the catalog publishes base prices only
    if usage.cache_write_tokens and model.price.input != 0:
        notes.append(CACHE_WRITES)  # how the router counts them beside the input isn't documented
    return tuple(notes)


def estimate_tokens(messages: Iterable[Message]) -> int:
    """Estimate the prompt tokens of `messages`: 3.5 characters a token, 4 a message, 800 an image.

    The numbers are those of Tetrate's VS Code extension; the router has no counting route.
    """
    characters = count = images = 0
    for message in messages:
        count += 1
        images += len(message.images)
        characters += len(message.content) + sum(len(c.name) + len(c.arguments) for c in message.tool_calls)
    text = math.ceil(characters / config.CHARACTERS_PER_TOKEN)
    return text + count * config.TOKENS_PER_MESSAGE + images * config.TOKENS_PER_IMAGE
