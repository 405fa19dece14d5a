"""The key's own list and the public catalog, joined into models; pure.

The key's list says which models can be reached; prices, sizes and flags in its entries take precedence over the
catalog's.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from tetrate_jupyter.amounts import EXACT
from tetrate_jupyter.characters import MAX_NAME, is_exact, one_line, plain
from tetrate_jupyter.http.wire import CatalogModel, Metadata, TokenLimits, WireModel
from tetrate_jupyter.types import Model, Price

if TYPE_CHECKING:
    from collections.abc import Iterable

# Modes without chat completions. "responses" has them (every OpenAI model has that mode), unknown modes may.
NOT_CHAT: Final = frozenset(
    {
        "embedding",
        "image_generation",
        "rerank",
        "moderation",
        "audio_transcription",
        "audio_speech",
        "classifier",
    }
)
# The same for ids whose mode is unknown.
_NOT_CHAT_NAME = re.compile(
    r"embed|rerank|moderation|whisper|transcri|dall-e|imagen|stable-diffusion|image-\d|-image\b|-guard\b"
    r"|(?:^|[-/_.])(?:tts|image)(?:$|[-/_.])"
)
_Value = TypeVar("_Value")

# Valid ranges; a value outside them is unknown, so that all later code can calculate with values and show them. A price
# is 0 or in this range, in US dollars per million tokens: the cheapest model costs about 0.01, the most expensive ever
# 600, so there is ample room on both sides. No real price has more than 20 digits; one that does is unknown rather than
# rounded.
LEAST_PRICE: Final = Decimal("1e-9")
MOST_PRICE: Final = Decimal(1_000_000)
MAX_DIGITS: Final = 20
MAX_SIZE: Final = 10**9  # tokens of a context window or an answer; the largest window today is 10 million
YEARS: Final = range(2000, 2200)  # of a release or retirement; pandas' own dates end in 2262
MAX_DESCRIPTION: Final = 2_000  # characters
MAX_WORDS: Final = 100  # capabilities, reasoning efforts or fallbacks of one model
_MILLION: Final = Decimal(1_000_000)

_PREFIXES: Final = frozenset({"xai", "groq", "deepinfra", "vertex", "vertexanthropic"})
_TOOLS: Final = frozenset({"tool_choice", "function_calling"})


def join(listed: Iterable[WireModel], catalog: Iterable[CatalogModel] = ()) -> tuple[Model, ...]:
    """Return the models for chat completions, in the order of provider and id.

    Ids are compared without regard to case. Left out are duplicates, models that the catalog marks as disabled, models
    that aren't for chat, and unusable ids (`is_usable`).
    """
    entries = by_id(catalog)
    found: dict[str, Model] = {}
    for wire in listed:
        identity = wire.id.strip().lower()
        entry = entries.get(identity)
        if is_usable(wire.id) and identity not in found and is_offered(wire.id, entry):
            found[identity] = merge(wire, entry)
    return tuple(sorted(found.values(), key=lambda m: (m.provider is None, m.provider or "", m.id.lower())))


def is_usable(identity: str) -> bool:
    """Whether an id can be shown exactly as it is sent: 1 to 200 characters, none invisible or a control character.

    An id has to be sent to the router unchanged, so it can't be cleaned; a model with an unusable one is left out.
    """
    name = identity.strip()
    return 0 < len(name) <= MAX_NAME and is_exact(name)


def by_id(catalog: Iterable[CatalogModel]) -> dict[str, CatalogModel]:
    """Return the entries by lower-case id; of several, the first that isn't disabled, else the first."""
    entries: dict[str, CatalogModel] = {}
    for entry in catalog:
        known = entries.setdefault(entry.id.strip().lower(), entry)
        if known.is_enabled is False and entry.is_enabled is not False:
            entries[entry.id.strip().lower()] = entry
    return entries


def is_offered(identity: str, entry: CatalogModel | None) -> bool:
    """Whether a listed model is for chat and isn't disabled."""
    if entry is not None and entry.is_enabled is False:
        return False
    if entry is not None and entry.mode:
        return entry.mode.lower() not in NOT_CHAT
    return _NOT_CHAT_NAME.search(identity.lower()) is None


