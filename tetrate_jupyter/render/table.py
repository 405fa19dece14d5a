"""Tables of facts for a page, a terminal or a Markdown file."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.plain import one_line
from tetrate_jupyter.render.style import ROOT_CLASSES, styled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH: Final = 120  # characters of a line of plain text, unless told otherwise
_LEAST: Final = 12  # characters a left-aligned column keeps when others need the room
_REACHED: Final = 'tabindex="0" role="region" aria-label="Table"'  # by the keyboard: its end may be out of sight
_GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its heading, and how its cells stand.

    `align="right"` is for numbers. `code=True` sets ids in the code font. `hint` is shown when the pointer rests on the
    heading. `optional=True`: left out first where plain text is too narrow. `wide=True`: prose that may wrap.
    `minor=True`: not shown by a narrow page, where what shows the table has a rule for that. `cut=True`: it may be cut
    there likewise, and says the whole when the pointer rests on it.
    """

    title: str
    align: Literal["left", "right"] = "left"
    code: bool = False
    hint: str = ""
    optional: bool = False
    wide: bool = False
    minor: bool = False
    cut: bool = False


class Table:
    """Columns and rows of cells; a cell is text, a number, or None for nothing.

    `caption` is one line above the rows. Every cell is escaped; nothing in it can be markup. Short rows are filled up,
    longer ones cut at the last column.
    """

    def __init__(self, columns: Sequence[TableColumn], rows: Iterable[Sequence[object]], *, caption: str = "") -> None:
        self.columns = tuple(columns)
        count = len(self.columns)
        self.rows = tuple(
            tuple("" if c is None else str(c) for c in row[:count]) + ("",) * (count - len(row)) for row in rows
        )
        self.caption = caption

    def __repr__(self) -> str:
        return self.plain()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.plain()}

    @property
    def _titled(self) -> bool:
        return any(c.title for c in self.columns)

    def html(self) -> str:
        """Return the table for a page: headings that stay in sight, its own horizontal scroll where it is too wide."""
        return styled(self.markup)

    @property
    def markup(self) -> str:
        """The same without its style element, for a page that has one."""
        kinds = [_class(c) for c in self.columns]
        parts = [f'<div class="{ROOT_CLASSES} tetrate-facts">']
        if self.caption:
            parts.append(f'<p class="tetrate-caption" dir="auto">{escape(self.caption)}</p>')
        parts.append(f'<div class="tetrate-scroll" {_REACHED}><table>')
        if self._titled:
            parts.append("<thead><tr>")
            parts += [_heading(c, kind) for c, kind in zip(self.columns, kinds, strict=True)]
            parts.append("</tr></thead>")
        parts.append("<tbody>")
        for row in self.rows:
            cells = (
                f'<td dir="auto"{kind}{_whole(column, cell)}>{escape(cell)}</td>'
                for cell, kind, column in zip(row, kinds, self.columns, strict=True)
            )
            parts.append(f"<tr>{''.join(cells)}</tr>")
        parts.append("</tbody></table></div></div>")
        return "".join(parts)

    def plain(self, width: int | None = WIDTH) -> str:
        """Return the table for a terminal that is `width` characters wide (default 120; None: as wide as it is).

        Optional columns are left out, the last first, until the rest fits; then long cells are cut, ending in "…".
        """
        rows = [[one_line(cell) for cell in row] for row in self.rows]
        titles = [one_line(c.title) for c in self.columns]
        kept = list(range(len(self.columns)))
        widths = [max([_wide(titles[i]), *(_wide(row[i]) for row in rows)]) for i in kept]
        left_out: list[str] = []
        for i in reversed([i for i in kept if self.columns[i].optional]):
            if width is None or _total(widths, kept) <= width:
                break
            kept.remove(i)
            left_out.insert(0, titles[i])
        if width is not None:
            self._squeeze(widths, kept, width)
        lines = [one_line(self.caption)] if self.caption else []
        if self._titled:
            lines += [self._line(titles, widths, kept), _GAP.join("─" * widths[i] for i in kept)]
        lines += [self._line(row, widths, kept) for row in rows]
        if left_out:
            lines.append(f"(not shown here: {', '.join(left_out)})")
        return "\n".join(lines)

    def markdown(self) -> str:
        """Return the table as Markdown, for a file; nothing in a cell acts as markup."""
        lines = [f"{_markdown(self.caption)}\n"] if self.caption else []
        lines.append(f"| {' | '.join(_markdown(c.title) for c in self.columns)} |")
        lines.append(f"|{'|'.join('---:' if c.align == 'right' else '---' for c in self.columns)}|")
        lines += [f"| {' | '.join(_markdown(cell) for cell in row)} |" for row in self.rows]
        return "\n".join(lines) + "\n"

    def _squeeze(self, widths: list[int], kept: list[int], width: int) -> None:
        while (over := _total(widths, kept) - width) > 0:
            widest = max((i for i in kept if self.columns[i].align == "left"), key=lambda i: widths[i], default=None)
            if widest is None or widths[widest] <= _LEAST:
                return
            others = [widths[i] for i in kept if i != widest and self.columns[i].align == "left"]
            widths[widest] -= min(over, widths[widest] - max(_LEAST, *(w for w in others if w < widths[widest]), 0))

    def _line(self, cells: Sequence[str], widths: list[int], kept: list[int]) -> str:
        shown = (_padded(cells[i], widths[i], right=self.columns[i].align == "right") for i in kept)
        return _GAP.join(shown).rstrip()


def _class(column: TableColumn) -> str:
    names = ["tetrate-wide"] if column.wide else []
    names += ["tetrate-id"] if column.code else []
    names += ["tetrate-minor"] if column.minor else []
    classes = f' class="{" ".join(names)}"' if names else ""
    return f'{classes} align="right"' if column.align == "right" else classes


def _whole(column: TableColumn, cell: str) -> str:
    return f' title="{escape(cell)}"' if column.cut and cell else ""


def _heading(column: TableColumn, kind: str) -> str:
    hint = f' title="{escape(column.hint)}"' if column.hint else ""
    return f'<th scope="col" dir="auto"{kind}{hint}>{escape(column.title)}</th>'


def _total(widths: list[int], kept: list[int]) -> int:
    return sum(widths[i] for i in kept) + len(_GAP) * (len(kept) - 1)


def _wide(text: str) -> int:
    """Return the number of terminal columns."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int, *, right: bool) -> str:
    if _wide(text) > width:
        while _wide(text) > width - 1:
            text = text[:-1]
        text += "…"
    space = " " * (width - _wide(text))
    return space + text if right else text + space


_MARKUP: Final = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>|$~#!&"})


def _markdown(text: str) -> str:
    return one_line(text).translate(_MARKUP)
