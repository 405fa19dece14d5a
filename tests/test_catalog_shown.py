"""The list of models as a person sees it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.catalog.shown import MOST_ROWS, brief, model_table, model_text
from tetrate_jupyter.types import Model, Price

DAY = date(2026, 11, 1)
KNOWN = Model(
    id="claude-<b>",
    name="Claude & co",
    provider="anthropic",
    context_window=200_000,
    max_output_tokens=64_000,
    price=Price(Decimal(10), Decimal("0.0141"), Decimal(0)),
    images=True,
    tools=True,
    reasoning=False,
)
UNKNOWN = Model(id="unheard-of", name="unheard-of")


def line(model: Model, day: date = DAY) -> str:
    return next(row for row in model_table([model], day).plain().splitlines() if row.lstrip("| ").startswith(model.id))


def test_a_row_tells_what_is_known() -> None:
    shown = line(KNOWN)
    for part in ("Claude & co", "anthropic", "200k", "64k", "images, tools", "$10.00", "$0.0141", "free"):
        assert part in shown


def test_what_is_unknown_is_a_question_mark_and_never_nothing() -> None:
    shown = line(UNKNOWN)
    assert shown.count("?") == 7
    assert "free" not in shown


def test_retirement_is_shown_when_it_is_near() -> None:
    retiring = Model(id="old", name="old", retirement_date=date(2026, 12, 11))
    assert "2026-12-11" in line(retiring)
    assert "2026-12-11" not in line(retiring, date(2026, 1, 1))
    assert "retirement" not in model_table([KNOWN], DAY).plain()


def test_a_deprecated_model_says_so() -> None:
    assert "deprecated" in line(Model(id="old", name="old", deprecated=True))


def test_the_html_is_escaped() -> None:
    html = model_table([KNOWN], DAY).html()
    assert "claude-&lt;b&gt;" in html
    assert "<b>" not in html


def test_the_repr_is_stable_and_a_notebook_gets_both_forms() -> None:
    models = ModelList([KNOWN, UNKNOWN])
    bundle = models._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == repr(models) == repr(ModelList([KNOWN, UNKNOWN]))
    assert " object at 0x" not in repr(models)


def test_a_long_id_is_never_cut_short() -> None:
    identity = "deepinfra/somebody/" + "a-very-long-name-" * 5 + "1"
    full = Model(
        id=identity,
        name="n",
        images=True,
        tools=True,
        reasoning=True,
        structured_output=True,
        price=Price(Decimal("123.4567"), Decimal("1234.56")),
        retirement_date=date(2020, 1, 1),
    )
    shown = repr(ModelList([full]))
    assert identity in shown
    assert "images, tools, reasoning, schema" in shown


def test_an_empty_list_says_so() -> None:
    assert "No models" in repr(ModelList())
    assert "No models" in ModelList()._repr_mimebundle_()["text/html"]


def test_each_column_has_its_place_its_unit_and_the_ids_can_be_copied() -> None:
    columns = model_table([KNOWN, Model(id="old", name="old", deprecated=True)], DAY).columns
    assert [(c.title, c.align, c.hint, c.code, c.optional) for c in columns] == [
        ("id", "left", "", True, False),
        ("name", "left", "", False, True),
        ("$/1M in", "right", "US dollars per million tokens sent", False, False),
        ("$/1M out", "right", "US dollars per million tokens written", False, False),
        ("context", "right", "tokens that prompt and answer may have together", False, False),
        ("retires", "left", "the day the model goes away", False, False),
        ("capabilities", "left", "", False, False),
        ("provider", "left", "", False, True),
        ("max output", "right", "tokens an answer may have", False, True),
        ("cached", "right", "US dollars per million tokens read from the cache", False, True),
    ]
    assert "retires" not in [c.title for c in model_table([KNOWN], DAY).columns]


def test_a_row_is_in_the_order_of_its_columns() -> None:
    known, unknown = model_table([KNOWN, UNKNOWN], DAY).rows
    assert known == (
        "claude-<b>", "Claude & co", "$10.00", "$0.0141", "200k", "images, tools", "anthropic", "64k", "free",
    )  # fmt: skip
    assert unknown == ("unheard-of", "unheard-of", "?", "?", "?", "?", "?", "?", "?")


def test_capabilities_are_named_or_text_or_unknown() -> None:
    def of(**flags: bool) -> str:
        return model_table([Model(id="m", name="m", **flags)], DAY).rows[0][5]  # type: ignore[arg-type]

    assert of() == "?"
    assert of(tools=False) == "text"
    assert of(images=True, tools=True, reasoning=True, structured_output=True) == "images, tools, reasoning, schema"
    assert of(structured_output=True) == "schema"


def test_a_retirement_has_its_day_or_says_deprecated() -> None:
    both = [Model(id="a", name="a", retirement_date=date(2026, 12, 11), deprecated=True), KNOWN]
    assert [row[5] for row in model_table(both, DAY).rows] == ["2026-12-11", ""]
    late = Model(id="a", name="a", retirement_date=date(2029, 1, 1), deprecated=True)
    assert model_table([late], DAY).rows[0][5] == "deprecated"


def test_price_and_window_in_a_line() -> None:
    assert brief(KNOWN) == "$10.00 in, $0.0141 out per M; 200k"
    assert brief(UNKNOWN) == "price unknown; ?"
    assert brief(Model(id="m", name="m", price=Price(Decimal(1)))) == "$1.00 in, ? out per M; ?"
    assert brief(Model(id="m", name="m", price=Price(output=Decimal(0)))) == "? in, free out per M; ?"


def test_the_caption_counts_and_says_what_is_left_out() -> None:
    def caption(count: int) -> str:
        return model_table([UNKNOWN] * count, DAY).caption

    assert caption(0) == "No models."
    assert caption(1) == "1 model; prices in US dollars per million tokens"
    assert caption(MOST_ROWS) == "500 models; prices in US dollars per million tokens"
    assert caption(MOST_ROWS + 1500) == (
        "2000 models; prices in US dollars per million tokens; the first 500 are shown … and 1,500 more; "
        "narrow it: session.models('claude')"
    )
    assert len(model_table([UNKNOWN] * 501, DAY).rows) == 500


def test_plain_text_has_room_for_whole_ids() -> None:
    long = Model(id="provider/" + "x" * 150, name="n")
    assert long.id in model_text([long], DAY)
    assert "No models." in model_text([], DAY)
