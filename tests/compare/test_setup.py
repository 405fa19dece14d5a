"""What a comparison asks: columns from what a person gives, the order of the calls, and bad input answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.compare.columns import Column, column_requests, columns_of, neighbours, numbered
from tetrate_jupyter.compare.setup import CellPlace, Setup, prompts_of, split_prompts
from tetrate_jupyter.errors import EmptyPromptError, OptionError, UnknownModelError
from tetrate_jupyter.types import Cut, Model, Price


def model(identity: str, provider: str = "p", price: str | None = "1", **more: Any) -> Model:
    both = None if price is None else Decimal(price)
    return Model(identity, identity, provider, mode=more.pop("mode", "chat"), price=Price(both, both), **more)


MODELS = ModelList(
    [
        model("claude-haiku", "anthropic", "1"),
        model("claude-sonnet", "anthropic", "3"),
        model("claude-vectors", "anthropic", "1", mode="embedding"),
        model("gemini-flash", "gemini", "0.9", images=True),
        model("gpt-mini", "openai", "1.3", images=False),
        model("gpt-large", "openai", "10"),
        model("mystery", "other", None),
    ]
)


def columns(models: object) -> tuple[Column, ...]:
    return columns_of(column_requests(models), MODELS)


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ("claude-haiku", ["claude-haiku"]),
        ("claude-haiku, gpt-mini,", ["claude-haiku", "gpt-mini"]),
        (["claude-haiku", "gpt-mini,gpt-large"], ["claude-haiku", "gpt-mini", "gpt-large"]),
        ("claude-*", ["claude-haiku", "claude-sonnet"]),
        (MODELS["gpt-mini"], ["gpt-mini"]),
        (MODELS[3:5], ["gemini-flash", "gpt-mini"]),
        (["CLAUDE-HAIKU", "claude-*"], ["claude-haiku", "claude-haiku #2", "claude-sonnet"]),
        ([{"model": "gpt-mini", "label": "cold", "temperature": 0}, "gpt-mini"], ["cold", "gpt-mini"]),
    ],
)
def test_columns_come_from_whatever_names_models(given: object, labels: list[str]) -> None:
    assert [c.label for c in columns(given)] == labels


def test_the_same_model_twice_is_two_columns_with_ids_of_their_own() -> None:
    found = columns(["gpt-mini"] * 3 + [{"model": "gpt-large", "label": "gpt-mini #2"}])
    assert [c.id for c in found] == ["c1", "c2", "c3", "c4"]
    assert len({c.label for c in found}) == 4
    assert [c.label for c in found][:3] == ["gpt-mini", "gpt-mini #2", "gpt-mini #3"]


def test_an_unknown_model_among_good_ones_is_a_column_with_the_nearest_names() -> None:
    good, typo, pattern = columns(["gpt-mini", "claude-haikoo", "grok-*"])
    assert good.problem is None
    assert isinstance(typo.problem, UnknownModelError)
    assert typo.problem.nearest[0] == "claude-haiku"
    assert pattern.problem is not None
    assert "grok-*" in str(pattern.problem)


@pytest.mark.parametrize("given", ["grok-*", "nothing-like-it", ["grok-*", "nope"]])
def test_no_match_at_all_is_an_error(given: object) -> None:
    with pytest.raises(UnknownModelError):
        columns(given)


def test_a_pattern_that_is_too_wide_is_an_error() -> None:
    many = ModelList(model(f"m-{n:03}") for n in range(500))
    with pytest.raises(OptionError, match="500 columns; a comparison takes at most 50"):
        columns_of(column_requests("*"), many)
    with pytest.raises(OptionError, match="at most 50"):
        columns_of(column_requests(list(many)), many)


@pytest.mark.parametrize("given", [3, [None, 3], {"temperature": 1}, {"model": "gpt-mini", "images": []}])
def test_what_names_no_model_is_an_error(given: object) -> None:
    with pytest.raises(OptionError):
        column_requests(given)


def test_neighbours_are_of_other_providers_and_near_in_price() -> None:
    assert [m.id for m in neighbours(MODELS["claude-haiku"], MODELS)] == ["gemini-flash", "gpt-mini"]
    assert [m.id for m in neighbours(MODELS["claude-haiku"], MODELS, images=True)] == ["gemini-flash", "gpt-large"]
    assert [m.id for m in neighbours(MODELS["mystery"], MODELS)] == ["gemini-flash", "claude-haiku"]
    assert neighbours(MODELS["mystery"], [MODELS["mystery"]]) == []


def setup(prompts: object = "hi", **more: Any) -> Setup:
    return Setup(prompts_of(prompts), more.pop("columns", columns(["gpt-mini", "claude-*", "mystery"])), **more)


def test_every_cell_is_started_once_in_an_order_that_the_seed_decides() -> None:
    one, same, other = (setup(["a", "b"], repeats=3, seed=n).start_order() for n in (7, 7, 8))
    assert one == same != other
    assert sorted(one) == sorted(
        CellPlace(c, p, r) for c in ("c1", "c2", "c3", "c4") for p in range(2) for r in range(3)
    )
    assert len({tuple(p.column for p in one[i : i + 4]) for i in range(0, 24, 4)}) > 1


def test_blind_names_are_shuffled_by_the_seed() -> None:
    orders = {tuple(setup(seed=n).blind_names()) for n in range(40)}
    assert len(orders) > 10
    assert list(setup(seed=1).blind_names().values()) == ["A", "B", "C", "D"]
    wide = Setup(("x",), numbered(Column("", f"m{n}", "m") for n in range(30)))
    assert list(wide.blind_names().values())[25:28] == ["Z", "AA", "AB"]


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        ("  ", "The prompt is empty"),
        ([], "There is no prompt"),
        (["a", "", "b", " "], r"Prompt 2 of 4 \(and 1 more\) is empty"),
    ],
)
def test_an_empty_prompt_is_an_error_that_says_which(prompts: object, words: str) -> None:
    with pytest.raises(EmptyPromptError, match=words):
        setup(prompts)


@pytest.mark.parametrize("prompts", [None, 7, {"a": 1}, ["a", float("nan")]])
def test_what_is_no_text_is_an_error(prompts: object) -> None:
    with pytest.raises(OptionError):
        setup(prompts)


@pytest.mark.parametrize(
    "wrong",
    [{"repeats": 0}, {"concurrency": 0}, {"max_cost": Decimal(-1)}, {"max_cost": Decimal("nan")}, {"columns": ()}],
)
def test_unusable_numbers_are_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        setup(**wrong)


def test_ten_thousand_prompts_are_fine_and_a_million_calls_are_not() -> None:
    many = [f"prompt {n}" for n in range(10_000)]
    assert setup(many).size == 40_000
    with pytest.raises(OptionError, match="400,000 calls"):
        setup(many, repeats=10)


# --- exactly -----------------------------------------------------------------------------------------------------


def test_a_place_is_the_first_prompt_and_repeat_unless_told_and_four_calls_run_at_once() -> None:
    assert CellPlace("c1") == ("c1", 0, 0)
    assert setup().concurrency == 4


def test_a_limit_may_be_nothing_or_any_amount() -> None:
    assert setup(max_cost=Decimal(0)).max_cost == 0
    assert setup(max_cost=Decimal("0.5")).max_cost == Decimal("0.5")
    with pytest.raises(OptionError) as caught:
        setup(max_cost=Decimal("inf"))
    assert (caught.value.message, caught.value.next_step) == (
        "max_cost is Infinity.",
        "give US dollars: max_cost=0.50",
    )


def test_columns_that_ask_the_same_are_counted() -> None:
    asked = setup(
        columns=columns(["gpt-mini", "gpt-mini", {"model": "gpt-mini", "temperature": 0}, "gpt-large", "gpt-mini"])
    )
    assert asked.duplicates() == {"c1": 0, "c2": 1, "c3": 0, "c4": 0, "c5": 2}
    order = [{"model": "gpt-mini", "temperature": 0, "seed": 1}, {"model": "gpt-mini", "seed": 1, "temperature": 0}]
    assert list(setup(columns=columns(order)).duplicates().values()) == [0, 1]
    unknown = setup(columns=numbered([Column("", "a", "gone"), Column("", "b", "gone"), Column("", "c", "other")]))
    assert list(unknown.duplicates().values()) == [0, 1, 0]


@pytest.mark.parametrize(
    ("prompts", "message", "step"),
    [
        (7, "A prompt can't be int.", "give a text or a list of texts"),
        ({"a": 1}, "A prompt can't be dict.", "give a text or a list of texts"),
        (["a", 5], "Prompt 2 of 2 is int, not text.", "give texts: [str(p) for p in prompts]"),
        ([], "There is no prompt.", "give a text or a list of texts"),
        (" ", "The prompt is empty.", "ask something"),
        (["a", " "], "Prompt 2 of 2 is empty.", "leave empty ones out: [p for p in prompts if p.strip()]"),
        (["", "a", "", ""], "Prompt 1 of 4 (and 2 more) is empty.",
         "leave empty ones out: [p for p in prompts if p.strip()]"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_prompts_is_said_with_what_to_do(prompts: object, message: str, step: str) -> None:
    with pytest.raises((OptionError, EmptyPromptError)) as caught:
        setup(prompts)
    assert (caught.value.message, caught.value.next_step) == (message, step)


def test_what_is_wrong_with_numbers_is_said_with_what_to_do() -> None:
    for wrong, message, step in (
        ({"repeats": 0}, "repeats is 0.", "give a whole number of at least 1"),
        ({"concurrency": 0}, "concurrency is 0.", "give a whole number of at least 1"),
        ({"columns": ()}, "There is no model to compare.", 'name some: models=["claude-*", "gpt-6-luna"]'),
        ({"prompts": ["a", "b"], "as_typed": "a"}, "as_typed is for one prompt.", "leave it out"),
        (
            {"prompts": ["a"] * 100_001},
            "This would make 400,004 calls; a comparison takes at most 100,000.",
            "give fewer prompts, models or repeats",
        ),
    ):
        with pytest.raises(OptionError) as caught:
            setup(**wrong)  # type: ignore[arg-type]  # of all kinds
        assert (caught.value.message, caught.value.next_step) == (message, step)
    assert setup(as_typed="{a}").as_typed == "{a}"
    assert setup(repeats=25_000).size == 100_000


def test_an_image_may_come_without_a_word() -> None:
    from tetrate_jupyter.types import Image

    assert setup("", images=(Image("data:image/png;base64,AAAA", "image/png", 3),)).prompts == ("",)


def test_a_column_is_found_by_its_id() -> None:
    asked = setup()
    assert asked.column("c2") is asked.columns[1]
    assert sorted(asked.blind_names()) == ["c1", "c2", "c3", "c4"]


def test_what_a_reader_must_know_of_the_prompts() -> None:
    made = setup(cuts=(Cut("df", "rows", 15, 2_000),), noted=("It was long ago.",))
    assert made.notices == ("df: 15 of 2,000 rows sent", "It was long ago.")


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("Explain:\n```yaml\na: 1\n---\nb: 2\n```\nThanks.", 1),
        ("Explain:\n```yaml\na: 1\n---\nb: 2\n```\n---\nAnd now?", 2),
        ("~~~\n---\n```\n---\n~~~\n---\nAnd now?", 2),
        ("````\n```\n---\n````\n---\nAnd now?", 2),
        ("    ```\n    ---\n    ```", 1),
        ("Complete this:\n```python\n---\nAnd now?", 2),  # never closed: it protects nothing
        ("```not `a` fence\n---\n```\nAnd now?", 2),
        ("One.\n---\nTwo.", 2),
    ],
)
def test_a_line_in_a_code_fence_divides_nothing(text: str, prompts: int) -> None:
    found = split_prompts(text)
    assert len(found) == prompts
    if prompts == 1:
        assert found == (text,)


def test_fences_that_are_never_closed_are_looked_through_once() -> None:
    text = "```a\n" * 100_000 + "---\nAnd now?"
    assert len(split_prompts(text)) == 2
