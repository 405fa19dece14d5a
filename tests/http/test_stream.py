"""Streamed answers, over real sockets and byte for byte."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.http import sse, stream

from .conftest import (
    DONE,
    HASTE,
    QUESTION,
    STOP,
    USAGE,
    Then,
    answer,
    chunked,
    event,
    read,
    stream_head,
    text_event,
    text_of,
)

if TYPE_CHECKING:
    from tetrate_jupyter.http.client import GatewayClient

    from .conftest import RawRouter

pytestmark = pytest.mark.anyio


async def test_chunks_come_typed_and_in_order(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(text_event("Hel"), text_event("lo"), STOP, USAGE, DONE)
    chunks = await read(client, router.key)
    assert text_of(chunks) == "Hello"
    assert [c.finish_reason for c in chunks] == [None, None, "stop", None]
    assert chunks[0].model == "m-1"
    assert chunks[-1].usage.prompt_tokens == 3
    assert chunks[-1].choice is None


async def test_a_character_cut_in_two_by_the_network_arrives_whole(router: RawRouter, client: GatewayClient) -> None:
    data = text_event("é€😀") + STOP + DONE
    go = [asyncio.Event() for _ in data]
    pieces: list[Any] = [part for i, e in enumerate(go) for part in (data[i : i + 1], e)]
    router.will_stream(*pieces)
    for e in go:
        e.set()
    assert text_of(await read(client, router.key)) == "é€😀"


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r", b"\n"])
async def test_comments_and_every_line_end_are_understood(
    router: RawRouter, client: GatewayClient, line_end: bytes
) -> None:
    data = b": ping\n\n" + text_event("a") + b": ping\n\n: ping\n\n" + text_event("b") + STOP + DONE
    router.will_stream(data.replace(b"\n", line_end))
    assert text_of(await read(client, router.key)) == "ab"


async def test_text_shows_as_it_comes_where_no_blank_lines_stand_between_events(
    router: RawRouter, client: GatewayClient
) -> None:
    go = [asyncio.Event() for _ in range(3)]
    one, two, three = (text_event(text).replace(b"\n\n", b"\n") for text in ("One, ", "two, ", "three."))
    router.will_stream(one + two[:8], go[0], two[8:], go[1], three, go[2], STOP + DONE)
    seen = ""
    async with client.stream(router.key, QUESTION) as answered:
        async for chunk in answered:
            seen += text_of([chunk])
            if seen.count(",") + seen.count(".") and chunk.delta is not None:
                go.pop(0).set() if go else None  # the rest is sent only now
    assert seen == "One, two, three."
    assert not go


async def test_the_body_asks_for_a_stream_and_the_headers_say_who_asks(
    router: RawRouter, client: GatewayClient
) -> None:
    router.will_stream(STOP, DONE)
    async with client.stream(router.key, {**QUESTION, "stream_options": {"include_usage": True}}) as answer_stream:
        [_ async for _ in answer_stream]
    (request,) = router.requests
    assert request.path == "/v1/chat/completions"
    assert request.json == {**QUESTION, "stream": True, "stream_options": {"include_usage": True}}
    assert request.headers["authorization"] == "Bearer sk-never-to-be-shown-0123456789abcdef"
    assert request.headers["x-request-id"] == answer_stream.request_id
    assert request.headers["user-agent"] == request.headers["x-title"] == "tetrate-jupyter"


async def test_dropped_fields_are_told(router: RawRouter, client: GatewayClient) -> None:
    router.will(stream_head(x_tars_dropped_fields="temperature, top_k"), chunked(STOP + DONE), b"0\r\n\r\n")
    async with client.stream(router.key, QUESTION) as answer_stream:
        assert answer_stream.dropped_fields == ("temperature", "top_k")
        assert answer_stream.attempts == 1


async def test_an_answer_read_to_its_end_leaves_the_connection_for_the_next(
    router: RawRouter, client: GatewayClient
) -> None:
    router.will_stream(text_event("a"), STOP, DONE)
    await read(client, router.key)
    await read(client, router.key)
    assert (len(router.requests), router.connections) == (2, 1)


async def test_after_the_end_mark_nothing_is_waited_for(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(text_event("a"), STOP, DONE, text_event("ignored"), Then.HANG)
    assert text_of(await read(client, router.key)) == "a"
    await router.hung_up.wait()


async def test_a_finish_reason_without_end_mark_is_an_end(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(text_event("a"), STOP)
    assert text_of(await read(client, router.key)) == "a"


async def test_a_last_event_without_its_blank_line_counts(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(text_event("a"), b"data: [DONE]")
    assert text_of(await read(client, router.key)) == "a"
    router.scripts.clear()
    router.will_stream(text_event("a"), STOP.rstrip())
    assert [c.finish_reason for c in await read(client, router.key)] == [None, "stop"]


async def test_a_finished_answer_is_whole_even_when_the_connection_then_drops(
    router: RawRouter, client: GatewayClient
) -> None:
    router.will_stream(text_event("a"), STOP, Then.RESET)
    assert text_of(await read(client, router.key)) == "a"


async def test_a_finished_answer_whose_end_mark_never_comes_ends_by_itself(
    router: RawRouter, hasty: GatewayClient
) -> None:
    router.will_stream(text_event("a"), STOP, Then.HANG)
    assert text_of(await read(hasty, router.key)) == "a"


async def fails(client: GatewayClient, router: RawRouter) -> tuple[str, errors.TetrateError]:
    """Read until the error; give the text before it and the error."""
    text = ""

    async def collect() -> None:
        nonlocal text
        async with client.stream(router.key, QUESTION) as answer_stream:
            async for chunk in answer_stream:
                text += (chunk.delta.content or "") if chunk.delta else ""

    with pytest.raises(errors.TetrateError) as caught:
        await collect()
    assert caught.value.__context__ is None
    assert caught.value.request_id == router.requests[-1].headers["x-request-id"]
    return text, caught.value


@pytest.mark.parametrize(
    "ending",
    [[], [Then.CLOSE], [Then.RESET], [b'data: {"choices": [{"del'], [chunked(b"x")[:-4], Then.CLOSE]],
    ids=["proper end of body", "closed", "reset", "in the middle of an event", "in the middle of a piece"],
)
async def test_a_stream_that_breaks_off_keeps_its_text_and_says_so(
    router: RawRouter, client: GatewayClient, ending: list[Any]
) -> None:
    router.will_stream(text_event("half an ans"), *ending, end=Then.CLOSE not in ending and Then.RESET not in ending)
    text, error = await fails(client, router)
    assert text == "half an ans"
    assert type(error) is errors.StreamCutError


async def test_a_web_page_labelled_as_a_stream_is_one(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(b"\n <!doctype html>\n\n<p>Log in, please.</p>\n")
    text, error = await fails(client, router)
    assert text == ""
    assert type(error) is errors.MalformedResponseError
    assert "answered with a web page" in error.message


async def test_an_empty_stream_is_a_cut_one(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream()
    assert type((await fails(client, router))[1]) is errors.StreamCutError


async def test_an_error_inside_the_stream_comes_after_the_text_before_it(
    router: RawRouter, client: GatewayClient
) -> None:
    router.will_stream(text_event("so far") + event(error={"message": "busy", "code": 529}), Then.HANG)
    text, error = await fails(client, router)
    assert text == "so far"
    assert type(error) is errors.ProviderError
    await router.hung_up.wait()


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b'{"choices": [{"index": 0, "delta": {"content": "a \xff b"}}]}', "a \ufffd b"),
        (b'{"choices": [{"index": 0, "delta": {"content": "caf\xe9"}}]}', "caf\ufffd"),  # Latin-1
        (b'{"unread": "\xc3", "choices": [{"index": 0, "delta": {"content": "a"}}]}', "a"),
    ],
)
async def test_a_byte_that_is_no_character_costs_no_more_than_itself(
    router: RawRouter, client: GatewayClient, sent: bytes, text: str
) -> None:
    router.will_stream(b"data: " + sent + b"\n\n", STOP, DONE)
    assert text_of(await read(client, router.key)) == text


async def test_a_chunk_that_is_not_json_is_a_malformed_response(router: RawRouter, client: GatewayClient) -> None:
    for bad in (b"data: {oops}\n\n", b"data: [1]\n\n", b'data: {"choices": 3}\n\n'):
        router.scripts.clear()
        router.will_stream(text_event("a"), bad, Then.HANG)
        text, error = await fails(client, router)
        assert text == "a"
        assert type(error) is errors.MalformedResponseError


async def test_an_event_past_the_bound_is_a_malformed_response(
    router: RawRouter, client: GatewayClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "EventSplitter", lambda: sse.EventSplitter(max_event=1000))
    router.will_stream(text_event("a"), b"data: " + b"x" * 2000, Then.HANG)
    assert type((await fails(client, router))[1]) is errors.MalformedResponseError
    await router.hung_up.wait()


async def test_no_headers_in_time(router: RawRouter, hasty: GatewayClient) -> None:
    router.will(Then.HANG)
    error = (await fails(hasty, router))[1]
    assert isinstance(error, errors.GatewayTimeoutError)
    assert error.phase == "headers"
    await router.hung_up.wait()


@pytest.mark.parametrize("before", [[], [text_event("")], [event(choices=[{"delta": {"role": "assistant"}}])]])
async def test_no_output_in_time(router: RawRouter, hasty: GatewayClient, before: list[bytes]) -> None:
    router.will_stream(*before, Then.HANG)
    error = (await fails(hasty, router))[1]
    assert isinstance(error, errors.GatewayTimeoutError)
    assert error.phase == "first output"
    await router.hung_up.wait()


async def test_an_answer_that_stalls(router: RawRouter, hasty: GatewayClient) -> None:
    router.will_stream(text_event("a"), Then.HANG)
    text, error = await fails(hasty, router)
    assert text == "a"
    assert type(error) is errors.StreamStalledError
    await router.hung_up.wait()


@pytest.mark.parametrize("first", [[], [text_event("a")]], ids=["before any output", "after some"])
async def test_keep_alives_do_not_count_as_output(router: RawRouter, hasty: GatewayClient, first: list[bytes]) -> None:
    class Ticking(asyncio.Event):
        async def wait(self) -> Any:
            await asyncio.sleep(0.02)

    router.will_stream(*first, *[b": ping\n\n", Ticking()] * 10_000, Then.HANG)
    error = (await fails(hasty, router))[1]
    assert isinstance(error, errors.StreamStalledError if first else errors.GatewayTimeoutError)


async def test_time_that_the_reader_takes_is_not_held_against_the_router(
    router: RawRouter, hasty: GatewayClient
) -> None:
    go = asyncio.Event()
    router.will_stream(text_event("a"), go, text_event("b"), STOP, DONE)
    async with hasty.stream(router.key, QUESTION) as answer_stream:
        await anext(answer_stream)
        await asyncio.sleep(HASTE * 1.5)  # longer than the bound between chunks
        go.set()
        assert text_of([chunk async for chunk in answer_stream]) == "b"


async def test_leaving_the_block_early_hangs_up(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(text_event("a"), Then.HANG)
    async with client.stream(router.key, QUESTION) as answer_stream:
        async for _ in answer_stream:
            break
    await router.hung_up.wait()


@pytest.mark.parametrize("opened", [True, False])
async def test_a_cancel_hangs_up(router: RawRouter, client: GatewayClient, opened: bool) -> None:
    if opened:
        router.will_stream(text_event("a"), Then.HANG)
    else:
        router.will(Then.HANG)
    seen = asyncio.Event()

    async def ask() -> None:
        async with client.stream(router.key, QUESTION) as answer_stream:
            async for _ in answer_stream:
                seen.set()

    task = asyncio.ensure_future(ask())
    await (seen.wait() if opened else router.arrived.wait())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await router.hung_up.wait()


async def test_an_error_of_the_reader_hangs_up_and_passes_through(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(text_event("a"), Then.HANG)

    async def fail() -> None:
        async with client.stream(router.key, QUESTION) as answer_stream:
            async for _ in answer_stream:
                1 / 0  # noqa: B018

    with pytest.raises(ZeroDivisionError):
        await fail()
    await router.hung_up.wait()


WHOLE = {"model": "m-1", "choices": [{"message": {"content": "all at once"}, "finish_reason": "stop"}], "usage": {}}


async def test_a_whole_answer_where_a_stream_was_asked_for_comes_as_one_chunk(
    router: RawRouter, client: GatewayClient
) -> None:
    router.will_answer(200, WHOLE)
    (chunk,) = await read(client, router.key)
    assert chunk.delta.content == "all at once"
    assert chunk.finish_reason == "stop"


async def test_a_whole_answer_in_pieces_that_stops_coming_is_too_slow(router: RawRouter, hasty: GatewayClient) -> None:
    router.will(answer(200, WHOLE)[:-10], Then.HANG)
    error = (await fails(hasty, router))[1]
    assert isinstance(error, errors.GatewayTimeoutError)
    await router.hung_up.wait()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(200, {"error": {"code": 402, "message": "Insufficient credits"}}), errors.CreditsExhaustedError),
        (answer(200, {"choices": None}), errors.MalformedResponseError),
        (answer(200, "<html>", {"content-type": "text/html"}), errors.MalformedResponseError),
        (answer(204, b""), errors.MalformedResponseError),
        (answer(200, b"{}"[:1]), errors.MalformedResponseError),
    ],
)
async def test_status_200_is_not_yet_an_answer(
    router: RawRouter, client: GatewayClient, reply: bytes, kind: type[Exception]
) -> None:
    router.will(reply)
    assert type((await fails(client, router))[1]) is kind


async def test_a_compressed_stream_is_read_all_the_same(router: RawRouter, client: GatewayClient) -> None:
    import gzip

    router.will(
        stream_head(content_encoding="gzip"), chunked(gzip.compress(text_event("a") + STOP + DONE)), b"0\r\n\r\n"
    )
    assert text_of(await read(client, router.key)) == "a"
    parts = b"".join(map(gzip.compress, (text_event("a"), text_event("b"), STOP + DONE)))
    router.will(stream_head(content_encoding="gzip"), chunked(parts), b"0\r\n\r\n")
    router.scripts.pop(0)
    assert text_of(await read(client, router.key)) == "ab"


async def test_broken_compression_is_a_malformed_response(router: RawRouter, client: GatewayClient) -> None:
    router.will(stream_head(content_encoding="gzip"), chunked(b"not gzip at all"), b"0\r\n\r\n")
    assert type((await fails(client, router))[1]) is errors.MalformedResponseError


async def test_reasoning_comes_under_any_of_its_names(router: RawRouter, client: GatewayClient) -> None:
    names = ("reasoning_content", "reasoning", "thinking")
    router.will_stream(*(event(choices=[{"delta": {n: n}}]) for n in names), STOP, DONE)
    chunks = await read(client, router.key)
    assert [c.delta.reasoning_text for c in chunks] == [*names, ""]


async def test_a_hundred_answers_at_once_do_not_mix(router: RawRouter, client: GatewayClient) -> None:
    router.will_stream(text_event("a"), text_event("b"), STOP, DONE)
    texts = await asyncio.gather(*(read(client, router.key) for _ in range(100)))
    assert {text_of(chunks) for chunks in texts} == {"ab"}
    assert len({r.headers["x-request-id"] for r in router.requests}) == 100
    assert all(json.loads(r.body)["model"] == "m-1" for r in router.requests)
