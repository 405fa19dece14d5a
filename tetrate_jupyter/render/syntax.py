"""The Markdown that models write, parsed in bounded time: CommonMark, tables, strikethrough, formulas; no raw HTML.

Two rules of CommonMark are left out, so that a block never changes once the next one has begun: reference definitions
(they reach back to any place) and underlined headings (a list's first "-" would make a heading of the line above).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.parser_inline import ParserInline
from markdown_it.ruler import RuleOptionsType

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

MAX_LEVEL: Final = 40  # blocks inside each other (a list in a list counts 2); what is deeper is shown as plain text
MAX_INLINE: Final = 20_000  # characters of one paragraph or cell that are searched for emphasis and links
MAX_COLUMNS: Final = 100  # of a table; a wider one stays text
MAX_CELLS: Final = 20_000  # of a table; the rows after them stay text
MAX_INLINE_FORMULA: Final = 1_000  # characters
_STEPS_PER_CHARACTER: Final = 8  # tokens looked at; honest text needs fewer than 1, brackets without end any number
_SPARE_STEPS: Final = 2_000
_ENCODED_IPV6: Final = re.compile(r"\A(https?://)%5B([0-9a-f:.]+)%5D", re.IGNORECASE)
ROWS_ABOVE: Final = "rows_above"  # in the parser's environment


class TooCostlyError(Exception):
    """A text made to be slow; it is shown as it is."""


class BoundedInline(ParserInline):
    """markdown-it's parser of a paragraph, which gives up after a number of steps instead of taking minutes."""

    def skipToken(self, state: StateInline) -> None:  # noqa: N802 - markdown-it's name
        """Look at one token ahead. Raises `TooCostlyError` when the paragraph's steps are used up."""
        left = state.env.get("steps", 0) - 1
        if left < 0:
            raise TooCostlyError
        state.env["steps"] = left
        super().skipToken(state)


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """Return the parser; made once, it holds no state of a text."""
    md = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_LEVEL + 20})
    md.inline = BoundedInline()
    md.inline.ruler.enableOnly(
        ["text", "newline", "escape", "backticks", "strikethrough", "emphasis", "link", "image", "autolink", "entity"]
    )
    md.enable("table")
    md.disable(["html_block", "lheading", "reference"])
    table = next(rule.fn for rule in md.block.ruler.__rules__ if rule.name == "table")

    def narrow_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        columns = _line(state, start).count("|") + 1
        above = state.env.get(ROWS_ABOVE, 0) if start == 0 and state.level == 0 else 0
        last = min(
            end, start + 2 + MAX_CELLS // columns - above
        )  # short rows are filled up: few characters, many cells
        return columns <= MAX_COLUMNS and table(state, start, last, silent)

    interrupting = RuleOptionsType(alt=["paragraph", "blockquote", "list"])
    md.block.ruler.at("table", narrow_table, RuleOptionsType(alt=["paragraph"]))
    md.block.ruler.before("table", "too_deep", _too_deep)
    md.block.ruler.before("fence", "formula", _formula_block, interrupting)
    md.inline.ruler.before("escape", "formula", _formula_inline)
    md.normalizeLink = _normalized  # type: ignore[method-assign]
    md.validateLink = _any_link  # type: ignore[method-assign]  # an instance's own rule is how markdown-it is set
    return md


def _normalized(url: str) -> str:
    """Write an address as markdown-it does, but for the brackets of an IPv6 host, which it encodes before 4.3."""
    return _ENCODED_IPV6.sub(r"\1[\2]", normalizeLink(url))


def _any_link(url: str) -> bool:  # noqa: ARG001 - markdown-it's signature
    """Take any address: the renderer decides which may be followed, and keeps the text of the others."""
    return True


def blocks(text: str, *, rows_above: int = 0) -> list[Token]:
    """Parse into block tokens; the paragraphs' insides are still text in `content`.

    `rows_above`: of a table that the text begins with, the rows that were left out after its heading.
    """
    md = parser()
    found: list[Token] = []
    md.block.parse(text, md, {ROWS_ABOVE: rows_above}, found)
    return found


