"""From what the router answered to the error that says so in our words; pure.

An error may come with status 200 or inside a stream. `error_body` reads what stands in it, `meaning` says what it is
about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tetrate_jupyter import errors
from tetrate_jupyter.http import meaning, retry
from tetrate_jupyter.http.error_body import Body, ErrorBody, fault_of, read_error_body, shown
from tetrate_jupyter.http.meaning import Meaning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tetrate_jupyter.config import Endpoints

__all__ = ["Body", "ReceivedResponse", "RequestContext", "error_for", "error_in_stream", "read_error_body", "shown"]

# Statuses whose meaning stands even where a web server, not the API, gave them.
_PAGES_OF_THE_ROUTER: Final = frozenset({404, 407, 408, 413, 429})


@dataclass(frozen=True)
class RequestContext:
    """What was asked, for the words of an error. `model` is None where the route isn't about one.

    `endpoints` says where keys and credit are managed, "" where nobody knows (`Endpoints.has_pages`). `keyed`: whether
    a key was sent. `route_works`: whether this route has answered before, so that a 404 isn't about the address.
    """

    base_url: str
    request_id: str | None
    model: str | None = None
    endpoints: Endpoints | None = None
    keyed: bool = True
    route_works: bool = False

    @property
    def keys_page(self) -> str:
        """The page where keys are made and revoked, or ""."""
        return self.endpoints.keys_page if self.endpoints else ""

    @property
    def billing_page(self) -> str:
        """The page where credit is bought, or ""."""
        return self.endpoints.billing_page if self.endpoints else ""

    @property
    def sign_in(self) -> str:
        """What to do for another key."""
        return "sign in again with %tetrate_login" if self.keys_page else "give the right key with %tetrate_login"

    @property
    def host(self) -> str:
        """The host that was asked."""
        return urlsplit(self.base_url).netloc


@dataclass(frozen=True)
class ReceivedResponse:
    """What came back. `headers` have lower-case names; `body` may be cut at a bound."""

    status: int
    headers: Mapping[str, str]
    body: Body = b""

    @property
    def content_type(self) -> str:
        """The media type alone, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_web_page(self) -> bool:
        """Whether this is HTML: a proxy's login page or a wrong address, never the API."""
        return self.content_type in {"text/html", "application/xhtml+xml"} or self.body[:200].lstrip()[:1] == b"<"


def error_for(reply: ReceivedResponse, asked: RequestContext) -> errors.GatewayError:
    """Return the error for an answer that isn't a success (or is one only by its status)."""
    fault = read_error_body(reply.status, reply.body)
    if 300 <= reply.status < 400:
        return _redirected(reply, asked)
    if fault.status is None and fault.message and reply.status < 300:
        return errors.ProviderError(
            _says("The router answered with an error", fault), next_step="ask again", **_common(fault, asked)
        )
    if fault.status is None or (reply.is_web_page and fault.status < 500 and fault.status not in _PAGES_OF_THE_ROUTER):
        return unreadable(reply, asked)
    if retry.is_budget_block(reply.status, reply.headers):
        return errors.BudgetExceededError(
            _says("A spend budget set for this key is used up", fault),
            next_step="ask whoever set the budget, or use another key" + _in_brackets(asked.keys_page),
            **_common(fault, asked),
        )
    return _by_meaning(fault, reply.headers, asked)


def error_in_stream(content: object, asked: RequestContext) -> errors.GatewayError:
    """Return the error for the `error` member of a chunk."""
    fault = fault_of(None, content)
    if fault.status is None:
        return errors.StreamError(
            _says("The answer broke off with an error", fault), next_step="ask again", **_common(fault, asked)
        )
    return _by_meaning(fault, {}, asked)


