"""The keys of this process, and the one gate: no text leaves with one in it, none is shown or kept with one in it.

A key is every `Secret` that is alive and what the environment's key variables hold, unless it would be found in texts
that have nothing to do with it, as what people give a server of their own that wants some key: one of fewer than
`SHORTEST` characters, words ("lm-studio", "not-needed"), a plain number, the same few characters again and again. What
is longer than `LONGEST` is no key. Searched for are its plain form, the same backwards, base64 (both alphabets, at
each of the three places it can have in what is encoded), hex and percent-encoded; and of each also a part that a cut
may have left, from its beginning or up to its end: half of the key, 12 characters at least and 16 at most.
"""

from __future__ import annotations

import binascii
import functools
import os
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn, ParamSpec, TypeVar

from tetrate_jupyter.characters import clipped, plain
from tetrate_jupyter.needles import any_of, windows
from tetrate_jupyter.secret import ALIVE, KEY_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

P = ParamSpec("P")
T = TypeVar("T")

SHORTEST: Final = 8  # characters of a key that is searched for
LONGEST: Final = 4_096  # what is longer is no key
REACH: Final = 16_384  # characters behind a cut that are searched, too: the longest form of the longest key fits
MARK: Final = "<secret>"
HTML_MARK: Final = "&lt;secret&gt;"
SEEN: Final = "revoke it in the dashboard and make another: it is in the cell and in IPython's history now"
_MESSAGE: Final = 10_000  # characters of an error's message, and of its next step; a person reads a few lines
_LEAST: Final = 12  # characters that a cut must have left of a key, so that they are one
_ENOUGH: Final = 16
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # as it is in a URL
_TOLD_APART: Final = 20  # characters from which on even letters alone are no words
_FEW: Final = 5  # different characters; fewer are "aaaaaaaa" or "abababab"
_MANY: Final = 100  # needles, of some four keys; more are looked for all at once
_LET_OUT: Final = 3  # characters of a form that a stream shows before it waits: "sk-", the same for every key


def _sealed(function: Callable[P, T]) -> Callable[P, T]:
    """Let an error, an interrupt above all, take none of the function's frames along: they hold forms of keys."""

    @functools.wraps(function)
    def call(*arguments: P.args, **options: P.kwargs) -> T:
        problem: BaseException
        try:
            return function(*arguments, **options)
        except BaseException as error:  # noqa: BLE001 - raised again
            problem = error.with_traceback(None)
        raise problem

    return call


@_sealed
def holds(content: str | bytes | bytearray) -> bool:
    """Whether a text, or an encoded body, holds a key in any form, or the part of one that a cut left."""
    return _REGISTRY.forms().are_in(content)


@_sealed
def redact(text: str, mark: str = MARK) -> str:
    """Return the text with every key in it replaced by `mark`."""
    return _REGISTRY.forms().redact(text, mark)


def cleaned(text: str) -> str:
    """Return foreign words as an error may say them: without keys, and characters that act or hide; 10,000 at most."""
    # looked for once what could stand within a key is out, and before a cut hides its end
    return clipped(redact(plain(text[: 2 * _MESSAGE])), _MESSAGE)


@_sealed
def redacted(value: Any, mark: str = MARK) -> Any:  # noqa: ANN401 - JSON in, the same shape out
    """Return a value made of dicts, lists, tuples and texts with every key in its texts replaced by `mark`."""
    forms = _REGISTRY.forms()

    def clean(value: Any) -> Any:  # noqa: ANN401 - as above
        if isinstance(value, str):
            return forms.redact(value, mark)
        if isinstance(value, dict):
            return {clean(k): clean(v) for k, v in value.items()}
        if isinstance(value, list):
            return [clean(each) for each in value]
        return tuple(map(clean, value)) if type(value) is tuple else value

    return clean(value)


def bundle(data: dict[str, str]) -> dict[str, str]:
    """Return a MIME bundle with every key in it replaced."""
    return {kind: redact(text, HTML_MARK if kind == "text/html" else MARK) for kind, text in data.items()}


# --- what looks like a key that this process doesn't know -------------------------------------------------------

# Patterns, compiled at their first use: loading the extension imports this.
_WORD: Final = r"(?<![A-Za-z0-9_])"
_LIKELY: Final = _WORD + r"sk-(?=[\w-]*[0-9A-Z]|[\w-]{16})[\w-]{8,}|\b[Bb]earer\s+(?=\S*\d)[\w.~+/=-]{12,}"
_POSSIBLE: Final = _WORD + r"sk-[^\s'\"]{4,}|(?i:\bbearer\s+\S)"


def looks_secret(text: str, *, lenient: bool = False) -> bool:
    """Whether a text holds a known key, or what looks like one: "sk-" and more, "Bearer ...", "TETRATE_API_KEY=...".

    A word such as "sk-learn" or "sk-..." is none. `lenient`: where there is no use for anything that begins with "sk-",
    so that a doubtful word counts as well.
    """
    if re.search(_POSSIBLE if lenient else _LIKELY, text) or holds(text):
        return True
    return any(re.search(rf"\b{name}\s*=\s*['\"]?[^\s'\"]", text) for name in KEY_VARIABLES)


