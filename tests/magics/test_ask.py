"""%tetrate and %%tetrate in a shell: prompt in, answer shown and kept, mistakes answered in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter.completion.answer import Answer
from tetrate_jupyter.errors import (
    AttachmentError,
    EmptyPromptError,
    OptionError,
    SchemaMismatchError,
    SecretInPromptError,
    StreamCutError,
    UnknownModelError,
)
from tetrate_jupyter.face import shared
from tetrate_jupyter.sandbox import INSTANT, Fault, SandboxRouter

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import LoggedRequest


def sent(router: SandboxRouter) -> LoggedRequest:
    return [r for r in router.requests if r.path.endswith("/chat/completions")][-1]


def prompt_of(router: SandboxRouter) -> str:
    text: str = sent(router).body["messages"][-1]["content"]
    return text


def ask(shell: InteractiveShell, line: str, cell: str | None = None) -> Any:
    if cell is None:
        return shell.run_line_magic("tetrate", line)
    return shell.run_cell_magic("tetrate", line, cell)


def test_the_answer_is_shown_with_its_quiet_line_and_left_in_variables(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(shell, "-o result", "What is 17 * 23?")
    shown = capsys.readouterr().out
    answer = shell.user_ns["result"]
    assert isinstance(answer, Answer)
    assert shell.user_ns["_tetrate"] is answer
    assert "391" in shown
    assert answer.text in shown
    assert "claude-haiku-4-5" in shown
    assert "→" in shown
    assert "≈ $" in shown


def test_the_line_form_takes_the_rest_as_it_is(shell: InteractiveShell, router: SandboxRouter) -> None:
    ask(shell, 'what\'s the "capital" of France?')
    assert prompt_of(router) == 'what\'s the "capital" of France?'


@pytest.mark.parametrize("line", ["How many are in stock?", "what's it?", "Why??", "list (a, b?"])
def test_a_line_may_end_with_a_question_mark(shell: InteractiveShell, router: SandboxRouter, line: str) -> None:
    assert shell.run_cell(f"if True:\n    %tetrate {line}").success
    assert prompt_of(router) == line


@pytest.mark.parametrize("line", ["%tetrate?", "%tetrate??", "%tetrate_models?", "%%tetrate?"])
def test_a_magic_with_a_question_mark_is_still_help(
    shell: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    shell.run_cell(line)
    assert "File:" in capsys.readouterr().out
    assert not router.requests


def test_variables_go_in_and_other_braces_stay(shell: InteractiveShell, router: SandboxRouter) -> None:
    shell.user_ns.update(name="Ada", items=["x", "y"])
    cell = 'Hello {name}, first {items[0]}; keep {"a": {}} and \\frac{a}{b} and {unknown} and f"{name!r}"'
    ask(shell, "", cell)
    assert prompt_of(router).startswith('Hello Ada, first x; keep {"a": {}} and \\frac{a}{b} and {unknown}')


def test_a_slip_in_a_variable_is_said_and_sent_as_typed(
    shell: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["sales"] = [1, 2]
    shell.run_cell_magic("tetrate", "", "sum up {sale}")
    assert "{sale} isn't a variable here and stays as typed. Did you mean {sales}?" in capsys.readouterr().out
    assert "sum up {sale}" in str(router.requests[-1].body)


def test_no_interpolate_leaves_names_alone(shell: InteractiveShell, router: SandboxRouter) -> None:
    shell.user_ns["name"] = "Ada"
    ask(shell, "-n", "Hello {name}")
    assert prompt_of(router) == "Hello {name}"


def test_options_reach_the_request(shell: InteractiveShell, router: SandboxRouter) -> None:
    ask(shell, '-m gpt-6-luna -s "Be brief." --effort low --max-tokens 99 -p top_p=0.5 -p user=ada', "hello")
    body = sent(router).body
    assert body["model"] == "gpt-6-luna"
    assert body["messages"][0]["content"] == "Be brief."
    assert (body["reasoning_effort"], body["max_completion_tokens"]) == ("low", 99)
    assert (body["top_p"], body["user"]) == (0.5, "ada")


def test_traits_are_the_defaults(shell: InteractiveShell, router: SandboxRouter, session: Session) -> None:
    shell.run_line_magic("config", "TetrateMagics.temperature = 0.25")
    shell.run_line_magic("config", "TetrateMagics.system = 'Be kind.'")
    shell.run_line_magic("config", "TetrateMagics.keep = False")
    shell.run_line_magic("config", "TetrateMagics.model = 'gemini-2.5-flash'")
    ask(shell, "hello")
    body = sent(router).body
    assert (body["model"], body["temperature"]) == ("gemini-2.5-flash", 0.25)
    assert body["messages"][0]["content"] == "Be kind."
    assert session.history == ()
    ask(shell, "-t 1 hello")
    assert sent(router).body["temperature"] == 1


def test_new_and_no_keep(shell: InteractiveShell, session: Session, router: SandboxRouter) -> None:
    ask(shell, "first")
    ask(shell, "--no-keep", "aside")
    assert [e.user.content for e in session.history] == ["first"]
    assert [m["content"] for m in sent(router).body["messages"]] == ["aside"]
    ask(shell, "--new second")
    assert [e.user.content for e in session.history] == ["second"]
    assert len(sent(router).body["messages"]) == 1


def test_reset_starts_anew(shell: InteractiveShell, session: Session) -> None:
    ask(shell, "first")
    shell.run_line_magic("tetrate_reset", "")
    assert session.history == ()


def test_a_dry_run_sends_nothing_and_says_what_would_go(
    shell: InteractiveShell, router: SandboxRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(shell, "--dry-run --max-tokens 100", "hello world")
    shown = capsys.readouterr().out
    assert "Nothing was sent" in shown
    assert '"content": "hello world"' in shown
    assert "at most ≈ $" in shown
    assert not [r for r in router.requests if r.path.endswith("/chat/completions")]


@pytest.mark.parametrize(
    "options", ["", "--new", "-m gpt-6-luna", "--no-keep", "--new --cache", "-o kept", "--refresh"]
)
def test_a_dry_run_changes_nothing(shell: InteractiveShell, session: Session, options: str) -> None:
    ask(shell, "", "first")
    before = session.history, session.conversation.branches, session.conversation.branch.id, dict(shell.user_ns)
    changes: list[int] = []
    session.conversation.on_change(lambda: changes.append(1))
    ask(shell, f"--dry-run {options}", "second")
    after = session.history, session.conversation.branches, session.conversation.branch.id, dict(shell.user_ns)
    assert (after, changes) == (before, [])


def test_a_dry_run_of_a_new_conversation_shows_that_one(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(shell, "", "the first of all")
    capsys.readouterr()
    ask(shell, "--dry-run --new", "second")
    assert "the first of all" not in capsys.readouterr().out
    ask(shell, "--dry-run", "second")
    assert "the first of all" in capsys.readouterr().out


def test_a_dry_run_chooses_no_model_for_the_session(shell: InteractiveShell, session: Session) -> None:
    session.model = None
    ask(shell, "--dry-run", "first")
    assert session.model is None
    ask(shell, "", "first")
    assert session.model is not None


def test_a_dry_run_of_a_model_without_price_says_unknown(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    with SandboxRouter(speed=INSTANT, models=[{"model": "acme/unpriced", "provider": "acme"}]) as router:
        shared.session.connect(router.base_url)
        shared.session.login(key=router.issue_key())
        ask(shell, "-m acme/unpriced --dry-run", "hello")
    assert "cost unknown" in capsys.readouterr().out


def test_json_is_parsed_and_prose_is_refused_with_its_text_kept(shell: InteractiveShell) -> None:
    ask(shell, "-m sandbox/echo -f json -o data", '{"a": [1, 2]}')
    assert shell.user_ns["data"].parsed == {"a": [1, 2]}
    with pytest.raises(SchemaMismatchError):
        ask(shell, "-m sandbox/echo -f json -o data", "no json at all")
    assert shell.user_ns["data"].text == "no json at all"


def test_code_goes_into_a_new_cell(shell: InteractiveShell) -> None:
    ask(shell, "-m sandbox/echo -f code", "Here:\n```python\nprint(1)\n```\nand more")
    assert shell.rl_next_input == "print(1)"


def test_a_schema_and_a_tool_by_name(shell: InteractiveShell) -> None:
    shell.run_cell(
        "from dataclasses import dataclass\n"
        "@dataclass\nclass City:\n    name: str\n"
        "def stock_of(product: str) -> int:\n    '''How many pieces.'''\n    return 12\n"
    )
    ask(shell, "--schema City -o city", "Extract the city: Ada lives in London.")
    assert isinstance(shell.user_ns["city"].parsed, shell.user_ns["City"])
    ask(shell, "--tool stock_of -o stock", "How many pieces of the product 'lamp' are in stock?")
    assert shell.user_ns["stock"].tool_results[0].result == "12"


def test_what_came_before_a_break_is_kept_in_the_variable(shell: InteractiveShell, router: SandboxRouter) -> None:
    router.inject(Fault("stream-cut", after_chunks=3))
    with pytest.raises(StreamCutError):
        ask(shell, "-o story", "Tell me a long story.")
    assert shell.user_ns["story"].partial == "StreamCutError"
    assert shell.user_ns["story"].text


@pytest.mark.parametrize(
    ("line", "cell", "error", "says"),
    [
        ("", "  \n ", EmptyPromptError, "below"),
        ("", None, EmptyPromptError, "%tetrate why"),
        ("--modle x", "hi", OptionError, "--model"),
        ("-m claude-haiku-9", "hi", UnknownModelError, "claude-haiku-4-5"),
        ("gpt-6-luna", "hi", OptionError, "-m"),
        ("-o 1x", "hi", OptionError, "variable"),
        ("-o class", "hi", OptionError, "variable"),
        ("--schema Nope", "hi", OptionError, "define"),
        ("--tool nope", "hi", OptionError, "define"),
        ("-p top_p", "hi", OptionError, "NAME=VALUE"),
        ("--image nope.png", "hi", AttachmentError, ""),
    ],
)
def test_mistakes_are_answered_before_anything_is_sent(  # noqa: PLR0917 - parametrized
    shell: InteractiveShell, router: SandboxRouter, line: str, cell: str | None, error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        ask(shell, line, cell)
    assert says in caught.value.next_step  # type: ignore[attr-defined]
    assert not [r for r in router.requests if r.path.endswith("/chat/completions")]


def test_a_binary_file_is_no_image(shell: InteractiveShell, tmp_path: Path) -> None:
    path = tmp_path / "data.png"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(AttachmentError, match=r"data\.png"):
        ask(shell, f'--image "{path}"', "what is this?")


def test_a_variable_that_holds_the_key_is_refused(
    shell: InteractiveShell, router: SandboxRouter, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = router.issue_key()
    monkeypatch.setenv("TETRATE_API_KEY", key)
    shell.user_ns["settings"] = {"api_key": key}
    with pytest.raises(SecretInPromptError) as caught:
        ask(shell, "Is {settings} fine?")
    assert key not in str(caught.value)


def test_an_error_is_a_few_lines_and_the_cell_fails(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    done = shell.run_cell("%tetrate -m claude-haiku-9 hello")
    shown = capsys.readouterr().out
    assert not done.success
    assert shown.splitlines()[0].startswith("UnknownModelError: No model 'claude-haiku-9'")
    assert len(shown.strip().splitlines()) <= 3
    assert "Traceback" not in shown
