"""One process for each change: forked from one that has the libraries, and none of this package, loaded already."""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence
    from types import CodeType

_LIBRARIES = (
    "anyio", "hypothesis", "httpx", "msgspec", "markdown_it", "mdurl", "pygments.lexers", "pygments.formatters",
    "latex2mathml.converter", "jsonschema", "keyring", "jupyter_core.paths", "tornado.web",
    "IPython.core.interactiveshell",
    "numpy", "pandas", "_pytest.assertion.rewrite", "html.parser", "asyncio", "decimal", "anyio._backends._asyncio",
)  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """How the tests ended: `killer` is the first test that failed, "" where all passed."""

    killer: str
    seconds: float


def load_libraries() -> None:
    """Load what most tests need, so that no process has to."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # finding them takes longer than the tests
    for name in _LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    gc.freeze()  # what is loaded stays shared with the processes


def run(module: str, tree: ast.Module | None, tests: Sequence[str], *, timeout: float) -> Ran:
    """Run tests with a changed module, or with all as it is, in a process of its own; a hang counts as noticed."""
    before = time.monotonic()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.close(reading)
        _child(module, tree, tests, writing)
    os.close(writing)
    status = None
    while status is None and time.monotonic() < before + timeout:
        found, ended = os.waitpid(pid, os.WNOHANG)
        status = ended if found else None
        if status is None:
            time.sleep(0.01)
    if status is None:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as pipe:
        os.set_blocking(pipe.fileno(), False)
        said = (pipe.read() or b"").decode()
    seconds = time.monotonic() - before
    if status is None:
        return Ran("(hangs)", seconds)
    return Ran(said or ("" if status == 0 else "(ends the process)"), seconds)


def _child(module: str, tree: ast.Module | None, tests: Sequence[str], writing: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    ended = 3
    try:
        if tree is not None:
            sys.meta_path.insert(0, _Changed(module, tree))
        watch = _Watch()
        arguments = [
            "-x",
            "-q",
            "--assert=plain",
            "-p",
            "anyio",
            "-p",
            "pytest_timeout",
            "-m",
            "not slow and not heavy",
            *tests,
        ]
        ended = int(pytest.main(arguments, plugins=[watch]))
        if ended:
            os.write(writing, (watch.failed or f"(pytest ends with {ended})").encode()[:4000])
    finally:
        os._exit(ended)


class _Watch:
    def __init__(self) -> None:
        self.failed = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = f"{report.nodeid} (can't be loaded)"


class _Changed(importlib.abc.MetaPathFinder):
    """Finds the changed module in place of the one on disk."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self._module = module
        self._tree = tree

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        place = str(path_of(fullname))
        return importlib.util.spec_from_file_location(fullname, place, loader=_Loader(fullname, place, self._tree))


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, tree: ast.Module) -> None:
        super().__init__(fullname, path)
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._tree, self.path, "exec")


def path_of(module: str) -> Path:
    """Return the file of a module."""
    return Path(__file__).parents[2] / (module.replace(".", "/") + ".py")
