"""The base of the panels that are anywidgets: told what to show by operations, and what to do by messages."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anywidget

from tetrate_jupyter import front_end, secrecy
from tetrate_jupyter.errors import InputError, SecretInPromptError, TetrateError
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.style import stylesheet
from tetrate_jupyter.widgets.feed import Feed
from tetrate_jupyter.widgets.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tetrate_jupyter.sessions.session import Session
    from tetrate_jupyter.widgets.feed import Fields, Item

_log = logging.getLogger(__name__)

_STATIC: Final = Path(__file__).parent / "static"
_HELLO: Final = 3.0  # seconds that a page gets to show the panel before the person is told what may be missing
MISSING: Final = (
    "The panel doesn't show here. Next: where Jupyter itself runs, install the anywidget that fits this kernel's: pip"
    f' install "{front_end.fitting_anywidget()}"; reload the page, and run the cell again. %tetrate_status shows both.'
    " The magics work meanwhile: %%tetrate asks, %tetrate_model chooses."
)
RUN: Final = "Run this cell for the panel."  # where a saved notebook has no kernel, above the twin


def script(*names: str) -> str:
    """Give a panel's module: what all panels share, and its own."""
    return static("notebook.js", "panel.js", *names)


def static(*names: str) -> str:
    """Give files of the static folder, one after the other: one script or stylesheet without a build step."""
    return "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in names)


def style(*names: str) -> str:
    """Give a panel's stylesheet: that of rendered answers, that of all panels, and its own."""
    return "\n".join((stylesheet(), static("panel.css", *names)))


