"""How far an answer has come, chunk by chunk: what brings something, and when it is whole."""

from __future__ import annotations

import json

import pytest

from tetrate_jupyter.http.chunk_reading import decode_chunk
from tetrate_jupyter.http.stream import StreamProgress


def note(progress: StreamProgress, text: str = "", reason: str | None = None, *, thought: str = "") -> bool:
    delta = {"content": text} if text else {"reasoning_content": thought} if thought else {}
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return progress.note(decode_chunk(json.dumps({"choices": [choice]}).encode(), []))


def test_nothing_has_come_before_the_first_chunk_and_none_of_another_choice() -> None:
    progress = StreamProgress()
    assert (progress.has_output, progress.has_ended, progress.is_whole) == (False, False, False)
    for choices in ([], [{"index": 1, "delta": {"content": "x"}}]):
        assert progress.note(decode_chunk(json.dumps({"choices": choices}).encode(), [])) is False
    assert note(progress) is False
    assert (progress.has_output, progress.has_ended, progress.is_whole) == (False, False, False)


def test_text_then_a_reason_is_an_answer() -> None:
    progress = StreamProgress()
    assert note(progress, "Hi.")
    assert (progress.has_output, progress.has_ended, progress.is_whole) == (True, False, False)
    assert note(progress, reason="stop")
    assert (progress.has_ended, progress.is_whole) == (True, True)
    assert not note(progress, reason="stop")
    assert not note(progress, thought="late")
    assert progress.is_whole


def test_a_reason_with_the_reasoning_ends_nothing() -> None:
    progress = StreamProgress()
    assert note(progress, thought="Why", reason="stop")
    assert (progress.has_output, progress.has_ended, progress.is_whole) == (True, True, False)
    assert note(progress, "Hi.")
    assert not progress.is_whole
    assert not note(progress, reason="stop")
    assert progress.is_whole


@pytest.mark.parametrize("reason", ["length", "content_filter", "tool_calls"])
def test_another_reason_before_any_text_is_an_end(reason: str) -> None:
    progress = StreamProgress()
    note(progress, reason=reason)
    assert progress.is_whole


def test_a_reason_with_every_chunk_counts_no_more_once_text_has_followed_it() -> None:
    progress = StreamProgress()
    assert note(progress, "a", "stop")
    assert progress.is_whole
    assert note(progress, "b", "stop")
    assert not progress.is_whole
    assert note(progress, "c", "stop")
    assert not progress.is_whole
    note(progress, reason="stop")
    assert progress.is_whole
