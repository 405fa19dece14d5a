"""Which braces are a variable and which are code or maths, kind by kind, and what is said of those that are neither."""

from __future__ import annotations

import pytest

from tetrate_jupyter.completion.cuts import Limits
from tetrate_jupyter.completion.variables import computed, interpolate, near_misses, note_on_unknown, unknown_names

CODE = [
    "x = f({city});", "if (x) {city} {", "x => {city}", "-> {city}", "when x == {city}",
    "x := {city}", "x != {city}", "mkdir x && cd {city}", "this || {city}", "x += {city}", "std::x {city}",
    "print( {city} )", "f(x) { {city}", "<b> {city}", "</b> {city}", "http://x {city}", "x = {city}", "x.y = {city}",
    'the "x": "y", {city}', "{ {city}", "{city} }", "{} {city}", "f'x' {city}", '{"x {city}',
    "import {city}", "return {city}", "SELECT {city}", "echo {city}", "def {city}", "while {city}", "$cd {city}",
    "--to {city}", "#!/bin/{city}", "#!/bin/sh {city}", "// see {city}", "/* {city}",
]  # fmt: skip


@pytest.mark.parametrize("line", CODE)
def test_a_line_of_code_gets_no_note(line: str) -> None:
    assert unknown_names(f"Look at this.\n{line}\nWhat is it?", {}) == ()


@pytest.mark.parametrize(
    "text",
    [
        "in {city}", "{city}", "({city})", '"{city}"', "«{city}»", "a\u2013{city}\u2013b", "*{city}*", "to:{city}",
        "{city}, {city}!",
        "Is it {city}?", "like {city}…", "> {city}", "well-{city}-known",
    ],
)  # fmt: skip
def test_a_name_in_prose_that_is_no_variable_is_told(text: str) -> None:
    assert unknown_names(text, {"town": 1}) == ("city",)


@pytest.mark.parametrize(
    "text",
    [
        "a{city}b", "a{city}", "{city}b", "see{city} it", "{{city}}", "say {{city} twice", "{_city}", "{town}",
        "`{city}`",
        "```\n{city}\n```", "    {city}", "\t{city}", "~~~\n{city}", "${city}", "x_{city}", "x^{city}", r"\text{city}",
        r"$x + {city}$",
    ],
)  # fmt: skip
def test_what_stands_elsewhere_is_left_alone(text: str) -> None:
    assert unknown_names(text, {"town": 1}) == ()


def test_whole_expressions_are_told_once_each() -> None:
    text = "{city} and {city['a']}, {city.name}, {city}"
    assert unknown_names(text, {}) == ("city", "city['a']", "city.name")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$total = {n} + rest$", "$total = {n} + rest$"),  # words, but a sum
        ("$total of {n} rest$", "$total of 3 rest$"),
        ("$5 = {n} and rest$", "$5 = 3 and rest$"),  # an amount of money
        ("$sin {n}$", "$sin {n}$"),
        ("$x {n}$", "$x {n}$"),
        ("US$) {n} and (A$", "US$) 3 and (A$"),
        ("$a_{n} b$", "$a_{n} b$"),
        (r"\[ {n} \] \( {n} \) {n}", r"\[ {n} \] \( {n} \) 3"),
        (r"\begin{math}{n}\end{math} {n}", r"\begin{math}{n}\end{math} 3"),
        (r"\begin{other}{n}\end{other}", r"\begin{other}{n}\end{other}"),
        (r"\frac{a}{n} {a}{n} ]{n}", r"\frac{a}{n} {a}3 ]3"),
        (r"x_{n} report_{n} \alpha_{n} )_{n} \text{b}_{n}", r"x_{n} report_3 \alpha_{n} )_{n} \text{b}_{n}"),
        (r"^{n} ${n} \{n}", r"^{n} ${n} \{n}"),
        ("{{n}} {{{n}}} {n}} {{n} {{m}}", "{n} {{{n}}} 3} {{n} {{m}}"),
        ("{ n } {n } {n!r} {n:d} {n()} {_n} {len}", "{ n } {n } {n!r} {n:d} {n()} {_n} {len}"),
        ("{ﬁt} {é}", "4 5"),  # Python reads both names so
    ],
)
def test_what_is_filled_in_and_what_stays(text: str, filled: str) -> None:
    assert interpolate(text, {"n": 3, "_n": 1, "len": len, "fit": 4, "é": 5}).text == filled


def test_all_values_share_the_room() -> None:
    names = {"a": [10_000] * 3_000, "b": [20_000] * 3_000}  # more than 20,000 characters each
    both = interpolate("{a} {b} {a}", names, Limits(None, room=30_000))
    assert (both.text.count("10000"), both.names_used) == (6_000, ("a", "b"))
    assert [cut.name for cut in both.cuts] == ["b"]
    assert interpolate("{a} {b}", names, Limits(None, room=60_000)).cuts == ()


def test_images_are_numbered_after_those_before() -> None:
    import PIL.Image

    done = interpolate("{a} {b} {a}", {name: PIL.Image.new("RGB", (1, 1)) for name in "ab"}, before=2)
    assert done.text == "[image 3: a] [image 4: b] [image 3: a]"
    assert len(done.images) == 2


def test_names_that_are_nearly_a_variables_are_told() -> None:
    known = {"sales": 1, "n": 2, "_total": 3, "length": len}
    assert near_misses("{salse} {sale} {nn} {total} {lengths} {sales}", known) == (
        ("salse", "sales"),
        ("sale", "sales"),
    )
    many = " ".join(f"{{zzz{n}}}" for n in range(20))
    assert near_misses(f"{many} {{salse}}", known) == ()
    assert near_misses(f"{many[8:]} {{salse}}", known) == (("salse", "sales"),)


def test_more_than_five_are_counted() -> None:
    assert note_on_unknown(" ".join(f"{{v{n}}}" for n in range(5)), {}) == (
        "{v0}, {v1}, {v2}, {v3}, {v4} aren't variables here and stay as typed."
    )
    six = note_on_unknown(" ".join(f"{{n + {n}}}" for n in range(6)), {"n": 1})
    assert six.startswith(
        "{n + 0}, {n + 1}, {n + 2}, {n + 3}, {n + 4} and 1 more stay as typed: nothing is computed. Assign"
    )


@pytest.mark.parametrize(
    "each", ["{n!r}", "{n:.2f}", "{n.head()}", "{n[1:2]}", "{n + 1}", "{n*2}", "{n=}", "{ n}", "{n }", "${n}"]
)
def test_what_would_be_computed_is_told_in_prose_alone(each: str) -> None:
    assert computed(f"It is {each}, and {each}.", {"n": 1}) == (each,)
    assert computed(f"It is {each}.", {"m": 1}) == ()
    for other in (f"`{each}`", f"x{each}y", f"```\n{each}\n```", f"It is {{{each}}}."):
        assert computed(other, {"n": 1}) == ()
