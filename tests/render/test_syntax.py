"""The Markdown that is read, exactly: formulas and where they end, blocks in blocks, and every bound."""

from __future__ import annotations

import pytest

from tetrate_jupyter.render import syntax
from tetrate_jupyter.render.syntax import TooCostlyError, blocks, inline


def kinds(text: str, **more: int) -> list[str]:
    return [token.type for token in blocks(text, **more)]


def said(text: str) -> list[tuple[str, str]]:
    """Return the parts of a paragraph: what each is, and its text."""
    return [(token.type, token.content) for token in inline(text) if token.content]


def shown(text: str) -> list[tuple[str, str, list[int] | None]]:
    """Return the blocks that hold text, with their lines."""
    return [(token.type, token.content, token.map) for token in blocks(text) if token.content]


# --- formulas in a line ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "inside"),
    [
        ("$x$", "formula", "x"),
        ("$a b$", "formula", "a b"),
        (r"$\$5$", "formula", r"\$5"),
        (r"$a\$$", "formula", r"a\$"),
        (r"$a\ $", "formula", r"a\ "),
        ("$a\nb$", "formula", "a\nb"),
        ("$$x$$", "formula_display", "x"),
        (r"$$x\$y$$", "formula_display", r"x\$y"),
        ("$$ x $$", "formula_display", " x "),
        ("$$a\nb$$", "formula_display", "a\nb"),
        (r"\(x\)", "formula", "x"),
        (r"\(a\,b\)", "formula", r"a\,b"),
        (r"\[x\]", "formula_display", "x"),
        (r"\[a\,b\]", "formula_display", r"a\,b"),
        ("\\[a\nb\\]", "formula_display", "a\nb"),
        (r"\(f(x)\)", "formula", "f(x)"),
        (r"\[[x]\]", "formula_display", "[x]"),
    ],
)
def test_a_formula_ends_where_its_marks_do(text: str, kind: str, inside: str) -> None:
    assert said(f"so {text} is") == [("text", "so "), (kind, inside), ("text", " is")]
    assert said(text) == [(kind, inside)]


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $6", "US$5 and US$6", "$HOME/$USER", "$ x$", "$x $", "a$x$", "1$x$", "$x$y", "$x$$", "$$", "$x", "$$x$",
        "$$ $$", "$a`b$", "$$a`b$$", "$a\n\nb$",
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_text(text: str) -> None:
    assert all(token.type not in {"formula", "formula_display"} for token in inline(text))


def test_a_mark_that_is_written_as_such_opens_nothing() -> None:
    assert said(r"\$x$ y")[-1] == ("text", "x$ y")
    assert [kind for kind, _ in said(r"\(x`y\)")].count("formula") == 0
    assert "".join(text for _, text in said(r"\*x\*")) == "*x*"


def test_a_formula_in_a_line_has_a_bound() -> None:
    longest = "x" * (syntax.MAX_INLINE_FORMULA - 2)
    assert said(f"${longest}$") == [("formula", longest)]
    assert "formula" not in dict(said(f"${longest}x$"))


def test_marks_within_links_and_emphasis_are_formulas_too() -> None:
    assert ("formula", "x") in said("**$x$**")
    label = next(token for token in inline("[$x$ y](https://a.example)") if token.type == "formula")
    assert label.content == "x"


# --- formulas as blocks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("$$\nx\n$$", ("formula_block", "x", [0, 3])),
        ("$$ x $$", ("formula_block", "x", [0, 1])),
        ("$$x$$  ", ("formula_block", "x", [0, 1])),
        ("$$x\ny$$", ("formula_block", "x\ny", [0, 2])),
        ("\\[\nx\n\\]", ("formula_block", "x", [0, 3])),
        ("\\[ x \\]", ("formula_block", "x", [0, 1])),
        ("$$\na\nb\n$$\nmore", ("formula_block", "a\nb", [0, 4])),
        ("  $$\n  x\n  $$", ("formula_block", "x", [0, 3])),
        ("$$\nx\n\n$$", ("inline", "$$\nx", [0, 2])),
        ("$$x$$ is\nmore", ("inline", "$$x$$ is\nmore", [0, 2])),
        ("\\[x\\] is", ("inline", "\\[x\\] is", [0, 1])),
        ("$$\nx", ("inline", "$$\nx", [0, 2])),
        ("    $$x$$", ("code_block", "$$x$$\n", [0, 1])),
    ],
)
def test_a_block_of_a_formula_ends_at_its_mark_or_is_none(text: str, right: tuple[str, str, list[int]]) -> None:
    assert shown(text)[0] == right


