"""What acts on a terminal or hides from an eye is taken out or named; what does its work in a script or emoji stays."""

from __future__ import annotations

import unicodedata

import pytest

from tetrate_jupyter.characters import MAX_NAME, clipped, is_exact, one_line, plain, spelled_out, visible

SEQUENCES = {
    "colour": "\x1b[31m",
    "clear": "\x1b[2J\x1b[H",
    "clipboard (OSC 52)": "\x1b]52;c;ZXZpbA==\x07",
    "title (OSC 0)": "\x1b]0;you\x1b\\",
    "link (OSC 8)": "\x1b]8;;https://evil.example\x1b\\",
    "DCS": "\x1bP+q544e\x1b\\",
    "APC": "\x1b_Gf=100;AAAA\x1b\\",
    "PM": "\x1b^secret\x1b\\",
    "SOS": "\x1bXtext\x1b\\",
    "C1 CSI": "\x9b31m",
    "C1 OSC": "\x9d52;c;ZXZpbA==\x9c",
    "C1 DCS": "\x90q\x9c",
    "answer back": "\x1b[c\x1b[6n\x05",
}
# Every character that Unicode calls ignorable, a control, a format or a separator of lines, and that shows nothing.
VISIBLE_FORMATS = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13460)}
HIDDEN = [
    *(c for c in range(0x110000) if unicodedata.category(chr(c)) in {"Cc", "Cf", "Cs", "Zl", "Zp"}),
    *(0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, 0xFFA0, *range(0xFE00, 0xFE10)),
    *range(0xE0000, 0xE0080),
    *range(0xE0100, 0xE01F0),
]
HIDDEN = sorted({*HIDDEN} - VISIBLE_FORMATS - {9, 10})

AT_WORK = [
    *("❤️‍🔥", "🏳️‍🌈", "👩‍⚕️", "👨‍👩‍👧‍👦", "🏴‍☠️", "🏃‍➡️", "🐦‍⬛", "1️⃣", "#️⃣", "™️", "▶️", "☑︎", "⚠️ careful", "✔️, done"),
    *("\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f", "می‌خواهم", "क्‍ष", "ശ്‍രീ", "葛\U000e0100"),
    *("ᠠ\u180b", "plain\ttext\n", "Straße, 漢字, Ελλάδα, עברית, العربية"),
]
RARELY_CUT = {text for text in AT_WORK if any(c in text for c in "\u180b\U000e0100🏴")}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_go_without_litter(name: str) -> None:
    assert plain(f"a{SEQUENCES[name]}b").replace("text", "") in {"ab", "a\nb"}
    assert "\x1b" not in visible(SEQUENCES[name])


def test_every_hiding_character_is_taken_out_or_named_wherever_it_stands() -> None:
    for code in HIDDEN:
        character = chr(code)
        for text in (f"a{character}b", f"a{character}", f"a {character} b", f"a{character * 9}b"):
            for shown in (plain(text), visible(text), one_line(text), spelled_out(text)[0]):
                assert character not in shown, hex(code)
        assert not is_exact(f"a{character}b")
        assert spelled_out(f"a\n{character}b") == (f"a\n⟦U+{code:04X}⟧b", (2,)), hex(code)


def test_what_is_left_is_never_taken_for_nothing() -> None:
    assert plain("a\u202eb") == "a[U+202E]b"
    assert plain("x" + "".join(chr(0xFE00 + n % 16) for n in range(500))) == "x[hidden: 500 characters]"
    assert plain("🙂" + "".join(chr(0xE0100 + n) for n in range(100))) == "🙂[hidden: 100 characters]"
    assert plain("\U000e0068\U000e0069") == "[hidden: hi]"
    assert plain("a\u2028b\rc\r\nd") == "a\nb\nc\nd"
    assert plain("\ud83d") == "\ufffd"


