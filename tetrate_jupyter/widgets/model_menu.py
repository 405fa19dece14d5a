"""The small list of models that opens from a button in chat and compare; drawn while it is open, in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.catalog.picking import CAPABILITIES, ModelQuery, provider_of, row
from tetrate_jupyter.catalog.sections import Marked, sections
from tetrate_jupyter.render.plain import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.types import Model
    from tetrate_jupyter.widgets.feed import Fields

ROWS: Final = 40  # that are sent at first; more as they are scrolled to
MOST: Final = 400  # rows, however far somebody scrolls: who looks further has a search and the whole list
_LEFT_OUT: Final = {"bar", "description"}


class ModelMenu:
    """A panel's part: its `fields` go among the panel's, `ask` is its action "menu"."""

    def __init__(self, session: Engine) -> None:
        self._session = session
        self._of = ""  # the menu of a page that is open; "" for none
        self._wish = ModelQuery()
        self._rows = ROWS
        self._marked = Marked()  # as it was opened: rows don't move under a pointer

    def ask(
        self, of: str, words: str = "", rows: int = ROWS, *, opened: bool = True, ticked: Sequence[str] = ()
    ) -> None:
        """Open the list in one of the page's menus (`of`), search it, send more rows, or close it.

        Those that are `ticked` when it opens come first, and stay there.

        Opening a menu closes another, which may report that late: closing affects the menu that is open only.
        """
        if not opened:
            self._of = "" if str(of)[:40] == self._of else self._of
            return
        if str(of)[:40] != self._of:
            marks = self._session.catalog.favourites
            marks.look()
            first = tuple(str(each) for each in ticked[:MOST])
            self._marked = Marked(self._session.model, marks.recent, marks.stars, first)
        self._of = str(of)[:40]
        self._wish, self._rows = ModelQuery(words=str(words)[:500]), max(1, min(int(rows), MOST))

    def fields(self) -> Fields:
        """Return the model in use, how many there are, and the open list.

        It is [id, label, provider, whether nobody has chosen it]: the one that the next question goes to; null where
        that isn't known yet.
        """
        models, chosen = self._session.catalog.models, self._session.model
        if chosen is None:
            model = self._session.chooser.default_at_hand()
        else:
            model = models.get(chosen) or self._session.catalog.described(chosen)
        using = None if model is None else [model.id, visible(model.id), visible(provider_of(model)), chosen is None]
        return {"using": using, "reach": len(models), "menu": self._list() if self._of else None}

    def _list(self) -> dict[str, Any]:
        models, wish = self._session.catalog.models, self._wish
        titles: list[list[Any]] = []
        found: list[Model] = []
        if wish.is_none:
            for part in sections(models, self._marked):
                titles.append([part.title, len(found)])
                found += part.models
        else:
            found = list(wish.of(models))
        return {
            "of": self._of,
            "words": wish.words,
            "count": len(found),
            "titles": [title for title in titles if title[1] < self._rows],
            "ticked": [name for name in CAPABILITIES if name in wish.ticked],
            "rows": [_short(model) for model in found[: self._rows]],
        }


def _short(model: Model) -> dict[str, Any]:
    return {name: text for name, text in row(model).items() if name not in _LEFT_OUT}
