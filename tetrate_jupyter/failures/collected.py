"""An error with what belongs to it, as text: nothing of this holds a frame or a value of the notebook."""

from __future__ import annotations

import builtins
import difflib
import platform
import sys
import types
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line, plain
from tetrate_jupyter.completion.cuts import Limits
from tetrate_jupyter.completion.describe import described
from tetrate_jupyter.completion.foreign import MAX_ERROR, name_of, text_of
from tetrate_jupyter.completion.lookup import is_variable, names_of
from tetrate_jupyter.completion.material import key_in, sendable
from tetrate_jupyter.completion.tables import cut
from tetrate_jupyter.errors import AttachmentError
from tetrate_jupyter.failures.cells import Cells, NotebookCell, is_kind, to_explain
from tetrate_jupyter.failures.frames import names_at, traced, variables_at
from tetrate_jupyter.failures.outline import outline, type_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.failures.frames import OwnFrame, Trace

MAX_CELL: Final = 20_000  # characters of a cell that is sent whole; of a longer one its beginning
_ENTRIES: Final = 24  # of the traceback of the error itself
_ENTRIES_BEFORE: Final = 10  # of each error before it
_CHAIN: Final = 4  # errors, each the cause of the next
_MEMBERS: Final = 5  # of a group
_DEPTH: Final = 3  # groups in groups
_LINES: Final = 120  # of the traceback altogether
_NOTES: Final = 5
_OTHER_CELLS: Final = 3
_NAMES: Final = 12
_VALUE: Final = 2_000  # characters of a variable's value
_ROWS: Final = 5  # of a table's values
_LIBRARIES: Final = 8
_GROUP: Final[Any] = getattr(builtins, "BaseExceptionGroup", ())  # Python 3.10 has none
_HOUSE: Final = frozenset({"IPython", "ipykernel", "tetrate_jupyter", "traitlets", "tornado"})


@dataclass(frozen=True)
class Variable:
    """A variable that the failing lines name: what it is, and its `value` as text where that is to be sent."""

    name: str
    outline: str
    value: str = ""


@dataclass(frozen=True)
class Failure:
    """An error as it is told to a model.

    `cell`: the cell that failed, None where the error is of no cell; `others`: cells that it called. `trace`: the
    traceback, line by line, of which `left_out` frames are missing. `alike`: names that look like one that is missing.
    """

    kind: str
    cell: NotebookCell | None
    others: tuple[NotebookCell, ...]
    trace: tuple[str, ...]
    left_out: int
    variables: tuple[Variable, ...]
    alike: tuple[str, ...]
    versions: tuple[str, ...]


def collect(error: BaseException | None, shell: InteractiveShell | None, *, values: bool = False) -> Failure:
    """Collect what belongs to an error. `values`: also what the variables hold, a few rows of tables.

    Raises `InputError` where there is nothing to explain and `SecretInPromptError` for a key in any of it.
    """
    error = to_explain(error)
    cells = Cells(shell)
    trace = traced(error, cells, _ENTRIES)
    own = [*trace.own, *_of_members(error, cells)]
    cell = _sendable_cell(cells.failed(error, [*trace.outermost, *_of_syntax(error)]))
    found = _variables(own)
    return Failure(
        kind=_kind(error),
        cell=cell,
        others=_others(own, cells, cell),
        trace=tuple(_whole(error, trace, cells)[:_LINES]),
        left_out=trace.left_out,
        variables=tuple(_variable(name, value, values=values) for name, value in found.items()),
        alike=_alike(error, own),
        versions=_versions([*trace.libraries, *_modules([error, *found.values()])]),
    )


def failed_cell(error: BaseException, shell: InteractiveShell | None) -> NotebookCell | None:
    """Return the cell that ended with an error, None where that can't be told."""
    cells = Cells(shell)
    return cells.failed(error, [*traced(error, cells, _ENTRIES).outermost, *_of_syntax(error)])


def _sendable_cell(cell: NotebookCell | None) -> NotebookCell | None:
    if cell is None:
        return None
    sendable(cell.source, cell.name, max(len(cell.source), 1))  # as it is: what is changed must be the whole of it
    return cell


