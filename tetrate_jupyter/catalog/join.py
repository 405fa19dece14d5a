"""The key's own list and the public catalog, joined into models; pure.

The key's list says what can be reached; where its entries carry prices, sizes and flags, they win over the catalog's.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from tetrate_jupyter.http.wire import CatalogModel, Limits, Metadata, WireModel
from tetrate_jupyter.types import Model, Price

if TYPE_CHECKING:
    from collections.abc import Iterable

# Modes that can't be asked over chat completions. "responses" can (every OpenAI model has it), unknown ones may.
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
# The same for ids of which no mode is known.
_NOT_CHAT_NAME = re.compile(
    r"embed|rerank|moderation|whisper|transcri|dall-e|imagen|stable-diffusion|image-\d|-image\b|-guard\b"
    r"|(?:^|[-/_.])(?:tts|image)(?:$|[-/_.])"
)
_Value = TypeVar("_Value")
_PREFIXES: Final = frozenset({"xai", "groq", "deepinfra", "vertex", "vertexanthropic"})
_EXACT: Final = Context(prec=50)  # of our own: a notebook may have changed decimal's precision
_TOOLS: Final = frozenset({"tool_choice", "function_calling"})


def join(listed: Iterable[WireModel], catalog: Iterable[CatalogModel] = ()) -> tuple[Model, ...]:
    """Give the models that can be chatted with, by provider and id.

    Ids match whatever their case. Dropped: duplicates, models that the catalog has disabled, and what isn't for chat.
    """
    entries = by_id(catalog)
    found: dict[str, Model] = {}
    for wire in listed:
        identity = wire.id.strip().lower()
        entry = entries.get(identity)
        if identity and identity not in found and is_offered(wire.id, entry):
            found[identity] = merge(wire, entry)
    return tuple(sorted(found.values(), key=lambda m: (m.provider is None, m.provider or "", m.id.lower())))


def by_id(catalog: Iterable[CatalogModel]) -> dict[str, CatalogModel]:
    """Index entries by lower-case id; of several, an enabled one goes before a disabled one, then the first."""
    entries: dict[str, CatalogModel] = {}
    for entry in catalog:
        known = entries.setdefault(entry.id.strip().lower(), entry)
        if known.is_enabled is False and entry.is_enabled is not False:
            entries[entry.id.strip().lower()] = entry
    return entries


def is_offered(identity: str, entry: CatalogModel | None) -> bool:
    """Whether a listed model is for chat and not disabled."""
    if entry is not None and entry.is_enabled is False:
        return False
    if entry is not None and entry.mode:
        return entry.mode.lower() not in NOT_CHAT
    return _NOT_CHAT_NAME.search(identity.lower()) is None


def merge(wire: WireModel, entry: CatalogModel | None) -> Model:
    """Make one model of its two entries; `entry` is None where the catalog doesn't know it."""
    catalogued = entry or CatalogModel(id=wire.id)
    limits, metadata = catalogued.limits or Limits(), catalogued.metadata or Metadata()
    capabilities = _capabilities(catalogued)
    images = _has(capabilities, {"vision"})
    if "image" in ((catalogued.modalities and catalogued.modalities.input) or ()):
        images = True
    return Model(
        id=wire.id.strip(),
        name=catalogued.display_name or metadata.display_name or wire.id.strip(),
        provider=_provider(wire, catalogued),
        mode=catalogued.mode,
        description=wire.description or metadata.description or "",
        context_window=_size(wire.context_window, catalogued.context_window),
        max_output_tokens=_size(wire.max_output_tokens, limits.max_output_tokens),
        price=_price(wire, catalogued),
        capabilities=capabilities,
        images=_first(wire.supports_vision, images),
        tools=_has(capabilities, _TOOLS),
        reasoning=_first(wire.supports_reasoning, _has(capabilities, {"reasoning"})),
        structured_output=_has(capabilities, {"structured_outputs"}),
        reasoning_efforts=tuple(metadata.reasoning_efforts or ()),
        long_context_threshold=_threshold(limits),
        deprecated=bool(metadata.deprecated),
        preview=bool(metadata.preview),
        retirement_date=_date(metadata.retirement_date),
        release_date=_date(metadata.release_date),
        fallbacks=tuple(metadata.fallback_policies or ()),
    )


def _price(wire: WireModel, entry: CatalogModel) -> Price:
    return Price(
        input=_first(_per_million(wire.input_price), _known(entry.input_price)),
        output=_first(_per_million(wire.output_price), _known(entry.output_price)),
        cache_read=_first(_per_million(wire.cached_price), _known(entry.cached_price)),
        cache_write=_first(_per_million(wire.caching_price), _known(entry.caching_price)),
    )


def _per_million(price: Decimal | None) -> Decimal | None:
    known = _known(price)
    return None if known is None else _known(_EXACT.multiply(known, Decimal(1_000_000)))


def _known(price: Decimal | None) -> Decimal | None:
    # Without the catalog's trailing zeros, and 10 rather than 1E+1.
    if price is None or not price.is_finite() or price < 0:
        return None
    plain = _EXACT.normalize(price)
    exponent = plain.as_tuple().exponent
    return _EXACT.quantize(plain, Decimal(1)) if isinstance(exponent, int) and exponent > 0 else plain


def _capabilities(entry: CatalogModel) -> frozenset[str] | None:
    # An empty list has meant "not said" before (goose hid every model over it), so it is unknown.
    return frozenset(c.lower() for c in entry.capabilities) if entry.capabilities else None


def _has(capabilities: frozenset[str] | None, words: Iterable[str]) -> bool | None:
    return None if capabilities is None else not capabilities.isdisjoint(words)


def _first(one: _Value | None, other: _Value | None) -> _Value | None:
    return other if one is None else one


def _size(*sizes: int | None) -> int | None:
    return next((size for size in sizes if size is not None and size > 0), None)


def _threshold(limits: Limits) -> int | None:
    # Model's threshold is the last count at the base price; "gte" raises the price at the limit itself.
    if not limits.high_context or limits.high_context <= 0:
        return None
    return limits.high_context - (limits.high_context_comparison == "gte")


def _provider(wire: WireModel, entry: CatalogModel) -> str | None:
    prefix = wire.id.strip().lower().split("/", 1)[0]
    return entry.provider or (prefix if prefix in _PREFIXES else None) or wire.owned_by or None


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None
