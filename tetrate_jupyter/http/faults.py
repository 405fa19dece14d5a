"""Turning an unsuccessful response into the matching error of ours; pure but for the proxy that the environment names.

An error may come with status 200 or inside a stream. `error_body` reads its body, `meaning` classifies it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tetrate_jupyter import errors
from tetrate_jupyter.http import meaning, retry
from tetrate_jupyter.http.error_body import Body, ErrorBody, error_body_of, read_error_body, shown
from tetrate_jupyter.http.meaning import Meaning
from tetrate_jupyter.http.surroundings import proxy_between

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tetrate_jupyter.config import Endpoints
    from tetrate_jupyter.http.surroundings import Proxy

__all__ = ["Body", "ReceivedResponse", "RequestContext", "error_for", "error_in_stream", "read_error_body", "shown"]

# Statuses that mean the same where a web server rather than the API sent them.
_PAGES_OF_THE_ROUTER: Final = frozenset({404, 407, 408, 413, 429})

_IN_SECONDS: Final = 300  # a longer wait is told in minutes
_IN_MINUTES: Final = 3 * 3600  # and a longer one in hours
_WRONG_ADDRESS: Final = frozenset({404, 405, 421})
_IN_TROUBLE: Final = frozenset({408, 423, 424, 425, 499})  # below 500, but nothing that the request could mend


@dataclass(frozen=True)
class RequestContext:
    """What was requested, for the text of an error. `model` is None where the route doesn't involve one.

    `endpoints` knows the pages where keys and credit are managed, if any (`Endpoints.has_pages`). `keyed`: whether a
    key was sent. `route_works`: whether this route has answered before, so that a 404 isn't about the address.
    `key_variable`: the variable of the environment that holds a key, or "".
    """

    base_url: str
    request_id: str | None
    model: str | None = None
    endpoints: Endpoints | None = None
    keyed: bool = True
    route_works: bool = False
    key_variable: str = ""

    @property
    def keys_page(self) -> str:
        """The page where keys are made and revoked, or ""."""
        return self.endpoints.keys_page if self.endpoints else ""

    @property
    def billing_page(self) -> str:
        """The page where credit is bought, or ""."""
        return self.endpoints.billing_page if self.endpoints else ""

    @property
    def sign_in(self) -> errors.NextStep:
        """The next step towards another key."""
        step = "sign in again" if self.keys_page else "give the right key"
        found = errors.NextStep(f"{step} with %tetrate_login", in_panel=f"{step} here")
        return found.within(f"correct {self.key_variable}, or ") if self.key_variable else found

    @property
    def host(self) -> str:
        """The host of `base_url`, with its port if it names one."""
        return urlsplit(self.base_url).netloc

    @property
    def proxy(self) -> Proxy | None:
        """The proxy through which `base_url` is reached."""
        return proxy_between(self.base_url)


@dataclass(frozen=True)
class ReceivedResponse:
    """The response. Names in `headers` are in lower case; `body` may be cut at a bound."""

    status: int
    headers: Mapping[str, str]
    body: Body = b""

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_web_page(self) -> bool:
        """Whether this is HTML: a proxy's login page or a wrong address's, never the API's."""
        return self.content_type in {"text/html", "application/xhtml+xml"} or self.body[:200].lstrip()[:1] == b"<"


def error_for(reply: ReceivedResponse, asked: RequestContext) -> errors.GatewayError:
    """Return the error for a response that isn't a success, or is one by its status only."""
    body = read_error_body(reply.status, reply.body)
    if body.status is None and meaning.lacks_credit(body):
        return _out_of_credit(body, asked)
    if 300 <= reply.status < 400:
        return _redirected(reply, asked)
    if body.status is None and body.message and reply.status < 300:
        return errors.ProviderError(
            _says("The router answered with an error", body), next_step="ask again", **_common(body, asked)
        )
    is_page = reply.is_web_page and not (body.message and reply.body.lstrip().startswith(b"<"))  # else an error in XML
    if body.status is None or (is_page and body.status < 500 and body.status not in _PAGES_OF_THE_ROUTER):
        return unreadable(reply, asked)
    if retry.is_budget_block(reply.status, reply.headers):
        return _over_budget(body, asked)
    return _by_meaning(body, reply.headers, asked)


def error_in_stream(content: object, asked: RequestContext) -> errors.GatewayError:
    """Return the error for the `error` member of a chunk."""
    body = error_body_of(None, content)
    if body.status is None and meaning.lacks_credit(body):
        return _out_of_credit(body, asked)
    if body.status is None:
        return errors.StreamError(
            _says("The answer broke off with an error", body), next_step="ask again", **_common(body, asked)
        )
    return _by_meaning(body, {}, asked)


