"""The model picker: search, filters, and the rows in view; a choice is the session's model."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tetrate_jupyter.amounts import total
from tetrate_jupyter.catalog.estimate import SHORT_COUNT, short_questions
from tetrate_jupyter.catalog.models import ModelList
from tetrate_jupyter.catalog.picking import CAPABILITIES, ModelQuery, provider_of, providers, row
from tetrate_jupyter.catalog.sections import IN_USE, IN_USE_BEFORE, Marked, sections
from tetrate_jupyter.catalog.shown import model_table, model_text
from tetrate_jupyter.compare.columns import LIVE_COLUMNS
from tetrate_jupyter.errors import OptionError
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.numbers import money
from tetrate_jupyter.render.plain import visible
from tetrate_jupyter.widgets.feed import Item
from tetrate_jupyter.widgets.panel import Panel, script, style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Model
    from tetrate_jupyter.widgets.feed import Fields

FIRST: Final = 24  # rows that are sent before the page has said how many it shows
MOST: Final = 200  # rows a view may ask for at once
VIEWS: Final = 8  # views whose place in the list is remembered
FALLBACK_ROWS: Final = 50
SETTLED: Final = 1.0  # seconds without another search until the fallback is written anew
NONE_YET: Final = "No models yet. Next: sign in with %tetrate_login, then run this cell again."


class _Laid(NamedTuple):
    """The list as it is laid out: of which models, for which wish and marks, in which order and sections."""

    models: ModelList
    wish: ModelQuery
    marked: Marked
    found: ModelList
    sections: list[tuple[str, int, int]]  # title, first place, count
    near: list[Model]  # where nothing is found


class ModelPicker(Panel):
    """The models that `session` reaches, searched as they are typed for. All views of one picker share its search.

    The rows in the page are the union of what its views have in sight.
    """

    _esm = script("models.js", "picker_row.js", "picker_table.js", "picker.js")
    _css = style("models.css", "picker.css")

    def __init__(self, session: Engine, wish: ModelQuery | None = None) -> None:
        super().__init__(session)
        self._wish = wish or ModelQuery()
        self._ranges: dict[str, tuple[int, int]] = {}
        self._laid: _Laid | None = None
        self._marked = Marked()  # as the list is laid out by it: rows don't move under a pointer
        self._ticked: list[str] = []
        self._cell: list[Any] = ["", 0, ""]  # the view that asked, a number, the source of a cell to be inserted
        self._busy = False
        self.begin()

    def follows(self) -> Sequence[Callable[[], None]]:
        """See `Panel`."""
        self.session.catalog.favourites.look()
        self._marked = self._marks
        return [
            self.session.on_model_change(self._chosen),
            self.session.catalog.on_change(self._listed),
            self.session.catalog.favourites.on_change(self.changed),
        ]

    def forget(self) -> None:
        """See `Panel`. What is searched for and ticked stays."""
        self._ranges.clear()
        self._laid = None

    @property
    def found(self) -> ModelList:
        """The models that fit, in order."""
        return self._list.found

    @property
    def _marks(self) -> Marked:
        marks = self.session.catalog.favourites
        return Marked(self.session.model, marks.recent, marks.stars)

    @property
    def _list(self) -> _Laid:
        """The list as it is laid out."""
        models, wish, marked = self.session.catalog.models, self._wish, self._marked
        laid = self._laid
        if laid is None or laid.models is not models or (laid.wish, laid.marked) != (wish, marked):
            if wish.is_none:
                parts = sections(models, marked)
                found = ModelList(model for part in parts for model in part.models)
                places, start = [], 0
                for part in parts:
                    places.append((part.title, start, len(part.models)))
                    start += len(part.models)
            else:
                found, places = wish.of(models), []
            self._laid = laid = _Laid(models, wish, marked, found, places, [] if found else wish.near(models))
        return laid

    # --- showing ---------------------------------------------------------------------------------------------

    def fields(self) -> Fields:
        """See `Panel`."""
        laid, wish, chosen = self._list, self._wish, self.session.model
        titles = {IN_USE: IN_USE if self._marked.chosen == chosen else IN_USE_BEFORE}
        listed = self.session.catalog.listed_at
        return {
            "words": wish.words,
            "provider": wish.provider,
            "providers": providers(laid.models),
            "capabilities": {name: name in wish.ticked for name in CAPABILITIES},
            "filters": sorted(wish.capabilities),
            "sort": wish.sort,
            "backwards": wish.backwards,
            "descends": wish.descends,
            "count": len(laid.found),
            "of": len(laid.models),
            "sections": [[titles.get(title, title), start, count] for title, start, count in laid.sections],
            "stale": bool(laid.sections) and self._marked != self._marks,
            "near": [_name(model) for model in laid.near],
            "chosen": chosen or "",
            "place": next((n for n, m in enumerate(laid.found) if m.id == chosen), -1),
            "ticked": [_name(model) for model in self._ticks()],
            "each": self._each(),
            "listed": 0 if listed is None else round(listed, -1),
            "cell": self._cell,
            "busy": self._busy,
        }

    def _ticks(self) -> list[Model]:
        return [m for m in map(self.session.catalog.models.get, self._ticked) if m is not None]

    def _each(self) -> str:
        """Return what a short question to all that are ticked costs, as far as it is known."""
        costs = [short_questions(model) for model in self._ticks()]
        found = total(costs)
        if found is None:
            return ""
        least = "" if None not in costs else "at least "
        return f"{least}≈ {money(found / SHORT_COUNT)} a short question"

    def items(self) -> Sequence[Item]:
        """See `Panel`. One for each row in sight, with its place in the list."""
        found, chosen, stars = self.found, self.session.model, set(self.session.catalog.favourites.stars)
        places = {n for start, end in self._ranges.values() or [(0, FIRST)] for n in range(start, min(end, len(found)))}
        return [
            Item(
                found[n].id,
                {
                    **row(found[n]),
                    "place": n,
                    "chosen": found[n].id == chosen,
                    "starred": found[n].id in stars,
                    "ticked": found[n].id in self._ticked,
                },
            )
            for n in sorted(places)
        ]

    def fallback_html(self) -> str:
        """See `Panel`."""
        chosen = self.session.model
        head = f'<p class="tetrate-caption">Model: {escape(chosen)}</p>' if chosen else ""
        if not self.session.catalog.models:
            return f'{head}<p class="tetrate-caption">{NONE_YET}</p>'
        tail = f'<p class="tetrate-caption">{self._left_out}</p>' if self._left_out else ""
        return head + model_table(self.found[:FALLBACK_ROWS]).html() + tail

    def fallback_plain(self) -> str:
        """See `Panel`."""
        chosen = self.session.model
        head = [f"Model: {chosen}"] if chosen else []
        if not self.session.catalog.models:
            return "\n".join([*head, NONE_YET])
        return "\n".join([*head, model_text(self.found[:FALLBACK_ROWS]), *([self._left_out] if self._left_out else [])])

    @property
    def _left_out(self) -> str:
        count = len(self.found) - FALLBACK_ROWS
        return f"and {count} more" if count > 0 else ""

    # --- following -------------------------------------------------------------------------------------------

    def _chosen(self) -> None:
        self.changed()
        self.renew_fallback()

    def _listed(self) -> None:
        self._marked = self._marks
        self._chosen()

    async def _settle(self) -> None:
        wish = self._wish
        await asyncio.sleep(SETTLED)
        if self._wish is wish:
            self.renew_fallback()

    async def fetch_models(self) -> None:
        """See `Panel`. Asks anew where there is a list already."""
        self._busy = True
        self.changed()
        try:
            await self.session.amodels(refresh=bool(self.session.catalog.models))
        finally:
            self._busy = False
            self.changed()
        self.renew_fallback()

    # --- what the page may ask for ---------------------------------------------------------------------------

    def actions(self) -> dict[str, Callable[..., None]]:
        """See `Panel`."""
        return {
            "find": self._find,
            "filter": lambda name, on: self._seek(self._wish.tick(str(name), on=bool(on))),
            "rows": self._rows,
            "settle": self._lay,
            "choose": self._choose,
            "star": lambda model, on: self.session.catalog.favourites.star(str(model), on=bool(on)),
            "tick": self._tick,
            "clear": self._ticked.clear,
            "compare": self._compare,
            "refresh": lambda: self.work(self.fetch_models),
            "take": self._take,
        }

    def _find(self, **parts: Any) -> None:  # noqa: ANN401 - from the page; `ModelQuery` checks them
        wish: dict[str, Any] = {n: str(parts[n])[:500] for n in ("words", "provider", "sort") if n in parts}
        if "capabilities" in parts:
            wish["capabilities"] = frozenset(map(str, parts["capabilities"]))
        if "backwards" in parts:
            wish["backwards"] = bool(parts["backwards"])
        self._seek(replace(self._wish, **wish))

    def _seek(self, wish: ModelQuery) -> None:
        if wish == self._wish:
            return  # the views keep their places
        self._wish = wish
        self._lay()
        self.work(self._settle)
        self._ranges = dict.fromkeys(self._ranges, (0, FIRST))

    def _lay(self) -> None:
        """Lay the sections out by what is in use, used and starred by now."""
        self._marked = self._marks

    def _rows(self, of: str, start: int, end: int) -> None:
        start = max(0, int(start))
        self._ranges.pop(of, None)
        self._ranges[of] = (start, min(int(end), start + MOST))
        while len(self._ranges) > VIEWS:
            del self._ranges[next(iter(self._ranges))]

    def _choose(self, model: str) -> None:
        self.session.model = str(model)

    def _tick(self, model: str, on: bool) -> None:
        name = self.session.catalog.models.find(str(model)).id
        if name in self._ticked:
            self._ticked.remove(name)
        if on:
            if len(self._ticked) >= LIVE_COLUMNS:
                raise OptionError(f"{LIVE_COLUMNS} models are compared at once.", next_step="untick one first")
            self._ticked.append(name)

    def _compare(self, of: str, models: Sequence[str] = ()) -> None:
        """Have the page that asks insert a cell that compares these (the ticked ones), or one with the one in use."""
        known = self.session.catalog.models
        names = [known.find(str(each)).id for each in models] or [model.id for model in self._ticks()]
        if len(names) == 1:
            default = self.session.chooser.default_at_hand()
            partner = self.session.model or (default.id if default is not None else None)
            names = [name for name in (partner, *names) if name is not None]
            names = list(dict.fromkeys(names))
        # alone it is the model in use: an empty comparison begins with that
        which = " ".join(f"-m {shlex.quote(name)}" for name in _lists(names)) if len(names) > 1 else ""
        self._cell = [str(of)[:40], self._cell[1] + 1, f"%tetrate_compare {which}".rstrip()]

    def _take(self, **parts: Any) -> None:  # noqa: ANN401 - from the page; `ModelQuery` checks them
        """Be again as a page had it whose kernel was restarted: search, filters, order, ticks."""
        self._find(**parts)
        ticked = list(parts.get("ticked", ()))[:LIVE_COLUMNS]
        self._ticked = [str(name)[:200] for name in ticked]  # shown where they are listed


def _lists(names: Sequence[str]) -> list[str]:
    """Return what `-m` takes: one list of all, or each for itself where an id has a comma."""
    return list(names) if any("," in name for name in names) else [",".join(names)]


def _name(model: Model) -> list[str]:
    return [model.id, visible(model.id), visible(provider_of(model))]


def model_picker(session: Engine, words: str = "", sort: str = "provider") -> ModelPicker:
    """Make a picker for `session` that begins with these words and this order."""
    return ModelPicker(session, ModelQuery(words=words, sort=sort))
