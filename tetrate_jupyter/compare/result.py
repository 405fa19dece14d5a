"""The result of a comparison: rows, a DataFrame, a file, a figure, a page that needs no kernel."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakKeyDictionary

from tetrate_jupyter import secrecy
from tetrate_jupyter.compare.data import Facts, ResultData
from tetrate_jupyter.compare.facts import provenance
from tetrate_jupyter.compare.rows import Head, Row
from tetrate_jupyter.compare.setup import blind_names
from tetrate_jupyter.compare.votes import Tally, tally
from tetrate_jupyter.errors import InputError, OptionError
from tetrate_jupyter.front_end import streaming_wanted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from tetrate_jupyter.compare.setup import Setup
    from tetrate_jupyter.conversation import Branch, Conversation
    from tetrate_jupyter.render.diff import Piece

UNTOLD: Final = "the reason would reveal the name"
REVEAL: Final = "reveal the names to read it"
NOTHING: Final = "Nothing has been compared in this panel yet."
NEXT: Final = "write a prompt there and press Compare; an earlier comparison is session.comparison.result"
_NO_FACTS: Final = Facts((), (), 1, 0, (), None, "", 0.0, Decimal(0), 0, None, None)


class Running(Protocol):
    """The part of a `Comparison` that its result uses."""

    @property
    def setup(self) -> Setup:
        """The setup."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether the comparison is still running."""
        ...

    @property
    def result(self) -> Result:
        """A snapshot of the results so far."""
        ...

    def result_of(self, prompts: Iterable[int]) -> Result:
        """Return a snapshot of the results of some prompts."""
        ...

    def start(self) -> None:
        """Start all cells."""
        ...

    def wait(self, *, timeout: float | None = None) -> Result:
        """Wait for the end, and return the result."""
        ...

    def stop(self, column: str | None = None) -> None:
        """Stop a column, or all of them."""
        ...

    def retry(self, column: str | None = None) -> int:
        """Ask failed, stopped and skipped cells again; return their number."""
        ...

    def conversation(self, column: str, prompt: int = 0, repeat: int = 0) -> Conversation:
        """Return a column's own conversation."""
        ...

    def follow_up(self, prompt: str, *, after: int = 0, repeat: int = 0) -> Running:
        """Return a comparison that continues each column."""
        ...

    def continue_with(self, column: str, prompt: int = 0, repeat: int = 0) -> Branch:
        """Continue the session with a column's conversation."""
        ...


