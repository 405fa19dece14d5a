"""What a model proposes to change in a cell: taken from its reply, checked, shown as a diff; nothing is applied."""

from __future__ import annotations

import difflib
import json
import re
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.characters import one_line, spelled_out
from tetrate_jupyter.completion.foreign import name_of, text_of
from tetrate_jupyter.completion.material import counted
from tetrate_jupyter.failures.collected import MAX_CELL

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.failures.cells import NotebookCell
    from tetrate_jupyter.failures.collected import Failure
    from tetrate_jupyter.failures.parts import Sent

HOW: Final = "%tetrate_fix --apply puts it into a new cell; nothing is run."
_PYTHON: Final = frozenset({"", "py", "python", "python3", "ipython", "ipython3", "python-repl", "jupyter"})
_NOT_CODE: Final = frozenset(
    {"text", "txt", "json", "diff", "patch", "console", "output", "pytb", "traceback", "markdown"}
)
_MEMBERS: Final = ("source", "code", "new_source")  # of a reply in JSON
_BODIES: Final = re.compile(r"\s*%%(?:time|timeit|capture|prun|memit)\b[^\n]*\n(?P<body>.*)", re.DOTALL)
_LEFT_OUT: Final = re.compile(
    r"^\s*#\s*(?:\.{3}|…)|^\s*#.*\b(?:rest|remainder) of (?:the|your)\b"
    r"|^\s*#\s*\(?(?:existing|unchanged|remaining|previous|same) (?:code|cell|lines|as)\b",
    re.IGNORECASE,
)
_PART: Final = 5  # lines of a cell from which on a reply of less than half of them is only a part of it
_LONGEST: Final = 4 * MAX_CELL  # characters of a reply's code; no change of a cell makes more of it
_BROKEN: Final = (
    "The reply broke off: there is no change to apply; more tokens (--max-tokens) or another model may help."
)
_WORDS: Final = re.compile(r"\w+")
_COMPARED: Final = 2_000  # characters that are compared one by one
_BLOCKS: Final = 20  # of a reply that are looked at


@dataclass(frozen=True)
class Fix:
    """What a model proposes for a cell; `session.fix` and `session.improve` give it, and nothing is changed by it.

    `explanation` is Markdown. `source` is the cell's new source, or None where the reply has none that can be used:
    then `problem` says why. `cell` is the number of the cell that it is for (In[3]; None without one), `original` what
    that holds. `sent` is what was sent, `answer` the whole reply. `wish`: "fix", or what `session.improve` was asked
    for; code for a cell of its own ("test", "continue") replaces nothing, so that `original` is "" there.
    """

    __module__ = "tetrate_jupyter"

    explanation: str
    source: str | None
    problem: str
    cell: int | None
    original: str
    sent: Sent
    answer: Answer
    wish: str = "fix"

    @classmethod
    def read(cls, answer: Answer, failure: Failure, sent: Sent, shell: InteractiveShell | None = None) -> Fix:
        """Read a reply. Code of which the shell can't make Python is not taken, nor a part of a cell."""
        cells = [cell for cell in (failure.cell, *failure.others) if cell is not None and len(cell.source) <= MAX_CELL]
        found = read_reply(answer, cells, lambda code, cell: _unusable(code, cell.source, shell))
        cell = found.cell or failure.cell
        number, original = (cell.number, cell.source) if cell is not None else (None, "")
        return cls(found.explanation, found.source, found.problem, number, original, sent, answer)

    @property
    def cost(self) -> Decimal | None:
        """What it cost, in US dollars, estimated; None for unknown."""
        return self.answer.cost

    @cached_property
    def diff(self) -> str:
        """The change as a unified diff, "" where there is none. What hides in a line is spelled out."""
        if self.source is None or not self.original:
            return ""
        old, new = (spelled_out(text)[0].rstrip("\n").split("\n") for text in (self.original, self.source))
        lines = list(difflib.unified_diff(old, new, lineterm="", n=3))
        return "\n".join(lines[2:])  # without the names of files, which cells don't have

    @property
    def name(self) -> str:
        """The cell that it is for: "cell 3"."""
        return "the cell" if self.cell is None else f"cell {self.cell}"

    def __repr__(self) -> str:
        if self.source is None:
            return one_line(f"<Fix of {self.name}: none; {self.problem}>")
        if not self.diff:
            return f"<Fix: new code, {counted(len(self.source.splitlines()), 'line')}>"
        lines = self.diff.split("\n")
        more, less = (sum(line.startswith(sign) for line in lines) for sign in "+-")
        return f"<Fix of {self.name}: {more} lines added, {less} removed>"

    def bundle(self, *, footer: bool = True, how: bool = True, parts: bool = True) -> dict[str, str]:
        """Return it as a MIME bundle: safe HTML, and plain text.

        `footer` adds the quiet line, `how` a sentence on how to apply it, `parts` what was sent by the names of its
        parts, which may have been told just above; the text itself unfolds in either case.
        """
        from tetrate_jupyter import secrecy
        from tetrate_jupyter.render.answer import answer_html, answer_plain
        from tetrate_jupyter.render.code import code_block
        from tetrate_jupyter.render.escape import escape
        from tetrate_jupyter.render.markdown import render

        line = self.answer.footer if footer else ""
        notices = (*([self.problem] if self.problem else []), *self.answer.notices)
        body, texts = [render(self.explanation)], [self.explanation]
        if self.source is not None:
            code = self.diff or spelled_out(self.source)[0]
            body.append(code_block(f"{code}\n", "diff" if self.diff else "python"))
            texts.append(code)
            if how:
                body.append(f"<p>{escape(self.how)}</p>")
                texts.append(self.how)
        sent = f"Sent: {self.sent.summary}" if parts else "Show what was sent"
        body.append(
            f'<details class="tetrate-reasoning"><summary>{escape(one_line(sent))}</summary>'
            f'<div class="tetrate-body">{code_block(str(self.sent))}</div></details>'
        )
        html = answer_html("".join(body), footer=line, notices=notices)
        plain = answer_plain("\n\n".join(text for text in texts if text), footer=line, notices=notices)
        return secrecy.bundle({"text/plain": plain, "text/html": html})

    @property
    def how(self) -> str:
        """What to do with it, in a sentence."""
        if self.wish != "fix":
            return f"{'New code' if not self.original else 'The change'}: nothing was changed or run; .source has it."
        return f"The change of {self.name}. {HOW}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.bundle()


