"""What goes into the built packages: what the repository has, and nothing that lies about beside it."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, build, run

pytestmark = pytest.mark.slow

STRAY = "stray file " * 3  # not written out here: this file is in the source package, too
NAMES = (
    ".env",
    ".env.local",
    "secret.key",
    "server.pem",
    "id_rsa",
    "credentials.json",
    "key.txt",
    "notes.md",
    "scratch.ipynb",
    "answers.csv",
    "session.pkl",
    "old.js",
    ".netrc",
    "page.html",
    ".ipynb_checkpoints/scratch-checkpoint.ipynb",
    ".ipynb_checkpoints/draft-checkpoint.py",
    "__pycache__/draft.cpython-311.pyc",
    "__pycache__/draft.py",
)
PLACES = ("", "tetrate_jupyter", "tetrate_jupyter/engine", "tetrate_jupyter/cli", "notebooks", "tests", "tests/http")
NARROW = (".env", "secret.key", "server.pem", "id_rsa", "key.txt", "scratch.ipynb", ".ipynb_checkpoints/x.json")
DATA = (
    "tetrate_jupyter/sandbox/data",
    "tetrate_jupyter/sandbox/pages",
    "tetrate_jupyter/widgets/static",
    "labextension",
    "labextension/schemas/tetrate-jupyter",
    "labextension/static",
    "binder",
    ".ci",
)


def files_of(folder: Path) -> tuple[set[str], set[str], bytes]:
    """The names in the wheel, those in the source package (from its root), and all their bytes."""
    (wheel,) = folder.glob("*.whl")
    (source,) = folder.glob("*.tar.gz")
    content: list[bytes] = []
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = {name for name in archive.namelist() if ".dist-info/" not in name}  # what Jupyter gets, too
        content += [archive.read(name) for name in archive.namelist()]
    with tarfile.open(source) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        in_source = {member.name.partition("/")[2] for member in members}
        content += [(archive.extractfile(member) or pytest.fail(member.name)).read() for member in members]
    return in_wheel, in_source, b"".join(content)


@pytest.fixture(scope="module")
def littered(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is built from a copy of the repository in which files lie about."""
    copy = tmp_path_factory.mktemp("littered") / "copy"
    shutil.copytree(repository, copy)
    places = [(place, name) for place in PLACES for name in NAMES]
    for place, name in [*places, *((place, name) for place in DATA for name in NARROW)]:
        target = copy / place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(STRAY)
    folder = tmp_path_factory.mktemp("built from litter")
    build("--outdir", folder, copy)
    direct = tmp_path_factory.mktemp("wheel from litter")  # not by way of the source package
    build("--wheel", "--outdir", direct, copy)
    for wheel in direct.glob("*.whl"):
        shutil.copy2(wheel, folder / wheel.name)
    return folder


def test_nothing_that_lies_about_goes_into_a_package(littered: Path, built: Path) -> None:
    in_wheel, in_source, content = files_of(littered)
    clean_wheel, clean_source, _ = files_of(built)
    assert in_wheel == clean_wheel
    assert in_source == clean_source
    assert STRAY.encode() not in content


def test_everything_of_the_repository_goes_in(built: Path) -> None:
    in_wheel, in_source, _ = files_of(built)
    listed = {name for name in run(["git", "ls-files"], cwd=ROOT).stdout.splitlines() if (ROOT / name).is_file()}
    assert listed - in_source == set()
    package = {name for name in listed if name.startswith("tetrate_jupyter/")}
    assert package - in_wheel == set()
    assert "tetrate_jupyter/cli/quickstart.ipynb" in in_wheel


def test_the_repository_lists_no_file_that_is_no_source() -> None:
    listed = run(["git", "ls-files"], cwd=ROOT).stdout.splitlines()
    assert not [name for name in listed if Path(name).suffix in {".key", ".pem", ".env", ".pyc", ".pkl"}]