def inline(content: str) -> list[Token]:
    """Parse the inside of a paragraph. Raises `TooCostlyError` for what would take too long."""
    if len(content) > MAX_INLINE:
        raise TooCostlyError
    md = parser()
    found: list[Token] = []
    md.inline.parse(content, md, {"steps": _SPARE_STEPS + _STEPS_PER_CHARACTER * len(content)}, found)
    return found


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.level < MAX_LEVEL or silent:
        return False
    token = state.push("code_block", "code", 0)
    token.content = state.getLines(start, end, state.blkIndent, False)
    token.map = [start, end]
    state.line = end
    return True


_CLOSING: Final = {"$$": "$$", "\\[": "\\]"}


def _formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""Take `$$ ... $$` or `\[ ... \]` that begins a line, up to its end mark or the next empty line.

    Where no end mark comes before the empty line the lines are a paragraph: the extent never depends on later text.
    """
    if state.is_code_block(start):
        return False
    first = _line(state, start).rstrip()
    closing = _CLOSING.get(first[:2])
    if closing is None:
        return False
    if first[2:].rstrip().endswith(closing):
        last, whole = start, True
    elif closing in first[2:]:  # text goes on after the formula: it is one of a paragraph
        return False
    else:
        last, whole = _formula_end(state, start, end, closing)
    if silent:
        return True
    state.line = last + 1
    content = state.getLines(start, last + 1, state.blkIndent, False).strip()
    if whole:
        token = state.push("formula_block", "", 0)
        token.content = content[2 : -len(closing)].strip()
        token.map = [start, state.line]
    else:
        _push_paragraph(state, content, [start, state.line])
    return True


def _formula_end(state: StateBlock, start: int, end: int, closing: str) -> tuple[int, bool]:
    last = start
    for number in range(start + 1, end):
        if state.isEmpty(number) or state.sCount[number] < state.blkIndent:
            break
        last = number
        if _line(state, number).rstrip().endswith(closing):
            return last, True
    return last, False


def _push_paragraph(state: StateBlock, content: str, lines: list[int]) -> None:
    opening = state.push("paragraph_open", "p", 1)
    opening.map = lines
    token = state.push("inline", "", 0)
    token.content, token.map, token.children = content, lines, []
    state.push("paragraph_close", "p", -1)


# A dollar opens before a character that isn't space and closes after one; neither touches a letter or digit outside,
# so that "$5 and $6", "US$5", "$HOME/$USER" stay what they are.
_DOLLARS: Final = re.compile(r"\$\$(?!\s*\$)((?:[^$\\`]|\\.)+?)\$\$", re.DOTALL)
_DOLLAR: Final = re.compile(r"\$(?![\s$])((?:[^$\\`\n]|\\.|\n(?!\n))*?(?:[^\s$\\`]|\\.))\$(?![\w$])", re.DOTALL)
_ROUND: Final = re.compile(r"\\\(((?:[^\\`]|\\[^)])+?)\\\)", re.DOTALL)
_SQUARE: Final = re.compile(r"\\\[((?:[^\\`]|\\[^\]])+?)\\\]", re.DOTALL)


def _formula_inline(state: StateInline, silent: bool) -> bool:
    pos = state.pos
    first = state.src[pos]
    if first not in "$\\":
        return False
    second = state.src[pos + 1 : pos + 2]
    if first == "$":
        if pos and (state.src[pos - 1].isalnum() or state.src[pos - 1] in "$\\"):
            return False
        pattern = _DOLLARS if second == "$" else _DOLLAR
    elif second in ("(", "["):
        pattern = _ROUND if second == "(" else _SQUARE
    else:
        return False
    found = pattern.match(state.src, pos, min(state.posMax, pos + MAX_INLINE_FORMULA))
    if found is None:
        return False
    if not silent:
        token = state.push("formula_display" if pattern in (_DOLLARS, _SQUARE) else "formula", "", 0)
        token.content = found[1]
    state.pos = found.end()
    return True
