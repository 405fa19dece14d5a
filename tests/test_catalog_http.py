"""The catalog over real HTTP, against the sandbox router."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.catalog.cache import CatalogCache
from tetrate_jupyter.catalog.service import Catalog
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import InvalidKeyError
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.sandbox import Fault, SandboxRouter
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=float("inf")) as running:
        yield running


@pytest.fixture
async def client(router: SandboxRouter, anyio_backend: str) -> AsyncIterator[GatewayClient]:
    client = GatewayClient(Endpoints.of(router.base_url, router.auth_url))
    yield client
    await client.aclose()


@pytest.fixture
def key(router: SandboxRouter) -> Secret:
    return Secret(router.issue_key(), host=router.host)


def paths(router: SandboxRouter) -> list[str]:
    return sorted(request.path for request in router.requests)


@pytest.mark.anyio
async def test_enriched_and_plain_lists_give_the_same_models(
    router: SandboxRouter, client: GatewayClient, key: Secret
) -> None:
    enriched = await Catalog(client).refresh(key)
    router.inject(Fault("plain-models"))
    plain = await Catalog(client).refresh(key)
    assert plain.ids == enriched.ids
    assert len(enriched) > 30
    for one, other in zip(plain, enriched, strict=True):
        assert (one.price.input, one.price.output, one.context_window) == (
            other.price.input,
            other.price.output,
            other.context_window,
        )
    assert enriched["claude-haiku-4-5"].price.output == Decimal(5)


@pytest.mark.anyio
async def test_embeddings_pictures_duplicates_and_disabled_models_are_not_offered(
    client: GatewayClient, key: Secret
) -> None:
    models = await Catalog(client).refresh(key)
    assert len({i.lower() for i in models.ids}) == len(models)
    for absent in ("text-embedding-ada-002", "gpt-image-1.5", "gemini-embedding-2", "claude-opus-4-1"):
        assert absent not in models
    assert "gpt-6-luna" in models  # mode "responses", served over chat all the same


@pytest.mark.anyio
async def test_a_choice_is_made_where_nobody_chose(client: GatewayClient, key: Secret) -> None:
    default = (await Catalog(client).refresh(key)).default()
    assert default is not None
    assert default.tools
    assert not default.deprecated


@pytest.mark.anyio
async def test_a_catalog_page_that_fails_hides_no_model(
    router: SandboxRouter, client: GatewayClient, key: Secret, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    router.inject(Fault("catalog-page-fails", times=None))
    cache = CatalogCache(router.host, folder)
    catalog = Catalog(client, cache)
    models = await catalog.refresh(key)
    assert len(models) > 30
    assert len(catalog.notes) == 1
    assert cache.load() is None


@pytest.mark.anyio
async def test_the_second_kernel_reads_the_first_ones_copy(
    router: SandboxRouter, client: GatewayClient, key: Secret, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    first = await Catalog(client, CatalogCache(router.host, folder)).refresh(key)
    second = await Catalog(client, CatalogCache(router.host, folder)).refresh(key)
    assert first == second
    assert paths(router) == ["/api/public/models", "/v1/models", "/v1/models"]


@pytest.mark.anyio
async def test_a_revoked_key_is_told(router: SandboxRouter, client: GatewayClient, key: Secret) -> None:
    router.revoke_key(key.reveal())
    with pytest.raises(InvalidKeyError):
        await Catalog(client).refresh(key)
