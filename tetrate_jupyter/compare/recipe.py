"""The cell that makes a comparison again: models, parameters, prompts, seed; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetrate_jupyter.compare.columns import own_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tetrate_jupyter.compare.data import ResultData
    from tetrate_jupyter.compare.rows import Head


def recipe(result: ResultData) -> str:
    """Return the source of the cell. What isn't plain data (a schema, tools, images, history) is named in a comment."""
    facts, notes = result.facts, []
    lines = [f"prompts = {_list(repr(p) for p in facts.prompts)}", f"models = {_list(map(_column, result.heads))}"]
    arguments = [(name, value) for name, value in facts.params if not _is_named(value)]
    if facts.repeats != 1:
        arguments.append(("repeats", facts.repeats))
    if facts.max_cost is not None:
        arguments.append(("max_cost", float(facts.max_cost)))
    arguments.append(("seed", facts.seed))
    named = [name for name, value in facts.params if _is_named(value)]
    named += [name for head in result.heads for name, value in head.params if _is_named(value)]
    if facts.images:
        named.append("images")
    notes += [f"# Give {name}= as well: it is no plain text." for name in dict.fromkeys(named)]
    if any(head.history for head in result.heads):
        notes.append("# The columns went on from earlier exchanges, which are not part of this cell.")
    given = "".join(f", {name}={value!r}" for name, value in arguments)
    call = f"result = session.compare(prompts, models{given})"
    return "\n".join(["from tetrate_jupyter import session", "", *lines, *notes, call, "result"])


def _column(head: Head) -> str:
    params = {name: value for name, value in head.params if not _is_named(value)}
    own = own_label(head.label, head.asked)
    if not params and own is None:
        return repr(head.asked)
    return repr({"model": head.asked, **({"label": own} if own else {}), **params})


def _list(items: Iterable[str]) -> str:
    return "[\n" + "".join(f"    {item},\n" for item in items) + "]"


def _is_named(value: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return any(map(_is_named, value))
    return isinstance(value, dict) and set(value) == {"python"}
