"""The base of the panels that are anywidgets: told what to show by operations, and what to do by messages."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anywidget

from tetrate_jupyter import config, front_end, secrecy
from tetrate_jupyter.completion.foreign import passes, unexpected
from tetrate_jupyter.errors import InputError, SecretInPromptError, TetrateError
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.style import stylesheet
from tetrate_jupyter.widgets import lifetime, sign_in_above
from tetrate_jupyter.widgets.drawing import drawer
from tetrate_jupyter.widgets.feed import Feed
from tetrate_jupyter.widgets.static_fallback import StaticFallback

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tetrate_jupyter.engine.engine import Engine
    from tetrate_jupyter.widgets.feed import Fields, Item

_STATIC: Final = Path(__file__).parent / "static"
_HELLO: Final = 3.0  # seconds that a page gets to show the panel before the person is told what may be missing
MISSING: Final = (
    "The panel doesn't show here. Next: where Jupyter itself runs, install the anywidget that fits this kernel's: pip"
    f' install "{front_end.fitting_anywidget()}"; reload the page, and run the cell again. %tetrate_status shows both.'
    " The magics work meanwhile: %%tetrate asks, %tetrate_model chooses."
)
UNHEARD: Final = 60.0  # seconds without a word from any view, though it was told things: nobody may be there
UNHEARD_PAUSE: Final = 5.0  # seconds between two looks then; a view that is there after all loses no more than that
_FAREWELL: Final = 60.0  # seconds that a page gets to take leave of a panel whose cell was run again
RUN: Final = "Run this cell for the panel."  # where a saved notebook has no kernel, above the fallback


def script(*names: str) -> str:
    """Return a panel's module: what all panels share, and its own."""
    return static("notebook.js", "panel.js", "parts.js", *names)


def static(*names: str) -> str:
    """Return files of the static folder, one after the other: one script or stylesheet without a build step."""
    return "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in names)


def style(*names: str) -> str:
    """Return a panel's stylesheet: that of rendered answers, that of all panels, and its own."""
    return "\n".join((stylesheet(), static("panel.css", *names)))