def _others(own: Iterable[OwnFrame], cells: Cells, failed: NotebookCell | None) -> tuple[NotebookCell, ...]:
    """Return the other cells whose functions were called, the innermost first."""
    found: dict[str, NotebookCell] = {}
    for place in reversed(list(own)):
        cell = cells.at(place.filename)
        if cell is not None and (failed is None or cell.source.strip() != failed.source.strip()):
            found.setdefault(cell.source, cell)
    return tuple(kept for cell in list(found.values())[:_OTHER_CELLS] if (kept := _sendable_cell(cell)) is not None)


# --- the traceback -------------------------------------------------------------------------------------------


def _whole(error: BaseException, trace: Trace, cells: Cells) -> list[str]:
    """Return the errors of a chain with their frames, the one that ended the cell last."""
    lines: list[str] = []
    for before, link in reversed(_before(error)):
        lines += [*traced(before, cells, _ENTRIES_BEFORE).lines, *_said(before, cells), link]
    return [*lines, *trace.lines, *_said(error, cells)]


def _before(error: BaseException) -> list[tuple[BaseException, str]]:
    """Return the errors that led to this one, the newest first, each with how it did."""
    found: list[tuple[BaseException, str]] = []
    seen = {id(error)}
    while len(found) < _CHAIN - 1:
        cause, link = _own(error, "__cause__"), "[which was the cause of:]"
        if cause is None and not _own(error, "__suppress_context__"):
            cause, link = _own(error, "__context__"), "[while that was handled, this was raised:]"
        if cause is None or id(cause) in seen:
            break
        seen.add(id(cause))
        found.append((cause, link))
        error = cause
    return found


def _own(error: BaseException, name: str) -> Any:  # noqa: ANN401 - what Python itself keeps, whatever the class says
    return BaseException.__dict__[name].__get__(error)


def _said(error: BaseException, cells: Cells, depth: int = 0) -> list[str]:
    """Return what an error says: its class, text and notes, of a group its members; of a syntax error, where it is."""
    is_syntax = is_kind(error, SyntaxError)  # its text names the file that we name otherwise
    text = _text(SyntaxError.__dict__["msg"].__get__(error) if is_syntax else error)
    name = _kind(error) if is_syntax else type_name(error)
    lines = f"{name}: {text}".splitlines() if text else [name]
    if is_syntax:
        lines = [*_where(error, cells), *lines]
    held = object.__getattribute__(error, "__dict__")  # not by the class's own `__getattr__`
    notes = held.get("__notes__") if type(held) is dict else None
    for note in notes[:_NOTES] if type(notes) is list else ():
        lines += _text(note).splitlines()
    members = _members(error)
    for number, member in enumerate(members[:_MEMBERS] if depth < _DEPTH else (), 1):
        frames = traced(member, cells, _ENTRIES_BEFORE).lines
        told = [*frames, *_said(member, cells, depth + 1)]
        lines += [f"[member {number} of {len(members):,}:]", *(f"  {line}" for line in told)]
    return lines


def _kind(error: BaseException) -> str:
    """Return the name of an error's class; of Python's own that has none for people (3.13), of the class above it."""
    is_hidden = type_name(error).startswith("_") and is_kind(error, SyntaxError)
    return "SyntaxError" if is_hidden else one_line(name_of(error), MAX_NAME)


def _text(value: object) -> str:
    if text_of(value, write=lambda told: str(secrecy.holds(str(told)))) == "True":
        raise key_in("the error's text")
    return sendable(text_of(value), "the error's text", MAX_ERROR)


def _where(error: BaseException, cells: Cells) -> list[str]:
    """Return the place that a syntax error names, and a mark under the column."""
    filename, line, column, text = (
        SyntaxError.__dict__[n].__get__(error) for n in ("filename", "lineno", "offset", "text")
    )
    if not isinstance(line, int):
        return []
    label = (cells.label(filename) if isinstance(filename, str) else None) or "the source"
    found = [f"  {label}, line {line}"]
    if isinstance(text, str) and text.strip():
        shown = sendable(text.rstrip("\n"), "the line of the syntax error", 300)
        found.append(f"    {shown}")
        if isinstance(column, int) and 0 < column <= len(shown) + 1:
            found.append(f"    {' ' * (column - 1)}^")
    return found


