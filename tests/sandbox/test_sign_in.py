from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter
from tetrate_jupyter.sandbox.accounts import s256

if TYPE_CHECKING:
    from .conftest import Api

VERIFIER = "v" * 128
CALLBACK = "http://localhost:5000/?nonce=abc"


def address(router: SandboxRouter, **changes: str | None) -> str:
    query = {"callback": CALLBACK, "code_challenge": s256(VERIFIER), "client": "a test", **changes}
    return f"{router.auth_url}/auth?{urlencode({k: v for k, v in query.items() if v is not None})}"


def code_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]


def exchange(router: SandboxRouter, **body: object) -> httpx.Response:
    return httpx.post(router.auth_url + "/api/api-keys/verify", json=body, trust_env=False)


def test_the_challenge_is_that_of_rfc_7636() -> None:
    assert s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_approving_leads_back_with_a_code_that_gives_a_working_key(router: SandboxRouter, api: Api) -> None:
    location = router.decide(address(router))
    assert location.startswith(CALLBACK + "&code=")
    reply = exchange(router, code=code_of(location), code_verifier=VERIFIER)
    api.key = reply.json()["key"]
    assert api.key.startswith("sk-sandbox-")
    assert api.get("/v1/models").status_code == 200


def test_denying_leads_back_with_access_denied(router: SandboxRouter) -> None:
    assert router.decide(address(router), "deny") == CALLBACK + "&error=access_denied"


@pytest.mark.parametrize(
    "callback", ["http://localhost:5000", "http://127.0.0.1:5000/back", "goose://auth/tetrate?state=1"]
)
def test_loopback_and_application_callbacks_are_led_back_to(router: SandboxRouter, callback: str) -> None:
    assert router.decide(address(router, callback=callback)).startswith(callback)


@pytest.mark.parametrize(
    "changes",
    [
        {"callback": None},
        {"callback": "javascript:alert(1)"},
        {"callback": "https://evil.example/"},
        {"callback": "http://evil.example/"},
        {"callback": "http://localhost:99999999/"},
        {"code_challenge": None},
        {"code_challenge": "short"},
        {"code_challenge_method": "plain"},
    ],
)
def test_an_unusable_address_is_refused_with_a_page(router: SandboxRouter, changes: dict[str, str | None]) -> None:
    response = httpx.get(address(router, **changes), trust_env=False)
    assert response.status_code == 400
    assert "can't go on" in response.text
    with pytest.raises(ValueError, match="400"):
        router.decide(address(router, **changes))


def test_what_the_client_calls_itself_is_shown_as_text_and_never_as_markup(router: SandboxRouter) -> None:
    page = httpx.get(address(router, client="<script>alert(1)</script>"), trust_env=False)
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert page.headers["Cache-Control"] == "no-store"


def test_a_consent_page_can_be_decided_once(router: SandboxRouter) -> None:
    page = httpx.get(address(router), trust_env=False).text
    flow = page.partition('name="flow" value="')[2].partition('"')[0]
    form = {"flow": flow, "decision": "approve"}
    decide = router.auth_url + "/auth/decision"
    assert httpx.post(decide, data=form, trust_env=False).status_code == 302
    assert httpx.post(decide, data=form, trust_env=False).status_code == 400


def test_a_code_works_once_only(router: SandboxRouter) -> None:
    code = code_of(router.decide(address(router)))
    assert exchange(router, code=code, code_verifier=VERIFIER).status_code == 200
    assert exchange(router, code=code, code_verifier=VERIFIER).status_code == 400


def test_a_wrong_verifier_is_refused_and_spends_the_code(router: SandboxRouter) -> None:
    code = code_of(router.decide(address(router)))
    assert exchange(router, code=code, code_verifier="w" * 128).status_code == 400
    assert exchange(router, code=code, code_verifier=VERIFIER).status_code == 400


def test_a_code_expires() -> None:
    with SandboxRouter(speed=INSTANT, code_lifetime=0) as router:
        code = code_of(router.decide(address(router)))
        assert exchange(router, code=code, code_verifier=VERIFIER).status_code == 400


@pytest.mark.parametrize(
    "body", [{}, {"code": "x"}, {"code": "x", "code_verifier": VERIFIER, "more": 1}, {"code": 1, "code_verifier": 2}]
)
def test_an_exchange_needs_exactly_its_two_fields(router: SandboxRouter, body: dict[str, object]) -> None:
    assert exchange(router, **body).status_code == 400


def test_the_log_holds_neither_code_nor_verifier_nor_key(router: SandboxRouter, api: Api) -> None:
    code = code_of(router.decide(address(router)))
    api.key = exchange(router, code=code, code_verifier=VERIFIER).json()["key"]
    api.chat()
    logged = repr(router.requests)
    assert code not in logged
    assert VERIFIER not in logged
    assert api.key not in logged
    assert router.requests[-1].key == "key 2"


def test_a_callback_can_come_back_doubled_or_without_its_query(router: SandboxRouter) -> None:
    router.inject(Fault("callback-doubled-query"))
    assert router.decide(address(router)).startswith(CALLBACK + "?code=")
    router.inject(Fault("callback-drops-query"))
    assert router.decide(address(router)).startswith("http://localhost:5000/?code=")


def test_an_exchange_can_be_made_to_fail(router: SandboxRouter) -> None:
    for fault, status in ((Fault("code-expired"), 400), (Fault("server-error", path="exchange"), 500)):
        router.inject(fault)
        code = code_of(router.decide(address(router)))
        assert exchange(router, code=code, code_verifier=VERIFIER).status_code == status
