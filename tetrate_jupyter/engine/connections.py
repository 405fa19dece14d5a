"""One HTTP client per event loop and router address, so that every caller of a loop shares its connections."""

from __future__ import annotations

import asyncio
import threading
import weakref
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.errors import GatewayError, GatewayTimeoutError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.http.client import GatewayClient
    from tetrate_jupyter.http.held_key import AfterRefusal
    from tetrate_jupyter.http.wire import CatalogModel, WireModel
    from tetrate_jupyter.secret import Secret

_CLOSE_TIMEOUT: Final = 5.0  # seconds; a loop that is busy with something else closes them later


class Connections:
    """The client of the running loop. Changing `endpoints` closes what was open to the old ones."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._after_refusal: AfterRefusal | None = None
        self._lock = threading.Lock()
        self._closing: list[Future[None]] = []
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, GatewayClient] = weakref.WeakKeyDictionary()

    @property
    def endpoints(self) -> Endpoints:
        """Where the router is."""
        return self._endpoints

    def on_refusal(self, other_key: AfterRefusal) -> None:
        """Let the clients ask `other_key` for another one when the router has refused a key (see `GatewayClient`)."""
        self._after_refusal = other_key

    def client(self) -> GatewayClient:
        """Return the client of the running loop; made on first use."""
        from tetrate_jupyter.http.client import GatewayClient

        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._clients.get(loop)
            if client is None:
                client = self._clients[loop] = GatewayClient(self._endpoints, after_refusal=self._after_refusal)
            return client

    def exchange(self) -> Callable[[str, str], Awaitable[Secret]]:
        """Return what turns a code and its verifier into a key, at the router that is in use now.

        It has a client of its own, so that it goes on asking this router, and names its host in the key, wherever the
        session has moved by then.
        """
        endpoints = self._endpoints

        async def exchange(code: str, verifier: str) -> Secret:
            from tetrate_jupyter.http.client import GatewayClient

            client = GatewayClient(endpoints)
            try:
                return await client.exchange(code, verifier)
            finally:
                await client.aclose()

        return exchange

    async def models(self, key: Secret) -> list[WireModel]:
        """Return the key's own list (what a `Catalog` asks for)."""
        return await self.client().models(key)

    async def catalog(self) -> list[CatalogModel]:
        """Return the public catalog (likewise); nothing where this address has none of its own.

        The real service's catalog tells nothing about somebody else's models and prices, whatever their ids. A server
        on this machine may have no catalog at all, which is nothing to complain about.
        """
        client = self.client()
        if not client.endpoints.has_consent_page:
            return []
        try:
            return await client.catalog()
        except (UnreachableError, GatewayTimeoutError):
            raise
        except GatewayError:
            if client.endpoints.is_guessed:
                return []
            raise

    def move(self, endpoints: Endpoints) -> None:
        """Use other endpoints from now on; what is under way to the old ones is broken off."""
        with self._lock:
            self._endpoints = endpoints
        self._closing += self._close_all()

    async def aclose(self) -> None:
        """Close the clients of all loops that run; the next use makes new ones. Within 5 s."""
        closing, self._closing = [*self._closing, *self._close_all()], []
        if closing:
            await asyncio.wait({asyncio.wrap_future(each) for each in closing}, timeout=_CLOSE_TIMEOUT)

    def _close_all(self) -> list[Future[None]]:
        with self._lock:
            old, self._clients = self._clients, weakref.WeakKeyDictionary()
        return [asyncio.run_coroutine_threadsafe(client.aclose(), loop) for loop, client in old.items() if runs(loop)]


def runs(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether work can be sent to this loop."""
    return loop.is_running() and not loop.is_closed()
