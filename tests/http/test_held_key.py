"""The key of one call: for its own router only, sendable, and replaced by nothing that is in the body."""

from __future__ import annotations

import pytest

from tetrate_jupyter.errors import InvalidKeyError, KeyHostError
from tetrate_jupyter.http.faults import RequestContext
from tetrate_jupyter.http.held_key import HeldKey
from tetrate_jupyter.secret import Secret

HOST = "r.example"
ASKED = RequestContext(f"https://{HOST}/v1", "id-1")


def key(text: str = "sk-held-0123456789abcdef", host: str = HOST) -> Secret:
    return Secret(text, host=host)


def test_a_key_of_its_router_is_taken_as_it_is() -> None:
    held = HeldKey(key())
    assert held.checked(HOST, ASKED) is held


def test_a_key_of_another_router_is_refused_with_both_names() -> None:
    with pytest.raises(KeyHostError) as caught:
        HeldKey(key(host="other.example")).checked(HOST, ASKED)
    assert caught.value.message == "This key was made for other.example, not for r.example; it was not sent."
    assert caught.value.next_step == ("sign in to this gateway with %tetrate_login, or set TETRATE_BASE_URL back")
    assert caught.value.in_panel == "sign in to it here, or set TETRATE_BASE_URL back"


def test_a_key_that_no_header_holds_is_refused() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        HeldKey(key("sk held 0123456789")).checked(HOST, ASKED)
    assert caught.value.message == (
        "The key for r.example holds spaces, line breaks or characters that no key has; it was not sent."
    )
    assert caught.value.next_step == "give the right key with %tetrate_login, or copy the key again"


def test_another_key_is_taken_unless_it_is_unfit_or_in_the_body() -> None:
    first, other = key(), key("sk-other-0123456789abcdef")
    held = HeldKey(first)
    assert not held.takes(key(host="other.example"), b"{}")
    assert not held.takes(key("sk other 0123456789"), b"{}")
    assert not held.takes(other, b'{"content": "sk-other-0123456789abcdef"}')
    assert held.key is first
    assert held.takes(other, b"{}")
    assert held.key is other


def test_the_key_before_is_still_looked_for_until_the_call_is_over() -> None:
    held = HeldKey(key("sk-before-0123456789abcdef"))
    assert held.takes(key("sk-after-0123456789abcdef"), b"{}")
    assert not held.takes(key("sk-third-0123456789abcdef"), b'"sk-before-0123456789abcdef"')
