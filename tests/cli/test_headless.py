"""`tetrate-jupyter demo --execute`: what a person would see, an exit code that says how it went, no kernel left."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.cli.running import ENTRY, Running, left_of
from tetrate_jupyter.cli.demo import need
from tetrate_jupyter.cli.headless import run_notebook
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

NO_PROXY_HERE = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:9")


def notebook(*cells: Any) -> Any:
    return json.loads(nbformat.writes(new_notebook(cells=list(cells))))


def run_it(path: Path) -> tuple[str, ...]:
    """A process that runs a notebook as the command does, to be signalled."""
    code = f"""
        import json, os, pathlib, sys
        from tetrate_jupyter.cli.headless import run_notebook
        from tetrate_jupyter.cli.stopping import leave, stopped_by_signals
        try:
            with stopped_by_signals():
                sys.exit(run_notebook(json.loads(pathlib.Path({str(path)!r}).read_text()), dict(os.environ)))
        except KeyboardInterrupt:
            leave(130)
    """
    return (sys.executable, "-c", textwrap.dedent(code))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_quickstart_runs_and_prints_what_a_person_sees() -> None:
    own = {"TETRATE_API_KEY": "sk-mine-not-for-a-demo", "TETRATE_BASE_URL": "https://mine.example/v1", **NO_PROXY_HERE}
    with Running("demo", "--execute", environment=own) as demo:
        assert demo.ended() == 0, demo.text[-3000:]
        for seen in (
            "# Quickstart",
            "  | %load_ext tetrate_jupyter",
            "claude-haiku-4-5",
            "Fastest ",
            '+sales["units"].sum()',
            "Person(name='Ada Lovelace', age=36)",
            "[picture]",
            "## Where next",
        ):
            assert seen in demo.text
        assert "sk-" not in demo.text
        assert "Warning" not in demo.text
        failed = [line for line in demo.text.splitlines() if "Traceback" in line]
        assert all("KeyError" in line for line in failed), failed  # of the cell that is wrong on purpose


@pytest.mark.slow
def test_a_failing_cell_ends_the_run_with_1_and_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    cells = [new_markdown_cell("Before"), new_code_cell("print('so far')\n1 / 0"), new_code_cell("print('after')")]
    assert run_notebook(notebook(*cells), dict(os.environ)) == 1
    told = capsys.readouterr()
    assert "Before" in told.out
    assert "so far" in told.out
    assert "ZeroDivisionError" in told.out
    assert "after" not in told.out
    assert "stopped at the cell above" in told.err


@pytest.mark.slow
def test_a_cell_that_takes_too_long_ends_the_run_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    forever = notebook(new_code_cell("import threading\nthreading.Event().wait()"))
    assert run_notebook(forever, dict(os.environ), cell_timeout=1) == 1
    assert "took more than 1 s" in capsys.readouterr().err


@pytest.mark.slow
def test_a_kernel_that_dies_ends_the_run_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_notebook(notebook(new_code_cell("import os\nos._exit(3)")), dict(os.environ)) == 1
    assert "The kernel died" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kernels have ports only there")
def test_its_kernel_is_spoken_to_by_files_of_its_owners_that_go_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    look = """
        import json, os, stat
        from ipykernel.connect import get_connection_info
        told = json.loads(get_connection_info())
        folder = os.path.dirname(told["ip"])
        print(told["transport"], oct(stat.S_IMODE(os.stat(folder).st_mode) & 0o77), folder)
    """
    assert run_notebook(notebook(new_code_cell(textwrap.dedent(look))), dict(os.environ)) == 0
    transport, others, folder = capsys.readouterr().out.splitlines()[-1].split()
    assert (transport, others) == ("ipc", "0o0")
    assert not os.path.exists(folder)  # noqa: PTH110 - a name that was printed


@pytest.mark.slow
def test_a_folder_with_a_long_name_has_ports_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (deep := tmp_path / ("long" * 25)).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    assert run_notebook(notebook(new_code_cell("1")), dict(os.environ)) == 0


@pytest.mark.slow
def test_a_kernel_that_does_not_start_is_an_error_of_ours_with_a_next_step(tmp_path: Path) -> None:
    (tmp_path / "ipykernel_launcher.py").write_text("raise SystemExit(1)")
    with pytest.raises(ConfigError, match="could not be started") as refused:
        run_notebook(notebook(new_code_cell("1")), {**os.environ, "PYTHONPATH": str(tmp_path)})
    assert "ipykernel" in refused.value.next_step


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_ends_the_run_and_its_kernel(number: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "forever.ipynb"
    cell = new_code_cell("import threading\nthreading.Event().wait()")
    path.write_text(json.dumps(notebook(new_markdown_cell("Begun"), new_code_cell("print(6 * 7)"), cell)))
    with Running(command=run_it(path)) as run:
        run.line_with("42")
        run.line_with("wait()")
        family = run.family()
        assert len(family) > 1
        run.signal(number)
        assert run.ended() == 130
        assert not left_of(family)


@pytest.mark.slow
def test_a_reader_who_leaves_ends_the_run_without_a_traceback() -> None:
    head = ("sh", "-c", '{ "$@"; echo "code $?" >&2; } | head -n 3', "sh")
    with Running("demo", "--execute", command=[*head, *ENTRY]) as demo:
        assert demo.ended() == 0
        assert "code 1" in demo.text
        assert "Traceback" not in demo.text
        assert "Exception ignored" not in demo.text


def test_what_is_not_installed_is_named_with_the_line_to_type() -> None:
    with pytest.raises(ConfigError, match="Something is not installed here") as refused:
        need("tetrate_no_such_module", "Something")
    assert refused.value.next_step == 'pip install "tetrate-jupyter[lab]"'
