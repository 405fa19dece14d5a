"""The scripts of the panels, held as the Python is: linted, and type-checked as the modules that a page gets."""

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

from tetrate_jupyter.widgets.chat import ChatPanel
from tetrate_jupyter.widgets.compare import ComparePanel
from tetrate_jupyter.widgets.picker import ModelPicker

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.once  # it reads scripts, not Python

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / ".ci" / "deno.json"
STATIC = ROOT / "tetrate_jupyter" / "widgets" / "static"
PANELS = {panel.__name__: panel for panel in (ChatPanel, ComparePanel, ModelPicker)}
TOP_LEVEL = re.compile(r"^(?:async )?(?:function|const|let|class) ([A-Za-z_$][\w$]*)", re.MULTILINE)
SAYS = "// @ts-check\n"


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
