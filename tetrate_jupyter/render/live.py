"""What is shown of an answer while it is being written: all of it, or its last part where it has become long."""

from __future__ import annotations

from typing import Final

from tetrate_jupyter import config
from tetrate_jupyter.render import bounds
from tetrate_jupyter.render.escape import escape
from tetrate_jupyter.render.markdown import MarkdownStream, render
from tetrate_jupyter.render.pending import open_fence
from tetrate_jupyter.render.plain import plain

QUICK: Final = 1_000  # characters that are rendered in next to no time
CUT: Final = "… This is the last part; the beginning is shown when the answer has ended."
_KEPT: Final = 4  # a part of this size of what may be shown stays when the window moves on


class Live:
    """Renders a growing text by a `MarkdownStream`, from a later place on whenever more than a window has come.

    What comes faster than it can be rendered is left out of the window, so that no update costs more than a window.
    """

    def __init__(self) -> None:
        self._stream = MarkdownStream()
        self._start = 0  # of the window
        self._opening = ""  # the line of the code block, or the heading of the table, that the window is in

    @property
    def is_whole(self) -> bool:
        """Whether the window is all of the text."""
        return self._start == 0

    @property
    def behind(self) -> bool:
        """Whether the last of the text isn't shown yet, though `update` had it."""
        return self._stream.behind

    @property
    def finished(self) -> tuple[str, ...]:
        """The blocks that will not change any more while the window stays where it is; safe HTML."""
        return (*(() if self.is_whole else (self._cut(CUT),)), *self._stream.finished)

    @property
    def tail(self) -> str:
        """What may still change; safe HTML."""
        return self._stream.tail

    @property
    def html(self) -> str:
        """All that is shown, after a line about what isn't."""
        return self._cut(CUT) + self._stream.html

    @property
    def html_stopped(self) -> str:
        """The same for an answer that has been stopped."""
        return self._cut(bounds.stopped("text")) + self._stream.html

    @property
    def is_quick(self) -> bool:
        """Whether a little more text costs next to nothing."""
        return not self._stream.behind and self._stream.is_quick

    def update(self, text: str) -> None:
        """Take in the text so far, as `MarkdownStream.update` does."""
        if len(text) < self._start:
            self.__init__()  # type: ignore[misc]  # another text
        if bounds.exceeds(text, self._start, config.LIVE_CHARACTERS, config.LIVE_MARKS):
            self._move(text)
        self._stream.update(self._opening + text[self._start :])

    def completed(self, text: str) -> bool:
        """Show the whole text, to which nothing more will come; False where it is too long for that here."""
        self.update(text)
        if self.is_whole:
            self._stream.finish()
        return self.is_whole

    def _cut(self, sentence: str) -> str:
        return "" if self.is_whole else bounds.said(sentence)

    def _move(self, text: str) -> None:
        start = bounds.window(text, self._start, config.LIVE_CHARACTERS // _KEPT, config.LIVE_MARKS // _KEPT)
        skipped = text[self._start : start]
        table = "" if "\n\n" in skipped or self._opening.startswith(("`", "~")) else self._stream.opening
        self._opening = open_fence(self._opening + skipped) or (table if "|" in table else "")
        self._start = start
        self._stream = MarkdownStream()


def plain_live(text: str) -> str:
    """Return the text so far for a display of plain text: its last part where it is long."""
    shown = text[-config.LIVE_CHARACTERS :]
    return plain(shown) if len(shown) == len(text) else f"[{CUT}]\n\n{plain(shown)}"


def last_part(text: str, *, of: str = "text") -> str:
    """Return safe HTML of the end of a text in next to no time: rendered where it is short, else as it was written.

    A line says where it isn't all. `of`: the attribute of the answer that has all of it.
    """
    if len(text) <= QUICK:
        return render(text)
    shown = text[-config.AT_ONCE_CHARACTERS :]
    if not shown.strip():
        return ""
    cut = bounds.said(bounds.stopped(of)) if len(shown) < len(text) else ""
    return f'{cut}<pre class="tetrate-raw" dir="auto">{escape(shown)}</pre>\n'
