"""Tools: how functions are told to a model, how they are called, and what comes back in every case."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime as dt
import enum
import functools
import json
import math
import socket  # noqa: TC003 - a tool's types are read while it runs
import threading
from typing import Annotated, Any, Literal, Optional, TypedDict

import msgspec
import pytest

from tests.completion.texts import result_text
from tetrate_jupyter.completion.docstrings import parameters, summary
from tetrate_jupyter.completion.tools import MAX_RESULT, Toolbox, described_result
from tetrate_jupyter.errors import ToolDefinitionError
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import ToolCall


class Unit(enum.Enum):
    C = "celsius"
    F = "fahrenheit"


@dataclasses.dataclass
class Place:
    city: str
    country: str = "IT"


@dataclasses.dataclass
class Node:
    label: str
    children: list[Node]


class Area(TypedDict):
    width: float
    height: float


def weather(place: Place, unit: Unit = Unit.C, days: Annotated[int, msgspec.Meta(ge=1, le=7)] = 3) -> str:
    """Tell the weather.

    Slow: asks a station.

    Args:
        place: where to look,
            in any country
        unit (Unit): of the temperature
        days: how many
    """
    return f"{place.city} {place.country} {unit.name} {days}"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def slow_add(a: int, b: int) -> int:
    """Add two numbers, later."""
    await asyncio.sleep(0)
    return a + b


def nothing() -> None:
    pass


def fails(message: str) -> str:
    raise LookupError(message)


def call(name: str, arguments: Any = None) -> ToolCall:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return ToolCall("call_1", name, text)


def properties(function: Any) -> dict[str, Any]:
    (spec,) = Toolbox.of(function).specs
    json.dumps(spec)
    return spec["function"]["parameters"]["properties"]  # type: ignore[index, call-overload, return-value, no-any-return]


# --- what the model is told ----------------------------------------------------------------------------------


def test_a_function_is_told_by_its_signature_types_and_docstring() -> None:
    assert Toolbox.of([weather]).specs == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Tell the weather.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "place": {
                            "title": "Place",
                            "type": "object",
                            "properties": {"city": {"type": "string"}, "country": {"type": "string", "default": "IT"}},
                            "required": ["city"],
                            "description": "where to look, in any country",
                        },
                        "unit": {
                            "title": "Unit",
                            "enum": ["celsius", "fahrenheit"],
                            "type": "string",
                            "description": "of the temperature",
                        },
                        "days": {
                            "type": "integer",
                            "minimum": 1,
                            "maximum": 7,
                            "description": "how many",
                            "default": 3,
                        },
                    },
                    "required": ["place"],
                },
            },
        }
    ]


def test_a_function_without_parameters_or_docstring_is_told_too() -> None:
    assert Toolbox.of(nothing).specs == [
        {"type": "function", "function": {"name": "nothing", "parameters": {"type": "object", "properties": {}}}}
    ]


def test_every_usual_type_is_described() -> None:
    def many(  # noqa: PLR0917 - one of each
        text: str,
        choice: Literal["a", "b"],
        maybe: Optional[int],  # noqa: UP045 - the old spelling must work too
        union: int | str,
        numbers: list[float],
        table: dict[str, int],
        pair: tuple[int, str],
        area: Area,
        when: dt.date,
        anything: Any,
        noted: Annotated[str, "a plain note"],
        rows: list[Place],
        flag: bool = True,
        last: Optional[str] = None,  # noqa: UP045 - as above
    ) -> None: ...

    found = properties(many)
    assert found["choice"] == {"enum": ["a", "b"], "type": "string"}
    assert found["maybe"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert found["when"] == {"type": "string", "format": "date"}
    assert found["anything"] == {}
    assert found["noted"] == {"type": "string", "description": "a plain note"}
    assert found["rows"]["items"]["properties"]["city"] == {"type": "string"}
    assert found["flag"] == {"type": "boolean", "default": True}
    assert "$ref" not in json.dumps(found)
    assert "required" in Toolbox.of(many).specs[0]["function"]["parameters"]  # type: ignore[index, call-overload, operator]


def test_a_type_that_holds_itself_keeps_its_definition() -> None:
    def walk(tree: Node) -> None: ...

    parameters_ = Toolbox.of(walk).specs[0]["function"]["parameters"]  # type: ignore[index, call-overload]
    assert parameters_["properties"]["tree"] == {"$ref": "#/$defs/Node"}  # type: ignore[index, call-overload]
    assert "Node" in parameters_["$defs"]  # type: ignore[index, call-overload, operator]


GOOGLE = """Do it.

    Args:
        x (tuple(int, str)): the first
          of two
        *y: the second: with a colon

    Returns:
        z: not a parameter
