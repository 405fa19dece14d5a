"""The sandbox's models: pages of the public catalog, a key's enriched list, and single models by id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.sandbox.api_error import ApiError, bad_request
from tetrate_jupyter.sandbox.faults import CHAT_KINDS, FAULT_PREFIX, of_model
from tetrate_jupyter.sandbox.oddities import ODDITIES
from tetrate_jupyter.sandbox.profiles import TEST_PROFILE, Profile, profile_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DATA = Path(__file__).parent / "data"
ECHO: Final = "sandbox/echo"
STREAM: Final = "sandbox/stream"
_TEST_MODELS = (ECHO, STREAM)
_CHAT_MODES = frozenset({"chat", "responses", "completion"})  # "responses" models serve chat, too
_TEST_CONTEXT = 1_000_000  # tokens


@dataclass(frozen=True)
class Served:
    """A model that serves chat: its catalog record and its behaviour."""

    id: str
    record: dict[str, Any]
    profile: Profile

    @property
    def capabilities(self) -> frozenset[str] | None:
        """The capabilities in the catalog, or None where it names none."""
        found = self.record.get("capabilities")
        return frozenset(found) if isinstance(found, list) else None

    def can(self, capability: str) -> bool:
        """Whether it has a capability; where the catalog names none, it has "tool_choice" only."""
        known = self.capabilities
        return capability == "tool_choice" if known is None else capability in known

    @property
    def takes_images(self) -> bool:
        """Whether it accepts images."""
        return self.can("vision") or "image" in (self.record.get("modalities") or {}).get("input", ())

    @property
    def context_window(self) -> int | None:
        """The context window in tokens, or None where it is unknown."""
        return self.record.get("contextWindow")

    def limit(self, name: str) -> int | None:
        """Return one of the catalog's limits, in tokens, or None."""
        return (self.record.get("limits") or {}).get(name)

    @property
    def efforts(self) -> tuple[str, ...]:
        """The reasoning efforts it accepts; empty where the catalog names none."""
        return tuple((self.record.get("metadata") or {}).get("reasoning_efforts") or ())


class Models:
    """All models: the sample catalog's (or `given`, in the catalog's shape) and the sandbox's own test models."""

    def __init__(self, given: Sequence[Mapping[str, Any]] | None, *, list_test_models: bool) -> None:
        sample = _read("public_models.json")["models"]
        self.records: list[dict[str, Any]] = [dict(r) for r in (sample if given is None else given)]
        self._by_id = {r["model"]: r for r in self.records}
        known = {entry["id"]: entry for entry in _read("v1_models_enriched.json")["data"]} if given is None else {}
        listed = [known.get(r["model"]) or _enriched(r) for r in self.records]
        # The service's list may repeat an id; here it always does, so that no client relies on unique ids.
        self.listed = [*listed, *listed[:1]]
        if list_test_models:
            self.listed += [_test_entry(m) for m in (*_TEST_MODELS, *(FAULT_PREFIX + k for k in CHAT_KINDS))]

    def find(self, model: str) -> Served:
        """Return a chat model. Raises `ApiError`: 404 for an unknown or disabled one, 400 for one of another mode."""
        if model in _TEST_MODELS or of_model(model):
            return Served(model, _test_record(model), TEST_PROFILE)
        record = self._by_id.get(model)
        if record is None or not record.get("isEnabled", True):
            raise _not_found(model)
        if record.get("mode", "chat") not in _CHAT_MODES:
            raise _not_enabled(model, "chat completions", record["mode"])
        return Served(model, record, profile_of(record))

    def find_embedding(self, model: object) -> str:
        """Return the id of an embedding model. Raises `ApiError`: 404 for an unknown one, 400 for another mode."""
        if not isinstance(model, str) or not model:
            raise bad_request("'model' is required.", param="model")
        if model in _TEST_MODELS or of_model(model):
            raise _not_enabled(model, "embeddings", "chat")
        record = self._by_id.get(model)
        if record is None or not record.get("isEnabled", True):
            raise _not_found(model)
        if (mode := record.get("mode", "chat")) != "embedding":
            raise _not_enabled(model, "embeddings", mode)
        return model

    def entry(self, model: str) -> dict[str, Any]:
        """Return a model's entry in the list. Raises `ApiError` (404) for an unknown or disabled one."""
        if model in _TEST_MODELS or of_model(model):
            return _test_entry(model)
        if not self._by_id.get(model, {"isEnabled": False}).get("isEnabled", True):
            raise _not_found(model)
        return next(entry for entry in self.listed if entry["id"] == model)

    def provider_of(self, model: str | None) -> str | None:
        """Return the provider of a model in the catalog, or None."""
        record = self._by_id.get(model or "")
        return str(record.get("provider") or "unknown") if record else None

    @property
    def providers(self) -> list[str]:
        """All providers, in the order of the catalog."""
        return list(dict.fromkeys(str(r.get("provider") or "unknown") for r in self.records))

    def page(self, number: int, size: int) -> dict[str, Any]:
        """Return page `number` (from 1) of the public catalog, with `size` models per page."""
        pages = max(1, -(-len(self.records) // size))
        return {"models": [_named(r) for r in self.records[(number - 1) * size : number * size]], "totalPages": pages}


def _named(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record whose name is marked as the sandbox's; its id is the real one, so that code works with both."""
    return {**record, "displayName": f"{record.get('displayName') or record['model']} (sandbox)"}


def _not_found(model: str) -> ApiError:
    return ApiError(404, f"The model '{model}' is not in the catalog of this key.", code="model_not_found")


def _not_enabled(model: str, purpose: str, mode: str) -> ApiError:
    return bad_request(f"The model '{model}' is not enabled for {purpose} (mode: {mode}).", param="model")


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_DATA / name).read_text(encoding="utf-8"))
    return found


def _enriched(record: Mapping[str, Any]) -> dict[str, Any]:
    capabilities = record.get("capabilities") or ()
    entry: dict[str, Any] = {
        "id": record["model"],
        "object": "model",
        "created": 0,
        "owned_by": record.get("provider") or "unknown",
    }
    for name, source in (("input", "inputTokens"), ("output", "outputTokens"), ("cached", "cachedTokens")):
        if (price := record.get(f"{source}PricePer1M")) is not None:
            entry[f"{name}_price"] = format((Decimal(price) / 1_000_000).normalize(), "f")
    if (window := record.get("contextWindow")) is not None:
        entry["context_window"] = window
    if (most := (record.get("limits") or {}).get("max_output_tokens")) is not None:
        entry["max_output_tokens"] = most
    for flag, word in (("vision", "vision"), ("computer_use", "computer_use"), ("reasoning", "reasoning")):
        entry[f"supports_{flag}"] = word in capabilities
    return entry


def _test_record(model: str) -> dict[str, Any]:
    return {
        "model": model,
        "provider": "sandbox",
        "displayName": model,
        "mode": "chat",
        "isEnabled": True,
        "contextWindow": _TEST_CONTEXT,
        "capabilities": ["reasoning", "structured_outputs", "tool_choice", "vision"],
        "limits": {},
        "inputTokensPricePer1M": "0",
        "outputTokensPricePer1M": "0",
    }


def _test_entry(model: str) -> dict[str, Any]:
    entry = _enriched(_test_record(model))
    if odd := ODDITIES.get(model.removeprefix(FAULT_PREFIX)):
        entry["description"] = odd.says
    return entry
