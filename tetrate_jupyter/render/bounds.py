"""How much of a text is rendered, how much is shown at all, and what is said about the rest."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from tetrate_jupyter import config
from tetrate_jupyter.render.escape import escape

_MARK: Final = re.compile(r"[\n|$]")  # what each costs to render: a line or block, a cell, half a formula
PLAIN_FROM_HERE: Final = "This text is very long: from here on it is shown as it was written."


def within(text: str, *, live: bool = False) -> int:
    """Return how many characters of a text are rendered: whole lines, and the same however the text goes on.

    `live`: as much as is shown while an answer grows, not as much as in a cell's output.
    """
    characters = config.LIVE_CHARACTERS if live else config.RENDERED_CHARACTERS
    end = _end(text, 0, characters, config.LIVE_MARKS if live else config.RENDERED_MARKS)
    return end if end == len(text) else text.rfind("\n", 0, end) + 1 or end


def exceeds(text: str, start: int, characters: int, marks: int) -> bool:
    """Whether the text from `start` on has more characters, or more marks, than these."""
    return _end(text, start, characters, marks) < len(text)


def window(text: str, start: int, characters: int, marks: int) -> int:
    """Return where the last part of a text begins that has so many characters and marks: at a block, or a line."""
    begin = max(start, len(text) - characters)
    while begin < len(text) and exceeds(text, begin, characters, marks):
        begin += (len(text) - begin + 1) // 2
    middle = (begin + len(text)) // 2
    block = text.find("\n\n", begin, middle)
    line = text.find("\n", begin, middle)
    return block + 2 if block >= 0 else line + 1 if line >= 0 else begin


def unrendered(text: str, most: int) -> str:
    """Return the HTML of at most so much of what `within` left out, as it was written; lines of ours say so."""
    if not text.strip():
        return ""
    shown = text[:most]
    left = left_out(len(text) - len(shown))
    return f'{said(PLAIN_FROM_HERE)}<pre class="tetrate-raw" dir="auto">{escape(shown)}</pre>\n{said(left)}'


def beginning(text: str) -> str:
    """Return the part of a plain text that is shown, with a line that says what is left out."""
    left = left_out(len(text) - config.SHOWN_CHARACTERS)
    return f"{text[: config.SHOWN_CHARACTERS]}\n\n[{left}]" if left else text


def left_out(characters: int) -> str:
    """Return the sentence about so many characters, "" for none."""
    return (
        f"{characters:,} more characters are not shown here; the answer's .text has all of it."
        if characters > 0
        else ""
    )


def stopped(attribute: str) -> str:
    """Return the sentence above a last part whose whole is in this attribute of the answer of an interrupted cell."""
    return f"Stopped: the last part is shown, all of it is in _tetrate.{attribute}."


def said(sentence: str) -> str:
    """Return the HTML of a sentence of ours between those of a model."""
    return f'<p dir="auto"><em>{escape(sentence)}</em></p>\n' if sentence else ""


def _end(text: str, start: int, characters: int, marks: int) -> int:
    """Return where a part ends that begins at `start` and has at most so many characters and marks."""
    end = min(len(text), start + characters)
    if end - start <= marks or sum(text.count(mark, start, end) for mark in "\n|$") <= marks:
        return end
    return next(islice(_MARK.finditer(text, start, end), marks, None)).start()