def test_a_formula_ends_with_the_item_that_it_is_in() -> None:
    assert shown("- $$\n  x\n  $$\n- y") == [("formula_block", "x", [0, 3]), ("inline", "y", [3, 4])]
    assert shown("- $$\n  x\ny\n$$")[0] == ("inline", "$$\nx", [0, 2])
    assert shown("> $$\n> x\n> $$") == [("formula_block", "x", [0, 3])]


@pytest.mark.parametrize("before", ["text\n", "> quoted\n", "- item\n"])
def test_a_formula_interrupts_what_is_before_it(before: str) -> None:
    assert kinds(f"{before}$$\nx\n$$").count("formula_block") == 1
    assert kinds("text\n$$\nx\n$$\nmore") == [
        "paragraph_open", "inline", "paragraph_close", "formula_block", "paragraph_open", "inline", "paragraph_close",
    ]  # fmt: skip


# --- what isn't read ---------------------------------------------------------------------------------------------


def test_nothing_that_comes_later_changes_a_block() -> None:
    assert kinds("a\n---") == ["paragraph_open", "inline", "paragraph_close", "hr"]
    assert kinds("a\n===") == ["paragraph_open", "inline", "paragraph_close"]
    assert kinds("[a]: https://a.example") == ["paragraph_open", "inline", "paragraph_close"]
    assert kinds("<div>\n\nx") == ["paragraph_open", "inline", "paragraph_close"] * 2
    assert "".join(text for _, text in said("<b>x</b>")) == "<b>x</b>"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a\nb", "softbreak"), ("a  \nb", "hardbreak"), ("`x`", "code_inline"), ("~~x~~", "s_open"), ("*x*", "em_open"),
        ("**x**", "strong_open"), ("[x](https://a.example)", "link_open"), ("![x](https://a.example)", "image"),
        ("<https://a.example>", "link_open"),
    ],
)  # fmt: skip
def test_the_marks_that_are_read(text: str, kind: str) -> None:
    assert kind in [token.type for token in inline(text)]


def test_entities_are_read_and_plain_text_is_one_piece() -> None:
    assert "".join(text for _, text in said("&copy; &nothing;")) == "© &nothing;"
    assert said("plain words, no marks") == [("text", "plain words, no marks")]


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("https://[::1]:8888/x", "https://[::1]:8888/x"),
        ("HTTP://[2001:DB8::1]/", "http://[2001:db8::1]/"),
        ("https://a.example/[x]", "https://a.example/%5Bx%5D"),
        ("javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_an_address_keeps_the_brackets_of_its_host_only(address: str, right: str) -> None:
    (opening,) = [token for token in inline(f"[x](<{address}>)") if token.type == "link_open"]
    assert str(opening.attrs["href"]).lower() == right.lower()


# --- bounds ------------------------------------------------------------------------------------------------------


def test_a_paragraph_has_a_bound() -> None:
    assert said("x" * 20_000) == [("text", "x" * 20_000)]
    with pytest.raises(TooCostlyError):
        inline("x" * 20_001)


def test_brackets_in_brackets_are_given_up() -> None:
    assert inline("[" * 44)
    for more in (56, 5_000):
        with pytest.raises(TooCostlyError):
            inline("[" * more)


def test_blocks_in_blocks_have_a_bound_beyond_which_they_are_text() -> None:
    assert kinds("> " * 39 + "x").count("blockquote_open") == 39
    assert "code_block" not in kinds("> " * 39 + "x")
    deep = blocks("> " * 50 + "x\n" + "> " * 50 + "y")
    assert [token.type for token in deep].count("blockquote_open") == 40
    (rest,) = [token for token in deep if token.type == "code_block"]
    assert rest.content == "> " * 10 + "x\n" + "> " * 10 + "y"
    assert rest.map == [0, 2]
    assert rest.tag == "code"


def table(columns: int, rows: int) -> str:
    return "\n".join(["|".join("a" * columns), "|".join(["-"] * columns), *["|".join("b" * columns)] * rows])


def test_a_table_has_as_many_columns_and_cells_as_can_be_shown() -> None:
    assert "table_open" in kinds(table(100, 1))
    assert "table_open" not in kinds(table(101, 1))
    assert kinds(table(100, 199)).count("tr_open") == 200
    assert kinds(table(100, 200)).count("tr_open") == 201
    assert kinds(table(100, 201)).count("tr_open") == 201
    assert kinds(table(100, 200), rows_above=150).count("tr_open") == 51
    assert kinds(f"text\n\n{table(100, 200)}", rows_above=150).count("tr_open") == 201
    assert kinds(f"> {table(100, 3)}".replace("\n", "\n> "), rows_above=199).count("tr_open") == 4
    assert kinds(f"text\n{table(2, 1)}").count("table_open") == 1
