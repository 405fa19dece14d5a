"""One HTTP client per event loop and router address, so that every caller of a loop shares its connections."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.bridge import has_ended
from tetrate_jupyter.errors import GatewayError, GatewayTimeoutError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.http.client import GatewayClient
    from tetrate_jupyter.http.held_key import AfterRefusal
    from tetrate_jupyter.http.wire import CatalogModel, WireModel
    from tetrate_jupyter.secret import Secret

_CLOSE_TIMEOUT: Final = 5.0  # seconds; a loop that is busy with something else ends work and closes them later
_LOOK: Final = 0.002  # seconds between looks whether work has ended, which may be on another thread


class Connections:
    """The client of the running loop, and the background work that uses it.

    Changing `endpoints` closes what was open to the old ones; `aclose` ends the work, too.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = self._lasting = endpoints
        self._after_refusal: AfterRefusal | None = None
        self._lock = threading.Lock()
        self._closing: list[Future[None]] = []
        self._held: list[Future[Any]] = []
        self.is_closed = False  # until the next use: what nobody has asked for doesn't begin meanwhile
        self._is_settled = False  # somebody has named this router, or used it
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, GatewayClient] = weakref.WeakKeyDictionary()

    @property
    def endpoints(self) -> Endpoints:
        """Where the router is."""
        return self._endpoints

    def on_refusal(self, other_key: AfterRefusal) -> None:
        """Have the clients ask `other_key` for another key when the router has refused one (see `GatewayClient`)."""
        self._after_refusal = other_key

    def client(self) -> GatewayClient:
        """Return the client of the running loop; made on first use."""
        from tetrate_jupyter.http.client import GatewayClient

        loop = asyncio.get_running_loop()
        with self._lock:
            self.is_closed, self._is_settled = False, True
            client = self._clients.get(loop)
            if client is None:
                client = self._clients[loop] = GatewayClient(self._endpoints, after_refusal=self._after_refusal)
            return client

    def exchange(self) -> Callable[[str, str], Awaitable[Secret]]:
        """Return the function that trades a code and its verifier for a key, at the router that is in use now.

        It has a client of its own, so that it goes on asking this router, and names its host in the key, wherever the
        session has moved by then.
        """
        self.settle()
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
        """Return the models that the key reaches, as the router lists them."""
        return await self.client().models(key)

    async def catalog(self) -> list[CatalogModel]:
        """Return the public catalog; an empty list where this address has no catalog of its own.

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

    def settle(self) -> bool:
        """Keep this router unless a person names another; return whether nobody had named or used it before."""
        with self._lock:
            before, self._is_settled = self._is_settled, True
        return not before

    @property
    def is_moved(self) -> bool:
        """Whether the router was named in this kernel, so that the next one doesn't know it."""
        return self._endpoints.base_url != self._lasting.base_url

    def last(self) -> None:
        """Take the router for one that the next kernel will know, too."""
        self._lasting = self._endpoints

    def move(self, endpoints: Endpoints) -> None:
        """Use other endpoints from now on; requests to the old ones are cancelled."""
        with self._lock:
            self._endpoints = endpoints
        self._closing += self._close_all()

    def hold(self, work: Future[Any]) -> None:
        """Register background work that `aclose` has to end, since it would use a client later."""
        with self._lock:
            self._held = [each for each in self._held if not has_ended(each)] + [work]

    async def aclose(self) -> None:
        """End the work that is held and close the clients of all loops; the next use makes new ones. Within 5 s."""
        until = time.monotonic() + _CLOSE_TIMEOUT
        self.is_closed = True
        while going_on := self._cancel_held():
            if time.monotonic() > until:
                break
            await asyncio.sleep(_LOOK * going_on)
        closing, self._closing = [*self._closing, *self._close_all()], []
        if closing:
            left = max(until - time.monotonic(), _LOOK)
            await asyncio.wait({asyncio.wrap_future(each) for each in closing}, timeout=left)
        self.is_closed = True  # also where work has used a client while it was ending

    def _cancel_held(self) -> int:
        """Cancel the registered work; return how many of its tasks haven't ended."""
        with self._lock:
            self._held = held = [each for each in self._held if not has_ended(each)]
        for each in held:
            each.cancel()
        return len(held)

    def _close_all(self) -> list[Future[None]]:
        """Begin to close all clients for good: whoever still holds one must not open a connection any more."""
        with self._lock:
            old, self._clients = self._clients, weakref.WeakKeyDictionary()
        for client in old.values():
            client.retired = True
        return [asyncio.run_coroutine_threadsafe(client.aclose(), loop) for loop, client in old.items() if runs(loop)]


def runs(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether work can be sent to this loop."""
    return loop.is_running() and not loop.is_closed()