"""
NUMPY = """Do it.

    Parameters
    ----------
    x, w : float, optional
        the first
        of two
    y
        the second: with a colon

    Returns
    -------
    z : int
        not a parameter
"""
SPHINX = """Do it.

    :param int x: the first
        of two
    :param y: the second: with a colon
    :returns: z
"""


@pytest.mark.parametrize("docstring", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_parameters_are_read_from_the_three_usual_styles(docstring: str) -> None:
    found = parameters(docstring)
    assert found["x"] == "the first of two"
    assert found["y"] == "the second: with a colon"
    assert "z" not in found
    assert set(found) <= {"x", "y", "w"}
    assert summary(docstring) == "Do it."


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        (None, ""),
        ("", ""),
        ("One\n    line.\n\n    Two.", "One line."),
        ("\n    Args:\n        x: y", ""),
        ("Text\n    Parameters\n    ----------", "Text"),
        ("x" * 5_000, "x" * 1_000),
    ],
)
def test_the_description_is_the_first_paragraph(docstring: str | None, expected: str) -> None:
    assert summary(docstring) == expected


# --- what can't be a tool ------------------------------------------------------------------------------------


def untyped(x) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001
def variadic(*values: int) -> None: ...
def keywords(**values: int) -> None: ...
def unfit(x: socket.socket) -> None: ...
def unknown(x: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def généré(x: int) -> None: ...  # noqa: PLC2401 - the point of the test
def generator() -> Any:
    yield 1


class Callable:
    def __call__(self, x: int) -> int:
        return x


@pytest.mark.parametrize(
    ("given", "message", "step"),
    [
        (untyped, "'x' of untyped has no type", "def untyped(x: str"),
        (variadic, r"takes \*values", "one list or dict"),
        (keywords, r"takes \*\*values", "one list or dict"),
        (unfit, "of type socket, which JSON can't hold", "dataclass"),
        (unknown, "can't be read: name 'Missing'", "top level"),
        (généré, "can't be a tool's name", "rename"),
        (generator, "is a generator", "list"),
        (lambda x: x, "lambda", "def name"),
        (len, "len has no signature", "wrap it"),
        (math.sqrt, "sqrt has no signature", "wrap it"),
        ("add", "A str is not a function", "tools="),
        (3, "A int is not a function", "tools="),
        (None, "A NoneType is not a function", "tools="),
        (Place, "Place is a class", "function"),
        (Callable(), "Callable has no signature", "wrap it"),
        (functools.partial(add, 1), "partial has no signature", "wrap it"),
    ],
)
def test_what_can_not_be_described_is_refused_with_the_next_step(given: Any, message: str, step: str) -> None:
    with pytest.raises(ToolDefinitionError, match=message) as refused:
        Toolbox.of([given])
    assert step in refused.value.next_step


def test_two_functions_of_one_name_are_refused_but_the_same_one_twice_is_not() -> None:
    def other(a: int) -> int:
        return a

    other.__name__ = "add"
    with pytest.raises(ToolDefinitionError, match="Two tools are called add"):
        Toolbox.of([add, other])
    toolbox = Toolbox.of([add, slow_add, add])
    assert toolbox.names == ("add", "slow_add")
    assert len(toolbox) == 2
    assert Toolbox.of(toolbox) is toolbox
    assert Toolbox.of(add).names == ("add",)


def test_methods_and_wrapped_functions_are_tools() -> None:
    class Shop:
        def price(self, item: str) -> int:
            """Tell a price."""
            return 1

    @functools.cache
    def cached(x: int) -> int:
        """Remember."""
        return x

    assert properties(Shop().price) == {"item": {"type": "string"}}
    assert properties(cached) == {"x": {"type": "integer"}}


def test_more_tools_than_the_api_takes_are_refused() -> None:
    def numbered(n: int) -> Any:
        def tool() -> None: ...

        tool.__name__ = f"tool_{n}"
        return tool

    assert len(Toolbox.of([numbered(n) for n in range(128)])) == 128
    with pytest.raises(ToolDefinitionError, match="129 tools"):
        Toolbox.of([numbered(n) for n in range(129)])


# --- calling -------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_plain_and_async_functions_are_called_with_their_own_types() -> None:
    toolbox = Toolbox.of([weather, add, slow_add, nothing])
    for made, expected in (
        (call("weather", {"place": {"city": "Rome"}, "unit": "fahrenheit"}), "Rome IT F 3"),
        (call("add", {"a": 1, "b": 2.0}), "3"),
        (call("add", {"a": "1", "b": 2}), "3"),
        (call("slow_add", {"a": 1, "b": 2}), "3"),
        (call("nothing", ""), "null"),
        (call("nothing", "  "), "null"),
        (call("nothing", "null"), "null"),
    ):
        result = await toolbox.call(made)
        assert (result.result, result.error, result.raised, result.call) == (expected, None, None, made)
        assert result.seconds >= 0


@pytest.mark.anyio
async def test_defaults_are_the_function_s_own() -> None:
    marker = object()

    def tool(a: int, /, b: int = 2, *, c: Any = marker, d: list[int] = [3]) -> str:  # noqa: B006 - the point of the test
        return f"{a} {b} {c is marker} {d}"

    toolbox = Toolbox.of(tool)
    assert (await toolbox.call(call("tool", {"a": 1}))).result == "1 2 True [3]"
    assert (await toolbox.call(call("tool", {"d": [4], "a": 1}))).result == "1 2 True [4]"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("made", "message"),
    [
        (call("add", {"a": 1}), "'b' is missing"),
        (call("add", {"a": 1, "b": "two"}), "'b' does not fit: Expected `int`, got `str`"),
        (call("add", {"a": 1, "b": 2, "c": 3}), "no parameter 'c'; add takes a, b"),
        (call("add", '{"a": 1, "b"'), "not valid JSON"),
        (call("add", "[1, 2]"), "one JSON object"),
        (call("add", "[" * 5_000), "not valid JSON"),
        (call("weather", {"place": {"city": 3}}), "'place' does not fit: Expected `str`, got `int` - at `place.city`"),
        (call("weather", {"place": {"city": "a"}, "days": 9}), "'days' does not fit"),
        (call("weather", {"place": {"city": "a"}, "unit": "kelvin"}), "'unit' does not fit"),
        (call("ad", {}), "no tool 'ad'. Did you mean add? The tools are: add, weather."),
        (call("x" * 5_000, {}), "no tool"),
        (call("add", {"a" * 5_000: 1}), "no parameter"),
    ],
)
async def test_a_wrong_call_goes_back_to_the_model_in_few_words(made: ToolCall, message: str) -> None:
    result = await Toolbox.of([add, weather]).call(made)
    assert message in result.result
    assert result.result == f"Error: {result.error}"
    assert result.raised is None
    assert len(result.result) < 400


@pytest.mark.anyio
async def test_a_raising_tool_gives_its_own_error() -> None:
    async def async_fails() -> None:
        raise KeyError("x")

    def exits() -> None:
        raise SystemExit(3)

    async def async_exits() -> None:
        raise KeyboardInterrupt

    async def cancels_itself() -> None:
        raise asyncio.CancelledError

    def stops() -> None:
        raise StopIteration

    class BadError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def bad() -> None:
        raise BadError

    toolbox = Toolbox.of([fails, async_fails, exits, async_exits, cancels_itself, stops, bad])
    result = await toolbox.call(call("fails", {"message": "gone"}))
    assert (result.error, result.result) == ("LookupError: gone", "Error: LookupError: gone")
    assert isinstance(result.raised, LookupError)
    assert result.raised.__traceback__ is not None
    for name, kind in (
        ("async_fails", KeyError),
        ("exits", SystemExit),
        ("async_exits", KeyboardInterrupt),
        ("cancels_itself", asyncio.CancelledError),
        ("stops", StopIteration),
        ("bad", BadError),
    ):
        result = await toolbox.call(call(name))
        assert isinstance(result.raised, kind)
        assert result.error


@pytest.mark.anyio
async def test_plain_tools_run_beside_the_loop_in_daemon_threads_with_the_caller_s_context() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    loop = asyncio.get_running_loop()
    here = threading.current_thread()

    def look() -> list[Any]:
        # Blocks on the very loop that called it, as a tool that asks a model itself does.
        answer = asyncio.run_coroutine_threadsafe(slow_add(1, 2), loop).result(120)
        thread = threading.current_thread()
        return [variable.get(), answer, thread is here, thread.daemon]

    async def look_async() -> str:
        return variable.get()

    toolbox = Toolbox.of([look, look_async])
    variable.set("mine")
    assert (await toolbox.call(call("look"))).result == '["mine",3,false,true]'
    assert (await toolbox.call(call("look_async"))).result == "mine"


@pytest.mark.anyio
async def test_a_plain_function_may_give_an_awaitable() -> None:
    def starts(a: int) -> Any:
        return slow_add(a, 1)

    assert (await Toolbox.of(starts).call(call("starts", {"a": 1}))).result == "2"


@pytest.mark.anyio
async def test_cancelling_does_not_wait_for_a_plain_tool() -> None:
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()

    def stubborn() -> None:
        begun.set()
        release.wait(30)
        ended.set()

    task = asyncio.create_task(Toolbox.of(stubborn).call(call("stubborn")))
    await asyncio.to_thread(begun.wait, 120)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not ended.is_set()
    release.set()
    assert await asyncio.to_thread(ended.wait, 120)
    await asyncio.sleep(0)  # its late result is delivered to nobody, without a word


@pytest.mark.anyio
async def test_cancelling_cancels_an_async_tool_but_does_not_wait_for_one_that_ignores_it() -> None:
    begun, cancelled, release = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            await release.wait()

    task = asyncio.create_task(Toolbox.of(stubborn).call(call("stubborn")))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(cancelled.wait(), 120)
    release.set()
    await asyncio.sleep(0)


def test_a_tool_that_outlives_its_loop_ends_quietly() -> None:
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()

    def late() -> None:
        begun.set()
        release.wait(30)
        ended.set()

    async def main() -> None:
        task = asyncio.create_task(Toolbox.of(late).call(call("late")))
        await asyncio.to_thread(begun.wait, 120)
        task.cancel()

    asyncio.run(main())
    release.set()
    assert ended.wait(120)
    for thread in threading.enumerate():
        if thread.name == "tetrate-tool-late":
            thread.join(120)


# --- results -------------------------------------------------------------------------------------------------


class Opaque:
    def __init__(self) -> None:
        self.a = 1


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ("", "(empty)"),
        (None, "null"),
        (3, "3"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (Place("Rome"), '{"city":"Rome","country":"IT"}'),
        ([Place("Rome")], '[{"city":"Rome","country":"IT"}]'),
        (dt.date(2024, 5, 6), "2024-05-06"),
        (Unit.C, "celsius"),
        (Opaque(), "Opaque object: Opaque(a=1)"),
        ([Opaque()], '["Opaque object: Opaque(a=1)"]'),
        (b"abc", "[3 bytes; a tool can only give back text]"),
        (Secret("sk-1", host="h"), "[withheld: it holds an API key]"),
        ([Secret("sk-1", host="h")], "[withheld: it holds an API key]"),
        (Broken(), "Broken object: [its repr raised RuntimeError]"),
        (2**70, str(2**70)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_results_become_text(value: object, expected: str) -> None:
    assert result_text(value).replace(f"{__name__}.", "") == expected


def test_tables_arrays_models_and_images_become_text() -> None:
    import numpy as np
    import pandas as pd
    import PIL.Image
    import pydantic

    class Model(pydantic.BaseModel):
        a: int

    frame = pd.DataFrame({"a": [1]})
    assert result_text(frame).endswith("| 1 |")
    assert json.loads(result_text({"table": frame})) == {"table": [{"a": 1}]}
    assert result_text(np.int64(3)) == "3"
    assert result_text(np.array([1, 2])).endswith("[1, 2]")
    assert result_text(Model(a=1)) == '{"a":1}'
    assert result_text([Model(a=1)]) == '[{"a":1}]'
    assert "image" in result_text(PIL.Image.new("RGB", (1, 1)))


def test_a_long_result_is_cut_and_says_so() -> None:
    for value in ("x" * 100_000, list(range(100_000)), Broken, {"a": "x" * 100_000}):
        assert len(result_text(value)) < MAX_RESULT + 100
    assert result_text("x" * 100_000).endswith("[cut here: the first 20,000 of 100,000 characters]")


def test_what_was_cut_of_a_result_is_told_with_it() -> None:
    def long() -> str:
        return "x" * (MAX_RESULT + 5)

    result = asyncio.run(Toolbox.of([long]).call(ToolCall("1", "long", "{}")))
    (cut,) = result.cuts
    assert (cut.name, cut.what, cut.sent, cut.of) == ("long", "characters", MAX_RESULT, MAX_RESULT + 5)
    assert result.result.startswith("x" * MAX_RESULT)
    assert result.error is None


def test_a_value_without_json_is_its_repr() -> None:
    class Odd:
        def __repr__(self) -> str:
            return "<odd thing>"

    assert described_result(Odd(), "f").text.endswith("<odd thing>")
    assert described_result("", "f").text == "(empty)"
    assert described_result(b"abc", "f").text == "[3 bytes; a tool can only give back text]"


def test_a_plain_tool_runs_in_a_thread_that_is_named_after_it() -> None:
    def who() -> str:
        return f"{threading.current_thread().name} {threading.current_thread().daemon}"

    result = asyncio.run(Toolbox.of([who]).call(ToolCall("1", "who", "")))
    assert result.result == "tetrate-tool-who True"


def test_a_mapping_that_can_t_be_read_is_its_repr() -> None:
    class Odd(dict[str, int]):
        def items(self) -> Any:
            raise ValueError("no")

        __iter__ = keys = items  # type: ignore[assignment]

        def __repr__(self) -> str:
            return "<odd mapping>"

    assert "<odd mapping>" in described_result(Odd(a=1), "f").text
