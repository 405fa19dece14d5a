"""What a simulated model says of a cell that didn't fail: read off its syntax, computed, never written."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.sandbox.replies.core import Core

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.replies.reply import Ask

_ASKED: Final = re.compile(
    r"^(?:The cell|The selected part), which is asked about:\n(`{3,})python\n(.*?)\n\1$",
    re.MULTILINE | re.DOTALL,
)
_MOST: Final = 4  # names that are told
_BETTER: Final = (  # what is found, what takes its place, why
    (r"([=!])= None\b", lambda m: "is None" if m[1] == "=" else "is not None", "`None` is compared by identity"),
    (r"\b(\w+) = \1 ([-+*/]) ", r"\1 \2= ", "a sum is shorter with an augmented assignment"),
    (r"\bprint\((['\"])([^'\"\n{}\\]*)\1 \+ str\((\w+)\)\)", r"print(f\1\2{\3}\1)", "an f-string needs no `str`"),
    (r"\blen\((\w+)\) == 0\b", r"not \1", "an empty collection is false"),
    (r"\bexcept:", "except Exception:", "a bare `except` catches an interrupt, too"),
)


@dataclass(frozen=True)
class _Outline:
    """The names in source, as far as it can be read."""

    imported: tuple[str, ...] = ()
    functions: tuple[ast.FunctionDef, ...] = ()
    assigned: tuple[str, ...] = ()


def asked_about(ask: Ask) -> Core | None:
    """Return what was asked for about a cell's source; None where the request is about none."""
    found = _ASKED.search(ask.prompt)
    if found is None:
        return None
    source, rest = found[2], ask.prompt[found.end() :]
    told = _read(source)
    if "Explain what" in rest:
        return Core(_explained(told), is_finished=True)
    if "improved, in one" in rest:
        return _improved(source)
    if "with docstrings, and" in rest:
        return _coded("Docstrings say what each function returns, a comment what the rest is for.", _documented(source))
    if "short tests of" in rest:
        return _tests(told)
    return _coded("What was made last is looked at next.", _goes_on(told))


def _read(source: str) -> _Outline:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(textwrap.dedent(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _Outline()
    imported = [each.name for node in body if isinstance(node, ast.Import) for each in node.names]
    imported += [str(node.module) for node in body if isinstance(node, ast.ImportFrom)]
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    assigned = dict.fromkeys(target.id for target in targets if isinstance(target, ast.Name))
    functions = tuple(node for node in body if isinstance(node, ast.FunctionDef))
    return _Outline(tuple(imported), functions, tuple(assigned))


def _explained(told: _Outline) -> str:
    each = [
        (told.imported, "imports"),
        (tuple(node.name for node in told.functions), "defines"),
        (told.assigned, "sets"),
    ]
    said = [f"{what} {', '.join(f'`{name}`' for name in names[:_MOST])}" for names, what in each if names]
    if not said:
        return "The code runs its lines from top to bottom; it names nothing that later cells could use."
    return f"The code {' and '.join(said)}. Later cells can use these names; what it shows is what its last line gives."


def _improved(source: str) -> Core:
    reasons: list[str] = []
    for find, put, why in _BETTER:
        changed = re.sub(find, put, source)
        if changed != source:
            source, reasons = changed, [*reasons, why]
    if not reasons:
        return Core("I would change nothing here: the code says what it does.", is_finished=True)
    return _coded(f"What can be better: {'; '.join(reasons)}.", source)


def _documented(source: str) -> str:
    lines = source.split("\n")
    told = _read(source)
    for node in reversed(told.functions):
        at = node.body[0].lineno - 1
        if ast.get_docstring(node) is None and at >= node.lineno:
            margin = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            arguments = " and ".join(f"`{each.arg}`" for each in node.args.args) or "nothing"
            lines.insert(at, f'{margin}"""Return the {node.name.replace("_", " ")} of {arguments}."""')
    if not told.functions:
        margin = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
        lines.insert(0, f"{margin}# Makes {', '.join(told.assigned[:_MOST]) or 'what the cells below use'}.")
    return "\n".join(lines)


def _tests(told: _Outline) -> Core:
    names = [node.name for node in told.functions] or list(told.assigned[:_MOST])
    if not names:
        return Core("The code defines nothing that can be tested.", is_finished=True)
    holds = [f"assert callable({name})" if told.functions else f"assert {name} is not None" for name in names]
    tests = [f"def test_{name}():\n    {line}" for name, line in zip(names, holds, strict=True)]
    calls = "\n".join(f"test_{name}()" for name in names)
    return _coded(
        "The tests check that each name is there and is what it is said to be.", "\n\n\n".join([*tests, calls])
    )


def _goes_on(told: _Outline) -> str:
    if told.assigned:
        return f"print({told.assigned[-1]})"
    return f"help({told.functions[-1].name})" if told.functions else "print('What comes next?')"


def _coded(said: str, code: str) -> Core:
    fence = "`" * (max((len(run) for run in re.findall("`{3,}", code)), default=2) + 1)
    return Core(f"{said}\n\n{fence}python\n{code}\n{fence}", is_finished=True)
