"""Text of foreign objects: short, without keys, and whatever the object does; errors that are ours or pass."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from tetrate_jupyter.completion.foreign import as_cause, guarded, name_of, passes, text_of, unexpected
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.secret import Secret

KEY = "sk-test-Aq7ZmX2kLr9TbW4nYc6VdE8h"


class Broken:
    def __str__(self) -> str:
        raise SystemExit(3)


class Stopped:
    def __str__(self) -> str:
        raise KeyboardInterrupt


class Sly(str):
    """A text that is cut in its own way."""

    __slots__ = ()

    def __getitem__(self, key: object) -> str:
        return "sly"


def test_a_text_is_cut_to_its_bound_and_no_shorter() -> None:
    assert text_of("x" * 5) == "xxxxx"
    assert text_of("x" * 2_000) == "x" * 2_000
    assert text_of("x" * 2_001) == "x" * 1_999 + "…"
    assert text_of("abcdef", 4) == "abc…"
    assert text_of(3, write=lambda each: f"<{each}>") == "<3>"
    assert text_of(Sly("abcdef"), 4) == "abc…"


def test_a_key_is_taken_out_before_the_text_is_cut() -> None:
    held = Secret(KEY, host="https://router.example")
    said = text_of(f"a {KEY} b")
    assert KEY not in said
    assert said.startswith("a ")
    assert said.endswith(" b")
    assert KEY[:20] not in text_of(f"aa {KEY}", 25)
    del held


def test_an_object_without_a_text_is_told_by_its_class() -> None:
    assert text_of(Broken()) == "<Broken whose text raised SystemExit>"
    assert text_of(1, write=lambda each: each) == "<int whose text raised TypeError>"  # type: ignore[arg-type, return-value]
    with pytest.raises(KeyboardInterrupt):
        text_of(Stopped())


def test_the_name_of_a_class_is_bounded() -> None:
    assert name_of(Broken()) == "Broken"
    assert name_of(type("N" * 100, (), {})()) == "N" * 100
    assert name_of(type("N" * 101, (), {})()) == "N" * 99 + "…"


def test_a_request_to_stop_is_no_failure() -> None:
    assert passes(asyncio.CancelledError()) is True
    assert passes(GeneratorExit()) is True
    assert passes(KeyboardInterrupt()) is True
    assert passes(ValueError()) is False
    assert passes(SystemExit()) is False
    elsewhere: list[bool] = []
    thread = threading.Thread(target=lambda: elsewhere.append(passes(KeyboardInterrupt())))
    thread.start()
    thread.join()
    assert elsewhere == [False]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no such place."), "Asking failed with ValueError: no such place."),
        (ValueError(), "Asking failed with ValueError."),
        (ValueError("  "), "Asking failed with ValueError."),
        (ValueError("x" * 301), f"Asking failed with ValueError: {'x' * 299}…."),
        (ValueError("x" * 300), f"Asking failed with ValueError: {'x' * 300}."),
    ],
)
def test_an_unexpected_error_is_told_in_one_sentence_and_logged(
    error: ValueError, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="tetrate_jupyter.completion.foreign"):
        made = unexpected(error, "Asking")
    assert made.message == message
    assert made.next_step == ("if that isn't from your own code, see the log of tetrate_jupyter; it may be a defect")
    (record,) = caplog.records
    assert record.getMessage() == "Asking failed with ValueError"
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert unexpected(made, "Asking again") is made


def test_what_is_raised_inside_is_ours_or_a_request_to_stop() -> None:
    ours = TetrateError("x", next_step="y")
    with pytest.raises(TetrateError) as caught, guarded("Asking"):
        raise ours
    assert caught.value is ours
    with pytest.raises(asyncio.CancelledError), guarded("Asking"):
        raise asyncio.CancelledError
    foreign = LookupError("gone")
    with pytest.raises(TetrateError, match="Asking failed with LookupError: gone") as caught, guarded("Asking"):
        raise foreign
    assert caught.value.__cause__ is foreign


def _raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - whatever it is
        return caught


def _chained(length: int) -> BaseException:
    first = error = ValueError("0")
    for n in range(1, length):
        error.__context__ = ValueError(str(n))
        error = error.__context__
    return first


def test_a_short_error_is_its_own_cause() -> None:
    for error in (ValueError("x"), ValueError("x" * 2_000), _chained(20)):
        assert as_cause(error) is error
    circle = ValueError("a")
    circle.__cause__ = LookupError("b")
    circle.__cause__.__context__ = circle
    assert as_cause(circle) is circle


def test_a_long_error_has_a_stand_in_with_its_traceback() -> None:
    error = _raised(ValueError("x" * 2_001))
    stand_in = as_cause(error)
    assert type(stand_in) is RuntimeError
    assert str(stand_in) == f"ValueError: {'x' * 1_999}… (shortened)"
    assert str(as_cause(error, kept="answer")) == (
        f"ValueError: {'x' * 1_999}… (shortened; the error itself is in answer)"
    )
    assert stand_in.__traceback__ is error.__traceback__
    assert stand_in.__traceback__ is not None
    assert type(as_cause(_chained(21))) is RuntimeError


def test_a_note_or_a_cause_that_is_long_or_holds_a_key_gives_a_stand_in_too() -> None:
    held = Secret(KEY, host="https://router.example")
    noted: Any = ValueError("x")
    noted.__notes__ = ["n" * 2_100]
    telling: Any = ValueError("x")
    telling.__notes__ = [f"with {KEY}"]
    caused = ValueError("x")
    caused.__cause__ = LookupError(f"with {KEY}")
    inside = ValueError("x")
    inside.__context__ = LookupError(KEY)
    for error in (noted, telling, caused, inside):
        stand_in = as_cause(error)
        assert type(stand_in) is RuntimeError
        assert str(stand_in).startswith("ValueError: x (shortened")
    harmless: Any = ValueError("x")
    harmless.__notes__ = ["short"]
    assert as_cause(harmless) is harmless
    del held


def test_an_error_that_computes_its_members_has_a_stand_in() -> None:
    class ComputedError(ValueError):
        @property
        def __notes__(self) -> Any:
            raise LookupError

    assert type(as_cause(ComputedError("x"))) is RuntimeError
