"""Every package that is required is used, and every package that is imported is required."""

from __future__ import annotations

import ast
import functools
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

pytestmark = pytest.mark.once  # it reads pyproject.toml and the files of the package

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tetrate_jupyter"
NAME = "tetrate_jupyter"
# Imported where they happen to be: extras, and what comes with a package that is required.
COME_WITH = {
    "traitlets": "ipython",
    "comm": "ipywidgets",
    "ipykernel": "the extra lab; a kernel is there or it isn't",
    "zmq": "ipykernel, in whose kernel alone it is imported",
    "nbclient": "the extra lab",
    "nbformat": "the extra lab, with nbclient",
    "jupyter_client": "the extra lab, with nbclient",
    "jupyterlab": "the extra lab",
    "pandas": "the extra lab; only for who has it",
    "matplotlib": "the extra lab; only for who has it",
    "numpy": "with pandas; only for who has it",
    "PIL": "only for who has it",
    "pydantic": "only for who has it",
    "httpcore": "httpx",
    "referencing": "jsonschema",
    "opentelemetry": "only for who has set it up",
    "typing_extensions": "only type checkers read it",
}


@functools.cache
def required() -> dict[str, set[str]]:
    """The runtime dependencies of pyproject.toml, each with the modules it installs."""
    text = (ROOT / "pyproject.toml").read_text()
    (block,) = re.findall(r"^dependencies = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    names = re.findall(r'^\s*"([A-Za-z0-9_.-]+)', block, re.MULTILINE)
    return {name: modules_of(name) for name in names}


def modules_of(distribution: str) -> set[str]:
    """The top-level modules that a distribution installs, by its list of files: Python 3.10 knows no other way."""
    try:
        files = metadata.distribution(distribution).files or []
    except metadata.PackageNotFoundError:
        return set()
    tops = {file.parts[0] for file in files if file.suffix in {".py", ".so", ".pyd"}}
    return {top.partition(".")[0] for top in tops if not top.startswith(("..", "__"))}


@functools.cache
def imported() -> set[str]:
    """The top-level modules that the package's own code imports, anywhere in it."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                found |= set(re.findall(r"^f?['\"](\w+)", ast.unparse(node.args[0])))
    return found


@pytest.mark.parametrize("name", sorted(required()))
def test_each_dependency_is_imported(name: str) -> None:
    modules = required()[name]
    assert modules, f"{name} isn't installed here"
    assert modules & imported(), f"{name} is required, and nothing imports {', '.join(sorted(modules))}"


def test_each_import_is_a_dependency() -> None:
    known = set().union(*required().values()) | set(sys.stdlib_module_names) | set(COME_WITH) | {NAME, "google"}
    assert imported() - known == set()