def _of_syntax(error: BaseException) -> list[str]:
    filename = SyntaxError.__dict__["filename"].__get__(error) if is_kind(error, SyntaxError) else None
    return [filename] if isinstance(filename, str) else []


def _members(error: BaseException) -> tuple[BaseException, ...]:
    if not _GROUP or not is_kind(error, _GROUP):
        return ()
    found = _GROUP.__dict__["exceptions"].__get__(error)
    return found if type(found) is tuple else ()


def _of_members(error: BaseException, cells: Cells, depth: int = 0) -> list[OwnFrame]:
    """Return the own frames of a group's members."""
    found: list[OwnFrame] = []
    for member in _members(error)[:_MEMBERS] if depth < _DEPTH else ():
        found += [*traced(member, cells, _ENTRIES_BEFORE).own, *_of_members(member, cells, depth + 1)]
    return found


# --- variables and versions ----------------------------------------------------------------------------------


def _variables(own: Iterable[OwnFrame]) -> dict[str, Any]:
    """Return the variables that the failing lines name, those of the innermost frame first."""
    found: dict[str, Any] = {}
    for place in reversed(list(own)):
        known = variables_at(place)
        for name in names_at(place):
            if name in known and not name.startswith("_") and is_variable(known[name]):
                found.setdefault(name, known[name])
            if len(found) == _NAMES:
                return found
    return found


def _variable(name: str, value: object, *, values: bool) -> Variable:
    where = f"what is known of {name}"
    told = sendable(outline(value), where, _VALUE)
    if not values:
        return Variable(name, told)
    try:
        text = cut(described(value, name, Limits(rows=_ROWS, is_usual=False)).text, name, _VALUE).text
    except AttachmentError:  # bytes, which no text can hold
        return Variable(name, told)
    return Variable(name, told, sendable(text, f"the value of {name}", _VALUE + 200))


def _alike(error: BaseException, own: list[OwnFrame]) -> tuple[str, ...]:
    """Return names that look like the one that is missing, of variables or of a value's attributes."""
    for kind, there in ((NameError, _known), (AttributeError, _attributes)):
        if is_kind(error, kind):
            name = kind.__dict__["name"].__get__(error)
            if isinstance(name, str):
                found = difflib.get_close_matches(name, there(error, own), 3, 0.6)
                return tuple(one_line(each, MAX_NAME) for each in found)
    return ()


def _known(_: BaseException, own: list[OwnFrame]) -> list[str]:
    there = dict.fromkeys(name for place in own[-1:] for name in variables_at(place) if type(name) is str)
    return [*there, *(name for name in dir(builtins) if not name.startswith("_"))]


def _attributes(error: BaseException, _: list[OwnFrame]) -> list[str]:
    value = AttributeError.__dict__["obj"].__get__(error)
    names = list(vars(value)) if type(value) is types.ModuleType else names_of(value)
    return [name for name in names if type(name) is str and not name.startswith("_")]


def _modules(values: Iterable[object]) -> list[str]:
    return [type_name(value).partition(".")[0] for value in values if "." in type_name(value)]


def _versions(libraries: Iterable[str]) -> tuple[str, ...]:
    """Return "Python 3.12.3" and the versions of these libraries, Python's own and the kernel's left out."""
    found = [f"Python {platform.python_version()}"]
    for name in dict.fromkeys(libraries):
        version = "" if name in sys.stdlib_module_names or name in _HOUSE else _version(name)
        if version and len(found) <= _LIBRARIES:
            found.append(f"{name} {version}")
    return tuple(found)


def _version(name: str) -> str:
    version = vars(sys.modules[name]).get("__version__") if type(sys.modules.get(name)) is types.ModuleType else None
    if not isinstance(version, str):
        try:
            version = metadata.version(name)
        except Exception:  # noqa: BLE001 - not a distribution's name, or one whose files are broken
            return ""
    return one_line(plain(version), 40)