class Result(ResultData):
    """Rows by prompt, column and repeat. `result["claude-haiku-4-5"]` (a label or a column's id) is one column.

    Displays as a page without scripts, or as a table in a terminal. `comparison` is the run that it belongs to, None
    for a loaded one.
    """

    __module__ = "tetrate_jupyter"

    def __init__(
        self,
        facts: Facts,
        heads: Iterable[Head],
        rows: Iterable[Row],
        *,
        comparison: Running | None = None,
        is_blind: bool = False,
    ) -> None:
        super().__init__(facts, heads, rows, is_blind=is_blind)
        self.comparison = comparison

    # --- reading ---------------------------------------------------------------------------------------------

    @property
    def df(self) -> pd.DataFrame:
        """One row per prompt x column x repeat; `compare.exports.COLUMNS` has the columns and dtypes.

        Its texts are safe to show in a terminal; the exact ones are in `rows` and `result[column].texts`. Raises
        `ConfigError` where pandas isn't installed.
        """
        from tetrate_jupyter.compare.exports import to_frame

        return to_frame(self)

    def diff(self, one: str, other: str, prompt: int = 0, repeat: int = 0) -> tuple[Piece, ...]:
        """Return the differences of two columns' answers, word by word, as "same", "removed" and "added" pieces."""
        from tetrate_jupyter.render.diff import word_diff

        return word_diff(self._text(one, prompt, repeat), self._text(other, prompt, repeat))

    @property
    def tally(self) -> Tally:
        """The votes counted over prompts, with their significance; `result.tally.claim` is a sentence on it."""
        return tally(self.heads, self.rows)

    @property
    def code(self) -> str:
        """The source of a cell that repeats this comparison: prompts, models, parameters, seed."""
        from tetrate_jupyter.compare.exports import recipe

        return secrecy.redact(recipe(self))

    def _text(self, column: str, prompt: int, repeat: int) -> str:
        for row in self[column].rows:
            if (row.prompt, row.repeat) == (prompt, repeat):
                return row.text
        raise OptionError(f"There is no prompt {prompt} with repeat {repeat}.", next_step="see result.df")

    # --- going on --------------------------------------------------------------------------------------------

    def retry(self, column: str | None = None) -> Result:
        """Ask failed, stopped and skipped cells again (in one column, or in all), wait, and return the new result."""
        live = self._live()
        live.retry(column)
        return live.wait()

    def continue_with(self, column: str, prompt: int = 0, repeat: int = 0) -> Branch:
        """Continue the session with a column's conversation; see `Comparison.continue_with`."""
        return self._live().continue_with(column, prompt, repeat)

    def follow_up(self, prompt: str, *, after: int = 0) -> Result:
        """Ask a follow-up: each column continues from its own answer to prompt `after`. Waits for the new result."""
        asked = self._live().follow_up(prompt, after=after)
        asked.start()
        return asked.wait()

    def _live(self) -> Running:
        if self.comparison is None:
            raise InputError(
                "This comparison was loaded from a file, so it can't be continued.",
                next_step="run it again: print(result.code) shows the cell",
            )
        return self.comparison

    # --- keeping and showing ---------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write the result to a file; return the path. An existing file is replaced whole or not at all.

        The extension decides the format: .json (or none) has everything and is what `load` reads; .csv, .xlsx and
        .parquet have `df`, .html the page. Raises `ComparisonFileError` if it can't be written, and for other
        extensions. In a .csv an apostrophe stands before a text that a spreadsheet would run as a formula.
        """
        from tetrate_jupyter.compare.files import save

        return save(self, path)

    @staticmethod
    def load(path: str | Path) -> Result:
        """Return a saved comparison. Raises `ComparisonFileError` for truncated or foreign files and other versions."""
        from tetrate_jupyter.compare.files import load

        data = load(path)
        return Result(data.facts, data.heads, data.rows)

    def plot(self) -> Figure:
        """Return a figure of cost, time and tokens per column. Raises `ConfigError` if matplotlib isn't installed."""
        from tetrate_jupyter.compare.exports import plot

        return plot(self)

    def blind(self) -> Blind:
        """Return an object that displays the answers with hidden names; the result itself still has the names."""
        return Blind(self, self.comparison.setup.blind_names() if self.comparison is not None else None)

    @property
    def html(self) -> str:
        """The page that is saved in a notebook: without scripts, with its own style, bounded in size."""
        from tetrate_jupyter.compare.page import html

        return html(self, timed=streaming_wanted())

    @property
    def text(self) -> str:
        """The result as text for a terminal."""
        from tetrate_jupyter.compare.page import text

        return secrecy.redact(text(self, timed=streaming_wanted()))

    def __repr__(self) -> str:
        return self.text

    def bundle(self, *, at_once: bool = False) -> dict[str, str]:
        """Return page and text as a MIME bundle; `at_once`: without rendering long answers, which takes time."""
        from tetrate_jupyter.compare.page import page

        html = page(self, at_once=at_once, timed=streaming_wanted())
        return secrecy.bundle({"text/html": html, "text/plain": self.text})

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.bundle()


