"""Every public name is there with its members and their signatures, as `public_api.json` says.

What changes on purpose is written anew by `python -m tests.architecture.test_public_api`; the difference is the news of
a release.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

import tetrate_jupyter

PROMISED = Path(__file__).with_name("public_api.json")
OWN = "tetrate_jupyter"


def promised() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PROMISED.read_text(encoding="utf-8"))
    return found


def described(value: object) -> dict[str, str]:
    """Return each public member with its kind and signature; "()" is the call of the value itself."""
    if not inspect.isclass(value):
        if inspect.isroutine(value):
            return {"()": str(inspect.signature(value))}
        return {"instance of": type(value).__name__}
    found = {"()": str(inspect.signature(value))}
    for home in reversed([each for each in value.__mro__ if each.__module__.startswith(OWN)]):
        found |= {name: member(each) for name, each in vars(home).items() if not name.startswith("_")}
        found |= dict.fromkeys(assigned(home) - found.keys(), "attribute")
    return dict(sorted(found.items()))


def member(each: object) -> str:
    if isinstance(each, property):
        told = inspect.signature(each.fget).return_annotation if each.fget else ""
        return f"property -> {told}{', settable' if each.fset else ''}"
    if isinstance(each, (staticmethod, classmethod)):
        return f"{type(each).__name__} {inspect.signature(each.__func__)}"
    if not callable(each):
        return "attribute"
    return f"{'async ' if inspect.iscoroutinefunction(each) else ''}{inspect.signature(each)}"


def assigned(home: type) -> set[str]:
    """Return the public attributes that `__init__` gives an instance."""
    made = vars(home).get("__init__")
    try:
        source = textwrap.dedent(inspect.getsource(made)) if made is not None else ""
    except (OSError, TypeError):  # a dataclass's own: its fields are in the signature
        return set()
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    return {n.attr for n in nodes if isinstance(n.ctx, ast.Store) and not n.attr.startswith("_")}


def test_the_same_names_are_public() -> None:
    assert sorted(tetrate_jupyter.__all__) == sorted(promised())


@pytest.mark.parametrize("name", sorted(promised()))
def test_a_public_name_keeps_its_members_and_signatures(name: str) -> None:
    assert described(getattr(tetrate_jupyter, name)) == promised()[name]


if __name__ == "__main__":
    api = {name: described(getattr(tetrate_jupyter, name)) for name in sorted(tetrate_jupyter.__all__)}
    PROMISED.write_text(json.dumps(api, indent=1) + "\n", encoding="utf-8")
