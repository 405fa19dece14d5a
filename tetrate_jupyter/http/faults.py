"""From what the router answered to the error that says so in our words; pure.

Bodies may be `{"error": {...}}` or flat, and an error may come with status 200 or inside a stream. The router's own
message is shown cleaned: no key, no control characters, bounded length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

from tetrate_jupyter import config, errors, secrecy
from tetrate_jupyter.characters import one_line
from tetrate_jupyter.http import retry

if TYPE_CHECKING:
    from collections.abc import Mapping

Body: TypeAlias = "bytes | bytearray"
MAX_SHOWN: Final = 400  # characters of the router's message; enough for a sentence, too few for a web page
_PLAIN_NUMBER: Final = 10**18  # what a code or message that is a number is below
_MOST_HOSTS: Final = 5  # of a key that is bound to others; a person has one or two
_KEY_LIKE = re.compile(r"(?i)\b(sk-|bearer\s+)[\w.~+/=-]{6,}")
_HOST = re.compile(r"(?!sk-)[A-Za-z0-9.-]{1,253}(:\d{1,5})?\Z")
_TOO_LONG = re.compile(
    r"(?i)context[ _](length|window|limit)|maximum context|too many (input )?tokens|prompt is too long|"
    r"(input|prompt|request) (is )?(too large|too long)|exceeds? the (model'?s )?(maximum|limit) (number )?of.*tokens"
)
_NO_MODEL = frozenset({"model_not_found", "model_not_routed"})
_MODEL_LATER = frozenset({"model_not_ready", "model_not_available"})
# Statuses whose meaning stands even where a web server, not the API, gave them.
_PAGES_OF_THE_ROUTER: Final = frozenset({404, 407, 408, 413, 429})
# Codes by which providers name a fault where no status comes with it (inside a stream).
_STATUS_OF_WORD: Final = {
    "bad_request": 400,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "credits_exhausted": 402,
    "insufficient_credits": 402,
    "insufficient_quota": 402,
    "permission_error": 403,
    "model_not_found": 404,
    "model_not_routed": 404,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_error": 500,
    "model_not_ready": 503,
    "model_not_available": 503,
    "overloaded_error": 529,
}


@dataclass(frozen=True)
class Asked:
    """What was asked, for the words of an error. `model` is None where the route isn't about one."""

    base_url: str
    request_id: str | None
    model: str | None = None
    keys_page: str = ""
    billing_page: str = ""

    @property
    def host(self) -> str:
        """The host that was asked."""
        return urlsplit(self.base_url).netloc


@dataclass(frozen=True)
class Reply:
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


@dataclass(frozen=True)
class Fault:
    """An error body, read at both of the levels where its members may be."""

    status: int | None
    message: str = ""
    code: str | None = None
    kind: str | None = None
    category: str | None = None
    hostnames: tuple[str, ...] = ()
    hint: float | None = None

    @property
    def words(self) -> frozenset[str]:
        """Every name this fault goes by."""
        return frozenset(w.lower() for w in (self.code, self.kind, self.category) if w)


def read_fault(status: int | None, body: Body) -> Fault:
    """Read an error body; one that isn't JSON, or is longer than any message, gives a fault without words."""
    if len(body) <= config.MAX_ERROR_BYTES:  # objects of any shape: they take many times the bytes
        try:
            return fault_of(status, msgspec.json.decode(body))
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            pass
    return Fault(status if status is not None and status >= 300 else None)


