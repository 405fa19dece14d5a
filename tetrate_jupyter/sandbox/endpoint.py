"""What every route does: log, apply faults, refuse as the router does, notice a client that hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlsplit

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from tetrate_jupyter import config
from tetrate_jupyter.sandbox.api_error import ApiError, bad_request
from tetrate_jupyter.sandbox.log import RequestInProgress, without_secrets
from tetrate_jupyter.sandbox.oddities import ODDITIES, Block, Values, whole
from tetrate_jupyter.sandbox.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from types import TracebackType

    from tornado.http1connection import HTTP1Connection

    from tetrate_jupyter.sandbox.faults import Fault, Route
    from tetrate_jupyter.sandbox.state import RouterState

_UNSAID = frozenset({"code", "code_verifier"})  # members of an exchange whose values aren't logged
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_WEB_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class HungUpError(Exception):
    """Raised where the client is gone, so that nobody is left to answer."""


class Endpoint(RequestHandler):
    """A route of the router."""

    route: ClassVar[Route] = "any"

    def initialize(self, state: RouterState) -> None:
        """Set up the request, with the state that all routes share."""
        self.state = state
        self.fault: Fault | None = None
        self.gone = asyncio.Event()
        self.record = self._arrived()

    def set_default_headers(self) -> None:
        """Set the server's name, and echo the client's request id."""
        self.set_header("Server", config.SANDBOX_NAME)
        if request_id := self.request.headers.get("X-Request-ID"):
            self.set_header("x-client-request-id", request_id)

    def prepare(self) -> Awaitable[None] | None:
        """Log the request, and apply an injected fault before anything else is checked."""
        self.state.log.add(self.record, len(self.request.body))
        return self._prepare()

    async def _prepare(self) -> None:
        if wrong := self._wrong_method():
            raise wrong
        if len(self.request.body) > self.state.max_request_bytes:
            raise ApiError(413, "The request is too large.", code="request_too_large")
        fault = self.state.faults.take(self.route, self.record.model, self.page_number)
        if fault is not None:
            await self.meet(fault)

    def _wrong_method(self) -> ApiError | None:
        """Return the 405 for a method that the route doesn't have, with the allowed ones; None for an allowed one."""
        method = self.request.method or ""
        allowed = [name for name in self.SUPPORTED_METHODS if name.lower() in _own_names(type(self))]
        if method in allowed:
            return None
        path = urlsplit(self.request.uri or "").path
        return ApiError(
            405,
            f"Not allowed to {method} on {path}. Use {' or '.join(allowed)}.",
            code="method_not_allowed",
            headers={"Allow": ", ".join(allowed)},
        )

    @property
    def page_number(self) -> int:
        """The requested page, by default 1."""
        text = self.get_query_argument("page", "1")
        return int(text) if text.isdecimal() and len(text) < 7 else 1

    async def meet(self, fault: Fault) -> None:
        """Apply a fault. Those inside a stream or in an answer's content take effect later."""
        self.fault = fault
        self.record.fault = fault.kind
        if error := refusal(fault):
            raise error
        if fault.kind == "drop":
            self.drop()
            raise HungUpError
        if fault.kind == "slow-headers":
            await self.wait(fault.delay)
        elif fault.kind in _SPOILED:
            status, content_type, body = _SPOILED[fault.kind]
            self.set_status(fault.status or status)
            self.set_header("Content-Type", content_type)
            if fault.kind == "redirect":
                self.set_header("Location", "/elsewhere")
            await self.finish(body)
        elif (odd := ODDITIES.get(fault.kind)) and odd.body and not (odd.calls_tools or odd.lists_models):
            await self.send_block(odd.body, Values(self.record.model or ""))

    def drop(self) -> None:
        """Close the connection at once."""
        self.connection.set_close_callback(None)
        self.connection.stream.close()

    @property
    def connection(self) -> HTTP1Connection:
        """The underlying connection; this server speaks HTTP/1 only."""
        return cast("HTTP1Connection", self.request.connection)

    async def wait(self, seconds: float | None) -> None:
        """Wait for `seconds` (None: forever). Raises `HungUpError` as soon as the client hangs up."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.gone.wait(), seconds)
        if self.gone.is_set():
            raise HungUpError

    def on_connection_close(self) -> None:
        """Log that the client hung up, and end all waiting."""
        if self.gone.is_set():
            return
        with self.state.log.change():
            self.record.hung_up_at = time.monotonic()
        self.gone.set()

    def on_finish(self) -> None:
        """Log that everything was sent, unless the client hung up before."""
        if self.gone.is_set():
            return
        with self.state.log.change():
            self.record.status = self.get_status()
            self.record.finished_at = time.monotonic()

    async def send_json(self, body: dict[str, Any]) -> None:
        """Answer with JSON in UTF-8."""
        self.set_header("Content-Type", "application/json")
        try:
            await self.finish(json.dumps(body, ensure_ascii=False))
        except StreamClosedError:
            self.on_connection_close()

    async def send_block(self, block: Block, values: Values) -> None:
        """Answer with an oddity's text, unchanged but for its placeholders."""
        self.set_status(block.status)
        self.set_header("Content-Type", block.content_type)
        for name, value in block.headers.items():
            self.set_header(name, value)
        await self.finish(whole(block, values).encode())

    def check_key(self) -> None:
        """Check the request's key and log it. Raises `ApiError` (401 or 403) for an unusable one."""
        self.record.key = self.state.accounts.check(self.request.headers.get("Authorization")).label

    def read_body(self) -> dict[str, Any]:
        """Return the request's JSON object. Raises `ApiError` (400) for anything else."""
        try:
            text = self.request.body.decode("utf-8")  # `json` alone would accept UTF-16 and lone surrogates as well
            body = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise bad_request("The body is not valid JSON.") from None
        if _HALF.search(text) and _holds_half(body):  # worded as Anthropic's; few parsers accept these
            raise bad_request("The request body is not valid JSON: no low surrogate in string.")
        if not isinstance(body, dict):
            raise bad_request("The body must be a JSON object.")
        return body

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log only exceptions that aren't part of the emulation."""
        if not isinstance(value, (ApiError, HTTPError, HungUpError, StreamClosedError)):
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ANN401 - Tornado's signature
        """Send a refusal as the router does; nothing is sent to a client that is gone."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, (HungUpError, StreamClosedError)):
            return
        if isinstance(error, HTTPError):  # Tornado's own, for a request that it can't parse
            error = self._wrong_method() or ApiError(error.status_code, "The request can't be read.")
        if not isinstance(error, ApiError):
            error = ApiError(status_code, "The sandbox router failed because of its own defect.", code="internal_error")
        self.set_status(error.status, _REASONS.get(error.status))
        for name, value in error.headers.items():
            self.set_header(name, value)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(error.body, ensure_ascii=False))

    def _arrived(self) -> RequestInProgress:
        body = _parsed(self.request.body)
        model = body.get("model") if isinstance(body, dict) else None
        return RequestInProgress(
            method=self.request.method or "",
            path=urlsplit(self.request.uri or "").path,
            query={n: v[-1].decode("utf-8", "replace") for n, v in self.request.query_arguments.items()},
            headers=without_secrets(self.request.headers),
            request_id=self.request.headers.get("X-Request-ID"),
            body=_unsaid(body),
            model=model if isinstance(model, str) else None,
        )


_REASONS = {529: "Overloaded"}
_JSON = "application/json"
_SPOILED: dict[str, tuple[int, str, str]] = {
    "not-found": (404, "text/html", _WEB_PAGE.format("404 page not found")),
    "bad-gateway": (502, "text/html", _WEB_PAGE.format("502 Bad Gateway")),
    "html": (200, "text/html", _WEB_PAGE.format("Sign in to the company network")),
    "unreadable-error": (500, _JSON, "upstream connect error or disconnect/reset before headers"),
    "error-as-200": (200, _JSON, '{"error": {"code": 502, "message": "The provider returned an error."}}'),
    "empty-body": (200, _JSON, ""),
    "broken-json": (200, _JSON, '{"id": "chatcmpl-1", "choices": [{"index": 0, "mess'),
    "redirect": (302, "text/html", ""),
}


def _own_names(kind: type[Endpoint]) -> frozenset[str]:
    """Return the names defined by a route's class and its bases up to `Endpoint`: `RequestHandler` has all methods."""
    return frozenset(name for base in kind.__mro__ if issubclass(base, Endpoint) for name in vars(base))


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def _unsaid(body: object) -> object:
    if isinstance(body, dict) and _UNSAID & body.keys():
        return {name: f"<{name}>" if name in _UNSAID else value for name, value in body.items()}
    return body


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _holds_half(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
