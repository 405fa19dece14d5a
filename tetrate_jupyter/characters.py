"""Which characters act on a terminal or hide from an eye, and what is shown in their place: one rule for the house.

Acting: escape sequences, control characters, the marks that reorder text. Hiding: zero-width characters, tags,
variation selectors, fillers, soft hyphens, halves of surrogate pairs. In prose, those stay that do their work where
they are: the joiners and selectors of an emoji, the joiners of Arabic and Indic scripts, a flag's tags. In code, none.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

MAX_NAME: Final = 200  # characters of a name, an id or another fact that is one line

# Sequences first (CSI, then OSC and kin with their end mark), so that their parameters don't stay behind as litter.
_SEQUENCE: Final = (
    "(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x1b\\\\|\x9c)"
)
_CONTROLS: Final = "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
_REORDERING: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, embeddings, overrides, isolates
_INVISIBLE: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0080-\U000e0fff"
)
_BROKEN: Final = "\ud800-\udfff"
_TAGS: Final = "\U000e0000-\U000e007f"  # an invisible copy of ASCII
_BREAKS: Final = "\r\n|[\r\u2028\u2029]"
_NOTHING_SHOWN: Final = f"{_CONTROLS}{_REORDERING}{_INVISIBLE}{_TAGS}{_BROKEN}"

# Where they do their work.
_EMOJI: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_JOINING: Final = (  # Arabic and its kin, the Indic scripts, Mongolian
    "\u0620-\u074f\u07ca-\u07f5\u0840-\u0fff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff\u1820-\u18aa\u1900-\u1cff"
    "\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff"
)
_AT_WORK: Final = "|".join(
    (
        "\U0001f3f4[\U000e0030-\U000e007a]{2,6}\U000e007f",  # the flag of Wales
        f"(?<=[{_EMOJI}])[\ufe0e\ufe0f](?:(?=\u200d)|(?![{_NOTHING_SHOWN}]))",
        "(?<=[0-9#*])\ufe0f(?=\u20e3)",  # a keycap
        f"(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}]|\\Z)",
        f"(?<=[{_JOINING}])[\u200c\u200d](?![{_NOTHING_SHOWN}])",
        "(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f](?![\u180b-\u180f\ufe00-\ufe0f])",
        # an ideograph's old form
        "(?<=[\u3400-\u9fff\U00020000-\U0003ffff])[\ufe00-\ufe02\U000e0100-\U000e01ef](?![\ufe00-\ufe0f\U000e0100-\U000e01ef])",
    )
)
# Text that comes in pieces may be cut within an emoji.
_CUT: Final = f"\\A[\ufe0e\ufe0f\u200c\u200d](?:(?=\u200d)|(?![{_NOTHING_SHOWN}]))|(?<=[0-9#*])\ufe0f\\Z"
_REST: Final = f"[{_CONTROLS}]|[{_TAGS}]+|[{_REORDERING}{_INVISIBLE}{_BROKEN}]+"
_SUSPECT: Final = f"(?P<at_work>{_AT_WORK})|{_REST}"
_SUSPECT_IN_A_PIECE: Final = f"(?P<at_work>{_CUT}|{_AT_WORK})|{_REST}"
_ANY: Final = f"[{_NOTHING_SHOWN}\u2028\u2029]"

_FEW: Final = 4  # hiding characters in a row that are named one by one


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)  # when first needed: loading the extension costs none of it


def plain(text: str) -> str:
    """Make text safe to write to a terminal; newlines and tabs stay.

    Escape sequences and control characters go. Characters that reorder or hide are shown as "[U+202E]", text hidden in
    Unicode tags as "[hidden: ...]". A carriage return, a line or paragraph separator becomes a newline. Each call
    stands alone: text that comes in pieces stays safe, only a sequence cut in two leaves harmless parameters behind.
    """
    if "\r" not in text and _compiled(_ANY).search(text) is None:
        return text
    return _compiled(_SUSPECT_IN_A_PIECE).sub(
        _for_terminal, _compiled(_SEQUENCE).sub("", _compiled(_BREAKS).sub("\n", text))
    )


def visible(text: str) -> str:
    """Show what hides: controls as their pictures ("␛"), reordering and hidden characters as in `plain`."""
    if _compiled(_ANY).search(text) is None:
        return text
    return _compiled(_SUSPECT).sub(_for_page, text.replace("\u2028", "\n").replace("\u2029", "\n"))


def one_line(text: str, limit: int | None = None) -> str:
    """Make `plain` text that is one line, for a table cell or a footer; cut at `limit` characters, ending in "…"."""
    if limit is not None and len(text) > 4 * limit:
        start = " ".join(plain(text[: 4 * limit]).split())
        if len(start) > limit:
            return clipped(start, limit)  # the rest isn't cleaned to be cut
    line = " ".join(plain(text).split())
    return line if limit is None else clipped(line, limit)


def clipped(text: str, limit: int) -> str:
    """Return the first `limit` characters, "…" in place of the last one where that isn't all."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def spelled_out(code: str) -> tuple[str, tuple[int, ...]]:
    """Replace every character of code that hides or acts by its name ("⟦U+202E⟧"); tabs and line ends stay.

    Returns the code, and the numbers (from 1) of the lines in which something was replaced: none where it is as it was.
    """
    code = code.replace("\r\n", "\n")
    if _compiled(_ANY).search(code) is None:
        return code, ()
    lines = tuple(number for number, line in enumerate(code.split("\n"), 1) if _compiled(_ANY).search(line))
    return _compiled(_ANY).sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", code), lines


def is_exact(name: str) -> bool:
    """Whether a name shows every character that it has, so that what is read is what would be sent."""
    return name.isprintable() and _compiled(_ANY).search(name) is None


def _for_terminal(found: re.Match[str]) -> str:
    return "" if _is_control(found[0]) else _shown(found)


def _for_page(found: re.Match[str]) -> str:
    code = ord(found[0][0])
    if _is_control(found[0]):
        return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else f"[U+{code:04X}]"
    return _shown(found)


def _is_control(found: str) -> bool:
    code = ord(found[0])
    return code < 0x20 or 0x7F <= code <= 0x9F


def _shown(found: re.Match[str]) -> str:
    text = found[0]
    if found["at_work"] is not None:
        return text
    if "\U000e0000" <= text[0] <= "\U000e007f":
        return f"[hidden: {''.join(chr(ord(c) - 0xE0000) for c in text if 0x20 <= ord(c) - 0xE0000 < 0x7F)}]"
    if len(text) > _FEW:
        return f"[hidden: {len(text):,} characters]"
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else f"[U+{ord(c):04X}]" for c in text)
