"""A router that says our key again, anywhere and in any form: nothing that is shown or kept has it."""

from __future__ import annotations

import itertools
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.security.keys import FORMS, STOP, EchoRouter, delta, pieces, text, without
from tests.widgets.page import Page
from tetrate_jupyter import secrecy
from tetrate_jupyter.errors import SecretInPromptError, TetrateError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import ReasoningDelta, TextDelta

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.bridge import Bridge

KEY = "sk-aZ3bY5cX7dW9eV1fU2gT4hS6iR8jQ0kP"
SIZES = [1, 2, 3, 5, 11, 1_000]


@pytest.fixture
def echo() -> Iterator[EchoRouter]:
    with EchoRouter() as running:
        yield running


@pytest.fixture
def session(echo: EchoRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    made = Session(base_url=echo.base_url, key=KEY, data_dir=tmp_path / "data", bridge=bridge, model="m-1")
    yield made
    made.close()


def told(form: str, size: int) -> list[Any]:
    """The events of an answer that says the key in pieces of `size` characters."""
    whole = f"Your key is {FORMS[form](KEY)}, take care."
    said = [text(piece) for piece in pieces(whole, size)]
    thought = [delta(reasoning_content=piece) for piece in pieces(whole, size)]
    return [*thought, *said, STOP]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("form", [form for form in FORMS if form != "its end"])
def test_the_text_and_the_reasoning(session: Session, echo: EchoRouter, tmp_path: Path, form: str, size: int) -> None:
    echo.say["completions"] = lambda _: told(form, size)
    page = Page(session.chat())
    with session.stream("hello") as stream:
        events = list(stream)
    answer = stream.answer
    assert answer is not None
    assert "<secret>" in answer.text
    assert "<secret>" in answer.reasoning
    assert answer.text.endswith(", take care.")
    assert "".join(e.delta for e in events if isinstance(e, TextDelta)) == answer.text
    assert "".join(e.delta for e in events if isinstance(e, ReasoningDelta)) == answer.reasoning
    without(KEY, answer.text, answer.reasoning, *answer.bundle().values())
    without(KEY, *(e.snapshot for e in events if isinstance(e, (TextDelta, ReasoningDelta))), session.history)
    page.wait_for(lambda: len(page.items) == 1 and not page.fields["busy"])
    without(KEY, page.messages, page.items, page._panel.fallback_html(), page._panel.fallback_plain())
    result = session.compare("hello", ["m-1", "m-2"])
    without(KEY, result.html, result.text, result.code, result.save(tmp_path / "a.json").read_text(), result.rows)
    page._panel.close()


@pytest.mark.parametrize("size", SIZES)
def test_its_end_alone_is_in_the_text_and_neither_shown_saved_nor_sent(
    session: Session, echo: EchoRouter, tmp_path: Path, size: int
) -> None:
    echo.say["completions"] = lambda _: told("its end", size)
    answer = session.ask("hello")
    assert FORMS["its end"](KEY) in answer.text  # no promise: this is what SECURITY.md says
    without(KEY, *answer.bundle().values())
    result = session.compare("hello", ["m-1", "m-2"])
    without(KEY, result.html, result.text, result.save(tmp_path / "a.json").read_text())
    sent = len(echo.bodies)
    with pytest.raises(SecretInPromptError):
        session.ask("and?")
    assert len(echo.bodies) == sent


def test_every_place_where_it_can_be_cut_in_three() -> None:
    held = Secret(KEY, host="a")
    whole = f"a {KEY} b"
    for one, two in itertools.combinations(range(len(whole) + 1), 2):
        passing = secrecy.Passing()
        shown = passing.feed(whole[:one]) + passing.feed(whole[one:two]) + passing.feed(whole[two:]) + passing.finish()
        assert shown.endswith("<secret> b")
        assert shown[: -len("<secret> b")] in {"a ", "a s", "a sk", "a sk-"}  # what every key begins with
    assert held.host


@pytest.mark.parametrize("end", ["cut", "error", "done", "stopped"])
def test_a_stream_that_ends_in_the_middle_of_it(session: Session, echo: EchoRouter, end: str) -> None:
    for shown, expected in ((KEY[:20], "It is <secret>"), (KEY[:6], f"It is {KEY[:6]}")):
        events: list[Any] = [text("It "), text(f"is {shown}")]
        events += {"error": [{"error": {"message": "no", "code": 500}}], "done": [STOP]}.get(end, [])
        if end == "cut":
            events.append("{")
        echo.say["completions"] = lambda _, events=events: events
        with session.stream("hello") as stream:
            if end == "stopped":
                for _ in stream:
                    pass
            elif end == "done":
                list(stream)
            else:
                with pytest.raises(TetrateError):
                    list(stream)
        assert stream.answer is not None
        assert stream.answer.text == expected
        assert session.history[-1].answer == expected


def test_the_arguments_of_a_tool_call(session: Session, echo: EchoRouter) -> None:
    got: list[str] = []

    def note(word: str) -> str:
        """Note a word."""
        got.append(word)
        return "noted"

    arguments = json.dumps({"word": KEY})
    call = [{"index": 0, "id": f"c-{KEY}", "function": {"name": "note", "arguments": ""}}]
    parts = [[{"index": 0, "function": {"arguments": piece}}] for piece in pieces(arguments, 7)]
    rounds = iter([[delta(tool_calls=each) for each in [call, *parts]] + [STOP], [text("fine"), STOP]])
    echo.say["completions"] = lambda _: next(rounds)
    answer = session.ask("hello", tools=[note])
    assert got == ["<secret>"]
    without(KEY, answer.tool_results, session.history, echo.bodies[-1].decode())


@pytest.mark.parametrize(
    "chunk",
    [
        {**text("hi"), "model": KEY},
        {**text("hi"), "id": KEY},
        {"model": "m-1", "choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": KEY}]},
    ],
    ids=["model", "id", "finish reason"],
)
def test_what_comes_beside_the_text(session: Session, echo: EchoRouter, tmp_path: Path, chunk: Any) -> None:
    echo.headers = lambda key: {"x-request-id": key, "x-tars-dropped-fields": f"seed, {key}", "server": key}
    echo.say["completions"] = lambda _: [chunk, STOP]
    answer = session.ask("hello")
    without(KEY, vars(answer), answer.footer, answer.notices, session.ledger.entries, session.history)
    result = session.compare("hello", ["m-1"])
    without(KEY, result.html, result.text, result.rows, result.save(tmp_path / "a.json").read_text())


