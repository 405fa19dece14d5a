"""What was spent, to the character: sums in words, the picture of the days, the table, what stands below them."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.ledger.records import NOVEMBER, record
from tetrate_jupyter.ledger.report import COUNTED, MOST_ROWS, Report, report
from tetrate_jupyter.ledger.segments import DAY
from tetrate_jupyter.ledger.totals import Sum
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system takes no other time zone")


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def some() -> list[Any]:
    return [
        record(t=NOVEMBER, asked="a", label="eval", first=0.2, cost=Decimal("0.10")),
        record(t=NOVEMBER - DAY, asked="b", cost=Decimal("0.30"), outcome="failed", cached_in=5, tokens_in=1234),
        record(t=NOVEMBER, asked="a", cost=None, first=0.4),
        record(t=NOVEMBER, cached=True, cost=Decimal(0)),
    ]


WHOLE = """\
Spent in 7 days: ≈ $0.40 + 1 request of unknown cost · 3 requests, 1 failed · 1.43k → 60 tokens · first word after \
0.30 s (median) · 1 answer kept, not paid for again

█ b  ▓ a
Wed 25 Nov  ████████████████████████████████ $0.30
Thu 26 Nov  ▓▓▓▓▓▓▓▓▓▓▓ $0.10

model             requests  failed   sent  cached  answered  first word               cost
────────────────  ────────  ──────  ─────  ──────  ────────  ──────────  ─────────────────
b                        1       1  1.23k       5        20                          $0.30
a                        2            200                40      0.30 s  $0.10 + 1 unknown
claude-haiku-4-5         0              0                 0