def test_every_character_that_shows_itself_stays() -> None:
    hidden = {*HIDDEN, *range(0xFFF0, 0xFFF9), *range(0x2060, 0x2070), *range(0xE0000, 0xE1000)}
    shown = "".join(chr(code) for code in range(0x20, 0x110000) if code not in hidden)
    assert plain(shown) == visible(shown) == shown
    assert spelled_out(shown) == (shown, ())


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d", "\ufe0f", "\u180b", "\U000e0100"])
def test_after_an_ordinary_character_nothing_of_it_is_at_work(joiner: str) -> None:
    for code in range(0x21, 0x7F):
        assert (
            plain(f"{chr(code)}{joiner} b")
            == visible(f"{chr(code)}{joiner} b")
            == f"{chr(code)}[U+{ord(joiner):04X}] b"
        )


def test_a_page_shows_controls_as_their_pictures() -> None:
    assert visible("\x00\x01\x1b\x1f\x7f") == "␀␁␛␟␡"
    assert visible("\x80\x85\x9b\x9f") == "[U+0080][U+0085][U+009B][U+009F]"
    assert visible("a\u2028b\u2029c") == "a\nb\nc"
    assert plain("a\x00\x1f\x7f\x80\x85\x9fb") == "ab"


def test_what_hides_is_counted_and_spelled() -> None:
    assert plain("a\u200b\u200b\u200b\u200b") == "a" + 4 * "[U+200B]"
    assert plain("a\u200b\u200b\u200b\u200b\u200b") == "a[hidden: 5 characters]"
    assert plain("a\U000e0000\U000e001f\U000e0020\U000e007e\U000e007f") == "a[hidden:  ~]"
    assert plain("a\U000e007fb") == "a[hidden: ]b"
    assert plain("a\U000e0080") == "a[U+E0080]"
    assert plain("a\U000e0000b") == "a[hidden: ]b"
    assert plain("\ud7ff\ud800\udfff\ue000") == "\ud7ff\ufffd\ufffd\ue000"


@pytest.mark.parametrize("text", AT_WORK)
def test_what_does_its_work_stays(text: str) -> None:
    assert plain(text) == visible(text) == text
    for cut in range(len(text)):
        assert "U+" not in plain(text[:cut]) + plain(text[cut:]) or text in RARELY_CUT


@pytest.mark.parametrize(
    "text", ["❤\ufe0f\ufe0f", "م\u200c\u200cن", "❤\u200d\u200d🔥", "a\u200d🔥", "🔥\u200da", "a\ufe0f"]
)
def test_at_work_is_once_and_in_its_place(text: str) -> None:
    assert "[U+" in plain(text)
    assert "[U+" in visible(text)


def test_a_name_that_shows_all_of_it_is_exact() -> None:
    assert is_exact("claude-haiku-4-5: ä 漢") is True
    assert not any(is_exact(name) for name in ("a\nb", "a\tb", "a\u3000b", "a\u200bb", "a\ue000b"))


def test_code_is_as_it_was_or_says_where_it_isn_t() -> None:
    assert spelled_out("def f():\r\n\treturn 'ä 漢'\n") == ("def f():\n\treturn 'ä 漢'\n", ())
    code, lines = spelled_out("a = 1\nif a:\u202e\n    b = '❤\ufe0f'\n\x1b[2J")
    assert code == "a = 1\nif a:⟦U+202E⟧\n    b = '❤⟦U+FE0F⟧'\n⟦U+001B⟧[2J"
    assert lines == (2, 3, 4)


def test_one_line_is_bounded() -> None:
    assert one_line("a\nb\t c") == "a b c"
    assert one_line("x" * 10**7, 10) == "xxxxxxxxx…"
    assert len(one_line("\u202e\u200bx" * 10**6, 200)) == 200
    assert one_line("a b c " * 1000, 6) == "a b c…"
    assert one_line(f"{'a' * 10}{' ' * 1000}b", 10) == "aaaaaaaaa…"
    assert (MAX_NAME, one_line("x" * 201, MAX_NAME)) == (200, f"{'x' * 199}…")
    assert clipped("abc", 3) == "abc"
    assert clipped("abcd", 3) == "ab…"


def test_one_line_keeps_what_stands_after_many_blanks() -> None:
    assert one_line("\n" * 50 + "hello", 10) == "hello"
    assert one_line(f"a{' ' * 1000}b", 10) == "a b"
    assert one_line(f"a{' ' * 1000}{'b' * 100}", 10) == "a bbbbbbb…"