class LiveResult(Result):
    """The result of a comparison that may still run: it always has the current rows.

    That of a panel is of the comparison that the panel shows now, whichever was asked there first. Before the first
    run, reading it raises `InputError`.
    """

    def __init__(self, comparison: Running | None = None) -> None:
        super().__init__(_NO_FACTS, (), ())
        self._numbers: WeakKeyDictionary[Running, int] = WeakKeyDictionary()
        if comparison is not None:
            self.follow(comparison)

    def follow(self, comparison: Running) -> None:
        """Be of this comparison from now on."""
        self._numbers.setdefault(comparison, max(self._numbers.values(), default=0) + 1)
        self.comparison = comparison

    @property
    def _running(self) -> Running:
        if self.comparison is None:
            raise InputError(NOTHING, next_step=NEXT)
        return self.comparison

    def _live(self) -> Running:
        return self._running

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
        """A snapshot of the results so far, which doesn't change."""
        return self._running.result

    @property
    def is_running(self) -> bool:
        """Whether the comparison is still running."""
        return self.comparison is not None and self.comparison.is_running

    def wait(self, *, timeout: float | None = None) -> Result:
        """Wait for the end and return the final result. Raises `TimeoutError` after `timeout` seconds (None: never)."""
        return self._running.wait(timeout=timeout)

    def stop(self) -> None:
        """Stop all cells that still run; text so far is kept."""
        self._running.stop()

    @property
    def df(self) -> pd.DataFrame:
        """See `Result`. All of it is of one moment."""
        return self.result.df

    def save(self, path: str | Path) -> Path:
        """See `Result`. All of it is of one moment."""
        return self.result.save(path)

    @property
    def html(self) -> str:
        """See `Result`. It says which run of its panel it is, where there were several."""
        return f"<p>{NOTHING}</p>" if self.comparison is None else self._told.html

    @property
    def text(self) -> str:
        """See `html`."""
        return f"{NOTHING} Next: {NEXT}." if self.comparison is None else self._told.text

    def bundle(self, *, at_once: bool = False) -> dict[str, str]:
        """See `Result`."""
        if self.comparison is None:
            return {"text/html": self.html, "text/plain": self.text}
        return self._told.bundle(at_once=at_once)

    @property
    def _told(self) -> Result:
        """A snapshot that says which run it is."""
        now, number = self.result, self._numbers.get(self._running, 1)
        if number == len(self._numbers) == 1:
            return now
        began = f", begun at {now.facts.started_at[11:19]} UTC" if streaming_wanted() else ""  # nbval compares it
        run = f"This is run {number} of its panel{began}."
        return Result(replace(now.facts, notices=(run, *now.facts.notices)), now.heads, now.rows)


class Blind:
    """Shows the answers of `result` under "A", "B", ... without what would tell whose they are: names, times, costs,
    errors. The result itself has all of that; this only shows.
    """  # noqa: D205 - one sentence

    def __init__(self, result: Result, names: dict[str, str] | None = None) -> None:
        names = names or blind_names([h.id for h in result.heads], result.facts.seed)
        kept = {h.id for h in result.heads}
        heads = [Head(column, name, name) for column, name in names.items() if column in kept]
        self.shown = Result(result.facts, heads, map(untold, result.rows), is_blind=True)

    @property
    def html(self) -> str:
        """The page with hidden names, like `Result.html`."""
        return self.shown.html

    @property
    def text(self) -> str:
        """The text with hidden names, like `Result.text`."""
        return self.shown.text

    def __repr__(self) -> str:
        return self.text

    def bundle(self, *, at_once: bool = False) -> dict[str, str]:
        """Return page and text as a MIME bundle, like `Result.bundle`."""
        return self.shown.bundle(at_once=at_once)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.bundle()


def untold(row: Row) -> Row:
    """Return a row without what would tell whose it is: times, costs, errors, votes given with its name in view."""
    bare = Row(row.column, row.prompt, row.repeat, row.state, row.text, row.reasoning, row.partial)
    # That the sandbox answered is true of all columns, so it reveals no name.
    bare = replace(bare, refusal=row.refusal, notices=provenance([row]))
    if row.vote_blind:
        bare = replace(bare, vote=row.vote, vote_early=row.vote_early, vote_blind=True)
    return bare if row.error is None else replace(bare, error="Failed", message=UNTOLD + ".", next_step=REVEAL)