class Panel(anywidget.AnyWidget):
    """What all panels have in common. A subclass gives `fields`, `items`, `twin_html`, `twin_plain` and `actions`.

    Nothing that it shows is in the widget's state, so none of it is saved with the notebook's widgets: a view says
    hello, is told everything, and then each change. Messages from the page may come on any thread, also while a cell
    runs; an action returns at once and leaves work to the session's loop (`work`).
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.problem = ""  # shown in the panel until the next action
        self._feed = Feed()
        self._lock = threading.RLock()  # what is told must leave in the order in which the feed gave it
        self._met = threading.Event()
        self._pages: set[object] = set()  # of several, the later ones don't know which output the kernel's updates mean
        self._twin = Twin()
        self._stops: list[Callable[[], None]] = []
        self._working: set[Any] = set()
        super().__init__()
        self.on_msg(self._received)

    # --- for subclasses --------------------------------------------------------------------------------------

    def fields(self) -> Fields:
        """Give what the panel shows beside its items."""
        raise NotImplementedError

    def items(self) -> Sequence[Item]:
        """Give the items, in order."""
        return ()

    def twin_html(self) -> str:
        """Give what a reader without a kernel sees; safe HTML."""
        raise NotImplementedError

    def twin_plain(self) -> str:
        """Give the same for a terminal."""
        raise NotImplementedError

    def actions(self) -> dict[str, Callable[..., None]]:
        """Give what the page may ask for: a name and the function that gets the message's other parts by name."""
        raise NotImplementedError

    # --- telling ---------------------------------------------------------------------------------------------

    def sync(self, **more: object) -> None:
        """Bring every view up to date. From any thread. `more` goes along, and is sent where nothing changed, too."""
        with self._lock:
            operations = self._feed.changes(self._all_fields(), self.items())
            if self._met.is_set() and (operations or more):
                self._tell(operations=operations, **more)

    def rename(self, old: str, new: str) -> None:
        """Give an item another key in every view."""
        with self._lock:
            operations = self._feed.rename(old, new)
            if self._met.is_set() and operations:
                self._tell(operations=operations)

    def _tell(self, **content: Any) -> None:  # noqa: ANN401 - JSON
        """Send to the page, without keys: whatever a panel has to show passes here."""
        self.send(_without_keys(content))

    def _all_fields(self) -> Fields:
        return {**self.fields(), "problem": self.problem, "hide": self._twin.hiding_css, "mark": self._twin.mark}

    def renew_twin(self) -> None:
        """Write the twin anew, after something final has changed. From any thread."""
        html, plain = self.twin_html(), self.twin_plain()
        self._twin.update(html, plain)
        if len(self._pages) > 1:
            self._tell(operations=[], twin=self._twin.bundle(html, plain))

    def follow(self, *stops: Callable[[], None]) -> None:
        """Keep what ends an observation, for `close`."""
        self._stops += stops

    def close(self) -> None:
        """Remove the panel from every view and stop following the session. What was asked goes on."""
        for stop in self._stops:
            stop()
        for future in list(self._working):
            future.cancel()
        super().close()

    # --- listening -------------------------------------------------------------------------------------------

    def _received(self, _: object, content: dict[str, Any], buffers: list[memoryview]) -> None:
        message = dict(content)
        name, view, number = (message.pop(part, None) for part in ("do", "view", "n"))
        if name == "hello":
            self._welcome(view, message.get("page"))
            return
        action = self.actions().get(str(name), _nothing)
        if buffers:
            message["buffers"] = [bytes(b) for b in buffers]
        self.problem = ""
        try:
            if secrecy.redacted(message) != message:  # before anything of it is kept, shown or asked
                raise SecretInPromptError(
                    "There is an API key in what you wrote; nothing of it was sent or kept.", next_step="take it out"
                )
            action(**message)
        except TetrateError as error:
            self.tell_problem(error)
        except (TypeError, ValueError, KeyError) as error:  # the page of an older or newer version
            self.tell_problem(InputError(f"The page sent something else than expected: {error}.", next_step="reload"))
        self.sync(view=view, done=number, ok=not self.problem)

    def _welcome(self, view: object, page: object) -> None:
        with self._lock:
            self._met.set()
            self.sync()
            self._tell(to=view, operations=self._feed.everything())
        if page not in self._pages:
            self._pages.add(page)
            self.renew_twin()  # it may say that nothing shows, or be as old as the page's notebook

    def tell_problem(self, error: TetrateError) -> None:
        """Show an error in the panel until the next action. From any thread."""
        self.problem = error.advice
        self.sync()

    def work(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine function on the session's loop, until the panel is closed; what fails shows in the panel."""
        future = self.session.bridge.submit(self._watched(work))
        self._working.add(future)  # a task that nobody holds may be collected while it runs
        future.add_done_callback(self._working.discard)

    async def _watched(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except TetrateError as error:
            self.tell_problem(error)
        except Exception as foreign:  # noqa: BLE001 - nobody else would hear of it
            _log.exception("a panel's work failed")
            step = "see the log of tetrate_jupyter; it may be a defect"
            self.tell_problem(TetrateError(f"That failed with {type(foreign).__name__}.", next_step=step))

    def need_models(self) -> None:
        """Have the list of models fetched where there is none, now and once somebody has signed in."""
        self.follow(self.session.account.on_change(self._want_models))
        self._want_models()

    def _want_models(self) -> None:
        self.problem = ""
        if self.session.catalog.models:
            self.sync()
        else:
            self.work(self.fetch_models)

    async def fetch_models(self) -> None:
        """Fetch the list of models; a subclass may say meanwhile that it is under way."""
        await self.session.amodels()
        self.sync()

    # --- being displayed -------------------------------------------------------------------------------------

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        if front_end.place() == "notebook":
            data, *metadata = self._repr_mimebundle_() or ({},)
            publish_display_data({**data, "text/plain": RUN}, *(metadata or ({},)))  # type: ignore[no-untyped-call]  # IPython's
            self.work(self._expect_a_page)
        self._twin.show(self.twin_html(), self.twin_plain())

    async def _expect_a_page(self) -> None:
        await asyncio.sleep(_HELLO)
        if not self._met.is_set():
            note = f'<p role="note">{escape(MISSING)}</p>'
            self._twin.update(note + self.twin_html(), f"{MISSING}\n\n{self.twin_plain()}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"  # stable: no list of hundreds, no object id


def _without_keys(content: dict[str, Any]) -> dict[str, Any]:
    """Blot the keys in a message; what grows is HTML, everything else is set as text."""
    operations = [
        secrecy.redacted(each, secrecy.HTML_MARK if each[0] == "grow" else secrecy.MARK)
        for each in content.get("operations", ())
    ]
    rest = secrecy.redacted({name: part for name, part in content.items() if name != "operations"})
    return {**rest, "operations": operations} if "operations" in content else rest


def _nothing(**_: object) -> None:
    """Answer a page of another version, which asks for what this one doesn't have."""
