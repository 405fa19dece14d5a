"""The model dropdown: a core ipywidget that sets a session's model and follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from tetrate_jupyter import front_end
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.plain import visible
from tetrate_jupyter.widgets.lifetime import Outputs, hear, put_away, reopen
from tetrate_jupyter.widgets.static_fallback import StaticFallback

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.catalog.models import ModelList
    from tetrate_jupyter.engine.engine import Engine


NOTHING: Final = ""  # the value of "choose a model"; None would show an empty box
_CLASS: Final = "tetrate-dropdown"
MOST: Final = 1_000  # models offered: a page draws every one; %tetrate_models finds among more


class ModelDropdown(ipywidgets.Dropdown):  # type: ignore[misc]  # ipywidgets publishes no types
    """A dropdown of the models that `session` reaches. `close()` ends its tie to the session.

    A choice here is the session's model at once, and a choice made elsewhere shows here.
    """

    def __init__(self, session: Engine, **options: Any) -> None:  # noqa: ANN401 - traits of Dropdown
        self._session = session
        models = session.catalog.models or session.bridge.run(session.amodels())
        options = {"description": "Model", "layout": {"width": "min(100% - 4px, 32rem)"}, **options}
        super().__init__(options=_choices(session, models), value=session.model or NOTHING, **options)
        self.observe(self._chosen, names="value")
        self.add_class(_CLASS)
        hear(self)
        self._fallback = StaticFallback(_CLASS)
        self._outputs = Outputs(self._replaced)
        self._stops: list[Callable[[], None]] = []
        self._begin()

    def close(self) -> None:
        """Remove the dropdown from every view, and stop following the session."""
        self._outputs.close()
        self._replaced()

    def _begin(self) -> None:
        self._stops = [
            self._session.on_model_change(self._follow),
            self._session.catalog.on_change(self._relist),
        ]

    def _replaced(self) -> None:
        """Go from the page: the last cell that showed it is being run again. Shown again, it is back."""
        stops, self._stops = self._stops, []
        for stop in stops:
            stop()
        put_away(self)

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        reopen(self)
        if not self._stops:
            self._relist()
            self._begin()
        self._outputs.shown()
        publish_display_data(self._repr_mimebundle_())  # type: ignore[no-untyped-call]  # IPython's
        if front_end.kernel() is not None:  # a terminal has shown its text
            self._fallback.show(*self._left())

    def _left(self) -> tuple[str, str]:
        """Return what a reader without a kernel sees, as HTML and as text."""
        told = visible(self._session.chooser.told(self._session.model))
        said = f"Model: {told}. Run this cell to choose another." if told else "Run this cell to choose a model."
        return f"<p>{escape(said)}</p>", said

    def __del__(self) -> None:
        """Do nothing: ipywidgets would close it once more, and a collection, at any moment, may wait for no lock."""

    def _chosen(self, change: dict[str, Any]) -> None:
        if change["new"] not in {NOTHING, self._session.model}:
            self._session.model = change["new"]

    def _follow(self) -> None:
        if self._session.model not in {value for _, value in self.options}:
            self._relist()
        self.value = self._session.model or NOTHING
        self._fallback.update(*self._left())

    def _relist(self) -> None:
        current = self._session.model
        with self.hold_trait_notifications():
            self.options = _choices(self._session, self._session.catalog.models)
            self.value = current or NOTHING

    def __repr__(self) -> str:
        return f"ModelDropdown({self._session.model!r})"  # stable: no list of hundreds, no object id


def model_dropdown(session: Engine) -> ModelDropdown:
    """Make a dropdown for `session`; fetches the list of models where it isn't at hand."""
    return ModelDropdown(session)


def _choices(session: Engine, models: ModelList) -> list[tuple[str, str]]:
    current = session.model
    found = [] if current is not None else [(session.chooser.told(None) or "choose a model", NOTHING)]
    offered = [model.id for model in models[:MOST]]
    if current is not None and current not in offered:
        offered.insert(0, current)
    return found + [(identity, identity) for identity in offered]
