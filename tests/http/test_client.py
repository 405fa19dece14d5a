"""Short calls, retries, the exchange and the rules about keys, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import json
import warnings
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter import config, errors
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.secret import Secret

from .conftest import DONE, KEY_TEXT, QUESTION, STOP, Then, answer, chunked, read, stream_head, text_event, text_of

if TYPE_CHECKING:
    from tetrate_jupyter.types import Retrying

    from .conftest import RawRouter

pytestmark = pytest.mark.anyio


# --- the key's models ----------------------------------------------------------------------------------------


async def test_models_come_typed_with_prices_as_decimals(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, {"data": [{"id": "a", "input_price": "0.000002", "new_field": 1}, {"id": "b"}]})
    first, second = await client.models(router.key)
    assert (first.id, first.input_price) == ("a", Decimal("0.000002"))
    assert (second.id, second.input_price) == ("b", None)
    assert router.requests[0].headers["authorization"] == f"Bearer {KEY_TEXT}"


async def test_one_odd_field_never_hides_a_model(router: RawRouter, client: GatewayClient) -> None:
    odd = [{"id": "a", "context_window": "128000", "input_price": ""}, {"id": 5}, None, {"id": "b"}, {"id": ""}]
    router.will_answer(200, {"data": odd})
    found = await client.models(router.key)
    assert [(m.id, m.context_window, m.input_price) for m in found] == [("a", 128000, None), ("b", None, None)]


async def test_an_empty_list_is_a_list(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, {"data": []})
    assert await client.models(router.key) == []


@pytest.mark.parametrize("body", ["", "[]", '{"models": []}', '{"data": 3}', '{"data": [{}]}', "{"])
async def test_what_is_no_list_of_models_is_malformed(router: RawRouter, client: GatewayClient, body: str) -> None:
    router.will_answer(200, body)
    with pytest.raises(errors.MalformedResponseError):
        await client.models(router.key)


async def test_an_error_with_status_200_is_that_error(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, {"error": {"code": 401, "message": "bad key"}})
    with pytest.raises(errors.InvalidKeyError):
        await client.models(router.key)


async def test_the_models_have_one_bound_for_all_tries(router: RawRouter, hasty: GatewayClient) -> None:
    router.will_answer(503, {}, {"retry-after": "5"})
    with pytest.raises(errors.GatewayTimeoutError) as caught:
        await hasty.models(router.key)
    assert caught.value.phase == "whole"


async def test_a_body_without_end_is_given_up(
    router: RawRouter, client: GatewayClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = stream_head(content_type="application/json")
    router.will(endless, *[chunked(b" " * 2**20)] * (config.MAX_LIST_BYTES // 2**20 + 1), Then.HANG)
    with pytest.raises(errors.MalformedResponseError):
        await client.models(router.key)
    await router.hung_up.wait()


# --- retries -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [answer(503, {}), answer(429, {}, {"retry-after": "0"}), answer(529, {}), Then.CLOSE, Then.RESET],
    ids=["503", "429", "529", "closed", "reset"],
)
async def test_trouble_before_the_stream_opens_is_tried_again(
    router: RawRouter, client: GatewayClient, first: Any
) -> None:
    router.will(first).will_stream(text_event("a"), STOP, DONE)
    told: list[Retrying] = []

    async def hear(event: Retrying) -> None:
        told.append(event)

    async with client.stream(router.key, QUESTION, on_retry=hear) as stream:
        assert text_of([chunk async for chunk in stream]) == "a"
    assert stream.attempts == 2
    assert [t.attempt for t in told] == [2]
    assert told[0].reason
    assert len({r.headers["x-request-id"] for r in router.requests}) == 1


async def test_after_three_tries_the_error_is_told(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(500, {"error": {"message": "boom"}}, {"retry-after": "0"})
    with pytest.raises(errors.ProviderError, match="boom"):
        await read(client, router.key)
    assert len(router.requests) == config.CHAT_ATTEMPTS


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (400, {}),
        (401, {}),
        (402, {}),
        (429, {"x-tars-budget-action": "block"}),
        (429, {"retry-after": "60"}),
        (302, {}),
    ],
)
async def test_a_clear_no_is_asked_once(
    router: RawRouter, client: GatewayClient, status: int, headers: dict[str, str]
) -> None:
    router.will_answer(status, {}, headers)
    with pytest.raises(errors.GatewayError):
        await read(client, router.key)
    assert len(router.requests) == 1


async def test_an_error_sent_as_200_is_retried_like_its_status(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, {"error": {"code": 503, "message": "x", "metadata": {"retry_after_seconds": 0}}})
    router.will_stream(text_event("a"), STOP, DONE)
    assert text_of(await read(client, router.key)) == "a"


async def test_once_the_stream_is_open_nothing_is_tried_again(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(Then.RESET)
    with pytest.raises(errors.StreamCutError):
        await read(client, router.key)
    assert len(router.requests) == 1


async def test_a_cancel_while_waiting_for_the_next_try_is_a_cancel(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(503, {}, {"retry-after": "9"})
    waiting = asyncio.Event()

    async def hear(_: Retrying) -> None:
        waiting.set()

    async def ask() -> None:
        async with client.stream(router.key, QUESTION, on_retry=hear):
            pass

    task = asyncio.ensure_future(ask())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(router.requests) == 1


# --- an answer in one piece ----------------------------------------------------------------------------------


async def test_a_whole_answer_comes_with_what_came_beside_it(router: RawRouter, client: GatewayClient) -> None:
    body = {"model": "m-2", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": {}}
    router.will_answer(503, {}, {"retry-after": "0"}).will_answer(200, body, {"x-tars-dropped-fields": "seed"})
    async with client.stream(router.key, QUESTION) as stream:
        (found,) = [chunk async for chunk in stream]
    assert (found.model, text_of([found])) == ("m-2", "hi")
    assert stream.dropped_fields == ("seed",)
    assert stream.attempts == 2
    assert stream.request_id == router.requests[0].headers["x-request-id"]
    assert router.requests[0].json == {**QUESTION, "stream": True}


async def test_a_whole_answer_has_a_bound(router: RawRouter, hasty: GatewayClient) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n"
    router.will(head + b'{"choices": [', Then.HANG)
    with pytest.raises(errors.GatewayTimeoutError):
        await read(hasty, router.key)
    await router.hung_up.wait()


# --- the catalog ---------------------------------------------------------------------------------------------


def page(*ids: str, **members: Any) -> dict[str, Any]:
    return {"models": [{"model": i, "inputTokensPricePer1M": "4.0000000000"} for i in ids], **members}


async def test_the_catalog_is_read_page_by_page_and_without_a_key(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, page("a", "b", totalPages=3))
    router.will_answer(200, page("c", totalPages=3)).will_answer(200, page("d", totalPages=3))
    found = await client.catalog()
    assert [m.id for m in found] == ["a", "b", "c", "d"]
    assert found[0].input_price == Decimal(4)
    assert [r.path for r in router.requests] == [
        "/api/public/models?limit=500",
        "/api/public/models?limit=500&page=2",
        "/api/public/models?limit=500&page=3",
    ]
    assert all("authorization" not in r.headers for r in router.requests)


async def test_without_a_page_count_there_is_one_page(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, page("a"))
    assert len(await client.catalog()) == 1
    assert len(router.requests) == 1


async def test_no_more_than_ten_pages_are_read(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, page("a", totalPages=1000))
    assert len(await client.catalog()) == config.CATALOG_MAX_PAGES


async def test_a_page_that_fails_voids_the_whole_catalog(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, page("a", totalPages=2)).will_answer(500, {})
    with pytest.raises(errors.ProviderError):
        await client.catalog()


async def test_the_catalog_has_one_bound_for_all_pages(router: RawRouter, hasty: GatewayClient) -> None:
    router.will_answer(200, page("a", totalPages=2)).will(Then.HANG)
    with pytest.raises(errors.GatewayTimeoutError):
        await hasty.catalog()
    await router.hung_up.wait()


# --- status --------------------------------------------------------------------------------------------------


async def test_the_status_tells_what_was_seen(router: RawRouter, client: GatewayClient) -> None:
    providers = [{"name": "openai", "reachable": None}, {"name": "xai", "reachable": False, "last_failure_code": 529}]
    router.will_answer(200, {"replica": "r1", "observed_only": True, "providers": providers})
    report = await client.status(router.key)
    assert report is not None
    assert [(p.name, p.reachable, p.last_failure_code) for p in report.providers] == [
        ("openai", None, None),
        ("xai", False, 529),
    ]


@pytest.mark.parametrize("body", ["", "<html>", {"error": {"message": "Unsupported endpoint"}}])
async def test_an_older_gateway_has_no_status(router: RawRouter, client: GatewayClient, body: Any) -> None:
    router.will_answer(404, body)
    assert await client.status(router.key) is None


async def test_a_status_that_fails_is_an_error(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(500, {})
    with pytest.raises(errors.ProviderError):
        await client.status(router.key)


# --- the exchange --------------------------------------------------------------------------------------------

CODE, VERIFIER = "code-0123456789", "verifier-0123456789"


async def test_a_code_becomes_a_key_bound_to_this_gateway(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, {"key": KEY_TEXT, "other": 1})
    key = await client.exchange(CODE, VERIFIER)
    assert key == router.key
    (request,) = router.requests
    assert request.path == "/api/api-keys/verify"
    assert request.json == {"code": CODE, "code_verifier": VERIFIER}
    assert "authorization" not in request.headers


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
async def test_a_code_the_router_refuses(router: RawRouter, client: GatewayClient, status: int) -> None:
    router.will_answer(status, {"error": f"bad code {CODE}"})
    with pytest.raises(errors.CodeRejectedError) as caught:
        await client.exchange(CODE, VERIFIER)
    assert "%tetrate_login" in caught.value.next_step
    assert caught.value.request_id == router.requests[0].headers["x-request-id"]


@pytest.mark.parametrize(
    "script",
    [
        (answer(500, {"error": f"{CODE} {VERIFIER} {KEY_TEXT}"}),),
        (answer(503, {}, {"retry-after": "0"}),),
        (answer(429, {}),),
        (answer(302, b"", {"location": "https://x.example/"}),),
        (answer(403, "<html>proxy", {"content-type": "text/html"}),),
        (answer(404, "<html>none", {"content-type": "text/html"}),),
        (answer(200, "<html>", {"content-type": "text/html"}),),
        (answer(200, {}),),
        (answer(200, {"key": ""}),),
        (answer(200, {"key": None}),),
        (answer(200, {"key": f"{KEY_TEXT}\r\nX-Evil: 1"}),),
        (answer(200, {"key": "sk-with-ümlaut"}),),
        (answer(200, {"key": "x" * 5000}),),
        (answer(200, f'{{"key": "{KEY_TEXT}"'),),
        (Then.CLOSE,),
        (Then.RESET,),
        (Then.HANG,),
        (answer(200, {"key": KEY_TEXT})[:-3], Then.HANG),
        (b"not http\r\n\r\n", Then.CLOSE),
    ],
)
async def test_an_exchange_that_fails_otherwise_is_tried_once_and_tells_no_secret(
    router: RawRouter, client: GatewayClient, hasty: GatewayClient, script: tuple[Any, ...]
) -> None:
    router.will(*script)
    chosen = hasty if Then.HANG in script else client  # a busy machine may take a fifth of a second to answer
    with pytest.raises(errors.ExchangeError) as caught:
        await chosen.exchange(CODE, VERIFIER)
    assert len(router.requests) == 1
    assert caught.value.__context__ is None
    for secret in (CODE, VERIFIER, KEY_TEXT):
        assert secret not in str(caught.value) + repr(vars(caught.value))


async def test_an_address_without_a_sign_in_is_no_refused_code(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(404, b"<html>Not Found", {"content-type": "text/html; charset=utf-8"})
    with pytest.raises(errors.ExchangeError, match="There is no sign-in at") as caught:
        await client.exchange(CODE, VERIFIER)
    assert "TETRATE_AUTH_URL" in caught.value.next_step


# --- keys and hosts ------------------------------------------------------------------------------------------


async def test_a_key_of_another_host_is_never_sent(router: RawRouter, client: GatewayClient) -> None:
    other = Secret(KEY_TEXT, host="other.example")
    with pytest.raises(errors.KeyHostError, match=r"other\.example"):
        client.stream(other, QUESTION)
    for call in (client.models(other), client.status(other)):
        with pytest.raises(errors.KeyHostError):
            await call
    assert router.connections == 0


@pytest.mark.parametrize("text", ["", "two words", "line\nend", "sk-ümlaut", "sk-\x00", "sk-é\u202e"])
async def test_a_key_that_no_header_can_hold_is_never_sent(router: RawRouter, client: GatewayClient, text: str) -> None:
    with pytest.raises(errors.InvalidKeyError) as caught:
        await client.models(Secret(text, host=router.endpoints.host))
    assert not text or text not in str(caught.value)
    assert router.connections == 0


async def test_a_redirect_is_not_followed(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(307, {}, {"location": f"http://127.0.0.1:{router.port}/elsewhere"})
    with pytest.raises(errors.MalformedResponseError, match="redirected the request"):
        await read(client, router.key)
    assert len(router.requests) == 1


@pytest.mark.parametrize("value", [object(), {1, "a", b"\xff", object}, "\ud800", lambda: 0])
async def test_a_value_that_json_cannot_hold_is_an_option_error(
    router: RawRouter, client: GatewayClient, value: object
) -> None:
    with pytest.raises(errors.OptionError) as caught:
        client.stream(router.key, {**QUESTION, "seed": value})
    assert caught.value.__context__ is None
    assert router.connections == 0


# --- the client itself ---------------------------------------------------------------------------------------


async def test_a_proxy_in_the_environment_is_not_used_for_this_machine(
    router: RawRouter, client: GatewayClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    router.will_stream(text_event("a"), STOP, DONE)
    assert text_of(await read(client, router.key)) == "a"


async def test_a_proxy_in_the_environment_is_used_for_other_hosts(
    router: RawRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{router.port}")
    router.will_stream(text_event("through"), STOP, DONE)
    endpoints = config.Endpoints.of("http://gateway.example/v1", allow_http=True)
    client = GatewayClient(endpoints)
    assert text_of(await read(client, Secret(KEY_TEXT, host=endpoints.host))) == "through"
    assert router.requests[0].path == "http://gateway.example/v1/chat/completions"
    await client.aclose()


async def test_one_client_serves_one_loop(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, {"data": []})
    await client.models(router.key)

    def elsewhere() -> None:
        asyncio.run(client.models(router.key))  # type: ignore[arg-type]

    with pytest.raises(errors.BridgeError):
        await asyncio.to_thread(elsewhere)


async def test_a_closed_client_can_be_used_again(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, {"data": []})
    await client.models(router.key)
    await client.aclose()
    assert await client.models(router.key) == []
    assert router.connections == 2


@pytest.mark.parametrize("steps", range(1, 8))
async def test_a_client_that_is_closed_while_it_connects_leaves_no_connection(router: RawRouter, steps: int) -> None:
    router.will_answer(200, {"data": []})
    client = GatewayClient(router.endpoints)
    asked = asyncio.ensure_future(client.models(router.key))
    for _ in range(steps):  # each is one more step of the call
        await asyncio.sleep(0)
    await client.aclose()
    with pytest.raises(errors.UnreachableError, match="no longer connected"):
        await asked
    await asyncio.sleep(0)
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always")
        del client, asked
        gc.collect()
    assert [str(each.message) for each in left] == []


async def test_calls_leave_no_task_behind(router: RawRouter, hasty: GatewayClient) -> None:
    before = asyncio.all_tasks()
    router.will_stream(text_event("a"), Then.HANG)
    with pytest.raises(errors.StreamStalledError):
        await read(hasty, router.key)
    await router.hung_up.wait()
    mine = {t for t in asyncio.all_tasks() - before if "serve" not in repr(t)}
    assert mine == set()


async def test_json_of_a_question_arrives_as_it_was(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(STOP, DONE)
    prompt = 'é "quoted" \u2028 \x00 {name} 😀'
    await read(client, router.key, {"model": "m", "messages": [{"role": "user", "content": prompt}], "top_p": 0.1})
    assert json.loads(router.requests[0].body)["messages"][0]["content"] == prompt
