"""What a client sends with each call, and what it does on another loop, after a refusal, and when it is stopped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter import config, errors
from tetrate_jupyter.http.client import GatewayClient
from tetrate_jupyter.secret import Secret

from .conftest import DONE, KEY_TEXT, QUESTION, STOP, Then, answer, read, text_event

if TYPE_CHECKING:
    from .conftest import RawRouter

pytestmark = pytest.mark.anyio
OTHER = "sk-another-key-0123456789abcdef"


async def test_each_call_says_who_asks_and_takes_nothing_compressed(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, {"data": []}, {"set-cookie": "a=b"}).will_stream(text_event("Hi."), STOP, DONE)
    router.will_answer(200, {"key": KEY_TEXT})
    await client.models(router.key)
    await read(client, router.key)
    await client.exchange("code-0123456789", "verifier-0123456789")
    models, chat, exchange = (request.headers for request in router.requests)
    for sent in (models, chat, exchange):
        assert sent["user-agent"] == sent["x-title"] == config.CLIENT_NAME
        assert sent["accept-encoding"] == "identity"
        assert "cookie" not in sent
    assert models["accept"] == exchange["accept"] == "application/json"
    assert chat["accept"] == "text/event-stream, application/json"
    assert chat["content-type"] == exchange["content-type"] == "application/json"
    assert "content-type" not in models
    assert models["authorization"] == chat["authorization"] == f"Bearer {KEY_TEXT}"
    assert [request.path for request in router.requests][:2] == ["/v1/models", "/v1/chat/completions"]
    assert len({sent["x-request-id"] for sent in (models, chat, exchange)}) == 3


async def test_a_question_is_sent_when_its_block_is_entered(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(text_event("Hi."), STOP, DONE)
    stream = client.stream(router.key, QUESTION)
    assert not stream.was_sent
    assert (stream.attempts, stream.dropped_fields, stream.simulated) == (0, (), False)
    async with stream:
        assert stream.was_sent
        assert (stream.attempts, stream.dropped_fields, stream.simulated) == (1, (), False)
    assert stream.request_id == router.requests[0].headers["x-request-id"]


async def test_a_missing_route_is_about_the_address_only_before_it_has_answered(
    router: RawRouter, client: GatewayClient
) -> None:
    gone = answer(404, "nothing here", {"content-type": "text/plain"})
    router.will(gone).will_stream(text_event("Hi."), STOP, DONE).will(gone)
    with pytest.raises(errors.NotFoundError) as first:
        await read(client, router.key)
    await read(client, router.key)
    with pytest.raises(errors.NotFoundError) as later:
        await read(client, router.key)
    assert (first.value.message, first.value.next_step) != (later.value.message, later.value.next_step)
    assert "base URL" in first.value.next_step
    assert "base URL" not in later.value.next_step


async def test_after_a_refusal_another_key_is_tried_once(router: RawRouter) -> None:
    refused: list[Secret] = []

    async def look_again(key: Secret) -> Secret:
        refused.append(key)
        return Secret(OTHER, host=router.endpoints.host)

    client = GatewayClient(router.endpoints, after_refusal=look_again)
    router.will_answer(401, {}).will_answer(200, {"data": []}).will_answer(401, {})
    assert await client.models(router.key) == []
    assert [request.headers["authorization"] for request in router.requests] == [
        f"Bearer {KEY_TEXT}", f"Bearer {OTHER}",
    ]  # fmt: skip
    with pytest.raises(errors.InvalidKeyError):
        await client.models(router.key)
    assert len(router.requests) == 4
    assert refused == [router.key, router.key]
    await client.aclose()


@pytest.mark.parametrize("kind", ["none", "another host's", "in the body", "an error"])
async def test_a_key_that_does_not_fit_is_not_tried(router: RawRouter, kind: str) -> None:
    quoted = "sk-quoted-before-it-was-a-key-0123456789"

    async def look_again(_: Secret) -> Secret | None:
        if kind == "an error":
            raise errors.ConfigError("no keys", next_step="-")
        host = "other.example" if kind == "another host's" else router.endpoints.host
        return None if kind == "none" else Secret(quoted if kind == "in the body" else OTHER, host=host)

    client = GatewayClient(router.endpoints, after_refusal=look_again)
    router.will_answer(401, {})
    asked = {**QUESTION, "messages": [{"role": "user", "content": quoted if kind == "in the body" else "hello"}]}
    with pytest.raises(errors.ConfigError if kind == "an error" else errors.InvalidKeyError):
        await read(client, router.key, asked)
    assert len(router.requests) == 1
    await client.aclose()


async def test_a_stopped_exchange_is_a_cancel_with_its_reason(router: RawRouter, client: GatewayClient) -> None:
    router.will(Then.HANG)
    task = asyncio.ensure_future(client.exchange("code-0123456789", "verifier-0123456789"))
    await router.arrived.wait()
    task.cancel("stopped by a person")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_client_whose_loop_has_ended_works_on_another(router: RawRouter, client: GatewayClient) -> None:
    router.will_answer(200, {"data": []}, {"connection": "close"})  # so that the ended loop leaves none open

    def elsewhere() -> list[object]:
        return list(asyncio.run(client.models(router.key)))

    assert await asyncio.to_thread(elsewhere) == []
    assert await client.models(router.key) == []
    assert len(router.requests) == 2
