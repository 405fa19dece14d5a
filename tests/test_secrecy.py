"""What is a key and what is none, to the character: in each form, whole or cut, in one piece or in many."""

from __future__ import annotations

import base64
import random
import string
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.security.keys import FORMS
from tetrate_jupyter import secrecy
from tetrate_jupyter.secret import KEY_VARIABLES, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "sk-test-Aq7ZmX2kLr9TbW4nYc6VdE8h"
ENOUGH = 16  # characters: half of it
LETTERS = string.ascii_letters + string.digits


@pytest.fixture(autouse=True)
def _no_other_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEY_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def secret() -> Iterator[Secret]:
    held = Secret(KEY, host="h")
    yield held
    assert held.reveal() == KEY


def of_length(length: int) -> str:
    return "".join(random.Random(length).sample(LETTERS, length))


# --- how much of a key is one ------------------------------------------------------------------------------------

LENGTHS = [(8, 8), (11, 11), (12, 12), (23, 12), (24, 12), (26, 13), (31, 15), (32, 16), (60, 16)]
PLAIN_FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "backwards": lambda text: text[::-1],
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "percent": FORMS["percent"],
    "PERCENT": FORMS["PERCENT"],
}


@pytest.mark.parametrize(("length", "enough"), LENGTHS)
@pytest.mark.parametrize("form", PLAIN_FORMS)
def test_half_of_a_key_is_one_and_less_is_none(length: int, enough: int, form: str) -> None:
    key = of_length(length)
    held = Secret(key, host="h")
    write = PLAIN_FORMS[form]
    for part in (key[:enough], key[-enough:], key):
        assert secrecy.holds(f"({write(part)})")
        assert secrecy.redact(f"({write(part)})") == "(<secret>)"
    for part in (key[: enough - 1], key[-enough + 1 :], key[1:-1][: enough - 1]):
        assert not secrecy.holds(f"({write(part)})")
        assert secrecy.redact(f"({write(part)})") == f"({write(part)})"
    assert held.reveal() == key


@pytest.mark.parametrize(("length", "enough"), LENGTHS)
@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_so_it_is_in_base64_wherever_it_begins(
    length: int, enough: int, before: bytes, encode: Callable[[bytes], bytes]
) -> None:
    key = of_length(length - 4) + "?~o>"  # whose bits need the signs in which the alphabets differ
    held = Secret(key, host="h")
    data = key.encode()
    assert secrecy.holds(encode(before + data).decode())
    assert secrecy.holds(encode(before + data + b"and more").decode())
    assert secrecy.holds(encode(before + data[:enough]).decode().rstrip("="))
    assert not secrecy.holds(encode(before + data[: enough - 2]).decode())
    assert not secrecy.holds(encode(before + data[-enough + 2 :]).decode())
    assert held.reveal() == key


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_in_texts_and_in_bytes(secret: Secret, form: str) -> None:
    text = FORMS[form](KEY)
    assert secrecy.holds(f"It is {text}.")
    assert secrecy.holds(f"It is {text}.".encode())
    assert secrecy.holds(bytearray(f"It is {text}.", "utf-8"))
    assert not secrecy.holds(secrecy.redact(f"It is {text}."))


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ('a"B\\3-4&5<6>7z', ['a\\"B\\\\3-4&5<6>7z', 'a\\\\\\"B\\\\\\\\3-4&5<6>7z', "a&quot;B\\3-4&amp;5&lt;6&gt;7z"]),
        ("a b/c+d=e9F_g~h", ["a%20b%2fc%2bd%3de9F_g~h", "a%20b%2Fc%2Bd%3De9F_g~h"]),
    ],
)
def test_an_odd_key_is_found_as_json_html_and_urls_write_it(key: str, written: list[str]) -> None:
    held = Secret(key, host="h")
    for text in written:
        assert secrecy.redact(f"<{text}>") == "<<secret>>"
    assert held.reveal() == key


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (f"a {KEY} b {KEY}{KEY} c", "a <secret> b <secret><secret> c"),
        (f"{KEY[:20]}! {KEY[-20:]}?", "<secret>! <secret>?"),
        (f"{KEY[:-1]}{KEY[1:]}", "<secret><secret>"),
        (f"{KEY[1:]} {KEY[:-1]}", "<secret> <secret>"),
        (f"{KEY[1:]}x{KEY[:-1]}", "<secret>x<secret>"),
        (f"{KEY[:ENOUGH]}{KEY[:ENOUGH]}", "<secret><secret>"),
        (f"{KEY[-ENOUGH:]}{KEY[-ENOUGH:]}", "<secret><secret>"),
        ("", ""),
    ],
)
def test_all_of_it_goes_and_nothing_else(secret: Secret, text: str, right: str) -> None:
    assert secrecy.redact(text) == right
    assert secrecy.redact(text, "(gone)") == right.replace("<secret>", "(gone)")


