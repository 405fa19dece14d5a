r"""Putting a notebook's variables into a prompt, and leaving all other braces as they were typed.

The rules, in the order in which they are applied to each `{`:

1.  Only `{name}`, `{name.attribute}`, `{name[0]}`, `{name['key']}` and chains of these are considered, with no space,
    call, format or anything else between the braces, and only if `name` is a variable of the notebook. Modules,
    functions, classes and names that begin with "_" are not variables. Everything else stays as typed: JSON, CSS,
    Python's f-strings with a format, Rust, Go and Jinja templates.
2.  `{{name}}` becomes `{name}` where `{name}` would have been replaced, to send it literally, as with str.format.
    Otherwise `{{name}}` stays as typed. Three or more braces stay as typed.
3.  Maths stays as typed: between `$...$` (not where the signs mean money: `$500 for {x} (in US$)`), `$$...$$`,
    `\(...\)`, `\[...\]` or in an environment such as equation; the arguments of a backslash command (`\frac{a}{b}`,
    `\text{name}`); superscripts (`x^{n}`); and subscripts of a single symbol (`x_{i}`, `\alpha_{i}`, but
    `report_{year}.csv` is replaced).
4.  `${name}` stays as typed: it is the shell's and JavaScript's own form.

Replacements are not searched again: braces in a value are left alone.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.completion.cuts import USUAL, Limits, with_text
from tetrate_jupyter.completion.describe import empty, fitting
from tetrate_jupyter.completion.images import is_image, load_image
from tetrate_jupyter.completion.lookup import STEP, follow, is_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tetrate_jupyter.types import Cut, Image

_PLACE = re.compile(rf"(?<!\{{)(?P<open>\{{{{1,2}})(?!\{{)(?P<name>[^\W\d]\w*)(?P<chain>(?:{STEP})*)\}}")
# What Python would compute: a call, a slice, a format, a sum, or a name between spaces; and a name after a dollar sign.
_COMPUTED = re.compile(
    r"(?<!\{)\{[ ]?(?P<name>[^\W\d]\w*)"
    r"(?:![rsa][^{}\n]{0,40}|:[^\s{}]{1,40}|[.\[(][^{}\n]{1,200}|[ ]?[-+*/%][ ]?[\w.(][^{}\n]{0,200}|=|[ ]|)\}(?!\})"
)
_LOOKBACK: Final = 200  # characters before a brace that are searched for a command that it belongs to
_LONGEST_MATHS: Final = 2_000  # characters; also bounds the search for a closing sign
_NEAR: Final = 0.8  # difflib's ratio: one typing error in a name of five letters
_NAMES_LOOKED_AT: Final = 20
_FREE: Final = ("x", "result", *map("x{}".format, range(1, 100)))  # names for what isn't a variable yet
_CODE_TOLD: Final = 100  # characters
_NAMES_TOLD: Final = 5
_LINE: Final = 300  # characters of a line that are read on either side
_BEFORE: Final = frozenset({"", *" \n\t(\"'“”\u2018\u2019«»„—\u2013:*>-"})
_AFTER: Final = frozenset({"", *" \n\t)\"'“”\u2018\u2019«»,.;:!?…*—\u2013-"})
_CODE = re.compile(r"(?ms)^[ ]{0,3}(?P<fence>```+|~~~+).*?(?:^[ ]{0,3}(?P=fence)|\Z)|`[^`\n]+`|^(?:[ ]{4}|\t)[^\n]*")
_LOOKS_LIKE_CODE = re.compile(
    r"""
    ;\s*$ | \{\s*$     # line ends that only code has
    | => | -> | == | := | != | && | \|\| | \+= | ::
    | \w!?\( | \)\s*\{ | <[/\w] | :// | (?:^|\s)[\w.\]]+\s=\s
    | ["']\s*:\s*[\["'{\d] | ^\s*[{\[]\s*["']  # JSON
    | \b[fFrR]["'] | \{\s | \s\} | \{\}
    | ^\s*(?:import|from|def|class|function|const|let|var|return|while|elif|else|try|except|raise|print|package|use|fn
        |func|struct|enum|public|private|export|switch|case|SELECT|INSERT|UPDATE|echo|curl|sudo|[$>]|--)\b
    | ^\s*(?:\#!|//|/\*)
    """,
    re.VERBOSE | re.MULTILINE,
)
_COMMAND = re.compile(r"\\[A-Za-z]+\*?\Z")
_SYMBOL = re.compile(r"(?:(?<!\w)[^\W_]|\\[A-Za-z]+|[)'])\Z")
_ENVIRONMENTS: Final = r"(?:equation|align|gather|multline|displaymath|math|eqnarray|cases|array|[bBpvV]?matrix)\*?"
_SURELY_MATHS = re.compile(r"\\[A-Za-z]|\^|(?<![^\W_]{2})_")
_BRACED = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"(?<![^\s(\"'])[^\W\d_]{2,}(?![^\s)\"',.;:!?])")  # two letters or more, standing alone
_SIGNS = re.compile(r"[=<>+*|]")
_AMOUNT = re.compile(r"\d[\d.,]*(?:[kKmM]|[bB]n?)?(?![\w^{\\])")
_FUNCTIONS: Final = frozenset(
    {"sin", "cos", "tan", "log", "ln", "exp", "max", "min", "lim", "mod", "det", "arg", "gcd"}
)
_MATHS = re.compile(
    rf"""
    \$\$(?!\$).{{1,{_LONGEST_MATHS}}}?\$\$
    | (?<![\\$])\$(?![\s$])(?:[^$\n\\]|\\.|\n(?!\s*\n)){{0,{_LONGEST_MATHS}}}(?<![\s\\])\$(?![\d$])
    | \\\(.{{1,{_LONGEST_MATHS}}}?\\\)
    | \\\[.{{1,{_LONGEST_MATHS}}}?\\\]
    | \\begin\{{(?P<environment>{_ENVIRONMENTS})\}}.{{0,{_LONGEST_MATHS}}}?\\end\{{(?P=environment)\}}
    """,
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True)
class Interpolated:
    """A prompt with its variables replaced.

    `images` are the images among the variables, in the order of "[image 1: name]" in the text. `names_used` are the
    expressions that were replaced, each once, as typed between the braces. `cuts` is what was left out of their values.
    """

    text: str
    images: tuple[Image, ...] = ()
    names_used: tuple[str, ...] = ()
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True)
class _Place:
    """A place that is replaced by a value or, with `is_literal`, where doubled braces become single ones."""

    start: int
    end: int
    name: str
    chain: str
    is_literal: bool

    @property
    def expression(self) -> str:
        return self.name + self.chain


def interpolate(text: str, namespace: Mapping[str, object], limits: Limits = USUAL, before: int = 0) -> Interpolated:
    """Return `text` with each variable of `namespace` replaced, by the module's rules.

    A figure or image becomes "[image 1: name]" in the text, and an image sent with it, after `before` others; other
    values become text by `described`, within `limits`, whose room all of them share. Raises `AttachmentError` where an
    expression begins with a variable but has no value, or one that can't be sent, and `SecretInPromptError` for a key.
    """
    parts: list[str] = []
    images: list[Image] = []
    cuts: list[Cut] = []
    done: dict[str, str] = {}
    at = 0
    for place in _places(text, namespace):
        parts.append(text[at : place.start])
        at = place.end
        if place.is_literal:
            parts.append(f"{{{place.expression}}}")
            continue
        if place.expression not in done:
            done[place.expression] = _replacement(place, namespace, images, limits, cuts, before=before)
        parts.append(done[place.expression])
        limits = limits.after(parts[-1])
    parts.append(text[at:])
    return Interpolated("".join(parts), tuple(images), tuple(done), tuple(cuts))


def near_misses(text: str, namespace: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return (name as typed, variable) where a name in braces is nearly a variable's: a typing error, most likely.

    Each once, among the first 20 names that aren't variables; names of one or two letters are ignored.
    """
    typed: list[str] = []
    maths: _Maths | None = None
    for found in _PLACE.finditer(text):
        name = found["name"]
        if len(found["open"]) == 2 or len(name) < 3 or name in typed or _normal(name) in namespace:
            continue
        maths = maths or _Maths(text)
        if not _belongs_to_code(text, found.start()) and not maths.holds(found.start()):
            typed.append(name)
    if not typed:
        return ()
    known = [name for name in namespace if _is_named(name, namespace)]
    nearest = ((name, get_close_matches(name, known, 1, _NEAR)) for name in typed[:_NAMES_LOOKED_AT])
    return tuple((name, found[0]) for name, found in nearest if found)


def unknown_names(text: str, namespace: Mapping[str, object]) -> tuple[str, ...]:
    """Return the expressions in single braces that look like variables in prose but aren't, each once.

    Those in code (fenced, indented, between backticks, or in a line that looks like code), JSON or maths are left out,
    and names that begin with "_".
    """
    found: dict[str, None] = {}
    maths: _Maths | None = None
    code: list[tuple[int, int]] | None = None
    for place in _PLACE.finditer(text):
        start, name = place.start(), place["name"]
        if len(place["open"]) == 2 or name.startswith("_") or _is_named(name, namespace):
            continue
        if name + place["chain"] in found:
            continue
        if code is None:
            maths, code = _Maths(text), [each.span() for each in _CODE.finditer(text)]
        if _belongs_to_code(text, start) or (maths is not None and maths.holds(start)):
            continue
        if not _is_within(code, start) and _stands_in_prose(text, start, place.end()):
            found[name + place["chain"]] = None
    return tuple(found)


def computed(text: str, namespace: Mapping[str, object]) -> tuple[str, ...]:
    """Return what begins with a variable in braces in prose but isn't filled in, each once, as it is typed.

    That is what would have to be computed (`{df.head()}`, `{x:.2f}`, `{x + 1}`), `{ x }`, and `${x}`.
    """
    found: dict[str, None] = {}
    maths: _Maths | None = None
    code: list[tuple[int, int]] | None = None
    others = text
    for place in _COMPUTED.finditer(text):
        start, end = place.span()
        is_money = text[start - 1 : start] == "$"
        if not _is_named(place["name"], namespace) or (not is_money and _PLACE.fullmatch(place[0])):
            continue
        if code is None:
            maths, code = _Maths(text), [each.span() for each in _CODE.finditer(text)]
            # Several in one line must not make each other look like code.
            others = _COMPUTED.sub(lambda o: "…" * len(o[0]) if _is_named(o["name"], namespace) else o[0], text)
        start -= is_money
        if text[start:end] in found or _belongs_to_code(text, start) or (maths is not None and maths.holds(start)):
            continue
        if not _is_within(code, start) and _stands_in_prose(others, start, end):
            found[text[start:end]] = None
    return tuple(found)


def _is_within(spans: list[tuple[int, int]], place: int) -> bool:
    """Whether a place lies within one of these, which are in order and apart."""
    before = bisect_right(spans, place, key=lambda span: span[0])
    return before > 0 and place < spans[before - 1][1]


def note_on_computed(text: str, namespace: Mapping[str, object]) -> str:
    """Return a note on what `computed` finds; "" for none."""
    found = computed(text, namespace)
    money = [each for each in found if each.startswith("$")]
    others = [each for each in found if each not in money]
    notes = []
    if others:
        notes.append(f"{_stay(others)} as typed: nothing is computed. {_way(others[0][1:-1], namespace)}")
    if money:
        notes.append(f"{_stay(money)} as typed: braces after a dollar sign are code. Write it apart: $ {money[0][1:]}.")
    return " ".join(notes)


def _way(inner: str, namespace: Mapping[str, object]) -> str:
    """Return how the value of what stands between braces gets into a prompt."""
    bare = inner.strip()
    if _PLACE.fullmatch(f"{{{bare}}}"):
        return f"Write it without spaces: {{{bare}}}."
    name = next((each for each in _FREE if each not in namespace), "_x")
    code = bare if _is_code(bare) else "f" + repr(f"{{{inner}}}")
    if len(code) > _CODE_TOLD or "\n" in code or not _is_code(code):
        code = "..."
    return f"Assign it first: {name} = {code}; then {{{name}}}."


def _is_code(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _stay(found: list[str]) -> str:
    more = f" and {len(found) - _NAMES_TOLD} more" if len(found) > _NAMES_TOLD else ""
    return f"{', '.join(found[:_NAMES_TOLD])}{more} {'stays' if len(found) == 1 else 'stay'}"


def note_on_unknown(text: str, namespace: Mapping[str, object]) -> str:
    """Return a note on expressions that look like variables but aren't filled in; "" for none."""
    near = dict(near_misses(text, namespace))
    notes = [
        f"{{{typed}}} isn't a variable here and stays as typed. Did you mean {{{meant}}}?"
        for typed, meant in near.items()
    ]
    lone = [f"{{{name}}}" for name in unknown_names(text, namespace) if re.split(r"[.\[]", name)[0] not in near]
    if lone:
        more = f" and {len(lone) - _NAMES_TOLD} more" if len(lone) > _NAMES_TOLD else ""
        are = "isn't a variable here and stays" if len(lone) == 1 else "aren't variables here and stay"
        notes.append(f"{', '.join(lone[:_NAMES_TOLD])}{more} {are} as typed.")
    return " ".join(filter(None, (note_on_computed(text, namespace), *notes)))


def _stands_in_prose(text: str, start: int, end: int) -> bool:
    """Whether braces stand between words or punctuation, in a line that doesn't look like code without them."""
    if text[start - 1 : start] not in _BEFORE or text[end : end + 1] not in _AFTER:
        return False
    before = text[max(0, start - _LINE) : start].rpartition("\n")[2]
    after = text[end : end + _LINE].partition("\n")[0]
    return _LOOKS_LIKE_CODE.search(f"{before}…{after}") is None


def _replacement(
    place: _Place,
    namespace: Mapping[str, object],
    images: list[Image],
    limits: Limits,
    cuts: list[Cut],
    *,
    before: int,
) -> str:
    value = follow(namespace[_normal(place.name)], place.chain, place.expression)
    if not is_image(value):
        found = fitting(value, place.expression, limits)
        cuts += with_text(found.cuts, found.text) or empty(value, place.expression)
        return found.text
    images.append(load_image(value))
    return f"[image {before + len(images)}: {place.expression}]"


def _places(text: str, namespace: Mapping[str, object]) -> Iterator[_Place]:
    maths: _Maths | None = None
    for found in _PLACE.finditer(text):
        name, is_doubled = found["name"], len(found["open"]) == 2
        if not _is_named(name, namespace) or (is_doubled and not text.startswith("}", found.end())):
            continue
        maths = maths or _Maths(text)
        if _belongs_to_code(text, found.start()) or maths.holds(found.start()):
            continue
        yield _Place(found.start(), found.end() + is_doubled, name, found["chain"], is_doubled)


def _is_named(name: str, namespace: Mapping[str, object]) -> bool:
    normal = _normal(name)
    return not name.startswith("_") and normal in namespace and is_variable(namespace[normal])


def _normal(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFKC", name)  # as Python normalizes names


def _belongs_to_code(text: str, at: int) -> bool:
    """Whether the text right before a brace makes it part of LaTeX, shell or JavaScript code."""
    before = text[max(0, at - _LOOKBACK) : at]
    last = before[-1:]
    if last in {"$", "^", "\\"}:
        return True
    if last == "_":
        base = before[:-1]
        return _SYMBOL.search(base) is not None or (base.endswith("}") and _ends_with_command(base))
    return _ends_with_command(before)


def _ends_with_command(text: str) -> bool:
    r"""Whether `text` ends in a backslash command, perhaps with arguments: `\sqrt`, `\frac{\sqrt{a}}`."""
    end = len(text)
    while text[:end].endswith(("}", "]")):
        end = _opening(text, end - 1)
        if end < 0:
            return False
    return _COMMAND.search(text, 0, end) is not None


def _opening(text: str, at: int) -> int:
    """Return the position of the bracket that the one at `at` closes, or -1."""
    close = text[at]
    opens, depth = {"}": "{", "]": "["}[close], 0
    for index in range(at, -1, -1):
        depth += (text[index] == close) - (text[index] == opens)
        if depth == 0:
            return index
    return -1


class _Maths:
    """The parts of a text that are maths."""

    def __init__(self, text: str) -> None:
        found = list(_stretches(text)) if "$" in text or "\\" in text else []
        self._starts = [start for start, _ in found]
        self._ends = [end for _, end in found]

    def holds(self, at: int) -> bool:
        """Whether the position `at` is in one of them."""
        nearest = bisect_right(self._starts, at) - 1
        return nearest >= 0 and at < self._ends[nearest]


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while (found := _MATHS.search(text, at)) is not None:
        start, end = found.span()
        if text[start] == "$" and text[start + 1] != "$" and _is_prose(text[start + 1 : end - 1]):
            at = start + 1  # the second sign may open a formula
            continue
        yield start, end
        at = end


def _is_prose(between: str) -> bool:
    """Whether the text between two dollar signs is prose with amounts of money rather than a formula."""
    if between[0] in ")],.;:!?/'\"" or between[-1] in "(,:[/":
        return True  # a formula neither begins nor ends like this: `US$) {x} and (A$`
    if _SURELY_MATHS.search(between):
        return False
    bare = _BRACED.sub(" ", between)
    words = [word for word in _WORD.findall(bare) if word.lower() not in _FUNCTIONS]
    return bool(words) and (_AMOUNT.match(between) is not None or not _SIGNS.search(bare))