ERRORS: dict[str, Any] = {
    "nested": {"error": {"message": f"no key {KEY}", "code": KEY, "type": KEY}},
    "flat": {"message": f"no key {KEY}", "code": KEY, "category": KEY, "your_hostnames": [KEY, f"{KEY}.example"]},
    "hostnames": {"error": {"code": "hostname_not_selected", "your_hostnames": [KEY.lower(), KEY]}},
    "reversed": {"error": {"message": f"no key {KEY[::-1]}"}},
    "base64": {"error": {"message": f"bad header {FORMS['base64 of a header'](KEY)}"}},
    "escaped": '{"error": {"message": "no key ' + "".join(f"\\u{ord(c):04x}" for c in KEY) + '"}}',
    "page": (f"<html>no key {KEY}</html>", "text/html"),
    "text": (f"no key {KEY}", "text/plain"),
    "type": ("{}", f"application/{KEY}"),
}


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("kind", ERRORS)
def test_the_bodies_of_errors(session: Session, echo: EchoRouter, kind: str, status: int) -> None:
    body = ERRORS[kind]
    body, media = body if isinstance(body, tuple) else (body, "application/json")
    echo.headers = lambda key: {"location": f"https://{key}.example/{key}", "retry-after": "0"}
    echo.say["completions"] = echo.say["models"] = echo.say["status"] = lambda _: (status, body, media)
    for ask in (lambda: session.ask("hello", model="m-1"), lambda: session.models(refresh=True)):
        with pytest.raises(TetrateError) as caught:
            ask()
        error = caught.value
        without(KEY, str(error), repr(error), error.args, vars(error), error._render_traceback_(), error.advice)
    without(KEY, repr(session.status()))


def test_an_error_inside_a_stream(session: Session, echo: EchoRouter) -> None:
    echo.say["completions"] = lambda key: [text("It is"), {"error": {"message": f"bad {key}", "code": key}}]
    with pytest.raises(TetrateError) as caught:
        session.ask("hello")
    without(KEY, str(caught.value), vars(caught.value), session.history, session.ledger.entries)


