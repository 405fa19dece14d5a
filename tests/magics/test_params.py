"""`-p NAME=VALUE` sends what it says; prompts in a function name its variables; what doesn't fit is refused."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import ipywidgets
import pytest

from tetrate_jupyter import errors
from tetrate_jupyter.completion.request import Options
from tetrate_jupyter.magics import commands
from tetrate_jupyter.magics.output import FinalOutput, NotebookOutput, output_for
from tetrate_jupyter.magics.prompting import build_prompt

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tetrate_jupyter.sandbox import SandboxRouter


def params(line: str) -> dict[str, Any]:
    parsed = commands.ASK.parse(f"{line} say hello")
    assert parsed.words == "say hello"
    return dict(build_prompt(parsed, None, {}, lambda _: None).arguments)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('-p stop=["a","b"]', {"stop": ["a", "b"]}),
        ('-p stop=["a", "b c"]', {"stop": ["a", "b c"]}),
        ('--param stop=["a", "b"]', {"stop": ["a", "b"]}),
        ('--param=stop=["a", "b"]', {"stop": ["a", "b"]}),
        ('-p \'stop=["a", "b"]\'', {"stop": ["a", "b"]}),
        ('-p stop=\'["a", "b"]\'', {"stop": ["a", "b"]}),
        ('-p logit_bias={"50256":-100}', {"logit_bias": {"50256": -100}}),
        ('-p logit_bias={ "50256": -100 }', {"logit_bias": {"50256": -100}}),
        ("-p 'logit_bias={\"50256\": -100}'", {"logit_bias": {"50256": -100}}),
        ('-p stop=["]"] -p seed=7', {"stop": ["]"], "seed": 7}),
        ('-p stop=[" \\" "] --new', {"stop": [' " ']}),
        ("-p top_p=0.9", {"top_p": 0.9}),
        ("-p user=me", {"user": "me"}),
        ('-p user="you and me"', {"user": "you and me"}),
        ("-p parallel_tool_calls=false", {"parallel_tool_calls": False}),
        ("-p stop=[] -p x=null -p y={}", {"stop": [], "x": None, "y": {}}),
        ("-p temperature=null -t 0.5", {"temperature": None}),
    ],
)
def test_a_parameter_is_what_it_says(line: str, expected: dict[str, Any]) -> None:
    assert params(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "-p stop=[a,b]",
        '-p stop=["a",]',
        '-p stop=["a"',
        "-p stop={'a':1}",
        '-p stop=["a"]x',
        "-p top_p=NaN",
        "-p top_p=-Infinity",
        "-p top_p=1e999",
        "-p 'stop=[NaN]'",
    ],
)
def test_what_is_no_json_is_refused(line: str) -> None:
    with pytest.raises(errors.OptionError) as caught:
        params(line)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("value", "meant"),
    [("True", "true"), ("False", "false"), ("None", "null"), (".9", "0.9"), ("1.", "1.0"), ("+1", "1"),
     ("1_000", "1000"), ("007", "7"), ("-.5e1", "-5.0")],
)  # fmt: skip
def test_what_python_calls_a_number_or_a_truth_is_not_sent_as_text(value: str, meant: str) -> None:
    with pytest.raises(errors.OptionError, match="as text") as caught:
        params(f"-p x={value}")
    assert f"-p x={meant};" in caught.value.next_step
    assert params(f"-p 'x=\"{value}\"'") == {"x": value}
    assert params(f"-p x={meant}").get("x") == json.loads(meant)


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "-Infinity", "Infinity", "1e999"])
def test_what_is_no_number_is_refused_and_goes_as_text_as_the_refusal_says(value: str) -> None:
    with pytest.raises(errors.OptionError, match="JSON can't") as caught:
        params(f"-p x={value}")
    _, found, as_text = caught.value.next_step.partition("for the text itself ")
    assert found
    assert params(as_text) == params(f"-p x='\"{value}\"'") == {"x": value}


@pytest.mark.parametrize("value", ["null", "true", "7"])
def test_a_word_of_json_goes_as_text_between_double_quotes(value: str) -> None:
    assert params(f"-p x='\"{value}\"'") == params(f"-p 'x=\"{value}\"'") == {"x": value}
    assert params(f"-p x={value}").get("x") == json.loads(value)


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), [1, float("nan")], {"a": {"b": (float("inf"),)}}])
def test_nan_and_infinity_are_refused_from_python(value: object) -> None:
    with pytest.raises(errors.OptionError, match="top_p holds"):
        Options(extra={"top_p": value})


@pytest.mark.parametrize(
    ("name", "step"),
    [
        *[(name, "leave it out") for name in ("self", "typed", "cuts", "cell_id", "replaces")],
        ("prompt", "cell's text"), ("images", "--image"), ("keep", "--no-keep"), ("cached", "--cache"),
        ("refresh", "--refresh"), ("repeat", "--repeats 2"), ("schema", "--schema"), ("tools", "--tool"),
    ],
)  # fmt: skip
def test_what_is_no_field_of_a_request_is_refused_with_its_option(
    shell: InteractiveShell, router: SandboxRouter, name: str, step: str
) -> None:
    before = len(router.requests)
    for value in ("x", "[]", "false"):
        ran = shell.run_cell(f"%tetrate -p {name}={value} hello")
        assert type(ran.error_in_exec) is errors.OptionError
        assert f"-p {name}" in ran.error_in_exec.message
        assert step in ran.error_in_exec.next_step
    assert len(router.requests) == before


def test_messages_and_stream_are_not_changed_unseen(shell: InteractiveShell, router: SandboxRouter) -> None:
    for given, named in (("messages=[]", "messages"), ("stream=false", "stream")):
        ran = shell.run_cell(f"%tetrate -p {given} hello")
        assert type(ran.error_in_exec) is errors.OptionError
        assert ran.error_in_exec.message.startswith(named)
    shell.run_cell("%tetrate -p stream=true hello").raise_error()


def test_a_line_magic_in_a_function_sees_its_variables(shell: InteractiveShell, router: SandboxRouter) -> None:
    code = "topic = 'outside'\ndef f(topic, n=2):\n    %tetrate Say {topic} {n} {other}\nother = 'O'\nf('inside')\n"
    code += "%tetrate Say {topic}"
    shell.run_cell(code).raise_error()
    said = [r.body["messages"][-1]["content"] for r in router.requests if r.path.endswith("/chat/completions")]
    assert said == ["Say inside 2 O", "Say outside"]
    assert "n" not in shell.user_ns


@pytest.mark.parametrize("magic", ["tetrate", "tetrate_compare"])
def test_a_cell_magic_that_a_function_runs_sees_its_variables(
    shell: InteractiveShell, router: SandboxRouter, magic: str
) -> None:
    shell.user_ns["get_ipython"] = lambda: shell
    line = "-m claude-haiku-4-5 --wait" if magic == "tetrate_compare" else ""
    code = "topic, other = 'outside', 'O'\n"
    code += (
        f"def f(topic, n=2):\n    get_ipython().run_cell_magic({magic!r}, {line!r}, 'Say {{topic}} {{n}} {{other}}')\n"
    )
    code += f"f('inside')\nget_ipython().run_cell_magic({magic!r}, {line!r}, 'Say {{topic}}')\n"
    shell.run_cell(code).raise_error()
    said = [r.body["messages"][-1]["content"] for r in router.requests if r.path.endswith("/chat/completions")]
    assert said == ["Say inside 2 O", "Say outside"]
    assert "n" not in shell.user_ns


def test_variables_of_a_library_that_runs_a_cell_magic_are_not_named(
    shell: InteractiveShell, router: SandboxRouter
) -> None:
    def library(inner: str) -> None:
        shell.run_cell_magic("tetrate", "", "Say {inner}")

    shell.user_ns["library"] = library
    shell.run_cell("library('x')").raise_error()
    assert router.requests[-1].body["messages"][-1]["content"] == "Say {inner}"


def test_the_only_match_is_taken(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("tetrate_model", "haiku-4")
    assert "Model: claude-haiku-4-5" in capsys.readouterr().out
    with pytest.raises(errors.UnknownModelError) as caught:
        shell.run_line_magic("tetrate_model", "claude")
    assert "say which: " in caught.value.next_step
    with pytest.raises(errors.UnknownModelError):
        shell.run_line_magic("tetrate_model", "no-such-model-at-all")


def test_in_an_output_widget_there_is_one_final_output(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = SimpleNamespace(get_parent=lambda: {"header": {"msg_id": "the one"}})
    shell: Any = SimpleNamespace(kernel=kernel)
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
    with_output = ipywidgets.Output()
    assert isinstance(output_for(shell, _show, stream=True, markdown=True, footer=True), NotebookOutput)
    with_output.msg_id = "the one"  # as it does when it is entered
    assert isinstance(output_for(shell, _show, stream=True, markdown=True, footer=True), FinalOutput)
    with_output.msg_id = ""
    with_output.close()
    assert isinstance(output_for(shell, _show, stream=True, markdown=True, footer=True), NotebookOutput)


def _show(answer: object, *, body: str | None = None, at_once: bool = False) -> dict[str, str]:
    return {"text/plain": f"{answer}{body}{at_once}"}
