"""The sandbox router's interface for people and tests: start, stop, keys, faults, log."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.web import Application

from tetrate_jupyter import config
from tetrate_jupyter.interrupts import Latch
from tetrate_jupyter.sandbox import click
from tetrate_jupyter.sandbox.accounts import CODE_LIFETIME, Accounts
from tetrate_jupyter.sandbox.chat import ChatEndpoint
from tetrate_jupyter.sandbox.consent import ConsentEndpoint, DecisionEndpoint, ExchangeEndpoint
from tetrate_jupyter.sandbox.dashboard import PAGES, DashboardEndpoint
from tetrate_jupyter.sandbox.embeddings import EmbeddingsEndpoint
from tetrate_jupyter.sandbox.models import Models
from tetrate_jupyter.sandbox.routes import (
    CatalogEndpoint,
    ElsewhereEndpoint,
    ModelListEndpoint,
    OneModelEndpoint,
    RootEndpoint,
    StatusEndpoint,
    UnservedEndpoint,
)
from tetrate_jupyter.sandbox.state import RouterState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Literal

    from tornado.web import RequestHandler

    from tetrate_jupyter.sandbox.faults import Fault
    from tetrate_jupyter.sandbox.log import LoggedRequest

INSTANT: Final = float("inf")  # a `speed` without any waiting
MAX_REQUEST_BYTES: Final = 32 * 1024 * 1024  # larger ones get 413; the service's limit is unknown
_READ_AT_MOST: Final = 256 * 1024 * 1024  # bytes; up to here requests are read, so that the 413 is ours
_START_TIMEOUT: Final = 30.0  # seconds for the thread to start serving
_BACKLOG: Final = 256  # connections in the queue; a comparison opens many at once
_STOP_TIMEOUT: Final = 5.0  # seconds for the thread to end


class SandboxRouter:
    """A router emulator on 127.0.0.1, in a daemon thread. Use it as a context manager, or call `start` and `stop`.

    `port`: 0 (the default) is a free one. `speed`: multiplies the models' pace; `INSTANT` (infinity) means no waiting
    at all. `seed`: varies the replies; the same seed and request always get the same one. `models`: records in the
    public catalog's shape in place of the sample ones. `list_faults`: also list the test models ("sandbox/echo",
    "sandbox/stream", "sandbox/fault-<kind>"), which can be used in any case. `code_lifetime`: seconds that an
    authorization code is valid (default: 60). `max_request_bytes`: larger requests get 413 (default: 32 MB).
    """

    def __init__(
        self,
        *,
        port: int = 0,
        speed: float = 1.0,
        seed: int = 0,
        models: Sequence[Mapping[str, Any]] | None = None,
        list_faults: bool = False,
        code_lifetime: float = CODE_LIFETIME,
        max_request_bytes: int = MAX_REQUEST_BYTES,
    ) -> None:
        if not speed > 0:
            raise ValueError("speed must be above 0")
        self._state = RouterState(
            Models(models, list_test_models=list_faults),
            Accounts(code_lifetime=code_lifetime),
            speed=speed,
            seed=seed,
            max_request_bytes=max_request_bytes,
        )
        self._wanted_port = port
        self._port: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> SandboxRouter:
        """Start serving; return `self`. Raises `OSError` if the port can't be used, `RuntimeError` if it runs already.

        It serves as soon as this returns.
        """
        if self._thread is not None:
            raise RuntimeError("this sandbox router is already running")
        listening = socket.create_server(("127.0.0.1", self._wanted_port), backlog=_BACKLOG)
        listening.setblocking(False)
        ready = Latch()
        thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listening, ready)), name="tetrate-sandbox", daemon=True
        )
        try:
            thread.start()
        except BaseException:  # no thread can be started: the port is free again, and it can be tried anew
            listening.close()
            raise
        self._thread, self._port = thread, listening.getsockname()[1]
        if not ready.wait(_START_TIMEOUT):
            raise RuntimeError("the sandbox router did not start")
        return self

    def stop(self) -> None:
        """Close all connections and stop; nothing happens if it isn't running."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None or self._end is None:
            return
        with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended by itself
            self._loop.call_soon_threadsafe(self._end.set)
        thread.join(_STOP_TIMEOUT)

    def __enter__(self) -> SandboxRouter:  # noqa: PYI034 - Self came with Python 3.11
        return self if self._thread is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def host(self) -> str:
        """The gateway host that its keys belong to, as "127.0.0.1:PORT"."""
        if self._port is None:
            raise RuntimeError("the sandbox router has no address before it is started")
        return f"127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        """The base URL of its API, as "http://127.0.0.1:PORT/v1"."""
        return f"http://{self.host}/v1"

    @property
    def auth_url(self) -> str:
        """The address of its web app (consent page, exchange, catalog), as "http://127.0.0.1:PORT"."""
        return f"http://{self.host}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point a client at it."""
        return {config.BASE_URL_VARIABLE: self.base_url, config.AUTH_URL_VARIABLE: self.auth_url}

    def issue_key(self, hostname: str | None = None) -> str:
        """Issue a key and return it; one for another `hostname` is refused here with 403, as by the service."""
        own = hostname is None or hostname == self.host
        return self._state.accounts.issue_key(None if own else hostname)

    def revoke_key(self, key: str) -> None:
        """Revoke a key; an unknown one is ignored."""
        self._state.accounts.revoke_key(key)

    def decide(self, authorization_url: str, decision: Literal["approve", "deny"] = "approve") -> str:
        """Decide on the consent page over HTTP, as a person's click does; return the address of the redirect.

        The redirect is not followed. Raises `ValueError` where the page refuses, with its text.
        """
        if urlsplit(authorization_url).netloc.rpartition(":")[2] != str(self._port):
            raise ValueError("this address leads to another router")
        return click.decide(authorization_url, decision)

    def inject(self, fault: Fault) -> None:
        """Add a fault that will apply to a later request."""
        self._state.faults.add(fault)

    def clear_faults(self) -> None:
        """Drop the faults that have not happened yet."""
        self._state.faults.clear()

    @property
    def requests(self) -> list[LoggedRequest]:
        """Snapshots of the requests that have arrived, oldest first."""
        return self._state.log.snapshot()

    def wait_for(self, predicate: Callable[[LoggedRequest], bool], timeout: float = 60.0) -> LoggedRequest:
        """Wait up to `timeout` seconds (default: 60) for a request that matches `predicate`; return the oldest one.

        Raises `TimeoutError`.
        """
        return self._state.log.wait_for(predicate, timeout)

    async def _serve(self, listening: socket.socket, ready: Latch) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = HTTPServer(_application(self._state), max_body_size=_READ_AT_MOST, max_buffer_size=_READ_AT_MOST)
        server.add_socket(listening)
        ready.set()
        await self._end.wait()
        server.stop()
        await server.close_all_connections()


def _application(state: RouterState) -> Application:
    routes = [
        (r"/", RootEndpoint),
        (config.AUTHORIZE_PATH, ConsentEndpoint),
        (config.AUTHORIZE_PATH + "/decision", DecisionEndpoint),
        (config.EXCHANGE_PATH, ExchangeEndpoint),
        (config.CATALOG_PATH, CatalogEndpoint),
        *((path, DashboardEndpoint) for path in PAGES),
        (r"/v1/models", ModelListEndpoint),
        (r"/v1/models/(.+)", OneModelEndpoint),
        (r"/v1/embeddings", EmbeddingsEndpoint),
        (r"/v1/status", StatusEndpoint),
        (r"/v1/chat/completions", ChatEndpoint),
        (r"/v1(?:/.*)?", UnservedEndpoint),
        (r"/.*", ElsewhereEndpoint),
    ]
    with_state = [(path, handler, {"state": state}) for path, handler in routes]
    return Application(with_state, log_function=_no_access_log)


def _no_access_log(_handler: RequestHandler) -> None:
    """Print nothing, since requests are in the router's own log."""
