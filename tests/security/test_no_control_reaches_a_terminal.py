"""Whatever a router, model, tool or file says: what a terminal is given holds nothing that acts on it or hides."""

from __future__ import annotations

import inspect
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.security.odd_router import KEY, OddRouter, odd_router
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.face import shared
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.magics import extension

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge

EVIL = (
    "\x1b]52;c;ZXZpbA==\x07\x1b]0;title\x1b\\\x1b]8;;https://evil.example\x1b\\x\x1b[2J\x9b31m\x90q\x9c\x08\x7f"
    "\u202egpj.exe\u2066\u200f\u200b\u2060\ufeff\u3164\u115f\ufe01\U000e0041\U000e0101\u034f\u061c\u00ad\ufff9\u2028end"
)
ACTS_OR_HIDES = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
# What Python's own repr of a text leaves as it is: blank, but nothing that acts.
BLANK_IN_A_REPR = re.compile("[\u034f\u115f\u1160\u3164\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def clean(*texts: str) -> None:
    for text in texts:
        found = ACTS_OR_HIDES.search(text)
        assert found is None, f"{found[0]!r} in {text[max(0, found.start() - 60) : found.end() + 60]!r}"


def harmless(*reprs: str) -> None:
    """The same of a dataclass's repr, which quotes texts as Python does."""
    clean(*(BLANK_IN_A_REPR.sub("", text) for text in reprs))


def kinds(kind: type[TetrateError] = TetrateError) -> list[type[TetrateError]]:
    return [kind, *(found for below in kind.__subclasses__() for found in kinds(below))]


def made(kind: type[TetrateError], text: str) -> TetrateError:
    """An error of this kind with `text` wherever it takes any."""
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        if name in {"message", "next_step", "request_id", "code", "phase"}:
            given[name] = text
        elif parameter.default is inspect.Parameter.empty:
            given[name] = None
    return kind(given.pop("message"), **given)


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_error_is_clean_in_every_form(kind: type[TetrateError]) -> None:
    error = made(kind, f"before {EVIL} after\nsecond line")
    said = [str(error), repr(error), repr(error.args), *map(str, error.args), error.message, error.next_step]
    said += [error.advice, str(error.request_id), *error.lines(), *error._render_traceback_()]
    said += [str(getattr(error, "code", ""))]
    clean(*said)
    assert "before" in error.message
    assert "after\nsecond line" in error.message
    assert len(str(made(kind, "x" * 10**7))) < 30_000


@pytest.fixture
def odd() -> Iterator[OddRouter]:
    with odd_router() as router:
        yield router


@pytest.fixture
def asking(odd: OddRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    odd.models = json.dumps(
        {
            "data": [
                {"id": "good", "owned_by": EVIL, "description": EVIL, "input_price": "0", "output_price": "0"},
                {"id": f"bad{EVIL}"},
            ]
        }
    )
    members = {"provider": EVIL, "displayName": EVIL, "mode": EVIL, "capabilities": [EVIL]}
    metadata = {"display_name": EVIL, "reasoning_efforts": [EVIL], "fallback_policies": [EVIL], "retirement_date": EVIL}
    odd.catalog = json.dumps({"models": [{"model": "good", **members, "metadata": metadata}]})
    odd.status = json.dumps({"providers": [{"name": EVIL, "failures": 1, "last_failure_code": EVIL}]})
    session = Session(base_url=odd.base_url, auth_url=odd.address, key=KEY, data_dir=tmp_path, bridge=bridge)
    yield session
    session.close()


def test_names_of_models_and_providers_are_clean(asking: Session) -> None:
    models = asking.models()
    assert models.ids == ("good",)
    clean(repr(models), repr(list(models)), models.df.to_string(), repr(asking.status()), *asking.catalog.notes)
    clean(repr(asking.dropdown()), repr(asking))
    asking.choose("good")
    clean(repr(asking))


def test_an_answer_and_what_it_says_of_itself(odd: OddRouter, asking: Session) -> None:
    odd.answer(EVIL, model=json.dumps(EVIL))
    odd.chunks[-1] = odd.chunks[-1].replace('"stop"', json.dumps(EVIL))
    answer = asking.ask("hello")
    assert answer.text == EVIL  # the model's own text stays as it is where it is data
    clean(str(answer), f"{answer}", repr(answer), answer.model, str(answer.finish_reason), answer.footer)
    clean(answer.bundle()["text/plain"], *answer.notices, repr(asking.ledger.entries))
    harmless(repr(asking.history[-1]))


def test_a_comparison_in_every_form(odd: OddRouter, asking: Session, tmp_path: Path) -> None:
    odd.answer(f"Text {EVIL}", model=json.dumps(EVIL))
    result = asking.compare("hello", [{"model": "good", "label": f"mine {EVIL}"}, "good", f"none{EVIL}"])
    assert result.rows[0].text == f"Text {EVIL}"
    clean(repr(result), repr(list(result)), result.df.to_string())
    clean(repr(result.columns[0]), repr(result.blind()), repr(asking.comparison))
    harmless(repr(result.rows), repr(result.failed), repr(result.columns[0].figures))
    clean(str(asking.comparison and asking.comparison.forecast.sentence))
    assert asking.comparison is not None
    harmless(repr(asking.comparison.setup.columns))
    path = result.save(tmp_path / "c.json")
    loaded = type(result).load(path)
    assert loaded.rows[0].text == result.rows[0].text
    clean(repr(loaded), repr(list(loaded)), loaded.df.to_string())


def test_what_a_tool_and_a_file_raise(odd: OddRouter, asking: Session, tmp_path: Path) -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "look", "arguments": "{}"}}
    odd.chunks = [json.dumps({"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]})]

    def look() -> str:
        """Look."""
        raise ValueError(EVIL)

    with pytest.raises(TetrateError) as raised:
        asking.ask("hello", tools=[look])
    clean(str(raised.value), repr(raised.value))
    with pytest.raises(TetrateError) as missing:
        asking.ask("hello", images=[str(tmp_path / f"no{EVIL}.png".replace("/", "_"))])
    clean(str(missing.value), repr(missing.value))


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 413, 422, 429, 500, 529])
def test_what_a_router_says_in_an_error(odd: OddRouter, asking: Session, status: int) -> None:
    error = {"message": f"no {EVIL}", "code": EVIL if status != 403 else "hostname_not_selected", "type": EVIL}
    inner = {"error": {**error, "your_hostnames": [EVIL], "metadata": {"a": EVIL}}}
    odd.chunks = [json.dumps({**inner, "error": {**inner["error"], "code": status if status > 200 else EVIL}})]
    with pytest.raises(TetrateError) as raised:
        asking.ask("hello")
    clean(str(raised.value), repr(raised.value), repr(vars(raised.value)))


@pytest.fixture
def shell(asking: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setattr(shared, "session", asking)
    made = InteractiveShell()
    made.history_manager.enabled = False
    extension.load(made)
    yield made
    extension.unload(made)
    made.history_manager.end_session()


def test_magics_in_a_terminal(
    odd: OddRouter, asking: Session, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    odd.answer(EVIL, model=json.dumps(EVIL))
    asking._model = f"typed {EVIL}"  # as set before any list was at hand
    shell.run_line_magic("tetrate_model", "")
    asking._model = None
    shell.run_line_magic("tetrate_model", "good")
    shell.run_line_magic("tetrate_models", f"nothing{EVIL.replace(chr(0x2028), '')}")
    print(repr(shell.run_line_magic("tetrate_models", "")))
    print(repr(shell.run_line_magic("tetrate_status", "")))
    shell.run_line_magic("tetrate", "hello")
    shell.run_line_magic("tetrate", "--dry-run hello")
    print(repr(asking.last), asking.last)
    said = capsys.readouterr()
    clean(said.out, said.err)
    assert "Model: typed" in said.out
    assert "Model: good" in said.out


def test_code_for_a_new_cell_names_what_hides(
    odd: OddRouter, asking: Session, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    asking.choose("good")
    odd.answer("```python\nprint('plain')\n```")
    shell.run_line_magic("tetrate", "-f code hello")
    assert shell.rl_next_input == "print('plain')"
    hides = "\u202e\u2066\u200b\u200d\ufe0f\ufe01\u3164\u115f\U000e0101\U000e0041\x1b\x08\u2060\ufeff\u00ad\u061c"
    for character in hides:
        odd.answer(f"```python\nuser = 'admin'\nif user == 'admin{character}':\n    pass\n```")
        shell.run_line_magic("tetrate", "-f code hello")
        cell = str(shell.rl_next_input)
        clean(cell)
        assert f"'admin⟦U+{ord(character):04X}⟧'" in cell
        assert cell.splitlines()[0].startswith("# ")
        assert "in line 3." in cell.splitlines()[0]  # of the cell, its own first line counted
        assert cell.splitlines()[2].startswith("if user")
    clean(capsys.readouterr().out)
