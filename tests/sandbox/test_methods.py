from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.raw import send
from tetrate_jupyter.sandbox import Fault

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox import SandboxRouter


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/chat/completions", "POST"),
        ("OPTIONS", "/v1/chat/completions", "POST"),
        ("GET", "/v1/embeddings", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/v1/models/claude-haiku-4-5", "GET, HEAD"),
        ("POST", "/v1/status", "GET, HEAD"),
        ("POST", "/api/public/models", "GET, HEAD"),
        ("GET", "/api/api-keys/verify", "POST"),
        ("POST", "/billing", "GET, HEAD"),
        ("BREW", "/v1/models", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(
    router: SandboxRouter, caplog: pytest.LogCaptureFixture, method: str, path: str, allowed: str
) -> None:
    sent = send(router, method, path, key=router.issue_key())
    assert (sent.status, sent.headers["allow"]) == (405, allowed)
    assert sent.json["error"]["code"] == "method_not_allowed"
    assert f"{method} on {path}" in sent.json["error"]["message"]
    assert not caplog.records


def test_a_wrong_method_uses_no_fault_up(router: SandboxRouter) -> None:
    router.inject(Fault("server-error", path="models"))
    assert send(router, "PUT", "/v1/models", key=router.issue_key()).status == 405
    assert send(router, "GET", "/v1/models", key=router.issue_key()).status == 500


def test_head_is_get_without_the_body(router: SandboxRouter) -> None:
    for path in ("/", "/v1/models", "/api/public/models"):
        head, get = (send(router, method, path, key=router.issue_key()) for method in ("HEAD", "GET"))
        assert (head.status, head.body, head.headers["content-length"]) == (200, b"", get.headers["content-length"])


def test_a_query_that_is_no_text_is_refused_in_words(router: SandboxRouter) -> None:
    sent = send(router, "GET", "/api/public/models?limit=%ff")
    assert (sent.status, sent.json["error"]["message"]) == (400, "The request can't be read.")


@pytest.mark.parametrize(
    "written",
    ["claude-haiku-4-5", "groq/openai/gpt-oss-20b", "groq%2Fopenai%2Fgpt-oss-20b", "groq%2fopenai/gpt-oss-20b"],
)
def test_one_model_is_its_entry_of_the_list(router: SandboxRouter, written: str) -> None:
    key = router.issue_key()
    entry = send(router, "GET", f"/v1/models/{written}", key=key).json
    assert entry["object"] == "model"
    assert entry in send(router, "GET", "/v1/models", key=key).json["data"]
    assert entry["id"] == written.replace("%2F", "/").replace("%2f", "/")


def test_a_model_that_can_not_be_asked_is_not_found(router: SandboxRouter) -> None:
    key = router.issue_key()
    for model in ("nobody", "claude-opus-4-1", "sandbox/fault-list-bare", "groq%2Fnobody"):
        sent = send(router, "GET", f"/v1/models/{model}", key=key)
        assert (sent.status, sent.json["error"]["code"]) == (404, "model_not_found")
    assert send(router, "GET", "/v1/models/claude-haiku-4-5").status == 401
    assert send(router, "GET", "/v1/models/sandbox/echo", key=key).json["id"] == "sandbox/echo"


def test_a_fault_of_one_model_is_not_the_lists(router: SandboxRouter) -> None:
    router.inject(Fault("unavailable", path="model"))
    key = router.issue_key()
    assert send(router, "GET", "/v1/models", key=key).status == 200
    assert send(router, "GET", "/v1/models/claude-haiku-4-5", key=key).status == 503
