"""What a model may have run is bounded in number, and what a person's own objects say is bounded in length."""

from __future__ import annotations

import builtins
import itertools
import json
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from tests.completion.texts import result_text
from tetrate_jupyter import config
from tetrate_jupyter.completion.foreign import as_cause, text_of
from tetrate_jupyter.completion.tools import MAX_RESULT, Toolbox
from tetrate_jupyter.errors import ToolFailedError, ToolLoopError
from tetrate_jupyter.types import ToolCall

from .conftest import HEAD, calls, delta, says

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Asking

HUGE = "x" * 10_000_000
UNTEXT: Any = 5


def counted() -> tuple[list[int], Callable[[], int]]:
    ran: list[int] = []

    def f() -> int:
        """Count."""
        ran.append(1)
        return len(ran)

    return ran, f


def test_twenty_thousand_calls_at_once_are_not_run(asking: Callable[..., Asking]) -> None:
    ran, f = counted()
    session = asking(calls(*[("f", "{}")] * 20_000)).session
    with pytest.raises(ToolLoopError, match=f"more than {config.MAX_CALLS_PER_ROUND} tool calls at once") as caught:
        session.ask("hello", tools=[f])
    assert not ran
    assert caught.value.next_step
    assert session.ledger.entries[-1].error == "ToolLoopError"


def test_a_call_for_each_event_is_not_run_either(asking: Callable[..., Asking]) -> None:
    ran, f = counted()
    each = (delta(tool_calls=[{"index": n, "function": {"name": "f", "arguments": "{}"}}]) for n in range(10**9))
    session = asking(_after(HEAD, each)).session
    with pytest.raises(ToolLoopError):
        session.ask("hello", tools=[f])
    assert not ran


def _after(first: bytes, rest: Any) -> Any:
    yield first
    yield from rest


def test_as_many_calls_as_are_allowed_are_run(asking: Callable[..., Asking]) -> None:
    ran, f = counted()
    session = asking(calls(*[("f", "{}")] * config.MAX_CALLS_PER_ROUND), says("done")).session
    assert session.ask("hello", tools=[f]).text == "done"
    assert len(ran) == config.MAX_CALLS_PER_ROUND


def test_a_question_has_a_bound_over_its_rounds(asking: Callable[..., Asking]) -> None:
    ran, f = counted()
    session = asking(*[calls(*[("f", "{}")] * config.MAX_CALLS_PER_ROUND)] * config.MAX_TOOL_ROUNDS).session
    with pytest.raises(ToolLoopError, match="more than 256 times") as caught:
        session.ask("hello", tools=[f])
    assert len(ran) == config.MAX_CALLS_PER_QUESTION
    answer: Any = caught.value.answer
    assert len(answer.tool_results) == config.MAX_CALLS_PER_QUESTION


def test_long_names_and_ids_stay_short(asking: Callable[..., Asking]) -> None:
    long = {"index": 0, "id": "i" * 10**6, "function": {"name": "n" * 10**6, "arguments": "{}"}}
    asked = asking(HEAD + delta(tool_calls=[long]) + b"data: [DONE]\n\n", says("done"))
    answer = asked.session.ask("hello", tools=[counted()[1]])
    (result,) = answer.tool_results
    assert len(result.call.name) == config.MAX_CALL_NAME
    assert result.call.id == "call_0"
    assert len(result.result) < 1_000


# --- what a tool raises --------------------------------------------------------------------------------------


class SilentError(Exception):
    def __str__(self) -> str:
        raise SystemExit("no text for you")


class OddError(Exception):
    def __str__(self) -> str:
        return UNTEXT


class Sly(str):
    """A text that answers to slicing and formatting as it likes."""

    __slots__ = ()

    def __getitem__(self, _: Any) -> str:
        return HUGE

    def __format__(self, _: str) -> str:
        return HUGE

    def __str__(self) -> str:
        return HUGE

    def __len__(self) -> int:
        return 1


class SlyError(Exception):
    def __str__(self) -> str:
        return Sly(HUGE)


def _noted() -> Exception:
    error = ValueError("short")
    error.__dict__["__notes__"] = [HUGE]
    return error


def _caused() -> Exception:
    error = ValueError("short")
    error.__cause__ = ValueError(HUGE)
    return error


