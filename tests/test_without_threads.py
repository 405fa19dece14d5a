"""Kernels without threads (Pyodide, JupyterLite): the magics load, and each use says what is the matter."""

from __future__ import annotations

import asyncio
import threading
import warnings
from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tetrate_jupyter.bridge import Bridge
from tetrate_jupyter.errors import BridgeError
from tetrate_jupyter.face import shared
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.magics import extension

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENTENCE = "Kernels without threads (JupyterLite) are not supported."


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell whose session has a loop of its own, where no thread starts, as Pyodide has it."""
    made = InteractiveShell()
    made.history_manager.enabled = False
    session = Session(base_url="http://127.0.0.1:9/v1", key="sk-a-key-0123456789", data_dir=tmp_path, bridge=Bridge())
    monkeypatch.setattr(shared, "session", session)
    extension.load(made)

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        yield made
    extension.unload(made)
    made.history_manager.end_session()


@pytest.mark.parametrize(
    "line", ["tetrate hello", "tetrate_login", "tetrate_status", "tetrate_models", "tetrate_logout"]
)
def test_a_magic_says_so(shell: InteractiveShell, line: str) -> None:
    name, _, rest = line.partition(" ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a coroutine that nobody awaits
        with pytest.raises(BridgeError) as caught:
            shell.run_line_magic(name, rest)
    assert SENTENCE in caught.value.message
    assert caught.value.next_step
    assert "Traceback" not in "\n".join(caught.value._render_traceback_())


def test_a_comparison_and_python_say_so(shell: InteractiveShell) -> None:
    with pytest.raises(BridgeError, match="not supported"):
        shell.run_cell_magic("tetrate_compare", "-m a,b", "hello")
    with pytest.raises(BridgeError, match="not supported"):
        shared.session.ask("hello")
    with pytest.raises(BridgeError, match="not supported"):
        asyncio.run(shared.session.aask("hello"))


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_tab_offers_nothing_and_fails_nowhere(shell: InteractiveShell) -> None:
    found = [c.text for c in shell.Completer.completions("%%tetrate -m claude-h", 21)]
    assert "claude-haiku-4-5" not in found
