"""Ask a model about source that did not fail: what it does, or for it improved or documented, for tests, for more."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.completion.foreign import name_of
from tetrate_jupyter.completion.material import counted, fenced, key_in, sendable
from tetrate_jupyter.errors import InputError, OptionError
from tetrate_jupyter.failures.asking import Inquiry, answer, proposal, question_of
from tetrate_jupyter.failures.cells import NotebookCell, running_shell
from tetrate_jupyter.failures.change import Fix, cut_short, not_python, read_reply, worthless
from tetrate_jupyter.failures.collected import MAX_CELL
from tetrate_jupyter.failures.parts import TASK, Part, Sent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.completion.answer import Answer
    from tetrate_jupyter.engine.engine import Engine

Wish = Literal["improve", "document", "test", "continue"]
_EXPLAIN: Final = "explain"
_NEW: Final = frozenset({"test", "continue"})  # code for a cell of its own
_AROUND: Final = 8_000  # characters of the cell that are sent before and after a part of it
_ONE_BLOCK: Final = "in one ```python block: all of it and nothing else, and leave nothing out"
_TASKS: Final = {
    _EXPLAIN: (
        "Explain what {it} does, in at most 150 words of Markdown. Name the purpose first, then what is easily "
        "misread or may go wrong. Give no rewritten code."
    ),
    "improve": (
        "First say in one or two sentences what can be better: clearer, safer or faster, with the same results. Then "
        "give {it} improved, " + _ONE_BLOCK + ". Keep names that other cells may use. If nothing is worth changing, "
        "say so and give no code."
    ),
    "document": (
        "First say in one sentence what you document. Then give {it} with docstrings, and comments where they say why, "
        + _ONE_BLOCK
        + ". Change no code."
    ),
    "test": (
        "First say in one or two sentences what you test. Then give short tests of what {it} defines, with plain "
        "`assert`, for a new cell below it that runs them, in one ```python block. Don't repeat the code. If it has "
        "nothing that can be tested, say so and give no code."
    ),
    "continue": (
        "First say in one sentence what comes next. Then give the code that goes on from {it}, for a new cell below "
        "it, in one ```python block. Don't repeat the code."
    ),
}


@dataclass(frozen=True)
class Passage:
    """Source to ask about: a cell, or a part of one with what stands `before` and `after` it."""

    source: str
    before: str = ""
    after: str = ""

    @property
    def is_part(self) -> bool:
        """Whether there is more of the cell."""
        return bool(self.before.strip() or self.after.strip())

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "the selection" if self.is_part else "the cell"

    @property
    def shown(self) -> str:
        """It as it is sent: with the margin of its first line, so that all lines are as far in as in the cell."""
        return ("" if self._line.strip() else self._line) + self.source.strip("\n").rstrip()

    def placed(self, code: str) -> str:
        """Return code as it stands in the place of this: as far in, with the same end.

        Models give a part of a cell back at the margin, or as far in as it was.
        """
        if not self.is_part:
            return code
        end = self.source[len(self.source.rstrip()) :]
        if self._line.strip():  # from the middle of a line on
            return code.strip("\n") + end
        indented = textwrap.indent(textwrap.dedent(code).strip("\n"), self._line + self._margin)
        return self._head + indented[len(self._line) :] + end

    @property
    def _head(self) -> str:
        return self.source[: len(self.source) - len(self.source.lstrip("\n"))]

    @property
    def _line(self) -> str:
        """What stands before it in its first line."""
        return "" if self._head else self.before.rpartition("\n")[2]

    @property
    def _margin(self) -> str:
        first = self.source.lstrip("\n")
        return first[: len(first) - len(first.lstrip())]


def inquiry(
    engine: Engine, wish: str, passage: Passage, options: Mapping[str, Any], shell: InteractiveShell | None = None
) -> Inquiry:
    """Put together what is asked about source. `options` as for `ask`. Sends nothing.

    Raises `InputError` for source that can't be asked about and `SecretInPromptError` for what looks like a key in it.
    """
    shell = shell if shell is not None else running_shell()
    _check(wish, passage)
    sent = _sent(wish, passage)

    def read(reply: Answer) -> Fix:
        cell = NotebookCell(None, passage.source)
        is_new = wish in _NEW
        found = read_reply(reply, [cell], lambda code, _: _unusable(code, wish, passage, shell), is_new=is_new)
        source = passage.placed(found.source) if found.source is not None and not is_new else found.source
        original = "" if is_new else passage.source
        return Fix(found.explanation, source, found.problem, None, original, sent, reply, wish)

    question = question_of(engine, sent, options)
    return Inquiry(wish, passage.name, passage.source, sent, question, None if wish == _EXPLAIN else read)


def explain(engine: Engine, source: str, options: Mapping[str, Any]) -> Answer:
    """Ask what source does, and wait."""
    return engine.bridge.run(answer(engine, inquiry(engine, _EXPLAIN, Passage(source), options)))


async def aexplain(engine: Engine, source: str, options: Mapping[str, Any]) -> Answer:
    """Like `explain`."""
    return await engine.bridge.arun(answer(engine, inquiry(engine, _EXPLAIN, Passage(source), options)))


def improve(engine: Engine, wish: Wish, passage: Passage, options: Mapping[str, Any]) -> Fix:
    """Ask for other source, or more of it, and wait."""
    asked = inquiry(engine, _one_of(wish), passage, options)
    return proposal(asked, engine.bridge.run(answer(engine, asked)))


async def aimprove(engine: Engine, wish: Wish, passage: Passage, options: Mapping[str, Any]) -> Fix:
    """Like `improve`."""
    asked = inquiry(engine, _one_of(wish), passage, options)
    return proposal(asked, await engine.bridge.arun(answer(engine, asked)))


def _one_of(wish: str) -> str:
    if wish == _EXPLAIN:
        raise OptionError("An explanation is no change of the source.", next_step="session.explain(source)")
    return wish


# --- what is sent --------------------------------------------------------------------------------------------


def _check(wish: str, passage: Passage) -> None:
    if wish not in (_EXPLAIN, *get_args(Wish)):
        told = ", ".join(get_args(Wish))
        raise OptionError(f"There is no wish {one_line(str(wish), MAX_NAME)!r}.", next_step=f"one of: {told}")
    for text in (passage.source, passage.before, passage.after):
        if not isinstance(cast("object", text), str):
            raise InputError(f"Source is text, not {name_of(text)}.", next_step="give it as a string")
    if not passage.source.strip():
        raise InputError("There is no source to ask about.", next_step="write something in the cell, then ask")
    if len(passage.source) > MAX_CELL:
        raise InputError(
            f"{passage.name.capitalize()} has {len(passage.source):,} characters: too many to be sent whole.",
            next_step="select a part of it, then ask",
        )
    cell = passage.before + passage.source + passage.after  # as one: a key may lie across an end of the selection
    try:
        sendable(cell, "the cell", max(len(cell), 1))
    except InputError:
        raise key_in("the cell", "keep it out of there (os.environ, getpass)") from None


def _sent(wish: str, passage: Passage) -> Sent:
    about = "The selected part" if passage.is_part else "The cell"
    lines = counted(len(passage.source.rstrip("\n").split("\n")), "line")
    parts = [
        Part(passage.name, lines, f"{about}, which is asked about:\n{fenced(passage.shown, 'python')}"),
        *([_around(passage)] if passage.is_part else []),
        Part(TASK, "", _TASKS[wish].format(it="the selected part" if passage.is_part else "the cell")),
    ]
    return Sent(tuple(parts))


def _around(passage: Passage) -> Part:
    before, after = passage.before[-_AROUND:], passage.after[:_AROUND]
    is_cut = len(before) < len(passage.before) or len(after) < len(passage.after)
    text = f"{before}{passage.source}{after}".strip("\n")
    note = f"{counted(len(text.split(chr(10))), 'line')}{', cut' if is_cut else ''}"
    told = f"The cell{', cut' if is_cut else ''}, in which it stands:"
    return Part("the cell around it", note, f"{told}\n{fenced(text, 'python')}")


# --- what comes back -----------------------------------------------------------------------------------------


def _unusable(code: str, wish: str, passage: Passage, shell: InteractiveShell | None) -> str:
    """Return why code can't be what was asked for, "" where it can. A part of a cell is judged in its place."""
    if problem := worthless(code, passage.source):
        return problem
    whole = code if wish in _NEW else f"{passage.before}{passage.placed(code)}{passage.after}"
    problem = not_python(whole, shell)
    if problem and passage.is_part and wish not in _NEW and _is_broken(passage, shell):
        problem = not_python(textwrap.dedent(code), shell)  # the rest of the cell says nothing
    if problem:
        return f"The reply's code isn't Python ({problem})"
    return "" if wish in _NEW else cut_short(code, passage.source, may_shorten=wish == "improve")


def _is_broken(passage: Passage, shell: InteractiveShell | None) -> bool:
    return bool(not_python(f"{passage.before}{passage.source}{passage.after}", shell))