def fault_of(status: int | None, content: object) -> Fault:
    """Read decoded JSON: a whole body, or the `error` member of a chunk."""
    outer: dict[str, Any] = content if isinstance(content, dict) else {"message": content}
    inner = outer.get("error")
    nested: dict[str, Any] = inner if isinstance(inner, dict) else {"message": inner}
    levels = (nested, outer)
    code = _text(_first(levels, "code"))
    kind = _text(_first(levels, "type"))
    category = _text(_first(levels, "category"))
    if status is None or status < 300:
        status = _status_from(code, kind)
    hostnames = _first(levels, "your_hostnames")
    metadata = _first(levels, "metadata")
    hint = metadata.get("retry_after_seconds") if isinstance(metadata, dict) else None
    return Fault(
        status,
        message=shown(_text(_first(levels, "message") or _first(levels, "detail")) or ""),
        code=shown(code) if code else None,
        kind=kind,
        category=shown(category) if category else None,
        hostnames=tuple(h for h in hostnames if isinstance(h, str) and _HOST.match(h) and not secrecy.holds(h))[
            :_MOST_HOSTS
        ]
        if isinstance(hostnames, list)
        else (),
        hint=retry.seconds_to_wait(hint),
    )


def shown(text: str) -> str:
    """Clean what a server said: no control characters, nothing that looks like a key, bounded; "" where it held one."""
    if secrecy.holds(text):
        return ""
    clean = _KEY_LIKE.sub(lambda found: found[1] + "…", one_line(text, 4 * MAX_SHOWN))
    return clean if len(clean) <= MAX_SHOWN else clean[:MAX_SHOWN] + "…"


def error_for(reply: Reply, asked: Asked) -> errors.GatewayError:
    """Give the error for an answer that isn't a success (or is one only by its status)."""
    fault = read_fault(reply.status, reply.body)
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
            next_step=f"ask whoever set the budget, or use another key ({asked.keys_page})",
            **_common(fault, asked),
        )
    return _by_meaning(fault, reply.headers, asked)


def error_in_stream(content: object, asked: Asked) -> errors.GatewayError:
    """Give the error for the `error` member of a chunk."""
    fault = fault_of(None, content)
    if fault.status is None:
        return errors.StreamError(
            _says("The answer broke off with an error", fault), next_step="ask again", **_common(fault, asked)
        )
    return _by_meaning(fault, {}, asked)


def unreadable(reply: Reply, asked: Asked) -> errors.MalformedResponseError:
    """Give the error for an answer that isn't what the API promises, whatever its status says."""
    if reply.is_web_page:
        message = f"{asked.host} answered with a web page instead of the API (status {reply.status})."
        step = f"check the base URL {asked.base_url}; if a proxy or network login stands between, log in there first"
    else:
        kind = shown(reply.content_type) or "no content type"
        message = f"{asked.host} answered with something that isn't the API's JSON (status {reply.status}, {kind})."
        step = f"check the base URL {asked.base_url}, then ask again"
    return errors.MalformedResponseError(message, next_step=step, request_id=asked.request_id, status=reply.status)


def badly_encoded(how: str, asked: Asked) -> errors.MalformedResponseError:
    """Return the error for a body that can't be unpacked; `how` goes on after "the answer of ... is"."""
    return errors.MalformedResponseError(
        f"The answer of {asked.host} is {how}; it was not read.",
        next_step=f"check the base URL {asked.base_url}; a proxy between must leave answers as they are",
        request_id=asked.request_id,
    )


def _by_meaning(fault: Fault, headers: Mapping[str, str], asked: Asked) -> errors.GatewayError:
    """Let the code speak before the status: several meanings share one."""
    words = fault.words
    if words & _NO_MODEL or words & _MODEL_LATER:
        return _model_unavailable(fault, asked, later=bool(words & _MODEL_LATER))
    if fault.status == 413 or (fault.status in {400, 422} and _is_too_long(fault)):
        return errors.ContextTooLongError(
            _says(f"The request is too long for {asked.model or 'the router'}", fault),
            next_step="start afresh with %tetrate_reset, shorten the prompt, or choose a model with a larger window",
            **_common(fault, asked),
        )
    if fault.status == 403 and "hostname_not_selected" in words:
        return _wrong_host(fault, asked)
    if fault.status == 404:
        return _not_found(fault, asked)
    if fault.status == 429:
        wait = retry.retry_after(headers)
        wait = fault.hint if wait is None else wait
        return _rate_limited(fault, wait, asked)
    return _by_status(fault, asked)


