"""Following `{name.attribute}` and `{name[key]}` runs no code of the person's, nor of a library's accessors."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum
import functools
import pathlib
import re
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from tests.completion.texts import describe
from tetrate_jupyter.completion.tables import MAX_CHARACTERS
from tetrate_jupyter.completion.variables import interpolate
from tetrate_jupyter.errors import AttachmentError

RUN: list[str] = []


def boom(*_: object, **__: object) -> Any:
    RUN.append("run")
    return "computed"


class Meta(type):
    __getattribute__ = __getattr__ = __instancecheck__ = __subclasscheck__ = __hash__ = boom


class Attributes:
    mine = "the class's own"
    computed = property(boom)
    cached = functools.cached_property(boom)
    __getattr__ = __getattribute__ = __dir__ = boom

    def __init__(self) -> None:
        object.__setattr__(self, "held", "the object's own")


class Pretends(metaclass=Meta):
    held = "x"
    __class__ = property(boom)
    __dict__ = property(boom)
    __getattribute__ = boom


class Descriptor:
    __get__ = boom


class Table(pd.DataFrame):
    shape = property(boom)
    columns = property(boom)
    __getitem__ = __contains__ = __getattr__ = boom


class OtherTable(pd.DataFrame):
    @property
    def index(self) -> Any:
        return boom()


class Dict(dict):
    __getitem__ = __contains__ = __len__ = __iter__ = __missing__ = keys = get = boom


class Missing(dict):
    __missing__ = __contains__ = __iter__ = boom


class List(list):
    __getitem__ = __len__ = boom


class Counted(list):
    __len__ = __iter__ = boom


class Text(str):
    __slots__ = ()
    __getitem__ = boom


class Pair(NamedTuple):
    x: int

    @property
    def total(self) -> Any:
        return boom()


class Colour(enum.Enum):
    RED = "red"

    @property
    def shade(self) -> Any:
        return boom()

    def __getattribute__(self, name: str) -> Any:
        if name not in {"_value_", "_name_", "__class__"}:
            RUN.append(name)
        return super().__getattribute__(name)


class Day(dt.date):
    later = property(boom)
    __getattribute__ = boom


class Array(np.ndarray):
    __array_finalize__ = __getitem__ = boom
    shape = property(boom)


class Mapping(collections.abc.Mapping[str, int]):
    __getitem__ = __iter__ = __len__ = __contains__ = boom


class Key:
    def __init__(self) -> None:
        self.hash = hash("nothing")

    __repr__ = __str__ = boom


@pytest.fixture
def namespace() -> dict[str, Any]:
    frame = pd.DataFrame({"price": [1.5, 2.5]})
    own = type("Own", (), {"x": Descriptor()})()
    made = {
        "attributes": Attributes(),
        "pretends": Pretends(),
        "own": own,
        "frame": frame,
        "table": Table({"price": [1]}),
        "other": OtherTable({"price": [1]}),
        "dict": Dict(a=1),
        "missing": Missing(a=1),
        "default": collections.defaultdict(boom, a=1),
        "list": List([1, 2]),
        "counted": Counted([1, 2]),
        "text": Text("abc"),
        "pair": Pair(3),
        "colour": Colour.RED,
        "day": Day(2026, 5, 6),
        "array": np.zeros(3).view(Array),
        "mapping": Mapping(),
        "keys": {Key(): 1, "a": 2},
        "found": re.match("(a)", "a"),
        "path": pathlib.PurePosixPath("/a/b.txt"),
        "amount": decimal.Decimal("1.5"),
    }
    RUN.clear()
    return made


@pytest.mark.parametrize(
    "expression",
    [
        *("attributes.computed", "attributes.cached", "attributes.nothing", "attributes['x']", "attributes[0]"),
        *("pretends.nothing", "pretends[0]", "own.x", "frame.spied", "frame.nothing", "frame['nothing']"),
        *("table.shape", "table.columns", "table.price", "table['price']", "table.nothing", "other.index"),
        *("dict['a']", "dict['b']", "dict.nothing", "missing['b']", "missing.nothing", "default['b']", "default.b"),
        *("list[0]", "counted[5]", "text[0]", "pair.total", "pair.nothing", "colour.shade", "colour.nothing"),
        *("day.later", "day.nothing", "array[0]", "array.shape", "array.T", "mapping['a']", "mapping.a"),
        *("other.shape", "other.columns", "other['price']"),
        *("keys['nothing']", "keys.nothing", "keys[0]", "frame.T", "frame.values", "frame.plot", "frame.style"),
    ],
)
def test_what_would_run_code_is_refused_and_not_run(namespace: dict[str, Any], expression: str) -> None:
    pd.api.extensions.register_dataframe_accessor("spied")(boom)
    RUN.clear()
    before = dict(namespace["default"])
    try:
        with pytest.raises(AttachmentError) as refused:
            interpolate(f"What of {{{expression}}}?", namespace)
    finally:
        del pd.DataFrame.spied  # type: ignore[attr-defined]  # registered above
        pd.DataFrame._accessors.discard("spied")
    assert RUN == []
    assert refused.value.next_step
    assert dict(namespace["default"]) == before


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("attributes.held", "the object's own"),
        ("attributes.mine", "the class's own"),
        ("missing['a']", "1"),
        ("default['a']", "1"),
        ("counted[0]", "1"),
        ("counted[-1]", "2"),
        ("pair.x", "3"),
        ("pair[0]", "3"),
        ("colour.value", "red"),
        ("colour.name", "RED"),
        ("day.year", "2026"),
        ("keys['a']", "2"),
        ("frame.shape", "[2, 1]"),
        ("frame.price[0]", "1.5"),
        ("frame['price'][1]", "2.5"),
        ("frame.price.name", "price"),
        ("found[1]", "a"),
        ("path.stem", "b"),
        ("path.parent.name", "a"),
        ("amount.real", "1.5"),
    ],
)
def test_what_is_there_is_read_and_nothing_is_run(namespace: dict[str, Any], expression: str, text: str) -> None:
    assert interpolate(f"{{{expression}}}", namespace).text == text
    assert RUN == []


def test_a_refusal_says_what_to_do(namespace: dict[str, Any]) -> None:
    pd.api.extensions.register_dataframe_accessor("spied")(boom)
    try:
        with pytest.raises(AttachmentError) as refused:
            interpolate("{frame.spied}", namespace)
    finally:
        del pd.DataFrame.spied  # type: ignore[attr-defined]
        pd.DataFrame._accessors.discard("spied")
    assert "no code is run" in refused.value.message
    assert "result = frame.spied, then {result}" in refused.value.next_step


class Long:
    def __repr__(self) -> str:
        return "x" * 5_000_000


class Raises:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class NoText:
    def __repr__(self) -> str:
        return 5  # type: ignore[return-value]


class Endless:
    def __repr__(self) -> str:
        return repr(self)


@pytest.mark.parametrize("value", [Long(), Raises(), NoText(), Endless()], ids=lambda value: type(value).__name__)
def test_a_repr_is_bounded_and_may_fail(value: object) -> None:
    assert len(describe(value)) < MAX_CHARACTERS + 200
    assert len(describe([value])) < MAX_CHARACTERS + 200
    assert len(describe({"a": value})) < MAX_CHARACTERS + 200
