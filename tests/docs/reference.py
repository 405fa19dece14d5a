"""What is generated of `docs/python.md` from the code: all that `session` offers, an answer, a comparison's result."""

from __future__ import annotations

import inspect

import tetrate_jupyter
from tetrate_jupyter.face.session import OFFERED, Session

# What stands on a line of its own, with all that is said of it: what people call most, and what has options.
IN_FULL = ("ask", "stream", "compare", "cached", "explain", "improve", "usage")
# Attributes that are no properties have no docstring of their own.
PLAIN = {
    "comparison": "The newest comparison that was begun, also while it runs; None before.",
    "conversation": "The conversation that questions go on with: `.messages`, `.branches`.",
    "max_answer": "How many characters one answer may have (4,000,000); settable.",
    "params": 'Options for every question, a dict: `session.params["temperature"] = 0`.',
    "rows": 'How many rows of a table the `{df}` of cells and the chat send: 15, a number, or "all"; settable.',
    "runs": "What is being asked right now.",
    "system": "What goes before every question, or None; settable.",
}


def generated() -> str:
    """Return the Markdown of the reference."""
    parts = [_table(title, names) for title, names in OFFERED.items()]
    parts += [_in_full(f"session.{name}{_signature(name)}", getattr(Session, name)) for name in IN_FULL]
    parts += [_in_full("An answer", tetrate_jupyter.Answer), _members(tetrate_jupyter.Answer)]
    parts += [_in_full("A comparison's result", tetrate_jupyter.Result), _members(tetrate_jupyter.Result)]
    return "\n\n".join(parts)


def _table(title: str, names: tuple[str, ...]) -> str:
    rows = [f"| `{name}{_signature(name)}` | {_purpose(name)} |" for name in names if not _is_twin(name, names)]
    return "\n".join([f"### {title}", "", "| `session.` | |", "|---|---|", *rows])


def _is_twin(name: str, names: tuple[str, ...]) -> bool:
    """Whether it is the coroutine of another name, which is told beside that."""
    return name.startswith("a") and name[1:] in names


def _purpose(name: str) -> str:
    said = PLAIN.get(name) or _first(getattr(Session, name))
    twins = [names for names in OFFERED.values() if name in names and f"a{name}" in names]
    return _cell(said) + (f" Coroutine: `a{name}`." if twins else "")


def _first(member: object) -> str:
    """Return the first sentence of what is said of it."""
    lines = (inspect.getdoc(member) or "").partition("\n\n")[0].split("\n")
    return " ".join(lines)


def _signature(name: str) -> str:
    member = getattr(Session, name, None)
    if not callable(member):
        return ""
    shown = [p for p in inspect.signature(member).parameters.values() if p.name != "self"]
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in shown]
    return str(inspect.Signature(plain))


def _in_full(title: str, member: object) -> str:
    heading = title if title[0].isupper() else f"`{title}`"
    return f"### {heading}\n\n{inspect.getdoc(member)}"


def _members(kind: type) -> str:
    """Return a line for each method and property that says what it is; the rest is in the class's own words."""
    names = [name for name in vars(kind) if not name.startswith("_") and inspect.getdoc(vars(kind)[name])]
    described = [name for name in names if callable(getattr(kind, name)) or hasattr(vars(kind)[name], "__get__")]
    rows = [f"| `.{name}` | {_cell(_first(vars(kind)[name]))} |" for name in described]
    return "\n".join(["| | |", "|---|---|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
