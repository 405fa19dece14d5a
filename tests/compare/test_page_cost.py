"""The page of a comparison looks at each row a few times, however many prompts there are."""

from __future__ import annotations

from decimal import Decimal

from tetrate_jupyter.compare.data import Facts
from tetrate_jupyter.compare.page import grid, page
from tetrate_jupyter.compare.result import Result
from tetrate_jupyter.compare.rows import Head, Row

LOOKS = [0]


class Counted(Row):
    """A row that counts how often anybody asks for its prompt."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> object:
        if name == "prompt":
            LOOKS[0] += 1
        return super().__getattribute__(name)


def result_of(prompts: int) -> Result:
    heads = [Head("c1", "one", "one"), Head("c2", "two", "two")]
    rows = [Counted(h.id, p, 0, "done", text=f"{h.label} says {p}") for p in range(prompts) for h in heads]
    facts = Facts(
        tuple(f"prompt {n}" for n in range(prompts)),
        (), 1, 1, (), None, "2026-01-01T00:00:00+00:00", 1.0, Decimal(0), 0, None, None,
    )  # fmt: skip
    return Result(facts, heads, rows)


def test_each_row_is_looked_at_a_few_times() -> None:
    result = result_of(200)
    LOOKS[0] = 0
    shown = page(result)
    assert LOOKS[0] <= 4 * len(result.rows)
    for number in (0, 7, 199):
        assert shown.count(f"one says {number}<") == shown.count(f"two says {number}<") == 1


def test_one_prompts_grid_has_its_answers_and_a_column_without_any() -> None:
    result = result_of(3)
    found = grid(Result(result.facts, result.heads, [r for r in result.rows if (r.column, r.prompt) != ("c2", 1)]), 1)
    assert "one says 1" in found
    assert found.count("<section") == 2
    assert "says 0" not in found
