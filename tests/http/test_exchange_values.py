"""What an answer to an authorization code means: the key, a refused code, or another failure with its step."""

from __future__ import annotations

import json

import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.http.attempts import FailedAttempt
from tetrate_jupyter.http.exchange import exchange_error, is_sendable, read_key, trade
from tetrate_jupyter.http.faults import ReceivedResponse, RequestContext
from tetrate_jupyter.secret import Secret

ASKED = RequestContext("https://r.example", "id-1")
FAILED = "The router could not turn the authorization code into a key. "


def gateway(status: int | None, kind: type[errors.GatewayError] = errors.GatewayError) -> errors.GatewayError:
    return kind("as the router says it", next_step="-", status=status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 499])
def test_a_refused_code_says_so(status: int) -> None:
    found = exchange_error(gateway(status), ASKED)
    assert type(found) is errors.CodeRejectedError
    assert found.message == ("The router refused the authorization code: it is wrong, was used before, or has expired.")
    assert found.next_step == "start again with %tetrate_login; a code can be used once, and for a short time"
    assert found.in_panel == "press Sign in; a code can be used once, and for a short time"
    assert found.request_id == "id-1"


@pytest.mark.parametrize("status", [399, 407, 408, 425, 429, 500, 503])
def test_other_statuses_say_nothing_about_the_code(status: int) -> None:
    found = exchange_error(gateway(status), ASKED)
    assert type(found) is errors.ExchangeError
    assert found.message == f"{FAILED}It answered with status {status}."
    assert found.next_step == "start again with %tetrate_login"
    assert found.request_id == "id-1"


def test_what_is_no_key_and_what_has_no_status() -> None:
    assert exchange_error(gateway(200), ASKED).message == f"{FAILED}It answered something other than a key."
    lost = errors.UnreachableError("r.example doesn't answer.", next_step="-")
    assert exchange_error(lost, ASKED).message == f"{FAILED}r.example doesn't answer."


def test_a_web_page_is_about_the_address() -> None:
    missing = exchange_error(gateway(404, errors.NotFoundError), ASKED, web_page=True)
    assert type(missing) is errors.ExchangeError
    assert missing.message == "There is no sign-in at https://r.example (404)."
    assert missing.next_step == "check TETRATE_AUTH_URL, then start again with %tetrate_login"
    assert missing.request_id == "id-1"
    proxy = exchange_error(gateway(403), ASKED, web_page=True)
    assert (type(proxy), proxy.message) == (errors.ExchangeError, f"{FAILED}It answered with status 403.")


def test_a_key_is_read_and_bound_to_its_host() -> None:
    key = read_key(b'{"key": "sk-read-0123456789", "more": 1}', ASKED, host="r.example")
    assert (key.reveal(), key.host) == ("sk-read-0123456789", "r.example")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"key": ""}', b'{"key": "a b"}', b"[" * 100_000])
def test_an_answer_without_a_usable_key_says_so(body: bytes) -> None:
    with pytest.raises(errors.ExchangeError) as caught:
        read_key(body, ASKED, host="r.example")
    assert caught.value.message == "The router's answer to the authorization code holds no usable key."
    assert caught.value.next_step == "start again with %tetrate_login"
    assert caught.value.request_id == "id-1"


def test_what_a_header_can_hold() -> None:
    assert is_sendable("!")
    assert is_sendable("~")
    assert is_sendable("x" * 4096)
    assert not is_sendable("x" * 4097)
    for text in ("", " ", "\x7f", "a b", "ü", "a\n"):
        assert not is_sendable(text)


# --- from the code to the key ------------------------------------------------------------------------------------

CODE, VERIFIER = Secret("code-0123456789abcdef", host=""), Secret("verifier-0123456789abcdef", host="")


async def traded(outcome: object) -> object:
    """Trade the code where the router answers with `outcome`; an error is raised as it is while posting."""
    posted: list[bytes] = []

    async def post(content: bytes) -> ReceivedResponse | FailedAttempt:
        posted.append(content)
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, (ReceivedResponse, FailedAttempt))
        return outcome

    found = await trade(CODE, VERIFIER, post, ASKED, host="r.example")
    assert [json.loads(each) for each in posted] == [
        {"code": "code-0123456789abcdef", "code_verifier": "verifier-0123456789abcdef"}
    ]
    return found


@pytest.mark.anyio
async def test_a_key_or_the_error_is_returned() -> None:
    key = await traded(ReceivedResponse(200, {}, b'{"key": "sk-traded-0123456789"}'))
    assert isinstance(key, Secret)
    assert (key.reveal(), key.host) == ("sk-traded-0123456789", "r.example")
    nothing = await traded(ReceivedResponse(200, {}, b"{}"))
    assert isinstance(nothing, errors.ExchangeError)
    assert "holds no usable key" in nothing.message


@pytest.mark.anyio
async def test_a_failure_is_an_error_of_the_sign_in() -> None:
    lost = await traded(errors.UnreachableError("r.example doesn't answer.", next_step="-"))
    assert isinstance(lost, errors.ExchangeError)
    assert lost.message.endswith("r.example doesn't answer.")
    refused = await traded(FailedAttempt(gateway(403), 403, {"content-type": "application/json"}))
    assert isinstance(refused, errors.CodeRejectedError)
    bare = await traded(FailedAttempt(gateway(403), 403, {}))
    assert isinstance(bare, errors.CodeRejectedError)
    page = await traded(FailedAttempt(gateway(403), 403, {"content-type": "text/html; charset=utf-8"}))
    assert type(page) is errors.ExchangeError


@pytest.mark.anyio
async def test_a_code_that_cannot_be_sent_is_posted_nowhere() -> None:
    async def post(_: bytes) -> ReceivedResponse:
        raise AssertionError

    found = await trade(Secret("\ud800", host="", searched=False), VERIFIER, post, ASKED, host="r.example")
    assert isinstance(found, errors.ExchangeError)
    assert "can't be sent as JSON" in found.message
