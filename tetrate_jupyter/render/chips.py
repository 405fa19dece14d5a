"""Notices under an answer as chips: a few words that stand for a sentence, which they open; pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.render.escape import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REFUSED: Final = "The model refused"  # how such a notice begins: it stands where the answer would
LONGEST: Final = 60  # characters of a chip
_ENDS = re.compile(r": this is part of an answer|; | \(")  # where what a notice is about ends
_ROWS = re.compile(r": [\d,]+ of [\d,]+ rows(?: and a summary of all)? sent")
_WINDOW: Final = "the model's window)"  # how the reason ends where that is the bound
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
IN_A_CELL: Final = "Next: --rows N or --rows all sends more."
FULL: Final = (
    "The answer needs room, too, and some models count each digit as a token. "
    "Next: fewer columns, or a model with a larger window."
)
IN_A_PANEL: Final = 'Next: session.rows = 100, or "all", sends more.'


def label(notice: str) -> str:
    """Return the words that stand for a notice.

    "" where it stands for itself, as a sentence: it is long, or says what to do next.
    """
    said = notice.strip().removesuffix(".")
    if "Next:" in said or "\n" in said:
        return ""
    head = _ENDS.split(said, maxsplit=1)[0]
    if len(head) > LONGEST:
        head = head.replace(" and a summary of all sent", " sent")
    if len(head) > LONGEST:
        head = head.partition(": ")[0]
    return head if len(head) <= LONGEST else ""


def details(notice: str, more: str = IN_A_CELL) -> str:
    """Return what a chip opens: the notice, and of a table that was cut, how `more` of it is sent, or why not."""
    if _WINDOW in notice:
        return f"{notice}. {FULL}"
    return f"{notice}. {more}" if _ROWS.search(notice) else notice


def notices_html(notices: Iterable[str], sent: Mapping[str, str] = _NONE) -> str:
    """Return notices for a page without scripts, each a chip that opens, or a sentence; a refusal in whole.

    `sent`: of notices about values, what was sent of them, which they open, too.
    """
    return "".join(_notice(notice, sent.get(notice, "")) for notice in notices)


def _notice(notice: str, sent: str) -> str:
    if notice.startswith(REFUSED):
        return f'<p class="tetrate-failed" dir="auto">{escape(notice)}</p>'
    short, says = label(notice), details(notice)
    if short and sent:
        text = f'<pre class="tetrate-sent" tabindex="0" dir="auto">{escape(sent)}</pre>'
        opened = f"{escape(says)} This was sent:{text}"
        return f'<details class="tetrate-notice"><summary>{escape(short)}</summary>{opened}</details>'
    if not short or len(says) <= LONGEST:  # nothing that a reader would have to open
        return f'<p class="tetrate-notice" dir="auto">{escape(notice)}</p>'
    return f'<details class="tetrate-notice"><summary>{escape(short)}</summary>{escape(says)}</details>'
