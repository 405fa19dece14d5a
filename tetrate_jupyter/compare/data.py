"""The outcome of a comparison as plain data: facts about the whole, heads of columns, rows; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal  # noqa: TC003 - msgspec reads the types of what a file holds
from typing import TYPE_CHECKING, Any

from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.compare.figures import figures
from tetrate_jupyter.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tetrate_jupyter.compare.figures import ColumnFigures
    from tetrate_jupyter.compare.rows import Head, Row


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about the whole comparison. `params` are those of all columns. `seconds`: from start to end.

    `spent`: the known cost of all calls in US dollars, earlier attempts included; `unknown_costs`: calls of unknown
    cost. `expected`, `worst`: the forecast, in US dollars. `started_at`: ISO 8601, UTC. `images`: their names.
    `notices`: what a reader must know about the prompts, such as what was left out of a table. `typed`: the only prompt
    as it was typed, where variables were put into it.
    """

    prompts: tuple[str, ...]
    images: tuple[str, ...]
    repeats: int
    seed: int
    params: tuple[tuple[str, Any], ...]
    max_cost: Decimal | None
    started_at: str
    seconds: float
    spent: Decimal
    unknown_costs: int
    expected: Decimal | None
    worst: Decimal | None
    notices: tuple[str, ...] = ()
    typed: str | None = None


class ColumnResult:
    """One column: `text` is the answer to the first prompt, `texts` has all answers, `rows` the data."""

    def __init__(self, head: Head, rows: Sequence[Row]) -> None:
        self.head = head
        self.rows = tuple(rows)

    @property
    def text(self) -> str:
        """The first prompt's first answer, "" for none."""
        return self.rows[0].text if self.rows else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """All answers, in the order of prompts and repeats."""
        return tuple(r.text for r in self.rows)

    @property
    def figures(self) -> ColumnFigures:
        """Medians and ranges of times, tokens and costs."""
        return figures(self.head, self.rows)

    def __repr__(self) -> str:
        done = sum(r.state == "done" for r in self.rows)
        return f"<{one_line(self.head.label, MAX_NAME)}: {done} of {len(self.rows)} done>"


class ResultData:
    """Rows by prompt, column and repeat, with the facts about each column and the whole.

    `is_blind`: the names are hidden. While a comparison runs, `LiveResult` overrides the properties.
    """

    def __init__(self, facts: Facts, heads: Iterable[Head], rows: Iterable[Row], *, is_blind: bool = False) -> None:
        self._all = facts, tuple(heads), tuple(rows)
        self.is_blind = is_blind

    @property
    def facts(self) -> Facts:
        """What was asked, and the time and cost of the whole."""
        return self._all[0]

    @property
    def heads(self) -> tuple[Head, ...]:
        """The facts about each column."""
        return self._all[1]

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per answer, in the order of prompts, columns and repeats."""
        return self._all[2]

    def __getitem__(self, column: str) -> ColumnResult:
        for key in ("label", "id"):
            for head in self.heads:
                if getattr(head, key) == column:
                    return ColumnResult(head, [r for r in self.rows if r.column == head.id])
        raise OptionError(
            f"There is no column {column!r}.", next_step=f"there are: {', '.join(h.label for h in self.heads)}"
        )

    @property
    def columns(self) -> tuple[ColumnResult, ...]:
        """The columns, in the order of the request."""
        by_column: dict[str, list[Row]] = {h.id: [] for h in self.heads}
        for row in self.rows:
            by_column[row.column].append(row)
        return tuple(ColumnResult(h, by_column[h.id]) for h in self.heads)

    def __iter__(self) -> Iterator[ColumnResult]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows that failed."""
        return tuple(r for r in self.rows if r.state == "failed")


def without_times(result: ResultData) -> ResultData:
    """Return the data without times, to show where outputs must be the same in every run (nbval)."""
    rows = (replace(r, first_token=None, total=None, started=None, retry_wait=0.0) for r in result.rows)
    return ResultData(result.facts, result.heads, rows, is_blind=result.is_blind)
