from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from tetrate_jupyter.sandbox import FAULT_KINDS, ODD_KINDS, Fault

from .conftest import events, text_of

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox import FaultKind, SandboxRouter

    from .conftest import Api

STATUSES: dict[FaultKind, tuple[int, object]] = {
    "bad-request": (400, "bad_request"),
    "context-overflow": (400, "context_length_exceeded"),
    "too-large": (413, "request_too_large"),
    "invalid-key": (401, "invalid_api_key"),
    "no-credits": (402, 402),
    "forbidden": (403, "forbidden"),
    "wrong-host": (403, "forbidden"),
    "model-not-found": (404, "model_not_found"),
    "model-not-routed": (404, "model_not_routed"),
    "unsupported-endpoint": (404, "unsupported_endpoint"),
    "model-not-available": (503, "model_not_available"),
    "model-not-ready": (503, "model_not_ready"),
    "rate-limit": (429, "rate_limit_exceeded"),
    "rate-limit-date": (429, "rate_limit_exceeded"),
    "rate-limit-metadata": (429, "rate_limit_exceeded"),
    "rate-limit-bare": (429, "rate_limit_exceeded"),
    "budget": (429, "budget_exceeded"),
    "server-error": (500, "internal_error"),
    "unavailable": (503, "unavailable"),
    "gateway-timeout": (504, "timeout"),
    "overloaded": (529, "overloaded"),
    "flat-error": (400, "bad_request"),
    "error-as-200": (200, 502),
}
PAGES: dict[FaultKind, int] = {"not-found": 404, "bad-gateway": 502, "html": 200}
UNREADABLE: dict[FaultKind, int] = {"unreadable-error": 500, "empty-body": 200, "broken-json": 200}


@pytest.mark.parametrize("kind", STATUSES)
def test_a_refusal_has_its_status_and_code_once_injected_and_through_its_model(api: Api, kind: FaultKind) -> None:
    api.router.inject(Fault(kind))
    assert api.code(stream=True) == STATUSES[kind]
    assert api.code(model=f"sandbox/fault-{kind}") == STATUSES[kind]
    assert api.chat().status_code == 200


@pytest.mark.parametrize("kind", PAGES)
def test_some_answers_are_web_pages(api: Api, kind: FaultKind) -> None:
    reply = api.chat(model=f"sandbox/fault-{kind}")
    assert reply.status_code == PAGES[kind]
    assert reply.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("kind", UNREADABLE)
def test_some_answers_only_call_themselves_json(api: Api, kind: FaultKind) -> None:
    reply = api.chat(model=f"sandbox/fault-{kind}")
    assert reply.status_code == UNREADABLE[kind]
    assert reply.headers["Content-Type"] == "application/json"
    with pytest.raises(json.JSONDecodeError):
        reply.json()


def test_every_fault_of_chat_has_a_model_that_can_be_asked(router: SandboxRouter, api: Api) -> None:
    listed = {entry["id"] for entry in api.get("/v1/models").json()["data"]}
    elsewhere = {"plain-models", "catalog-page-fails", "code-expired", "callback-doubled-query", "callback-drops-query"}
    elsewhere |= {kind for kind in ODD_KINDS if kind.startswith("list-")}
    assert {f"sandbox/fault-{kind}" for kind in {*FAULT_KINDS, *ODD_KINDS} - elsewhere} == {
        model for model in listed if model.startswith("sandbox/fault-")
    }
    assert api.code(model="sandbox/fault-plain-models") == (404, "model_not_found")


def test_an_unknown_fault_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="rate-limit"):
        Fault("rate_limit")  # type: ignore[arg-type] - that is the point


def test_a_fault_waits_for_its_route_model_and_number_of_times(router: SandboxRouter, api: Api) -> None:
    router.inject(Fault("server-error", model="gpt-6-sol", times=2))
    router.inject(Fault("unavailable", path="models"))
    assert api.chat().status_code == 200
    assert [api.chat(model="gpt-6-sol").status_code for _ in range(3)] == [500, 500, 200]
    assert [api.get("/v1/models").status_code for _ in range(2)] == [503, 200]
    router.inject(Fault("server-error", times=None))
    assert [api.chat().status_code for _ in range(3)] == [500] * 3
    router.clear_faults()
    assert api.chat().status_code == 200


def test_the_log_names_the_fault(router: SandboxRouter, api: Api) -> None:
    router.inject(Fault("overloaded"))
    api.chat()
    assert router.requests[-1].fault == "overloaded"
    assert router.wait_for(lambda r: r.status == 529).finished_at is not None


def test_when_to_come_back_is_said_in_seconds_as_a_date_or_in_the_body(router: SandboxRouter, api: Api) -> None:
    router.inject(Fault("rate-limit", retry_after=7))
    assert api.chat().headers["Retry-After"] == "7"
    router.inject(Fault("rate-limit-date", retry_after=7))
    assert parsedate_to_datetime(api.chat().headers["Retry-After"]).tzinfo is not None
    router.inject(Fault("rate-limit-metadata", retry_after=7))
    assert api.chat().json()["error"]["metadata"]["retry_after_seconds"] == 7
    router.inject(Fault("rate-limit-bare"))
    assert "Retry-After" not in api.chat().headers
    router.inject(Fault("budget"))
    assert api.chat().headers["x-tars-budget-action"] == "block"


def test_a_redirect_leads_elsewhere(api: Api) -> None:
    reply = api.chat(model="sandbox/fault-redirect")
    assert (reply.status_code, reply.headers["Location"]) == (302, "/elsewhere")


