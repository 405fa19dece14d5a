"""The other routes: models, catalog, status, the root, and everything that isn't served."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from tetrate_jupyter.config import CATALOG_PAGE_SIZE
from tetrate_jupyter.sandbox.api_error import ApiError, bad_request
from tetrate_jupyter.sandbox.endpoint import Endpoint
from tetrate_jupyter.sandbox.oddities import ODDITIES, Values

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.faults import Route


class RootEndpoint(Endpoint):
    """`GET /`: hosted gateways answer with an empty body."""

    async def get(self) -> None:
        """Answer with an empty body."""
        await self.finish()

    head = get


class ModelListEndpoint(Endpoint):
    """`GET /v1/models`: the key's models, enriched; with a repeated and a disabled id, as real lists may have."""

    route: ClassVar[Route] = "models"

    async def get(self) -> None:
        """Answer with the list."""
        self.check_key()
        entries = self.state.models.listed
        odd = ODDITIES.get(self.fault.kind) if self.fault else None
        if odd and odd.body and odd.lists_models:
            await self.send_block(odd.body, Values(entries=json.dumps(entries)[1:-1]))
            return
        if self.fault and self.fault.kind == "plain-models":
            entries = [{name: entry[name] for name in ("id", "object", "created", "owned_by")} for entry in entries]
        await self.send_json({"object": "list", "data": entries})

    head = get


class OneModelEndpoint(Endpoint):
    """`GET /v1/models/{id}`: one entry of the list. Slashes in the id may be plain or %2F."""

    route: ClassVar[Route] = "model"

    async def get(self, model: str) -> None:
        """Answer with the entry."""
        self.check_key()
        await self.send_json(self.state.models.entry(model))

    head = get


class CatalogEndpoint(Endpoint):
    """`GET /api/public/models?limit=&page=`: the public catalog; needs no key."""

    route: ClassVar[Route] = "catalog"

    async def get(self) -> None:
        """Answer with a page."""
        limit = self.get_query_argument("limit", str(CATALOG_PAGE_SIZE))
        size = int(limit) if limit.isdecimal() and len(limit) < 7 else 0
        if not 1 <= size <= CATALOG_PAGE_SIZE:
            raise bad_request(f"'limit' must be a number from 1 to {CATALOG_PAGE_SIZE}.", param="limit")
        if self.state.faults.is_waiting("catalog-page-fails"):
            size = min(size, -(-len(self.state.models.records) // 2))  # so that there is a second page
        await self.send_json(self.state.models.page(self.page_number, size))

    head = get


class StatusEndpoint(Endpoint):
    """`GET /v1/status`: the health of the providers as this router has seen it."""

    route: ClassVar[Route] = "status"

    async def get(self) -> None:
        """Answer with the report."""
        self.check_key()
        await self.send_json(self.state.status())

    head = get


class UnservedEndpoint(Endpoint):
    """Any other route below /v1."""

    async def prepare_unserved(self) -> None:
        """Raise the 404."""
        raise ApiError(404, "Unsupported endpoint", code="unsupported_endpoint")

    get = post = put = patch = delete = head = options = prepare_unserved


class ElsewhereEndpoint(Endpoint):
    """Any other path, which a wrong base URL leads to: a web page with 404."""

    async def not_found(self) -> None:
        """Answer like a web server that doesn't know the API."""
        self.set_status(404)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        await self.finish("<!DOCTYPE html><html><head><title>404</title></head><body><h1>Not found</h1></body></html>")

    get = post = put = patch = delete = head = options = not_found