@dataclass(frozen=True)
class Taken:
    """What was read from a reply; `cell` is the one that `source` is for."""

    explanation: str
    source: str | None = None
    problem: str = ""
    cell: NotebookCell | None = None


@dataclass(frozen=True)
class _Block:
    """A fenced block of a reply, and the reply without it."""

    code: str
    is_closed: bool
    rest: str


def read_reply(
    answer: Answer, cells: list[NotebookCell], judge: Callable[[str, NotebookCell], str], *, is_new: bool = False
) -> Taken:
    """Return the code of a reply for one of the cells. `judge` says why it can't be used, "" where it can.

    `is_new`: the code is for a cell of its own, and needn't look like any of them.
    """
    text = answer.text.replace("\r\n", "\n").strip()
    if answer.refusal:
        return Taken(text, problem="The model refused, and proposes no change.")
    if answer.finish_reason == "length" or answer.partial is not None:  # not looked at: an interrupt must come back
        return Taken(text, problem=_BROKEN)
    blocks = _blocks(text, is_python=not any(c.source.lstrip().startswith("%%") for c in cells))
    if any(not b.is_closed for b in blocks):
        return Taken(text, problem=_BROKEN)
    if not blocks or not cells:
        return Taken(text, problem="The reply has no code for the cell: there is no change to apply.")
    block, cell = _nearest(blocks, cells, by_length=is_new)
    problem = judge(block.code, cell)
    if problem:
        return Taken(text, problem=f"{problem}: there is no change to apply.", cell=cell)
    return Taken(block.rest, block.code, cell=cell)


def _blocks(text: str, *, is_python: bool) -> list[_Block]:
    whole = _from_json(text)
    if whole is not None:
        return [whole]
    from tetrate_jupyter.render import syntax
    from tetrate_jupyter.render.code import label

    lines = text.split("\n")
    found: list[_Block] = []
    for token in syntax.blocks(text):
        if len(found) == _BLOCKS:
            break
        language = label(token.info) if token.type == "fence" else "text"
        if token.map is None or language in _NOT_CODE or (is_python and language not in _PYTHON):
            continue
        first, end = token.map
        last = lines[end - 1].strip()
        closed = end - first > 1 and set(last) <= set(token.markup) and len(last) >= len(token.markup)
        rest = "\n".join([*lines[:first], *lines[end:]]).strip()
        found.append(_Block(token.content.removesuffix("\n"), closed, rest))
    return found


