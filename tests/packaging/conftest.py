"""The built packages, an empty environment, and a copy of what is in the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.packaging import installing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 600,
) -> subprocess.CompletedProcess[str]:
    """Run to the end; what it said is in the failure."""
    done = subprocess.run(
        [str(part) for part in command], env=env, cwd=cwd, timeout=timeout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def empty_environment(folder: Path, python: str = sys.executable) -> Path:
    """Make a virtual environment; give the folder of its programs."""
    run([python, "-m", "venv", folder])
    return folder / ("Scripts" if os.name == "nt" else "bin")


def install(bin_folder: Path, *what: str | Path, cwd: Path | None = None) -> None:
    program = Path(__file__).with_name("installing.py")
    run([sys.executable, program, bin_folder.parent, *what], cwd=cwd)


def build(*how: str | Path) -> None:
    """Build a package in an environment of its own."""
    quick = ["--installer", "uv"] if installing.has_uv() else []
    environment = installing.uv_environment() if quick else None
    run([sys.executable, "-m", "build", *quick, *how], env=environment)


def clean(bin_folder: Path, home: Path, **more: str) -> dict[str, str]:
    """Give the environment variables of a person who has just installed it."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TETRATE_", "PYTHON", "VIRTUAL_"))
    }
    return {**kept, "HOME": str(home), "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", **more}


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the repository and nothing else that lies about."""
    copy = tmp_path_factory.mktemp("repository")
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT).stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the source package, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    build("--outdir", folder, repository)
    return folder
