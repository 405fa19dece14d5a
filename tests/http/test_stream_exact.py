"""What a stream holds itself to: which chunks are the answer, which events are errors, how long it is listened to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.http import stream
from tetrate_jupyter.http.client import GatewayClient, Timeouts

from .conftest import DONE, QUESTION, STOP, USAGE, RawRouter, Then, event, read, text_event, text_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tetrate_jupyter.http.chunks import ChatChunk

pytestmark = pytest.mark.anyio
PING = b": ping\n\n"


class Pause(asyncio.Event):
    """What a server does between two pieces."""

    def __init__(self, seconds: float = 0.6) -> None:
        super().__init__()
        self._seconds = seconds

    async def wait(self) -> bool:  # type: ignore[override]
        await asyncio.sleep(self._seconds)
        return True


@pytest.fixture
async def patient(router: RawRouter) -> AsyncIterator[GatewayClient]:
    client = GatewayClient(router.endpoints, timeouts=Timeouts(first_output=900, between_chunks=900))
    yield client
    await client.aclose()


def of(index: int, text: str, reason: str | None = None) -> bytes:
    return event(choices=[{"index": index, "delta": {"content": text}, "finish_reason": reason}])


async def fails(router: RawRouter, client: GatewayClient, kind: type[errors.TetrateError]) -> errors.TetrateError:
    with pytest.raises(kind) as caught:
        await read(client, router.key)
    assert type(caught.value) is kind
    assert caught.value.request_id == router.requests[-1].headers["x-request-id"]
    return caught.value


def texts(chunks: list[ChatChunk]) -> list[str]:
    return [c.delta.content or "" for c in chunks if c.delta is not None]


async def test_of_choices_without_a_first_the_lowest_is_the_answer(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(of(2, "a"), of(1, "b"), of(2, "c"), of(1, "d", "stop"), DONE)
    chunks = await read(client, router.key)
    assert texts(chunks) == ["b", "d"]
    assert [c.finish_reason for c in chunks if c.choice is not None] == [None, "stop"]


async def test_of_choices_with_a_first_it_is_the_answer(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(of(1, "a"), of(0, "b"), STOP, DONE)
    assert texts(await read(client, router.key)) == ["b", ""]


async def test_another_choice_that_has_ended_is_whole_without_an_end_mark(
    router: RawRouter, client: GatewayClient
) -> None:
    router.will_stream(of(1, "a", "stop"))
    assert texts(await read(client, router.key)) == ["a"]
    router.scripts.clear()
    router.will_stream(of(1, "a"))
    await fails(router, client, errors.StreamCutError)


async def test_usage_alone_is_no_error_and_no_answer(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(event(usage={"prompt_tokens": 3}), USAGE, DONE)
    assert [c.choice for c in await read(client, router.key)] == [None, None]


@pytest.mark.parametrize(
    ("bare", "kind"),
    [
        ({"object": "error", "message": "Overloaded", "code": 529}, errors.ProviderError),
        ({"detail": "It gave up."}, errors.StreamError),
    ],
)
async def test_an_event_that_is_an_error_without_saying_so_is_one(
    router: RawRouter, client: GatewayClient, bare: dict[str, object], kind: type[errors.TetrateError]
) -> None:
    router.will_stream(text_event("a"), event(**bare), Then.HANG)
    error = await fails(router, client, kind)
    assert str(bare.get("message") or bare["detail"]).rstrip(".") in error.message
    await router.hung_up.wait()


async def test_what_comes_after_a_whole_answer_is_left_out_and_counted(
    router: RawRouter, client: GatewayClient
) -> None:
    router.will_stream(text_event("a"), STOP, event(error={"message": "busy"}), b"data: {oops}\n\n", USAGE, DONE)
    async with client.stream(router.key, QUESTION) as answered:
        chunks = [chunk async for chunk in answered]
    assert text_of(chunks) == "a"
    assert chunks[-1].usage.completion_tokens == 5
    assert answered.ignored == ["event", "event"]


async def test_pings_without_end_are_not_listened_to(router: RawRouter, client: GatewayClient) -> None:
    few, many = PING * 90_000, PING * 40_000
    router.will_stream(few, text_event("a"), few, text_event("b"), STOP, DONE)
    assert text_of(await read(client, router.key)) == "ab"
    router.scripts.clear()
    router.will_stream(few, many, Then.HANG)
    error = await fails(router, client, errors.MalformedResponseError)
    assert error.message.endswith("conform to the API: endless data without an answer.")
    assert error.status == 200
    await router.hung_up.wait()
    router.scripts.clear()
    router.will_stream(text_event("a"), STOP, few, many, Then.HANG)
    assert text_of(await read(client, router.key)) == "a"


async def test_after_the_end_only_the_end_mark_is_waited_for_and_not_for_long(
    router: RawRouter, patient: GatewayClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_AFTER_FINISH_SECONDS", 0.2)
    router.will_stream(text_event("a"), Pause(), text_event("b"), Pause(), STOP, Then.HANG)
    assert text_of(await read(patient, router.key)) == "ab"
    await router.hung_up.wait()


async def test_an_answer_that_comes_slowly_may_take_longer_than_any_pause_in_it(router: RawRouter) -> None:
    client = GatewayClient(router.endpoints, timeouts=Timeouts(first_output=2, between_chunks=2))
    router.will_stream(*[text_event("a"), Pause(0.35)] * 7, STOP, DONE)
    assert text_of(await read(client, router.key)) == "a" * 7
    router.scripts.clear()
    router.will_stream(*[text_event(""), Pause(0.05)] * 5, text_event("a"), STOP, DONE)
    assert text_of(await read(client, router.key)) == "a"
    await client.aclose()


async def test_chunks_that_bring_nothing_dont_make_the_wait_longer(
    router: RawRouter, hasty: GatewayClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing, late = [text_event(""), Pause(0.3)] * 10, (text_event("late"), STOP, DONE)
    router.will_stream(*nothing, *late)
    await fails(router, hasty, errors.GatewayTimeoutError)
    router.scripts.clear()
    router.will_stream(text_event("a"), *nothing, *late)
    await fails(router, hasty, errors.StreamStalledError)
    router.scripts.clear()
    monkeypatch.setattr(stream, "_AFTER_FINISH_SECONDS", 0.5)
    router.will_stream(text_event("a"), STOP, *nothing, *late)
    assert text_of(await read(hasty, router.key)) == "a"


async def test_silence_is_told_with_the_model_and_the_seconds(router: RawRouter, hasty: GatewayClient) -> None:
    router.will_stream(PING, Then.HANG)
    error = await fails(router, hasty, errors.GatewayTimeoutError)
    assert (error.message, error.next_step) == ("m-1 sent nothing for 2 s.", "ask again, or choose another model")
    router.scripts.clear()
    router.will_stream(text_event("a"), Then.HANG)
    stalled = await fails(router, hasty, errors.StreamStalledError)
    assert stalled.message == "The answer stopped coming: nothing for 2 s."
    assert stalled.next_step == "ask again; the text so far is kept"
