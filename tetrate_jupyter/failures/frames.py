"""A traceback as text of bounded length: frames of a person's own code with their lines, those of libraries folded."""

from __future__ import annotations

import ast
import sys
import sysconfig
import warnings
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion.material import counted, sendable
from tetrate_jupyter.failures.cells import source_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

    from tetrate_jupyter.failures.cells import Cells

_TRACEBACK: Final[Any] = BaseException.__dict__["__traceback__"]
_FIRST: Final = 8  # entries of a traceback that are kept from its beginning; the others are its last ones
_CONTEXT: Final = 2  # lines above and below, of a file that isn't sent as a cell is
_LINE: Final = 300  # characters of a line of source
_OWN: Final = 8  # frames of the person's own code, the innermost ones, that are looked at for names
_PARSED: Final = 200_000  # characters of a file that is parsed for the names in a line
_HERE: Final = str(Path(__file__).parents[1])
_RUNNERS: Final = frozenset({"IPython", "ipykernel", "codeop"})
_SITES: Final = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class OwnFrame:
    """A frame of a person's own code. `label`: "Cell In[3]", or "File helpers.py"."""

    filename: str
    line: int
    function: str
    label: str
    frame: FrameType = field(repr=False)

    def is_at(self, other: OwnFrame) -> bool:
        """Whether another frame stands at the same line of the same function."""
        return (self.filename, self.line, self.function) == (other.filename, other.line, other.function)

    def __str__(self) -> str:
        return f"{self.label}, line {self.line}, in {one_line(self.function, MAX_NAME)}"


@dataclass
class _Folded:
    """Frames of libraries that follow one another."""

    count: int
    names: dict[str, None]
    last: str

    def __str__(self) -> str:
        return f"[{counted(self.count, 'frame')} of {', '.join(list(self.names)[:3])}; the last: {self.last}]"


@dataclass
class _Shown:
    """A frame of a person's own code, and how often the same one follows it."""

    place: OwnFrame
    again: int = 0


@dataclass(frozen=True)
class Trace:
    """What is told of a traceback, line by line; `own`: the innermost frames of the person's own code, outermost first.

    `outermost`: the file names of the first own frames. `libraries`: the packages that frames were folded of.
    `left_out`: how many frames are neither told nor folded.
    """

    lines: tuple[str, ...]
    own: tuple[OwnFrame, ...]
    outermost: tuple[str, ...]
    libraries: tuple[str, ...]
    left_out: int


def traced(error: BaseException, cells: Cells, most: int) -> Trace:
    """Return what is told of a traceback: at most `most` entries, own frames and runs of libraries' frames."""
    first: list[_Shown | _Folded] = []
    last: deque[_Shown | _Folded] = deque(maxlen=most - _FIRST)
    libraries: dict[str, None] = {}
    own: deque[OwnFrame] = deque(maxlen=_OWN)
    outermost: dict[str, None] = {}
    count = 0
    newest: _Shown | _Folded | None = None
    for entry in _entries(_TRACEBACK.__get__(error), cells):
        if isinstance(entry, OwnFrame):
            own.append(entry)
            if len(outermost) < _OWN:
                outermost[entry.filename] = None
            if isinstance(newest, _Shown) and newest.place.is_at(entry):
                newest.again += 1
                continue
            newest = _Shown(entry)
        else:
            libraries |= entry.names
            newest = entry
        count += 1
        (first if len(first) < _FIRST else last).append(newest)
    if first and isinstance(first[0], _Folded) and first[0].names.keys() <= _RUNNERS:
        del first[0]  # they ran the cell
        count -= 1
    left_out = count - len(first) - len(last)
    lines = [line for entry in first for line in _told(entry, cells)]
    lines += [f"  [{left_out:,} more left out here]"] if left_out else []
    lines += [line for entry in last for line in _told(entry, cells)]
    return Trace(tuple(lines), tuple(own), tuple(outermost), tuple(libraries)[:20], left_out)


def _entries(tb: TracebackType | None, cells: Cells) -> Iterator[OwnFrame | _Folded]:
    folded: _Folded | None = None
    while tb is not None:
        code = tb.tb_frame.f_code
        label = cells.label(code.co_filename)
        library = None if label else library_of(code.co_filename)
        if library is None:
            if folded is not None:
                yield folded
                folded = None
            yield OwnFrame(
                code.co_filename, tb.tb_lineno or 0, code.co_name, label or _file(code.co_filename), tb.tb_frame
            )
        else:
            folded = folded or _Folded(0, {}, "")
            folded.count += 1
            folded.names[library] = None
            where = one_line(Path(code.co_filename).name, MAX_NAME)
            folded.last = f"{library}, {where}, line {tb.tb_lineno}, in {one_line(code.co_name, MAX_NAME)}"
        tb = tb.tb_next
    if folded is not None:
        yield folded