def merge(wire: WireModel, entry: CatalogModel | None) -> Model:
    """Return the model for its two entries; `entry` is None where the catalog has none."""
    catalogued = entry or CatalogModel(id=wire.id)
    limits, metadata = catalogued.limits or TokenLimits(), catalogued.metadata or Metadata()
    capabilities = _capabilities(catalogued)
    images = _has(capabilities, {"vision"})
    if "image" in ((catalogued.modalities and catalogued.modalities.input) or ()):
        images = True
    identity = wire.id.strip()
    return Model(
        id=identity,
        name=_name(catalogued.display_name) or _name(metadata.display_name) or identity,
        provider=_provider(wire, catalogued),
        mode=_name(catalogued.mode),
        description=_prose(wire.description) or _prose(metadata.description),
        context_window=_size(wire.context_window, catalogued.context_window),
        max_output_tokens=_size(wire.max_output_tokens, limits.max_output_tokens),
        price=_price(wire, catalogued),
        capabilities=capabilities,
        images=_first(wire.supports_vision, images),
        tools=_has(capabilities, _TOOLS),
        reasoning=_first(wire.supports_reasoning, _has(capabilities, {"reasoning"})),
        structured_output=_has(capabilities, {"structured_outputs"}),
        reasoning_efforts=_words(metadata.reasoning_efforts),
        long_context_threshold=_threshold(limits),
        deprecated=bool(metadata.deprecated),
        preview=bool(metadata.preview),
        retirement_date=_date(metadata.retirement_date),
        release_date=_date(metadata.release_date),
        fallbacks=_words(metadata.fallback_policies),
    )


# --- texts ---------------------------------------------------------------------------------------------------


def _name(text: str | None) -> str | None:
    return one_line(text, MAX_NAME) or None if text else None


def _prose(text: str | None) -> str:
    return plain(text[: MAX_DESCRIPTION + 1])[:MAX_DESCRIPTION] if text else ""


def _words(texts: Iterable[str] | None) -> tuple[str, ...]:
    found = (one_line(text, MAX_NAME) for _, text in zip(range(MAX_WORDS), texts or (), strict=False))
    return tuple(word for word in found if word)


# --- prices --------------------------------------------------------------------------------------------------


def _price(wire: WireModel, entry: CatalogModel) -> Price:
    return Price(
        input=_first(_per_million(wire.input_price), _known(entry.input_price)),
        output=_first(_per_million(wire.output_price), _known(entry.output_price)),
        cache_read=_first(_per_million(wire.cached_price), _known(entry.cached_price)),
        cache_write=_first(_per_million(wire.caching_price), _known(entry.caching_price)),
    )


def _per_million(price: Decimal | None) -> Decimal | None:
    # The range is checked first, so that a number of a million digits isn't multiplied.
    known = _known(price, Decimal("1e-15"), Decimal(1))
    return None if known is None else _known(EXACT.multiply(known, _MILLION))


def _known(price: Decimal | None, least: Decimal = LEAST_PRICE, most: Decimal = MOST_PRICE) -> Decimal | None:
    """Return a price without trailing zeros, and 10 rather than 1E+1; None outside the valid range, and for -0."""
    if price is None or not price.is_finite() or price.is_signed():
        return None
    if not price:
        return Decimal(0)
    if not least <= price <= most or _digits(price) > MAX_DIGITS:
        return None
    exact = EXACT.normalize(price)
    exponent = exact.as_tuple().exponent
    return EXACT.quantize(exact, Decimal(1)) if isinstance(exponent, int) and exponent > 0 else exact


def _digits(price: Decimal) -> int:
    return len("".join(map(str, price.as_tuple().digits)).rstrip("0"))


# --- the rest ------------------------------------------------------------------------------------------------


def _capabilities(entry: CatalogModel) -> frozenset[str] | None:
    # An empty list may mean "not stated" (a client that took it literally hid every model), so it is unknown.
    return frozenset(word.lower() for word in _words(entry.capabilities)) or None


def _has(capabilities: frozenset[str] | None, words: Iterable[str]) -> bool | None:
    return None if capabilities is None else not capabilities.isdisjoint(words)


def _first(one: _Value | None, other: _Value | None) -> _Value | None:
    return other if one is None else one


def _size(*sizes: int | None) -> int | None:
    return next((size for size in sizes if size is not None and 0 < size <= MAX_SIZE), None)


def _threshold(limits: TokenLimits) -> int | None:
    # `Model.long_context_threshold` is the last count at the base price; with "gte" the limit itself costs more.
    threshold = _size(limits.high_context)
    return None if threshold is None else threshold - (limits.high_context_comparison == "gte")


def _provider(wire: WireModel, entry: CatalogModel) -> str | None:
    prefix = wire.id.strip().lower().split("/", 1)[0]
    return _name(entry.provider) or (prefix if prefix in _PREFIXES else None) or _name(wire.owned_by)


def _date(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None
    return day if day is not None and day.year in YEARS else None
