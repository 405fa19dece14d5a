"""Formulas: LaTeX in, MathML out; what can't be converted is shown as its source."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.render.escape import escape

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_FORMULA: Final = 3_000  # characters; a longer one is not a formula that anybody reads
_MAX_DEPTH: Final = 60  # nested groups; beyond, the converter's recursion is at risk

# Commands that define commands (they can grow without end), link, style or name things: shown as source.
_REFUSED: Final = re.compile(
    r"\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecommand|DeclareMathOperator|(?:re)?newenvironment|csname|loop"
    r"|href|url|style|class|cssId|html\w*|unicode|require|includegraphics|data|toggle|texttip|mathtip|action|begingroup"
    r"|enclose|bbox|input|include|write|catcode|expandafter)(?![A-Za-z])"
)

_TAGS: Final = (
    "math mrow mi mn mo mtext mspace ms msup msub msubsup mfrac msqrt mroot mover munder munderover mtable mtr mtd"
    " mstyle mpadded mphantom mmultiscripts mprescripts none menclose"
)
TAGS: Final = frozenset(_TAGS.split())
_WORD: Final = re.compile(r"[a-z][a-z-]{0,30}(?: [a-z][a-z-]{0,30}){0,40}")
_LENGTH: Final = re.compile(r"-?\d{0,2}(?:\.\d{0,6})?(?:em|ex|px|pt|mu|%)?")
_WORD_VALUED: Final = (
    "display mathvariant stretchy fence form accent accentunder displaystyle separator movablelimits largeop symmetric"
    " columnalign columnlines rowlines frame notation"
)
_WORDS: Final = frozenset(_WORD_VALUED.split())
_LENGTH_VALUED: Final = (
    "width height depth lspace rspace minsize maxsize linethickness columnspacing rowspacing mathsize scriptlevel"
)
_LENGTHS: Final = frozenset(_LENGTH_VALUED.split())
# Browsers know neither TeX's unit nor the names that MathML once had for lengths.
_NAMED_SPACES: Final = {"thinmathspace": 3, "mediummathspace": 4, "thickmathspace": 5}
_MU: Final = re.compile(r"(-?)(\d{1,2}(?:\.\d{0,6})?)mu")  # an eighteenth of an em


@lru_cache(maxsize=256)  # a formula is rendered again in the final output and while its paragraph grows
def formula(latex: str, *, display: bool) -> str:
    """Return a formula as HTML: MathML beside its hidden source, or the source alone where it can't be converted.

    Where a front end takes MathML and stylesheets out (an untrusted notebook in JupyterLab), `hidden` keeps the ruins
    of the MathML out of sight and the source shows instead; our stylesheet turns this around.
    """
    source = escape(latex.strip())
    converted = _mathml(latex, display=display)
    block = " tetrate-display" if display else ""
    if converted is None:
        return f'<code class="tetrate-source{block}" dir="ltr">{source}</code>'
    return (
        f'<span class="tetrate-maths{block}" dir="ltr" hidden>{converted}</span>'
        f'<code class="tetrate-tex" dir="ltr">{source}</code>'
    )


def _mathml(latex: str, *, display: bool) -> str | None:
    if not latex.strip() or len(latex) > MAX_FORMULA or _REFUSED.search(latex) or _depth(latex) > _MAX_DEPTH:
        return None
    try:
        from latex2mathml.converter import convert_to_element

        root = convert_to_element(latex.strip(), display="block" if display else "inline")
        out: list[str] = []
        understood = _write(root, out)
    except Exception:  # noqa: BLE001 - a foreign parser fed by a model: whatever it raises, the reader sees the source
        return None
    return "".join(out) if understood else None


def _write(element: Element, out: list[str]) -> bool:
    """Serialise what is whitelisted; False where the converter did not understand a command."""
    tag = element.tag if element.tag in TAGS else "mrow"
    pairs = ((k, _in_em(v) if k in _LENGTHS else v) for k, v in element.attrib.items())
    attributes = "".join(f' {k}="{v}"' for k, v in pairs if _allowed(k, v))
    text = html.unescape(element.text or "")  # the converter writes its symbols as entities
    if text[:1] == "\\" and text[1:2].isalpha():
        return False
    out.append(f"<{tag}{attributes}>{escape(text)}")
    understood = all(_write(child, out) for child in element)
    out.append(f"</{tag}>")
    return understood


def _in_em(length: str) -> str:
    named = _NAMED_SPACES.get(length.removeprefix("negative"))
    if named is not None:
        return f"{'-' if length.startswith('negative') else ''}{named / 18:.3f}em"
    found = _MU.fullmatch(length)
    return length if found is None else f"{found[1]}{float(found[2]) / 18:.3f}em"


def _allowed(name: str, value: str) -> bool:
    if name in _WORDS:
        return _WORD.fullmatch(value) is not None
    if name not in _LENGTHS or not _LENGTH.fullmatch(value):
        return False
    # A large negative space would lay the formula over what is beside it.
    return not value.startswith("-") or value.startswith(("-0", "-."))


def _depth(latex: str) -> int:
    depth = deepest = 0
    for found in re.finditer(r"\\left|\\right|\\begin|\\end|[{}_^]", latex):
        step = found[0]
        if step in ("{", "\\left", "\\begin"):
            depth += 1
            deepest = max(deepest, depth)
        elif step in ("}", "\\right", "\\end"):
            depth -= 1
    return deepest
