"""The way of a release up to the upload: what may be released is built, what may not is refused with the reason."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

import tetrate_jupyter
from tests.packaging.conftest import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

VERSION = "7.8.9rc1"


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Path:
    """A repository of its own in which everything was prepared for a release, and tagged."""
    copy = tmp_path / "project"
    shutil.copytree(repository, copy)
    change(copy / "tetrate_jupyter/__init__.py", r'^__version__ = ".*"$', f'__version__ = "{VERSION}"')
    change(copy / "CITATION.cff", r"^version: .*$", f"version: {VERSION}")
    today = datetime.now(timezone.utc).date().isoformat()
    change(copy / "CHANGELOG.md", r"^## Unreleased$", f"## Unreleased\n\n## [{VERSION}] - {today}")
    git(copy, "init", "--quiet")
    commit(copy)
    git(copy, "tag", f"v{VERSION}")
    return copy


def change(path: Path, line: str, becomes: str) -> None:
    changed, times = re.subn(line, becomes, path.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
    assert times == 1, (path, line)
    path.write_text(changed, encoding="utf-8")


def git(where: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    run(["git", *who, *arguments], cwd=where)


def commit(where: Path) -> None:
    git(where, "add", "--all")
    git(where, "commit", "--quiet", "--message", "Everything")


def release(where: Path, tag: str = f"v{VERSION}") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".ci/release.py", "--tag", tag]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=600, check=False)


def test_what_is_prepared_is_built_and_told(project: Path) -> None:
    done = release(project)
    assert done.returncode == 0, done.stdout + done.stderr
    built = sorted(path.name for path in (project / "dist").iterdir())
    assert built == [f"tetrate_jupyter-{VERSION}-py3-none-any.whl", f"tetrate_jupyter-{VERSION}.tar.gz"]
    assert f"v{VERSION} may be released" in done.stdout
    assert "PASSED" in done.stdout  # the index will show the description


def test_another_tag_than_the_version_is_refused(project: Path) -> None:
    git(project, "tag", "v7.8.8")
    assert "__version__" in refusal(project, "v7.8.8")
    assert "such as v1.2.3" in refusal(project, VERSION)
    assert "such as v1.2.3" in refusal(project, "v7.8")


def test_a_tag_on_another_commit_is_refused(project: Path) -> None:
    (project / "LICENSE").write_text("another text")
    commit(project)
    assert f"git checkout v{VERSION}" in refusal(project)
    git(project, "tag", "--delete", f"v{VERSION}")
    assert "failed" in refusal(project)


def test_a_changed_tree_is_refused(project: Path) -> None:
    (project / "left_over.py").write_text("")
    assert "git status" in refusal(project)


@pytest.mark.parametrize(
    ("name", "line", "becomes"),
    [
        ("CHANGELOG.md", rf"^## \[{VERSION}\] - .*$", f"## [{VERSION}] - unreleased"),
        ("CITATION.cff", "^version: .*$", "version: 7.8.8"),
        ("tetrate_jupyter/__init__.py", '^__version__ = ".*"$', '__version__ = "7.8.8"'),
    ],
)
def test_a_file_that_says_otherwise_is_named(project: Path, name: str, line: str, becomes: str) -> None:
    change(project / name, line, becomes)
    commit(project)
    git(project, "tag", "--force", f"v{VERSION}")
    assert name in refusal(project)


def test_version_and_citation_are_the_same_today() -> None:
    assert f"\nversion: {tetrate_jupyter.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def refusal(project: Path, tag: str = f"v{VERSION}") -> str:
    done = release(project, tag)
    assert done.returncode == 1, done.stdout + done.stderr
    assert not (project / "dist").exists()
    assert "Traceback" not in done.stderr
    return done.stderr
