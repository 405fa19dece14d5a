"""What a kernel knows of its cells and of its last error; IPython keeps both, nothing of ours listens."""

from __future__ import annotations

import contextlib
import linecache
import re
import sys
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion.foreign import name_of
from tetrate_jupyter.errors import InputError, TetrateError, ToolFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from IPython.core.interactiveshell import InteractiveShell

_NUMBERED: Final = re.compile(r"In\[(\d+)\]")
_OF_A_CELL: Final = re.compile(r"<ipython-input-|[/\\]ipykernel_\d+[/\\]")
_MOST_BEHIND: Final = 100  # errors about errors
_BEHIND: weakref.WeakKeyDictionary[BaseException, BaseException] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class NotebookCell:
    """A cell as it was typed. `number`: that of its run, In[number], or None where it has none."""

    number: int | None
    source: str

    @property
    def name(self) -> str:
        """What a person calls it: "cell 3"."""
        return "the cell" if self.number is None else f"cell {self.number}"


def is_kind(value: object, *kinds: type) -> bool:
    """Whether `value` is of one of these classes; unlike `isinstance` this doesn't ask it for its `__class__`."""
    return issubclass(type(value), kinds)


def running_shell() -> InteractiveShell | None:
    """Return the shell that runs this code, None outside IPython."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()


class Cells:
    """The cells of a shell, by the file names that their frames have. `shell` may be None: then there are none."""

    def __init__(self, shell: InteractiveShell | None) -> None:
        self._shell: Any = shell  # its parts are asked for one by one, and may be missing

    def label(self, filename: str) -> str | None:
        """Return what IPython calls the cell that a frame's file name means: "Cell In[3]"; None for other files."""
        with contextlib.suppress(Exception):  # another shell's compiler, whatever it raises
            told = self._shell.compile.format_code_name(filename)
            if told is not None:
                return one_line(" ".join(told), MAX_NAME)
        return "Cell" if _OF_A_CELL.search(filename) else None

    def at(self, filename: str) -> NotebookCell | None:
        """Return the cell that a frame's file name means; None for other files, and for one that can't be read."""
        label = self.label(filename)
        if label is None:
            return None
        numbered = _NUMBERED.search(label)
        number = int(numbered[1]) if numbered else None
        compiled = source_of(filename)
        typed = self._typed(number)
        if typed is not None and (not compiled or self._compiles_to(typed) == compiled.strip()):
            return NotebookCell(number, typed)
        return NotebookCell(number, compiled.rstrip("\n")) if compiled.strip() else None

    def failed(self, error: BaseException, filenames: Iterable[str]) -> NotebookCell | None:
        """Return the cell that ended with an error: the last one that ran, else the outermost of its frames."""
        result = getattr(self._shell, "last_execution_result", None)
        if result is not None and _error_of(result) is error:
            raw = getattr(getattr(result, "info", None), "raw_cell", None)
            if isinstance(raw, str):
                number = getattr(result, "execution_count", None)
                return NotebookCell(number if isinstance(number, int) else None, raw)
        return next((cell for name in filenames if (cell := self.at(name)) is not None), None)

    def _typed(self, number: int | None) -> str | None:
        with contextlib.suppress(Exception):  # no history, or another kind of it
            typed = self._shell.history_manager.input_hist_raw[number]
            return typed if isinstance(typed, str) and typed else None
        return None

    def _compiles_to(self, typed: str) -> str:
        """Return a cell as it is compiled: without a history a number may be another cell's."""
        with contextlib.suppress(Exception):  # a transformer of anybody's
            return str(self._shell.transform_cell(typed)).strip()
        return ""


def source_of(filename: str) -> str:
    """Return the source that Python has of a frame's file, "" where it has none."""
    with contextlib.suppress(Exception):  # a name that no file system takes
        return "".join(linecache.getlines(filename))
    return ""


# --- the last error ------------------------------------------------------------------------------------------


def last_error(shell: InteractiveShell | None = None) -> BaseException | None:
    """Return the error with which a cell of this kernel ended last; None where none did.

    An error about an error (no key, a mistyped option) doesn't hide the one that was asked about.
    """
    error = _error_of(getattr(shell, "last_execution_result", None))
    if error is None:
        error = getattr(sys, "last_value", None) or getattr(sys, "last_exc", None)
    if error is None or not is_kind(error, BaseException):
        return None
    for _ in range(_MOST_BEHIND):
        behind = _behind(error)
        if behind is None:
            break
        error = behind
    return error


def _behind(error: BaseException) -> BaseException | None:
    if not is_kind(error, TetrateError, KeyboardInterrupt):
        return None  # a class of anybody's may compute its hash
    with contextlib.suppress(TypeError):  # Python's own interrupt can't be looked up
        return _BEHIND.get(error)
    return None


@contextlib.contextmanager
def about(error: BaseException | None) -> Iterator[None]:
    """Note of what is raised inside that it was raised about `error`."""
    try:
        yield
    except BaseException as raised:
        if error is not None and raised is not error and is_kind(raised, TetrateError, KeyboardInterrupt):
            with contextlib.suppress(TypeError):
                _BEHIND[raised] = error
        raise


def not_a_run(shell: InteractiveShell) -> None:
    """Have the run that is under way leave the last one as it was: asked for by a page, it is nobody's cell."""
    before, events = shell.last_execution_result, shell.events

    def restore() -> None:
        shell.last_execution_result = before
        events.unregister("post_execute", restore)

    events.register("post_execute", restore)


def to_explain(error: BaseException | None) -> BaseException:
    """Return the error that can be explained. Raises `InputError` where there is none, or nothing to say about it."""
    if error is None:
        raise InputError("No cell of this kernel has failed.", next_step="run one that fails, then ask again")
    if not is_kind(error, BaseException):
        raise InputError(
            f"{name_of(error)} is no error.", next_step="give the exception, or nothing for the last one of this kernel"
        )
    if is_kind(error, ToolFailedError) and is_kind(error.__cause__, Exception) and error.__cause__ is not None:
        return error.__cause__  # the person's own function
    if is_kind(error, TetrateError):
        step = getattr(error, "next_step", "") or "see the message"
        said = getattr(error, "message", "")
        raise InputError(f"The last error says itself what to do: {said}", next_step=step)
    if is_kind(error, KeyboardInterrupt):
        raise InputError("The cell was interrupted: there is nothing to explain.", next_step="run it again")
    if is_kind(error, SystemExit, GeneratorExit):
        raise InputError(
            f"The cell ended with {name_of(error)}: it asked to stop itself.", next_step="run another cell"
        )
    return error


def _error_of(result: object) -> BaseException | None:
    for name in ("error_in_exec", "error_before_exec"):
        found = getattr(result, name, None)
        if is_kind(found, BaseException):
            return cast("BaseException", found)
    return None
