"""The one HTTP client: it sends requests to the router, and turns every foreign error into one of ours.

No other module imports httpx: its successor has the same interface, and the change to it must be one file.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from dataclasses import dataclass, field
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx

from tetrate_jupyter import config, errors
from tetrate_jupyter.http import causes, faults, logs, wire
from tetrate_jupyter.http.attempts import (
    FailedAttempt,
    Leaving,
    Timeouts,
    no_longer_used,
    too_slow,
    try_repeatedly,
    within,
)
from tetrate_jupyter.http.bodies import decoded, read_either, read_start, read_whole
from tetrate_jupyter.http.exchange import trade
from tetrate_jupyter.http.gate import clean, outgoing
from tetrate_jupyter.http.held_key import HeldKey
from tetrate_jupyter.http.inflate import EncodingError, encoding_of, inflated
from tetrate_jupyter.http.stream import ChatStream, ResponseMeta, StreamBounds
from tetrate_jupyter.http.surroundings import SETTINGS_ERRORS, certificates, key_variable, proxy_for, unusable
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Mapping

    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.http.attempts import OnRetry, OnTry, OpenResponse
    from tetrate_jupyter.http.chunks import ChatChunk
    from tetrate_jupyter.http.held_key import AfterRefusal

__all__ = ["ChatStream", "GatewayClient", "ResponseMeta", "Timeouts"]

T = TypeVar("T")
_DROPPED_FIELDS_HEADER: Final = "x-tars-dropped-fields"
_PLAIN_HEADERS: Final = {
    "User-Agent": config.CLIENT_NAME,
    "X-Title": config.CLIENT_NAME,
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # no compression bombs, and no stream that waits for its compressor
}
_STREAM_HEADERS: Final = {"Accept": "text/event-stream, application/json"}
_KEEP_ALIVE_SECONDS: Final = 30.0  # a question within it needs no new TLS handshake; gateways keep connections longer


class GatewayClient:
    """A client of one gateway. It is bound to the event loop that it is first used on; `aclose()` when done.

    A key is sent only to the host it was made for (else `KeyHostError`, and nothing is sent). Redirects are never
    followed. Every call has its own `X-Request-ID` (one for all its tries), which its error has as well. System proxies
    are used, except for this machine itself. `after_refusal` is awaited when the router has refused a key (401): the
    call is repeated once with the key it returns, if that is another one for this router and not in the body.
    """

    def __init__(
        self, endpoints: Endpoints, *, timeouts: Timeouts | None = None, after_refusal: AfterRefusal | None = None
    ) -> None:
        self.endpoints = endpoints
        self._after_refusal = after_refusal
        self.timeouts = timeouts or Timeouts()
        self._http: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0
        self._left_behind: list[object] = []
        self._works: set[str] = set()  # URLs that have answered
        self.retired = False  # if true, no call begins any more, nor is retried

    async def models(self, key: Secret) -> list[wire.WireModel]:
        """Return the models that this key reaches (`GET /models`). Up to three tries, within 15 s in all."""
        call = self._get(key, "/models")
        work = try_repeatedly(
            lambda: self._read(call, wire.read_models, config.MAX_LIST_BYTES), attempts=config.MODELS_ATTEMPTS
        )
        return (await within(self.timeouts.models, work, call.asked))[0]

    async def catalog(self) -> list[wire.CatalogModel]:
        """Return the public catalog: all its pages (at most 10 of 500) or an error. Needs no key. One try, within 8 s.

        All pages together may have `config.MAX_LIST_BYTES` bytes; the first `config.MAX_MODELS` entries are kept.
        """
        asked = self._asked(self.endpoints.auth_url, keyed=False)
        found = await within(self.timeouts.catalog, self._catalog_pages(asked), asked)
        self.endpoints.recognise()
        return found

    async def status(self, key: Secret) -> wire.StatusReport | None:
        """Return how the gateway's providers did lately, None where it has no such route. One try, within 8 s."""
        call = self._get(key, "/status")
        work = self._read(call, wire.decode_status, config.MAX_STATUS_BYTES)
        outcome = await within(self.timeouts.status, work, call.asked)
        if not isinstance(outcome, FailedAttempt):
            return outcome
        if isinstance(outcome.error, errors.NotFoundError):
            return None
        raise outcome.error

    async def exchange(self, code: str | Secret, verifier: str | Secret) -> Secret:
        """Exchange an authorization code for a key. One try, within 30 s: a code can be used once.

        Raises `CodeRejectedError` when the router refuses the code (4xx), `ExchangeError` for anything else.
        """
        hidden = Secret.typed(code, searched=False), Secret.typed(verifier, searched=False)  # anybody may have sent it
        del code, verifier
        cancelled: tuple[object, ...] = ()
        try:
            outcome = await self._exchanged(*hidden)
        except asyncio.CancelledError as stopped:
            cancelled = stopped.args
        else:
            if isinstance(outcome, Secret):
                return outcome
            raise outcome.bare()
        raise asyncio.CancelledError(*cancelled)  # without the frames that held code and verifier

    async def _exchanged(self, code: Secret, verifier: Secret) -> Secret | errors.TetrateError:
        asked = self._asked(self.endpoints.auth_url)

        async def post(content: bytes) -> faults.ReceivedResponse | FailedAttempt:
            call = _HttpCall("POST", self.endpoints.auth_url + config.EXCHANGE_PATH, asked, content=content)
            return await within(self.timeouts.exchange, self._whole(call, config.MAX_KEY_BYTES), asked)

        return await trade(code, verifier, post, asked, host=self.endpoints.host)

    def stream(
        self, key: Secret, body: Mapping[str, Any], *, on_retry: OnRetry | None = None, on_try: OnTry | None = None
    ) -> ChatStream:
        """Return a streamed completion; nothing is sent before its `async with` is entered.

        Up to three tries until the stream is open; `on_retry` is awaited before each wait (its `attempt` is the number
        of the next try); `on_try`: see `Leaving`. Raises `KeyHostError` and `OptionError` (not JSON) at once.
        """
        call = self._chat_call(key, {**body, "stream": True})
        call.headers, call.leaving.on_try = _STREAM_HEADERS, on_try
        bounds = StreamBounds(self.timeouts.first_output, self.timeouts.between_chunks)
        ignored: list[str] = []

        async def attempt() -> tuple[OpenResponse | ChatChunk, _Response] | FailedAttempt:
            opened = await within(self.timeouts.headers, self._open(call), call.asked, phase="headers")
            if isinstance(opened, FailedAttempt):
                return opened
            if not opened.is_whole:
                return opened, opened
            content = await read_either(opened, call.asked, bounds.first_output, ignored)
            return content if isinstance(content, FailedAttempt) else (content, opened)

        async def open_stream() -> tuple[OpenResponse | ChatChunk, ResponseMeta]:
            (content, opened), tries = await try_repeatedly(attempt, attempts=config.CHAT_ATTEMPTS, on_retry=on_retry)
            return content, opened.meta(tries)

        return ChatStream(open_stream, call.asked, bounds, ignored, call.leaving)

    async def aclose(self) -> None:
        """Close every connection. The client may be used again afterwards, on any loop."""
        http, self._http = self._http, None
        if http is not None and self._loop is asyncio.get_running_loop():
            await http.aclose()

    # --- inside ----------------------------------------------------------------------------------------------

    def _asked(self, base_url: str = "", **parts: Any) -> faults.RequestContext:  # noqa: ANN401 - its fields
        asked = partial(faults.RequestContext, base_url or self.endpoints.base_url, str(uuid.uuid4()))
        return asked(endpoints=self.endpoints, key_variable=key_variable(), **parts)

    def _get(self, key: Secret, path: str) -> _HttpCall:
        asked = self._asked()
        bearer = _Bearer(HeldKey(key).checked(self.endpoints.host, asked))
        return _HttpCall("GET", self.endpoints.base_url + path, asked, bearer)

    def _chat_call(self, key: Secret, body: Mapping[str, Any]) -> _HttpCall:
        url, model = self.endpoints.base_url + "/chat/completions", body.get("model")
        named = model if isinstance(model, str) else None
        asked = self._asked(model=named, route_works=url in self._works)
        content = outgoing(body)
        bearer = _Bearer(HeldKey(key).checked(self.endpoints.host, asked))
        return _HttpCall("POST", url, asked, bearer, content)

    async def _catalog_pages(self, asked: faults.RequestContext) -> list[wire.CatalogModel]:
        found: list[wire.CatalogModel] = []
        page, pages, left, values = 1, 1, config.MAX_LIST_BYTES, config.MAX_CATALOG_VALUES
        while page <= min(pages, config.CATALOG_MAX_PAGES) and len(found) < config.MAX_MODELS:
            query = f"?limit={config.CATALOG_PAGE_SIZE}" + (f"&page={page}" if page > 1 else "")
            call = _HttpCall("GET", self.endpoints.auth_url + config.CATALOG_PATH + query, asked)
            outcome = await self._read(call, partial(wire.read_catalog_page, most=values), left)
            if isinstance(outcome, FailedAttempt):
                raise outcome.error
            left, values = left - outcome.size, values - outcome.values
            found += outcome.models[: config.MAX_MODELS - len(found)]
            pages = outcome.total_pages or pages
            page += 1
        return found

    async def _read(self, call: _HttpCall, decode: Callable[[faults.Body], T], limit: int) -> T | FailedAttempt:
        """Make a call and decode its JSON body of at most `limit` bytes."""
        reply = await self._whole(call, limit)
        return reply if isinstance(reply, FailedAttempt) else decoded(clean(decode), reply, call.asked)

    async def _whole(self, call: _HttpCall, limit: int) -> faults.ReceivedResponse | FailedAttempt:
        opened = await self._open(call)
        if isinstance(opened, FailedAttempt):
            return opened
        body = await read_whole(opened, call.asked, limit)
        return body if isinstance(body, FailedAttempt) else opened.reply(body)

    async def _open(self, call: _HttpCall) -> _Response | FailedAttempt:
        """Send the request and wait for the headers; any status but a success is a failure.

        After a refused key it is looked up again, once: another kernel may have signed in meanwhile.
        """
        outcome = await self._send(call)
        refused = isinstance(outcome, FailedAttempt) and isinstance(outcome.error, errors.InvalidKeyError)
        if not refused or call.auth is None or self._after_refusal is None:
            return outcome
        try:
            other = await self._after_refusal(call.auth.held.key)
        except errors.TetrateError as error:
            return FailedAttempt.of_error(error)
        if other is None or not call.auth.held.takes(other, call.content or b""):
            return outcome
        return await self._send(call)

    async def _send(self, call: _HttpCall) -> _Response | FailedAttempt:
        if self.retired:
            return no_longer_used(call.asked, call.leaving)
        failure: errors.TetrateError | None = None
        cancelled: tuple[object, ...] | None = None
        try:
            more = {**await call.leaving.headers(), **call.headers, "X-Request-ID": call.asked.request_id or ""}
            http = self._client()
            request = http.build_request(
                call.method,
                call.url,
                content=call.content,
                headers={**_PLAIN_HEADERS, **more},
                extensions={"trace": call.leaving.begin()},
            )
            if call.content is not None:
                request.headers["Content-Type"] = "application/json"
            response = await http.send(request, auth=call.auth, stream=True, follow_redirects=False)
        except asyncio.CancelledError as stopped:
            cancelled = stopped.args
        except Exception as foreign:  # noqa: BLE001 - whatever the library raises becomes ours, here and nowhere else
            failure = to_tetrate_error(foreign, call.asked)
        if cancelled is not None:  # without the library's frames, which hold the header
            raise asyncio.CancelledError(*cancelled)
        if failure is not None:  # made outside the handler, so that the foreign error isn't its context
            return FailedAttempt.of_error(failure, call.leaving)
        opened = _Response(response, call.asked)
        if http.is_closed:  # closed while this was connecting: nobody else would close this connection
            await opened.aclose()
            return no_longer_used(call.asked, call.leaving)
        return await self._received(opened, call)

    async def _received(self, opened: _Response, call: _HttpCall) -> _Response | FailedAttempt:
        """Return a success as it is, anything else as a failure."""
        if opened.headers.get("server") == config.SANDBOX_NAME:
            self.endpoints.recognise(sandbox=True)
        if 200 <= opened.status < 300:
            self._works |= set() if opened.reply().is_web_page else {call.url}
            refusal = opened.refusal
            if refusal is None:
                return opened
            await opened.aclose()
            return FailedAttempt.of_error(refusal)
        return FailedAttempt.of_reply(opened.reply(await read_start(opened)), call.asked)

    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._http is not None and self._loop is not loop:
            forked = self._pid != os.getpid()
            if not forked and self._loop is not None and not self._loop.is_closed():
                raise errors.BridgeError(
                    "This client is at work on another event loop.", next_step="use one client per event loop"
                )
            # After a fork the parent still uses these connections; kept here, so that no collection closes them.
            self._left_behind.append(self._http)
            self._http = None
        if self._http is None:
            logs.keep_keys_out()
            self._loop, self._pid = loop, os.getpid()
            urls = self.endpoints.base_url, self.endpoints.auth_url
            trusted = certificates(urls, lambda: httpx.create_ssl_context(trust_env=False))
            limits = httpx.Limits(keepalive_expiry=_KEEP_ALIVE_SECONDS)
            self._http = httpx.AsyncClient(
                timeout=httpx.Timeout(None, connect=self.timeouts.connect),
                limits=limits,
                verify=trusted,
                trust_env=False,  # proxies and certificates are read in `surroundings`; nothing else is used
                mounts={
                    config.origin_of(url): httpx.AsyncHTTPTransport(proxy=proxy, verify=trusted, limits=limits)
                    for url in urls
                    if (proxy := proxy_for(url)) is not None
                },
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # an API client keeps no cookies
            )
        return self._http


