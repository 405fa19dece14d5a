"""The scripts of panels and extension, held as the Python is: linted, and type-checked as the modules a page gets."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter import __version__
from tetrate_jupyter.lab import TARGET
from tetrate_jupyter.lab.link import PROTOCOL
from tetrate_jupyter.widgets.chat import ChatPanel
from tetrate_jupyter.widgets.compare import ComparePanel
from tetrate_jupyter.widgets.picker import ModelPicker

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.once  # it reads scripts, not Python

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / ".ci" / "deno.json"
STATIC = ROOT / "tetrate_jupyter" / "widgets" / "static"
EXTENSION = ROOT / "labextension"
TYPES = Path(__file__).parent / "jupyterlab.d.ts"  # of what a page's packages have, as far as it is used
PANELS = {panel.__name__: panel for panel in (ChatPanel, ComparePanel, ModelPicker)}
TOP_LEVEL = re.compile(r"^(?:async )?(?:function|const|let|class) ([A-Za-z_$][\w$]*)", re.MULTILINE)
SAYS = "// @ts-check\n"
KNOWS = f'/// <reference types="./{TYPES.name}" />\n'


def deno(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the one tool for lint, format and types. It is told to look nothing up and to keep nothing."""
    found = shutil.which("deno", path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")]))
    assert found is not None, "deno is one of the tools of [dev]"
    environment = {**os.environ, "DENO_DIR": str(cwd / "cache"), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    return subprocess.run(
        [found, *arguments], capture_output=True, text=True, cwd=cwd, env=environment, timeout=300, check=False
    )


def written(folder: Path, modules: Mapping[str, str]) -> list[str]:
    paths = []
    for name, source in modules.items():
        path = folder / f"{name}.js"
        path.write_text(SAYS + source, encoding="utf-8")
        paths.append(str(path))
    return paths


def modules() -> dict[str, str]:
    """Each panel's module, as a page gets it."""
    return {name: str(panel._esm) for name, panel in PANELS.items()}


def test_the_modules_have_no_fault_that_a_linter_or_a_type_checker_sees(tmp_path: Path) -> None:
    paths = written(tmp_path, modules())
    for command in ("lint", "check"):
        done = deno(command, "--config", str(CONFIG), *paths, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_scripts_are_formatted(tmp_path: Path) -> None:
    paths = [str(path) for folder in (STATIC, EXTENSION / "static") for path in sorted(folder.glob("*.js"))]
    done = deno("fmt", "--check", "--config", str(CONFIG), *paths, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def the_extension(folder: Path) -> dict[str, Path]:
    """Its modules in a folder, each knowing the types of a page's packages."""
    (folder / TYPES.name).write_text(TYPES.read_text(encoding="utf-8"), encoding="utf-8")
    sources = {path.stem: KNOWS + path.read_text(encoding="utf-8") for path in EXTENSION.glob("static/*.js")}
    return dict(zip(sources, map(Path, written(folder, sources)), strict=True))


def test_the_extension_has_no_fault_that_a_linter_or_a_type_checker_sees(tmp_path: Path) -> None:
    modules = the_extension(tmp_path)
    for command in ("lint", "check"):
        done = deno(command, "--config", str(CONFIG), *map(str, modules.values()), cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_fault_of_the_extension_would_be_seen(tmp_path: Path) -> None:
    link = the_extension(tmp_path)["link"]
    source = link.read_text(encoding="utf-8")
    assert source.count("kernel.requestCommInfo(") == 1
    link.write_text(source.replace("kernel.requestCommInfo(", "kernel.requestCommsInfo("), encoding="utf-8")
    assert deno("check", "--config", str(CONFIG), str(link), cwd=tmp_path).returncode != 0


def test_the_extension_is_small_sets_text_as_text_and_is_of_this_release() -> None:
    shipped = [path for path in EXTENSION.rglob("*") if path.is_file()]
    # 3 kB of them are the words of the settings page, 9 kB "Ask" with its menu, 2 kB putting a quickstart in place,
    # 3 kB what is marked in a prompt, 4 kB that the cursor goes where one writes.
    assert sum(path.stat().st_size for path in shipped) < 89_000
    sources = {path.name: path.read_text(encoding="utf-8") for path in EXTENSION.glob("static/*.js")}
    assert sum(source.count("\n") for source in sources.values()) < 1_850
    for name, source in sources.items():
        found = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", source)
        assert not found, name
        assert not re.search(r"^import ", source, re.MULTILINE), f"{name}: it would come without its release"
    package = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == __version__
    assert package["jupyterlab"]["_build"]["load"] == f"static/remoteEntry.js?{__version__}"


def test_page_and_kernel_speak_the_same_language() -> None:
    source = (EXTENSION / "static" / "link.js").read_text(encoding="utf-8")
    assert f"const PROTOCOL = {PROTOCOL};" in source
    assert f'const TARGET = "{TARGET}";' in source


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("lint", "function one(a) { if (a = 1) return; debugger; }\none();\n"),
        ("check", "document.createElement('p').valeu = 1;\n"),
        ("check", "unknownFunction();\n"),
    ],
)
def test_a_fault_would_be_seen(command: str, fault: str, tmp_path: Path) -> None:
    (path,) = written(tmp_path, {"fault": fault})
    assert deno(command, "--config", str(CONFIG), path, cwd=tmp_path).returncode != 0


def test_nothing_in_them_is_left_over() -> None:
    sources = [path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")]
    everything = "\n".join(sources)
    unused = [
        name
        for source in sources
        for name in TOP_LEVEL.findall(source)
        if len(re.findall(rf"(?<![\w$])(?:(?<!\.)|(?<=\.\.\.)){re.escape(name)}(?![\w$])", everything)) < 2
    ]
    assert unused == []


def test_every_script_is_of_some_panel() -> None:
    shipped = "\n".join(modules().values())
    assert [path.name for path in STATIC.glob("*.js") if path.read_text(encoding="utf-8") not in shipped] == []


def test_the_configuration_is_strict() -> None:
    options = json.loads(CONFIG.read_text(encoding="utf-8"))["compilerOptions"]
    assert options["strict"] is True
    assert options["checkJs"] is True
