"""What repo2docker does with `binder/`, step by step in an empty environment; no image is built."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.packaging.conftest import clean, empty_environment, install, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="Binder's images are Linux")]


def python_of_binder(repository: Path) -> str:
    wanted = (repository / "binder" / "runtime.txt").read_text().strip().replace("-", "")
    if sys.version_info[:2] == tuple(int(n) for n in wanted.removeprefix("python").split(".")):
        return sys.executable
    return shutil.which(wanted) or pytest.skip(f"{wanted}, which Binder would use, is not on this machine")


@pytest.fixture(scope="module")
def image(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment made as the image's: pinned requirements, then postBuild."""
    bin_folder = empty_environment(tmp_path_factory.mktemp("image") / "venv", python_of_binder(repository))
    install(bin_folder, "-r", "binder/requirements.txt", cwd=repository)
    run([repository / "binder" / "postBuild"], env=clean(bin_folder, repository), cwd=repository)
    return bin_folder


@pytest.fixture
def started() -> Iterator[list[int]]:
    """Process groups that a test has started; ended with it."""
    groups: list[int] = []
    yield groups
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def start(repository: Path, variables: dict[str, str], command: list[str], started: list[int]) -> tuple[int, str, str]:
    """Run binder's `start` with a command in place of the notebook server; give its exit code and what it said."""
    with subprocess.Popen(
        [str(repository / "binder" / "start"), *command],
        env=variables,
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as server:
        started.append(server.pid)
        said, complained = server.communicate(timeout=300)
    return server.returncode, said, complained


def test_everything_is_pinned(repository: Path) -> None:
    lines = (repository / "binder" / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 50
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+", line)] == []


def test_the_pins_satisfy_the_package(image: Path) -> None:
    run([image / "python", "-m", "pip", "--disable-pip-version-check", "check"])


def test_the_quickstart_runs_on_the_router_that_start_started(
    image: Path, repository: Path, tmp_path: Path, started: list[int]
) -> None:
    command = [str(image / "jupyter"), "execute", "--output", str(tmp_path / "ran"), "notebooks/quickstart.ipynb"]
    code, _, complained = start(repository, clean(image, tmp_path, JUPYTERHUB_USER="ada"), command, started)
    assert code == 0, complained
    (written,) = tmp_path.glob("ran*")
    cells = [cell for cell in json.loads(written.read_text())["cells"] if cell["cell_type"] == "code"]
    text = json.dumps([cell["outputs"] for cell in cells])
    assert all(cell["execution_count"] for cell in cells)
    assert "Signed in to 127.0.0.1:" in text
    assert "sk-sandbox-" not in text


def test_the_server_starts_even_where_the_router_does_not(repository: Path, tmp_path: Path, started: list[int]) -> None:
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "tetrate-jupyter").write_text("#!/bin/sh\necho no port today\nexit 1\n")
    (broken / "tetrate-jupyter").chmod(0o755)
    code, said, complained = start(repository, clean(broken, tmp_path), ["echo", "the", "server"], started)
    assert (code, said) == (0, "the server\n")
    assert "did not start" in complained
    assert "no port today" in complained
