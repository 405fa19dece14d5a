"""Errors as real servers write them: each becomes the error that it is, with the server's words and a next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.config import Endpoints
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter
from tetrate_jupyter.secret import Secret

from .conftest import DONE, STOP, RawRouter, Then, answer, chunked, event, read, stream_head, text_event, text_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tetrate_jupyter.types import Retrying

pytestmark = pytest.mark.anyio

SYSTEM = "This model takes no system message."
# kind: the error, what it quotes of the server, what its next step names, and how often is asked
KINDS: dict[str, tuple[type[errors.GatewayError], str, str, int]] = {
    "insufficient-quota": (errors.CreditsExhaustedError, "exceeded your current quota", "add credit", 1),
    "tokens-per-minute-bare": (errors.RateLimitError, "Too many tokens per minute", "wait", 3),
    "model-unknown-no-code": (errors.ModelUnavailableError, "does not exist", "%tetrate_models", 1),
    "model-unknown-numeric": (errors.ModelUnavailableError, "does not exist", "%tetrate_models", 1),
    "context-available-size": (errors.ContextTooLongError, "available context size", "shorten", 1),
    "error-array": (errors.RequestRejectedError, SYSTEM, "options", 1),
    "error-detail": (errors.RequestRejectedError, SYSTEM, "options", 1),
    "error-detail-list": (errors.RequestRejectedError, "body.messages: Field required", "options", 1),
    "error-list": (errors.RequestRejectedError, SYSTEM, "options", 1),
    "error-msg": (errors.RequestRejectedError, SYSTEM, "options", 1),
    "error-text": (errors.RequestRejectedError, SYSTEM, "options", 1),
    "error-plain-text": (errors.RequestRejectedError, SYSTEM, "options", 1),
    "error-named": (errors.RequestRejectedError, SYSTEM, "options", 1),
    "error-message-object": (errors.RequestRejectedError, SYSTEM, "options", 1),
    "error-xml": (errors.RequestRejectedError, 'takes no "system" message', "options", 1),
    "error-without-data": (errors.ProviderError, "overloaded", "ask again", 1),
    "error-in-choice": (errors.ProviderError, "The provider gave up.", "ask again", 1),
    "error-in-groq": (errors.StreamError, "The provider gave up.", "ask again", 1),
    "error-event": (errors.ProviderError, "Overloaded", "ask again", 1),
    "error-field": (errors.ProviderError, "The provider gave up.", "ask again", 1),
    "error-beside-no-choices": (errors.StreamError, "The provider gave up.", "ask again", 1),
    "other-api-messages": (errors.MalformedResponseError, "form of another API", "check the base URL", 1),
    "other-api-responses": (errors.MalformedResponseError, "form of another API", "check the base URL", 1),
    "other-api-lines": (errors.MalformedResponseError, "form of another API", "check the base URL", 1),
    "error-event-first": (errors.StreamError, "The provider gave up.", "ask again", 1),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT) as router:
        yield router


@pytest.fixture
async def asking(sandbox: SandboxRouter) -> AsyncIterator[GatewayClient]:
    client = GatewayClient(Endpoints.of(sandbox.base_url))
    yield client
    await client.aclose()


def question(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_is_the_error_that_it_is(sandbox: SandboxRouter, asking: GatewayClient, kind: str) -> None:
    expected, words, step, tries = KINDS[kind]
    before = len(sandbox.requests)
    key, body = Secret(sandbox.issue_key(), host=asking.endpoints.host), question(f"sandbox/fault-{kind}")
    with pytest.raises(errors.GatewayError) as caught:
        await read(asking, key, body)
    assert type(caught.value) is expected
    assert words in caught.value.message
    assert step in caught.value.next_step
    assert len(sandbox.requests) - before == tries


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            429,
            {"error": {"message": "Budget has been exceeded!", "type": "budget_exceeded"}},
            errors.BudgetExceededError,
        ),
        (404, {"error": {"code": "DeploymentNotFound", "message": "No such thing."}}, errors.ModelUnavailableError),
        (403, {"message": "You don't have access to the model with this ID."}, errors.ModelUnavailableError),
        (404, {"error": {"message": "No endpoints found matching your data policy"}}, errors.ModelUnavailableError),
        (403, {"error": "Your newly created team doesn't have any credits yet."}, errors.CreditsExhaustedError),
        (400, {"error": {"message": "Your request exceeded model token limit: 8192"}}, errors.ContextTooLongError),
    ],
)
async def test_what_other_servers_say_is_taken_for_what_it_is_and_asked_once(
    router: RawRouter, client: GatewayClient, status: int, body: object, expected: type[errors.TetrateError]
) -> None:
    router.will_answer(status, body)
    with pytest.raises(errors.TetrateError) as caught:
        await read(client, router.key)
    assert type(caught.value) is expected
    assert len(router.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "message": {"role": "assistant", "content": "One"}, "done": True},
        {"type": "message", "content": [{"type": "text", "text": "One"}]},
        {"candidates": [{"content": {"parts": [{"text": "One"}]}}]},
        {"object": "response", "output": [{"type": "message"}]},
        {"model": "m", "response": "One", "done": True},
    ],
)
async def test_a_whole_answer_of_another_api_is_no_error_of_that_text(
    router: RawRouter, client: GatewayClient, body: object
) -> None:
    router.will_answer(200, body)
    with pytest.raises(errors.MalformedResponseError, match="form of another API"):
        await read(client, router.key)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x50\r\n\r\n",  # a TLS server's alert
    ],
)
async def test_an_answer_that_is_no_http_is_asked_for_once(
    router: RawRouter, client: GatewayClient, head: bytes
) -> None:
    router.will(head, Then.CLOSE)
    with pytest.raises(errors.MalformedResponseError, match="no valid HTTP") as caught:
        await read(client, router.key)
    assert "check the base URL" in caught.value.next_step
    assert len(router.requests) == 1


async def test_a_stream_whose_framing_breaks_keeps_its_text_and_one_that_ends_is_cut(
    router: RawRouter, client: GatewayClient
) -> None:
    for rest, expected in ((b"no size\r\n", errors.MalformedResponseError), (b"ff\r\nx", errors.StreamCutError)):
        router.scripts.clear()
        router.will(stream_head(), chunked(text_event("One")), rest, Then.CLOSE)
        async with client.stream(router.key, question("m-1")) as stream:
            first = await anext(stream)
            assert first.delta is not None
            assert first.delta.content == "One"
            with pytest.raises(errors.TetrateError) as caught:
                await anext(stream)
        assert type(caught.value) is expected


async def test_a_page_where_a_key_was_refused_names_the_key_too(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(401, "<html>401 Authorization Required</html>", {"content-type": "text/html"})
    with pytest.raises(errors.MalformedResponseError) as caught:
        await read(client, router.key)
    assert "%tetrate_login" in caught.value.next_step


@pytest.mark.parametrize(
    ("sent", "expected", "words"),
    [
        (b"OK", errors.MalformedResponseError, "isn't the API's JSON"),
        (b"", errors.StreamCutError, "cut off"),
        (b": waiting\n\n", errors.StreamCutError, "cut off"),
        (b"data: {}\n\ndata: null\n\n", errors.StreamCutError, "cut off"),
        (b'data: {"type":"a"}\n\ndata: {"choices":[]}\n\ndata: {"type":"b"}\n\n', errors.StreamCutError, "cut off"),
        (b'data: {"type":"a"}\n\ndata: {}\n\n', errors.MalformedResponseError, "another API"),
    ],
)
async def test_a_stream_in_which_nothing_came_is_told_from_one_of_another_api(
    router: RawRouter, client: GatewayClient, sent: bytes, expected: type[errors.TetrateError], words: str
) -> None:
    router.will_stream(*([sent] if sent else []))
    with pytest.raises(errors.TetrateError, match=words) as caught:
        await read(client, router.key)
    assert type(caught.value) is expected


@pytest.mark.parametrize("words", [{"message": "queued"}, {"detail": "x"}, {"title": "t"}, {"reason": "routed"}])
async def test_words_are_an_error_only_where_nothing_of_the_answer_follows(
    router: RawRouter, client: GatewayClient, words: dict[str, str]
) -> None:
    router.will_stream(event(**words), text_event("One"), STOP, event(**words), DONE)
    assert text_of(await read(client, router.key)) == "One"
    router.scripts.clear()
    router.will_stream(text_event("One"), event(**words), text_event("Two"), DONE)  # no reason, but the end mark
    assert text_of(await read(client, router.key)) == "OneTwo"
    for rest in ((), (DONE,), (Then.RESET,)):
        router.scripts.clear()
        router.will_stream(text_event("One"), event(**words), *rest, end=not rest)
        with pytest.raises(errors.StreamError, match=f": {next(iter(words.values()))}\n") as caught:
            await read(client, router.key)
        assert type(caught.value) is errors.StreamError


async def test_an_error_without_its_frame_after_a_whole_answer_is_none_of_it(
    router: RawRouter, client: GatewayClient
) -> None:
    router.will_stream(text_event("One"), STOP, event(object="error", message="late"), event(fault={"x": 1}), DONE)
    assert text_of(await read(client, router.key)) == "One"


async def test_all_choices_of_one_number_are_the_answer(router: RawRouter, client: GatewayClient) -> None:
    said = [
        {"index": 0, "delta": {"content": "a"}},
        {"delta": {"content": "b"}},
        {"index": 1, "delta": {"content": "x"}},
    ]
    router.will_stream(event(choices=said), STOP, DONE)
    assert text_of(await read(client, router.key)) == "ab"


@pytest.mark.parametrize(
    "beside", [b'"message":"fine"', b'"base_resp":{"status_code":0,"status_msg":"success"}', b'"detail":"x"']
)
async def test_words_beside_an_empty_list_of_choices_are_no_error(
    router: RawRouter, client: GatewayClient, beside: bytes
) -> None:
    router.will_stream(b'data: {"choices":[],' + beside + b"}\n\n", text_event("One"), STOP, DONE)
    assert text_of(await read(client, router.key)) == "One"


@pytest.mark.parametrize("error", [{"code": 502, "message": "The provider gave up."}, "The provider gave up."])
async def test_an_error_in_the_choice_of_a_whole_answer_is_that_error(
    router: RawRouter, client: GatewayClient, error: object
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "error", "error": error}
    router.will_answer(200, {"choices": [choice]})
    with pytest.raises(errors.ProviderError, match=r"The provider gave up\."):
        await read(client, router.key)


@pytest.mark.parametrize("error", [None, "", {}, {"code": None, "message": ""}])
async def test_an_error_in_the_choice_that_says_nothing_is_none(
    router: RawRouter, client: GatewayClient, error: object
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "One"}, "finish_reason": "stop", "error": error}
    router.will_answer(200, {"choices": [choice], "x_groq": {"id": "req_1", "error": error}})
    assert [chunk.delta.content for chunk in await read(client, router.key)] == ["One"]


class HeardError(Exception):
    pass


async def test_a_limit_of_tokens_is_waited_for_as_long_as_it_says(
    sandbox: SandboxRouter, asking: GatewayClient
) -> None:
    async def hear(event: Retrying) -> None:
        assert "tokens per minute (TPM)" in event.reason
        assert event.seconds == 6
        raise HeardError

    key = Secret(sandbox.issue_key(), host=asking.endpoints.host)
    with pytest.raises(HeardError):
        await asking.stream(key, question("sandbox/fault-tokens-per-minute"), on_retry=hear).__aenter__()


def nested(message: str, **members: Any) -> dict[str, Any]:
    return {"error": {"message": message, **members}}


QUOTA = "You exceeded your current quota, please check your plan and billing details."
# status, body, the error that it is, and what of it is quoted
WORDED: list[tuple[int, object, type[errors.GatewayError], str]] = [
    (429, nested(QUOTA), errors.CreditsExhaustedError, QUOTA),
    (429, nested(f"{QUOTA} Please retry in 34.2s.", status="RESOURCE_EXHAUSTED"), errors.RateLimitError, "34.2s"),
    (400, nested("Your credit balance is too low to access the API."), errors.CreditsExhaustedError, "too low"),
    (403, nested("Insufficient balance", code="insufficient_balance"), errors.CreditsExhaustedError, "balance"),
    (400, nested("Too many tokens per minute."), errors.RateLimitError, "per minute"),
    (413, nested("Request too large on tokens per minute (TPM): Limit 6000."), errors.RateLimitError, "TPM"),
    (400, nested("Too many input tokens: 9000 > 4096"), errors.ContextTooLongError, "9000"),
    (500, nested("the request exceeds the available context size"), errors.ContextTooLongError, "available"),
    (404, nested("model 'm-1' not found, try pulling it first"), errors.ModelUnavailableError, "pulling"),
    (404, nested("No endpoints found for m-1."), errors.ModelUnavailableError, "endpoints"),
    (400, nested("m-1 is not a valid model ID"), errors.ModelUnavailableError, "valid model"),
    (404, {"detail": "Not Found"}, errors.NotFoundError, "Not Found"),
    (400, nested("This model does not support images."), errors.RequestRejectedError, "images"),
    (400, nested("API key not valid. Please pass a valid API key."), errors.InvalidKeyError, "not valid"),
    (422, {"detail": [{"loc": ["body", "n"], "msg": "bad"}]}, errors.RequestRejectedError, "body.n: bad"),
    (400, {"errors": ["first", "second"]}, errors.RequestRejectedError, "first"),
    (400, {"detail": {"error": {"message": "inner"}}}, errors.RequestRejectedError, "inner"),
    (
        400,
        nested('{"error": {"message": "the provider said no"}}'),
        errors.RequestRejectedError,
        ": the provider said no",
    ),
    (
        403,
        {"code": 30001, "message": "Sorry, your account balance is insufficient"},
        errors.CreditsExhaustedError,
        "Sorry",
    ),
    (412, nested("Account suspended: monthly spending limit"), errors.CreditsExhaustedError, "suspended"),
    (200, {"base_resp": {"status_msg": "insufficient balance"}}, errors.CreditsExhaustedError, "insufficient balance"),
    (200, {"error_code": 17, "error_msg": "Daily limit reached"}, errors.ProviderError, "Daily limit reached"),
    (429, nested("used all available credits. Retry in 2 s", retry_after=60), errors.RateLimitError, "Retry"),
    (422, nested("`inputs` tokens + `max_new_tokens` must be <= 4097."), errors.ContextTooLongError, "4097"),
    (422, nested("`inputs` must have less than 4095 tokens. Given: 5000"), errors.ContextTooLongError, "4095"),
    (422, nested("`inputs` must be a string or a list"), errors.RequestRejectedError, "a string"),
    (400, {"message": "Range of input length should be [1, 30720]"}, errors.ContextTooLongError, "30720"),
    (400, nested("Filtered by the content management policy."), errors.RequestRejectedError, "for what it says: Filt"),
    (403, nested("Your input was flagged"), errors.RequestRejectedError, "refuses this prompt for what it says: Your"),
    (
        400,
        [{"error": {"code": 400, "message": "Bad key.", "details": [{"reason": "API_KEY_INVALID"}]}}],
        errors.InvalidKeyError,
        "Bad key.",
    ),
    (400, b"\xef\xbb\xbf" + b'{"message": "marked"}', errors.RequestRejectedError, ": marked"),
    (400, b'data: {"error": {"message": "streamed"}}\n\n', errors.RequestRejectedError, ": streamed"),
    (503, b"upstream connect error", errors.ProviderError, "upstream connect error"),
]


@pytest.mark.parametrize("case", WORDED)
async def test_other_words_for_the_same(
    router: RawRouter,
    client: GatewayClient,
    case: tuple[int, object, type[errors.GatewayError], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, body, expected, words = case
    monkeypatch.setattr("tetrate_jupyter.config.RETRY_BASE", 0.001)
    monkeypatch.setattr("tetrate_jupyter.config.RETRY_AFTER_CAP", 0.0)
    router.will(answer(status, body))
    with pytest.raises(errors.GatewayError) as caught:
        await read(client, router.key)
    assert type(caught.value) is expected
    assert words in caught.value.message
    assert caught.value.next_step
    if not isinstance(caught.value, (errors.ProviderError, errors.RateLimitError)):
        assert len(router.requests) == 1


async def test_a_404_where_chat_has_worked_is_about_the_model(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(404).will_stream(text_event("Hi."), DONE).will_answer(404)
    with pytest.raises(errors.NotFoundError) as before:
        await read(client, router.key)
    assert type(before.value) is errors.NotFoundError
    await read(client, router.key)
    with pytest.raises(errors.ModelUnavailableError):
        await read(client, router.key)


@pytest.mark.parametrize(
    ("body", "expected", "words"),
    [
        (event(object="error", message="The engine died.", code=500), errors.ProviderError, "The engine died."),
        (event(detail="The engine died."), errors.StreamError, "The engine died."),
        (b'[{"error": {"code": 429, "message": "slow down"}}]\n\n', errors.RateLimitError, "slow down"),
        (b"event: error\n\n", errors.StreamCutError, ""),
        (b'event: error\ndata: {"message": "gone", "code": 503}\n\n', errors.ProviderError, "gone"),
    ],
)
async def test_an_error_in_a_stream_under_any_name(
    router: RawRouter, client: GatewayClient, body: bytes, expected: type[errors.GatewayError], words: str
) -> None:
    router.will_stream(text_event("One, "), body)
    with pytest.raises(errors.GatewayError) as caught:
        await read(client, router.key)
    assert isinstance(caught.value, (expected, errors.StreamError))
    assert words in caught.value.message


async def test_other_events_are_no_errors(router: RawRouter, client: GatewayClient) -> None:
    other = b'event: info\ndata: {"type": "info"}\n\n'
    router.will_stream(other, text_event("Hi."), event(status="fine"), DONE)
    assert len(await read(client, router.key)) == 3


@pytest.mark.parametrize("status", [401, 403])
async def test_a_catalog_that_cant_be_read_is_not_about_the_key(
    router: RawRouter, client: GatewayClient, status: int
) -> None:
    router.will_answer(status, nested("Unauthorized"))
    with pytest.raises(errors.ForbiddenError) as caught:
        await client.catalog()
    assert "no key was sent" in caught.value.message
    assert "sign in" not in caught.value.next_step


@pytest.mark.parametrize("status", [401, 402, 403, 429, 500])
async def test_a_server_that_isnt_ours_gets_no_pages_of_ours(
    router: RawRouter, client: GatewayClient, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tetrate_jupyter.config.RETRY_BASE", 0.001)
    router.will_answer(status, nested("no"))
    with pytest.raises(errors.GatewayError) as caught:
        await read(client, router.key)
    assert "http://" not in str(caught.value)
    assert "status shows" not in str(caught.value)


async def test_the_sandbox_has_its_pages(sandbox: SandboxRouter, asking: GatewayClient) -> None:
    key = Secret(sandbox.issue_key(), host=asking.endpoints.host)
    with pytest.raises(errors.CreditsExhaustedError) as caught:
        await read(asking, key, question("sandbox/fault-no-credits"))
    assert f"{sandbox.auth_url}/billing" in caught.value.next_step
    assert caught.value.message.lower().count("credit") == 2  # the server's own words, and nothing of ours before