one
two
"""


def test_a_terminal_gets_all_of_it() -> None:
    shown = report(some(), "7d", "model", bill="https://x.example/?a&b", notes=("one", "two"))
    plain = "\n".join(line.rstrip() for line in shown.plain().splitlines())
    assert plain == f"{WHOLE}{COUNTED} Your bill: https://x.example/?a&b"
    assert repr(shown) == shown.plain()
    assert shown._repr_mimebundle_() == {"text/html": shown.html(), "text/plain": shown.plain()}
    assert report(some(), "7d", "model").plain().endswith(f"\n\n{COUNTED}")


def test_a_page_gets_all_of_it() -> None:
    html = report(some(), "7d", "model", bill="https://x.example/?a&b", notes=("one <b>",)).html()
    picture = html.partition('<p class="tetrate-caption" dir="auto"><span')[2].partition("</tbody>")[0]
    assert picture.count("background-color:#c0602f") == picture.count("background-color:#2e8b70") == 2
    assert picture.count("width:100.00%") == picture.count("width:33.33%") == 1
    assert ['">Wed 25 Nov<' in picture, '">Thu 26 Nov<' in picture, ">$0.30<" in picture] == [True] * 3
    assert '<td dir="auto" class="tetrate-id" title="b">b</td>' in html
    assert ' class="tetrate-minor" align="right" title="tokens of the prompts">sent</th>' in html
    assert ' align="right" title="estimated at the prices of the day">cost</th>' in html  # seen wherever it is narrow
    assert '<p class="tetrate-notice" dir="auto">one &lt;b&gt;</p>' in html
    assert f'{COUNTED} <a href="https://x.example/?a&amp;b">Your bill is on the dashboard</a>.</p></div>' in html
    assert "<a " not in report(some(), "7d", "model").html()
    nothing = report([], "7d", "model").html()
    assert [word in nothing for word in ("<table", 'class="tetrate-days"', COUNTED)] == [False, False, True]


def test_both_are_without_keys() -> None:
    held = Secret("sk-test-Aq7ZmX2kLr9TbW4nYc6VdE8h", host="h")
    shown = report([record(asked=held.reveal())], "today", "model")
    assert "Aq7ZmX2kLr9TbW4n" not in shown.plain() + shown.html()
    assert "<secret>" in shown.plain()
    assert "&lt;secret&gt;" in shown.html()


@pytest.mark.parametrize(
    ("sums", "right"),
    [
        (Sum(), "Nothing was asked today."),
        (Sum(requests=1, unknown=1), "Spent today: cost unknown · 1 request · 0 → 0 tokens"),
        (
            Sum(requests=1234, failed=1000, cost=Decimal(2), unknown=2),
            "Spent today: ≈ $2.00 + 2 requests of unknown cost · 1,234 requests, 1,000 failed · 0 → 0 tokens",
        ),
        (
            Sum(requests=2, cost=Decimal(0), first=0.0),
            "Spent today: ≈ $0 · 2 requests · 0 → 0 tokens · first word after 0.00 s (median)",
        ),
        (
            Sum(requests=1, cost=Decimal(0), kept=2),
            "Spent today: ≈ $0 · 1 request · 0 → 0 tokens · 2 answers kept, not paid for again",
        ),
    ],
)
def test_the_sum_in_a_line(sums: Sum, right: str) -> None:
    assert Report("today", "model", sums, (), (), ()).headline == right


@pytest.mark.parametrize(
    ("by", "right"),
    [
        ("notebook", ["one.ipynb", "two.ipynb", "(no notebook)"]),
        ("label", ["eval", "(no label)"]),
        ("day", ["2026-11-25", "2026-11-26"]),
        ("model", ["b", "a"]),
    ],
)
def test_groups_have_their_names_the_dearest_first_and_days_in_their_order(by: Any, right: list[str]) -> None:
    records = [
        record(t=NOVEMBER, asked="a", notebook="/x/one.ipynb", cost=Decimal(1), label="eval"),
        record(t=NOVEMBER - DAY, asked="b", notebook="C:\\y\\two.ipynb", cost=Decimal("0.7")),
        record(t=NOVEMBER - DAY, asked="b", cost=Decimal("0.5"), label="eval"),
    ]
    assert [row[0] for row in report(records, "7d", by).table.rows] == right
    assert Report("7d", "model", Sum(), (("", Sum()),), (), ()).table.rows[0][0] == "?"


def test_what_costs_the_same_goes_by_its_number() -> None:
    shown = report([record(asked=name, cost=None) for name in "abbcbc"], "7d", "model")
    assert [name for name, _ in shown.groups] == ["b", "c", "a"]
    assert [row[-1] for row in shown.table.rows] == ["unknown"] * 3
    assert shown.of == "tokens"  # there is nothing to show of costs


TOKENS = """\
█ b  ▓ a
Tue 24 Nov   unknown
Wed 25 Nov  ████████████████████████████████ 1.25k tokens
Thu 26 Nov  ▓▓▓▓▓▓ 240 tokens
"""


def test_the_picture_shows_tokens_where_asked_and_where_there_are_no_costs() -> None:
    lost = record(t=NOVEMBER - 2 * DAY, asked="a", tokens_in=None, out=None, cost=None)
    shown = report([*some(), lost], "7d", "model", in_tokens=True, notes=("one",))
    assert TOKENS in "\n".join(line.rstrip() for line in shown.plain().splitlines()) + "\n"
    assert shown.notes == ("one", "The picture is without the unknown tokens of 1 request.")
    assert [f">{each}</td></tr>" in shown.html() for each in ("1.25k tokens", "240 tokens", "unknown")] == [True] * 3
    costs = report([*some(), lost], "7d", "model")
    assert costs.notes == ()
    assert [line.split()[-1] for line in costs.plain().splitlines()[3:6]] == ["unknown", "$0.30", "$0.10"]
    for cost in (None, Decimal(0)):
        assert "█ 120 tokens" in report([record(cost=cost)], "today", "model").plain()
    nothing = report([lost], "7d", "model")
    assert [word in nothing.html() for word in ('class="tetrate-days"', "unknown tokens of")] == [False, False]
    kept_only = record(t=NOVEMBER - DAY, cached=True, cost=None)
    assert [line.split()[-1] for line in report([record(), kept_only], "7d", "model").plain().splitlines()[3:4]] == [
        "$0"
    ]


def test_five_models_have_a_colour_and_the_others_share_one() -> None:
    records = [record(t=NOVEMBER, asked=name, cost=Decimal(number)) for number, name in enumerate("abcdefg", 1)]
    five = report(records[:5], "7d", "model")
    assert five.models == tuple("edcba")
    shown = report([*records, record(t=NOVEMBER, asked="free", cost=Decimal(0))], "7d", "model")
    assert shown.models == (*"gfedc", "others")
    assert dict(shown.days[0][1]) == {**dict(zip("gfedc", (7, 6, 5, 4, 3), strict=True)), "others": 3}
    assert "█ g  ▓ f  ▒ e  ░ d  ▚ c  · others" in shown.plain()
    assert shown.html().count("background-color:#8a8a8a") == 2
    assert '#8a8a8a;width:.8em"></span> others</span>' in shown.html()
    bars = shown.html().partition('aria-hidden="true">')[2].partition("</td>")[0]
    assert bars.count("</span><span ") == 5


def test_a_little_is_seen_beside_a_lot() -> None:
    records = [
        record(t=NOVEMBER, asked="a", cost=Decimal(1000)),
        record(t=NOVEMBER - DAY, asked="a", cost=Decimal("0.001")),
    ]
    lines = report(records, "7d", "model").plain().splitlines()
    assert lines[3].startswith("Wed 25 Nov  █ $")
    assert lines[4] == f"Thu 26 Nov  {'█' * 32} $1,000.00"


def test_a_month_of_days_is_in_the_picture_and_hours_for_today() -> None:
    days = [record(t=NOVEMBER - number * DAY) for number in range(40)]
    shown = report(days, "30d", "model")
    assert [shown.days[0][0], shown.days[-1][0], len(shown.days)] == ["Tue 27 Oct", "Thu 26 Nov", 31]
    hours = [record(t=NOVEMBER + number * 3_600) for number in range(3)]
    assert [when for when, _ in report(hours, "today", "model").days] == ["08:00", "09:00", "10:00"]
    assert [when for when, _ in report(hours, "session", "model").days] == [
        "2026-11-26 08:00", "2026-11-26 09:00", "2026-11-26 10:00",
    ]  # fmt: skip
    assert [when for when, _ in report([record(t=1e30)], "7d", "model").days] == ["?"]


def test_very_many_groups_are_counted() -> None:
    records = [record(asked=f"m{number}") for number in range(MOST_ROWS + 1_234)]
    shown = report(records, "7d", "model")
    assert len(shown.groups) == MOST_ROWS + 1_234
    assert len(shown.table.rows) == MOST_ROWS == 200
    more = "1,234 more are in the files (--csv, --json, --parquet) and in session.usage()."
    assert more in shown.plain()
    assert more in shown.html()
    assert "1 more are in" in report(records[: MOST_ROWS + 1], "7d", "model").plain()
    assert "more are in" not in report(records[:MOST_ROWS], "7d", "model").plain()


def test_what_only_the_sandbox_answered_says_so_everywhere() -> None:
    played, real = record(simulated=True), record()
    for shown in (report([played], "7d", "model"), report([real, played], "7d", "model", sandbox=True)):
        assert shown.simulated
        assert "simulated" in shown.plain().splitlines()[0]
        assert "--sandbox" not in shown.plain()
    both = report([real, played], "7d", "model", notes=("first",))
    assert not both.simulated
    assert both.notes[0] == "first"
    assert "--sandbox" in both.notes[1]
    assert report([real], "7d", "model").notes == ()
