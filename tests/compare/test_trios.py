"""Three models to begin with: which, in which order, and for how much."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tetrate_jupyter.compare.columns import trios
from tetrate_jupyter.types import Model, Price


def model(identity: str, provider: str, dollars: str, released: date | None = None) -> Model:
    price = Price(Decimal(dollars), Decimal(dollars))
    return Model(identity, identity, provider=provider, price=price, release_date=released)


def named(models: list[Model], name: str) -> list[str]:
    return next([each.id for each in trio.models] for trio in trios(models) if trio.name == name)


OTHERS = [
    *(model(f"low-{number}", f"low {number}", "0.1") for number in range(3)),
    *(model(f"middle-{number}", f"middle {number}", "1") for number in range(3)),
    model("b", "two", "5", date(2024, 1, 1)),
    model("c", "three", "4"),
]


def test_of_equal_prices_the_newest_are_strong_whatever_their_ids() -> None:
    same = [
        model("a", "one", "10", date(2026, 3, 1)),
        model("z", "one", "10", date(2025, 3, 1)),
        model("y", "one", "10"),
    ]
    assert named([*same, *OTHERS], "Strong") == named([*reversed(same), *OTHERS], "Strong") == ["a", "b", "c"]


def test_of_equal_prices_and_days_the_last_id_is_strong() -> None:
    day = date(2026, 1, 1)
    same = [model("x-1", "one", "10", day), model("x-2", "one", "10", day)]
    assert named([*same, *OTHERS], "Strong") == ["x-2", "b", "c"]


def test_a_provider_comes_twice_only_where_there_are_too_few() -> None:
    found = [model("p", "one", "0.01"), model("q", "one", "0.02"), model("r", "two", "0.03"), model("s", "one", "9")]
    assert named(found, "Strong") == ["s", "r", "q"]
    assert named([*OTHERS, *found], "Cheap") == ["p", "r", "low-0"]


def test_a_thousand_short_questions_are_100_tokens_in_and_60_out() -> None:
    found = trios([model("a", "one", "1"), model("b", "two", "2"), model("c", "three", "3")])
    assert [trio.price for trio in found] == [Decimal("0.96")]  # 160 tokens for 1 + 2 + 3 dollars a million
