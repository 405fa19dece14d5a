"""The block that is being written: its finished items, rows or lines are rendered once, however long it becomes.

What is finished leaves the text that is parsed; in its place stands a `context`, some made-up lines that put the parser
where it was. What comes out is exactly what the whole block gives when it is rendered at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from tetrate_jupyter.render import blocks, syntax
from tetrate_jupyter.render.code import MAX_COLOURED, code_block, coloured, framed, label
from tetrate_jupyter.render.nested import Nested

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it.token import Token

    from tetrate_jupyter.render.nested import Inside

_RECOLOURED: Final = 500  # characters of code that are coloured as a whole anew whenever they grow


class Growing(Protocol):
    """The finished part of a top-level block. `tokens` are always those of `context` and what comes after it."""

    @property
    def context(self) -> str:
        """The lines that stand for the finished part when the rest is parsed."""
        ...

    @property
    def rows_above(self) -> int:
        """What `syntax.blocks` has to be told."""
        ...

    @property
    def opening(self) -> str:
        """The lines that begin such a block anew, for a window into it; "" where it needs none."""
        ...

    def take(self, tokens: Sequence[Token], text: str) -> int:
        """Render what is finished of whole lines after the context; return how many characters that were."""
        ...

    def html(self, tokens: Sequence[Token], *, final: bool) -> str:
        """Return the whole block. `final`: nothing more will come, so that it must be exact."""
        ...

    def nested(self, text: str, make: Callable[[bool], Inside]) -> Nested | None:
        """Return the inside of what text after the context begins with, where that can be shown for itself."""
        ...

    def html_around(self, inside: str) -> str:
        """Return the whole block with this HTML inside of what isn't finished; about right, while it grows."""
        ...


def begun(tokens: Sequence[Token], text: str) -> Growing | None:
    """Return the block that text begins with, nothing of it finished yet; None where it only finishes as a whole."""
    kind, lines = tokens[0].type, tokens[0].map or [0, 0]
    if lines[1] - lines[0] < 2:
        return None  # whatever it looks like, one line may still become a table's heading
    if kind in ("bullet_list_open", "ordered_list_open"):
        return _List(tokens[0])
    if kind == "table_open":
        return _Table(tokens, text)
    if kind == "fence":
        return _Code(tokens[0], text)
    return None


def offset(text: str, lines: int) -> int:
    """Return the number of characters of that many lines."""
    position = 0
    for _ in range(lines):
        position = text.index("\n", position) + 1
    return position


class _List:
    rows_above = 0
    opening = ""

    def __init__(self, first: Token) -> None:
        self._first = first
        # As far in as an item can be: none after it can be taken for one inside it.
        self._before = f"   1{first.markup} x\n" if first.type == "ordered_list_open" else f"   {first.markup} x\n"
        self._source = ""
        self._done = ""
        self._loose = False
        self._gap = ""  # an empty line before the next item: it makes the list loose

    @property
    def context(self) -> str:
        return self._before + self._gap

    def take(self, tokens: Sequence[Token], text: str) -> int:
        self._loosen(tokens)
        starts = _items(tokens)
        length = offset(text, _line(tokens[starts[-1]]) - self.context.count("\n"))
        if length:
            self._done += self._rendered(tokens, starts[1], starts[-1])
            self._source += text[:length]
            self._gap = "" if text[:length].rpartition("\n")[0].rpartition("\n")[2].strip(" \t") else "\n"
        return length

    def html(self, tokens: Sequence[Token], *, final: bool) -> str:
        if final:
            self._loosen(tokens)
        starts = _items(tokens)
        last = self._rendered(tokens, starts[1], len(tokens) - 1) if len(starts) > 1 else ""
        return blocks.html([self._first]) + self._done + last + blocks.html(tokens[-1:])

    def nested(self, text: str, make: Callable[[bool], Inside]) -> Nested | None:
        return Nested.of_item(text, make, tight=not (self._loose or self._gap))

    def html_around(self, inside: str) -> str:
        parts = blocks.FIXED["list_item_open"], inside, blocks.FIXED["list_item_close"]
        kind = self._first.type.removesuffix("open") + "close"
        return blocks.html([self._first]) + self._done + "".join(parts) + blocks.FIXED[kind]

    def _loosen(self, tokens: Sequence[Token]) -> None:
        """Once an empty line has parted two items, or parts of one, the paragraphs of all stand apart."""
        if self._loose or tokens[2].hidden:
            return
        self._loose = True
        if self._source:
            done = syntax.blocks(self._before + self._source)
            self._done = self._rendered(done, _items(done)[1], len(done) - 1)

    def _rendered(self, tokens: Sequence[Token], start: int, end: int) -> str:
        wanted = tokens[start:end]
        for token in wanted:
            if token.level == 2 and token.type in ("paragraph_open", "paragraph_close"):
                token.hidden = not self._loose
        return blocks.html(wanted)