@_sealed
def blotted(text: str, mark: str = MARK) -> str:
    """Return the text with every known key in it, and what looks like one, replaced: for what is kept for long."""
    text = redact(text, mark)
    if "sk-" in text or "earer" in text:
        text = re.sub(_LIKELY, mark, text)
    for name in KEY_VARIABLES:
        if name in text:
            text = re.sub(rf"(\b{name}\s*=\s*['\"]?)[^\s'\"]+", lambda found: f"{found[1]}{mark}", text)
    return text


# --- text that comes in pieces ------------------------------------------------------------------------------------


class Passing:
    """Text that comes in pieces and leaves without keys, however they were cut. Costs the same for each piece.

    What may become a key is held back until that is decided: at most as many characters as a key's longest form has.
    The keys are those known when this was made.
    """

    __slots__ = ("_before", "_forms", "_held")

    @_sealed
    def __init__(self) -> None:
        forms = _REGISTRY.forms()
        self._forms: Callable[[], _Forms] = lambda: forms  # what walks through attributes shows no closure
        self._before = ""  # the last characters let out: a key may have begun with them
        self._held = ""

    @_sealed
    def feed(self, piece: str) -> str:
        """Take the next piece; return what may be shown now."""
        if not piece:
            return ""
        if not self._held and not self._forms().may_begin(self._before + piece):
            self._before = (self._before + piece)[-_LET_OUT:]
            return piece
        text, out = self._before + self._held + piece, []
        done = len(self._before)  # all before this is out, or blotted
        left, hold = 0, len(text)
        for start, end in self._forms().matches(text):
            if end is None:
                hold = start
                break
            out += [text[done:start], MARK]
            left = done = end
        if done <= hold:
            out.append(text[done:hold])
            self._before, self._held = text[max(left, hold - _LET_OUT) : hold], text[hold:]
        else:  # it began with what is out
            self._held = text[done:]
        return "".join(out)

    @_sealed
    def finish(self) -> str:
        """Return what was still held back: the mark, where it is enough of a key."""
        text, held = self._before + self._held, self._held
        self._before = self._held = ""
        return self._forms().blotted_end(text, len(text) - len(held))

    def __repr__(self) -> str:
        return "<Passing>"


# --- the forms of the keys that are known now -----------------------------------------------------------------------


class _KeyForm:
    """One form of one key: `head` and `tail` are what of it is enough to be it."""

    __slots__ = ("head", "tail", "whole")

    def __init__(self, whole: str, enough: int) -> None:
        self.whole = whole
        self.head = whole[:enough]
        self.tail = whole[-enough:]

    def length_at(self, text: str, start: int) -> int:
        """Return how many of its characters stand in `text` from `start` on."""
        return _common(self.whole, text[start : start + len(self.whole)])

    def length_before(self, text: str, end: int) -> int:
        """Return how many of its characters stand in `text` up to `end`."""
        before = text[max(0, end - len(self.whole)) : end]
        return _common(self.whole[::-1], before[::-1])