@dataclass
class _HttpCall:
    method: str
    url: str
    asked: faults.RequestContext
    auth: _Bearer | None = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    leaving: Leaving = field(default_factory=Leaving)


class _Bearer(httpx.Auth):
    """Puts the key into the header when the request is sent, so that no variable holds it before."""

    def __init__(self, held: HeldKey) -> None:
        self.held = held

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.held.key.reveal()}"
        try:
            yield request
        finally:
            del request.headers["Authorization"]  # sent; the request itself lives on in the response, and in frames


class _Response:
    """A response whose body has not been read (see `attempts.OpenResponse`)."""

    def __init__(self, response: httpx.Response, asked: faults.RequestContext) -> None:
        self._response = response
        self._asked = asked
        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}

    @property
    def is_whole(self) -> bool:
        """Whether the content type is that of one document (JSON or a web page) rather than a stream's."""
        kind = self.reply().content_type
        return kind.endswith(("/json", "+json", "html")) or self.status == 204

    @property
    def refusal(self) -> errors.TetrateError | None:
        """The error for a body that can't be read, since its encoding is none that we unpack; else None."""
        try:
            encoding_of(self.headers.get("content-encoding", ""))
        except EncodingError as problem:
            return to_tetrate_error(problem, self._asked)
        return None

    def reply(self, body: faults.Body = b"") -> faults.ReceivedResponse:
        return faults.ReceivedResponse(self.status, self.headers, body)

    def meta(self, tries: int) -> ResponseMeta:
        named = map(faults.shown, self.headers.get(_DROPPED_FIELDS_HEADER, "").replace(";", ",").split(","))
        simulated = self.headers.get(config.SANDBOX_HEADER) == config.SIMULATED
        return ResponseMeta(self._asked.request_id or "", tuple(filter(None, named)), tries, simulated)

    def chunks(self) -> AsyncIterator[bytes]:
        # Never the library's own decoding: it unpacks any number of layers at once, in memory.
        encoding = encoding_of(self.headers.get("content-encoding", ""))
        raw = self._response.aiter_raw()
        return inflated(raw, encoding) if encoding else raw

    def explain(self, failure: Exception) -> errors.TetrateError:
        return to_tetrate_error(failure, self._asked)

    async def aclose(self) -> None:
        with contextlib.suppress(Exception):  # the connection is dropped either way
            await self._response.aclose()


def to_tetrate_error(foreign: Exception, asked: faults.RequestContext) -> errors.TetrateError:
    """Return our error for whatever the HTTP library or a layer below raised. Never quotes the foreign text."""
    if isinstance(foreign, errors.TetrateError):
        return foreign
    if isinstance(foreign, httpx.TimeoutException):
        phase = "connect" if isinstance(foreign, (httpx.ConnectTimeout, httpx.PoolTimeout)) else "headers"
        return too_slow(asked, phase)
    if isinstance(foreign, (EncodingError, httpx.DecodingError)):
        return faults.badly_encoded(str(foreign) if isinstance(foreign, EncodingError) else "badly compressed", asked)
    if isinstance(foreign, (*SETTINGS_ERRORS, httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return unusable(asked.host)
    if causes.is_no_http(foreign):
        return faults.no_http(asked)
    refused = isinstance(foreign, httpx.ProxyError)
    what, step = causes.explain(foreign, asked.host, asked.base_url, asked.proxy, refused=refused)
    return errors.UnreachableError(what, next_step=step, request_id=asked.request_id)
