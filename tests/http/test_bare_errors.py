"""Errors in a stream that don't come as the data of an event."""

from __future__ import annotations

import pytest

from tetrate_jupyter.http.sse import EventSplitter


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b'{"error": 1}\n\n', b'{"error": 1}'),
        (b'{"error":\n1}\n\n', b'{"error":\n1}'),
        (b"[1]\n\n", b'{"error":[1]}'),
        (b'event: error\ndata: {"message": "gone"}\n\n', b'{"error":{"message":"gone"}}'),
        (b"event:error\ndata: plainly said\n\n", b'{"error":"plainly said"}'),
        (b"event: error\n\n", b'{"error":"the server named no reason"}'),
        (b"event: error\ndata: {}\n\n", b'{"error":"the server named no reason"}'),
        (b"event: other\ndata: {}\n\n", b"{}"),
        (b"data: a\ndata\ndata:  b\n\n", b"a\n\n b"),
    ],
)
def test_errors_without_their_frame(sent: bytes, read: bytes) -> None:
    assert EventSplitter().feed(sent) == [read]
    pieces = EventSplitter()
    assert [each for at in range(len(sent)) for each in pieces.feed(sent[at : at + 1])] == [read]
    rest = EventSplitter()
    assert rest.feed(sent[:-2]) == []
    assert rest.finish() == [read]
