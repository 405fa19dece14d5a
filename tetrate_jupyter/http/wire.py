"""What the router sends, as typed structs; fields that we don't use are ignored.

Ids are required, everything else may be missing or null: "unknown" is None, never a guess. Prices are `Decimal`, read
from decimal strings or numbers. What doesn't fit is left out, member by member and entry by entry (`reading`), so that
one odd field never hides a model. A document with more objects than any real one is refused before it is decoded:
objects take many times their bytes. Completions are in `chunks`.
"""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - msgspec reads the annotations when it runs
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tetrate_jupyter import config
from tetrate_jupyter.http import reading

if TYPE_CHECKING:
    from tetrate_jupyter.http.faults import Body

M = TypeVar("M", "WireModel", "CatalogModel")


# --- models and catalog --------------------------------------------------------------------------------------


class WireModel(msgspec.Struct, frozen=True):
    """An entry of `GET /models`. Only `id` is always there. Prices are US dollars per token."""

    id: str
    owned_by: str | None = None
    description: str | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    cached_price: Decimal | None = None
    caching_price: Decimal | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    supports_vision: bool | None = None
    supports_reasoning: bool | None = None


class Modalities(msgspec.Struct, frozen=True):
    """What a model accepts and returns: "text", "image", "document", ..."""

    input: list[str] | None = None
    output: list[str] | None = None


class TokenLimits(msgspec.Struct, frozen=True):
    """Token limits. Above `high_context` input tokens the whole request costs more (with "gte", from there on)."""

    max_output_tokens: int | None = None
    high_context: int | None = None
    high_context_comparison: str | None = None


class Metadata(msgspec.Struct, frozen=True):
    """Further facts of the catalog; dates are ISO 8601 text."""

    display_name: str | None = None
    description: str | None = None
    deprecated: bool | None = None
    retirement_date: str | None = None
    release_date: str | None = None
    preview: bool | None = None
    reasoning_efforts: list[str] | None = None
    fallback_policies: list[str] | None = None


class CatalogModel(msgspec.Struct, frozen=True, rename="camel"):
    """An entry of the public catalog. Prices are US dollars per million tokens."""

    id: str = msgspec.field(name="model")
    provider: str | None = None
    display_name: str | None = None
    mode: str | None = None
    is_enabled: bool | None = None
    context_window: int | None = None
    capabilities: list[str] | None = None
    modalities: Modalities | None = None
    limits: TokenLimits | None = None
    metadata: Metadata | None = None
    input_price: Decimal | None = msgspec.field(name="inputTokensPricePer1M", default=None)
    output_price: Decimal | None = msgspec.field(name="outputTokensPricePer1M", default=None)
    cached_price: Decimal | None = msgspec.field(name="cachedTokensPricePer1M", default=None)
    caching_price: Decimal | None = msgspec.field(name="cachingTokensPricePer1M", default=None)


class CatalogPage(msgspec.Struct, frozen=True):
    """One page of the catalog. `total_pages` is None where the router doesn't say, which means one.

    `values` is an estimate of the number of JSON values in it, `size` its length in bytes.
    """

    models: list[CatalogModel]
    total_pages: int | None = None
    values: int = 0
    size: int = 0


# --- status and sign-in --------------------------------------------------------------------------------------


class ProviderStatus(msgspec.Struct, frozen=True):
    """A provider's recent health. `reachable` is None where there was no traffic."""

    name: str
    reachable: bool | None = None
    observed_requests: int | None = None
    failures: int | None = None
    last_failure_at: str | None = None
    last_failure_code: int | str | None = None


class StatusReport(msgspec.Struct, frozen=True):
    """`GET /status`: what one replica of the gateway has seen of its providers lately."""

    providers: list[ProviderStatus]


class ExchangeReply(msgspec.Struct, frozen=True):
    """The response to a code exchange: the key. Its other members are unknown."""

    key: str

    def __repr__(self) -> str:
        return "ExchangeReply(<secret>)"


# --- reading -------------------------------------------------------------------------------------------------


class _Models(msgspec.Struct):
    data: list[WireModel]


class _Catalog(msgspec.Struct, rename="camel"):
    models: list[CatalogModel]
    total_pages: int | None = None


class _RawCatalog(msgspec.Struct, rename="camel"):
    models: list[msgspec.Raw]
    total_pages: msgspec.Raw = msgspec.Raw(b"null")


class _StatusEnvelope(msgspec.Struct):
    providers: list[msgspec.Raw]


decode_exchange = msgspec.json.Decoder(ExchangeReply).decode  # the size of its input is bounded
_decode_models = msgspec.json.Decoder(_Models).decode
_decode_catalog = msgspec.json.Decoder(_Catalog).decode


def read_models(body: Body) -> list[WireModel]:
    """Read `GET /models`, up to 100,000 entries. Raises `msgspec.DecodeError` where it isn't a list of models."""
    check_objects(body)
    try:
        return _kept(_decode_models(body).data)
    except reading.UNREADABLE:
        reading.check_values(body)
    return _entries(reading.listed(body, ("data", "models")), WireModel)


def read_catalog_page(body: Body, most: int = config.MAX_CATALOG_VALUES) -> CatalogPage:
    """Read one page of the catalog, of at most `most` values. Raises `msgspec.DecodeError` where it isn't one."""
    values = reading.check_values(body, most)
    try:
        page = _decode_catalog(body)
        return CatalogPage(_kept(page.models), page.total_pages, values, len(body))
    except reading.UNREADABLE:
        pass
    rough = reading.decode(body, _RawCatalog)
    return CatalogPage(_entries(rough.models, CatalogModel), _pages(rough.total_pages), values, len(body))


def decode_status(body: Body) -> StatusReport:
    """Read `GET /status`. Raises `msgspec.DecodeError` where it isn't a report."""
    reading.check_values(body)
    return StatusReport(reading.entries(reading.decode(body, _StatusEnvelope).providers, ProviderStatus))


def check_objects(body: Body) -> None:
    """Raise `msgspec.DecodeError` for a document with more objects than any real one has."""
    if body.count(b"{") > config.MAX_JSON_OBJECTS:
        raise msgspec.DecodeError("more objects than any answer has")


def _pages(raw: msgspec.Raw) -> int | None:
    try:
        return msgspec.json.decode(raw, type=int | None, strict=False)
    except reading.UNREADABLE:
        return None


def _entries(raw: list[msgspec.Raw], kind: type[M]) -> list[M]:
    return _kept(reading.entries(raw, kind), had=len(raw))


def _kept(entries: list[M], *, had: int = 0) -> list[M]:
    """Return the entries that have an id; raise `msgspec.ValidationError` where there are entries but no id."""
    found = [e for e in entries if e.id][: config.MAX_MODELS]
    if not found and (entries or had):
        raise msgspec.ValidationError("not one entry has an id")
    return found