class _Flat:
    """A block with no others inside it."""

    def nested(self, text: str, make: Callable[[bool], Inside]) -> Nested | None:
        return None

    def html_around(self, inside: str) -> str:
        return inside


class _Table(_Flat):
    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        body = next((n for n, token in enumerate(tokens) if token.type == "thead_close"), 0) + 1
        self._head = blocks.html(tokens[:body])
        self.opening = self.context = text[: offset(text, 2)]
        self.rows_above = 0
        self._done = ""

    def take(self, tokens: Sequence[Token], text: str) -> int:
        starts = [n for n, token in enumerate(tokens) if token.type == "tr_open" and token.level == 2]
        rows = len(starts) - 2  # without the heading, and the last one: the table goes on from it
        if rows < 1:
            return 0
        self._done += blocks.html(tokens[starts[1] : starts[-1]])
        self.rows_above += rows
        return offset(text, rows)

    def html(self, tokens: Sequence[Token], *, final: bool) -> str:
        starts = [n for n, token in enumerate(tokens) if token.type == "tr_open" and token.level == 2]
        rows = blocks.html(tokens[starts[1] : -2]) if len(starts) > 1 else ""
        body = blocks.FIXED["tbody_open"] + self._done + rows + blocks.FIXED["tbody_close"] if self._done + rows else ""
        return self._head + body + blocks.FIXED["table_close"]


class _Code(_Flat):
    """Lines of a fence. While it grows, new lines are coloured for themselves, the whole when it has grown by half."""

    rows_above = 0

    def __init__(self, token: Token, text: str) -> None:
        self.opening = text[: offset(text, 1)]
        self.context = self.opening + "\n"  # the empty line parts it from a line that would make a table of the two
        self._language = label(token.info)
        self._code: list[str] = []
        self._length = 0
        self._done = ""
        self._next = _RECOLOURED

    def take(self, tokens: Sequence[Token], text: str) -> int:
        new = tokens[0].content[1:]
        lines = new.count("\n") - 1  # without the last one: what follows it may be the fence's end
        if lines < 1:
            return 0
        code = new[: offset(new, lines)]
        self._code.append(code)
        self._length += len(code)
        if self._length > MAX_COLOURED >= self._length - len(code):
            self._done = coloured(self._whole, "")
        elif self._length <= MAX_COLOURED and self._length > self._next:
            self._done = coloured(self._whole, self._language)
            self._next = self._length * 3 // 2
        else:
            self._done += coloured(code, self._language if self._length <= MAX_COLOURED else "")
        return offset(text, lines)

    @property
    def _whole(self) -> str:
        self._code = ["".join(self._code)]
        return self._code[0]

    def html(self, tokens: Sequence[Token], *, final: bool) -> str:
        rest = tokens[0].content[1:]
        if final and self._length + len(rest) <= MAX_COLOURED:
            return code_block(self._whole + rest, self._language) + "\n"
        plain = self._length + len(rest) > MAX_COLOURED
        if plain and self._length <= MAX_COLOURED:
            return framed(coloured(self._whole + rest, ""), self._language) + "\n"
        return framed(self._done + coloured(rest, "" if plain else self._language), self._language) + "\n"


def _items(tokens: Sequence[Token]) -> list[int]:
    return [n for n, token in enumerate(tokens) if token.level == 1 and token.type == "list_item_open"]


def _line(token: Token) -> int:
    assert token.map is not None  # noqa: S101 - narrows the type: blocks that open have their lines
    return token.map[0]
