"""What an answer to an authorization code means: the key, a refused code, or another failure with its step."""

from __future__ import annotations

import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.http.exchange import exchange_error, is_sendable, read_key
from tetrate_jupyter.http.faults import RequestContext

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
