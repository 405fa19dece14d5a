"""What a comparison came to, as data: rows that stay, a DataFrame, a file, a picture, a page without a kernel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.errors import InputError, OptionError
from tetrate_jupyter.front_end import streaming_wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from decimal import Decimal
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from tetrate_jupyter.compare.blind import Blind
    from tetrate_jupyter.compare.diff import Piece
    from tetrate_jupyter.compare.rows import Head, Row
    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.compare.summary import ColumnFigures
    from tetrate_jupyter.conversation import Branch


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of the whole comparison. `params` are those of all columns. `seconds`: from start to end.

    `spent`: known US dollars of every call, earlier attempts included; `unknown_costs`: calls whose cost isn't known.
    `expected`, `worst`: the forecast. `started_at`: ISO 8601, UTC. `images`: their names. `notices`: what a reader must
    know of the prompts, such as what was left out of a table.
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


class ColumnResult:
    """One column: `text` is the answer to the first prompt, `texts` all of them, `rows` the data behind."""

    def __init__(self, head: Head, rows: Sequence[Row]) -> None:
        self.head = head
        self.rows = tuple(rows)

    @property
    def text(self) -> str:
        """The first prompt's first answer, "" where none came."""
        return self.rows[0].text if self.rows else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """Every answer, by prompt and repeat."""
        return tuple(r.text for r in self.rows)

    @property
    def figures(self) -> ColumnFigures:
        """Median and range of times, tokens and costs."""
        from tetrate_jupyter.compare.summary import figures

        return figures(self.head, self.rows)

    def __repr__(self) -> str:
        done = sum(r.state == "done" for r in self.rows)
        return f"<{one_line(self.head.label, MAX_NAME)}: {done} of {len(self.rows)} done>"


