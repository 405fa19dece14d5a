"""Text without what could trick a terminal or an eye: escapes, controls, hidden and reordering characters."""

from __future__ import annotations

import re
from typing import Final

# Sequences first (CSI, then OSC and kin with their end mark), so that their parameters don't stay behind as litter.
_SEQUENCE: Final = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x1b\\\\|\x9c)"
)
_BIDI: Final = "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides, isolates: they reorder what is around them
_TAGS: Final = "\U000e0000-\U000e007f"  # an invisible copy of ASCII
_CONTROLS: Final = "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
_SUBDIVISION_FLAG: Final = "\U0001f3f4[\U000e0030-\U000e007a]{2,6}\U000e007f"  # the flag of Wales: tags at their work
_SUSPECT: Final = re.compile(f"{_SUBDIVISION_FLAG}|[{_CONTROLS}{_BIDI}\ufff9-\ufffb\ud800-\udfff]|[{_TAGS}]+")


def plain(text: str) -> str:
    """Make text safe to write to a terminal; newlines and tabs stay.

    Escape sequences and control characters go. Characters that reorder text, and text hidden in Unicode tags, are shown
    as "[U+202E]" and "[hidden: ...]". A carriage return becomes a newline. Each call stands alone: text that comes in
    pieces stays safe, only a sequence cut in two leaves its harmless parameters behind.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not _SUSPECT.search(text):
        return text
    return _SUSPECT.sub(_for_terminal, _SEQUENCE.sub("", text))


def visible(text: str) -> str:
    """Show what hides: controls as their pictures ("␛"), reordering and hidden characters as in `plain`."""
    return _SUSPECT.sub(_for_page, text) if _SUSPECT.search(text) else text


def one_line(text: str) -> str:
    """Make `plain` text that is one line, for a table cell or a footer."""
    return " ".join(plain(text).split())


def _for_terminal(found: re.Match[str]) -> str:
    return "" if _is_control(found[0]) else _shown(found[0])


def _for_page(found: re.Match[str]) -> str:
    code = ord(found[0][0])
    if _is_control(found[0]):
        return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else f"[U+{code:04X}]"
    return _shown(found[0])


def _is_control(found: str) -> bool:
    code = ord(found[0])
    return code < 0x20 or 0x7F <= code <= 0x9F


def _shown(found: str) -> str:
    code = ord(found[0])
    if code == 0x1F3F4:
        return found
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    if code >= 0xE0000:
        hidden = "".join(chr(ord(c) - 0xE0000) for c in found if 0x20 <= ord(c) - 0xE0000 < 0x7F)
        return f"[hidden: {hidden}]"
    return f"[U+{code:04X}]"
