"""`tetrate-jupyter demo`: JupyterLab, router and notebook are there; a stop, of whatever kind, leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import stat
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.running import Running, answers, ask, command_line, left_of
from tetrate_jupyter.cli.notebook import NAMES, README

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

if os.name == "nt":
    pytest.skip("signals and process groups are tried on POSIX systems", allow_module_level=True)


class Demo:
    """A demo that has said where it is."""

    def __init__(self, run: Running, folder: Path) -> None:
        self.run = run
        self.lab = run.line_with("Open http").removeprefix("Open ")
        run.line_with("Stop everything")
        self.router = run.line_with("sandbox router is at").split(" is at ")[1].split(": ")[0]
        self.token = parse_qs(urlsplit(self.lab).query)["token"][0]
        self.folder = folder

    def ask_lab(self, path: str, body: dict[str, Any] | None = None) -> Any:
        status, found = ask(self.lab, path, key=f"token {self.token}", body=body)
        assert status < 300, found
        return found


def demo(folder: Path, environment: dict[str, str] | None = None) -> Running:
    return Running("demo", "--no-browser", "--folder", str(folder), environment=environment)


def test_everything_is_there_and_a_stop_leaves_nothing(tmp_path: Path) -> None:
    with demo(tmp_path / "here") as run:
        shown = Demo(run, tmp_path / "here")
        assert (shown.folder / "quickstart.ipynb").is_file()
        assert "quickstart.ipynb" in {item["name"] for item in shown.ask_lab("/api/contents")["content"]}
        assert ask(shown.lab, "/api/contents")[0] == 403  # not without the token
        kernel = shown.ask_lab("/api/kernels", {"name": "python3"})
        assert kernel["id"]
        family = run.family()
        assert len(family) >= 3  # itself, the server, the kernel
        commands = " ".join(command_line(process) for process in family)
        assert "jupyterlab" in commands
        assert shown.token not in commands
        run.signal(signal.SIGINT)
        assert run.ended() == 0
        assert not left_of(family)
        assert not answers(shown.router)
        assert not answers(shown.lab)
        assert "Traceback" not in run.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_supervisor_or_a_closed_terminal_stops_everything_too(number: signal.Signals, tmp_path: Path) -> None:
    with demo(tmp_path) as run:
        shown = Demo(run, tmp_path)
        family = run.family()
        run.signal(number)
        assert run.ended() == 0
        assert not left_of(family)
        assert not answers(shown.router)


def test_a_server_that_is_shut_down_ends_the_demo(tmp_path: Path) -> None:
    with demo(tmp_path) as run:
        shown = Demo(run, tmp_path)
        shown.ask_lab("/api/shutdown", {})
        assert run.ended() == 0
        assert "JupyterLab was shut down" in run.text
        assert not answers(shown.router)


def test_a_server_that_is_killed_ends_the_demo_with_the_reason(tmp_path: Path) -> None:
    with demo(tmp_path) as run:
        shown = Demo(run, tmp_path)
        shown.ask_lab("/api/kernels", {"name": "python3"})
        family = run.family()
        server = next(process for process in family if "jupyterlab" in command_line(process))
        server.kill()
        assert run.ended() == 1
        assert not left_of(family)  # the kernel has noticed, too
        assert not answers(shown.router)
        assert "JupyterLab ended unexpectedly" in run.text
        assert "Traceback" not in run.text


def test_two_demos_run_side_by_side_and_keep_what_a_person_changed(tmp_path: Path) -> None:
    mine = tmp_path / "quickstart.ipynb"
    with demo(tmp_path) as one:
        first = Demo(one, tmp_path)
        mine.write_text(mine.read_text().replace("Quickstart", "My notes", 1))
        changed = mine.read_bytes()
        with demo(tmp_path) as two:
            second = Demo(two, tmp_path)
            assert urlsplit(first.lab).port != urlsplit(second.lab).port
            assert first.router != second.router
            assert "Your changed notebook is kept" in two.text
            assert mine.read_bytes() == changed
            two.signal(signal.SIGINT)
            assert two.ended() == 0
        assert answers(first.lab)
        one.signal(signal.SIGINT)
        assert one.ended() == 0


def test_a_persons_own_server_settings_and_proxy_do_not_get_in_the_way(tmp_path: Path) -> None:
    settings = {"base_url": "/mine", "port": 1, "certfile": "/nowhere.pem", "root_dir": "/"}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps({"ServerApp": settings}))
    proxy = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    with demo(tmp_path / "here", {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_TOKEN": "mine", **proxy}) as run:
        shown = Demo(run, tmp_path / "here")
        assert {item["name"] for item in shown.ask_lab("/api/contents")["content"]} == {*NAMES, README}
        assert ask(shown.lab, "/api/contents", key="token mine")[0] == 403


def test_the_servers_log_is_its_owners_alone_holds_no_token_and_goes_with_it(tmp_path: Path) -> None:
    with demo(tmp_path / "here", {"TMPDIR": str(tmp_path)}) as run:
        shown = Demo(run, tmp_path / "here")
        (log,) = tmp_path.glob("tetrate-jupyterlab-*.log")
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        assert "Jupyter Server" in log.read_text()
        assert shown.token not in log.read_text()
        run.signal(signal.SIGINT)
        assert run.ended() == 0
        assert not log.exists()
        assert {path.name for path in shown.folder.iterdir()} == {*NAMES, README}


def test_a_server_that_does_not_start_is_told_with_its_own_words_and_its_log(tmp_path: Path) -> None:
    (tmp_path / "jupyterlab").mkdir()
    for name in ("__init__", "__main__"):
        (tmp_path / "jupyterlab" / f"{name}.py").write_text("raise SystemExit('no server today')")
    with demo(tmp_path / "here", {"TMPDIR": str(tmp_path), "PYTHONPATH": str(tmp_path)}) as run:
        assert run.ended() == 1
        assert "JupyterLab did not start" in run.text
        assert "no server today" in run.text
        assert "Traceback" not in run.text
        (log,) = tmp_path.glob("tetrate-jupyterlab-*.log")
        assert f"see {log}" in run.text
