"""The protocol by itself: verifier, challenge, the consent page's address, and reading the way back."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tetrate_jupyter.auth import pkce
from tetrate_jupyter.errors import LoginDeniedError, RedirectError

STATE = "the-state-of-this-attempt"
CODE = "aB3._~-+/="  # every kind of character a code was ever seen with
BACK = "http://localhost:5000/"


# --- going there ---------------------------------------------------------------------------------------------


def test_the_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert pkce.challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_verifier_has_the_longest_lawful_length_and_only_lawful_characters() -> None:
    for _ in range(50):
        assert re.fullmatch(r"[A-Za-z0-9_-]{128}", pkce.new_verifier())


def test_no_verifier_and_no_state_comes_twice() -> None:
    assert len({pkce.new_verifier() for _ in range(50)}) == 50
    assert len({pkce.new_state() for _ in range(50)}) == 50


def test_a_challenge_is_43_characters_without_padding() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", pkce.challenge_of(pkce.new_verifier()))


def test_the_callback_is_localhost_at_the_root_path_with_the_state_in_its_query() -> None:
    assert pkce.callback_address(5000, "a b&c") == "http://localhost:5000/?state=a+b%26c"


def test_the_address_names_callback_challenge_method_and_client_and_nothing_else() -> None:
    callback = pkce.callback_address(5000, STATE)
    address = urlsplit(pkce.authorization_url("https://router.example", callback, "the-challenge"))
    assert (address.scheme, address.netloc, address.path) == ("https", "router.example", "/auth")
    assert parse_qs(address.query, strict_parsing=True) == {
        "callback": [callback],
        "code_challenge": ["the-challenge"],
        "code_challenge_method": ["S256"],
        "client": ["tetrate-jupyter"],
    }


# --- coming back ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pasted",
    [
        f"{BACK}?state={STATE}&code={quote(CODE, safe='')}",
        f"{BACK}?code={quote(CODE, safe='')}&state={STATE}",
        f"{BACK}?state={STATE}?code={quote(CODE, safe='')}",
        f"{BACK}?code={quote(CODE, safe='')}",
        f"{BACK}?code={quote(CODE, safe='')}#_=_",
        f"localhost:5000/?code={quote(CODE, safe='')}",
        f"?code={quote(CODE, safe='')}",
        f"?state={STATE}&code={quote(CODE, safe='')}",
        f"code={quote(CODE, safe='')}",
        f"&code={quote(CODE, safe='')}",
        CODE,
        f"  {CODE}\n",
        f'"{BACK}?code={quote(CODE, safe="")}"',
        f"<{BACK}?code={quote(CODE, safe='')}>",
    ],
)
def test_the_code_is_found_in_whatever_was_pasted(pasted: str) -> None:
    assert pkce.code_of_paste(pasted, STATE) == CODE


@pytest.mark.parametrize("query", [f"state={STATE}&code=abc", f"state={STATE}?code=abc", "code=abc", "x=1&code=abc"])
def test_the_code_is_found_in_the_query_that_the_browser_brings(query: str) -> None:
    assert pkce.code_of_query(query, STATE) == "abc"


@pytest.mark.parametrize("answer", ["code=abc", "error=access_denied"])
@pytest.mark.parametrize("state", ["another", STATE + "x", "%ED%B2%80", "\udc80", "ü"])
def test_the_way_back_of_another_attempt_is_refused(state: str, answer: str) -> None:
    with pytest.raises(RedirectError, match="another sign-in") as caught:
        pkce.code_of_paste(f"{BACK}?state={state}&{answer}", STATE)
    assert "newest link" in caught.value.next_step


@pytest.mark.parametrize(
    "pasted", ["sk-abc", " sk-abc ", '"sk-abc"', "TETRATE_API_KEY=sk-abc", "export KEY='sk-abc'", "Bearer sk-abc"]
)
def test_what_looks_like_a_key_is_never_taken_for_a_code(pasted: str) -> None:
    with pytest.raises(RedirectError, match="is a key") as caught:
        pkce.code_of_paste(pasted, STATE)
    assert "sk-abc" not in str(caught.value)
    assert caught.value.next_step


def test_a_code_may_hold_the_letters_of_a_key() -> None:
    assert pkce.code_of_paste("task-1", STATE) == "task-1"


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "  \n",
        "two words",
        "ein-schöner-code",
        "\udc80\udcff",
        "<script>alert(1)</script>",
        "x" * 2049,
        "a\x00b",
        "?",
        "?code=",
        "?code=two+words",
        "?code=%00",
        f"{BACK}?state={STATE}",
        BACK,
        "https://router.example/auth?callback=http%3A%2F%2Flocalhost%3A1%2F%3Fcode%3Dabc&code_challenge=abc",
        "http://[::1",
    ],
)
def test_garbage_holds_no_code(pasted: str) -> None:
    with pytest.raises(RedirectError, match="no code in that") as caught:
        pkce.code_of_paste(pasted, STATE)
    assert "paste the" in caught.value.next_step


@pytest.mark.parametrize("pasted", [f"{BACK}?state={STATE}&error=access_denied", "?error=access_denied"])
def test_a_refusal_is_told_in_the_routers_own_word(pasted: str) -> None:
    with pytest.raises(LoginDeniedError, match="access_denied"):
        pkce.code_of_paste(pasted, STATE)


def test_a_refusal_wins_over_a_code_beside_it() -> None:
    with pytest.raises(LoginDeniedError):
        pkce.code_of_query("code=abc&error=access_denied", STATE)


def test_a_refusal_can_bring_no_markup_and_no_controls_to_the_screen() -> None:
    with pytest.raises(LoginDeniedError) as caught:
        pkce.code_of_query("error=" + quote("<b>\x1b[31m\u202e" + "x" * 500), STATE)
    assert not set("<>\x1b[\u202e") & set(caught.value.message)
    assert len(caught.value.message) < 150
