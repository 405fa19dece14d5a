"""Writing dicts, lists, sets and their members as JSON: only whole members, so that no number is cut."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tetrate_jupyter.completion import sheets
from tetrate_jupyter.completion.cuts import USUAL, Described, Limits, shortened
from tetrate_jupyter.completion.loaded import as_numpy, is_a
from tetrate_jupyter.completion.values import is_number, scalar, short_repr
from tetrate_jupyter.errors import SecretInPromptError
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Cut

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_JSON: Final = 20_000  # characters of a dict or list, which is sent as data rather than as a description
MAX_DEPTH: Final = 12
MAX_CUTS: Final = 6  # listed one by one
MAX_COLUMNS: Final = 20
_ONE_LINE: Final = 100  # characters of JSON up to which it stays on one line
_SAID: Final = 200  # characters reserved for the notes on what is left out
_WORTH: Final = 100  # characters of room below which a text is left out rather than cut
_OBJECT: Final = 200  # characters of the repr of any other object
_BARE: Final = {"inf": "Infinity", "-inf": "-Infinity"}  # as Python's `json` reads and writes them
_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # halves of a pair, which UTF-8 can't encode

Node: TypeAlias = "str | list[Node] | list[tuple[str, Node]]"


def is_container(value: object) -> bool:
    """Whether `value` is a container whose members are written one by one."""
    if isinstance(value, (Mapping, AbstractSet, list, tuple, range)):
        return True
    return f"{type(value).__module__}.{type(value).__qualname__}" == "collections.deque"


def written(value: object, name: str, limits: Limits = USUAL) -> Described:
    """Return a container as JSON of at most 20,000 characters (or `limits.room`), with notes on what is left out.

    Raises `SecretInPromptError` for a key anywhere in the part that is read.
    """
    writer = ValueWriter(name, limits.bound(MAX_JSON) - _SAID, limits)
    text = writer.text(value)
    return Described(text + said(writer.cuts), writer.cuts)


def said(cuts: Iterable[Cut]) -> str:
    """Return the lines that tell the model what is left out, one per cut."""
    return "".join(f"\n[Only part of it is here. {cut.sentence}]" for cut in cuts)


class ValueWriter:
    """Writes one value; `cuts` holds what was left out.

    `room`: characters. `hook` turns any other object into data; without one, its repr is written. `is_compact`: on one
    line, without spaces.
    """

    def __init__(
        self,
        name: str,
        room: int,
        limits: Limits = USUAL,
        *,
        is_compact: bool = False,
        hook: Callable[[object, str], Described | object] | None = None,
    ) -> None:
        self._name, self._room, self._left = name, room, room
        self._limits, self._is_compact, self._hook = limits, is_compact, hook
        self._cuts: list[Cut] = []
        self._deep = self._short = 0

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """What was left out, the outermost first."""
        found = [*reversed(self._cuts)]
        if self._short:
            found.append(Cut(self._name, "values shortened", self._short))
        if self._deep:
            found.append(Cut(self._name, f"parts nested deeper than {MAX_DEPTH} levels left out", self._deep))
        if len(found) <= MAX_CUTS:
            return tuple(found)
        return (*found[: MAX_CUTS - 1], Cut(self._name, "further parts cut", len(found) - MAX_CUTS + 1))

    def text(self, value: object) -> str:
        """Return the value as JSON."""
        node = self._node(value, self._name, 0)
        if node is None:
            return '"…"'
        one_line = _one_line(node, "," if self._is_compact else ", ", ":" if self._is_compact else ": ")
        is_flat = isinstance(node, list) and all(isinstance(n, str) for n in node)
        if self._is_compact or is_flat or len(one_line) <= _ONE_LINE:
            return one_line
        return _indented(node, 0)

    # --- what fits -------------------------------------------------------------------------------------------

    def _node(self, value: object, path: str, depth: int) -> Node | None:
        """Return the value's JSON as a tree; None where there is no room left for it."""
        if isinstance(value, Secret):
            raise SecretInPromptError(
                f"{self._name} holds an API key; nothing was sent.", next_step="remove it from the prompt"
            )
        if isinstance(value, str) and not isinstance(value, enum.Enum):
            return self._string(str(value), path)
        value = as_numpy(value)
        token = _token(value)
        if token is not None:
            return self._fitting(token)
        if is_a(value, "numpy", "void") and value.dtype.names:
            value = {field: value[field] for field in value.dtype.names}
        sheet = sheets.sheet(value)
        if sheet is None and not is_container(value) and not _is_array(value):
            return self._other(value, path, depth)
        if depth > MAX_DEPTH:  # also stops at a value that contains itself
            self._deep += 1
            return self._fitting('"…"')
        self._left -= 2 if self._is_compact else 3 + 2 * depth
        return self._rows(sheet, path, depth) if sheet is not None else self._members(value, path, depth)

    def _fitting(self, token: str) -> str | None:
        if len(token) > self._left:
            return None
        self._left -= len(token)
        return token

    def _string(self, text: str, path: str) -> str | None:
        start = text[: self._left + 1]
        token = _quoted(start)
        if len(start) == len(text) and len(token) <= self._left:
            self._left -= len(token)
            return token
        if self._left < _WORTH:
            return None
        while len(token) > self._left:  # escaping makes it longer
            start = start[: max(1, len(start) * self._left // (len(token) + 1))]
            token = _quoted(start)
        kept = shortened(text, len(start))
        self._left = 0
        self._cuts.append(Cut(path, "characters", len(kept) - 1, len(text), self._limits.why(0)))
        return _quoted(kept)

    def _other(self, value: object, path: str, depth: int) -> Node | None:
        if self._hook is None:
            text = short_repr(value, _OBJECT)
            if text.endswith("…"):
                self._short += 1
            return self._fitting(_quoted(text))
        found = self._hook(value, path)
        if not isinstance(found, Described):
            return self._node(found, path, depth + 1)
        self._cuts += reversed(found.cuts)
        return self._string(found.text, path)

    # --- members ---------------------------------------------------------------------------------------------

    def _members(self, value: Any, path: str, depth: int) -> Node:  # noqa: ANN401 - any container
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            value = dict(zip(value._fields, value, strict=False))
        if isinstance(value, Mapping):
            return self._pairs(value.items(), len(value), "members", path, depth)
        found: list[Node] = []
        for number, member in enumerate(value):
            node = self._next(member, len(found), f"{path}[{number}]", depth)
            if node is None:
                break
            found.append(node)
        self._count("members", len(found), len(value), path)
        return found

    def _pairs(self, items: Iterable[tuple[object, object]], total: int, what: str, path: str, depth: int) -> Node:
        found: list[tuple[str, Node]] = []
        for key, member in items:
            name = _quoted(_key(key))
            self._left -= len(name) + 2
            node = self._next(member, len(found), f"{path}[{short_repr(key, 60)}]", depth)
            if node is None:
                break
            found.append((name, node))
        self._count(what, len(found), total, path)
        return found or "{}"

    def _next(self, member: object, count: int, path: str, depth: int) -> Node | None:
        rows, used = self._limits.rows, self._room - self._left
        is_enough = self._limits.room is not None and rows is not None and count >= rows and used > MAX_JSON
        self._left -= 2 if self._is_compact else 4 + 2 * depth
        if self._left <= 0 or is_enough:
            return None
        left, cuts = self._left, len(self._cuts)
        node = self._node(member, path, depth + 1)
        if count and len(self._cuts) > cuts and left < self._room // 4:  # whole members rather than a cut one
            del self._cuts[cuts:]
            return None
        return node

    def _rows(self, sheet: sheets.Sheet, path: str, depth: int) -> Node:
        """Return a table with one object per row, a single column as a list of its values."""
        first, last = self._limits.shown(sheet.rows)
        width = sheet.width if self._limits.room is not None else min(sheet.width, MAX_COLUMNS)
        shown = [sheet.column(number) for number in range(width)]
        columns = shown if sheet.counts or sheet.index is None else [sheet.index, *shown]
        found: list[Node] = []
        for row in (*range(first), *range(sheet.rows - last, sheet.rows)):
            cells = [column.cells(row, row + 1)[0] for column in columns]
            member: object = cells[0] if sheet.is_one and len(columns) == 1 else _Pairs(columns, cells)
            node = self._next(member, len(found), f"{path}[{row}]", depth)
            if node is None:
                break
            found.append(node)
        self._count("columns", width, sheet.width, path)
        self._count("values" if sheet.is_one else "rows", len(found), sheet.rows, path)
        return found

    def _count(self, what: str, sent: int, of: int, path: str) -> None:
        if sent < of:
            self._cuts.append(Cut(path, what, sent, of, self._limits.why(sent)))


class _Pairs(Mapping[object, object]):
    """A row by its columns' names, which may repeat."""

    def __init__(self, columns: list[sheets.SheetColumn], cells: list[object]) -> None:
        self._names, self._cells = [column.label for column in columns], cells

    def __getitem__(self, key: object) -> object:
        return self._cells[self._names.index(str(key))]

    def __iter__(self) -> Iterator[object]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._cells)

    def items(self) -> Any:  # noqa: ANN401 - pairs, not a view: names may repeat
        return zip(self._names, self._cells, strict=True)


def _is_array(value: object) -> bool:
    return is_a(value, "numpy", "ndarray") and value.ndim > 0


def _token(value: object) -> str | None:
    """Return the JSON of a scalar, None for anything else."""
    if value is None:
        return "null"
    if type(value).__name__ == "MaskedConstant":
        return '"--"'
    if is_a(value, "numpy", "ndarray") and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool) or is_a(value, "numpy", "bool_"):
        return "true" if value else "false"
    text = scalar(value)
    if text is None:
        return None
    if is_number(value) and not text.startswith("["):
        return _BARE.get(text, text)
    return _quoted(text)