def unreadable(reply: ReceivedResponse, asked: RequestContext) -> errors.MalformedResponseError:
    """Return the error for a response that doesn't conform to the API, whatever its status."""
    if reply.is_web_page:
        message = f"{asked.host} answered with a web page instead of the API (status {reply.status})."
        step = f"check the base URL {asked.base_url}; if a proxy or network login stands between, log in there first"
        if reply.status in {401, 403} and asked.keyed:  # some servers refuse a wrong key with a page
            right = errors.NextStep("give the right key with %tetrate_login", in_panel="give the right key here")
            step = right.within(f"{step}; else ")
    else:
        kind = shown(reply.content_type) or "no content type"
        message = f"{asked.host} answered with something that isn't the API's JSON (status {reply.status}, {kind})."
        step = f"check the base URL {asked.base_url}, then ask again"
    return errors.MalformedResponseError(message, next_step=step, request_id=asked.request_id, status=reply.status)


def no_http(asked: RequestContext) -> errors.MalformedResponseError:
    """Return the error for an answer that breaks HTTP's own rules."""
    return errors.MalformedResponseError(
        f"{asked.host} answered with something that is no valid HTTP.",
        next_step=f"check the base URL {asked.base_url} (https where the server speaks https), and a proxy between",
        request_id=asked.request_id,
    )


def other_api(asked: RequestContext) -> errors.MalformedResponseError:
    """Return the error for an answer, streamed or whole, that is none of a chat completion's."""
    return errors.MalformedResponseError(
        f"{asked.host} answered in the form of another API: nothing in it is part of a chat completion.",
        next_step=f"check the base URL {asked.base_url}; it must be the OpenAI-compatible one, which often ends in /v1",
        request_id=asked.request_id,
        status=200,
    )


def badly_encoded(how: str, asked: RequestContext) -> errors.MalformedResponseError:
    """Return the error for a body that can't be decompressed; `how` completes "The answer of ... is"."""
    return errors.MalformedResponseError(
        f"The answer of {asked.host} is {how}; it was not read.",
        next_step=f"check the base URL {asked.base_url}; a proxy between must leave answers as they are",
        request_id=asked.request_id,
    )


def _by_meaning(body: ErrorBody, headers: Mapping[str, str], asked: RequestContext) -> errors.GatewayError:
    """Return the error by code and message rather than by status, since several meanings share one."""
    what = meaning.meaning_of(body, asked.model, route_works=asked.route_works)
    wait = retry.retry_after(headers)
    body = body if wait is None else replace(body, hint=wait)
    if what is Meaning.RATE:
        return _rate_limited(body, body.hint, asked)
    if (what is Meaning.KEY or body.status == 401) and asked.keyed:
        return errors.InvalidKeyError(
            _says(f"{asked.host} doesn't accept this key: it is wrong or was revoked", body),
            next_step=asked.sign_in,
            **_common(body, asked),
        )
    make = _MADE.get(what) or (_not_found if body.status in _WRONG_ADDRESS else _by_status)
    return make(body, asked)


def _too_long(body: ErrorBody, asked: RequestContext) -> errors.ContextTooLongError:
    return errors.ContextTooLongError(
        _says(f"The request is too long for {asked.model or 'the router'}", body),
        next_step="start afresh with %tetrate_reset, shorten the prompt, or choose a model with a larger window",
        **_common(body, asked),
    )


def _by_status(body: ErrorBody, asked: RequestContext) -> errors.GatewayError:
    status = body.status or 0
    if status >= 500 or status in _IN_TROUBLE:
        name = asked.model or asked.host
        return errors.ProviderError(
            _says(f"The router, or the provider behind {name}, failed (status {status})", body),
            next_step=f"ask again in {'a moment' if body.hint is None else _time(body.hint)}, or choose another model"
            + ("; %tetrate_status shows the providers" if asked.keys_page else ""),
            **_common(body, asked),
        )
    if status in {401, 403}:
        return _forbidden(body, asked)
    if status == 407:
        variable = asked.proxy.variable if asked.proxy else "HTTPS_PROXY"
        return errors.UnreachableError(
            _says(f"The proxy between here and {asked.host} asks for a login", body),
            next_step=f"set {variable} with the proxy's user and password, restart the kernel, then ask again",
            **_common(body, asked),
        )
    return errors.RequestRejectedError(
        _says(f"The router rejected this request (status {status})", body),
        next_step="check the model's id with %tetrate_models, and the options of the call",
        **_common(body, asked),
    )


def _forbidden(body: ErrorBody, asked: RequestContext) -> errors.ForbiddenError:
    if not asked.keyed:  # whatever is wrong, it isn't the key
        return errors.ForbiddenError(
            _says(f"{asked.host} doesn't show this without a login (status {body.status}); no key was sent", body),
            next_step=f"check the address {asked.base_url}",
            **_common(body, asked),
        )
    allowed = asked.sign_in.within(f"see what the key may do at {asked.keys_page}, or " if asked.keys_page else "")
    return errors.ForbiddenError(
        _says("This key isn't allowed to do that", body), next_step=allowed, **_common(body, asked)
    )