def _from_json(text: str) -> _Block | None:
    """Read a reply of a model that answers everything in JSON."""
    if not text.startswith("{") or len(text) > _LONGEST:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    source = next((value[name] for name in _MEMBERS if isinstance(value.get(name), str)), None)
    told = value.get("explanation")
    return None if source is None else _Block(source, True, told if isinstance(told, str) else "")


def _nearest(blocks: list[_Block], cells: list[NotebookCell], *, by_length: bool) -> tuple[_Block, NotebookCell]:
    """Return the block that is most like one of the cells, without being it; a reply may quote more than the change.

    `by_length`: the longest of them.
    """
    pairs = [(block, cell) for block in blocks for cell in cells if len(block.code) <= _LONGEST]
    changed = [(block, cell) for block, cell in pairs if block.code.strip() != cell.source.strip()]
    if not changed:
        return blocks[0], cells[0]
    if by_length:
        return max(changed, key=lambda pair: len(pair[0].code))
    return max(changed, key=lambda pair: _likeness(pair[0].code, pair[1].source))


def _likeness(code: str, source: str) -> float:
    one, other = (text.strip().split("\n") for text in (code, source))
    lines = difflib.SequenceMatcher(None, one, other).ratio()
    words = difflib.SequenceMatcher(None, code[:_COMPARED].split(), source[:_COMPARED].split()).quick_ratio()
    return lines + words / 10  # a cell of one line has no line in common with its change


def _unusable(code: str, source: str, shell: InteractiveShell | None) -> str:
    """Return why code can't take a cell's place, "" where it can."""
    if problem := worthless(code, source):
        return problem
    if problem := not_python(code, shell):
        return f"The reply's code isn't Python ({problem})"
    return cut_short(code, source)


def worthless(code: str, source: str) -> str:
    """Return why code is none worth looking at, beside this source; "" where it is."""
    if not code.strip():
        return "The reply's code is empty"
    if len(code) > _LONGEST:
        return f"The reply's code has {len(code):,} characters, far more than the cell"
    if code.strip() == source.strip():
        return "The reply's code is the cell as it stands"
    return ""


def cut_short(code: str, source: str, *, may_shorten: bool = False) -> str:
    """Return what says that code is only a part of the cell, "" where it is all of it.

    `may_shorten`: of fewer lines nothing is said.
    """
    lines, before = code.split("\n"), source.split("\n")
    if any(_LEFT_OUT.search(line) for line in set(lines) - set(before)):
        return "The reply's code leaves parts of the cell out"
    had, has = (sum(bool(line.strip()) for line in each) for each in (before, lines))
    if had >= _PART and has < had / 2 and not may_shorten:
        return "The reply's code is only a part of the cell"
    if not _is_alike(code, source):
        return "The reply's code has nothing to do with the cell"
    return ""


def _is_alike(code: str, source: str) -> bool:
    """Whether one may be a change of the other: a quarter of its words are left, or half of its characters."""
    left, known = (set(_WORDS.findall(text)) for text in (code, source))
    if len(left & known) >= len(known) / 4:
        return True
    return difflib.SequenceMatcher(None, code[:_COMPARED], source[:_COMPARED]).ratio() >= 0.5


def not_python(code: str, shell: InteractiveShell | None) -> str:
    """Return what is wrong with code as Python, magics and the like transformed first; "" for nothing."""
    import ast

    if "\0" in code:
        return "it holds a NUL"
    body = _BODIES.match(code)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for part in (code, *([body["body"]] if body else [])):
                ast.parse(_transformed(part, shell))
    except SyntaxError as error:
        return one_line(f"line {error.lineno}: {error.msg}", 200)
    except Exception as error:  # noqa: BLE001 - what is too deep or no text; a shell's own transformers may raise anything
        return one_line(text_of(error, 200) or name_of(error), 200)
    return ""


def _transformed(code: str, shell: InteractiveShell | None) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    transform = getattr(shell, "transform_cell", None) or TransformerManager().transform_cell  # type: ignore[no-untyped-call]
    return str(transform(code))
