"""What a request costs, estimated from the catalog's prices, and how large it is; the dashboard has the bill."""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
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

SHORT: Final = (100, 60)  # tokens of a short question: input and output
SHORT_COUNT: Final = 1_000  # questions: so many make an amount that a person can judge

LONG_FACTOR: Final = 2  # published long-context prices are at most twice the base prices

_PER_TOKEN: Final = Decimal("0.000001")
# Tokens that a bound adds to the bytes: providers put text of their own around messages and tools, and count images.
_MOST_PER_REQUEST: Final = 128
_MOST_PER_MESSAGE: Final = 32
_MOST_PER_IMAGE: Final = 6_000
_DEAR_IMAGES: Final = {"gpt-4o-mini": 50_000}  # a small model that counts more tokens per image
# First code point and tokens per character beyond ASCII. Fitted to `tests/token_counts.json`, as `text_tokens` is.
_SCRIPTS: Final = (
    (0x0080, 1.4),  # Latin letters with diacritics: they split words
    (0x0370, 0.5),  # Greek
    (0x0400, 0.4),  # Cyrillic
    (0x0530, 1.1),  # Armenian
    (0x0590, 0.5),  # Hebrew, Arabic
    (0x0700, 1.2),
    (0x0900, 0.8),  # Indic
    (0x0E00, 0.5),  # Thai
    (0x0E80, 1.2),
    (0x10A0, 1.0),  # Georgian
    (0x1100, 2.0),  # Ethiopic and others that few tokenizers know
    (0x1E00, 0.4),  # Latin letters with two diacritics
    (0x2000, 1.0),  # dashes, quotes
    (0x2070, 2.5),  # mathematical symbols
    (0x2E80, 0.7),  # kana
    (0x3100, 0.9),  # Chinese
    (0xA000, 1.5),
    (0xAC00, 0.8),  # Hangul
    (0xD7B0, 1.0),
    (0x10000, 1.7),  # emoji
)
_STARTS: Final = [start for start, _ in _SCRIPTS]
_WEIGHTS: Final = [0.0, *(weight for _, weight in _SCRIPTS)]
_LETTERS_ONLY: Final = bytes(code if chr(code).isalpha() and code < 128 else 32 for code in range(256))
_SIGNS: Final = bytes(code for code in range(33, 127) if not chr(code).isalnum())
_GAPS: Final = re.compile(rb"\s{2,}|\n")
_IDS: Final = re.compile(rb"(?<=\d)[A-Za-z]+|[A-Za-z]+(?=\d)")


@dataclass(frozen=True, slots=True)
class Estimate:
    """An amount in US dollars, None for unknown; `notes` say why it is unknown, or in which direction it errs."""

    usd: Decimal | None
    notes: tuple[str, ...] = ()


def cost(model: Model | None, usage: Usage) -> Estimate:
    """Estimate the cost of a request at the price of `model`: the one that answered, not the requested one.

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


def short_questions(model: Model) -> Decimal | None:
    """Return the US dollars for 1,000 short questions of 100 input and 60 output tokens; None for unknown.

    For comparing prices: no model answers everything in 60 tokens, and reasoning takes more.
    """
    if model.price.input is None or model.price.output is None:
        return None
    tokens = SHORT[0] * SHORT_COUNT, SHORT[1] * SHORT_COUNT
    parts = product(model.price.input, tokens[0], _PER_TOKEN), product(model.price.output, tokens[1], _PER_TOKEN)
    return None if None in parts else total(parts)


def _notes(model: Model, usage: Usage) -> tuple[str, ...]:
    notes = []
    threshold = model.long_context_threshold
    if threshold is not None and (usage.prompt_tokens or 0) > threshold:
        notes.append(LONG_CONTEXT)  # the catalog publishes base prices only
    if usage.cache_write_tokens and model.price.input != 0:
        notes.append(CACHE_WRITES)  # whether the router counts them as input isn't documented
    return tuple(notes)


def estimate_tokens(messages: Iterable[Message]) -> int:
    """Estimate the prompt tokens of `messages`: their texts (see `text_tokens`), 4 per message and 800 per image.

    The last two numbers are those of Tetrate's VS Code extension; the router has no counting route.
    """
    texts: list[str] = []
    count = images = 0
    for message in messages:
        count += 1
        images += len(message.images)
        texts.append(message.content)
        texts += [text for call in message.tool_calls for text in (call.name, call.arguments)]
    return sum(map(text_tokens, texts)) + count * config.TOKENS_PER_MESSAGE + images * config.TOKENS_PER_IMAGE


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text from its letters, digits, punctuation and scripts.

    Against ten tokenizers (GPT, Claude, Gemini, Llama, Mistral, Qwen, DeepSeek) it is within a third of their median
    for prose, code, numbers and tables in 27 languages; they differ by as much among themselves, by up to four times in
    Indic scripts. Text without words (base64, random letters, runs of white space) may have twice as many or more.
    """
    plain = text.encode("ascii", "ignore")
    words = plain.translate(_LETTERS_ONLY)
    letters = len(plain) - words.count(b" ")
    digits = len(plain) - len(plain.translate(None, b"0123456789"))
    signs = len(plain) - len(plain.translate(None, _SIGNS))
    found = 0.09 * len(words.split()) + 0.23 * letters + 0.5 * digits + 0.68 * signs + 1.3 * len(_GAPS.findall(plain))
    if len(plain) < len(text):
        found += sum(n * _WEIGHTS[bisect(_STARTS, ord(c))] for c, n in Counter(text).items() if c > "\x7f")
    return math.ceil(found) if text else 0


