from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter
from tetrate_jupyter.sandbox.models import _enriched, _read

if TYPE_CHECKING:
    from .conftest import Api


def test_it_is_on_loopback_and_says_how_to_reach_it(router: SandboxRouter) -> None:
    assert router.base_url == f"http://{router.host}/v1"
    assert router.environment == {"TETRATE_BASE_URL": router.base_url, "TETRATE_AUTH_URL": router.auth_url}
    assert httpx.get(router.auth_url + "/", trust_env=False).content == b""


def test_a_port_in_use_is_an_os_error(router: SandboxRouter) -> None:
    with pytest.raises(OSError, match=r".+"):
        SandboxRouter(port=int(router.host.rpartition(":")[2])).start()


def test_it_can_be_stopped_twice_and_started_again() -> None:
    router = SandboxRouter(speed=INSTANT)
    router.stop()
    for _ in range(2):
        with router:
            assert httpx.get(router.auth_url + "/", trust_env=False).status_code == 200
        router.stop()


def test_the_list_needs_a_key(router: SandboxRouter, api: Api) -> None:
    url = router.base_url + "/models"
    assert httpx.get(url, trust_env=False).status_code == 401
    assert httpx.get(url, headers={"Authorization": api.key}, trust_env=False).status_code == 401
    assert httpx.get(url, headers={"Authorization": "Bearer sk-wrong"}, trust_env=False).status_code == 401
    assert api.get("/v1/models").status_code == 200


def test_a_revoked_key_is_worthless(router: SandboxRouter, api: Api) -> None:
    router.revoke_key(api.key)
    assert api.code() == (401, "invalid_api_key")


def test_a_key_of_another_host_is_told_its_own(router: SandboxRouter, api: Api) -> None:
    api.key = router.issue_key("gateway.example")
    response = api.get("/v1/models")
    assert response.status_code == 403
    assert response.json()["category"] == "hostname_not_selected"
    assert response.json()["your_hostnames"] == ["gateway.example"]


def test_the_list_is_enriched_and_has_a_duplicate_and_a_disabled_model(api: Api) -> None:
    entries = api.get("/v1/models").json()["data"]
    counts = Counter(entry["id"] for entry in entries)
    assert max(counts.values()) == 2
    assert "claude-opus-4-1" in counts
    haiku = next(entry for entry in entries if entry["id"] == "claude-haiku-4-5")
    assert Decimal(haiku["input_price"]) == Decimal("0.000001")
    assert haiku["context_window"] == 200_000
    assert api.code(model="claude-opus-4-1") == (404, "model_not_found")


def test_entries_made_from_catalog_records_agree_with_the_sample_list() -> None:
    records = {r["model"]: r for r in _read("public_models.json")["models"]}
    for entry in _read("v1_models_enriched.json")["data"]:
        made = _enriched(records[entry["id"]])
        assert {k: made.get(k) for k in made.keys() & entry.keys()} == {k: entry[k] for k in made.keys() & entry.keys()}


def test_plain_models_are_ids_only(router: SandboxRouter, api: Api) -> None:
    router.inject(Fault("plain-models"))
    assert set(api.get("/v1/models").json()["data"][0]) == {"id", "object", "created", "owned_by"}


def test_the_catalog_needs_no_key_and_comes_in_pages(router: SandboxRouter) -> None:
    def page(query: str) -> dict[str, object]:
        found: dict[str, object] = httpx.get(f"{router.auth_url}/api/public/models?{query}", trust_env=False).json()
        return found

    whole = page("limit=500")
    assert whole["totalPages"] == 1
    parts = [page(f"limit=20&page={n}") for n in (1, 2, 3)]
    assert parts[0]["totalPages"] == 3
    assert [m for p in parts for m in p["models"]] == whole["models"]  # type: ignore[attr-defined] - JSON


def test_the_second_page_of_the_catalog_can_fail(router: SandboxRouter) -> None:
    router.inject(Fault("catalog-page-fails"))
    url = router.auth_url + "/api/public/models?limit=500"
    assert httpx.get(url, trust_env=False).json()["totalPages"] == 2
    assert httpx.get(url + "&page=2", trust_env=False).status_code == 500
    assert httpx.get(url, trust_env=False).json()["totalPages"] == 1


def test_own_models_take_the_place_of_the_sample_ones() -> None:
    mine = {"model": "acme/one", "provider": "acme", "mode": "chat", "inputTokensPricePer1M": "2.5"}
    with SandboxRouter(speed=INSTANT, models=[mine]) as router:
        headers = {"Authorization": f"Bearer {router.issue_key()}"}
        entries = httpx.get(router.base_url + "/models", headers=headers, trust_env=False).json()["data"]
    assert {entry["id"] for entry in entries} == {"acme/one"}
    assert entries[0]["input_price"] == "0.0000025"


def test_status_knows_only_what_it_has_seen(router: SandboxRouter, api: Api) -> None:
    api.chat()
    router.inject(Fault("overloaded", model="gpt-5"))
    api.chat(model="gpt-5")
    providers = {p["name"]: p for p in api.get("/v1/status").json()["providers"]}
    assert providers["anthropic"] | {"reachable": True, "observed_requests": 1, "failures": 0} == providers["anthropic"]
    assert providers["openai"]["last_failure_code"] == 529
    assert providers["openai"]["reachable"] is False
    assert providers["groq"]["reachable"] is None


def test_what_is_not_served_says_so(router: SandboxRouter, api: Api) -> None:
    for path in ("/v1/messages", "/v1/completions", "/v1/responses", "/v1/nothing"):
        reply = api.client.post(router.auth_url + path, json={}, headers=api.headers)
        assert (reply.status_code, reply.json()["error"]["message"]) == (404, "Unsupported endpoint")
    elsewhere = api.get("/chat/completions")
    assert elsewhere.status_code == 404
    assert elsewhere.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("page", ["billing", "api-keys"])
def test_the_pages_that_clients_link_to_say_what_they_would_be(router: SandboxRouter, page: str) -> None:
    key = router.issue_key()
    found = httpx.get(f"{router.auth_url}/{page}", trust_env=False, headers={"Authorization": f"Bearer {key}"})
    assert found.status_code == 200
    assert found.headers["content-type"].startswith("text/html")
    assert found.headers["content-security-policy"].startswith("default-src 'none'")
    for words in ("This is the sandbox.", "At the real service", "Here nothing"):
        assert words in found.text
    assert "<script" not in found.text
    assert key not in found.text
    assert "$" not in found.text
    assert httpx.head(f"{router.auth_url}/{page}", trust_env=False).content == b""
    assert httpx.get(f"{router.auth_url}/{page}/more", trust_env=False).status_code == 404


def test_the_request_id_is_echoed_and_logged(router: SandboxRouter, api: Api) -> None:
    headers = {**api.headers, "X-Request-ID": "id-7"}
    response = api.client.get(router.base_url + "/models", headers=headers)
    assert response.headers["x-client-request-id"] == "id-7"
    router.wait_for(lambda r: r.request_id == "id-7" and r.status == 200 and r.finished_at is not None)


def test_waiting_in_vain_tells_what_came_instead(router: SandboxRouter, api: Api) -> None:
    api.get("/v1/models")
    with pytest.raises(TimeoutError, match="GET /v1/models"):
        router.wait_for(lambda r: r.path == "/never", timeout=0.01)


def test_a_body_beyond_the_limit_is_refused_in_words() -> None:
    with SandboxRouter(speed=INSTANT, max_request_bytes=1000) as router:
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 1000}]})
        reply = httpx.post(router.base_url + "/chat/completions", content=body, trust_env=False)
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "request_too_large")