def unreadable(reply: ReceivedResponse, asked: RequestContext) -> errors.MalformedResponseError:
    """Return the error for an answer that isn't what the API promises, whatever its status says."""
    if reply.is_web_page:
        message = f"{asked.host} answered with a web page instead of the API (status {reply.status})."
        step = f"check the base URL {asked.base_url}; if a proxy or network login stands between, log in there first"
    else:
        kind = shown(reply.content_type) or "no content type"
        message = f"{asked.host} answered with something that isn't the API's JSON (status {reply.status}, {kind})."
        step = f"check the base URL {asked.base_url}, then ask again"
    return errors.MalformedResponseError(message, next_step=step, request_id=asked.request_id, status=reply.status)


def badly_encoded(how: str, asked: RequestContext) -> errors.MalformedResponseError:
    """Return the error for a body that can't be unpacked; `how` goes on after "the answer of ... is"."""
    return errors.MalformedResponseError(
        f"The answer of {asked.host} is {how}; it was not read.",
        next_step=f"check the base URL {asked.base_url}; a proxy between must leave answers as they are",
        request_id=asked.request_id,
    )


def _by_meaning(fault: ErrorBody, headers: Mapping[str, str], asked: RequestContext) -> errors.GatewayError:
    """Let code and words speak before the status: several meanings share one."""
    what = meaning.meaning_of(fault, asked.model, route_works=asked.route_works)
    if what is Meaning.RATE:
        wait = retry.retry_after(headers)
        return _rate_limited(fault, fault.hint if wait is None else wait, asked)
    if (what is Meaning.KEY or fault.status == 401) and asked.keyed:
        return errors.InvalidKeyError(
            _says(f"{asked.host} doesn't accept this key: it is wrong or was revoked", fault),
            next_step=asked.sign_in,
            **_common(fault, asked),
        )
    make = _MADE.get(what) or (_not_found if fault.status == 404 else _by_status)
    return make(fault, asked)


def _too_long(fault: ErrorBody, asked: RequestContext) -> errors.ContextTooLongError:
    return errors.ContextTooLongError(
        _says(f"The request is too long for {asked.model or 'the router'}", fault),
        next_step="start afresh with %tetrate_reset, shorten the prompt, or choose a model with a larger window",
        **_common(fault, asked),
    )


def _by_status(fault: ErrorBody, asked: RequestContext) -> errors.GatewayError:
    status = fault.status or 0
    if status >= 500 or status in {408, 425}:
        name = asked.model or asked.host
        return errors.ProviderError(
            _says(f"The router, or the provider behind {name}, is in trouble (status {status})", fault),
            next_step="ask again in a moment, or choose another model"
            + ("; %tetrate_status shows the providers" if asked.keys_page else ""),
            **_common(fault, asked),
        )
    if status in {401, 403}:
        return _forbidden(fault, asked)
    if status == 407:
        return errors.UnreachableError(
            _says(f"The proxy between here and {asked.host} asks for a login", fault),
            next_step="set HTTPS_PROXY with the proxy's user and password, restart the kernel, then ask again",
            **_common(fault, asked),
        )
    return errors.RequestRejectedError(
        _says(f"The router can't use this request (status {status})", fault),
        next_step="check the model's id with %tetrate_models, and the options of the call",
        **_common(fault, asked),
    )


def _forbidden(fault: ErrorBody, asked: RequestContext) -> errors.ForbiddenError:
    if not asked.keyed:  # whatever is wrong, it isn't the key
        return errors.ForbiddenError(
            _says(f"{asked.host} doesn't show this without a login (status {fault.status}); no key was sent", fault),
            next_step=f"check the address {asked.base_url}",
            **_common(fault, asked),
        )
    allowed = f"see what the key may do at {asked.keys_page}, or {asked.sign_in}" if asked.keys_page else asked.sign_in
    return errors.ForbiddenError(
        _says("This key isn't allowed to do that", fault), next_step=allowed, **_common(fault, asked)
    )


