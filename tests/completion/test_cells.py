"""The cells that ran: which there are, what of each is sent, to the character, and which of them fit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.completion.test_along import history
from tetrate_jupyter.completion.cells import Ran
from tetrate_jupyter.errors import SecretInPromptError


def kept(**bundle: object) -> Any:
    return SimpleNamespace(bundle={key.replace("_", "/"): text for key, text in bundle.items()})


def watched(*shifts: tuple[int, int], is_running: bool = True, same: dict[int, bool] | None = None) -> Any:
    return SimpleNamespace(is_running=is_running, shifts=shifts, is_this=(same or {}).get)


def test_a_cell_is_shown_with_its_output_below() -> None:
    shell = history("\na = 1\nb = 2\n", outputs={1: [kept(stream=["x", "y\n"]), kept(text_plain="3\n4")]})
    shown = Ran(shell).shown(1, 100, 100)
    assert shown.text == "Cell In[1]:\n```python\na = 1\nb = 2\n```\nIts output:\n```text\nxy\n3\n4\n```"
    assert shown.note == "2 lines, output 3 lines"
    assert (shown.sent, shown.of, shown.is_cut) == (17, 17, False)


def test_a_cell_in_another_language_is_not_called_python() -> None:
    assert Ran(history("%%bash\nls")).shown(1, 100, 100).text == "Cell In[1]:\n```\n%%bash\nls\n```"
    assert Ran(history("%time x")).shown(1, 100, 100).text == "Cell In[1]:\n```python\n%time x\n```"


def test_source_and_output_are_each_cut_at_their_bound() -> None:
    shell = history("abcdef", outputs={1: [kept(stream="uvwxyz")]})
    whole = Ran(shell).shown(1, 6, 6)
    assert (whole.sent, whole.of, whole.is_cut) == (12, 12, False)
    assert "cut here" not in whole.text
    shown = Ran(shell).shown(1, 4, 5)
    assert shown.text == (
        "Cell In[1]:\n```python\nabcd\n[cut here: 4 of 6 characters]\n```"
        "\nIts output:\n```text\nuvwxy\n[cut here: 5 of 6 characters]\n```"
    )
    assert (shown.sent, shown.of, shown.is_cut) == (9, 12, True)
    assert "```python\n\n[cut here: 0 of 6 characters]" in Ran(shell).shown(1, -3, 0).text


def test_progress_that_was_overwritten_is_left_out() -> None:
    shell = history("x", outputs={1: [kept(stream="10%\r100%\r\n"), kept(stream=" \n"), kept(stream="a\rb\nc\r\nd\n")]})
    assert Ran(shell).shown(1, 9, 99).text.endswith("```text\n100%\nb\nc\nd\n```")


def test_a_failure_is_told_below_what_was_printed() -> None:
    shell = history(
        "x",
        outputs={1: [kept(stream="a\n"), kept(image_png="no text"), kept(text_plain="")]},
        exceptions={1: {"ename": "KeyError", "evalue": "'b'\nc"}},
    )
    assert Ran(shell).shown(1, 9, 99).text.endswith("```text\na\n[It failed: KeyError: 'b' c]\n```")
    long = history("x", exceptions={1: {"ename": "E", "evalue": "y" * 1_000}})
    assert Ran(long).shown(1, 9, 9_999).text.endswith(f"[It failed: E: {'y' * 496}…]\n```")


def test_the_last_value_is_the_output_where_no_other_is_kept() -> None:
    shell = history("a", "b", outputs={2: [kept(stream="printed")]})
    shell.history_manager.output_hist_reprs.update({1: "'value'", 2: "'other'"})
    assert Ran(shell).shown(1, 9, 99).text.endswith("```text\n'value'\n```")
    assert Ran(shell).shown(2, 9, 99).text.endswith("```text\nprinted\n```")


def test_a_key_is_refused_with_its_place() -> None:
    key = "sk-Zt5Rk2Wq8Lm1Xv7abc"
    with pytest.raises(SecretInPromptError, match="in cell 1;"):
        Ran(history(f"k = '{key}'")).shown(1, 99, 99)
    with pytest.raises(SecretInPromptError, match="in the output of cell 1;"):
        Ran(history("x", outputs={1: [kept(stream=key)]})).shown(1, 99, 99)


def test_three_quarters_of_the_room_are_for_the_source_and_one_for_the_output() -> None:
    shell = history("s" * 5_000, outputs={1: [kept(stream="o" * 5_000)]})
    ((number, made),), count = Ran(shell).fitting(2_400, 9_999, 9_999)
    assert (number, count) == (1, 1)
    assert (made.text.count("sss"), made.sent, made.of) == (500, 2_000, 10_000)
    assert "[cut here: 1,500 of 5,000 characters]" in made.text
    assert "[cut here: 500 of 5,000 characters]" in made.text
    ((_, less),), _ = Ran(shell).fitting(2_400, 100, 50)
    assert less.sent == 150


def test_the_newest_cells_fit_first_until_there_is_too_little_room() -> None:
    shell = history(*(letter * 600 for letter in "abc"))
    one = len(Ran(shell).shown(1, 600, 0).text)
    for room, numbers in ((999, []), (1_000, [3]), (1_000 + one + 1, [3]), (1_000 + one + 2, [2, 3])):
        found, count = Ran(shell).fitting(room, 600, 0)
        assert [number for number, _ in found] == numbers
        assert count == 3


def test_a_run_with_the_same_source_and_output_counts_once() -> None:
    shell = history("a", "b", "a", "a", outputs={4: [kept(stream="else")]})
    found, count = Ran(shell).fitting(5_000, 100, 100)
    assert [number for number, _ in found] == [2, 3, 4]
    assert count == 3


def test_the_number_of_a_cell_is_its_place_and_what_ipython_skipped() -> None:
    shell = history("a", "b", "c", "d")
    ran = Ran(shell, watched((1, 2), (3, 5), is_running=False))
    assert list(ran.before()) == [9, 8, 4, 3]
    assert [ran.source(number) for number in (2, 3, 4, 5, 7, 8, 9, 10)] == ["", "a", "b", "", "", "c", "d", ""]
    assert ran.running is None
    assert Ran(shell, watched((1, 2), (3, 5))).running == 9
    assert list(Ran(shell, watched((1, 2), (3, 5))).before()) == [8, 4, 3]
    later = history("a", "b")
    later.execution_count = 7  # the history begins with cell 5, and 7 is the next
    assert list(Ran(later).before()) == [6, 5]


def test_earlier_runs_of_the_running_cell_are_left_out() -> None:
    shell = history("same", "a", "same", "other", "same")
    assert list(Ran(shell, watched()).before()) == [4, 2]
    assert list(Ran(shell, watched(same={1: False, 3: True, 4: True})).before()) == [2, 1]
    assert list(Ran(shell).before()) == [5, 4, 3, 2, 1]
    assert list(Ran(history("a", " ", "b")).before()) == [3, 1]
    assert list(Ran(None).before()) == []
