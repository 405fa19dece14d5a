"""Server-sent events, however the bytes are cut."""

from __future__ import annotations

import random

import pytest

from tetrate_jupyter.http.sse import MOST_LINES, EventSplitter, EventTooLargeError

SAMPLE = (
    '\ufeffdata: {"a": "é€😀"}\n\n: keep-alive\n\nevent: x\nid: 7\nretry: 10\ndata: one\ndata: two\n\n'
    "data:no space\n\ndata:  two spaces\n\ndata\n\ndata: \n\n\n\n: comment\ndata: after a comment\n\nunknown: x\n\n"
    "data: [DONE]\n\n"
)
EXPECTED = ['{"a": "é€😀"}', "one\ntwo", "no space", " two spaces", "after a comment", "[DONE]"]


def split(pieces: list[bytes], **options: int) -> list[str]:
    splitter = EventSplitter(**options)
    found = [payload for piece in pieces for payload in splitter.feed(piece)]
    return [payload.decode() for payload in found + splitter.finish()]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(line_end: str) -> None:
    assert split([SAMPLE.replace("\n", line_end).encode()]) == EXPECTED


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_bytes_may_come_one_by_one(line_end: str) -> None:
    data = SAMPLE.replace("\n", line_end).encode()
    assert split([data[i : i + 1] for i in range(len(data))]) == EXPECTED


def test_bytes_may_be_cut_anywhere() -> None:
    rng = random.Random(3)
    for _ in range(500):
        data = SAMPLE.replace("\n", rng.choice(["\n", "\r\n", "\r"])).encode()
        cuts = sorted(rng.sample(range(len(data)), rng.randint(0, 12)))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert split(pieces) == EXPECTED


def test_an_event_is_given_as_soon_as_its_blank_line_is_there() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"data: a\r\n\r") == [b"a"]
    assert splitter.feed(b"\ndata: b\r\r") == [b"b"]
    assert splitter.feed(b"") == []
    assert splitter.feed(b"data: c\n") == []
    assert splitter.feed(b"\ndata: d") == [b"c"]
    assert splitter.finish() == [b"d"]
    assert splitter.finish() == []


def test_an_event_past_the_bound_is_refused_while_it_grows() -> None:
    splitter = EventSplitter(max_event=100)
    assert splitter.feed(b"data: " + b"x" * 90) == []
    with pytest.raises(EventTooLargeError):
        splitter.feed(b"x" * 10)


def test_an_event_past_the_bound_is_refused_when_it_comes_at_once() -> None:
    with pytest.raises(EventTooLargeError):
        EventSplitter(max_event=100).feed(b"data: " + b"x" * 100 + b"\n\n")


def test_many_small_events_may_pass_the_bound_together() -> None:
    assert len(split([b"data: 0123456789\n\n" * 100], max_event=100)) == 100


def test_a_large_event_in_tiny_pieces_costs_linear_work() -> None:
    text = b"x" * 70
    splitter = EventSplitter()
    for _ in range(MOST_LINES):  # a line end in every piece is the worst case
        assert splitter.feed(b"data: " + text + b"\n") == []
    assert splitter.feed(b"\n") == [b"\n".join([text] * MOST_LINES)]


def test_an_event_of_more_lines_than_any_has_is_refused() -> None:
    with pytest.raises(EventTooLargeError):
        EventSplitter().feed(b"data: x\n" * (MOST_LINES + 1) + b"\n")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_events_without_blank_lines_are_events_all_the_same(line_end: str) -> None:
    chunks = ['{"a":"one"}', '{"b":{"c":"{"}}', " {}"]
    sent = line_end.join(f"data: {chunk}" for chunk in [*chunks, "[DONE]"])
    for ending in ("", line_end, line_end * 2):
        data = (sent + ending).encode()
        for cut in range(len(data)):
            assert split([data[:cut], data[cut:]]) == [*chunks, "[DONE]"]
    assert split([(sent.partition("[DONE]")[0] + '{"cut').encode()]) == [*chunks, '{"cut']


def test_what_stands_between_events_without_blank_lines_is_told_by_its_own_name() -> None:
    one, two = 'data: {"a":1}\n', 'data: {"b":2}\n'
    ping = "event: ping\ndata: {}\n"
    for sent in (
        f"event: message\n{one}{ping}event: message\n{two}{ping}",
        f"{ping}{one}{ping}{two}",
        f"{one}data: ping\n{two}: hello\n",
    ):
        assert split([sent.encode(), b"data: [DONE]\n\n"]) == ['{"a":1}', '{"b":2}', "[DONE]"]
    assert split([f'{one}event: error\ndata: {{"c":3}}\n{two}'.encode()]) == ['{"a":1}', '{"error":{"c":3}}', '{"b":2}']
    assert split([b"data: [DONE]\ndata: [DONE]\n\n"]) == ["[DONE]", "[DONE]"]


def test_one_document_in_several_lines_stays_one() -> None:
    for lines in (
        ['{"a":', '{"b":1}}'],
        ['{"a":{}', "}"],
        ["{", ' "a":1', "}"],
        ["one", "two"],
        ["{}", "x"],
        ["{}", "x", "{}"],
        ["[]", "{}"],
        ["ping", "x"],
        ["[", "]"],
    ):
        assert split(["".join(f"data: {line}\n" for line in lines).encode()]) == ["\n".join(lines)]


ONE, TWO = b'data: {"a":1}', b'data: {"b":2}'