def test_keys_within_keys_are_taken_out_as_one(secret: Secret) -> None:
    longer = Secret(f"{KEY}-and-More-0123", host="h")
    assert secrecy.redact(f"a {longer.reveal()} b {KEY} c") == "a <secret> b <secret> c"


def test_values_keep_their_shape(secret: Secret) -> None:
    class Pair(NamedTuple):
        one: str
        two: int

    pair = Pair(KEY, 1)
    value = {KEY: [KEY, 1, None, True, ("a", KEY)], "b": {"c": KEY}, "pair": pair}
    found = secrecy.redacted(value)
    assert found == {"<secret>": ["<secret>", 1, None, True, ("a", "<secret>")], "b": {"c": "<secret>"}, "pair": pair}
    assert found["pair"] is pair  # whatever isn't JSON is left as it is
    assert secrecy.redacted([KEY], "x") == ["x"]


def test_a_page_gets_a_mark_that_is_text_there(secret: Secret) -> None:
    shown = secrecy.bundle({"text/html": f"<p>{KEY}", "text/plain": KEY, "text/markdown": KEY})
    assert shown == {"text/html": "<p>&lt;secret&gt;", "text/plain": "<secret>", "text/markdown": "<secret>"}


@pytest.mark.parametrize("lengths", [(32,), (10, 14), (8, 12, 24, 60)])
def test_among_many_keys_each_is_found_and_nothing_else(lengths: tuple[int, ...]) -> None:
    chance = random.Random(sum(lengths))
    keys = ["".join(chance.sample(LETTERS, length)) for length in lengths for _ in range(20)]
    held = [Secret(key, host="h") for key in keys]
    for key in keys[::4]:
        text = f"\ud83d ä {key[: len(key) // 2]}.{key}! {key[::-1]} {key.encode().hex()} \udfff"
        whole = text.encode("utf-8", "surrogatepass")
        assert secrecy.holds(text)
        assert secrecy.holds(whole)
        assert secrecy.holds(bytearray(whole))
        found = secrecy.redact(text)
        assert found.startswith("\ud83d ä ")
        assert found.endswith("<secret>! <secret> <secret> \udfff")
        assert not secrecy.holds(found)
        assert passed([text[:20], text[20:]])
    other = "".join(chance.sample(LETTERS, 60)) + "\ud83d"
    assert not secrecy.holds(other)
    assert not secrecy.holds(other.encode("utf-8", "surrogatepass"))
    assert secrecy.redact(other) == other
    assert [secret.reveal() for secret in held] == keys


# --- what is searched for ----------------------------------------------------------------------------------------

SEARCHED = ["aB3dE6gH", "abcde123", "a1b2c3d4" * 512, "kqzvtpwmxrkqzvtpwmxr", "12345678901234567890", "ABCd1234"]
NOT_SEARCHED = ["aB3dE6g", "abcdabcd", "12ab12ab", "kqzvtpwmxrkqzvtpwmx"]
NOT_SEARCHED += ["1234567890123456789", "a1b2c3d4" * 512 + "e", "Word-Word", "one two-three", "CAPITALS_word"]


@pytest.mark.parametrize("key", SEARCHED)
def test_what_is_unlike_words_is_a_key(key: str) -> None:
    held = Secret(key, host="h")
    assert secrecy.holds(f"({key})")
    assert held.reveal() == key