def crowded_tokens(text: str) -> int:
    """Estimate the tokens of a text with the models that make most of it; for what is to fill a window.

    With those a digit is one, letters beside digits (hexadecimal, ids) are hardly ever joined, and a character beyond
    ASCII is at least one.
    """
    plain = text.encode("ascii", "ignore")
    digits = len(plain) - len(plain.translate(None, b"0123456789"))
    found = 0.5 * digits + 0.5 * sum(map(len, _IDS.findall(plain)))
    if len(plain) < len(text):
        found += sum(n * max(0, 1 - _WEIGHTS[bisect(_STARTS, ord(c))]) for c, n in Counter(text).items() if c > "\x7f")
    return text_tokens(text) + math.ceil(found)


def size(text: str) -> int:
    """Return an upper bound of a text's UTF-8 bytes, whether or not a tokenizer normalizes it first (NFKC)."""
    return len(text) if text.isascii() else sum(n * _bytes(c) for c, n in Counter(text).items())


@lru_cache(maxsize=65_536)
def _bytes(character: str) -> int:
    both = (character, unicodedata.normalize("NFKC", character))
    return max(len(each.encode("utf-8", "surrogatepass")) for each in both)


def most_tokens(messages: Iterable[Message], model: str = "") -> int:
    """Return an upper bound of the prompt tokens of `messages`: one per byte, plus what providers add.

    No byte-level tokenizer makes more tokens than bytes. Providers' own text around them counts as 32 tokens per
    message or call and 128 per request; an image counts as 6,000 (50,000 with gpt-4o-mini).
    """
    each_image = next((most for name, most in _DEAR_IMAGES.items() if name in model), _MOST_PER_IMAGE)
    found = _MOST_PER_REQUEST
    for message in messages:
        found += _MOST_PER_MESSAGE + size(message.content) + size(message.aside) + each_image * len(message.images)
        for call in message.tool_calls:
            found += _MOST_PER_MESSAGE + size(call.name) + size(call.arguments) + size(call.extra)
    return found


def most_rates(model: Model) -> tuple[Decimal, Decimal] | None:
    """Return the most that an input token and an output token can cost, in US dollars; None for unknown.

    Input that is written to or read from a cache may cost more than the input price: the highest of them counts. Above
    the long-context threshold both are up to `LONG_FACTOR` times as much.
    """
    price = model.price
    if price.input is None or price.output is None:
        return None
    read, written = (
        product(max(price.input, price.cache_write or price.input, price.cache_read or price.input), _PER_TOKEN),
        product(price.output, _PER_TOKEN),
    )
    return None if read is None or written is None else (read, written)


def most_cost(model: Model, prompt: int, output: int) -> Decimal | None:
    """Return the most that a request can cost, in US dollars; None for unknown. `prompt`, `output`: tokens."""
    rates = most_rates(model)
    if rates is None:
        return None
    factor = LONG_FACTOR if is_long(model, prompt) else 1
    return total((product(rates[0], prompt, factor), product(rates[1], output, factor)))


def is_long(model: Model, prompt: int) -> bool:
    """Whether a prompt of `prompt` tokens is billed at the long-context price."""
    return model.long_context_threshold is not None and prompt > model.long_context_threshold
