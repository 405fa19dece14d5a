"""Exchanging an authorization code for a key: what is posted, and what the response means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter.errors import (
    CodeRejectedError,
    ExchangeError,
    GatewayError,
    LoginError,
    NextStep,
    NotFoundError,
    TetrateError,
)
from tetrate_jupyter.http import wire
from tetrate_jupyter.http.attempts import FailedAttempt
from tetrate_jupyter.http.bodies import encoded
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tetrate_jupyter.http.faults import Body, ReceivedResponse, RequestContext

_NOT_ABOUT_THE_CODE: Final = frozenset({407, 408, 425, 429})
_AGAIN: Final = NextStep("start again with %tetrate_login", in_panel="press Sign in")
_MAX_KEY_CHARACTERS: Final = 4096


async def trade(
    code: Secret,
    verifier: Secret,
    post: Callable[[bytes], Awaitable[ReceivedResponse | FailedAttempt]],
    asked: RequestContext,
    *,
    host: str,
) -> Secret | TetrateError:
    """Post a code and its verifier; return the key, bound to `host`, or the error, for the caller to raise bare."""
    content = encoded({"code": code.reveal(), "code_verifier": verifier.reveal()})
    if isinstance(content, TetrateError):
        return exchange_error(content, asked)
    try:
        outcome = await post(content)
        if not isinstance(outcome, FailedAttempt):
            return read_key(outcome.body, asked, host=host)
    except LoginError as error:
        return error
    except TetrateError as error:
        outcome = FailedAttempt.of_error(error)
    web_page = "html" in outcome.headers.get("content-type", "")
    return exchange_error(outcome.error, asked, web_page=web_page)


def exchange_error(error: TetrateError, asked: RequestContext, *, web_page: bool = False) -> LoginError:
    """Return the sign-in error for a failed exchange: a 4xx means a refused code, unless it came with a `web_page`."""
    status = error.status if isinstance(error, GatewayError) else None
    about_the_code = status is not None and 400 <= status < 500 and status not in _NOT_ABOUT_THE_CODE
    if about_the_code and not web_page:
        return CodeRejectedError(
            "The router refused the authorization code: it is wrong, was used before, or has expired.",
            next_step=_AGAIN.within(after="; a code can be used once, and for a short time"),
            request_id=asked.request_id,
        )
    if web_page and isinstance(error, NotFoundError):
        return ExchangeError(
            f"There is no sign-in at {asked.base_url} (404).",
            next_step=_or_make_one(asked).within("check TETRATE_AUTH_URL, then "),
            request_id=asked.request_id,
        )
    # The router's own message is not quoted: it may repeat the code or the verifier, which the gate doesn't know.
    answered = "something other than a key" if status == 200 else f"with status {status}"
    return ExchangeError(
        "The router could not turn the authorization code into a key. "
        + (error.message if status is None else f"It answered {answered}."),
        next_step=_or_make_one(asked),
        request_id=asked.request_id,
    )


def read_key(body: Body, asked: RequestContext, *, host: str) -> Secret:
    """Read the key from the response. Raises `ExchangeError` where there is none that a header could hold."""
    try:
        key = wire.decode_exchange(body).key
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        key = ""
    if is_sendable(key):
        return Secret(key, host=host)
    raise ExchangeError(
        "The router's answer to the authorization code holds no usable key.",
        next_step=_or_make_one(asked),
        request_id=asked.request_id,
    )


def _or_make_one(asked: RequestContext) -> NextStep:
    if not asked.keys_page:
        return _AGAIN
    return _AGAIN.within(after=f", or make a key at {asked.keys_page} and paste it there")


def is_sendable(key: str) -> bool:
    """Whether a header can hold this key: 1 to 4096 characters of visible ASCII without spaces."""
    return 0 < len(key) <= _MAX_KEY_CHARACTERS and all("!" <= c <= "~" for c in key)