def test_an_answer_in_one_piece(session: Session, echo: EchoRouter) -> None:
    escaped = "".join(f"\\u{ord(c):04x}" for c in KEY)
    message = f'{{"role": "assistant", "content": "it is {escaped}", "reasoning": "hm, {KEY}"}}'
    body = f'{{"model": "{KEY}", "choices": [{{"index": 0, "finish_reason": "{KEY}", "message": {message}}}]}}'
    echo.say["completions"] = lambda _: (200, body, "application/json")
    answer = session.ask("hello")
    assert answer.text == "it is <secret>"
    without(KEY, vars(answer), session.history)


@pytest.mark.parametrize("form", FORMS)
def test_the_lists_of_models_and_the_report(session: Session, echo: EchoRouter, tmp_path: Path, form: str) -> None:
    said = FORMS[form](KEY)
    entry = {"id": "m-1", "owned_by": said, "description": f"\u00e4 \\ {said}"}
    catalog = {"model": "m-1", "provider": said, "displayName": said, "capabilities": [said], "mode": said}
    echo.say["models"] = lambda _: {"data": [entry, {"id": f"m-{said}"}, {"id": "m-2", "owned_by": "x"}]}
    echo.say["catalog"] = lambda _: {"models": [{**catalog, "metadata": {"description": said, "displayName": said}}]}
    echo.say["status"] = lambda _: {"providers": [{"name": said, "failures": 1, "last_failure_code": said}]}
    models = session.models(refresh=True)
    picker, dropdown = Page(session.picker()), session.dropdown()
    without(KEY, list(models), repr(models), *models._repr_mimebundle_().values(), repr(session.status()))
    without(KEY, picker.messages, picker._panel.fallback_html(), dropdown.get_state())
    without(KEY, *(path.read_text() for path in tmp_path.rglob("*.json")))
    assert [m.id for m in models if "<secret>" in m.id]
    picker._panel.close()


def test_a_cell_shows_nothing_of_it(
    session: Session, echo: EchoRouter, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    for form, size in itertools.product(FORMS, (3, 1_000)):
        if form == "its end":
            continue
        echo.say["completions"] = lambda _, form=form, size=size: told(form, size)
        shell.run_cell("%%tetrate -m m-1\nhello")
    shown = capsys.readouterr()
    assert shown.out.count("<secret>") >= len(FORMS) - 1
    without(KEY, shown.out, shown.err, shell.user_ns["_tetrate"])


def test_the_cost_of_a_piece_does_not_grow(session: Session) -> None:
    passing = secrecy.Passing()
    for _ in range(2_000):
        passing.feed("sk- and more, c2s, 736 " * 4)
        assert len(passing._held) + len(passing._before) < 4 * len(KEY)
    assert session.model


# --- what is in escapes until we read it; what others write --------------------------------------------------------


def test_a_value_that_is_read_from_an_answer(session: Session, echo: EchoRouter) -> None:
    escaped = "".join(f"\\u{ord(c):04x}" for c in KEY)
    said = f'{{"value": "it is {escaped}", "{escaped}": 1}}'
    echo.say["completions"] = lambda _: [text(said), STOP]
    value = {"type": "object", "properties": {"value": {"type": "string"}}, "required": ["value"]}
    answer = session.ask("hello", schema=value)
    assert answer.parsed == {"value": "it is <secret>", "<secret>": 1}
    without(KEY, *map(repr, vars(answer).values()))


def test_the_arguments_of_a_tool_call_in_escapes(session: Session, echo: EchoRouter) -> None:
    got: list[str] = []

    def note(word: str) -> str:
        """Note a word."""
        got.append(word)
        return "noted"

    arguments = '{"word": "' + "".join(f"\\u{ord(c):04x}" for c in KEY) + '"}'
    call = [{"index": 0, "id": "c-1", "function": {"name": "note", "arguments": arguments}}]
    rounds = iter([[delta(tool_calls=call), STOP], [text("fine"), STOP]])
    echo.say["completions"] = lambda _: next(rounds)
    assert session.ask("hello", tools=[note]).text == "fine"
    assert got == ["<secret>"]


@pytest.mark.parametrize("form", [form for form in FORMS if form != "in json"])  # no header has line ends or quotes
def test_headers_that_the_http_library_logs(
    session: Session, echo: EchoRouter, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    echo.headers = lambda _: {"x-trace": FORMS[form](KEY), "set-cookie": f"key={FORMS[form](KEY)}"}
    with caplog.at_level(logging.DEBUG):
        session.ask("hello")
        session.models(refresh=True)
    assert "x-trace" in caplog.text
    without(KEY, caplog.text, *(repr(vars(record)) for record in caplog.records))
