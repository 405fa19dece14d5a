"""A last paragraph that is still being typed: each open mark is closed, what is whole stays."""

from __future__ import annotations

import pytest

from tetrate_jupyter.render.pending import closed, open_fence


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("", ""), ("plain", "plain"), ("**a", "**a**"), ("**a**", "**a**"), ("~~a", "~~a~~"),
        ("**a ~~b", "**a ~~b~~**"),
        ("**a ~~b~~", "**a ~~b~~**"), ("**a ", "**a**"), ("a **", "a "), ("a ~~", "a "), ("**a ~~", "**a**"),
        ("`a", "`a`"), ("`a`", "`a`"), ("``a`", "``a```"), ("``a` b", "``a` b``"), ("`a **b", "`a **b`"),
        ("**a `b", "**a `b`**"), ("a `", "a "), ("a ``", "a "), ("`a ", "`a`"), (r"\`a", r"\`a"), (r"\**a", r"\**a"),
        ("*a", "*a"), ("a_b", "a_b"),
    ],
)  # fmt: skip
def test_open_marks_are_closed(text: str, right: str) -> None:
    assert closed(text) == right
    assert closed(f"**before\n\n{text}") == f"**before\n\n{right}"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("see [a", "see a"), ("see [a]", "see a"), ("see [a](", "see a"), ("see [a](https://a.exa", "see a"),
        ("see ![a](https://a.exa", "see a"), ("see [", "see "), ("see [a](b)", "see [a](b)"),
        ("see [a] b", "see [a] b"),
        ("[" + "a" * 200, "a" * 200), ("[" + "a" * 201, "[" + "a" * 201), ("[a](" + "b" * 2000, "a"),
        ("[a](" + "b" * 2001, "[a](" + "b" * 2001), ("**[a](b", "**a**"), ("`[a](b", "`[a](b`"),
    ],
)  # fmt: skip
def test_an_open_link_shows_its_words(text: str, right: str) -> None:
    assert closed(text) == right


def test_a_line_that_has_ended_or_is_long_stays() -> None:
    assert closed("**a\n") == "**a\n"
    assert closed("**a\n\n") == "**a\n\n"
    assert closed("**a\nb") == "**a\nb**"
    most = "**" + "a" * 3_998
    assert closed(most) == f"{most}**"
    assert closed(f"{most}a") == f"{most}a"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("", ""), ("a", ""), ("```python\nx", "```python\n"), ("```\nx\n```", ""), ("```\nx\n``", "```\n"),
        ("````\n```\nx", "````\n"), ("```\n````", ""), ("~~~ x\n```", "~~~ x\n"), ("```\n~~~\n", "```\n"),
        ("   ```a", "   ```a\n"), ("    ```a", ""), ("a ```", ""), ("```\n```\n~~~\nx", "~~~\n"),
        ("text\n```r\nx", "```r\n"),
        ("~~~\nx\n~~~\ny", ""), ("``", ""),
    ],
)  # fmt: skip
def test_the_code_block_that_is_open(text: str, right: str) -> None:
    assert open_fence(text) == right


def test_code_that_is_open_stays_as_it_is() -> None:
    assert closed("```\n**a") == "```\n**a"
    assert closed("```\n`x\n```\n\n**a") == "```\n`x\n```\n\n**a**"