def test_a_connection_can_break_before_any_header(router: SandboxRouter, api: Api) -> None:
    router.inject(Fault("drop"))
    with pytest.raises(httpx.RemoteProtocolError):
        api.chat()
    assert api.chat().status_code == 200


def test_headers_can_be_slow_for_a_while_or_for_ever(router: SandboxRouter, api: Api) -> None:
    router.inject(Fault("slow-headers", delay=0.05))
    assert api.chat().status_code == 200
    router.inject(Fault("slow-headers"))
    with pytest.raises(httpx.ReadTimeout):
        api.client.post(router.base_url + "/chat/completions", json={"model": "m"}, headers=api.headers, timeout=0.1)
    assert router.wait_for(lambda r: r.hung_up_at is not None).fault == "slow-headers"


def stream(api: Api, kind: FaultKind, prompt: str = "Explain PKCE") -> str:
    reply = api.chat(prompt, model=f"sandbox/fault-{kind}", stream=True, stream_options={"include_usage": True})
    assert reply.status_code == 200
    return reply.text


def test_a_stream_can_break_after_some_chunks(router: SandboxRouter, api: Api) -> None:
    router.inject(Fault("stream-cut", after_chunks=2))
    got: list[bytes] = []
    body = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "Explain PKCE"}], "stream": True}
    url = router.base_url + "/chat/completions"
    with api.client.stream("POST", url, json=body, headers=api.headers) as response:
        pieces = response.iter_raw()
        with pytest.raises(httpx.RemoteProtocolError):
            got.extend(pieces)
    texts = [c["choices"][0]["delta"]["content"] for c in events(b"".join(got).decode())[1:]]
    assert len(texts) == 2


def test_a_stream_can_end_without_any_end_mark(api: Api) -> None:
    chunks = events(stream(api, "stream-unfinished"))
    assert "[DONE]" not in chunks
    assert all(c["choices"][0]["finish_reason"] is None for c in chunks)


def test_a_stream_can_end_without_done_only(api: Api) -> None:
    chunks = events(stream(api, "no-done"))
    assert "[DONE]" not in chunks
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


def test_an_error_can_come_inside_a_stream_even_of_a_short_answer(api: Api) -> None:
    for prompt in ("Explain PKCE", "Say x"):
        chunks = events(stream(api, "stream-error", prompt))
        assert chunks[-1]["error"]["code"] == 502
        assert "[DONE]" not in chunks


@pytest.mark.parametrize("kind", ["stream-stall", "keep-alive-only"])
def test_a_stream_can_fall_silent_and_go_on_or_not(router: SandboxRouter, api: Api, kind: FaultKind) -> None:
    router.inject(Fault(kind, delay=0.05))
    assert events(api.chat("Explain PKCE", stream=True).text)[-1] == "[DONE]"
    router.inject(Fault(kind))
    body = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "Explain PKCE"}], "stream": True}
    url = router.base_url + "/chat/completions"
    with api.client.stream("POST", url, json=body, headers=api.headers) as response:
        next(response.iter_raw())
    assert router.wait_for(lambda r: r.hung_up_at is not None).fault == kind


def test_one_event_can_hold_no_json(api: Api) -> None:
    with pytest.raises(json.JSONDecodeError):
        events(stream(api, "bad-json"))


def test_pieces_are_cut_inside_characters(router: SandboxRouter, api: Api) -> None:
    body = {"model": "sandbox/fault-byte-split", "messages": [{"role": "user", "content": "x"}], "stream": True}
    with api.client.stream("POST", router.base_url + "/chat/completions", json=body, headers=api.headers) as response:
        pieces = list(response.iter_raw())
    assert any(piece[:1] and 0x80 <= piece[0] < 0xC0 for piece in pieces)
    assert "世界, 🌍" in text_of(events(b"".join(pieces).decode()))


def test_line_ends_and_comments_can_be_unusual(api: Api) -> None:
    raw = stream(api, "crlf")
    assert "\n" not in raw.replace("\r\n", "")
    assert text_of(events(raw)) == text_of(events(stream(api, "comments")))
    assert ": keep-alive" in stream(api, "comments")


def test_a_whole_answer_can_come_though_a_stream_was_asked_for(api: Api) -> None:
    reply = api.chat(model="sandbox/fault-not-streamed", stream=True)
    assert reply.json()["object"] == "chat.completion"


def test_answers_can_have_a_twist(router: SandboxRouter, api: Api) -> None:
    assert "usage" not in api.chat(model="sandbox/fault-no-usage").json()
    assert not any(c.get("usage") for c in events(stream(api, "no-usage"))[:-1])
    router.inject(Fault("served-differs", served_model="claude-sonnet-5"))
    assert api.chat().json()["model"] == "claude-sonnet-5"
    router.inject(Fault("dropped-fields", dropped=("top_k",)))
    assert api.chat().headers["x-tars-dropped-fields"] == "top_k"


@pytest.mark.parametrize(
    ("kind", "reason"), [("content-filter", "content_filter"), ("length", "length"), ("empty-answer", "stop")]
)
def test_answers_can_end_early(api: Api, kind: FaultKind, reason: str) -> None:
    choice = api.chat(model=f"sandbox/fault-{kind}").json()["choices"][0]
    assert choice["finish_reason"] == reason
    assert bool(choice["message"]["content"]) is (kind == "length")


def test_an_unsteady_provider_fails_some_of_the_time(api: Api) -> None:
    statuses = [api.chat(model="deepinfra/XiaomiMiMo/MiMo-V2.6-Flash").status_code for _ in range(40)]
    assert set(statuses) == {200, 529}
    assert 3 < statuses.count(529) < 20
