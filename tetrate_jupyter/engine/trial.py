"""Trying without an account: the sandbox router inside this process, until somebody signs in or the kernel ends."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from typing import TYPE_CHECKING, Final, Protocol

from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.errors import ConfigError
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from tetrate_jupyter.engine.account import Account, SignedIn
    from tetrate_jupyter.sandbox import SandboxRouter

_STEP: Final = "sign in, or set TETRATE_API_KEY"


class Moving(Protocol):
    """The part of the engine that a trial needs."""

    account: Account

    @property
    def endpoints(self) -> Endpoints:
        """Where the router is."""
        ...

    def connect(self, base_url: str, auth_url: str | None = None, *, allow_http: bool = False) -> None:
        """Use another router from now on."""
        ...


class Trial:
    """Moves a session to the sandbox and back. All sessions of a process share one sandbox."""

    def __init__(self, engine: Moving) -> None:
        self._engine = engine
        self._before: Endpoints | None = None

    @property
    def is_on(self) -> bool:
        """Whether the session uses the sandbox of this process."""
        return _embedded.serves(self._engine.endpoints)

    async def start(self) -> Endpoints:
        """Start the sandbox where it isn't running, and return its addresses. Raises `ConfigError`."""
        router = await asyncio.to_thread(_embedded.start)
        return Endpoints.of(router.base_url, router.auth_url)

    async def enter(self) -> SignedIn:
        """Move the session to the sandbox and sign it in there, with a key that is worth nothing elsewhere.

        The key is kept in memory: it ends with the sandbox, which ends with the kernel. Raises `ConfigError` and the
        `GatewayError` family.
        """
        router = await asyncio.to_thread(_embedded.start)
        engine = self._engine
        if not self.is_on:
            self._before = engine.endpoints
            engine.connect(router.base_url, router.auth_url)
        try:
            return await engine.account.use(Secret(router.issue_key(), host=router.host), store="memory")
        except BaseException:
            self.leave()
            raise

    def leave(self) -> bool:
        """Move the session back to the router it came from; False where it isn't in the sandbox of this process."""
        if not self.is_on:
            return False
        before = self._before or Endpoints.from_environment()
        self._engine.connect(before.base_url, before.auth_url, allow_http=True)  # as it was allowed before
        return True


class _Embedded:
    """The sandbox of this process, started when it is first wanted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._router: SandboxRouter | None = None
        self._process = 0

    def start(self) -> SandboxRouter:
        from tetrate_jupyter.sandbox import SandboxRouter

        with self._lock:
            if self._router is None or self._process != os.getpid():  # a forked process doesn't have its thread
                router = SandboxRouter()
                try:
                    router.start()
                except (OSError, RuntimeError) as error:
                    told = getattr(error, "strerror", None) or str(error)
                    raise ConfigError(f"The sandbox could not be started: {told}.", next_step=_STEP) from None
                self._router, self._process = router, os.getpid()
                atexit.register(router.stop)
            return self._router

    def serves(self, endpoints: Endpoints) -> bool:
        router = self._router
        return router is not None and self._process == os.getpid() and endpoints.base_url == router.base_url


_embedded: Final = _Embedded()
