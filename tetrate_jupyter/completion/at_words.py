r"""Find the words of a prompt that begin with "@" and name something to send along; all other text stays as typed.

The rules, in the order in which they are applied to each `@`:

1.  Candidates are `@[12]`, `@above`, `@notebook`, `@error`, and paths: `@` and a name with a "/" or a dot in it, or any
    name in quotes (`@"my notes.md"`). The character before must not be a letter, a digit or one of
    `` @`/.=#$&%~^ ``, nor ":" before a path: e-mail addresses, URLs and `key=@value` stay as typed.
2.  Code stays as typed: between fences or backticks; `@error(`, `@error[`, `@error.x`, `x[@error]`, `x = @error` and
    `@error` before an assignment or comparison (`=`, `:=`, `<>`, `> 0`); a word that is followed by a `def` or `class`
    on the next line (a decorator), or that begins a line which ends in ";" or "{" (a style sheet); the value of a
    command's option (`curl -d @data.json`); imports (`from "@app/main.ts"`); SQL's variables next to its keywords
    (`DECLARE @error INT`); Julia's `@error "text"`.
3.  A path counts if it names something in the working folder, or is clearly a file's (`@./`, `@../`, `@~/`); one that
    names nothing stays as typed (`@types/node`, `@app.route`).
4.  `\@above` becomes `@above` where `@above` would have counted, to send it literally. Otherwise `\@` stays as typed.

What is sent along is not searched again: an `@` in a cell or a file names nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMES: Final = ("above", "notebook", "error")
BEFORE: Final = r"(?<![\w@`/.=#$&%~^\\])(?<![\w\])]\[)"
_MOST_PATHS: Final = 1_000  # different paths in a prompt that are looked up on disk; a pasted diff may have more
_WORD = re.compile(
    BEFORE
    + rf"""(?P<escape>\\?)@(?:
        \[(?P<cell>[0-9]{{1,18}})\](?![\w\[(@])
      | (?P<name>{"|".join(NAMES)})(?![\w(\[{{@/\\]|[.:-]\w)
      | "(?P<quoted>[^"\n]{{1,500}})"
      | (?P<path>[\w.~/][\w./~+@%=\#&-]{{0,499}})
    )""",
    re.VERBOSE,
)
_CODE = re.compile(
    r"(?ms)^[ ]{0,3}(?P<fence>```+|~~~+).*?(?:^[ ]{0,3}(?P=fence)|\Z)"
    r"|(?<!`)(?P<tick>`{1,9})(?!`)[^\n]{1,300}?(?<!`)(?P=tick)(?!`)"
)
_SUFFIX = re.compile(r"\.\w")
_LETTER = re.compile(r"\w")
_PLAINLY = re.compile(r"(?:\.{1,2}|~)/")
_ASSIGNED = re.compile(r"[ \t]*(?:(?:\|\||&&|[-+*/%:<>!])?=|<>|<<|[<>][ \t]*[-'\d@])")
_GIVEN = re.compile(r"""(?:\s--?[A-Za-z][\w-]*[ \t]+["']?|\b(?:from|import|require)[ \t(]*["'])\Z""")
_SQL_BEFORE = re.compile(r"\b(?:DECLARE|declare|EXEC|EXECUTE|INTO|PRINT|RETURN|SELECT|SET|VALUES[ \t]*\()[ \t]*\Z")
_SQL_AFTER = re.compile(r"[ \t]+(?:AS[ \t]+)?(?:BIGINT|BIT|INT|N?VARCHAR|OUT|OUTPUT)\b")
_JULIA_BEFORE = re.compile(r"(?:[\n;(]|&&|\|\|)[ \t]*\Z")
_JULIA_AFTER = re.compile(r"[ \t]+\"")
_DECORATES = re.compile(
    r"[ \t]*(?:\#[^\n]*)?\n(?:[ \t]*(?:[@#][^\n]*)?\n){0,20}[ \t]*(?:async[ \t]+def|def|class)[ \t]"
)
_BEGUN = re.compile(r"\{[^\W\d]?\w*\Z"), re.compile(rf"{BEFORE}@(?:\"[^\"]*|[^\s\"]*)\Z")
_TRAILING: Final = ".-~+@%=#&"  # punctuation that may belong to the sentence at the end of a path
_LINE: Final = 2_000  # characters of a line's end that are searched
_BACK: Final = 200  # characters before a word that are searched


@dataclass(frozen=True)
class Word:
    """One word, from `start` to `end` in the text. `value`: the number of a cell, a name, or a path.

    `is_literal`: a backslash precedes it, which is removed, and it names nothing.
    """

    start: int
    end: int
    kind: Literal["cell", "name", "path"]
    value: str
    is_literal: bool


def words(text: str, is_there: Callable[[str], bool]) -> list[Word]:
    """Return the words that count by the module's rules. `is_there`: whether a path names something in the folder."""
    if "@" not in text:
        return []
    known: dict[str, bool] = {}

    def counts(path: str) -> bool:
        if path not in known:
            known[path] = len(known) < _MOST_PATHS and is_there(path)
        return known[path]

    found = []
    for match in _matches(text):
        word = _path(match, counts) if match["path"] or match["quoted"] else _named(match, text)
        if word is not None:
            found.append(word)
    return found


def paths(text: str) -> Iterator[str]:
    """Yield whatever looks like a path after an `@`, whether it names a file or not."""
    for match in _matches(text) if "@" in text else ():
        path = (match["path"] or "").rstrip(_TRAILING)
        if _is_like_a_file(path) and not match["escape"]:
            yield path


def begun(line: str) -> str:
    """Return what the end of a line begins, up to the cursor: a variable or a word ("{sa", "@da"), else ""."""
    found = next(filter(None, (begins.search(line[-_LINE:]) for begins in _BEGUN)), None)
    return found[0] if found else ""


def without_escapes(text: str, found: list[Word]) -> str:
    """Return the text without the backslashes of literal words."""
    parts, at = [], 0
    for word in found:
        if word.is_literal:
            parts.append(text[at : word.start])
            at = word.start + 1
    return "".join([*parts, text[at:]])


def _matches(text: str) -> Iterator[re.Match[str]]:
    """Yield the candidates for words outside of code."""
    code = [found.span() for found in _CODE.finditer(text)]
    starts = [start for start, _ in code]
    for match in _WORD.finditer(text):
        place = bisect_right(starts, match.start()) - 1
        is_code = place >= 0 and match.start() < code[place][1]
        if not is_code and not _GIVEN.search(_before(text, match.start())):
            yield match


def _before(text: str, start: int) -> str:
    """Return the text before a position, with a line break at the beginning of the text."""
    return text[start - _BACK : start] if start > _BACK else f"\n{text[:start]}"


def _named(match: re.Match[str], text: str) -> Word | None:
    start, end = match.span()
    before = _before(text, start)
    if before.rstrip(" \t").endswith("=") or _ASSIGNED.match(text, end):
        return None
    if match["cell"]:
        return Word(start, end, "cell", match["cell"], bool(match["escape"]))
    begins_line = before.rstrip(" \t").endswith("\n")
    if begins_line and (_DECORATES.match(text, end) or _line_end(text, end) in {";", "{"}):
        return None
    if _SQL_BEFORE.search(before) or _SQL_AFTER.match(text, end):
        return None
    if match["name"] == "error" and _JULIA_AFTER.match(text, end) and _JULIA_BEFORE.search(before):
        return None
    return Word(start, end, "name", match["name"], bool(match["escape"]))


def _line_end(text: str, at: int) -> str:
    """Return the last character of the line at `at`."""
    end = text.find("\n", at)
    return text[at : len(text) if end < 0 else end][-_LINE:].rstrip()[-1:]


def _is_like_a_file(path: str) -> bool:
    return _SUFFIX.search(path) is not None or ("/" in path and _LETTER.search(path) is not None)


def _path(match: re.Match[str], is_there: Callable[[str], bool]) -> Word | None:
    start, end = match.span()
    if match.string[start - 1 : start] == ":":  # https://user:@host.com
        return None
    quoted: str | None = match["quoted"]
    if quoted is not None:
        return Word(start, end, "path", quoted, bool(match["escape"])) if is_there(quoted) else None
    whole: str = match["path"]
    if match.string[end : end + 1] == "(" or not _is_like_a_file(whole):
        return None
    short = whole.rstrip(_TRAILING)
    for path in dict.fromkeys((whole, short)):
        if path and is_there(path):
            return Word(start, end - len(whole) + len(path), "path", path, bool(match["escape"]))
    if _PLAINLY.match(short) and not short.endswith("/"):
        return Word(start, end - len(whole) + len(short), "path", short, bool(match["escape"]))
    return None
