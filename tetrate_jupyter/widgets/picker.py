"""The model picker: search, filters, and the rows in view; a choice is the session's model."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.catalog.picking import CAPABILITIES, SORTS, Wish, providers, row
from tetrate_jupyter.catalog.shown import plain, table
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.widgets.feed import Item
from tetrate_jupyter.widgets.panel import Panel, script, style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.widgets.feed import Fields

FIRST: Final = 24  # rows that are sent before the page has said how many it shows
MOST: Final = 200  # rows a view may ask for at once
VIEWS: Final = 8  # views whose place in the list is remembered
TWIN_ROWS: Final = 50
SETTLED: Final = 1.0  # seconds without another search until the twin is written anew
NONE_YET: Final = "No models yet. Next: sign in with %tetrate_login, then run this cell again."


class ModelPicker(Panel):
    """The models that `session` reaches, searched as they are typed for. All views of one picker share its search.

    The rows in the page are the union of what its views have in sight.
    """

    _esm = script("picker.js")
    _css = style("picker.css")

    def __init__(self, session: Engine, wish: Wish | None = None) -> None:
        super().__init__(session)
        self._wish = wish or Wish()
        self._ranges: dict[str, tuple[int, int]] = {}
        self._found: tuple[ModelList, Wish, ModelList] | None = None
        self._busy = False
        self.begin()

    def follows(self) -> Sequence[Callable[[], None]]:
        """See `Panel`."""
        return [self.session.on_model_change(self._chosen), self.session.catalog.on_change(self._chosen)]

    def forget(self) -> None:
        """See `Panel`. What is searched for stays."""
        self._ranges.clear()
        self._found = None

    @property
    def found(self) -> ModelList:
        """The models that fit, in order."""
        models, wish = self.session.catalog.models, self._wish
        if self._found is None or self._found[0] is not models or self._found[1] != wish:
            self._found = models, wish, wish.of(models)
        return self._found[2]

    # --- showing ---------------------------------------------------------------------------------------------

    def fields(self) -> Fields:
        """See `Panel`."""
        models, chosen = self.session.catalog.models, self.session.model
        return {
            "words": self._wish.words,
            "provider": self._wish.provider,
            "providers": providers(models),
            "capabilities": {name: name in self._wish.capabilities for name in CAPABILITIES},
            "sort": self._wish.sort,
            "sorts": SORTS,
            "count": len(self.found),
            "of": len(models),
            "chosen": chosen or "",
            "place": next((n for n, m in enumerate(self.found) if m.id == chosen), -1),
            "busy": self._busy,
        }

    def items(self) -> Sequence[Item]:
        """See `Panel`. One for each row in sight, with its place in the list."""
        found, chosen = self.found, self.session.model
        places = {n for start, end in self._ranges.values() or [(0, FIRST)] for n in range(start, min(end, len(found)))}
        return [
            Item(found[n].id, {**row(found[n]), "place": n, "chosen": found[n].id == chosen}) for n in sorted(places)
        ]

    def twin_html(self) -> str:
        """See `Panel`."""
        chosen = self.session.model
        head = f'<p class="tetrate-caption">Model: {escape(chosen)}</p>' if chosen else ""
        if not self.session.catalog.models:
            return f'{head}<p class="tetrate-caption">{NONE_YET}</p>'
        tail = f'<p class="tetrate-caption">{self._left_out}</p>' if self._left_out else ""
        return head + table(self.found[:TWIN_ROWS]).html() + tail

    def twin_plain(self) -> str:
        """See `Panel`."""
        chosen = self.session.model
        head = [f"Model: {chosen}"] if chosen else []
        if not self.session.catalog.models:
            return "\n".join([*head, NONE_YET])
        return "\n".join([*head, plain(self.found[:TWIN_ROWS]), *([self._left_out] if self._left_out else [])])

    @property
    def _left_out(self) -> str:
        count = len(self.found) - TWIN_ROWS
        return f"and {count} more" if count > 0 else ""

    # --- following -------------------------------------------------------------------------------------------

    def _chosen(self) -> None:
        self.changed()
        self.renew_twin()

    async def _settle(self) -> None:
        wish = self._wish
        await asyncio.sleep(SETTLED)
        if self._wish is wish:
            self.renew_twin()

    async def fetch_models(self) -> None:
        """See `Panel`. Asks anew where there is a list already."""
        self._busy = True
        self.changed()
        try:
            await self.session.amodels(refresh=bool(self.session.catalog.models))
        finally:
            self._busy = False
            self.changed()
        self.renew_twin()

    # --- what the page may ask for ---------------------------------------------------------------------------

    def actions(self) -> dict[str, Callable[..., None]]:
        """See `Panel`."""
        return {
            "find": self._find,
            "rows": self._rows,
            "choose": self._choose,
            "refresh": lambda: self.work(self.fetch_models),
        }

    def _find(self, **parts: Any) -> None:  # noqa: ANN401 - from the page; `Wish` checks them
        texts: dict[str, Any] = {n: str(parts[n])[:500] for n in ("words", "provider", "sort") if n in parts}
        wish = replace(self._wish, **texts)
        if "capabilities" in parts:
            wish = replace(wish, capabilities=frozenset(map(str, parts["capabilities"])))
        if wish == self._wish:
            return  # the views keep their places
        self._wish = wish
        self.work(self._settle)
        self._ranges = dict.fromkeys(self._ranges, (0, FIRST))

    def _rows(self, of: str, start: int, end: int) -> None:
        start = max(0, int(start))
        self._ranges.pop(of, None)
        self._ranges[of] = (start, min(int(end), start + MOST))
        while len(self._ranges) > VIEWS:
            del self._ranges[next(iter(self._ranges))]

    def _choose(self, model: str) -> None:
        self.session.model = str(model)


def model_picker(session: Engine, words: str = "", sort: str = "provider") -> ModelPicker:
    """Make a picker for `session` that begins with these words and this order."""
    return ModelPicker(session, Wish(words=words, sort=sort))