@pytest.mark.parametrize("key", NOT_SEARCHED)
def test_what_stands_in_texts_anyway_is_none(key: str) -> None:
    held = Secret(key, host="h")
    assert not secrecy.holds(f"({key})")
    assert held.reveal() == key


@pytest.mark.parametrize("name", KEY_VARIABLES)
def test_the_environments_keys_are_stripped_and_forgotten_with_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, f"  {KEY}\n")
    assert secrecy.redact(f"({KEY})") == "(<secret>)"
    monkeypatch.setenv(name, "sk-another-0123456789-Abc")
    assert secrecy.redact(f"({KEY}) (sk-another-0123456789-Abc)") == f"({KEY}) (<secret>)"
    monkeypatch.delenv(name)
    assert not secrecy.holds("(sk-another-0123456789-Abc)")


# --- what looks like one -----------------------------------------------------------------------------------------

LIKELY = [
    "sk-Abcdefgh", "sk-abcdefg1", "(sk-abcdefghijklmnop)", "sk-abc_def-ghi-jkl-mno", "Bearer abcdefghijk1",
    "bearer  a.b~c+d/e=f-g1", "TETRATE_API_KEY=x", "TARS_API_KEY = 'x'", 'AGENTROUTER_API_KEY="x"',
]  # fmt: skip
POSSIBLE = ["sk-abcd", "sk-a.b/c", "bearer x", "BEARER x", "Bearer abcdefghijkl"]
PROSE = "sk-learn, sk-..., TETRATE_API_KEY and Bearer of news"
UNLIKELY = [
    "sk-learn", "sk-...", "sk-abcdefg", "task-Abcdefgh9", "_sk-Abcdefgh9", "sk- Abcdefgh9", "Bearer of bad news 2026",
    "Bearer abcdefghi1", "TETRATE_API_KEY=", "TETRATE_API_KEY is x", "MY_TETRATE_API_KEY=x", "",
    PROSE,
]  # fmt: skip


@pytest.mark.parametrize("text", [*LIKELY, *POSSIBLE, *UNLIKELY])
def test_what_looks_like_a_key(text: str) -> None:
    assert secrecy.looks_secret(text) == (text in LIKELY)
    lenient = ["sk-learn", "sk-abcdefg", "sk-Abcdefgh", "Bearer of bad news 2026", "Bearer abcdefghi1", PROSE]
    assert secrecy.looks_secret(text, lenient=True) == (text in (*LIKELY, *POSSIBLE, *lenient))


def test_a_known_key_looks_like_one(secret: Secret) -> None:
    assert secrecy.looks_secret(KEY[::-1])
    assert secrecy.looks_secret(KEY[::-1], lenient=True)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("a sk-Abcdefgh b", "a <secret> b"),
        ("Bearer abcdefghijk1, more", "<secret>, more"),
        ("curl -H 'bearer abcdefghijk1'", "curl -H '<secret>'"),
        ("TETRATE_API_KEY='x y' z", "TETRATE_API_KEY='<secret> y' z"),
        ('TARS_API_KEY = "abc"', 'TARS_API_KEY = "<secret>"'),
        ("AGENTROUTER_API_KEY=abc\nnext", "AGENTROUTER_API_KEY=<secret>\nnext"),
        (PROSE, PROSE),
        (f"{KEY[::-1]}.", "<secret>."),
    ],
)  # fmt: skip
def test_what_is_kept_for_long_has_neither(secret: Secret, text: str, right: str) -> None:
    assert secrecy.blotted(text) == right
    assert secrecy.blotted(text, "x") == right.replace("<secret>", "x")


# --- in pieces ---------------------------------------------------------------------------------------------------


def passed(pieces: list[str]) -> list[str]:
    passing = secrecy.Passing()
    return [*map(passing.feed, pieces), passing.finish()]


