"""The compare panel: models side by side, each column writing for itself; a face of `compare.running.Comparison`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import config
from tetrate_jupyter.compare.asking import ANNOUNCED
from tetrate_jupyter.compare.result import LiveResult
from tetrate_jupyter.errors import InputError, OptionError
from tetrate_jupyter.widgets import compare_kept, compare_standing
from tetrate_jupyter.widgets.compare_board import Board
from tetrate_jupyter.widgets.compare_draft import Draft, Trios
from tetrate_jupyter.widgets.compare_items import CompareItems, table
from tetrate_jupyter.widgets.compare_sheet import ROWS, PromptRows
from tetrate_jupyter.widgets.drawing import drawer
from tetrate_jupyter.widgets.model_menu import ModelMenu
from tetrate_jupyter.widgets.naming import Naming
from tetrate_jupyter.widgets.panel import Panel, script, style

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tetrate_jupyter.compare.running import Comparison
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.widgets.feed import Fields, Item

VIEWS: Final = ("answers", "differences", "all prompts")
LOOKS: Final = 100_000  # cells looked at in a second while a comparison runs
EMPTY: Final = "No comparison yet."


class ComparePanel(Panel):
    """Compares models of `session`: shows `comparison` where there is one, asks anew with other models or prompts.

    `models`, `prompt`: what to begin with where there is no comparison yet. `result`: what is to follow what it shows.
    """

    _parts = (f"compare{of}.js" for of in ("_head", "_setup", "_board", "_column", "_choice", "_reading", ""))
    _esm = script("code.js", "models.js", "naming.js", "notices.js", *_parts)
    _css = style("models.css", "notices.css", "compare.css")

    def __init__(
        self,
        session: Engine,
        comparison: Comparison | None = None,
        *,
        models: Sequence[str] = (),
        blind: bool = False,
        prompt: str = "",
        result: LiveResult | None = None,
    ) -> None:
        super().__init__(session)
        self._result = LiveResult() if result is None else result
        self._comparison: Comparison | None = None
        self._items: CompareItems | None = None
        self._board: Board | None = None
        self._sheet: PromptRows | None = None
        self._standing: dict[str, Any] | None = None  # of a comparison that is over
        self._undo: tuple[str, Callable[[], None]] | None = None  # what was taken away, and what puts it back
        self._ready: Comparison | None = None  # waits for a word, for what it may cost
        self._draft = Draft(session)
        self._at = (0, 0)  # the prompt and the repeat that are shown
        self._blind, self._view = blind, VIEWS[0]
        self._base = self._table = self._copied = self._saved = ""  # a table is made when asked for
        self._busy = False
        self._pace = compare_kept.FallbackPace()
        self._unfollow: Callable[[], None] = lambda: None
        self._trios = Trios()
        self._menu, self._kept = ModelMenu(session), compare_kept.KeptComparison()
        self.on_msg(Naming(self._tell).heard)
        self._number = 0  # of the comparison that is shown: the page folds what was asked when another comes
        self._revealed = False  # the letters stay beside the names
        if comparison is not None:
            self._take(comparison)
        else:
            self._draft.begin(prompt, models)
        self.begin()

    def follows(self) -> Sequence[Callable[[], None]]:
        """See `Panel`."""
        self._follow_comparison()
        changes = self.session.catalog.on_change, self.session.on_model_change, self.session.conversation.on_change
        return [*(follow(self.changed) for follow in changes), lambda: self._unfollow()]  # noqa: PLW0108 - that of then

    def _follow_comparison(self) -> None:
        self._unfollow()
        self._unfollow = lambda: None
        if self._comparison is not None:
            self._unfollow = self._comparison.on_change(self._changed)

    def forget(self) -> None:
        """See `Panel`. What is looked at stays."""
        self._standing = None
        if self._comparison is not None:
            self._items, self._board = CompareItems(self._comparison), Board(self._comparison)

    @property
    def result(self) -> LiveResult:
        """What is shown, as data: after *Run again* it is of the new run."""
        return self._result

    @property
    def comparison(self) -> Comparison | None:
        """The comparison that is shown, or None."""
        return self._comparison

    def _take(self, comparison: Comparison, *, draft: bool = True) -> None:
        with self._lock:
            self._comparison = comparison
            self._items, self._sheet, self._standing = CompareItems(comparison), PromptRows(comparison), None
            self._board, self._revealed = Board(comparison), False
            self._number += 1
            self._kept.forget()
            (self._draft.take if draft else self._draft.know)(comparison)
            self._at, self._base, self._undo = (0, 0), "", None
            if self._view not in self._ways:
                self._view = VIEWS[0]
            self._pace.begin()
            self._result.follow(comparison)
            self._follow_comparison()

    # --- showing ---------------------------------------------------------------------------------------------

    def fields(self) -> Fields:
        """See `Panel`."""
        shown = compare_standing.NOTHING if self._comparison is None else self._stands(self._comparison)
        return {
            **self._menu.fields(),
            "trios": self._trios.of(self.session.catalog.models, self.session.model),
            "number": self._number,
            **self._draft.fields(),
            "blind": self._blind,
            "view": self._view,
            "views": self._ways,
            "base": self._base,
            "busy": self._busy,
            "confirm": self._ready.forecast.sentence if self._ready is not None else "",
            "calls": self._ready.forecast.calls if self._ready is not None else 0,
            "at": list(self._at),
            "start": self._sheet.start if self._sheet is not None else 0,
            "window": ROWS,
            "table": self._table,
            "copied": self._copied,
            "saved": self._saved,
            "undo": self._undo[0] if self._undo is not None else "",
            **shown,
            **self._kept.fields(self._comparison, self._at, blind=self._blind),
        }

    def _stands(self, comparison: Comparison) -> dict[str, Any]:
        assert self._board is not None  # noqa: S101 - narrows the type: it comes with the comparison
        if self._standing is None or comparison.is_running:
            found = compare_standing.standing(comparison, self._board, blind=self._blind, revealed=self._revealed)
            self._standing = None if comparison.is_running else found
        else:
            found = self._standing
        return {**found, **compare_standing.now(comparison, self._board, self._at, blind=self._blind)}

    @property
    def _ways(self) -> tuple[str, ...]:
        setup = None if self._comparison is None else self._comparison.setup
        return VIEWS if setup is not None and len(setup.prompts) * setup.repeats > 1 else VIEWS[:-1]

    def items(self) -> Sequence[Item]:
        """See `Panel`."""
        if self._comparison is None or self._items is None or self._sheet is None:
            return ()
        if self._view == "all prompts":
            return self._sheet.all(blind=self._blind)
        names = self._comparison.setup.blind_names() if self._blind else None
        compares = self._view == "differences" and self._base in {c.id for c in self._comparison.columns}
        base = self._base if compares else None
        order = [*self._comparison.setup.blind_names()] if self._blind or self._revealed else ()
        return self._items.all(*self._at, names, base, order=order)

    def fallback_html(self) -> str:
        """See `Panel`."""
        if self._comparison is None:
            return f"<p>{EMPTY}</p>"
        result = self._comparison.result
        return result.blind().html if self._blind else result.html

    def fallback_plain(self) -> str:
        """See `Panel`."""
        if self._comparison is None:
            return EMPTY
        result = self._comparison.result
        return result.blind().text if self._blind else result.text

    # --- following -------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._standing = None
        self._kept.forget()
        if not (self._looking and self._runs):  # it looks often enough: thousands of cells each begin and end
            self.changed()
            if not self._runs:
                self.renew_fallback()

    @property
    def _runs(self) -> bool:
        comparison = self._comparison
        return comparison is not None and comparison.is_running

    def draw(self) -> None:
        """See `Panel`."""
        self._standing = None
        self.sync()
        if self._runs:  # the notebook may be saved at any time; what is over is written when its end is told
            self._pace.write(self.write_fallback)

    def until_next_look(self) -> float | None:
        """See `Panel`. All columns go in one message, about ten times a second, less often where they are long."""
        comparison = self._comparison
        if comparison is None or not comparison.is_running:
            return None
        cells = comparison.cells
        length = sum(len(cell.text) for cell in cells if cell.state == "running")
        return max(config.DISPLAY_INTERVAL, length / config.DISPLAY_BYTES_PER_SECOND, len(cells) / LOOKS)

    # --- what the page may ask for ---------------------------------------------------------------------------

    def actions(self) -> dict[str, Callable[..., None]]:
        """See `Panel`."""
        return {
            "run": self._run,
            "start": lambda: self._begin(self._ready) if self._ready is not None else None,
            "dismiss": self._dismiss,
            "menu": self._menu.ask,
            "add": lambda model: self._redraft().add(str(model)),
            "trio": lambda models: self._redraft().choose(models),
            "mean": lambda models: self._redraft().mean([str(model) for model in models]),
            "again": lambda: self._redraft().again(),
            "drop": lambda place: self._redraft().drop(int(place)),
            "set": lambda name, value, place=None: self._redraft().set(name, str(value), place),
            "stop": lambda key=None: self._live().stop(key),
            "retry": self._retry,
            "remove": self._remove,
            "clear": self._clear,
            "undo": self._put_back,
            "continue": self._continue,
            "back": self._go_back,
            "vote": self._vote,
            "take": self._take_back,
            "table": self._make_table,
            "save": lambda: self.work(self._save),
            "look": self._look,
            "page": lambda start: self._rows.turn(int(start)),
            "open": lambda number: self._rows.toggle(int(number)),
            "show": self._show_as,
            "blind": self._hide,
        }

    def _live(self) -> Comparison:
        if self._comparison is None:
            raise InputError("There is no comparison yet.", next_step="write a prompt and press Compare")
        return self._comparison

    def _run(self, text: str, several: bool = False, *, forecast: bool = False) -> None:
        if self._busy:
            return
        self._draft.write(str(text), several=bool(several))
        self._busy, self._ready = True, None
        self.work(lambda: self._ask(only_forecast=bool(forecast)))

    async def _ask(self, *, only_forecast: bool) -> None:
        try:
            comparison = await self._draft.prepared()
            if only_forecast or comparison.forecast.calls >= ANNOUNCED:
                self._ready = comparison
            else:
                await asyncio.wrap_future(drawer.submit(lambda: self._begin(comparison)))  # it waits for drawings
        finally:
            self._busy = False
            self.changed()

    def _redraft(self) -> Draft:
        self._ready = None  # what was forecast is no longer what would be asked
        return self._draft

    def _dismiss(self) -> None:
        self._ready, self._draft.said = None, []

    def _begin(self, comparison: Comparison) -> None:
        self._ready, before = None, self._comparison
        if before is not None:
            before.stop()
        self.session.comparison = comparison
        self._take(comparison)
        if before is not None and (words := compare_kept.left_behind(before)):
            self._undo = words, lambda: self._show_run(before, (compare_kept.EARLIER, words))
        comparison.start()
        self._changed()

    def _show_run(self, wanted: Comparison, words: tuple[str, str]) -> None:
        """Show another run, with the first of `words` beside Undo, which comes back to this one, with the second."""
        left = self._live()
        left.stop()
        self.session.comparison = wanted
        self._take(wanted, draft=False)
        self._undo = words[0], lambda: self._show_run(left, words[::-1])

    def _clear(self) -> None:
        """Take the comparison out of the panel; `session.comparison` still has it."""
        gone = self._live()
        gone.stop()
        with self._lock:
            self._comparison = self._items = self._sheet = self._standing = self._board = None
            self._follow_comparison()
            self._draft.said = []
            self._undo = "The answers were removed.", lambda: self._take(gone, draft=False)
        self.renew_fallback()

    def _remove(self, key: str) -> None:
        shown = self._live()
        shown.remove(key)
        self._undo = "A column was removed.", lambda: shown.put_back(key)

    def _put_back(self) -> None:
        """Take back the last removal. What was stopped by it stays stopped."""
        if self._undo is not None:
            (_, put_back), self._undo = self._undo, None
            put_back()
            self.renew_fallback()

    def _retry(self, key: str | None = None, *, whole: bool = False) -> None:
        """Ask the shown answer again; `whole`: ask everything without an answer again, in one column or in all."""
        shown, before = self._live(), compare_kept.voted(self._live())
        if key is None or whole:
            shown.retry(key)
        else:
            shown.ask_again(key, *self._at)
        self._undo = compare_kept.taken_from(shown, before) or self._undo
        self._changed()

    def _continue(self, key: str) -> None:
        self._live().continue_with(key, *self._at)

    def _go_back(self, key: str) -> None:
        if self._live().in_use(*self._at) == key:  # else it was taken back already: a second click
            self._live().go_back()

    def _take_back(self, draft: Mapping[str, Any], file: dict[str, Any] | None = None, at: Sequence[int] = ()) -> None:
        """Restore what the panel showed in an earlier kernel, where this one shows nothing yet."""
        if self._comparison is None:
            self._draft.restore(draft)
        if self._comparison is None and file is not None:
            self.work(lambda: self._bring_back(file, at))

    async def _bring_back(self, file: dict[str, Any], at: Sequence[int]) -> None:
        comparison, said = await compare_kept.brought_back(self.session, file)
        await asyncio.wrap_future(drawer.submit(lambda: self._show_again(comparison, at, said)))

    def _show_again(self, comparison: Comparison, at: Sequence[int], said: str) -> None:
        if self._comparison is None:
            self.session.comparison = comparison
            self._take(comparison, draft=False)
            self._draft.said = [(said, "")] if said else []
            if at and not said:
                self._look(*at)
            self._changed()

    def _vote(self, key: str, vote: str | None) -> None:
        self._live().vote(key, vote, *self._at, blind=self._blind)
        self._standing = None
        self.renew_fallback()

    def _make_table(self) -> None:
        self._table, self._copied = table(self._live(), *self._at)

    async def _save(self) -> None:
        self._saved = await asyncio.to_thread(compare_kept.save_csv, self._result)
        self.changed()

    def _look(self, prompt: int, repeat: int) -> None:
        setup = self._live().setup
        self._at = (int(prompt) % len(setup.prompts), int(repeat) % setup.repeats)
        if self._view == "all prompts":
            self._view = VIEWS[0]

    @property
    def _rows(self) -> PromptRows:
        return self._sheet or PromptRows(self._live())

    def _show_as(self, how: str, base: str = "") -> None:
        if how not in self._ways:
            raise OptionError(f"There is no view {how!r}.", next_step=f"use one of: {', '.join(self._ways)}")
        self._view = how
        columns = [column.id for column in self._live().columns]
        self._base = base if base in columns else next(iter(columns), "")

    def _hide(self, wanted: bool) -> None:
        self._revealed = self._comparison is not None and (self._revealed or self._blind) and not wanted
        self._blind, self._standing = bool(wanted), None
        if self._comparison is not None and not self._comparison.is_running:
            self.renew_fallback()
