"""The demo's JupyterLab runs code for whoever has its token: no other account of the machine gets to see it."""

from __future__ import annotations

import os
import platform
import signal
import stat
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from tests.cli.running import Running, ask
from tests.security.second_user import found_by_second_user, needs_second_user, open_folder
from tetrate_jupyter.cli.notebook import NAMES, README

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["open_folder"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

if os.name == "nt":
    pytest.skip("signals and modes are tried on POSIX systems", allow_module_level=True)

LONG = 60.0  # seconds for the stand-in browser to be started; a bound for hangs
BROWSER = """#!/bin/sh
exec > /dev/null 2>&1
printf '%s\\n' "$@" > "$SEEN.part" && mv "$SEEN.part" "$SEEN"
while [ -e "$SEEN" ]; do sleep 0.2; done
"""


@contextmanager
def demo(folder: Path, browser: Path) -> Iterator[Running]:
    """Start the demo with a browser of ours, which writes down what it was given and stays open until the end."""
    browser.mkdir()
    program = browser / "browser"
    program.write_text(BROWSER)
    program.chmod(0o755)
    environment = {"BROWSER": f"{program} %s &", "SEEN": str(browser / "seen"), "TMPDIR": str(folder)}
    try:
        with Running("demo", "--folder", str(folder / "here"), environment=environment) as run:
            yield run
    finally:
        (browser / "seen").unlink(missing_ok=True)


def token_of(run: Running) -> str:
    (token,) = parse_qs(urlsplit(run.line_with("Open http").removeprefix("Open ")).query)["token"]
    return token


def page_of(browser: Path) -> Path:
    """Wait until the browser was started; give the file it was given."""
    until = time.monotonic() + LONG
    while not (browser / "seen").exists():
        assert time.monotonic() < until, "no browser was started"
        time.sleep(0.05)
    address = urlsplit((browser / "seen").read_text().strip())
    assert address.scheme == "file"
    return Path(address.path)


def test_no_command_line_and_no_environment_holds_it(tmp_path: Path) -> None:
    with demo(tmp_path, tmp_path / "browser") as run:
        token = token_of(run)
        page = page_of(tmp_path / "browser")
        address = run.line_with("Open http").removeprefix("Open ")
        started = ask(address, "/api/kernels", key=f"token {token}", body={"name": "python3"})
        assert started[0] == 201
        family = run.family()
        assert len(family) >= 4  # itself, the server, the kernel, the browser
        given = [told(process.cmdline) for process in family]
        assert any(page.as_uri() in line for line in given)
        assert not [line for line in given if token in line]
        assert not [process for process in family if token in told(process.environ)]
        everywhere = [path for path in Path("/proc").glob("[0-9]*/cmdline") if token in read(path)]
        assert not everywhere
        run.signal(signal.SIGINT)
        assert run.ended() == 0


def test_the_browser_gets_a_page_of_mode_600_that_leads_there_and_goes_with_the_demo(tmp_path: Path) -> None:
    with demo(tmp_path, tmp_path / "browser") as run:
        page = page_of(tmp_path / "browser")
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
        assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
        assert run.line_with("Open http").removeprefix("Open ") in page.read_text()
        # in the folder of the notebook, which browsers in a sandbox of their own may read
        assert page.parent.parent == (tmp_path / "here").resolve()
        run.signal(signal.SIGINT)
        assert run.ended() == 0
        assert not page.parent.exists()
        assert {path.name for path in (tmp_path / "here").iterdir()} == {*NAMES, README}
        assert sorted(path.name for path in tmp_path.iterdir()) == ["browser", "here"]


@needs_second_user
def test_a_second_user_finds_it_nowhere(open_folder: Path) -> None:
    with demo(open_folder, open_folder / "browser") as run:
        token = token_of(run)
        page_of(open_folder / "browser")
        runtime = os.environ["JUPYTER_DATA_DIR"]
        places = ("/proc/[0-9]*/cmdline", "/proc/[0-9]*/environ", open_folder, runtime)
        assert found_by_second_user(token, *places) == []
        assert found_by_second_user("Quickstart", open_folder)  # it does read what it may
        (open_folder / "planted").write_text(token)
        assert found_by_second_user(token, *places) == [str(open_folder / "planted")]
        run.signal(signal.SIGINT)
        assert run.ended() == 0


def test_where_the_page_can_not_be_private_no_browser_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tetrate_jupyter.cli.browser import RedirectPage

    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    monkeypatch.setattr(platform, "release", lambda: "5.15.0-microsoft-standard-WSL2")  # its browser is Windows's
    page = RedirectPage("http://127.0.0.1:1/?token=abc", tmp_path)
    assert not page.open()
    assert (opened, list(tmp_path.iterdir())) == ([], [])


def told(of_process: Callable[[], object]) -> str:
    try:
        return str(of_process())
    except psutil.NoSuchProcess:  # it has ended
        return ""


def read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:  # it has ended
        return ""
