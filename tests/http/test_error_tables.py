"""Every code, word and status by which servers name a fault, and what each becomes: the tables, one line for each."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.config import MAX_ERROR_BYTES, Endpoints
from tetrate_jupyter.http.error_body import MAX_SHOWN, ErrorBody, error_body_of, error_of_event, read_error_body, shown
from tetrate_jupyter.http.faults import (
    ReceivedResponse,
    RequestContext,
    badly_encoded,
    error_for,
    error_in_stream,
    unreadable,
)
from tetrate_jupyter.http.meaning import Meaning, lacks_credit, meaning_of, says_no_credit
from tetrate_jupyter.secret import Secret

BASE = "https://gateway.example/v1"
ASKED = RequestContext(BASE, "id-1", model="acme/m-1", endpoints=Endpoints(BASE, "https://web.example"))
STRANGER = RequestContext(BASE, "id-1", model="acme/m-1")  # a server of which no pages are known
UNKEYED = RequestContext(BASE, "id-1", keyed=False)

# --- a name without a status: inside a stream, or with 200 ------------------------------------------------------

STATUS_OF_NAME = {
    400: "bad_request invalid_argument failed_precondition invalid_request_error BadRequestError "
    "context_length_exceeded exceed_context_size_error",
    401: "invalid_api_key authentication_error UNAUTHENTICATED",
    402: "credits_exhausted insufficient_credits insufficient_quota insufficient_balance",
    403: "permission_error PERMISSION_DENIED",
    404: "model_not_found model_not_routed not_found_error NotFoundError NOT_FOUND",
    413: "request_too_large",
    429: "rate_limit_error rate_limit_exceeded RESOURCE_EXHAUSTED too_many_requests",
    500: "api_error server_error internal_error internal_server_error INTERNAL InternalServerError",
    503: "model_not_ready model_not_available service_unavailable UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "overloaded_error",
}
NAMES = [(name, status) for status, names in STATUS_OF_NAME.items() for name in names.split()]


@pytest.mark.parametrize(("name", "status"), NAMES)
@pytest.mark.parametrize("member", ["code", "type", "status"])
def test_a_name_stands_for_its_status(name: str, status: int, member: str) -> None:
    assert error_body_of(None, {"message": "x", member: name}).status == status
    assert read_error_body(200, json.dumps({"error": {member: name}}).encode()).status == status
    assert error_body_of(418, {member: name}).status == 418


@pytest.mark.parametrize("code", [400, "400", 404, 429, "503", 999, "529"])
def test_a_number_stands_for_itself(code: object) -> None:
    assert error_body_of(None, {"code": code, "type": "server_error"}).status == int(str(code))


@pytest.mark.parametrize("code", [399, "200", "4000", "40", "\uff14\uff10\uff10", "-404", "4.4", None, True, "odd"])
def test_another_number_is_no_status(code: object) -> None:
    assert error_body_of(None, {"code": code}).status is None
    assert error_body_of(None, {"code": code, "type": "server_error"}).status == 500


def test_the_status_of_the_answer_goes_before_all_names_where_it_is_none_of_success() -> None:
    assert error_body_of(300, {"code": 404}).status == 300
    assert error_body_of(299, {"code": 404}).status == 404
    assert error_body_of(None, {"code": "model_not_found", "status": "INTERNAL", "type": "api_error"}).status == 404
    assert error_body_of(None, {"code": "odd", "status": "INTERNAL", "type": "not_found"}).status == 500


# --- what a name means, with which statuses ---------------------------------------------------------------------

EACH = (None, 200, 400, 403, 404, 429, 499, 500, 503, 599)
BELOW_500 = (None, 200, 400, 403, 404, 429, 499)
MEANING_OF_NAME: list[tuple[Meaning, tuple[int | None, ...], str]] = [
    (
        Meaning.CREDITS,
        EACH,
        (
            "insufficient_quota insufficient_credits insufficient_balance insufficient_funds credits_exhausted "
            "Arrearage billing_hard_limit_reached billing_not_active payment_required exceeded_current_quota_error"
        ),
    ),
    (Meaning.MODEL_LATER, EACH, "model_not_ready model_not_available"),
    (Meaning.BUDGET, EACH, "budget_exceeded BudgetExceeded"),
    (Meaning.NO_MODEL, EACH, "model_not_found model_not_routed invalid_model unknown_model"),
    (Meaning.NO_MODEL, EACH, "DeploymentNotFound ModelNotFound"),
    (Meaning.TOO_LONG, EACH, "context_length_exceeded exceed_context_size_error context_window_exceeded"),
    (Meaning.RATE, BELOW_500, "rate_limit_exceeded rate_limit_error too_many_requests rate_limited"),
    (Meaning.KEY, BELOW_500, "invalid_api_key api_key_invalid incorrect_api_key"),
    (
        Meaning.CONTENT,
        BELOW_500,
        (
            "content_filter content_policy_violation moderation_blocked ResponsibleAIPolicyViolation "
            "data_inspection_failed DataInspectionFailed"
        ),
    ),
    (Meaning.HOST, (403,), "hostname_not_selected"),
]


@pytest.mark.parametrize(
    ("what", "statuses", "name"), [(w, s, name) for w, s, names in MEANING_OF_NAME for name in names.split()]
)
@pytest.mark.parametrize("member", ["code", "kind", "category", "state"])
def test_a_name_means_one_thing(what: Meaning, statuses: tuple[int | None, ...], name: str, member: str) -> None:
    for status in EACH:
        found = meaning_of(ErrorBody(status, **{member: name}), None, route_works=False)
        assert (found is what) is (status in statuses or (what is Meaning.RATE and status == 429)), status


@pytest.mark.parametrize(
    ("what", "status", "message"),
    [
        *[(Meaning.CREDITS, status, "Out of credits") for status in (400, 402, 403, 429)],
        (Meaning.CREDITS, 402, ""),
        (Meaning.CREDITS, 400, "Insufficient account balance"),
        (Meaning.CREDITS, 400, "insufficient credit"),
        (Meaning.CREDITS, 400, "Insufficient funds."),
        (Meaning.CREDITS, 400, "insufficient quota"),
        (Meaning.CREDITS, 400, "Your credit balance is too low"),
        (Meaning.CREDITS, 400, "out of credit"),
        (Meaning.CREDITS, 403, "Your newly created team doesn't have any credits yet."),
        (Meaning.CREDITS, 400, "You do not have enough credits"),
        (Meaning.CREDITS, 400, "No credits left"),
        (Meaning.CREDITS, 400, "no credit remaining"),
        (Meaning.CREDITS, 400, "no credits available"),
        (Meaning.CREDITS, 429, "You exceeded your current quota, please check"),
        (Meaning.CREDITS, 400, "Billing hard limit has been reached"),
        (Meaning.CREDITS, 400, "Payment required"),
        (Meaning.STATUS, 404, "Out of credits"),
        (Meaning.STATUS, 401, "Out of credits"),
        (Meaning.STATUS, 500, "Out of credits"),
        (Meaning.RATE, 429, "Insufficient quota: tokens per minute"),
        (Meaning.RATE, 429, ""),
        *[(Meaning.RATE, status, "Too many requests") for status in (400, 403, 413, 422)],
        *[(Meaning.RATE, 400, f"limit of tokens per {unit}") for unit in ("second", "minute", "hour", "day")],
        *[(Meaning.RATE, 400, f"quota of x per {unit}") for unit in ("second", "minute", "hour", "day")],
        *[(Meaning.RATE, 400, f"over {unit} now") for unit in ("TPM", "RPM", "RPD", "TPS")],
        (Meaning.RATE, 400, "1 request per day"),
        (Meaning.RATE, 400, "token_per_minute"),
        (Meaning.RATE, 400, "Rate limit reached"),
        (Meaning.RATE, 400, "you are rate-limited"),
        (Meaning.RATE, 400, "rate limits"),
        (Meaning.STATUS, 404, "Too many requests"),
        (Meaning.STATUS, 500, "rate limit"),
        (Meaning.TOO_LONG, 413, ""),
        *[(Meaning.TOO_LONG, status, "prompt is too long") for status in (400, 413, 422, 500)],
        (Meaning.STATUS, 403, "prompt is too long"),
        (Meaning.STATUS, 404, "prompt is too long"),
        *[(Meaning.TOO_LONG, 400, f"the context {word}") for word in ("length", "window", "limit", "size")],
        (Meaning.TOO_LONG, 400, "Your request exceeded model token limit: 8192"),
        (Meaning.TOO_LONG, 400, "it exceeds the model's token limit"),
        (Meaning.TOO_LONG, 400, "maximum context"),
        (Meaning.TOO_LONG, 400, "too many tokens"),
        (Meaning.TOO_LONG, 400, "too many input tokens"),
        (Meaning.TOO_LONG, 400, "too many prompt tokens"),
        *[(Meaning.TOO_LONG, 400, f"{what} is too large") for what in ("input", "prompt", "request", "message")],
        (Meaning.TOO_LONG, 400, "messages are too long"),
        (Meaning.TOO_LONG, 400, "Request too large"),
        (Meaning.TOO_LONG, 400, "the input tokens are too long"),
        (Meaning.TOO_LONG, 400, "input token count (9) exceeds 8"),
        (Meaning.TOO_LONG, 400, "prompt tokens (9) exceed 8"),
        (Meaning.TOO_LONG, 400, "it exceeds the maximum"),
        (Meaning.TOO_LONG, 400, "it exceeds the model's limit"),
        (Meaning.TOO_LONG, 400, "they exceed the available context"),
        *[(Meaning.TOO_LONG, 400, f"reduce the length of the {what}") for what in ("messages", "prompt", "input")],
        (Meaning.KEY, 400, "Invalid API key"),
        (Meaning.KEY, 403, "incorrect api_key"),
        (Meaning.KEY, 400, "wrong api-key"),
        (Meaning.KEY, 400, "expired apikey"),
        *[(Meaning.KEY, 400, f"API key {word}") for word in ("not valid", "is invalid", "incorrect", "expired")],
        (Meaning.STATUS, 401, "Invalid API key"),
        (Meaning.STATUS, 500, "Invalid API key"),
        (Meaning.STATUS, 400, "no"),
        (Meaning.STATUS, None, "Invalid API key"),
    ],
)
def test_words_mean_it_with_the_statuses_that_servers_send(what: Meaning, status: int | None, message: str) -> None:
    assert meaning_of(ErrorBody(status, message=message), "acme/m-1", route_works=False) is what
    assert meaning_of(ErrorBody(status, message=message), None, route_works=False) is what


def test_a_quota_with_a_wait_is_a_limit_in_time() -> None:
    words = "You exceeded your current quota"
    assert meaning_of(ErrorBody(429, message=words, hint=3.0), None, route_works=False) is Meaning.RATE
    assert meaning_of(ErrorBody(400, message=words, hint=3.0), None, route_works=False) is Meaning.CREDITS


NO_MODEL = [
    *[f"{word} model acme/m-1" for word in ("unknown", "no such", "invalid", "unsupported", "unrecognized")],
    "The model acme/m-1 does not exist",
    "The model acme/m-1 doesn't exist",
    "The model acme/m-1 does n't exist",
    *[f"model acme/m-1 is not {word}" for word in ("found", "available", "served", "deployed", "loaded", "recognised")],
    "model acme/m-1 was not found",
    "The model acme/m-1 could not be found",
    "model acme/m-1 cannot be found",
    "model acme/m-1 is unknown",
    "model acme/m-1 is invalid",
    "the models acme/m-1 is not a valid one",
    "acme/m-1 is not a valid model",
    "no model acme/m-1",
    "could not find the model acme/m-1",
    "couldn't find model acme/m-1",
    "find the model acme/m-1: failed",
    *[f"no {word} found for acme/m-1" for word in ("endpoints", "endpoint", "deployments", "provider", "route")],
    "No providers available for acme/m-1",
    "No route for the model acme/m-1",
    "No route: the model acme/m-1 is not configured in the gateway",
]


@pytest.mark.parametrize("message", NO_MODEL)
def test_a_model_that_isnt_there_is_named(message: str) -> None:
    for status in (400, 403, 404, 422):
        assert meaning_of(ErrorBody(status, message=message), "ACME/m-1", route_works=False) is Meaning.NO_MODEL
    for status in (None, 401, 405, 500):
        assert meaning_of(ErrorBody(status, message=message), "ACME/m-1", route_works=False) is Meaning.STATUS
    assert meaning_of(ErrorBody(400, message=message), None, route_works=False) is Meaning.STATUS
    other = meaning_of(ErrorBody(400, message=message.replace("acme/m-1", "acme/m-2")), "acme/m-1", route_works=False)
    assert other is Meaning.STATUS


@pytest.mark.parametrize("message", NO_MODEL)
def test_with_404_the_words_are_enough(message: str) -> None:
    said = message.replace("acme/m-1", "acme/m-2")
    assert meaning_of(ErrorBody(404, message=said), "other", route_works=False) is Meaning.NO_MODEL
    assert meaning_of(ErrorBody(400, message=said), "other", route_works=True) is Meaning.STATUS


def test_a_model_that_a_key_has_no_access_to_is_named_without_its_id() -> None:
    for said in (
        "You don't have access to the model with the specified model ID.",
        "You do not have access to this model",
    ):
        for status in (400, 403, 404):
            assert meaning_of(ErrorBody(status, message=said), "m", route_works=False) is Meaning.NO_MODEL, status
        assert meaning_of(ErrorBody(403, message=said), None, route_works=False) is Meaning.STATUS
    for said in (
        "No endpoints found that support tool use.",
        "No allowed providers are available",
        "No endpoints found",
    ):
        assert meaning_of(ErrorBody(404, message=said), "m", route_works=False) is Meaning.NO_MODEL
        assert meaning_of(ErrorBody(400, message=said), "m", route_works=False) is Meaning.STATUS


def test_a_404_is_about_the_model_where_it_is_named_or_the_route_has_worked() -> None:
    assert meaning_of(ErrorBody(404, message="acme/m-1?"), "ACME/M-1", route_works=False) is Meaning.NO_MODEL
    assert meaning_of(ErrorBody(404, message="no"), "acme/m-1", route_works=True) is Meaning.NO_MODEL
    assert meaning_of(ErrorBody(404, message="no"), "acme/m-1", route_works=False) is Meaning.STATUS
    assert meaning_of(ErrorBody(404, message="no"), None, route_works=True) is Meaning.STATUS
    assert meaning_of(ErrorBody(404, message="Unsupported Endpoint"), "acme/m-1", route_works=True) is Meaning.STATUS
    assert (
        meaning_of(ErrorBody(400, message="acme/m-1 takes no images"), "acme/m-1", route_works=True) is Meaning.STATUS
    )


def test_no_credit_is_said_by_its_words() -> None:
    for said in (
        "Sorry: out of credits.",
        "Sorry, your account balance is insufficient",
        "Your team has either used all available credits or reached its monthly spending limit.",
        "Account x is suspended, possibly due to reaching the monthly spending limit",
        "The credits have been used up.",
    ):
        assert says_no_credit(said)
    assert not says_no_credit("The balance is sufficient")
    assert not says_no_credit("credits are fine")
    for said, is_lacking in (("quota is exhausted", True), ("quota is exhausted: requests per minute", False)):
        assert lacks_credit(ErrorBody(None, message=said)) is is_lacking
    assert not lacks_credit(ErrorBody(None, message="quota is exhausted", hint=30.0))
    assert not says_no_credit("")


# --- the error that comes of it ---------------------------------------------------------------------------------


def failed(status: int, content: object = None, asked: RequestContext = ASKED, **headers: str) -> errors.GatewayError:
    body = content if isinstance(content, bytes) else json.dumps({"error": content}).encode()
    return error_for(ReceivedResponse(status, {"content-type": "application/json", **headers}, body), asked)


def test_a_key_of_the_environment_is_corrected_there() -> None:
    error = failed(401, asked=replace(ASKED, key_variable="TARS_API_KEY"))
    assert error.next_step == "correct TARS_API_KEY, or sign in again with %tetrate_login"
    assert error.in_panel == "correct TARS_API_KEY, or sign in again here"


# status, what stands in the error, the error, its message, its next step
ERRORS: list[tuple[int, Any, type[errors.GatewayError], str, str]] = [
    (400, {"code": "bad"}, errors.RequestRejectedError, "rejected this request (status 400)", "options of the call"),
    (401, {"code": "bad"}, errors.InvalidKeyError, "gateway.example doesn't accept this key", "sign in again with %te"),
    (400, {"code": "invalid_api_key"}, errors.InvalidKeyError, "doesn't accept this key", "sign in again"),
    (402, {"code": "bad"}, errors.CreditsExhaustedError, "no credit left", "add credit at https://web.example/billing"),
    (403, {"code": "bad"}, errors.ForbiddenError, "This key isn't allowed to do that.", "see what the key may do at"),
    (404, {"code": "bad"}, errors.NotFoundError, f"{BASE} has no such route.", "TETRATE_BASE_URL"),
    (404, {"code": "model_not_found"}, errors.ModelUnavailableError, "acme/m-1 is not available", "%tetrate_models"),
    (404, "Unsupported endpoint", errors.UnsupportedEndpointError, "gateway.example doesn't serve", BASE),
    (405, {"code": "bad"}, errors.NotFoundError, f"{BASE} has no such route.", "TETRATE_BASE_URL"),
    (406, {"code": "bad"}, errors.RequestRejectedError, "(status 406)", "options of the call"),
    (407, {"code": "bad"}, errors.UnreachableError, "between here and gateway.example asks", "set HTTPS_PROXY"),
    (408, {"code": "bad"}, errors.ProviderError, "behind acme/m-1, failed (status 408)", "ask again in a"),
    (413, {"code": "bad"}, errors.ContextTooLongError, "too long for acme/m-1", "%tetrate_reset"),
    (421, {"code": "bad"}, errors.NotFoundError, f"{BASE} has no such route.", "TETRATE_BASE_URL"),
    (423, {"code": "bad"}, errors.ProviderError, "(status 423)", "ask again in a moment"),
    (424, {"code": "bad"}, errors.ProviderError, "(status 424)", "ask again in a moment"),
    (425, {"code": "bad"}, errors.ProviderError, "(status 425)", "another model; %tetrate_status shows"),
    (426, {"code": "bad"}, errors.RequestRejectedError, "(status 426)", "options of the call"),
    (429, {"code": "bad"}, errors.RateLimitError, "in a short time.", "wait a moment, then ask again"),
    (451, {"code": "content_filter"}, errors.RequestRejectedError, "of acme/m-1 refuses this prompt", "other words"),
    (498, {"code": "bad"}, errors.RequestRejectedError, "(status 498)", "options of the call"),
    (499, {"code": "bad"}, errors.ProviderError, "(status 499)", "ask again in a moment"),
    (500, {"code": "bad"}, errors.ProviderError, "(status 500)", "%tetrate_status shows the providers"),
    (
        400,
        {"code": "budget_exceeded"},
        errors.BudgetExceededError,
        "set for this key is used up",
        "whoever set the bud",
    ),
    (503, {"code": "model_not_ready"}, errors.ModelUnavailableError, "acme/m-1 is not ready yet", "in a minute"),
]


@pytest.mark.parametrize(("status", "content", "kind", "message", "step"), ERRORS)
def test_each_error_says_what_it_is_and_what_to_do(
    status: int, content: Any, kind: type[errors.GatewayError], message: str, step: str
) -> None:
    error = failed(status, content)
    assert type(error) is kind
    assert message in error.message
    assert step in error.next_step
    assert (error.status, error.request_id) == (status, "id-1")
    assert error.code == (content["code"] if isinstance(content, dict) else None)


@pytest.mark.parametrize(("status", "content", "kind", "message", "step"), ERRORS)
def test_the_same_error_inside_a_stream_quotes_the_server(
    status: int, content: Any, kind: type[errors.GatewayError], message: str, step: str
) -> None:
    name = content["code"] if isinstance(content, dict) else "bad"
    error = error_in_stream({"message": "Unsupported endpoint, they say", "code": status, "type": name}, ASKED)
    assert error.message.endswith(": Unsupported endpoint, they say")
    assert error.next_step
    assert error.status == status
    assert error.request_id == "id-1"


def test_a_category_is_a_code_where_there_is_no_other() -> None:
    assert failed(400, {"category": "odd"}).code == "odd"
    assert failed(400, {"category": "odd", "code": "first"}).code == "first"


def test_a_key_that_wasnt_sent_isnt_blamed() -> None:
    for status in (401, 403):
        error = failed(status, {"message": "log in"}, UNKEYED)
        assert type(error) is errors.ForbiddenError
        assert (
            error.message
            == f"gateway.example doesn't show this without a login (status {status}); no key was sent: log in"
        )
        assert error.next_step == f"check the address {BASE}"
        assert (error.status, error.request_id) == (status, "id-1")


def test_a_stranger_has_no_pages_to_point_to() -> None:
    assert failed(401, {}, STRANGER).next_step == "give the right key with %tetrate_login"
    assert failed(403, {}, STRANGER).next_step == "give the right key with %tetrate_login"
    assert (
        failed(402, {}, STRANGER).next_step == "add credit where the key for gateway.example was made, then ask again"
    )
    assert failed(500, {}, STRANGER).next_step == "ask again in a moment, or choose another model"
    budget = failed(429, {}, STRANGER, **{"x-tars-budget-action": "block"})
    assert budget.next_step == "ask whoever set the budget, or use another key"
    theirs = failed(429, {"message": "Used up"}, **{"x-tars-budget-action": "block"})
    assert theirs.next_step.endswith(f"use another key ({ASKED.keys_page})")
    assert theirs.message.endswith("is used up: Used up")


def test_without_a_model_the_router_is_named() -> None:
    nameless = RequestContext(BASE, None)
    assert "too long for the router" in failed(413, {}, nameless).message
    assert "behind gateway.example" in failed(500, {}, nameless).message
    assert "The model is not available" in failed(404, {"code": "model_not_found"}, nameless).message
    assert "The model is not ready" in failed(503, {"code": "model_not_ready"}, nameless).message


def test_credit_is_said_once() -> None:
    assert failed(402, "Out of credits").message == "gateway.example: Out of credits"
    assert failed(402, "Nothing left").message == "The account has no credit left: Nothing left"


@pytest.mark.parametrize(
    ("headers", "content", "wait", "step"),
    [
        ({"retry-after": "7"}, {}, 7.0, "wait 7 s"),
        ({"retry-after": "1"}, {}, 1.0, "wait 1 s"),
        ({"retry-after": "0.9"}, {}, 0.9, "wait a second"),
        ({"retry-after": "0"}, {"retry_after": 9}, 0.0, "wait a second"),
        ({}, {"retry_after": 9}, 9.0, "wait 9 s"),
        ({}, {"message": "try again in 250ms"}, 0.25, "wait a second"),
        ({}, {}, None, "wait a moment"),
        ({"retry-after": "300"}, {}, 300.0, "wait 300 s"),
        ({"retry-after": "301"}, {}, 301.0, "wait 6 minutes"),
        ({"retry-after": "10800"}, {}, 10800.0, "wait 180 minutes"),
        ({"retry-after": "10801"}, {}, 10801.0, "wait 4 hours"),
        ({"retry-after": "9999999"}, {}, 86400.0, "wait 24 hours"),
    ],
)
def test_a_limit_says_how_long(headers: dict[str, str], content: object, wait: float | None, step: str) -> None:
    error = failed(429, content, **headers)
    assert isinstance(error, errors.RateLimitError)
    assert error.retry_after == wait
    assert error.next_step == f"{step}, then ask again"
    assert error.request_id == "id-1"
    assert failed(429, {"code": "slow"}).code == "slow"


@pytest.mark.parametrize("status", [500, 503, 529])
@pytest.mark.parametrize(
    ("headers", "content", "step"),
    [
        ({"retry-after": "3600"}, {}, "ask again in 60 minutes"),
        ({"retry-after": "20"}, {"retry_after": 9}, "ask again in 20 s"),
        ({}, {"message": "Down, try again in 45 seconds"}, "ask again in 45 s"),
        ({}, {}, "ask again in a moment"),
    ],
)
def test_trouble_says_how_long_it_lasts(status: int, headers: dict[str, str], content: object, step: str) -> None:
    error = failed(status, content, STRANGER, **headers)
    assert isinstance(error, errors.ProviderError)
    assert error.next_step == f"{step}, or choose another model"
    page = failed(status, b"<html><h1>Maintenance</h1></html>", STRANGER, **{**headers, "content-type": "text/html"})
    assert isinstance(page, errors.ProviderError)
    assert ("a moment" in str(page.next_step)) == ("retry-after" not in headers)


def test_a_key_of_another_host_names_that_host() -> None:
    error = failed(
        403, {"code": "c", "category": "hostname_not_selected", "your_hostnames": ["a.example", "b.example"]}
    )
    assert isinstance(error, errors.WrongHostError)
    assert error.message == "This key belongs to another gateway host (a.example, b.example), not to gateway.example."
    assert error.next_step.startswith("set TETRATE_BASE_URL=https://a.example/v1 and restart the kernel, or sign in")
    assert (error.hostnames, error.request_id, error.code) == (("a.example", "b.example"), "id-1", "c")
    bare = failed(403, {"category": "hostname_not_selected"})
    assert bare.message == "This key belongs to another gateway host, not to gateway.example."
    assert bare.next_step == "sign in again with %tetrate_login to make a key for this host"
    assert bare.code == "hostname_not_selected"


@pytest.mark.parametrize("status", [300, 302, 399])
def test_a_redirect_is_not_followed_and_says_where_to(status: int) -> None:
    error = failed(status, {"message": "x"}, location="https://login.example/a?b")
    assert type(error) is errors.MalformedResponseError
    assert error.message == (
        f"gateway.example redirected the request to login.example (status {status}); the key was not sent there."
    )
    assert (error.status, error.request_id) == (status, "id-1")
    assert BASE in error.next_step
    assert "the request (status" in failed(status).message


def test_without_a_body_the_status_speaks() -> None:
    assert error_for(ReceivedResponse(400, {}), ASKED).message == "The router rejected this request (status 400)."


def test_an_error_with_success_is_one() -> None:
    error = failed(200, {"message": "odd"})
    assert type(error) is errors.ProviderError
    assert error.message == "The router answered with an error: odd"
    assert (error.status, error.request_id, error.next_step) == (None, "id-1", "ask again")
    assert type(failed(299, {"message": "odd"})) is errors.ProviderError
    assert type(failed(200, {"nothing": "odd"})) is errors.MalformedResponseError


PAGE = b"<html>no</html>"


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 405, 407, 408, 413, 429, 499, 500, 503])
def test_a_web_page_is_the_api_only_where_its_status_says_enough(status: int) -> None:
    error = failed(status, PAGE, **{"content-type": "text/html"})
    is_page = status not in {404, 407, 408, 413, 429, 500, 503}
    assert (type(error) is errors.MalformedResponseError) is is_page
    if is_page:
        assert error.message == f"gateway.example answered with a web page instead of the API (status {status})."
        assert (error.status, error.request_id) == (status, "id-1")
        assert BASE in error.next_step


@pytest.mark.parametrize(
    ("headers", "body", "is_page"),
    [
        ({"content-type": "text/html; charset=utf-8"}, b"hello", True),
        ({"content-type": "Text/HTML"}, b"hello", True),
        ({"content-type": "application/xhtml+xml"}, b"hello", True),
        ({"content-type": "application/json"}, b"\n  <html>", True),
        ({}, b"<?xml", True),
        ({}, b" " * 199 + b"<", True),
        ({}, b" " * 200 + b"<", False),
        ({}, b"a<", False),
        ({}, b"", False),
        ({"content-type": "text/plain"}, b"{}", False),
    ],
)
def test_what_a_web_page_is(headers: dict[str, str], body: bytes, *, is_page: bool) -> None:
    assert ReceivedResponse(200, headers, body).is_web_page is is_page


def test_what_cant_be_read_says_its_kind() -> None:
    error = unreadable(ReceivedResponse(200, {"content-type": "text/csv; x=y"}, b"a,b"), ASKED)
    assert error.message == "gateway.example answered with something that isn't the API's JSON (status 200, text/csv)."
    assert (error.status, error.request_id) == (200, "id-1")
    assert BASE in error.next_step
    assert "no content type" in unreadable(ReceivedResponse(200, {}, b"a,b"), ASKED).message
    packed = badly_encoded("packed twice", ASKED)
    assert packed.message == "The answer of gateway.example is packed twice; it was not read."
    assert (packed.request_id, BASE in packed.next_step) == ("id-1", True)


def test_a_stream_that_breaks_off_without_a_name_says_so() -> None:
    error = error_in_stream({"message": "gone", "code": "odd"}, ASKED)
    assert type(error) is errors.StreamError
    assert error.message == "The answer broke off with an error: gone"
    assert (error.request_id, error.next_step, error.code) == ("id-1", "ask again", "odd")


# --- where in a body it stands ----------------------------------------------------------------------------------


MESSAGE_NAMES = "message msg detail error_description error_message errorMessage error_msg status_msg reason title"


@pytest.mark.parametrize("name", [*MESSAGE_NAMES.split(), "Message", "faultstring"])
def test_a_message_has_many_names(name: str) -> None:
    assert error_body_of(400, {name: "said"}).message == "said"
    assert error_body_of(400, {"error": {name: "said"}, "message": "outer"}).message == "said"
    assert error_of_event(json.dumps({name: "said"}).encode()) == ({name: "said"}, False)


def test_a_reason_that_is_a_name_goes_behind_every_sentence() -> None:
    details = [{"@type": "x", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}]
    found = error_body_of(400, {"error": {"message": "API key not valid.", "details": details}})
    assert found.message == "API key not valid."
    assert "api_key_invalid" in found.words
    assert error_body_of(400, {"details": details}).message == "API_KEY_INVALID"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"message": {"detail": [{"loc": ["body", "foo"], "msg": "not permitted"}]}}, "body.foo: not permitted"),
        ({"message": [{"msg": "bad"}]}, "bad"),
        ({"message": "Provider returned error", "metadata": {"raw": '{"error":{"message":"why"}}'}}, "why"),
        ({"message": "Provider returned error", "metadata": {"raw": "why"}}, "why"),
        ({"message": "Provider returned error", "metadata": {"raw": {"message": "why"}}}, "why"),
        ({"message": "Provider returned error", "metadata": {"raw": " <html>no</html>"}}, "Provider returned error"),
        ({"message": "Provider returned error", "metadata": {"raw": None}}, "Provider returned error"),
        ({"message": "Provider returned error", "metadata": "x"}, "Provider returned error"),
        ({"errors": {"temperature": ["must be <= 2"], "n": ["bad"]}}, "temperature: must be <= 2"),
        ({"errors": {"temperature": []}, "message": "bad"}, "bad"),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, "insufficient balance"),
        ({"message": {"text": "why"}}, "why"),
        ({"error": {"message": {"content": "why", "code": 3}}}, "why"),
        ({"error": "invalid_grant", "error_description": "The code has expired."}, "The code has expired."),
        ({"error": "unauthorized", "message": "ok"}, "unauthorized"),  # "ok" says nothing
        ({"error": "Not Found", "message": "No route."}, "Not Found"),  # words, too
        ({"error": "invalid_grant"}, "invalid_grant"),
        ({"fault": {"faultstring": "Invalid ApiKey", "detail": {"errorcode": "x"}}}, "Invalid ApiKey"),
    ],
)
def test_words_stand_in_other_places_too(content: object, said: str) -> None:
    assert error_body_of(400, content).message == said


@pytest.mark.parametrize("name", ["error", "errors", "detail", "details", "fault", "base_resp"])
def test_an_error_may_stand_in_another(name: str) -> None:
    assert error_body_of(400, {name: {"message": "said", "code": "inner"}, "code": "outer"}) == ErrorBody(
        400, "said", "inner"
    )
    assert error_body_of(400, {name: "said", "code": "outer"}) == ErrorBody(400, "said", "outer")
    assert error_body_of(400, {name: [{"message": "first"}, {"message": "second"}]}).message == "first"
    assert error_body_of(400, {name: None, "message": "said"}).message == "said"


def test_errors_within_errors_are_read_four_deep() -> None:
    content: object = {"message": "deep"}
    for _ in range(4):
        content = {"error": content}
    assert error_body_of(400, content).message == "deep"
    assert error_body_of(400, {"error": content}).message == ""
    nested: object = {"message": "deep"}
    for _ in range(4):
        nested = [nested]
    assert error_body_of(400, nested).message == "deep"
    assert error_body_of(400, [nested]).message == ""
    inner: object = '{"message": "deep", "code": "c"}'
    for _ in range(3):
        inner = {"error": inner}
    assert error_body_of(400, inner).code == "c"
    assert error_body_of(400, {"error": inner}).code is None


def test_of_a_list_the_first_three_are_looked_at() -> None:
    assert error_body_of(400, [{}, {}, {"message": "third"}]).message == "third"
    assert error_body_of(400, [{}, {}, {}, {"message": "fourth"}]).message == ""


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_message_without_a_word_is_none(text: str) -> None:
    assert error_body_of(400, {"error": {"message": text}, "message": "outer"}).message == "outer"
    assert error_body_of(400, {"message": text, "reason": "next"}).message == "next"


@pytest.mark.parametrize(("value", "said"), [(7, "7"), (1.5, "1.5"), (True, ""), (10**18, ""), (10**18 - 1, "9" * 18)])
def test_a_message_may_be_a_number(value: object, said: str) -> None:
    assert error_body_of(400, {"message": value}).message == said
    assert error_body_of(400, value).message == said


def test_a_message_may_hold_the_body_of_another_server() -> None:
    inner = json.dumps({"error": {"message": "inner", "code": "c"}})
    assert error_body_of(400, {"error": inner}) == ErrorBody(400, "inner", "c")
    assert error_body_of(400, {"message": inner}).message == "inner"
    assert error_body_of(400, {"message": "{broken"}).message == "{broken"
    assert error_body_of(400, {"message": '{"code": 5}'}).message == '{"code": 5}'


def test_where_a_member_is_wrong_stands_before_the_message() -> None:
    assert error_body_of(422, {"detail": [{"loc": ["body", "n", 0], "msg": "bad"}]}).message == "body.n.0: bad"
    assert error_body_of(422, {"detail": [{"loc": list("abcdefghij"), "msg": "bad"}]}).message == "a.b.c.d.e.f.g.h: bad"
    assert error_body_of(422, {"detail": [{"loc": [], "msg": "bad"}]}).message == "bad"
    assert error_body_of(422, {"detail": [{"loc": "body", "msg": "bad"}]}).message == "bad"


def test_every_member_of_a_fault_is_read() -> None:
    found = error_body_of(
        403,
        {
            "error": {
                "message": "m",
                "code": "Co",
                "type": "Ty",
                "category": "Ca",
                "status": "St",
                "your_hostnames": ["a.example", "b.example:8443", 5, "no host", "c", "d", "e", "f"],
                "retry_after": 5,
            }
        },
    )
    hosts = ("a.example", "b.example:8443", "c", "d", "e")
    assert found == ErrorBody(403, "m", "Co", "Ty", "Ca", "St", hosts, 5.0)
    assert found.words == {"co", "ty", "ca", "st"}
    assert error_body_of(403, {"your_hostnames": "a.example"}).hostnames == ()


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        ({"metadata": {"retry_after_seconds": 3}, "retry_after": 9}, 3.0),
        ({"metadata": {"retry_after_seconds": 0}}, 0.0),
        ({"metadata": "x", "retry_after": 9}, 9.0),
        ({"retry_after": 0}, 0.0),
        ({"retryDelay": "34s", "retry_after": 9}, 34.0),
        ({"retryDelay": "1.5s"}, 1.5),
        ({"retryDelay": "soon", "message": "try again in 6s"}, 6.0),
        ({"details": [{"retryDelay": "2s"}]}, 2.0),
        ({"retry_after": 9, "message": "try again in 6s"}, 9.0),
        ({"message": "Please try again in 6.5s."}, 6.5),
        ({"message": "retry in 20 sec"}, 20.0),
        ({"message": "Wait for 2 min"}, 120.0),
        ({"message": "wait 3m"}, 180.0),
        ({"message": "try again in 250 MS"}, 0.25),
        ({"message": "retry after 5 seconds"}, 5.0),
        ({"message": "Please retry after 20 seconds."}, 20.0),
        ({"message": "wait 1 second"}, 1.0),
        ({"message": "wait 5 secs"}, 5.0),
        ({"message": "wait 2 minutes"}, 120.0),
        ({"message": "wait 1 minute, please"}, 60.0),
        ({"message": "wait 2 mins"}, 120.0),
        ({"message": "Please try again in 7m12s."}, 432.0),
        ({"message": "Please try again in 2m59.5s."}, 179.5),
        ({"message": "wait 6 monkeys"}, None),
        ({"message": "it took 6s"}, None),
        ({"message": "wait 6 models"}, None),
        ({"message": "wait. It took 6s"}, None),
        ({"retry_after": "x"}, None),
    ],
)
def test_a_wait_is_read_wherever_it_stands(content: object, seconds: float | None) -> None:
    assert error_body_of(429, content).hint == seconds


def test_bodies_are_json_events_or_short_texts() -> None:
    assert read_error_body(400, b' \n{"message": "said"}\n').message == "said"
    assert read_error_body(400, b'\xef\xbb\xbf{"message": "said"}').message == "said"
    assert read_error_body(400, b'event: error\ndata: {"message": "said"}\n\n').message == "said"
    assert read_error_body(400, b'data:{"message": "said"}').message == "said"
    assert read_error_body(400, b'{"message": "said",\n"x":\n"data: 1"}').message == "said"
    assert read_error_body(400, b"plainly said") == ErrorBody(400, "plainly said")
    assert read_error_body(400, b"x" * 2000).message.startswith("xxx")
    for body in (b"x" * 2001, b"", b"<html>", b"{broken", b"[broken"):
        assert read_error_body(400, body) == ErrorBody(400)
    assert read_error_body(399, b"plainly said") == ErrorBody(399)
    assert read_error_body(300, b"") == ErrorBody(300)
    assert read_error_body(299, b"") == ErrorBody(None)
    assert read_error_body(None, b"plainly said") == ErrorBody(None)


def test_a_body_that_is_longer_than_any_error_is_not_read() -> None:
    short = b'{"message": "said"}'
    most = short + b" " * (MAX_ERROR_BYTES - len(short))
    assert read_error_body(400, most).message == "said"
    assert read_error_body(400, most + b" ") == ErrorBody(400)
    assert error_of_event(most) == ({"message": "said"}, False)
    assert error_of_event(most + b" ") == (None, False)


@pytest.mark.parametrize(
    ("content", "is_error"),
    [
        ({"object": "error"}, True),
        ({"type": "error"}, True),
        ({"type": "ping"}, False),
        ({"base_resp": {"status_code": 1008, "status_msg": "no"}}, True),
        ({"base_resp": {"status_code": 0, "status_msg": "ok"}}, False),
        ({"base_resp": {}}, False),
        ({"base_resp": "x"}, False),
        ({"errors": ["x"]}, True),
        ({"errors": []}, False),
        ({"message": ""}, False),
        ({"status_code": 0, "status_msg": "success"}, False),
        ({"error_code": 0, "error_msg": "OK"}, False),
        ({"message": "success", "detail": "said"}, True),
        ({"message": "said", "choices": []}, False),
        ({"message": "said", "choices": None}, True),
        ({"object": ["error"]}, False),
        ({"object": ["error"], "message": "said"}, True),
        ([], False),
        ("said", False),
    ],
)
def test_an_event_that_is_an_error(content: object, *, is_error: bool) -> None:
    assert error_of_event(json.dumps(content).encode())[0] == (content if is_error else None)
    assert error_of_event(b"{") == (None, False)


# --- what is shown of it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("a\nb", "a b"),
        ("key sk-abcdef is wrong", "key sk-… is wrong"),
        ("key SK-abcdef.ghi_jkl~m+n/o=p-q is wrong", "key SK-… is wrong"),
        ("key sk-abcde is short", "key sk-abcde is short"),
        ("Bearer abcdef!", "Bearer …!"),
        ("task-abcdefgh", "task-abcdefgh"),
        ("x" * MAX_SHOWN, "x" * MAX_SHOWN),
        ("x" * (MAX_SHOWN + 1), "x" * MAX_SHOWN + "…"),
    ],
)
def test_what_is_shown_is_clean_and_short(text: str, clean: str) -> None:
    assert shown(text) == clean


def test_what_holds_our_key_is_not_shown_at_all() -> None:
    held = Secret("sk-never-shown-0123456789abcdef", host="gateway.example")
    assert shown(f"wrong: {held.reveal()}") == ""
    hosts = error_body_of(403, {"your_hostnames": [held.reveal(), f"a.{held.reveal()}", "sk-odd.example", "a.example"]})
    assert hosts.hostnames == ("a.example",)


def test_a_name_beside_the_words_is_the_code() -> None:
    told = error_body_of(400, {"error": "invalid_grant", "error_description": "It has expired."})
    assert (told.message, told.code) == ("It has expired.", "invalid_grant")
    assert error_body_of(401, {"error": "unauthorized", "message": "No key.", "code": 401}).code == "401"


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (
            "<Error><Code>NoSuchKey</Code><Message>It isn't &lt;here&gt;.</Message></Error>",
            "NoSuchKey",
            "It isn't <here>.",
        ),
        ('<?xml version="1.0"?>\n<error><message xml:lang="en"> Too long </message></error>', None, "Too long"),
        ("<s:Envelope><s:Body><s:Fault><faultstring>Busy</faultstring></s:Fault></s:Body></s:Envelope>", None, "Busy"),
        ("<ams:fault><ams:code>900901</ams:code><ams:message>Bad key</ams:message></ams:fault>", "900901", "Bad key"),
        ("<html><body><message>Hello</message></body></html>", None, ""),
        ('<?xml version="1.0"?><!DOCTYPE html><html><code>x</code></html>', None, ""),
        ("<message></message>", None, ""),
        ("<message>" + " " * 3_000 + "</message>", None, ""),
    ],
)
def test_errors_in_xml_say_what_they_say(body: str, code: str | None, said: str) -> None:
    told = read_error_body(503, body.encode())
    assert (told.code, told.message, told.status) == (code, said, 503)
    assert read_error_body(None, body.encode()) == ErrorBody(None)