class _Forms:
    """All forms of some keys. Shows and gives away nothing of them."""

    __slots__ = ("_all", "_begins", "_by_begin", "_needles", "_raw", "_windows", "of", "values")

    def __init__(self, values: frozenset[str], before: _Forms | None = None) -> None:
        self.values = values
        self.of: dict[str, tuple[_KeyForm, ...]] = {}  # by their keys; those of keys that stay are made once
        for value in values:
            known = None if before is None else before.of.get(value)
            self.of[value] = known or tuple(_forms_of(value))
        self._all = tuple(form for forms in self.of.values() for form in forms)
        self._needles = tuple(dict.fromkeys(part for form in self._all for part in (form.head, form.tail)))
        self._raw = tuple(needle.encode("utf-8", "surrogatepass") for needle in self._needles)
        self._windows = windows(self._raw) if len(self._raw) > _MANY else None
        self._by_begin: dict[str, list[_KeyForm]] = {}
        for form in self._all:
            self._by_begin.setdefault(form.whole[: _LET_OUT + 1], []).append(form)
        self._begins = re.compile(any_of(self._by_begin)) if values else None

    def redact(self, text: str, mark: str) -> str:
        return self.blotted(text, mark) if self.are_in(text) else text

    def are_in(self, content: str | bytes | bytearray) -> bool:
        if self._windows is not None:
            data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
            return any(needle in data for each in self._windows for needle in each.likely(data))
        if isinstance(content, str):
            return any(needle in content for needle in self._needles)
        return any(needle in content for needle in self._raw)

    def may_begin(self, text: str) -> bool:
        return self._begins is not None and self._begins.search(text) is not None

    def matches(self, text: str) -> Iterator[tuple[int, int | None]]:
        """Yield (start, end) of each form from its beginning on; the last end is None where it isn't decided yet."""
        at = 0
        while self._begins is not None and (found := self._begins.search(text, at)):
            start = found.start()
            lengths = [(form, form.length_at(text, start)) for form in self._by_begin[found[0]]]
            if whole := max((length for form, length in lengths if length == len(form.whole)), default=0):
                yield start, start + whole
                at = start + whole
            elif any(start + length == len(text) for _, length in lengths):
                yield start, None
                return
            elif part := max((length for form, length in lengths if length >= len(form.head)), default=0):
                yield start, start + part
                at = start + part
            else:
                at = start + 1

    def blotted(self, text: str, mark: str) -> str:
        out, done = [], 0
        for start, end in sorted(self._spans(text)):
            if start >= done:
                out += [text[done:start], mark]
            done = max(done, end)
        return "".join([*out, text[done:]])

    def blotted_end(self, text: str, shown: int) -> str:
        """Return `text` from `shown` on, its end blotted where it is the beginning of a form and enough of it."""
        for start, end in self.matches(text):
            if end is None:
                likely = self._by_begin.get(text[start : start + _LET_OUT + 1], ())
                enough = any(text.startswith(form.head, start) for form in likely)
                return text[shown:start] + MARK if enough else text[shown:]
        return text[shown:]

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        present = self._present(text)
        for form in self._all:
            if form.head not in present and form.tail not in present:
                continue
            at = 0
            while (start := text.find(form.head, at)) >= 0:
                at = start + form.length_at(text, start)
                yield start, at
            at = 0
            while (start := text.find(form.tail, at)) >= 0:
                at = start + len(form.tail)
                yield at - form.length_before(text, at), at

    def _present(self, text: str) -> frozenset[str]:
        """Return the needles that are in a text."""
        if self._windows is None:
            return frozenset(needle for needle in self._needles if needle in text)
        data = text.encode("utf-8", "surrogatepass")
        likely = (needle for each in self._windows for needle in each.likely(data))
        return frozenset(needle.decode("utf-8", "surrogatepass") for needle in likely if needle in data)

    def __repr__(self) -> str:
        return "<secrets>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets can't be pickled")


def _forms_of(value: str) -> Iterable[_KeyForm]:
    data = value.encode("utf-8", "surrogatepass")
    enough = min(len(data), _ENOUGH, max(_LEAST, len(data) // 2))  # characters of the key
    found = dict.fromkeys((value, value[::-1], *_escaped(value)), enough)
    for text in (data.hex(), data.hex().upper()):
        found[text] = 2 * enough
    for pattern in ("%%%02x", "%%%02X"):
        found["".join(pattern % byte for byte in data)] = 3 * enough
        quoted = "".join(chr(byte) if byte in _PLAIN else pattern % byte for byte in data)
        found.setdefault(quoted, enough)
    for shift in range(3):  # what stands before it in the encoded data decides where its bits begin
        skip = -(-shift * 8 // 6)
        known = (shift + len(data)) * 8 // 6  # characters of which every bit is the key's
        text = binascii.b2a_base64(b"\0" * shift + data, newline=False).decode()[skip:known]
        for alphabet in (text, text.replace("+", "-").replace("/", "_")):
            found[alphabet] = (shift + enough) * 8 // 6 - skip
    return [_KeyForm(text, length) for text, length in found.items()]


def _is_searched(value: str) -> bool:
    """Whether a key is unlike what stands in other texts anyway."""
    if not SHORTEST <= len(value) <= LONGEST or len(set(value)) < _FEW:
        return False
    word = "(?:[A-Z]?[a-z]+|[A-Z]+)"
    return len(value) >= _TOLD_APART or re.fullmatch(rf"{word}(?:[\W_]{word})*|\d+", value) is None


def _common(one: str, other: str) -> int:
    differing = (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


def _escaped(value: str) -> tuple[str, ...]:
    """Return an odd key as it stands in JSON, in JSON within JSON, and in HTML; others stand there as they are."""
    once = value.replace("\\", "\\\\").replace('"', '\\"')
    twice = once.replace("\\", "\\\\").replace('"', '\\"')
    page = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return once, twice, page


class _Registry:
    """The forms of the secrets that are alive: made anew where those, or the environment, have changed."""

    def __init__(self) -> None:
        self._made: tuple[object, _Forms] = (None, _Forms(frozenset()))

    def forms(self) -> _Forms:
        environment = [os.environ.get(name, "") for name in KEY_VARIABLES]
        seen = ALIVE.state, environment
        made_of, forms = self._made
        if seen != made_of:
            texts = [text.strip() for text in (*(secret.reveal() for secret in ALIVE), *environment)]
            values = frozenset(filter(_is_searched, texts))
            if values != forms.values:
                forms = _Forms(values, forms)
            self._made = seen, forms
        return forms

    def __repr__(self) -> str:
        return "<secrets>"


_REGISTRY: Final = _Registry()
