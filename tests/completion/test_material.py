"""Text that nobody typed, made ready for a prompt; a tool's result without keys; classes known without an import."""

from __future__ import annotations

import sys
import types
from decimal import Decimal

import pytest

from tetrate_jupyter.completion.loaded import is_a
from tetrate_jupyter.completion.material import counted, fenced, key_in, sendable
from tetrate_jupyter.completion.secrets import without_keys
from tetrate_jupyter.errors import SecretInPromptError
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Cut, ToolCall, ToolResult

KEY = Secret("sk-" + "Kq7vR2xWz9" * 3, host="a.example")
CALL = ToolCall("c0", "look_up", "{}")


def test_text_is_sent_within_its_bound_and_shows_what_hides() -> None:
    assert sendable("a" * 100, "cell 3", 100) == "a" * 100
    assert sendable("a" * 101, "cell 3", 100) == "a" * 99 + "…"
    assert "\u202e" not in sendable("a\u202eb", "cell 3", 100)


def test_text_with_a_key_is_not_sent_even_where_the_cut_would_hide_it() -> None:
    for text in (f"key = {KEY.reveal()!r}", "x" * 100 + KEY.reveal(), "x" * 90 + KEY.reveal()):
        with pytest.raises(SecretInPromptError) as caught:
            sendable(text, "cell 3", 100)
        assert caught.value.message == "What looks like an API key is in cell 3; nothing was sent."
        assert caught.value.next_step == ("keep it out of there (os.environ, getpass) and run the cell again")
    assert key_in("a file", "take it out").next_step == "take it out"
    assert sendable("x" * 100_000 + KEY.reveal(), "cell 3", 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("text", "fence"),
    [("a", "```"), ("", "```"), ("`a` ``b``", "```"), ("```\na\n```", "````"), ("a ````` b ```", "``````")],
)
def test_no_text_can_close_its_own_fence(text: str, fence: str) -> None:
    assert fenced(text) == f"{fence}\n{text}\n{fence}"
    assert fenced(text, "python") == f"{fence}python\n{text}\n{fence}"


def test_a_number_has_its_noun() -> None:
    assert [counted(n, "line") for n in (0, 1, 2, 1_000)] == ["0 lines", "1 line", "2 lines", "1,000 lines"]


def test_a_result_without_a_key_stays_as_it_is() -> None:
    result = ToolResult(CALL, "12 pieces", 0.5, cuts=(Cut("x", "rows", 1, 2),))
    assert without_keys(result) == (result, None)
    assert without_keys(result)[0] is result


def test_a_result_with_a_key_has_it_redacted_and_ends_the_question() -> None:
    result = ToolResult(CALL, f"It is {KEY.reveal()}.", 0.5, cuts=(Cut("x", "rows", 1, 2),))
    clean, refused = without_keys(result)
    assert KEY.reveal() not in clean.result
    assert clean.result.startswith("It is ")
    assert clean.result.endswith(".")
    assert (clean.call, clean.seconds, clean.error, clean.cuts) == (CALL, 0.5, None, result.cuts)
    assert refused is not None
    assert refused.message == "The result of the tool look_up holds an API key; it was not sent."
    assert refused.next_step == "change look_up to leave it out, then ask again"


def test_an_error_with_a_key_has_it_redacted_and_ends_the_question_by_itself() -> None:
    raised = ValueError(KEY.reveal())
    result = ToolResult(CALL, f"Error: {KEY.reveal()}", 0.5, error=f"ValueError: {KEY.reveal()}", raised=raised)
    clean, refused = without_keys(result)
    assert refused is None
    assert KEY.reveal() not in clean.result + str(clean.error)
    assert clean.error is not None
    assert clean.error.startswith("ValueError: ")
    assert clean.raised is raised


class Pretending:
    """Says that it is another class, by code that must not run."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise RuntimeError("asked")


def test_a_class_is_known_where_its_library_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    library = types.ModuleType("a_library")
    library.Number, library.make = int, len  # type: ignore[attr-defined]
    assert not is_a(7, "a_library", "Number")
    monkeypatch.setitem(sys.modules, "a_library", library)
    assert is_a(7, "a_library", "Number")
    assert is_a(True, "a_library", "Number")
    assert not is_a(7.0, "a_library", "Number")
    assert not is_a(7, "a_library", "Text")
    assert not is_a(7, "a_library", "make")
    assert not is_a(object(), "a_library", "Number")
    assert is_a(Decimal(1), "decimal", "Decimal")
    assert not is_a(Pretending(), "decimal", "Decimal")
