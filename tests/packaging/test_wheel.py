"""The built wheel in an empty environment, without extras: magics in a terminal IPython, the command line."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.packaging.conftest import ROOT, clean, empty_environment, install, run
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SMOKE = """
%load_ext tetrate_jupyter
%tetrate_login
%tetrate_models haiku
%tetrate_model claude-haiku-4-5
%tetrate What is 17 * 23?
print("SAID", _tetrate.text)
get_ipython().run_cell_magic("tetrate", "--new -s 'Be short.'", "hello")
from tetrate_jupyter import session
print("EXCHANGES", len(session.history))
"""


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    bin_folder = empty_environment(tmp_path_factory.mktemp("empty") / "venv")
    install(bin_folder, wheel)
    return bin_folder


def test_the_wheel_holds_what_it_needs_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    shipped = ("quickstart", "compare", "usage-and-budgets")
    assert {f"tetrate_jupyter/cli/{name}.ipynb" for name in shipped} <= set(names)
    assert "tetrate_jupyter/py.typed" in names
    assert any(name.startswith("tetrate_jupyter/sandbox/data/") for name in names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not [name for name in names if not name.startswith(("tetrate_jupyter/", "tetrate_jupyter-"))]


def test_the_wheel_brings_the_extension_to_where_jupyter_looks(wheel: Path, programs: Path) -> None:
    prefix = "share/jupyter/labextensions/tetrate-jupyter/"
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {name.partition(".data/data/")[2] for name in names if ".data/" in name}
    folder = ROOT / "labextension"
    assert shipped == {prefix + str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {name for name in shipped if (programs.parent / name).is_file()} == shipped


def test_jupyter_finds_the_settings_of_the_wheel(programs: Path, tmp_path: Path) -> None:
    from jupyterlab_server.settings_utils import get_settings

    extensions = programs.parent / "share" / "jupyter" / "labextensions"
    places = (str(tmp_path / "app"), str(tmp_path / "schemas"), str(tmp_path / "user"))
    found, _ = get_settings(*places, "tetrate-jupyter:plugin", {}, [str(extensions)])
    assert found["schema"]["properties"]["enterSends"]["default"] is True


def test_the_source_package_holds_what_its_tests_need(built: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"pyproject.toml", "Makefile", "README.md", "LICENSE", "tests/conftest.py", "notebooks/quickstart.ipynb"}
    assert names >= {*wanted, ".ci/run", "binder/start"}


def test_the_magics_work_in_a_terminal(programs: Path, tmp_path: Path) -> None:
    script = tmp_path / "smoke.ipy"
    script.write_text(SMOKE)
    with SandboxRouter(speed=INSTANT) as router:
        variables = clean(programs, tmp_path, **router.environment, TETRATE_API_KEY=router.issue_key())
        said = run(
            [programs / "ipython", "--no-banner", "--colors=NoColor", script], env=variables, cwd=tmp_path
        ).stdout
    assert f"Signed in to {router.host}" in said
    assert "claude-haiku-4-5" in said
    assert "391" in said.partition("SAID")[2]
    assert "EXCHANGES 1" in said
    assert said.count(" tokens · ≈ $") == 2


def test_the_command_line_names_the_extra_that_the_demo_needs(programs: Path, tmp_path: Path) -> None:
    assert "--with-key" in run([programs / "tetrate-jupyter", "sandbox", "--help"]).stdout
    demo = subprocess.run(
        [programs / "tetrate-jupyter", "demo", "--no-browser"],
        env=clean(programs, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert demo.returncode == 1
    assert 'pip install "tetrate-jupyter[lab]"' in demo.stderr
    assert not list(tmp_path.rglob("*.ipynb"))
