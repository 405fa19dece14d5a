"""Every needle is found wherever it stands, however the text is divided, and few others are."""

from __future__ import annotations

import random
import re
import string
import sys

import pytest

from tetrate_jupyter.needles import Windows, any_of, windows

LETTERS = (string.ascii_letters + string.digits).encode()


def of_length(length: int, seed: int) -> bytes:
    return bytes(random.Random(seed).choices(LETTERS, k=length))


@pytest.mark.parametrize("length", [7, 8, 11, 14, 15, 16, 23, 40])
def test_a_needle_is_found_wherever_it_stands(length: int) -> None:
    needles = [of_length(length, seed) for seed in range(20)]
    wide, narrow = windows(needles)
    for before in range(20):
        for after in range(10):
            for needle in needles[before % 20], needles[after]:
                text = b"." * before + needle + b"-" * after
                found = [*wide.likely(text), *narrow.likely(bytearray(text))]
                assert needle in found
                assert len(found) < 3


def test_the_long_ones_are_told_by_wider_windows_than_the_short_ones() -> None:
    short, long = of_length(14, 1), of_length(15, 2)
    wide, narrow = windows([short, long])
    assert (wide._needles, narrow._needles) == ((long,), (short,))
    assert (wide._width, narrow._width) == (8, 4)
    assert [len(each._numbers) for each in windows([long])] == [8, 0]
    assert [len(each._numbers) for each in windows([short])] == [0, 4]


def test_it_is_told_by_its_end() -> None:
    needle = b"sk-the-same-for-all-" + of_length(15, 3)
    (wide, _), end = windows([needle]), needle[-15:]
    for at in range(8):  # eight bytes of the end, on a border between two windows
        assert list(wide.likely(end[at : at + 8])) == [needle]
    assert not wide.likely(needle[:-15])
    assert not wide.likely(needle[-16:-8])
    assert not wide.likely(end[:7])
    assert not wide.likely(b"." + end[:14])


def test_numbers_are_those_of_this_machine() -> None:
    windows_of_one = Windows(8, "Q", [b"abcdefgh1234567"])
    assert int.from_bytes(b"abcdefgh", sys.byteorder) in windows_of_one._numbers
    assert int.from_bytes(b"h1234567", sys.byteorder) in windows_of_one._numbers
    assert len(windows_of_one._numbers) == 8


def test_where_there_is_none_there_is_nothing() -> None:
    assert [list(each.likely(b"anything")) for each in windows([])] == [[], []]
    wide, narrow = windows([of_length(15, 4), of_length(14, 5)])
    for text in (b"", b"abc", b"x" * 1001):
        assert [list(each.likely(text)) for each in (wide, narrow)] == [[], []]
    assert repr(wide) == repr(narrow) == "<needles>"


@pytest.mark.parametrize("words", [["abc"], ["abc", "abd", "xyz"], ["a", "b"], ["a.c", "a]c", "[^-"], ["ab", "cb"]])
def test_a_pattern_of_words_takes_those_and_no_others(words: list[str]) -> None:
    pattern = re.compile(any_of(words))
    assert all(pattern.fullmatch(word) for word in words)
    signs = sorted({sign for word in words for sign in word} | {"z", "-", "\\"})
    others = [word[:at] + sign + word[at + 1 :] for word in words for at in range(len(word)) for sign in signs]
    assert not any(pattern.fullmatch(other) for other in others if other not in words)


def test_a_pattern_has_each_beginning_once() -> None:
    assert any_of(["sk-a", "sk-b"]) == "(?:s(?:k(?:\\-[ab])))"
    assert any_of(["a", "b"]) == "[ab]"
