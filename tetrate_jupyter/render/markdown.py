"""Markdown of a model into HTML that is safe by construction, whole or while it is being written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import config
from tetrate_jupyter.render.bounds import unrendered, within
from tetrate_jupyter.render.escape import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

    from tetrate_jupyter.render.growing import Growing
    from tetrate_jupyter.render.nested import Nested

_NOT_TEXT: Final = dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd")
_LONG: Final = 1_500  # characters of a block without finished parts that are rendered with every update


def render(text: str, *, most: int = config.SHOWN_CHARACTERS, live: bool = False) -> str:
    """Return the HTML of Markdown text. Never raises: what can't be parsed is shown as it is.

    Of a very long text the beginning is rendered (`config.RENDERED_CHARACTERS`, `RENDERED_MARKS`); what follows is
    shown as it was written, up to `most` characters in all, and lines of ours say so. The time is linear in the text.
    `live`: less is rendered (`LIVE_CHARACTERS`, `LIVE_MARKS`), where others wait meanwhile.
    """
    text = _normal(text)
    room = within(text, live=live)
    return _html(text[:room]) + unrendered(text[room:], max(0, most - room))


def first_fenced_block(text: str) -> tuple[str, str] | None:
    """Return (language, code) of the first fenced code block, or None where there is none.

    The language is lower case, "" where the fence names none. A fence that was never closed counts: its code is all
    that followed. The code ends without its last newline.
    """
    if "```" not in text and "~~~" not in text:
        return None
    from tetrate_jupyter.render import syntax
    from tetrate_jupyter.render.code import label

    for token in syntax.blocks(_normal(text)):
        if token.type == "fence":
            return label(token.info), token.content.removesuffix("\n")
    return None


class MarkdownStream:
    """Renders a text that grows, at the cost of what is new.

    `update` with all text so far, as often as wanted; `html` is the whole so far, `finished` the blocks that will not
    change any more and `tail` the rest. Emphasis, code and links that are still open are shown as if they were closed;
    after `finish` the html is exactly `render` of the text. A long paragraph, or another block that only finishes as a
    whole, is rendered anew less often than it grows: `behind` says that the last of the text isn't shown yet.

    `depth`: the blocks that it is inside of. `is_tight`: it is an item whose paragraphs don't stand apart; `is_apart`
    says that an empty line has parted two of its blocks.
    """

    def __init__(self, *, depth: int = 0, is_tight: bool = False) -> None:
        self.is_apart = False
        self._depth = depth
        self._is_tight = is_tight
        self._nested: Nested | None = None  # what is inside the block being written, where that is shown for itself
        self.finished: list[str] = []
        self.tail = ""
        self.behind = False
        self._text = ""
        self._done = ""  # the text of the finished blocks, and of what is finished of the block being written
        self._rest = ""  # the text after it
        self._over = ""  # the HTML of what is too much to be rendered
        self._joined = ""
        self._growing: Growing | None = None  # the finished part of the block being written
        self._looked_at = ""  # whole lines in which nothing finished was found
        self._due = 0.0  # when a long rest is rendered again, on the system's monotonic clock

    @property
    def html(self) -> str:
        """The HTML of the text so far."""
        return self._joined + self.tail

    @property
    def is_quick(self) -> bool:
        """Whether what is rendered anew with every piece is short."""
        return len(self._rest) <= _LONG if self._nested is None else self._nested.is_quick

    @property
    def opening(self) -> str:
        """The lines that a window into the block being written must begin with: a table's, a code block's; or ""."""
        return self._growing.opening if self._growing is not None else ""

    def update(self, text_so_far: str) -> None:
        """Take in the text so far: the former text and more. Any other text starts over."""
        self._text = text_so_far
        self._take(_normal(text_so_far.removesuffix("\r")))
        if self._shows_inside():
            return
        began = time.monotonic()
        self.behind = began < self._due
        if self.behind:
            return
        self._settle()
        self.tail = self._unfinished(final=False) + self._over
        if not self.is_quick:  # it will be rendered again, whole
            now = time.monotonic()
            self._due = now + config.DISPLAY_REST * (now - began)

    def finish(self) -> None:
        """Show the text as it is: nothing more will come."""
        self._nested = None
        if self._text.endswith("\r"):  # half a line end, or all of it
            self._take(_normal(self._text))
        self._settle()
        self.tail = self._unfinished(final=True) + self._over
        self.behind = False

    def _take(self, text: str) -> None:
        if not text.startswith(self._done):
            self.__init__(depth=self._depth, is_tight=self._is_tight)  # type: ignore[misc]  # another text
        room = within(text)
        self._rest = text[len(self._done) : room]
        self._over = unrendered(text[room:], config.SHOWN_CHARACTERS - room)

    def _shows_inside(self) -> bool:
        """Show a long quote, or item, by what is new inside it; return whether that can be done."""
        if self._nested is None and len(self._rest) > _LONG:
            self._nested = self._inside()
        if self._nested is None:
            return False
        if not self._nested.update(self._rest):
            self._nested = None
            return False
        inside = self._nested.html
        self.tail = (self._growing.html_around(inside) if self._growing else _quoted(inside)) + self._over
        self.behind = self._nested.behind
        return True

    def _inside(self) -> Nested | None:
        from tetrate_jupyter.render.nested import DEEPEST, Nested

        def make(is_tight: bool) -> MarkdownStream:
            return MarkdownStream(depth=self._depth + 1, is_tight=is_tight)

        if self._depth >= DEEPEST:
            return None
        if self._growing is not None:
            return self._growing.nested(self._rest, make)
        return Nested.of_quote(self._rest, make)

    def _settle(self) -> None:
        """Render what is finished, until no more is found."""
        while True:
            whole = self._rest[: self._rest.rfind("\n") + 1]  # a line that is still growing may turn into anything
            if not whole or whole == self._looked_at:
                return
            self._looked_at = whole
            growing = self._growing
            length = self._finished_in(whole)
            if length:
                self._done += self._rest[:length]
                self._rest = self._rest[length:]
            elif self._growing is growing:
                return
            self._looked_at = ""

    def _finished_in(self, text: str) -> int:
        """Render what is finished of whole lines; return how many characters that were, 0 for none."""
        from tetrate_jupyter.render import blocks
        from tetrate_jupyter.render.growing import begun, offset

        growing = self._growing
        try:
            tokens, tops = self._parsed(text)
            if not tops:
                return 0
            first, last = (tokens[place].map or [0] for place in (tops[0], tops[-1]))
            if len(tops) > 1:
                self.is_apart = self.is_apart or self._parts(tokens, tops, text)
                html = blocks.html(tokens[: tops[-1]]) if growing is None else self._ended(tokens, tops, tops[-1])
                self.finished.append(html)
                self._joined += html
                self._growing = None
                return offset(text, last[0] - (growing.context.count("\n") if growing is not None else 0))
            if growing is not None:
                return growing.take(tokens, text)
            if first[0] == 0:
                self._growing = begun(tokens, text)
                return len(self.opening)
            return offset(text, first[0])  # empty lines before a block
        except Exception:  # noqa: BLE001 - as in _html, which shows this text as it is
            return 0

    def _unfinished(self, *, final: bool) -> str:
        from tetrate_jupyter.render.pending import closed

        growing = self._growing
        context = growing.context if growing is not None else ""
        rest = self._rest if final else closed(context + self._rest)[len(context) :]
        if growing is None:
            return _html(rest, is_tight=self._is_tight)
        try:
            tokens, tops = self._parsed(rest)
            return self._ended(tokens, tops, len(tokens), final=final)
        except Exception:  # noqa: BLE001 - as in _html
            tokens, _ = self._parsed("")
            return growing.html(tokens, final=final) + _as_it_is(rest)

    def _parsed(self, text: str) -> tuple[list[Token], list[int]]:
        """Return the tokens of a text after what is finished, and the places of those that begin a top-level block."""
        from tetrate_jupyter.render import syntax

        growing = self._growing
        if growing is None:
            tokens = syntax.blocks(text)
        else:
            tokens = syntax.blocks(growing.context + text, rows_above=growing.rows_above)
        if self._is_tight:
            _tighten(tokens)
        return tokens, [n for n, token in enumerate(tokens) if token.level == 0 and token.map and token.nesting >= 0]

    def _parts(self, tokens: Sequence[Token], tops: Sequence[int], text: str) -> bool:
        """Whether an empty line stands between two of the blocks."""
        context = self._growing.context if self._growing is not None else ""
        lines = (context + text).split("\n")
        return any(not lines[(tokens[n].map or [1])[0] - 1].strip(" \t") for n in tops[1:])

    def _ended(self, tokens: Sequence[Token], tops: Sequence[int], end: int, *, final: bool = True) -> str:
        """Return the HTML of the block being written and of the blocks after it, up to a token."""
        from tetrate_jupyter.render import blocks

        assert self._growing is not None  # noqa: S101 - narrows the type
        own = tops[1] if len(tops) > 1 else len(tokens)
        return self._growing.html(tokens[:own], final=final) + blocks.html(tokens[own:end])


def _normal(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character pair would break the message to the page
        return text.translate(_NOT_TEXT)
    return text.replace("\0", "\ufffd")


def _quoted(inside: str) -> str:
    from tetrate_jupyter.render import blocks

    return blocks.FIXED["blockquote_open"] + inside + blocks.FIXED["blockquote_close"]


def _tighten(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.level == 0 and token.type in ("paragraph_open", "paragraph_close"):
            token.hidden = True


def _html(text: str, *, is_tight: bool = False) -> str:
    if not text.strip(" \t\n"):  # Markdown's own white space: a line of any other is a paragraph
        return ""
    try:
        from tetrate_jupyter.render import blocks, syntax

        tokens = syntax.blocks(text)
        if is_tight:
            _tighten(tokens)
        return blocks.html(tokens)
    except Exception:  # noqa: BLE001 - a foreign parser fed by a model: whatever it raises, the reader sees the text
        return _as_it_is(text)


def _as_it_is(text: str) -> str:
    return f'<pre class="tetrate-raw" dir="auto">{escape(text)}</pre>\n'
