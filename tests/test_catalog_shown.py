"""The list of models as a person sees it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.catalog.shown import model_table
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
