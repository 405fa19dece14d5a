"""Tables of facts and numbers as a person reads them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tetrate_jupyter.render.numbers import money, price, seconds, tokens
from tetrate_jupyter.render.table import Table, TableColumn

COLUMNS = [
    TableColumn("Name"),
    TableColumn("Cost", align="right", hint='a "hint"'),
    TableColumn("Id", code=True, optional=True),
]
ROWS = [["one", 5, "id-1"], ["twelve", None, "id-22", "cut off"], ["short"]]


def test_a_table_in_plain_text() -> None:
    assert Table(COLUMNS, ROWS, caption="Some\nfacts").plain().splitlines() == [
        "Some facts",
        "Name    Cost  Id",
        "──────  ────  ─────",
        "one        5  id-1",
        "twelve        id-22",
        "short",
    ]


def test_what_is_optional_is_left_out_first_and_said() -> None:
    table = Table(COLUMNS, ROWS)
    assert table.plain(19).splitlines()[0] == "Name    Cost  Id"
    assert table.plain(18).splitlines() == [
        "Name    Cost",
        "──────  ────",
        "one        5",
        "twelve",
        "short",
        "(not shown here: Id)",
    ]
    assert table.plain(None).splitlines()[0] == "Name    Cost  Id"
    two = Table(
        [TableColumn("A"), TableColumn("B", optional=True), TableColumn("C", optional=True)], [["aaaa", "bbbb", "cccc"]]
    )
    assert two.plain(10).splitlines() == ["A     B", "────  ────", "aaaa  bbbb", "(not shown here: C)"]
    assert two.plain(9).splitlines() == ["A", "────", "aaaa", "(not shown here: B, C)"]


def test_the_widest_columns_are_cut_to_twelve_at_least_and_numbers_never() -> None:
    table = Table(
        [TableColumn("A"), TableColumn("B"), TableColumn("N", align="right")], [["a" * 30, "b" * 20, "1" * 25]]
    )
    assert table.plain(75).splitlines()[2] == "a" * 25 + "…  " + "b" * 20 + "  " + "1" * 25
    assert table.plain(79).splitlines()[2] == "a" * 30 + "  " + "b" * 20 + "  " + "1" * 25
    assert table.plain(65).splitlines()[2] == "a" * 15 + "…  " + "b" * 20 + "  " + "1" * 25
    assert table.plain(20).splitlines()[2] == "a" * 11 + "…  " + "b" * 11 + "…  " + "1" * 25
    assert Table([TableColumn("N", align="right")], [["1" * 25]]).plain(10).splitlines()[2] == "1" * 25


def test_wide_characters_take_two_places_and_combining_ones_none() -> None:
    lines = (
        Table([TableColumn("A"), TableColumn("B")], [["漢字", "x"], ["e\u0301", "y"], ["abcd", "z"]])
        .plain()
        .splitlines()
    )
    assert lines[2:] == ["漢字  x", "e\u0301     y", "abcd  z"]
    assert Table([TableColumn("A")], [["漢" * 20]]).plain(12).splitlines()[2] == "漢" * 5 + "…"


def test_a_table_without_headings_has_no_line_for_them() -> None:
    table = Table([TableColumn(""), TableColumn("")], [["a", "b"]])
    assert table.plain() == "a  b"
    assert repr(table) == "a  b"
    assert "<th" not in table.markup
    assert Table([TableColumn("X")], []).plain() == "X\n─"


def test_a_table_for_a_page() -> None:
    markup = Table([*COLUMNS, TableColumn("W", wide=True, code=True)], [["<a>", 1, "id", "w"]], caption="<c>").markup
    assert markup == (
        '<div class="tetrate-answer mathjax_ignore tex2jax_ignore tetrate-facts">'
        '<p class="tetrate-caption" dir="auto">&lt;c&gt;</p>'
        '<div class="tetrate-scroll" tabindex="0" role="region" aria-label="Table"><table><thead><tr>'
        '<th scope="col" dir="auto">Name</th>'
        '<th scope="col" dir="auto" align="right" title="a &quot;hint&quot;">Cost</th>'
        '<th scope="col" dir="auto" class="tetrate-id">Id</th>'
        '<th scope="col" dir="auto" class="tetrate-wide tetrate-id">W</th></tr></thead><tbody>'
        '<tr><td dir="auto">&lt;a&gt;</td><td dir="auto" align="right">1</td><td dir="auto" class="tetrate-id">id</td>'
        '<td dir="auto" class="tetrate-wide tetrate-id">w</td></tr></tbody></table></div></div>'
    )
    assert "caption" not in Table(COLUMNS, ROWS).markup
    bundle = Table(COLUMNS, ROWS)._repr_mimebundle_()
    assert bundle["text/html"].endswith(Table(COLUMNS, ROWS).markup)
    assert "<style>" in bundle["text/html"]
    assert bundle["text/plain"] == Table(COLUMNS, ROWS).plain()


def test_a_table_for_a_file() -> None:
    assert Table(COLUMNS[:2], [["a|b *c*", 5], ["`d`"]], caption="#1").markdown() == (
        "\\#1\n\n| Name | Cost |\n|---|---:|\n| a\\|b \\*c\\* | 5 |\n| \\`d\\` |  |\n"
    )
    assert Table(COLUMNS[:1], []).markdown() == "| Name |\n|---|\n"
    each = "\\`*_{}[]<>|$~#!&"
    assert Table([TableColumn(each)], []).markdown().splitlines()[0] == "| " + "".join("\\" + c for c in each) + " |"


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("12.5", "$12.50"), ("1", "$1.00"), ("0.999", "$1.00"), ("0.994", "$0.99"), ("0.35", "$0.35"),
        ("0.104", "$0.10"), ("0.10", "$0.10"), ("0.0999", "$0.10"), ("0.05", "$0.05"), ("0.055", "$0.055"),
        ("0.0021", "$0.0021"), ("0.00215", "$0.0022"), ("0.002", "$0.002"), ("0.000001", "$0.000001"),
        ("0.00000099", "<$0.000001"), ("-0.0000001", "-<$0.000001"), ("-3", "-$3.00"), ("0", "$0"), ("-0", "$0"),
        ("1234.565", "$1,234.57"), ("1000000000000", "$1,000,000,000,000.00"),
        ("1000000000000.01", ">$1,000,000,000,000"),
        ("-1e30", "->$1,000,000,000,000"), ("NaN", "unknown"), ("Infinity", "unknown"),
    ],
)  # fmt: skip
def test_money(usd: str, text: str) -> None:
    assert money(Decimal(usd)) == text
    assert money(None) == "unknown"


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0.25", "$0.25"), ("0.0375", "$0.0375"), ("15", "$15.00"), ("1.5", "$1.50"), ("0", "free"), ("-1", "unknown"),
        ("NaN", "unknown"), ("1e-12", "$0.000000000001"), ("1e-13", "<$0.000000000001"), ("1e3", "$1,000.00"),
        ("1000000000000", "$1,000,000,000,000.00"), ("1000000000000.1", ">$1,000,000,000,000"),
        ("0.12345678901234567885", "$0.12345678901234567885"), ("0.123456789012345678912", "$0.12345678901234567891"),
    ],
)  # fmt: skip
def test_prices(usd: str, text: str) -> None:
    assert price(Decimal(usd)) == text
    assert price(None) == "unknown"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "unknown"), (-1, "unknown"), (0, "0"), (999, "999"), (1000, "1k"), (1040, "1.04k"), (9994, "9.99k"),
        (9995, "10k"), (16_384, "16.4k"), (99_949, "99.9k"), (99_950, "100k"), (100_600, "101k"), (200_000, "200k"),
        (999_499, "999k"),
        (999_500, "1M"), (1_048_576, "1.05M"), (10**12, "1000000M"), (10**12 + 1, ">1,000,000M"),
    ],
)  # fmt: skip
def test_sizes(count: int | None, text: str) -> None:
    assert tokens(count) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (None, "unknown"), (float("nan"), "unknown"), (float("inf"), "unknown"), (1e9, "unknown"), (-1e9, "unknown"),
        (0.0, "0.00 s"), (0.214, "0.21 s"), (9.994, "9.99 s"), (9.995, "10.0 s"), (12.34, "12.3 s"), (59.94, "59.9 s"),
        (59.95, "1 min 00 s"), (125, "2 min 05 s"), (125.6, "2 min 06 s"), (999_999_999, "16666666 min 39 s"),
    ],
)  # fmt: skip
def test_durations(duration: float | None, text: str) -> None:
    assert seconds(duration) == text
