"""`tetrate-jupyter sandbox`: what it prints can be used, what it can't use it refuses, and it ends when told to."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import tetrate_jupyter
from tests.cli.running import END_TIMEOUT, ENTRY, Running, answers, ask, left_of
from tests.sandbox.raw import chat, send
from tetrate_jupyter.cli import main
from tetrate_jupyter.cli.sandbox_command import environment_line
from tetrate_jupyter.sandbox import FAULT_KINDS, ODD_KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from tetrate_jupyter.sandbox import SandboxRouter

# Leads a session whose terminal is the one that is named, and becomes the command.
IN_A_TERMINAL = """
import os, sys
os.setsid()
terminal = os.open(sys.argv[1], os.O_RDWR)
os.dup2(terminal, 0), os.dup2(terminal, 1), os.close(terminal)
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_the_printed_lines_lead_to_a_router_that_answers() -> None:
    with Running("sandbox", "--speed", "inf") as sandbox:
        exported = sandbox.exported()
        assert set(exported) == {"TETRATE_BASE_URL", "TETRATE_AUTH_URL"}
        assert exported["TETRATE_BASE_URL"] == exported["TETRATE_AUTH_URL"] + "/v1"
        status, page = ask(exported["TETRATE_AUTH_URL"], "/api/public/models")
        assert status == 200
        assert page
        assert ask(exported["TETRATE_BASE_URL"], "/v1/models", key="Bearer sk-sandbox-invented")[0] == 401


def test_with_key_prints_a_key_that_this_router_takes() -> None:
    with Running("sandbox", "--with-key", "--speed", "inf") as sandbox:
        exported = sandbox.exported()
        assert exported["TETRATE_API_KEY"].startswith("sk-sandbox-")
        status, models = ask(exported["TETRATE_BASE_URL"], "/v1/models", key=f"Bearer {exported['TETRATE_API_KEY']}")
        assert status == 200
        assert "claude-haiku-4-5" in {model["id"] for model in models["data"]}


def test_a_chosen_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with Running("sandbox", "--port", str(port)) as sandbox:
        assert sandbox.exported()["TETRATE_AUTH_URL"] == f"http://127.0.0.1:{port}"


def test_a_busy_port_gives_a_short_message_with_the_next_step() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy, Running("sandbox", "--port", str(busy.getsockname()[1])) as it:
        assert it.ended() == 1
        assert len(it.lines) == 2
        assert "can't be used" in it.lines[0]
        assert "leave --port out" in it.lines[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_ends_it_with_nothing_left(number: signal.Signals) -> None:
    with Running("sandbox") as sandbox:
        address = sandbox.exported()["TETRATE_AUTH_URL"]
        family = sandbox.family()
        sandbox.signal(number)
        sandbox.signal(number)
        assert sandbox.ended() == 0
        assert sandbox.lines[-1] == "Stopped.\n"
        assert not left_of(family)
        assert not answers(address)


def test_a_terminal_that_closes_ends_it(tmp_path: Path) -> None:
    person, terminal = os.openpty()
    log = tmp_path / "complaints"
    with log.open("wb") as complaints:
        sandbox = subprocess.Popen(
            [sys.executable, "-c", IN_A_TERMINAL, os.ttyname(terminal), *ENTRY, "sandbox"], stderr=complaints
        )
    try:
        said = b""
        while b"Stop it with" not in said:
            said += os.read(person, 4096)
        os.close(terminal)
        os.close(person)
        assert sandbox.wait(END_TIMEOUT) == 0
        assert log.read_bytes() == b""
    finally:
        sandbox.kill()
        sandbox.wait(END_TIMEOUT)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    nohup = ("sh", "-c", 'trap "" HUP INT; exec "$@"', "sh")
    with Running("sandbox", command=[*nohup, *ENTRY]) as sandbox:
        address = sandbox.exported()["TETRATE_AUTH_URL"]
        sandbox.signal(signal.SIGHUP)
        sandbox.signal(signal.SIGINT)
        assert ask(address, "/api/public/models")[0] == 200
        sandbox.signal(signal.SIGTERM)
        assert sandbox.ended() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "65536"],
        ["--port", "-1"],
        ["--port", "http"],
        ["--port", "²"],
        ["--speed", "0"],
        ["--speed", "-2"],
        ["--speed", "nan"],
        ["--speed", "fast"],
    ],
    ids=" ".join,
)
def test_nonsense_numbers_are_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["sandbox", *arguments])
    assert refused.value.code == 2
    told = capsys.readouterr().err
    assert repr(arguments[1]) in told
    assert "give a number" in told


def test_help_says_what_the_key_is_good_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as shown:
        main(["sandbox", "--help"])
    assert shown.value.code == 0
    assert "throwaway" in capsys.readouterr().out


def help_text(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as shown:
        main([*arguments, "--help"])
    assert shown.value.code == 0
    return capsys.readouterr().out


def test_help_names_what_is_served_and_what_is_not_and_that_is_true(
    capsys: pytest.CaptureFixture[str], router: SandboxRouter
) -> None:
    told = help_text(capsys, "sandbox")
    served, others = told.partition("what is served")[2].split("what isn't served")
    others = others.partition("more than one answer")[0]
    paths = re.findall(r"(?<=\s)/[\w/.-]+", served)
    assert {"/v1/chat/completions", "/v1/embeddings", "/v1/models", "/v1/models/ID"} <= {*paths}
    for path in paths:
        assert send(router, "OPTIONS", path).status == 405, path
    missing = re.findall(r"/v1/[\w/.]+", others)
    assert {"/v1/responses", "/v1/completions", "/v1/messages"} <= {*missing}
    for path in missing:
        assert send(router, "POST", path.replace("...", "x")).json["error"]["message"] == "Unsupported endpoint", path


def test_help_names_test_models_that_answer(capsys: pytest.CaptureFixture[str], router: SandboxRouter) -> None:
    told = help_text(capsys, "sandbox")
    for model in re.findall(r"sandbox/(?:echo|stream)", told):
        assert chat(router, model).status == 200
    examples = re.search(r"such as ([\w-]+), ([\w-]+) or ([\w-]+)", told)
    assert examples
    assert {*examples.groups()} <= {*FAULT_KINDS, *ODD_KINDS}


def test_the_list_has_the_test_models_where_that_is_wished() -> None:
    for arguments, expected in (((), False), (("--list-faults",), True)):
        with Running("sandbox", "--with-key", "--speed", "inf", *arguments) as sandbox:
            exported = sandbox.exported()
            key = f"Bearer {exported['TETRATE_API_KEY']}"
            listed = {m["id"] for m in ask(exported["TETRATE_BASE_URL"], "/v1/models", key=key)[1]["data"]}
        assert ("sandbox/fault-calls-same-index" in listed) is expected


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as shown:
        main(["--version"])
    assert shown.value.code == 0
    assert capsys.readouterr().out == f"tetrate-jupyter {tetrate_jupyter.__version__}\n"


def test_the_line_that_sets_a_variable_is_one_for_the_shell() -> None:
    assert environment_line("A", "b") == "export A=b"