def _out_of_credit(body: ErrorBody, asked: RequestContext) -> errors.CreditsExhaustedError:
    where = f"at {asked.billing_page}" if asked.billing_page else f"where the key for {asked.host} was made"
    said = meaning.says_no_credit(body.message)  # the server's own message says it: once is enough
    return errors.CreditsExhaustedError(
        f"{asked.host}: {body.message}" if said else _says("The account has no credit left", body),
        next_step=f"add credit {where}, then ask again",
        **_common(body, asked),
    )


def _over_budget(body: ErrorBody, asked: RequestContext) -> errors.BudgetExceededError:
    return errors.BudgetExceededError(
        _says("A spend budget set for this key is used up", body),
        next_step="ask whoever set the budget, or use another key" + _in_brackets(asked.keys_page),
        **_common(body, asked),
    )


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _no_model(body: ErrorBody, asked: RequestContext) -> errors.ModelUnavailableError:
    return errors.ModelUnavailableError(
        _says(f"{asked.model or 'The model'} is not available to this key", body),
        next_step="see the models this key reaches with %tetrate_models",
        **_common(body, asked),
    )


def _model_later(body: ErrorBody, asked: RequestContext) -> errors.ModelUnavailableError:
    return errors.ModelUnavailableError(
        _says(f"{asked.model or 'The model'} is not ready yet", body),
        next_step="ask again in a minute, or choose another model",
        **_common(body, asked),
    )


def _refused_content(body: ErrorBody, asked: RequestContext) -> errors.RequestRejectedError:
    return errors.RequestRejectedError(
        _says(f"The provider of {asked.model or 'the model'} refuses this prompt for what it says", body),
        next_step="put it in other words, or choose another model",
        **_common(body, asked),
    )


def _wrong_host(body: ErrorBody, asked: RequestContext) -> errors.WrongHostError:
    where = ", ".join(body.hostnames)
    step = errors.NextStep("sign in again with %tetrate_login", in_panel="sign in again here")
    move = f"set TETRATE_BASE_URL=https://{body.hostnames[0]}/v1 and restart the kernel, or " if body.hostnames else ""
    return errors.WrongHostError(
        f"This key belongs to another gateway host{f' ({where})' if where else ''}, not to {asked.host}.",
        hostnames=body.hostnames,
        next_step=step.within(move, " to make a key for this host"),
        request_id=asked.request_id,
        code=body.code or body.category,
    )


def _not_found(body: ErrorBody, asked: RequestContext) -> errors.NotFoundError:
    if "unsupported endpoint" in body.message.lower():
        return errors.UnsupportedEndpointError(
            _says(f"{asked.host} doesn't serve this route", body),
            next_step=f"check the base URL {asked.base_url}",
            **_common(body, asked),
        )
    return errors.NotFoundError(
        _says(f"{asked.base_url} has no such route", body),
        next_step="check the base URL (TETRATE_BASE_URL); it usually ends in /v1",
        **_common(body, asked),
    )


def _rate_limited(body: ErrorBody, wait: float | None, asked: RequestContext) -> errors.RateLimitError:
    soon = f"wait {'a moment' if wait is None else _time(wait)}"
    return errors.RateLimitError(
        _says("Too many requests, or tokens, in a short time", body),
        retry_after=wait,
        next_step=f"{soon}, then ask again",
        request_id=asked.request_id,
        code=body.code,
    )


def _time(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    if seconds <= _IN_SECONDS:
        return f"{seconds:.0f} s"
    if seconds <= _IN_MINUTES:
        return f"{math.ceil(seconds / 60)} minutes"
    return f"{math.ceil(seconds / 3600)} hours"


def _redirected(reply: ReceivedResponse, asked: RequestContext) -> errors.MalformedResponseError:
    try:
        target = urlsplit(reply.headers.get("location", "")).hostname
    except ValueError:
        target = None
    where = f" to {shown(target)}" if target else ""
    return errors.MalformedResponseError(
        f"{asked.host} redirected the request{where} (status {reply.status}); the key was not sent there.",
        next_step=f"check the base URL {asked.base_url}; if a network login stands between, log in there first",
        request_id=asked.request_id,
        status=reply.status,
    )


def _common(body: ErrorBody, asked: RequestContext) -> dict[str, Any]:
    return {"request_id": asked.request_id, "status": body.status, "code": body.code or body.category}


def _says(what: str, body: ErrorBody) -> str:
    return f"{what}: {body.message}" if body.message else f"{what}."


_MADE: Final[Mapping[Meaning, Callable[[ErrorBody, RequestContext], errors.GatewayError]]] = {
    Meaning.CREDITS: _out_of_credit,
    Meaning.BUDGET: _over_budget,
    Meaning.TOO_LONG: _too_long,
    Meaning.NO_MODEL: _no_model,
    Meaning.MODEL_LATER: _model_later,
    Meaning.HOST: _wrong_host,
    Meaning.CONTENT: _refused_content,
}
