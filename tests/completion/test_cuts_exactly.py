"""Where exactly a text or a value is cut, and what is said of the rest."""

from __future__ import annotations

import pytest

from tetrate_jupyter.completion.cuts import ALL_ROWS, SHOWN, Limits, as_sent, rows_of, shortened, with_text
from tetrate_jupyter.completion.describe import described, empty
from tetrate_jupyter.errors import AttachmentError, OptionError, SecretInPromptError
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Cut, Usage

KEY = Secret("sk-" + "Kq7vR2xWz9" * 3, host="a.example")


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("abcd", 1, "…"),
        ("abcd", 0, "…"),
        ("abcde 1234567", 8, "abcde …"),  # no number is cut in two
        ("a 1.5e-7 b", 6, "a 1.5…"),  # unless little would be left
        ("ab 1234567", 8, "ab 1234…"),
        ("a 1.5e-7 b", 10, "a 1.5e-7 b"),
        ("abcd 12 ef", 8, "abcd 12…"),
        ("1234567890", 6, "12345…"),
        ("ab12345678", 6, "ab123…"),
        ("abc1234567", 6, "abc12…"),
        ("abcd1234567", 6, "abcd…"),
    ],
)
def test_a_text_is_cut_before_a_number(text: str, limit: int, kept: str) -> None:
    assert shortened(text, limit) == kept


def test_a_key_at_the_cut_is_refused_and_one_far_behind_it_is_not() -> None:
    text = "x" * 50 + KEY.reveal()
    with pytest.raises(SecretInPromptError) as caught:
        shortened(text, 60)
    assert caught.value.next_step == "remove it from the prompt"
    assert shortened("x" * 100_000 + KEY.reveal(), 60) == "x" * 59 + "…"


def test_what_is_shown_of_a_sent_text_is_bounded_and_counted() -> None:
    assert as_sent("x" * SHOWN) == "x" * SHOWN
    half = SHOWN // 2
    assert as_sent("x" * SHOWN + "y") == f"{'x' * half}\n[… 1 characters more were sent here]\n{'x' * (half - 1)}y"
    long = "a" * 20_000 + "word" + "b" * 20_000
    shown = as_sent(long, "word")
    assert shown.startswith("[… 16,000 characters were sent before]\na")
    assert shown.endswith("b\n[… 16,004 characters more were sent]")
    assert "word" in shown
    assert as_sent("a" * (SHOWN - 4) + "word", "word") == "a" * (SHOWN - 4) + "word"
    assert as_sent("a" * (SHOWN - 3) + "word", "word").startswith("[… 3,997 characters were sent before]")
    assert as_sent(long, "nowhere").startswith("aaa")
    (cut,) = with_text([Cut("df", "rows", 1, 2)], long)
    assert cut.text == as_sent(long)


@pytest.mark.parametrize(("given", "rows"), [("all", None), (" ALL ", None), (1, 1), ("7", 7), (10**9, 10**9)])
def test_rows_are_a_number_or_all(given: object, rows: int | None) -> None:
    assert rows_of(given) == rows


@pytest.mark.parametrize("given", [0, -1, True, 1.5, "many", "", None, "1.5"])
def test_other_rows_are_refused(given: object) -> None:
    with pytest.raises(OptionError) as caught:
        rows_of(given)
    assert caught.value.message == f"rows can't be {given!r}."
    assert caught.value.next_step == 'give a whole number of at least 1, or "all"'


@pytest.mark.parametrize(
    ("limits", "total", "shown"),
    [
        (Limits(15), 30, (30, 0)),  # a slightly longer table is sent whole
        (Limits(15), 31, (10, 5)),
        (Limits(15, is_usual=False), 16, (10, 5)),
        (Limits(15, is_usual=False), 15, (15, 0)),
        (Limits(None), 10**6, (10**6, 0)),
        (Limits(1, is_usual=False), 9, (1, 0)),
        (Limits(100), 100, (100, 0)),
        (Limits(100), 101, (67, 33)),
    ],
)
def test_of_a_long_table_the_first_and_the_last_rows_are_sent(
    limits: Limits, total: int, shown: tuple[int, int]
) -> None:
    assert limits.shown(total) == shown
    assert ALL_ROWS == 30


def test_room_raises_a_bound_and_never_lowers_it() -> None:
    assert Limits().bound(600) == Limits(room=5).bound(600) == 600
    assert Limits(room=601).bound(600) == 601
    assert [Limits().why(3), Limits(7, 5).why(7), Limits(7, 5).why(6), Limits(None, 5).why(6)] == [
        *("", ""),
        *["no more are sure to fit the model's window"] * 2,
    ]


# --- values ------------------------------------------------------------------------------------------------------


class Wide:
    """Has more attributes than are shown."""

    def __init__(self) -> None:
        for n in range(52):
            setattr(self, f"a{n}", n)
        self._hidden = 1


class Long:
    """Has attributes that are shortened."""

    def __init__(self) -> None:
        self.a, self.b, self.c = "x" * 10_000, 7, "y" * 10_000


def test_attributes_that_are_left_out_or_shortened_are_counted() -> None:
    wide = described(Wide(), "w")
    assert "a49=49" in wide.text
    assert "a50" not in wide.text
    assert "_hidden" not in wide.text
    assert wide.cuts == (Cut("w", "attributes", 50, 52),)
    long = described(Long(), "n")
    assert Cut("n", "attributes shortened", 2) in long.cuts
    assert "b=7" in long.text


def test_what_is_ours_is_its_text_only_where_it_has_some() -> None:
    assert "Usage(prompt_tokens=1" in described(Usage(1, 2)).text
    with pytest.raises(AttachmentError) as caught:
        described(b"abc")
    assert caught.value.message == "value is bytes, not text."
    assert caught.value.next_step == 'decode it first: value.decode("utf-8")'
    with pytest.raises(AttachmentError) as caught:
        described(b"\x89PNG\r\n\x1a\n", "picture")
    assert caught.value.next_step == "pass it as an image: images=[picture]"


def test_values_that_hold_nothing_are_told() -> None:
    for value, cut in (
        (None, Cut("x", "", 0, 0, why="None")),
        (" \n", Cut("x", "characters", 0, 0)),
        ([], Cut("x", "members", 0, 0)),
        ({}, Cut("x", "members", 0, 0)),
        (set(), Cut("x", "members", 0, 0)),
    ):
        assert empty(value, "x") == (cut,)
    assert [empty(value, "x") for value in (0, False, "a", [0], 0.0, object())] == [()] * 6