class Result:
    """Rows by prompt, column and repeat. `result["claude-haiku-4-5"]` (a label or a column's id) gives one column.

    Shows itself as a page of its own without script, or as a table in a terminal. `comparison` is the run behind it,
    None for one that was loaded.
    """

    def __init__(
        self,
        facts: Facts,
        heads: Iterable[Head],
        rows: Iterable[Row],
        *,
        comparison: Comparison | None = None,
        is_blind: bool = False,
    ) -> None:
        self._all = facts, tuple(heads), tuple(rows)
        self.comparison = comparison
        self.is_blind = is_blind

    # --- reading ---------------------------------------------------------------------------------------------

    @property
    def facts(self) -> Facts:
        """What was asked, and what it took as a whole."""
        return self._all[0]

    @property
    def heads(self) -> tuple[Head, ...]:
        """The facts of each column."""
        return self._all[1]

    @property
    def rows(self) -> tuple[Row, ...]:
        """One for each answer: by prompt, column and repeat."""
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
        """The columns, in the order they were asked for."""
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

    @property
    def df(self) -> pd.DataFrame:
        """One row per prompt x column x repeat; see `compare.frame.COLUMNS` for the columns and dtypes.

        Its texts are safe to show in a terminal; exactly as they came they are in `rows` and `result[column].texts`.
        Raises `ConfigError` where pandas isn't installed.
        """
        from tetrate_jupyter.compare.frame import to_frame

        return to_frame(self)

    def diff(self, one: str, other: str, prompt: int = 0, repeat: int = 0) -> tuple[Piece, ...]:
        """Compare two columns' answers word by word: pieces that are the "same", "removed" or "added"."""
        from tetrate_jupyter.compare.diff import word_diff

        return word_diff(self._text(one, prompt, repeat), self._text(other, prompt, repeat))

    @property
    def code(self) -> str:
        """The cell that makes this comparison again: prompts, models, parameters, seed."""
        from tetrate_jupyter.compare.recipe import recipe

        return secrecy.redact(recipe(self))

    def _text(self, column: str, prompt: int, repeat: int) -> str:
        for row in self[column].rows:
            if (row.prompt, row.repeat) == (prompt, repeat):
                return row.text
        raise OptionError(f"There is no prompt {prompt} with repeat {repeat}.", next_step="see result.df")

    # --- going on --------------------------------------------------------------------------------------------

    def retry(self, column: str | None = None) -> Result:
        """Ask again what failed, was stopped or skipped (in one column, or in all), wait, and give the new result."""
        live = self._live()
        live.retry(column)
        return live.wait()

    def continue_with(self, column: str, prompt: int = 0, repeat: int = 0) -> Branch:
        """Make a column's conversation the session's; see `Comparison.continue_with`."""
        return self._live().continue_with(column, prompt, repeat)

    def follow_up(self, prompt: str, *, after: int = 0) -> Result:
        """Ask on: each column goes on from its own answer to prompt `after`. Waits for the new result."""
        asked = self._live().follow_up(prompt, after=after)
        asked.start()
        return asked.wait()

    def _live(self) -> Comparison:
        if self.comparison is None:
            raise InputError(
                "This comparison was loaded from a file: nothing is behind it any more.",
                next_step="ask anew: print(result.code) gives the cell",
            )
        return self.comparison

    # --- keeping and showing ---------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write it in the format that the name says; return the path. A file is replaced as a whole or not at all.

        .json (or no ending) has everything and is what `load` reads; .csv, .xlsx and .parquet have `df`, .html the
        page.
        Raises `ComparisonFileError` where it can't be written, and for other endings.
        """
        from tetrate_jupyter.compare.exports import save

        return save(self, path)

    @staticmethod
    def load(path: str | Path) -> Result:
        """Read a saved comparison. Raises `ComparisonFileError` for another version, a truncated or a foreign file."""
        from tetrate_jupyter.compare.files import load

        return load(path)

    def plot(self) -> Figure:
        """Draw cost against speed, time by column and tokens. Raises `ConfigError` where matplotlib isn't installed."""
        from tetrate_jupyter.compare.plotting import plot

        return plot(self)

    def blind(self) -> Blind:
        """Give the answers with the names hidden, to show or to display; the result itself reveals them."""
        from tetrate_jupyter.compare.blind import Blind

        return Blind(self, self.comparison.setup.blind_names() if self.comparison is not None else None)

    @property
    def html(self) -> str:
        """The page that is left in a notebook: no script, its own style, bounded in size."""
        from tetrate_jupyter.compare.page import page

        return secrecy.redact(page(self._shown()), secrecy.HTML_MARK)

    @property
    def text(self) -> str:
        """The same for a terminal."""
        from tetrate_jupyter.compare.terminal import text

        return secrecy.redact(text(self._shown()))

    def __repr__(self) -> str:
        return self.text

    def bundle(self, *, at_once: bool = False) -> dict[str, str]:
        """Return the page and the text as a MIME bundle; `at_once`: in next to no time, long answers unrendered."""
        from tetrate_jupyter.compare.page import page

        return secrecy.bundle({"text/html": page(self._shown(), at_once=at_once), "text/plain": self.text})

    def _shown(self) -> Result:
        """Return what is shown: without times where outputs are to be equal at every run (nbval); the data has them."""
        if streaming_wanted():
            return self
        rows = (replace(r, first_token=None, total=None, started=None, retry_wait=0.0) for r in self.rows)
        return Result(self.facts, self.heads, rows, comparison=self.comparison, is_blind=self.is_blind)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.bundle()


class LiveResult(Result):
    """The result of a comparison that may still run: each look at it is at what has come by then."""

    def __init__(self, comparison: Comparison) -> None:
        now = comparison.result
        super().__init__(now.facts, now.heads, now.rows, comparison=comparison, is_blind=now.is_blind)
        self._running = comparison

    @property
    def facts(self) -> Facts:
        """See `Result`."""
        return self._running.result_of(()).facts

    @property
    def heads(self) -> tuple[Head, ...]:
        """See `Result`."""
        return self._running.result_of(()).heads

    @property
    def rows(self) -> tuple[Row, ...]:
        """See `Result`."""
        return self._running.result.rows

    @property
    def result(self) -> Result:
        """What there is now: a snapshot that stays as it is."""
        return self._running.result

    @property
    def is_running(self) -> bool:
        """Whether anything is still to come."""
        return self._running.is_running

    def wait(self, *, timeout: float | None = None) -> Result:
        """Wait for the end and return it as it is then. Raises `TimeoutError` after `timeout` seconds (None: never)."""
        return self._running.wait(timeout=timeout)

    def stop(self) -> None:
        """Stop what still runs; what came is kept."""
        self._running.stop()
