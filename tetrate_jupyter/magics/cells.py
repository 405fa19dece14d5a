"""Which cell is running: the id under which a cell's exchange is replaced when it runs again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class CellIds:
    """Remembers the running cell's id, as the front end gives it; terminals and some front ends give none."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._calls = 0
        self._id: str | None = None
        shell.events.register("pre_run_cell", self._before)

    def close(self) -> None:
        """Stop listening."""
        self._shell.events.unregister("pre_run_cell", self._before)

    def next(self) -> str | None:
        """Give an id for the next question of the running cell; a cell may ask several times (`%tetrate` in a loop)."""
        if self._id is None:
            return None
        self._calls += 1
        return self._id if self._calls == 1 else f"{self._id}#{self._calls}"

    def _before(self, info: Any) -> None:  # noqa: ANN401 - IPython's ExecutionInfo publishes no type
        self._id = getattr(info, "cell_id", None)
        self._calls = 0
