"""The context of a magic: the shell, the session, the defaults that `%config` sets, and the running cell."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.completion.along import Kernel
    from tetrate_jupyter.completion.displays import DisplayWatch
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.failures.cells import NotebookCell


_MOST_RUNS: Final = 2_000  # of which the cell is remembered


class Defaults(Protocol):
    """Defaults for options that a line doesn't give; see `TetrateMagics` for each of them."""

    temperature: Any  # a float or None; traits publish no better types
    max_tokens: Any  # an int or None
    format: Any  # one of commands.FORMATS
    store: Any  # one of commands.STORES
    stream: Any  # a bool, like all below
    footer: Any
    keep: Any


class Context:
    """The shell, the session and the defaults, for the functions behind the magics."""

    def __init__(self, shell: InteractiveShell, defaults: Defaults) -> None:
        self.shell = shell
        self.defaults = defaults
        self.cells = CellIds(shell)
        self._displays: DisplayWatch | None = None
        shell.events.register("pre_run_cell", self._watch)
        self.has_said_what_goes = False  # the line about what an error sends was shown
        self.mended: NotebookCell | None = None  # the failed cell that the last change was asked for

    @property
    def session(self) -> Session:
        """The shared session; made at the first use, so that loading the extension stays nearly free."""
        from tetrate_jupyter.face.shared import session

        return session

    @property
    def asking_defaults(self) -> dict[str, Any]:
        """The options of a question that `%config` sets, without those that it leaves to the provider."""
        given = {"temperature": self.defaults.temperature, "max_tokens": self.defaults.max_tokens}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def kernel(self) -> Kernel:
        """What the words with "@" in a prompt can name."""
        from tetrate_jupyter.failures.asking import nameable

        return nameable(self.shell, self.cells)

    def be_signed_in(self, models: str, prompt: str) -> None:
        """Wait for a person to sign in, where one is before the page and nobody has; see `be_signed_in` there."""
        from tetrate_jupyter.widgets.sign_in_wait import be_signed_in

        be_signed_in(self.session, store=self.defaults.store, models=models, prompt=prompt)

    def close(self) -> None:
        """Remove the hooks that `__init__` has put into the shell."""
        self.cells.close()
        self.shell.events.unregister("pre_run_cell", self._watch)
        if self._displays is not None:
            self._displays.close()

    def _watch(self, _: object = None) -> None:
        """Watch what cells display, from the one after loading on: loading stays nearly free."""
        if self._displays is None:
            from tetrate_jupyter.completion.displays import DisplayWatch

            self._displays = DisplayWatch(self.shell)


class CellIds:
    """Remembers the running cell's id, under which its exchange is replaced when it runs again, and those before it.

    The front end gives it; terminals and some front ends give none. What it knows of the runs is `cells.Watched`.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._calls = 0
        self._id: str | None = None
        self._runs: dict[int, str] = {}  # the newest ones, by their numbers
        self.is_running = False  # a cell that is in IPython's history
        self.shifts: list[tuple[int, int]] = [(1, 0)]
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)

    def close(self) -> None:
        """Stop listening."""
        self._shell.events.unregister("pre_run_cell", self._before)
        self._shell.events.unregister("post_run_cell", self._after)

    def next(self, *, counts: bool = True) -> str | None:
        """Return an id for the next question of the running cell; a cell may ask often (`%tetrate` in a loop).

        One that isn't asked doesn't count: the next has the same.
        """
        if self._id is None:
            return None
        number = self._calls + 1
        self._calls += counts
        return self._id if number == 1 else f"{self._id}#{number}"

    def is_this(self, number: int) -> bool | None:
        """Whether a run, by its number, was one of the running cell; None where that isn't known."""
        known = self._runs.get(number)
        return None if known is None or self._id is None else known == self._id

    def _before(self, info: Any) -> None:  # noqa: ANN401 - IPython's ExecutionInfo publishes no type
        self._id = getattr(info, "cell_id", None)
        self._calls = 0
        self.is_running = bool(getattr(info, "store_history", False))

    def _after(self, result: Any) -> None:  # noqa: ANN401 - likewise its ExecutionResult
        self.is_running = False
        number, info = getattr(result, "execution_count", None), getattr(result, "info", None)
        if not isinstance(number, int) or not getattr(info, "store_history", False):
            return
        with contextlib.suppress(Exception):  # no history, or another kind of it
            history: Any = self._shell.history_manager
            place = len(history.input_hist_raw) - 1
            is_kept = history.input_hist_raw[place] == str(getattr(info, "raw_cell", "")).rstrip("\n")
            if is_kept and number - place != self.shifts[-1][1]:
                self.shifts = [*(each for each in self.shifts if each[0] < place), (place, number - place)]
        cell = getattr(info, "cell_id", None)
        if isinstance(cell, str):
            self._runs[number] = cell
            if len(self._runs) > _MOST_RUNS:
                del self._runs[next(iter(self._runs))]
