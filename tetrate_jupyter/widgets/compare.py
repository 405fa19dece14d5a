"""The compare panel: models side by side, each column writing for itself; a face of `compare.running.Comparison`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import config
from tetrate_jupyter.compare.asking import prepare
from tetrate_jupyter.compare.summary import leaders
from tetrate_jupyter.errors import InputError, OptionError
from tetrate_jupyter.render.numbers import money, seconds
from tetrate_jupyter.render.plain import visible
from tetrate_jupyter.widgets.chat_items import by_provider
from tetrate_jupyter.widgets.compare_items import CompareItems, table
from tetrate_jupyter.widgets.panel import Panel, script, style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.compare.running import Comparison, Progress
    from tetrate_jupyter.sessions.session import Session
    from tetrate_jupyter.widgets.feed import Fields, Item

COLUMNS: Final = 12  # live at once; more are asked, and read in the result
VIEWS: Final = ("answers", "code", "differences")
_PARAMETERS: Final[dict[str, Callable[[str], Any]]] = {"temperature": float, "max_tokens": int, "repeats": int}
EMPTY: Final = "No comparison yet."


class ComparePanel(Panel):
    """Compares models of `session`: shows `comparison` where there is one, asks anew with other models or prompts."""

    _esm = script("code.js", "compare.js")
    _css = style("compare.css")

    def __init__(self, session: Session, comparison: Comparison | None = None, *, blind: bool = False) -> None:
        super().__init__(session)
        self._comparison: Comparison | None = None
        self._items: CompareItems | None = None
        self._picked: list[str] = []
        self._prompt = ""
        self._parameters: dict[str, Any] = {}
        self._at = (0, 0)  # the prompt and the repeat that are shown
        self._blind = blind
        self._view = VIEWS[0]
        self._base = ""
        self._busy = False
        self._pumping = False
        self._unfollow: Callable[[], None] = lambda: None
        self._models: tuple[ModelList, list[list[Any]]] | None = None
        self.follow(session.catalog.on_change(self.sync), self._leave)
        if comparison is not None:
            self._take(comparison)
        self.need_models()

    def _leave(self) -> None:
        self._unfollow()

    @property
    def comparison(self) -> Comparison | None:
        """What is shown, or None."""
        return self._comparison

    def _take(self, comparison: Comparison) -> None:
        with self._lock:
            self._unfollow()
            self._comparison, self._items = comparison, CompareItems(comparison)
            self._picked = [column.asked for column in comparison.columns]
            self._prompt = comparison.setup.prompts[0]
            self._at, self._base = (0, 0), ""
            self._unfollow = comparison.on_change(self._changed)

    # --- showing ---------------------------------------------------------------------------------------------

    def fields(self) -> Fields:
        """See `Panel`."""
        models = self.session.catalog.models
        if self._models is None or self._models[0] is not models:
            self._models = models, by_provider(models)
        shared: dict[str, Any] = {
            "models": self._models[1],
            "picked": [visible(name) for name in self._picked],
            "most": COLUMNS,
            "prompt": self._prompt,
            "parameters": dict(self._parameters),
            "blind": self._blind,
            "view": self._view,
            "views": VIEWS,
            "base": self._base,
            "busy": self._busy,
        }
        return {**shared, **(_nothing() if self._comparison is None else self._of(self._comparison))}

    def _of(self, comparison: Comparison) -> dict[str, Any]:
        running, progress = comparison.is_running, comparison.progress
        over = not running and progress.total > 0
        result = comparison.result if over else None
        told = not self._blind
        return {
            "running": running,
            "at": list(self._at),
            "prompts": len(comparison.setup.prompts),
            "repeats": comparison.setup.repeats,
            "question": visible(comparison.setup.prompts[self._at[0]]),
            "progress": _progress(progress, running=running),
            "share": round((progress.total - progress.running - progress.waiting) / max(progress.total, 1), 3),
            "failed": progress.failed + progress.stopped,
            "forecast": comparison.forecast.sentence if told else "",
            "verdict": " · ".join(leaders([c.figures for c in result.columns])) if result and told else "",
            "columns": [[c.id, visible(c.label)] for c in comparison.columns] if told else [],
            "code": result.code if result else "",
            "table": table(self._rows(), {h.id: h.label for h in result.heads}) if result and told else "",
            "seed": comparison.setup.seed,
        }

    def _rows(self) -> list[Any]:
        assert self._comparison is not None  # noqa: S101 - narrows the type; the callers have looked
        prompt, repeat = self._at
        return [r for r in self._comparison.result.rows if (r.prompt, r.repeat) == (prompt, repeat)]

    def items(self) -> Sequence[Item]:
        """See `Panel`."""
        if self._comparison is None or self._items is None:
            return ()
        names = self._comparison.setup.blind_names() if self._blind else None
        base = self._base if self._view == "differences" and not self._blind else None
        if base is not None and base not in {c.id for c in self._comparison.columns}:
            base = None
        return self._items.all(*self._at, names, base)[:COLUMNS]

    def twin_html(self) -> str:
        """See `Panel`."""
        if self._comparison is None:
            return f"<p>{EMPTY}</p>"
        return self._comparison.result.html

    def twin_plain(self) -> str:
        """See `Panel`."""
        return EMPTY if self._comparison is None else self._comparison.result.text

    # --- following -------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        with self._lock:
            self.sync()
            comparison = self._comparison
            if comparison is not None and comparison.is_running and not self._pumping:
                self._pumping = True
                self.work(self._pump)
        if comparison is not None and not comparison.is_running:
            self.renew_twin()

    async def _pump(self) -> None:
        """Show the texts that come, all columns in one message, about ten times a second."""
        while True:
            with self._lock:
                comparison = self._comparison
                self._pumping = comparison is not None and comparison.is_running
                self.sync()
            if not self._pumping:
                self.renew_twin()
                return
            longest = sum(len(cell.text) for cell in comparison.cells if cell.state == "running") if comparison else 0
            await asyncio.sleep(max(config.DISPLAY_INTERVAL, longest / config.DISPLAY_BYTES_PER_SECOND))

    # --- what the page may ask for ---------------------------------------------------------------------------

    def actions(self) -> dict[str, Callable[..., None]]:
        """See `Panel`."""
        return {
            "run": self._run,
            "add": self._add,
            "drop": self._drop,
            "set": self._set,
            "stop": lambda key=None: self._live().stop(key),
            "retry": self._retry,
            "remove": lambda key: self._live().remove(key),
            "continue": self._continue,
            "look": self._look,
            "show": self._show_as,
            "blind": self._hide,
        }

    def _live(self) -> Comparison:
        if self._comparison is None:
            raise InputError("There is no comparison yet.", next_step="write a prompt and press Compare")
        return self._comparison

    def _run(self, text: str) -> None:
        if self._busy:
            return
        self._prompt, self._busy = str(text), True
        self.work(self._ask)

    async def _ask(self) -> None:
        try:
            options = {**self._parameters}
            comparison = await prepare(self.session, self._prompt, list(self._picked) or None, **options)
        finally:
            self._busy = False
            self.sync()
        if self._comparison is not None:
            self._comparison.stop()
        self.session.comparison = comparison
        self._take(comparison)
        comparison.start()
        self._changed()

    def _add(self, model: str) -> None:
        if len(self._picked) >= COLUMNS:
            raise OptionError(f"A panel shows {COLUMNS} columns.", next_step="remove one first")
        self._picked.append(str(model))

    def _drop(self, place: int) -> None:
        if 0 <= int(place) < len(self._picked):
            del self._picked[int(place)]

    def _set(self, name: str, value: str) -> None:
        if not value.strip():
            self._parameters.pop(name, None)
            return
        try:
            number = _PARAMETERS[name](value)
        except ValueError:
            raise OptionError(f"{name} can't be {value!r}.", next_step="give a number, or leave it empty") from None
        if name != "repeats":
            self.session.question("-", **{name: number})  # its bounds are checked where every question's are
        self._parameters[name] = number

    def _retry(self, key: str | None = None) -> None:
        self._live().retry(key, done=key is not None)
        self._changed()

    def _continue(self, key: str) -> None:
        self._live().continue_with(key, *self._at)

    def _look(self, prompt: int, repeat: int) -> None:
        setup = self._live().setup
        self._at = (int(prompt) % len(setup.prompts), int(repeat) % setup.repeats)

    def _show_as(self, how: str, base: str = "") -> None:
        if how not in VIEWS:
            raise OptionError(f"There is no view {how!r}.", next_step=f"use one of: {', '.join(VIEWS)}")
        self._view = how
        columns = [column.id for column in self._live().columns]
        self._base = base if base in columns else next(iter(columns), "")

    def _hide(self, wanted: bool) -> None:
        self._blind = bool(wanted)


def _nothing() -> dict[str, Any]:
    return {
        "running": False,
        "at": [0, 0],
        "prompts": 0,
        "repeats": 1,
        "question": "",
        "progress": "",
        "share": 0,
        "failed": 0,
        "forecast": "",
        "verdict": "",
        "columns": [],
        "code": "",
        "table": "",
        "seed": 0,
    }


def _progress(progress: Progress, *, running: bool) -> str:
    words = [f"{progress.done} of {progress.total} done"]
    if progress.failed:
        words.append(f"{progress.failed} failed")
    if progress.stopped:
        words.append(f"{progress.stopped} stopped")
    words.append(
        f"≈ {money(progress.cost)}" + (f" and {progress.unknown_costs} unknown" if progress.unknown_costs else "")
    )
    if not running:
        words.append(seconds(progress.seconds))
    elif progress.seconds_left is not None and progress.total > progress.running + progress.done:
        words.append(f"about {seconds(progress.seconds_left)} left")
    return " · ".join(words)