def _out_of_credit(fault: ErrorBody, asked: RequestContext) -> errors.CreditsExhaustedError:
    where = f"at {asked.billing_page}" if asked.billing_page else f"where the key for {asked.host} was made"
    said = meaning.says_no_credit(fault.message)  # in its own words: once is enough
    return errors.CreditsExhaustedError(
        f"{asked.host}: {fault.message}" if said else _says("The account has no credit left", fault),
        next_step=f"add credit {where}, then ask again",
        **_common(fault, asked),
    )


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _no_model(fault: ErrorBody, asked: RequestContext) -> errors.ModelUnavailableError:
    return errors.ModelUnavailableError(
        _says(f"{asked.model or 'The model'} is not available to this key", fault),
        next_step="see the models this key reaches with %tetrate_models",
        **_common(fault, asked),
    )


def _model_later(fault: ErrorBody, asked: RequestContext) -> errors.ModelUnavailableError:
    return errors.ModelUnavailableError(
        _says(f"{asked.model or 'The model'} is not ready yet", fault),
        next_step="ask again in a minute, or choose another model",
        **_common(fault, asked),
    )


def _wrong_host(fault: ErrorBody, asked: RequestContext) -> errors.WrongHostError:
    where = ", ".join(fault.hostnames)
    step = "sign in again with %tetrate_login to make a key for this host"
    if fault.hostnames:
        step = f"set TETRATE_BASE_URL=https://{fault.hostnames[0]}/v1 and restart the kernel, or {step}"
    return errors.WrongHostError(
        f"This key belongs to another gateway host{f' ({where})' if where else ''}, not to {asked.host}.",
        hostnames=fault.hostnames,
        next_step=step,
        request_id=asked.request_id,
        code=fault.code or fault.category,
    )


def _not_found(fault: ErrorBody, asked: RequestContext) -> errors.NotFoundError:
    if "unsupported endpoint" in fault.message.lower():
        return errors.UnsupportedEndpointError(
            _says(f"{asked.host} doesn't serve this route", fault),
            next_step=f"check the base URL {asked.base_url}",
            **_common(fault, asked),
        )
    return errors.NotFoundError(
        _says(f"{asked.base_url} has no such route", fault),
        next_step="check the base URL (TETRATE_BASE_URL); it usually ends in /v1",
        **_common(fault, asked),
    )


def _rate_limited(fault: ErrorBody, wait: float | None, asked: RequestContext) -> errors.RateLimitError:
    soon = "wait a moment" if wait is None else f"wait {wait:.0f} s" if wait >= 1 else "wait a second"
    return errors.RateLimitError(
        _says("Too many requests, or tokens, in a short time", fault),
        retry_after=wait,
        next_step=f"{soon}, then ask again",
        request_id=asked.request_id,
        code=fault.code,
    )


def _redirected(reply: ReceivedResponse, asked: RequestContext) -> errors.MalformedResponseError:
    try:
        target = urlsplit(reply.headers.get("location", "")).hostname
    except ValueError:
        target = None
    where = f" to {shown(target)}" if target else ""
    return errors.MalformedResponseError(
        f"{asked.host} sent us elsewhere{where} (status {reply.status}); the key was not sent there.",
        next_step=f"check the base URL {asked.base_url}; if a network login stands between, log in there first",
        request_id=asked.request_id,
        status=reply.status,
    )


def _common(fault: ErrorBody, asked: RequestContext) -> dict[str, Any]:
    return {"request_id": asked.request_id, "status": fault.status, "code": fault.code or fault.category}


def _says(what: str, fault: ErrorBody) -> str:
    return f"{what}: {fault.message}" if fault.message else f"{what}."


_MADE: Final[Mapping[Meaning, Callable[[ErrorBody, RequestContext], errors.GatewayError]]] = {
    Meaning.CREDITS: _out_of_credit,
    Meaning.TOO_LONG: _too_long,
    Meaning.NO_MODEL: _no_model,
    Meaning.MODEL_LATER: _model_later,
    Meaning.HOST: _wrong_host,
}
