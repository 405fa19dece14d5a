"""Markdown of a model into HTML that is safe by construction, whole or while it is being written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter.render.escape import escape

if TYPE_CHECKING:
    from markdown_it.token import Token

_NOT_TEXT: Final = dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd")


def render(text: str) -> str:
    """Give the HTML of Markdown text. Never raises: what can't be parsed is shown as it is."""
    return _html(_normal(text))


def first_fenced_block(text: str) -> tuple[str, str] | None:
    """Give (language, code) of the first fenced code block, or None where there is none.

    The language is lower case, "" where the fence names none. A fence that was never closed counts: its code is all
    that followed. The code ends without its last newline.
    """
    from tetrate_jupyter.render import syntax
    from tetrate_jupyter.render.code import label

    for token in syntax.blocks(_normal(text)):
        if token.type == "fence":
            return label(token.info), token.content.removesuffix("\n")
    return None


class MarkdownStream:
    """Renders a text that grows, at the cost of the block being written.

    `update` with all text so far, as often as wanted; `html` is the whole so far, `finished` the blocks that will not
    change any more and `tail` the rest. Emphasis, code and links that are still open are shown as if they were closed;
    after `finish` the html is exactly `render` of the text.
    """

    def __init__(self) -> None:
        self.finished: list[str] = []
        self.tail = ""
        self._done = ""  # the text of the finished blocks
        self._rest = ""  # the text after them
        self._joined = ""
        self._looked_at = ""  # whole lines in which no finished block was found

    @property
    def html(self) -> str:
        """The HTML of the text so far."""
        return self._joined + self.tail

    def update(self, text_so_far: str) -> None:
        """Take in the text so far: the former text and more. Any other text starts over."""
        self._take(_normal(text_so_far.removesuffix("\r")))
        from tetrate_jupyter.render.pending import closed

        self.tail = _html(closed(self._rest))

    def finish(self) -> None:
        """Show the text as it is: nothing more will come."""
        self.tail = _html(self._rest)

    def _take(self, text: str) -> None:
        if not text.startswith(self._done):
            self.finished, self._done, self._joined = [], "", ""
        self._rest = text[len(self._done) :]
        settled = self._rest[: self._rest.rfind("\n") + 1]  # a line that is still growing may turn into anything
        if not settled or settled == self._looked_at:
            return
        self._looked_at = settled
        length = _length_of_finished(settled)
        if length:
            whole = _html(self._rest[:length])
            self.finished.append(whole)
            self._joined += whole
            self._done += self._rest[:length]
            self._rest = self._rest[length:]
            self._looked_at = settled[length:]


def _normal(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character pair would break the message to the page
        return text.translate(_NOT_TEXT)
    return text.replace("\0", "\ufffd")


def _html(text: str) -> str:
    if not text.strip():
        return ""
    try:
        from tetrate_jupyter.render import blocks, syntax

        return blocks.html(syntax.blocks(text))
    except Exception:  # noqa: BLE001 - a foreign parser fed by a model: whatever it raises, the reader sees the text
        return f'<pre class="tetrate-raw" dir="auto">{escape(text)}</pre>\n'


def _length_of_finished(text: str) -> int:
    """Give the length of all top-level blocks but the last, which later lines may still belong to."""
    from tetrate_jupyter.render import syntax

    try:
        tokens: list[Token] = syntax.blocks(text)
    except Exception:  # noqa: BLE001 - as in _html, which shows this text as it is
        return 0
    starts = [token.map[0] for token in tokens if token.level == 0 and token.map and token.nesting >= 0]
    if len(starts) < 2:
        return 0
    position = 0
    for _ in range(starts[-1]):
        position = text.index("\n", position) + 1
    return position
