"""The panels' stylesheets: no rule that nothing uses, and none that is there twice."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.once  # it reads the files of the package

WIDGETS = Path(__file__).parents[2] / "tetrate_jupyter" / "widgets"
STYLES = sorted((WIDGETS / "static").glob("*.css"))


@cache
def sources() -> str:
    """Return all that gives elements their classes."""
    scripts = [*WIDGETS.glob("*.py"), *(WIDGETS / "static").glob("*.js"), *WIDGETS.parent.glob("render/*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in scripts)


def rules(css: str) -> list[tuple[tuple[str, ...], str]]:
    """Return each rule as the selectors and conditions around it, outermost first, and its declarations."""
    css, found, around, text = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL), [], list[str](), ""
    for character in css:
        if character == "{":
            head, _, selector = text.rpartition(";")  # a nested rule may follow declarations
            found.append((tuple(around), head))
            around.append(" ".join(selector.split()))
            text = ""
        elif character == "}":
            found.append((tuple(around), text))
            around.pop()
            text = ""
        else:
            text += character
    return [(where, declared) for where, declared in found if declared.strip()]


@cache
def given() -> tuple[frozenset[str], frozenset[str], tuple[str, ...]]:
    """Return the names and the quoted words of the sources, and the prefixes that classes are put together with."""
    prefixes = set(re.findall(r"tetrate-([\w-]+)\$?\{", sources()))
    names, quoted = re.findall(r"[\w-]+", sources()), re.findall(r'"([\w-]+)"', sources())
    return frozenset(names), frozenset(quoted), tuple(prefixes)


def is_given(name: str) -> bool:
    """Whether some element may get a class: it is named, or put together of a prefix and a word."""
    names, quoted, prefixes = given()
    short = name.removeprefix("tetrate-")
    return name in names or short in quoted or short.startswith(prefixes)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_every_class_is_given_to_something(path: Path) -> None:
    selectors = " ".join(where[-1] for where, _ in rules(path.read_text(encoding="utf-8")) if where)
    assert [name for name in sorted(set(re.findall(r"\.(tetrate-[\w-]+)", selectors))) if not is_given(name)] == []


def test_a_class_that_nothing_has_would_be_seen() -> None:
    assert is_given("tetrate-panel")
    assert is_given("tetrate-is-waiting")
    assert not is_given("tetrate-pane")
    assert not is_given("tetrate-nobody-has-it")


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_no_selector_sets_a_property_twice(path: Path) -> None:
    set_by: dict[tuple[tuple[str, ...], str], int] = {}
    for where, declared in rules(path.read_text(encoding="utf-8")):
        for name in {each.partition(":")[0].strip() for each in declared.split(";")} - {""}:
            set_by[where, name] = set_by.get((where, name), 0) + 1
    assert [each for each, times in set_by.items() if times > 1] == []


def test_rules_are_read_with_what_is_around_them() -> None:
    css = "/* {} */ .a { b: c; & .d { e: f } } @media (x) { .a { b: g; } }"
    assert [(where, declared.strip()) for where, declared in rules(css)] == [
        ((".a",), "b: c"),
        ((".a", "& .d"), "e: f"),
        (("@media (x)", ".a"), "b: g;"),
    ]
