"""Addresses: what a person may give, what becomes of it, and what is said when it can't be used."""

from __future__ import annotations

import pytest

from tetrate_jupyter.config import DEFAULT_AUTH_URL, Endpoints, normalise_base_url
from tetrate_jupyter.errors import BaseURLError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://api.router.tetrate.ai/v1", "https://api.router.tetrate.ai/v1"),
        ("https://api.router.tetrate.ai/v1/", "https://api.router.tetrate.ai/v1"),
        ("https://api.router.tetrate.ai", "https://api.router.tetrate.ai/v1"),
        ("api.router.tetrate.ai", "https://api.router.tetrate.ai/v1"),
        (" https://API.Router.Tetrate.AI ", "https://api.router.tetrate.ai/v1"),
        ("https://gateway.example/llm/v2", "https://gateway.example/llm/v2"),
        ("https://gateway.example/llm", "https://gateway.example/llm/v1"),
        ("https://gateway.example:8443", "https://gateway.example:8443/v1"),
        ("127.0.0.1:8900", "http://127.0.0.1:8900/v1"),
        ("localhost:8900/v1", "http://localhost:8900/v1"),
        ("http://[::1]:8900", "http://[::1]:8900/v1"),
    ],
)
def test_base_url_is_normalised(given: str, expected: str) -> None:
    assert normalise_base_url(given) == expected


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "not a usable"),
        ("my gateway", "not a usable"),
        ("ftp://gateway.example", "not a usable"),
        ("https://<gateway>.example", "not a usable"),
        ("https://", "not a usable"),
        ("https://gateway.example:port", "not a usable"),
        ("https://gateway.example/v1?key=1", "? or #"),
        ("https://user:pass@gateway.example", "user name or password"),
        ("http://gateway.example", "plain http"),
    ],
)
def test_unusable_base_url_is_explained(given: str, says: str) -> None:
    with pytest.raises(BaseURLError) as caught:
        normalise_base_url(given)
    assert says in caught.value.message
    assert caught.value.next_step
    assert "pass" not in str(caught.value) or "user:pass" not in str(caught.value)


@pytest.mark.parametrize("operation", ["chat/completions", "models", "messages"])
def test_operation_address_is_answered_with_the_base_url(operation: str) -> None:
    with pytest.raises(BaseURLError) as caught:
        normalise_base_url(f"https://gateway.example/v1/{operation}")
    assert "'https://gateway.example/v1'" in caught.value.next_step


def test_plain_http_beyond_this_machine_only_when_asked_for() -> None:
    assert normalise_base_url("http://gateway.example", allow_http=True) == "http://gateway.example/v1"


def test_environment_names_the_router() -> None:
    assert Endpoints.from_environment({}).host == "api.router.tetrate.ai"
    named = Endpoints.from_environment({"TETRATE_BASE_URL": "https://gateway.example"})
    assert (named.base_url, named.auth_url) == ("https://gateway.example/v1", DEFAULT_AUTH_URL)


def test_goose_host_without_version_is_understood_and_the_base_url_wins_over_it() -> None:
    assert Endpoints.from_environment({"TETRATE_HOST": "https://g.example"}).base_url == "https://g.example/v1"
    both = {"TETRATE_HOST": "https://g.example", "TETRATE_BASE_URL": "https://b.example"}
    assert Endpoints.from_environment(both).host == "b.example"


def test_a_sandbox_needs_one_line_only() -> None:
    found = Endpoints.from_environment({"TETRATE_BASE_URL": "http://127.0.0.1:8900/v1"})
    assert found.auth_url == "http://127.0.0.1:8900"
    assert found.is_loopback


def test_sign_in_address_may_be_given_with_its_path() -> None:
    found = Endpoints.of("https://g.example", "https://login.example/auth")
    assert found.auth_url == "https://login.example"
    assert found.keys_page == "https://login.example/api-keys"
