"""The static fallback: what is left of a panel in a saved notebook, kept out of sight while the panel is alive."""

from __future__ import annotations

from itertools import count
from typing import Final
from uuid import uuid4

from tetrate_jupyter import front_end, secrecy
from tetrate_jupyter.render.style import BOUNDED

PANEL_CLASS: Final = "tetrate-panel"  # on the root element of every live panel

_NUMBERS: Final = count(1)  # where outputs are to be equal at every run, and no live panel is hidden by its mark


class StaticFallback:
    """A plain output beside a panel. JupyterLab doesn't save widgets: without it, a reopened notebook shows nothing.

    The live panel puts `hiding_css` into the page, so that both are never seen at once. `show` publishes it in the
    running cell, `update` replaces it from any thread. `live`: the class of another live element, which can put no rule
    into the page: the fallback itself brings the one that hides it beside that.
    """

    def __init__(self, live: str = PANEL_CLASS) -> None:
        self._live = live
        self.mark = f"tetrate-fallback-{uuid4().hex[:10] if front_end.streaming_wanted() else next(_NUMBERS)}"
        self._shown = False

    @property
    def is_shown(self) -> bool:
        """Whether some cell has shown it."""
        return self._shown

    @property
    def hiding_css(self) -> str:
        """The rule that hides this fallback; it must be in the page exactly as long as its panel is."""
        return f".jp-OutputArea-child:has(.{self.mark}),.{self.mark}{{display:none}}"

    @property
    def fields(self) -> dict[str, str]:
        """What the page is told of it."""
        return {"hide": self.hiding_css, "mark": self.mark}

    def show(self, html: str, plain: str) -> None:
        """Publish it as an output of the running cell; another call makes another output, updated together."""
        self._publish(html, plain, update=False)
        self._shown = True

    def update(self, html: str, plain: str) -> None:
        """Replace what it shows, where it was shown."""
        if self._shown:
            self._publish(html, plain, update=True)

    def bundle(self, html: str, plain: str) -> dict[str, str]:
        """Return the output. JupyterLab's "model not found" box, which stands before it after a reload, is hidden."""
        child = ".jp-OutputArea-child"
        rule = f"{child}:has(+{child} .{self.mark}):not(:has(.{self._live})){{display:none}}"
        if self._live != PANEL_CLASS:
            rule += f"{child}:has(.{self._live})+{child}:has(.{self.mark}){{display:none}}"
        style = f"<style>{rule}</style>"
        shown = f'<div class="tetrate-fallback {self.mark}" {BOUNDED}>{style}{html}</div>'
        return secrecy.bundle({"text/html": shown, "text/plain": plain})

    def _publish(self, html: str, plain: str, *, update: bool) -> None:
        from IPython.display import publish_display_data

        bundle = self.bundle(html, plain)
        publish_display_data(bundle, metadata={}, transient={"display_id": self.mark}, update=update)  # type: ignore[no-untyped-call]  # IPython's
