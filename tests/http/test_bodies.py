"""Whole bodies: what is sent, what is read of a long or broken one, and an event stream that says it is JSON."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter import config, errors
from tetrate_jupyter.http.bodies import decoded, encoded
from tetrate_jupyter.http.faults import ReceivedResponse, RequestContext

from .conftest import DONE, STOP, Then, answer, read, text_event, text_of

if TYPE_CHECKING:
    from tetrate_jupyter.http.client import GatewayClient

    from .conftest import RawRouter

pytestmark = pytest.mark.anyio
STREAM = text_event("Hi.") + STOP + DONE
WHOLE = {"model": "m-2", "choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}]}
AS_JSON = {"content-type": "application/json"}


# --- an event stream that says it is JSON ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [b"", b"\n\n", b"\xef\xbb\xbf", b" \t\r\n", b": hello\n\n", b":\n\n", b"id: 1\n", b"retry: 9\n", b"event: x\n",
     b"\n" * 4_095],
)  # fmt: skip
async def test_its_first_bytes_tell_a_stream(router: RawRouter, client: GatewayClient, start: bytes) -> None:
    router.will(answer(200, start + STREAM, AS_JSON))
    assert text_of(await read(client, router.key)) == "Hi."


async def test_it_is_told_from_its_first_pieces_too_and_read_from_its_beginning(
    router: RawRouter, client: GatewayClient
) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(STREAM)}\r\n\r\n".encode()
    router.will(head, *(STREAM[n : n + 1] for n in range(9)), STREAM[9:])
    assert text_of(await read(client, router.key)) == "Hi."


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n\n ", b" " * 5_000])
async def test_what_is_json_is_a_whole_answer(router: RawRouter, client: GatewayClient, before: bytes) -> None:
    router.will(answer(200, before + json.dumps(WHOLE).encode(), AS_JSON))
    assert text_of(await read(client, router.key)) == "Hi."


async def test_a_whole_answer_that_breaks_off_is_a_lost_connection(router: RawRouter, client: GatewayClient) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n"
    for part in (b"", b'{"choices": ['):
        router.scripts.clear()
        router.will(head + part, Then.CLOSE)
        with pytest.raises(errors.UnreachableError):
            await read(client, router.key)


@pytest.mark.parametrize("part", [b"", b'{"choices": ['])
async def test_one_that_does_not_come_names_what_was_waited_for(
    router: RawRouter, hasty: GatewayClient, part: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n"
    router.will(head + part, Then.HANG)
    with pytest.raises(errors.GatewayTimeoutError) as caught:
        await read(hasty, router.key)
    assert caught.value.phase == "first output"


async def test_a_list_may_begin_with_the_mark_of_its_encoding(router: RawRouter, client: GatewayClient) -> None:
    router.will(answer(200, b'\xef\xbb\xbf{"data": [{"id": "a"}]}', AS_JSON))
    assert [found.id for found in await client.models(router.key)] == ["a"]


async def test_what_is_neither_is_malformed(router: RawRouter, client: GatewayClient) -> None:
    router.will(answer(200, b"~" + STREAM, AS_JSON))
    with pytest.raises(errors.MalformedResponseError):
        await read(client, router.key)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "no credit", "code": 402}}, errors.CreditsExhaustedError),
        ({"model": "m", "choices": [], "error": {"message": "bad key", "code": 401}}, errors.InvalidKeyError),
        ({"model": "m"}, errors.MalformedResponseError),
        ({"choices": [{"error": {"message": "no credit", "code": 402}}]}, errors.CreditsExhaustedError),
        ([], errors.MalformedResponseError),
    ],
)
async def test_an_error_in_its_place_is_that_error(
    router: RawRouter, client: GatewayClient, body: object, kind: type[errors.TetrateError]
) -> None:
    router.will_answer(200, body)
    with pytest.raises(kind):
        await read(client, router.key)


# --- bounds ------------------------------------------------------------------------------------------------------


async def test_a_short_answer_has_a_bound_that_is_said(router: RawRouter, client: GatewayClient) -> None:
    router.will(answer(200, b" " * (config.MAX_STATUS_BYTES + 1), AS_JSON))
    with pytest.raises(errors.MalformedResponseError) as caught:
        await client.status(router.key)
    assert caught.value.message == (f"{router.endpoints.host} sent more than 1 MB where a short answer was expected.")
    assert caught.value.next_step == f"check the base URL {router.endpoints.base_url}"
    assert caught.value.status == 200
    assert caught.value.request_id == router.requests[0].headers["x-request-id"]


async def test_a_smaller_bound_is_said_in_kilobytes(router: RawRouter, client: GatewayClient) -> None:
    router.will(answer(200, b" " * (config.MAX_KEY_BYTES + 1), AS_JSON))
    with pytest.raises(errors.ExchangeError, match="It answered something other than a key"):
        await client.exchange("code-0123456789", "verifier-0123456789")


async def test_exactly_as_much_as_is_allowed_is_read(router: RawRouter, client: GatewayClient) -> None:
    key = b'{"key": "sk-read-0123456789"}'
    router.will(answer(200, key + b" " * (config.MAX_KEY_BYTES - len(key)), AS_JSON))
    assert (await client.exchange("code-0123456789", "verifier-0123456789")).reveal() == "sk-read-0123456789"


async def test_of_an_errors_body_the_beginning_is_enough(router: RawRouter, client: GatewayClient) -> None:
    said = b'{"error": {"message": "no credit left", "code": 402}}'
    router.will(answer(400, said + b" " * (config.MAX_ERROR_BYTES - len(said)), AS_JSON))
    with pytest.raises(errors.CreditsExhaustedError):
        await client.models(router.key)
    head = b"HTTP/1.1 402 No\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n"
    router.scripts.clear()
    router.will(head + b'{"error": ', Then.CLOSE)  # the status says enough without the rest
    with pytest.raises(errors.CreditsExhaustedError):
        await client.models(router.key)


# --- what is sent ------------------------------------------------------------------------------------------------


def test_a_body_is_json() -> None:
    assert encoded({"a": [1, "é", None, True]}) == '{"a":[1,"é",null,true]}'.encode()
    assert encoded({"day": date(2026, 1, 2)}) == b'{"day":"2026-01-02"}'


@pytest.mark.parametrize("value", [object(), "\ud800", {1: {2: object()}}])
def test_what_json_cannot_hold_is_an_error_without_it(value: object) -> None:
    found = encoded({"a": value})
    assert isinstance(found, errors.OptionError)
    assert found.message == "The request holds a value that can't be sent as JSON."
    assert found.next_step == (
        "pass plain numbers, text, lists and dicts as options, and text without broken characters"
    )
    assert found.__context__ is None


def test_a_value_in_itself_is_an_error_too() -> None:
    round_: list[object] = []
    round_.append(round_)
    assert isinstance(encoded({"a": round_}), errors.OptionError)


def test_a_body_that_does_not_fit_is_what_it_says() -> None:
    asked = RequestContext("https://r.example/v1", "id-1")
    reply = ReceivedResponse(200, {}, b'{"error": {"message": "bad key", "code": 401}}')
    assert decoded(lambda body: bytes(body)[:3], reply, asked) == b'{"e'
    found = decoded(lambda body: int(bytes(body)), reply, asked)
    assert not isinstance(found, int)
    assert isinstance(found.error, errors.InvalidKeyError)