@pytest.mark.parametrize(
    ("pieces", "right"),
    [
        (["hello ", "", "world"], ["hello ", "", "world", ""]),
        (["sk-", "learn"], ["sk-", "learn", ""]),
        (["sk-t", "ask"], ["", "sk-task", ""]),
        (["sk-", KEY[3:], " b"], ["sk-", "<secret>", " b", ""]),
        (["a sk", "-te", KEY[5:], "b"], ["a sk", "", "<secret>", "b", ""]),
        ([f"a {KEY} b"], ["a <secret> b", ""]),
        ([f"a {KEY}"], ["a <secret>", ""]),
        ([KEY[:ENOUGH]], ["", "<secret>"]),
        ([KEY[: ENOUGH - 1]], ["", KEY[: ENOUGH - 1]]),
        ([KEY[:ENOUGH], "!"], ["", "<secret>!", ""]),
        ([KEY[: ENOUGH - 1], "!"], ["", f"{KEY[: ENOUGH - 1]}!", ""]),
        ([f"x {KEY[:ENOUGH]}"], ["x ", "<secret>"]),
        ([KEY, KEY], ["<secret>", "<secret>", ""]),
        (["sk-", "sk-", KEY], ["sk-", "sk-", "<secret>", ""]),
        (["sk-test-sk-t", KEY[4:]], ["sk-test-", "<secret>", ""]),
    ],
)
def test_what_may_be_one_waits_and_nothing_else_does(secret: Secret, pieces: list[str], right: list[str]) -> None:
    assert passed(pieces) == right


@settings(database=None, derandomize=True)
# A key's end alone can't be told from a text before it has passed.
@given(data=st.data(), form=st.sampled_from(sorted({*FORMS} - {"its end"})), before=st.text("sk-te xAq", max_size=9))
def test_however_it_is_cut_it_leaves_without_it(data: st.DataObject, form: str, before: str) -> None:
    held = Secret(KEY, host="h")
    text = f"{before}{FORMS[form](KEY)} and {KEY} after"
    pieces, left = [], text
    while left:
        size = data.draw(st.integers(1, len(left)))
        pieces.append(left[:size])
        left = left[size:]
    came = "".join(passed(pieces))
    assert not secrecy.holds(came)
    assert came.endswith(" after")
    assert came.startswith(before[:-3])
    assert held.reveal() == KEY


def test_forms_are_made_once_while_the_keys_stay(secret: Secret) -> None:
    forms = secrecy._REGISTRY.forms()
    assert secrecy._REGISTRY.forms() is forms
    assert forms.of[KEY]
    other = Secret("sk-later-Gh5Jk8Lm2Np4Qr7S", host="h")
    later = secrecy._REGISTRY.forms()
    assert later is not forms
    assert later.of[KEY] is forms.of[KEY]
    assert later.of[other.reveal()]


def test_the_keys_are_those_known_when_it_began() -> None:
    later = "sk-later-Gh5Jk8Lm2Np4Qr7S"
    passing = secrecy.Passing()
    held = Secret(later, host="h")
    assert passing.feed(later) + passing.finish() == later
    assert passed([held.reveal()]) == ["<secret>", ""]


# --- nothing of it is seen -----------------------------------------------------------------------------------------


class Interrupting(str):
    """A text during whose search the person presses Stop."""

    __slots__ = ()

    def __contains__(self, _: object) -> bool:
        raise KeyboardInterrupt("stop")

    def encode(self, *_: object) -> bytes:  # where many keys are known, it is searched as bytes
        raise KeyboardInterrupt("stop")


@pytest.mark.parametrize("search", [secrecy.holds, secrecy.redact, secrecy.redacted, secrecy.blotted])
def test_an_interrupt_takes_no_form_of_a_key_along(secret: Secret, search: Callable[[Any], object]) -> None:
    with pytest.raises(KeyboardInterrupt, match="stop") as caught:
        search(Interrupting("a"))
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert not any(KEY[:8] in repr(frame.f_locals) for frame in frames[1:])
    assert [frame.f_code.co_name for frame in frames[1:]] == ["call"]


def test_what_searches_shows_nothing(secret: Secret) -> None:
    assert secrecy.holds(KEY)
    assert repr(secrecy.Passing()) == "<Passing>"
    assert repr(secrecy._REGISTRY) == repr(secrecy._REGISTRY.forms()) == "<secrets>"
    with pytest.raises(TypeError, match="pickled"):
        secrecy._REGISTRY.forms().__reduce__()
