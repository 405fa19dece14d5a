"""Every fault the router is known to answer with becomes its own error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.http.error_body import MAX_SHOWN
from tetrate_jupyter.http.faults import ReceivedResponse, RequestContext, error_for, error_in_stream, unreadable
from tetrate_jupyter.secret import Secret

KEY = "sk-never-to-be-shown-0123456789abcdef"
HELD = Secret(KEY, host="gateway.example")  # as long as it is held, it is known for a key
ASKED = RequestContext(
    "https://gateway.example/v1",
    "id-1",
    model="m-1",
    endpoints=Endpoints("https://gateway.example/v1", "https://web.example"),
)


def fault(status: int, content: Any = None, **headers: str) -> errors.GatewayError:
    body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
    named = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return error_for(ReceivedResponse(status, named, body), ASKED)


def nested(message: str = "", **members: Any) -> dict[str, Any]:
    return {"error": {"message": message, **members}}


CASES: list[tuple[type[errors.GatewayError], errors.GatewayError]] = [
    (errors.RequestRejectedError, fault(400, nested("not enabled", code="bad_request", type="invalid_request_error"))),
    (errors.RequestRejectedError, fault(409)),
    (errors.RequestRejectedError, fault(422, nested("no"))),
    (errors.ContextTooLongError, fault(400, nested("This model's maximum context length is 8192 tokens."))),
    (errors.ContextTooLongError, fault(400, nested("x", code="context_length_exceeded"))),
    (errors.ContextTooLongError, fault(400, {"message": "prompt is too long: 210000 tokens > 200000 maximum"})),
    (errors.ContextTooLongError, fault(413)),
    (errors.ContextTooLongError, fault(413, b"<html>nginx</html>", content_type="text/html")),
    (errors.InvalidKeyError, fault(401, nested("bad key"))),
    (errors.CreditsExhaustedError, fault(402, nested("Insufficient credits", code=402))),
    (errors.ForbiddenError, fault(403, nested("no"))),
    (errors.WrongHostError, fault(403, {"category": "hostname_not_selected", "your_hostnames": ["other.example"]})),
    (errors.WrongHostError, fault(403, {"error": {"category": "hostname_not_selected"}})),
    (errors.NotFoundError, fault(404)),
    (errors.NotFoundError, fault(404, b"<html>no</html>", content_type="text/html")),
    (errors.ModelUnavailableError, fault(404, nested("no", code="model_not_found"))),
    (errors.ModelUnavailableError, fault(404, {"message": "no", "code": "model_not_routed"})),
    (errors.ModelUnavailableError, fault(400, nested("no", code="model_not_found"))),
    (errors.ModelUnavailableError, fault(503, nested("soon", code="model_not_ready"), retry_after="5")),
    (errors.ModelUnavailableError, fault(503, {"code": "model_not_available"})),
    (errors.UnsupportedEndpointError, fault(404, nested("Unsupported endpoint"))),
    (errors.RateLimitError, fault(429)),
    (errors.RateLimitError, fault(429, b"<html>slow</html>", content_type="text/html")),
    (errors.BudgetExceededError, fault(429, nested("budget"), x_tars_budget_action="block")),
    (errors.ProviderError, fault(500)),
    (errors.ProviderError, fault(502, b"<html>nginx</html>", content_type="text/html")),
    (errors.ProviderError, fault(503, nested("x"))),
    (errors.ProviderError, fault(529)),
    (errors.ProviderError, fault(408)),
    (errors.UnreachableError, fault(407)),
    (errors.MalformedResponseError, fault(302, None, location="https://login.example/?from=x")),
    (errors.MalformedResponseError, fault(200, b"<html>login</html>", content_type="text/html; charset=utf-8")),
    (errors.MalformedResponseError, fault(403, b"<!doctype html>blocked", content_type="text/html")),
    (errors.MalformedResponseError, fault(200, b"hello", content_type="text/plain")),
    (errors.MalformedResponseError, fault(200, b"{}")),
    (errors.CreditsExhaustedError, fault(200, nested("Insufficient credits", code=402))),
    (errors.RateLimitError, fault(200, nested("slow", code="429"))),
    (errors.InvalidKeyError, fault(200, {"error": {"type": "authentication_error", "message": "no"}})),
    (errors.ProviderError, fault(200, {"error": "something odd"})),
]


@pytest.mark.parametrize(("kind", "error"), CASES)
def test_each_fault_is_its_own_error(kind: type[errors.GatewayError], error: errors.GatewayError) -> None:
    assert type(error) is kind
    assert error.request_id == "id-1"
    assert error.next_step
    assert error.message
    assert error.__context__ is None


def test_every_class_below_gateway_error_that_an_answer_can_cause_is_covered() -> None:
    found = {type(error) for _, error in CASES}
    elsewhere = {
        errors.GatewayError,
        errors.GatewayTimeoutError,
        errors.StreamError,
        errors.StreamCutError,
        errors.StreamStalledError,
        errors.AnswerTooLongError,
    }
    assert found == _below(errors.GatewayError) - elsewhere


def _below(kind: type[Any]) -> set[type[Any]]:
    return {kind}.union(*(_below(sub) for sub in kind.__subclasses__()))


def test_an_error_tells_status_and_code() -> None:
    error = fault(404, nested("gone", code="model_not_found"))
    assert (error.status, error.code) == (404, "model_not_found")
    assert error.lines() == [
        "m-1 is not available to this key: gone",
        "Next: see the models this key reaches with %tetrate_models",
        "Request id: id-1",
    ]


def test_the_wrong_host_names_the_right_ones() -> None:
    error = fault(
        403, {"message": "x", "category": "hostname_not_selected", "your_hostnames": ["a.example", "b.example"]}
    )
    assert isinstance(error, errors.WrongHostError)
    assert error.hostnames == ("a.example", "b.example")
    assert "TETRATE_BASE_URL=https://a.example/v1" in error.next_step


def test_credit_points_to_the_billing_page() -> None:
    assert "https://web.example/billing" in fault(402).next_step


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (fault(429, None, retry_after="7"), 7.0),
        (fault(429, {"error": {"metadata": {"retry_after_seconds": 3}}}), 3.0),
        (fault(429, {"error": {"metadata": {"retry_after_seconds": "soon"}}}), None),
        (fault(429), None),
    ],
)
def test_a_rate_limit_tells_how_long(error: errors.GatewayError, seconds: float | None) -> None:
    assert isinstance(error, errors.RateLimitError)
    assert error.retry_after == seconds
    assert error.status == 429


def test_a_redirect_names_the_host_and_nothing_more() -> None:
    error = fault(307, None, location=f"https://login.example/path?token={KEY}")
    assert "login.example" in error.message
    assert "path" not in str(error)
    assert fault(302, None, location="http://[broken").status == 302


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"message": "busy", "code": 529}, errors.ProviderError),
        ({"message": "busy", "code": "503"}, errors.ProviderError),
        ({"message": "slow", "code": 429}, errors.RateLimitError),
        ({"message": "x", "type": "overloaded_error"}, errors.ProviderError),
        ({"message": "x", "code": "context_length_exceeded"}, errors.ContextTooLongError),
        ({"message": "x", "code": 402}, errors.CreditsExhaustedError),
        ({"message": "x", "code": "model_not_ready"}, errors.ModelUnavailableError),
        ({"message": "You exceeded your current quota."}, errors.CreditsExhaustedError),
        ({"message": "You exceeded your current quota. Please retry in 30.2s."}, errors.StreamError),
        ({"message": "something"}, errors.StreamError),
        ("just text", errors.StreamError),
        ({}, errors.StreamError),
        ([], errors.StreamError),
        (True, errors.StreamError),
    ],
)
def test_an_error_inside_a_stream_is_mapped_by_its_code(content: object, kind: type[errors.GatewayError]) -> None:
    error = error_in_stream(content, ASKED)
    assert type(error) is kind
    assert error.request_id == "id-1"


@pytest.mark.parametrize(
    "content",
    [
        nested(f"Incorrect API key provided: {KEY}."),
        nested("Incorrect API key provided: sk-some-other-key-123456."),
        nested("Authorization: Bearer abcdefghijklmnop refused"),
        nested("x", code=KEY),
        {"message": KEY, "category": KEY, "your_hostnames": [KEY]},
        {"error": KEY},
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_an_echoed_key_is_never_shown(status: int, content: object) -> None:
    error = fault(status, content)
    everything = str(error) + repr(error) + repr(vars(error))
    for secret in (KEY, "never-to-be-shown", "some-other-key", "abcdefghijklmnop"):
        assert secret not in everything


def test_what_a_server_says_is_cleaned_and_bounded() -> None:
    error = fault(400, nested("\x1b[31mred\x1b[0m \u202egnp.exe\x07 " + "x" * 5000))
    assert all(c == "\n" or c.isprintable() for c in str(error))
    assert "\u202e" not in error.message
    assert len(error.message) < MAX_SHOWN + 100


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"1", b'"text"', b"{", b"\xff\xfe", b'{"error": null}', b'{"error": []}', b"[" * 100_000],
)
@pytest.mark.parametrize("status", [200, 204, 302, 400, 403, 404, 429, 500])
def test_a_body_of_any_kind_gives_an_error_and_no_other_exception(status: int, body: bytes) -> None:
    assert isinstance(fault(status, body), errors.GatewayError)


def test_unreadable_tells_a_web_page_from_other_things() -> None:
    assert "web page" in unreadable(ReceivedResponse(200, {}, b"  <html>"), ASKED).message
    assert "text/csv" in unreadable(ReceivedResponse(200, {"content-type": "text/csv"}, b"a,b"), ASKED).message