RAISED: dict[str, Callable[[], BaseException]] = {
    "huge": lambda: ValueError(HUGE),
    "huge arguments": lambda: KeyError(HUGE, [HUGE]),
    "raises": SilentError,
    "no text": OddError,
    "sly": SlyError,
    "notes": _noted,
    "cause": _caused,
    "exits": lambda: SystemExit(HUGE),
}


@pytest.mark.parametrize("name", RAISED)
def test_what_a_tool_raises_is_short_wherever_it_is_shown(asking: Callable[..., Asking], name: str) -> None:
    def f() -> None:
        error = RAISED[name]()
        raise error

    session = asking(calls(("f", "{}"))).session
    with pytest.raises(ToolFailedError) as caught:
        session.ask("hello", tools=[f])
    error, answer = caught.value, caught.value.answer
    assert isinstance(answer.tool_results[-1].raised, type(RAISED[name]()))  # type: ignore[union-attr]
    shown = [str(error), error.message, *error._render_traceback_(), "".join(traceback.format_exception(error))]
    shown += [repr(answer.tool_results), answer.tool_results[-1].error, answer.tool_results[-1].result]  # type: ignore[union-attr]
    shown += [json.dumps([str(m) for m in session.history])]
    assert max(map(len, shown)) < 30_000


def test_a_short_error_of_a_tool_is_the_cause_itself(asking: Callable[..., Asking]) -> None:
    mine = ValueError("no such city")

    def f() -> None:
        raise mine

    with pytest.raises(ToolFailedError, match="f raised ValueError: no such city") as caught:
        asking(calls(("f", "{}"))).session.ask("hello", tools=[f])
    assert caught.value.__cause__ is mine


# --- what a tool gives ---------------------------------------------------------------------------------------


class Unwritable:
    def __repr__(self) -> str:
        raise SystemExit

    __str__ = __repr__

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


class Endless(dict[str, Any]):
    def items(self) -> Any:
        return ((str(n), HUGE[:1000]) for n in range(10**9))


class LongRepr:
    def __repr__(self) -> str:
        return HUGE


RESULTS: list[Any] = [HUGE, Sly("a"), Unwritable(), LongRepr(), Endless(), [HUGE] * 3, {HUGE: HUGE}, 10**5000, 1e400]
RESULTS += [[Unwritable()] * 3, {"a": Unwritable()}, memoryview(b"x" * 10**7), SlyError(), float("nan"), "\ud800"]


@pytest.mark.parametrize("place", range(len(RESULTS)))
def test_what_a_tool_gives_is_short_text(place: int) -> None:
    text = result_text(RESULTS[place])
    assert type(text) is str
    assert 0 < len(text) <= 1.1 * MAX_RESULT  # and a line that says what was cut


@pytest.mark.parametrize("kind", [SilentError, OddError, SlyError, Unwritable, LongRepr])
def test_text_of_never_raises(kind: type[Any]) -> None:
    value = kind()
    assert type(text_of(value)) is str
    assert len(text_of(value)) <= 2_000


# --- what a model writes as arguments ------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    "arguments",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": -1e999}',
        '{"a": ' + "[" * 900 + "]" * 900 + "}",
        "\ud800",
        json.dumps({"n" * 10**6: 1}),
        json.dumps({"a": HUGE[: 10**6]}),
    ],
    ids=range(8),
)
async def test_any_arguments_are_used_or_told_back(arguments: str) -> None:
    def f(a: int) -> int:
        return a

    result = await Toolbox.of([f]).call(ToolCall("c", "f", arguments))
    assert result.raised is None
    assert result.error is not None
    assert len(result.result) < 1_000


class _ComputedError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__("said")
        self._name = name

    def __getattribute__(self, name: str) -> Any:
        if name == object.__getattribute__(self, "_name"):
            raise RuntimeError(name)
        return super().__getattribute__(name)


@pytest.mark.parametrize("name", ["__cause__", "__context__", "__notes__", "__traceback__"])
def test_an_error_that_computes_its_parts_is_replaced(name: str) -> None:
    assert "said" in str(as_cause(_ComputedError(name)))


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no groups of errors")
def test_a_group_without_end_is_replaced() -> None:
    group = builtins.ExceptionGroup  # type: ignore[attr-defined,unused-ignore]

    class Endless(group):  # type: ignore[misc,valid-type,unused-ignore]
        @property
        def exceptions(self) -> Any:
            return itertools.repeat(ValueError("one"))

    assert type(as_cause(Endless("said", [ValueError()]))) is RuntimeError
