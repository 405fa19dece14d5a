"""One HTTP client per event loop and router address, so that every caller of a loop shares its connections."""

from __future__ import annotations

import asyncio
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.http.client import GatewayClient
    from tetrate_jupyter.http.wire import CatalogModel, WireModel
    from tetrate_jupyter.types import Secret


class Connections:
    """Gives the client of the running loop. Changing `endpoints` closes what was open to the old ones."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._lock = threading.Lock()
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, GatewayClient] = weakref.WeakKeyDictionary()

    @property
    def endpoints(self) -> Endpoints:
        """Where the router is."""
        return self._endpoints

    def client(self) -> GatewayClient:
        """Give the client of the running loop; made on first use."""
        from tetrate_jupyter.http.client import GatewayClient

        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._clients.get(loop)
            if client is None:
                client = self._clients[loop] = GatewayClient(self._endpoints)
            return client

    async def models(self, key: Secret) -> list[WireModel]:
        """Give the key's own list (what a `Catalog` asks for)."""
        return await self.client().models(key)

    async def catalog(self) -> list[CatalogModel]:
        """Give the public catalog (likewise)."""
        return await self.client().catalog()

    def move(self, endpoints: Endpoints) -> None:
        """Use other endpoints from now on; what is under way to the old ones is broken off."""
        with self._lock:
            self._endpoints = endpoints
            old, self._clients = self._clients, weakref.WeakKeyDictionary()
        for loop, client in old.items():
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(client.aclose(), loop)

    async def aclose(self) -> None:
        """Close the running loop's client; the next use makes a new one."""
        with self._lock:
            client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()