@lru_cache(maxsize=1_000)
def library_of(filename: str) -> str | None:
    """Return the name of the library that a file belongs to, Python's own included; None for a person's own file."""
    if filename.startswith("<frozen "):
        return filename[len("<frozen ") :].rstrip(">").partition(".")[0]
    if filename.startswith(_HERE):
        return "tetrate_jupyter"
    parts = Path(filename).parts
    place = max((n for n, part in enumerate(parts) if part in _SITES), default=-1)
    if place < 0:
        base = next((Path(b).parts for b in _standard() if parts[: len(Path(b).parts)] == Path(b).parts), None)
        place = len(base) - 1 if base else -1
    return parts[place + 1].partition(".")[0] if 0 <= place < len(parts) - 1 else None


@lru_cache(maxsize=1)
def _standard() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple(dict.fromkeys((paths["stdlib"], paths["platstdlib"])))


def _file(filename: str) -> str:
    """Return a file's name as it is told: from the working folder on; of one elsewhere its folder's name, too."""
    try:
        path = Path(filename)
        told = path.relative_to(Path.cwd()) if path.is_absolute() else path
    except (OSError, ValueError):
        told = Path(*path.parts[-2:])
    return f"File {one_line(str(told), MAX_NAME)}"


def _told(shown_as: _Shown | _Folded, cells: Cells) -> list[str]:
    if isinstance(shown_as, _Folded):
        return [f"  {shown_as}"]
    entry = shown_as.place
    around = 0 if cells.label(entry.filename) else _CONTEXT
    lines = source_of(entry.filename).split("\n")
    shown = range(max(1, entry.line - around), min(len(lines), entry.line + around) + 1)
    marks = (">" if around and n == entry.line else " " for n in shown)
    where = f"{entry.label}, which the traceback shows"
    texts = (sendable(lines[n - 1], where, _LINE) for n in shown)
    again = [f"  [the same {counted(shown_as.again, 'time')} more]"] if shown_as.again else []
    return [f"  {entry}", *(f"  {mark} {text}" for mark, text in zip(marks, texts, strict=True)), *again]


# --- names ---------------------------------------------------------------------------------------------------


def names_at(place: OwnFrame) -> list[str]:
    """Return the names in the statement that a frame stands at, of a compound one in its heading; in order, each once.

    "obj.attr" and "obj[...]" are `obj`. None where the source can't be parsed.
    """
    source = source_of(place.filename)
    if not source or len(source) > _PARSED:
        return []
    tree = parsed(source)
    if tree is None:
        return []
    statement = _statement(tree, place.line)
    if statement is None:
        return []
    body = getattr(statement, "body", None)
    last = body[0].lineno - 1 if isinstance(body, list) and body else statement.end_lineno or statement.lineno
    last = max(last, statement.lineno)
    found = [n for n in ast.walk(statement) if isinstance(n, ast.Name) and statement.lineno <= n.lineno <= last]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in found))


def parsed(source: str) -> ast.Module | None:
    """Return the tree of some source; None where it can't be parsed, for whatever reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in strings, to the person who can't help it
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _statement(tree: ast.Module, line: int) -> ast.stmt | None:
    """Return the innermost statement at a line."""
    found: ast.stmt | None = None
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
                start = getattr(child, "lineno", 0)
                if start and not start <= line <= (getattr(child, "end_lineno", None) or start):
                    continue
                waiting.append(child)
                if isinstance(child, ast.stmt):
                    found = child if found is None or child.lineno >= found.lineno else found
    return found


def variables_at(place: OwnFrame) -> dict[str, Any]:
    """Return what a frame's variables hold, its own before those of its module; a mapping of anybody's isn't asked."""
    frame = place.frame
    found: dict[str, Any] = dict(frame.f_globals) if type(frame.f_globals) is dict else {}
    local = frame.f_locals
    if type(local) is dict or (sys.version_info >= (3, 13) and type(local).__name__ == "FrameLocalsProxy"):
        found |= dict(local)
    return found