def test_an_event_without_its_blank_line_is_given_as_soon_as_the_next_begins() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"id: 1\n" + ONE + b"\n") == []  # "event: error" may follow, and name it
    assert splitter.feed(b"id: 2\ndata") == []
    assert splitter.feed(b": ") == []
    assert splitter.feed(b"{") == [b'{"a":1}']
    assert splitter.feed(b'"b":2}') == []
    assert splitter.feed(b"\r\n") == [b'{"b":2}']  # now that it is known, at the end of its line
    assert splitter.feed(b"event: error\n") == []
    assert splitter.feed(b"data: {}\ndata: [DONE]\n") == [b'{"error":"the server named no reason"}', b"[DONE]"]
    assert splitter.feed(b"\n" + ONE + b"\n") == []  # a blank line: nothing is known of the next block
    assert splitter.feed(b"event: error\n\n") == [b'{"error":{"a":1}}']
    assert splitter.feed(ONE + b"\n\n" + ONE + b"\n" + TWO + b"\n") == [b'{"a":1}', b'{"a":1}', b'{"b":2}']
    assert splitter.feed(b"data: {") == []
    assert splitter.finish() == [b"{"]
    assert splitter.feed(ONE + b"\ndata: ping\n") == [b'{"a":1}']


def test_a_document_in_several_lines_is_never_given_in_parts() -> None:
    splitter = EventSplitter()
    for line in (b"data: {\n", b'data: "a": {}\n', b"data: }\n", b"data: {}\n"):
        assert splitter.feed(line) == []
    assert splitter.feed(b"\n") == [b'{\n"a": {}\n}\n{}']
    assert splitter.feed(b'{"error":1}\n' + ONE + b"\n" + TWO + b"\n") == []
    assert splitter.finish() == [b'{"error":1}\n' + ONE + b"\n" + TWO + b"\n"]


def test_events_without_blank_lines_may_pass_the_bound_together() -> None:
    splitter = EventSplitter(max_event=100)
    assert sum(len(splitter.feed(ONE + b"\n")) for _ in range(50)) == 50
    with pytest.raises(EventTooLargeError):
        splitter.feed(b"data: " + b"x" * 100)


BLOCK_LINES = [
    ONE.decode(), TWO.decode(), "data: {}", "data: ping", "data: [DONE]", "data:", "data", "data: {", "data: x",
    "id: 3", "event: error", "event: message", "event: ping", ": comment", '{"bare":1}', "[", "", "", "data: [1]",
    "Data:{}", 'error: {"a":1}', "error: x", 'data: data: {"a":1}', "data: : beat", '{"bare":2}', '{"cut',
]  # fmt: skip


def test_no_cut_of_any_blocks_changes_what_is_given() -> None:
    rng = random.Random(11)
    for _ in range(4_000):
        end = rng.choice(["\n", "\r\n", "\r"])
        data = "".join(line + end for line in rng.choices(BLOCK_LINES, k=rng.randint(1, 8))).encode()
        data = data[: len(data) - rng.randint(0, 3)]
        cuts = sorted(rng.sample(range(len(data) + 1), min(len(data), rng.randint(0, 6))))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert split(pieces) == split([data]) == split([data[i : i + 1] for i in range(len(data))]), data


@pytest.mark.parametrize(
    "beat",
    ["data: ping", "data: PING ", 'data: "ping"', "data:pong", "data: keep-alive", "data: heartbeat", "event: ping",
     "event: ping\ndata: now", "data: 7\nevent: Heartbeat", "event: keepalive\ndata: {}", "data: : PROCESSING"],
)  # fmt: skip
def test_a_heartbeat_is_no_data(beat: str) -> None:
    assert split([f'data: {{"a":1}}\n\n{beat}\n\ndata: [DONE]\n\n'.encode()]) == ['{"a":1}', "[DONE]"]


@pytest.mark.parametrize("mark", ["[DONE] ", "  [DONE]\t", "[done]", '"[DONE]"', "[DONE]\ndata: "])
def test_the_end_mark_has_one_form(mark: str) -> None:
    assert split([f"data: {mark}\n\n".encode()]) == ["[DONE]"]


@pytest.mark.parametrize("name", [" data", "\tdata", "Data", "DATA", "\ufeffdata"])
def test_no_piece_is_lost_for_how_its_field_is_written(name: str) -> None:
    assert split([f'data: {{"a":1}}\n\n{name}: {{"b":2}}\n\n'.encode()]) == ['{"a":1}', '{"b":2}']


def test_an_event_that_was_written_as_one_twice_is_one() -> None:
    sent = 'data: data: {"a":1}\r\ndata: \r\ndata: \r\n\r\ndata:data:{"b":2}\r\n\r\ndata: data: [DONE]\r\n\r\n'
    assert [each.strip() for each in split([sent.encode()])] == ['{"a":1}', '{"b":2}', "[DONE]"]


def test_lines_of_json_are_events_of_their_own_and_one_document_in_several_lines_is_one() -> None:
    assert split([b'{"a":1}\n\n{"a":{"b":2}}\n{"c":\n']) == ['{"a":1}', '{"a":{"b":2}}', '{"c":']
    assert split([b'{"a":{\n{"b":2}\n']) == ['{"a":{\n{"b":2}\n']
    assert split([b'{"a":1}\nok\n']) == ['{"a":1}\nok\n']


@pytest.mark.parametrize(
    ("sent", "right"),
    [
        ('error: {"code":500}', ['{"error":{"code":500}}']),
        ('data: {"a":1}\nerror:{"code":500}', ['{"a":1}', '{"error":{"code":500}}']),
        ('error: {"code"', ['{"error":"{\\"code\\""}']),
        ("error: none", []),
    ],
)
def test_a_field_of_its_own_may_hold_an_error(sent: str, right: list[str]) -> None:
    assert split([f"{sent}\n\n".encode()]) == right


def test_nothing_gives_nothing() -> None:
    assert split([]) == []
    assert split([b"", b"\n", b"\r\n", b"\xef\xbb"]) == []
