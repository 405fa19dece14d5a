"""What is kept of what cells display: bounded whatever is displayed, and changed by what names it only."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tetrate_jupyter.completion.displays import MOST_KEPT, DisplayWatch


@pytest.fixture
def watch() -> Any:
    made = DisplayWatch(InteractiveShell())
    yield made
    made.close()


def shows(
    watch: DisplayWatch, run: int, data: dict[str, Any], *, identity: str = "", kind: str = "display_data"
) -> None:
    content = {"data": data, "transient": {"display_id": identity} if identity else {}}
    watch.see({"parent_header": {"msg_id": str(run)}, "msg_type": kind, "content": content})
    watch._requests[run] = str(run)


def kept(watch: DisplayWatch, run: int) -> list[Any]:
    return [each.data for each in watch.of(run) or ()]


def test_an_update_without_an_id_replaces_nothing(watch: DisplayWatch) -> None:
    shows(watch, 1, {"image/png": "AAAA"})
    shows(watch, 2, {"image/png": "BBBB"}, kind="update_display_data")
    assert (kept(watch, 1), kept(watch, 2)) == (["AAAA"], ["BBBB"])


def test_a_picture_that_is_no_longer_kept_is_known_to_have_been_and_comes_back_when_it_is_updated(
    watch: DisplayWatch,
) -> None:
    shows(watch, 0, {"image/png": "AAAA"}, identity="a")
    for run in range(1, MOST_KEPT + 1):
        shows(watch, run, {"image/png": "BBBB"})
    assert [each.why for each in watch.of(0) or ()] == ["gone"]
    assert kept(watch, 1) == ["BBBB"]
    shows(watch, 51, {"image/png": "CCCC"}, identity="a", kind="update_display_data")
    assert (kept(watch, 0), kept(watch, 1)) == (["CCCC"], [None])
    shows(watch, 52, {"text/plain": "over"}, identity="a", kind="update_display_data")
    assert watch.of(0) == ()


def test_no_name_in_a_display_is_kept_at_any_length(watch: DisplayWatch) -> None:
    shows(watch, 1, {"image/" + "x" * 1_000_000: "AAAA"}, identity="y" * 1_000_000)
    ((found),) = watch.of(1) or ()
    assert found.why == "kind"
    assert len(found.kind) + len(found.display_id) < 1_000


def test_pictures_that_are_gone_are_not_weighed_with_each_display(watch: DisplayWatch) -> None:
    for run in range(1_100):
        for _ in range(3):
            shows(watch, run, {"image/png": "AAAA"})
    assert len(watch._shown) <= MOST_KEPT  # what each display goes through
    assert kept(watch, 1_099) == ["AAAA"] * 3
    assert kept(watch, 1_000) == [None] * 3
    assert watch.of(1) == ()