def _by_status(fault: Fault, asked: Asked) -> errors.GatewayError:
    status = fault.status or 0
    if status >= 500 or status in {408, 425}:
        name = asked.model or asked.host
        return errors.ProviderError(
            _says(f"The router, or the provider behind {name}, is in trouble (status {status})", fault),
            next_step="ask again in a moment, or choose another model; %tetrate_status shows the providers",
            **_common(fault, asked),
        )
    kind, what, step = _CLIENT_FAULTS.get(status, _REJECTED)
    message = _says(what.format(asked=asked, status=status), fault)
    return kind(message, next_step=step.format(asked=asked), **_common(fault, asked))


_REJECTED: Final[tuple[type[errors.GatewayError], str, str]] = (
    errors.RequestRejectedError,
    "The router can't use this request (status {status})",
    "check the model's id with %tetrate_models, and the options of the call",
)
_CLIENT_FAULTS: Final[Mapping[int, tuple[type[errors.GatewayError], str, str]]] = {
    401: (
        errors.InvalidKeyError,
        "{asked.host} doesn't accept this key: it is wrong or was revoked",
        "sign in again with %tetrate_login",
    ),
    402: (
        errors.CreditsExhaustedError,
        "The account has no credit left",
        "add credit at {asked.billing_page}, then ask again",
    ),
    403: (
        errors.ForbiddenError,
        "This key isn't allowed to do that",
        "see what the key may do at {asked.keys_page}, or sign in again with %tetrate_login",
    ),
    407: (
        errors.UnreachableError,
        "The proxy between here and {asked.host} asks for a login",
        "set HTTPS_PROXY with the proxy's user and password, restart the kernel, then ask again",
    ),
}


def _model_unavailable(fault: Fault, asked: Asked, *, later: bool) -> errors.ModelUnavailableError:
    name = asked.model or "The model"
    if later:
        what, step = f"{name} is not ready yet", "ask again in a minute, or choose another model"
    else:
        what = f"{name} is not available to this key"
        step = "see the models this key reaches with %tetrate_models"
    return errors.ModelUnavailableError(_says(what, fault), next_step=step, **_common(fault, asked))


def _wrong_host(fault: Fault, asked: Asked) -> errors.WrongHostError:
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


def _not_found(fault: Fault, asked: Asked) -> errors.NotFoundError:
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


def _rate_limited(fault: Fault, wait: float | None, asked: Asked) -> errors.RateLimitError:
    soon = "wait a moment" if wait is None else f"wait {wait:.0f} s" if wait >= 1 else "wait a second"
    return errors.RateLimitError(
        _says("Too many requests, or tokens, in a short time", fault),
        retry_after=wait,
        next_step=f"{soon}, then ask again",
        request_id=asked.request_id,
        code=fault.code,
    )


def _redirected(reply: Reply, asked: Asked) -> errors.MalformedResponseError:
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


def _common(fault: Fault, asked: Asked) -> dict[str, Any]:
    return {"request_id": asked.request_id, "status": fault.status, "code": fault.code or fault.category}


def _says(what: str, fault: Fault) -> str:
    return f"{what}: {fault.message}" if fault.message else f"{what}."


def _is_too_long(fault: Fault) -> bool:
    return "context_length_exceeded" in fault.words or bool(_TOO_LONG.search(fault.message))


def _status_from(code: str | None, kind: str | None) -> int | None:
    if code and code.isascii() and code.isdigit() and len(code) == 3 and int(code) >= 400:
        return int(code)
    return _STATUS_OF_WORD.get((code or "").lower()) or _STATUS_OF_WORD.get((kind or "").lower())


def _first(levels: tuple[dict[str, Any], ...], name: str) -> Any:  # noqa: ANN401 - foreign JSON holds anything
    return next((level[name] for level in levels if level.get(name) is not None), None)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return str(value) if abs(value) < _PLAIN_NUMBER else None  # Python refuses to write out thousands of digits