class Panel(anywidget.AnyWidget):
    """What all panels have in common. A subclass gives `fields`, `items`, `fallback_html`, `fallback_plain`, `actions`,
    `follows` and `forget`; its `__init__` ends with `begin()`.

    Nothing that it shows is in the widget's state, so none of it is saved with the notebook's widgets: a view says
    hello, is told everything, and then each change. Messages from the page may come on any thread, also while a cell
    runs; an action returns at once and leaves work to the session's loop (`work`).

    A panel whose last view has gone follows nothing and keeps nothing that it has drawn, until a view comes: then it
    shows how things are by then. One whose cell has been run again is taken from the page; shown again, it is back.
    """  # noqa: D205 - one sentence

    def __init__(self, session: Engine) -> None:
        self.session = session
        self.problem = ""  # shown in the panel until the next action
        self._feed = Feed()
        self._lock = threading.RLock()  # what is told must leave in the order in which the feed gave it
        self._met = False  # a view
        self._views: dict[object, float] = {}  # when each was last heard of
        self._pages: set[object] = set()  # of several, the later ones don't know which output the kernel's updates mean
        self._fallback = StaticFallback()
        self._outputs = lifetime.Outputs(self._replaced)
        self._stops: list[Callable[[], None]] = []
        self._following = False
        self._asked = self._fallback_asked = False  # for a drawing
        self._looking = False  # again and again
        self._over = False  # its cell was run again
        self._working: set[Any] = set()
        super().__init__()
        self.on_msg(self._received)
        lifetime.hear(self)

    # --- for subclasses --------------------------------------------------------------------------------------

    def fields(self) -> Fields:
        """Return what the panel shows beside its items."""
        raise NotImplementedError

    def items(self) -> Sequence[Item]:
        """Return the items, in order."""
        return ()

    def fallback_html(self) -> str:
        """Return what a reader without a kernel sees; safe HTML."""
        raise NotImplementedError

    def fallback_plain(self) -> str:
        """Return the same for a terminal."""
        raise NotImplementedError

    def actions(self) -> dict[str, Callable[..., None]]:
        """Return what the page may ask for: a name and the function that gets the message's other parts by name."""
        raise NotImplementedError

    def follows(self) -> Sequence[Callable[[], None]]:
        """Begin to follow what the panel shows, with `changed` for a callback; return what ends that."""
        raise NotImplementedError

    def forget(self) -> None:
        """Let go of what was drawn: nobody looks at it."""

    # --- telling ---------------------------------------------------------------------------------------------

    def changed(self) -> None:
        """Have every view brought up to date soon, by the thread that draws. From any thread, and at no cost."""
        if self._views and not self._asked:
            self._asked = True
            drawer.submit(self._draw_asked)

    def draw(self) -> None:
        """Bring every view up to date; a subclass may have more to do then. On the thread that draws."""
        self.sync()

    def until_next_look(self) -> float | None:
        """Return the seconds until there is something new to draw though nothing is notified; None where nothing is."""
        return None

    def _draw_asked(self) -> None:
        self._asked = False
        with self._lock:
            self.draw()
            if not self._looking and self._views and self.until_next_look() is not None:
                self._looking = True
                self.work(self._look_again)

    async def _look_again(self) -> None:
        try:
            while (pause := await asyncio.wrap_future(drawer.submit(self._draw_again))) is not None:  # noqa: ASYNC110 - of a length that each look gives
                await asyncio.sleep(pause)
        except BaseException:
            self._looking = False  # the next change begins anew
            raise

    def _draw_again(self) -> float | None:
        """Draw; return the seconds until the next look, more of them where nobody may be there any more."""
        with self._lock:
            pause = self.until_next_look() if self._views else None
            self._looking = pause is not None  # what begins from here on begins anew
            began = time.monotonic()
            self.draw()
            now = time.monotonic()
        if pause is None:
            return None
        unheard = now - max(self._views.values(), default=0.0) >= UNHEARD
        return max(pause, (now - began) * config.DISPLAY_REST, UNHEARD_PAUSE if unheard else 0.0)

    def sync(self, **more: object) -> None:
        """Bring every view up to date, now. From any thread but the session's loop.

        `more` goes along, and is sent where nothing changed, too. Where no view is, nothing is drawn.
        """
        with self._lock:
            operations = self._feed.changes(self._all_fields(), self.items()) if self._views else []
            if operations or more:
                self._tell(operations=operations, **more)

    def rename(self, old: str, new: str) -> None:
        """Rename an item in every view."""
        with self._lock:
            operations = self._feed.rename(old, new)
            if operations:
                self._tell(operations=operations)

    def _tell(self, **content: Any) -> None:  # noqa: ANN401 - JSON
        """Send to the page, without keys: whatever a panel has to show passes here."""
        self.send(_without_keys(content))

    def _all_fields(self) -> Fields:
        return {**self.fields(), "problem": self.problem, **self._fallback.fields}

    def renew_fallback(self) -> None:
        """Write the fallback anew, after something final has changed. From any thread.

        Where a page has shown the panel, the thread that draws does it; in a run without one it is done at once, so
        that the cell's outputs are whole when the cell ends.
        """
        if self._views:
            if not self._fallback_asked:
                self._fallback_asked = True
                drawer.submit(self.write_fallback)
        elif not self._met:  # else the next view brings it about
            self.write_fallback()

    def write_fallback(self) -> int:
        """Write the fallback now, where it was shown; return the characters of what was written."""
        self._fallback_asked = False
        if not self._fallback.is_shown and len(self._pages) < 2:
            return 0
        html, plain = self.fallback_html(), self.fallback_plain()
        self._fallback.update(html, plain)
        if len(self._pages) > 1:
            writer = max(views := dict(self._views), key=views.__getitem__, default=None)  # heard last: surely there
            self._tell(operations=[], fallback=self._fallback.bundle(html, plain), writer=writer)
        return len(html) + len(plain)

    # --- following and letting go ----------------------------------------------------------------------------

    def begin(self) -> None:
        """Follow the session, and have the list of models fetched where there is none."""
        self._follow()
        self._want_models()

    def _follow(self) -> None:
        with self._lock:
            if self._following:
                return
            self._following = True
            self._stops = [self.session.account.on_change(self._want_models), *self.follows()]
        drawer.need(self)

    def _rest(self) -> None:
        """Follow nothing and keep nothing drawn: no view is there."""
        with self._lock:
            stops, self._stops = self._stops, []
            self._following = False
            self._feed = Feed()
            self.forget()
        for stop in stops:
            stop()
        drawer.release(self)

    def _replaced(self) -> None:
        """Go from the page: the last cell that showed it is being run again."""
        self._over = True
        views = len(self._views)
        if views > 1:  # another page, or another place than an output of its own: those that go will say so
            return
        self._views.clear()
        self._rest()
        if views:
            self.work(self._put_away_later)  # the view's leave is on its way, and a closed panel could not hear it
        else:
            self._put_away()

    def _put_away(self) -> None:
        if self._over and not self._views:
            lifetime.put_away(self)

    async def _put_away_later(self) -> None:
        await asyncio.sleep(_FAREWELL)
        self._put_away()

    def close(self) -> None:
        """Remove the panel from every view and stop following the session. What was asked goes on."""
        self._views.clear()
        self._outputs.close()
        self._rest()
        for future in list(self._working):
            future.cancel()
        lifetime.put_away(self)

    def __del__(self) -> None:
        """Do nothing: ipywidgets would close it once more, and a collection, at any moment, may wait for no lock."""

    # --- listening -------------------------------------------------------------------------------------------

    def _received(self, _: object, content: dict[str, Any], buffers: list[memoryview]) -> None:
        message = dict(content)
        name, view, number = (message.pop(part, None) for part in ("do", "view", "n"))
        if self._heard_of(view, name, message.get("page")):
            return
        action = self.actions().get(str(name), dict)  # the page of another version asks for more: nothing becomes of it
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
        except BaseException as error:  # the page waits to hear how it ended
            if passes(error):
                raise
            self.tell_problem(unexpected(error, "That"))
        self.sync(view=view, done=number, ok=not self.problem)

    def _heard_of(self, view: object, name: object, page: object) -> bool:
        """Note that a view is there, or no longer; whether its message said only that."""
        if name == "hello":
            self._welcome(view, page)
        elif name == "bye":
            self._leave(view)
        elif view in self._views:
            self._views[view] = time.monotonic()
        elif view is not None:  # it took leave, and is back: a page that was only put aside
            self._welcome(view, None, again=True)
        return name in {"hello", "bye", "here", "offer"}  # the last is for `Naming`

    def _welcome(self, view: object, page: object, *, again: bool = False) -> None:
        with self._lock:
            others = bool(self._views)
            back = self._met and not others
            self._follow()
            self._views[view] = time.monotonic()
            self._met = True
            operations = self._feed.changes(self._all_fields(), self.items())
            if others and operations:
                self._tell(operations=operations)
            self._tell(to=view, operations=[["order", []]] * again + self._feed.everything())
        if back or page not in self._pages:
            self._pages.add(view if back else page)  # an output that is there anew is not known to the kernel's updates
            self.renew_fallback()  # it may say that nothing shows, or be as old as the page's notebook
        if back:
            self.changed()  # what goes on is looked at again

    def _leave(self, view: object) -> None:
        self._views.pop(view, None)
        if not self._views:
            self._rest()
            self._put_away()

    def tell_problem(self, error: TetrateError) -> None:
        """Show an error in the panel until the next action. From any thread."""
        self.problem = error.advice
        self.changed()

    def work(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine function on the session's loop, until the panel is closed; what fails shows in the panel."""
        future = self.session.begin(self._watched(work))
        self._working.add(future)  # a task that nobody holds may be collected while it runs
        future.add_done_callback(self._working.discard)

    async def _watched(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except BaseException as error:
            if passes(error):
                raise
            self.tell_problem(unexpected(error, "What this panel did"))

    def _want_models(self) -> None:
        self.problem = ""
        if self.session.catalog.models or self.session.is_closed:
            self.changed()
        else:
            self.work(self.fetch_models)

    async def fetch_models(self) -> None:
        """Fetch the list of models; a subclass may say meanwhile that it is under way."""
        await self.session.amodels()
        self.changed()

    # --- being displayed -------------------------------------------------------------------------------------

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        self._over = False
        if self.comm is None:
            lifetime.reopen(self)
            self._met = False
        self._follow()
        self._outputs.shown()
        sign_in_above.offer(self.session)
        if front_end.place() == "notebook":
            data, *metadata = self._repr_mimebundle_() or ({},)
            publish_display_data({**data, "text/plain": RUN}, *(metadata or ({},)))  # type: ignore[no-untyped-call]  # IPython's
            self.work(self._expect_a_page)
        self._fallback.show(self.fallback_html(), self.fallback_plain())

    async def _expect_a_page(self) -> None:
        await asyncio.sleep(_HELLO)
        if not self._met:
            note = f'<p role="note">{escape(MISSING)}</p>'
            self._fallback.update(note + self.fallback_html(), f"{MISSING}\n\n{self.fallback_plain()}")

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