def _quoted(text: str) -> str:
    return _SURROGATE.sub("\ufffd", json.dumps(text, ensure_ascii=False))


def _key(key: object) -> str:
    if isinstance(key, str) and not isinstance(key, enum.Enum):
        return str(key)
    text = scalar(key)
    if text is not None:
        return text
    if isinstance(key, tuple):
        return f"({', '.join(_key(part) for part in islice(key, 20))})"
    return short_repr(key)


# --- layout --------------------------------------------------------------------------------------------------


def _one_line(node: Node, comma: str, colon: str) -> str:
    if isinstance(node, str):
        return node
    if node and isinstance(node[0], tuple):
        return f"{{{comma.join(f'{key}{colon}{_one_line(member, comma, colon)}' for key, member in _as_pairs(node))}}}"
    return f"[{comma.join(_one_line(member, comma, colon) for member in _as_members(node))}]"


def _indented(node: Node, depth: int) -> str:
    line = _one_line(node, ", ", ": ")
    if isinstance(node, str) or not node or (depth and len(line) <= _ONE_LINE):  # one record per line
        return line
    inner, outer = "\n" + "  " * (depth + 1), "\n" + "  " * depth
    if isinstance(node[0], tuple):
        lines = [f"{key}: {_indented(member, depth + 1)}" for key, member in _as_pairs(node)]
        return f"{{{inner}{f',{inner}'.join(lines)}{outer}}}"
    lines = [_indented(member, depth + 1) for member in _as_members(node)]
    return f"[{inner}{f',{inner}'.join(lines)}{outer}]"


def _as_pairs(node: Any) -> list[tuple[str, Node]]:  # noqa: ANN401 - a node whose first member is a pair
    return list(node)


def _as_members(node: Any) -> list[Node]:  # noqa: ANN401 - a node whose first member isn't a pair
    return list(node)
