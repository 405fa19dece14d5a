"""Where several people meet one system account, a visitor's key is that visitor's: in memory, whatever is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import keyring
import keyring.core
import pytest

from tests.kernels import CountingKernel
from tests.keys.backends import Faithful
from tetrate_jupyter import config
from tetrate_jupyter.cli.lab import free_port
from tetrate_jupyter.errors import NotSignedInError
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.keys.system_keyring import SERVICE
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tetrate_jupyter.bridge import Bridge

ROOT = Path(__file__).parents[2]
LONG = 90.0  # seconds; a bound for hangs
KERNEL = ["/usr/bin/python3", "-m", "ipykernel_launcher", "-f", "/run/kernel.json"]
SHARED = [
    ({"SERVER_SOFTWARE": "voila/0.5.13"}, KERNEL, "Voilà"),
    ({"VOILA_PREHEAT": "True", "VOILA_SERVER_URL": "/"}, KERNEL, "Voilà"),
    ({"JPY_SESSION_NAME": "here/.mercury_sessions/app__mercury__0a1b2c3d.ipynb"}, KERNEL, "Mercury"),
    ({"JUPYTERHUB_SERVICE_NAME": "shared-notebook"}, KERNEL, "a service of JupyterHub"),
    ({"TETRATE_JUPYTER_SHARED": "1"}, KERNEL, "TETRATE_JUPYTER_SHARED"),
    ({}, ["/usr/bin/python3", "/usr/bin/panel", "serve", "app.ipynb"], "Panel"),
    ({}, ["python", "-m", "bokeh", "serve", "app.py"], "Bokeh"),
    ({}, ["C:\\Python\\python.exe", "C:\\Scripts\\streamlit.exe", "--log_level=debug", "run", "app.py"], "Streamlit"),
    ({}, ["/usr/bin/python3", "/home/me/.local/bin/solara", "run", "sol.py", "--production"], "Solara"),
    ({"SOLARA_APP": "sol.py"}, ["python", "-m", "uvicorn", "solara.server.starlette:app"], "Solara"),
    ({}, ["python", "-m", "shiny", "run"], "Shiny"),
]
OWN = [
    ({}, KERNEL),
    ({"JUPYTERHUB_USER": "me", "JUPYTERHUB_SERVER_NAME": "", "JPY_SESSION_NAME": "/home/me/panel/serve.ipynb"}, KERNEL),
    ({"JPY_SESSION_NAME": "/home/me/.mercury_sessions/notes.ipynb"}, KERNEL),
    ({"SERVER_SOFTWARE": "gunicorn/20"}, KERNEL),
    ({"TETRATE_JUPYTER_SHARED": "off"}, KERNEL),
    ({}, ["python", "panel.py"]),
    ({}, ["python", "train.py", "run", "streamlit"]),
    ({}, ["ipython"]),
    ({}, []),
]


@pytest.mark.parametrize(("environment", "command", "name"), SHARED)
def test_the_place_is_known(environment: Mapping[str, str], command: Sequence[str], name: str) -> None:
    assert config.shared_account(environment, command) == name


@pytest.mark.parametrize(("environment", "command"), OWN)
def test_a_persons_own_place_is_not_taken_for_one(environment: Mapping[str, str], command: Sequence[str]) -> None:
    assert config.shared_account(environment, command) is None


@pytest.fixture
def backend() -> Iterator[Faithful]:
    """A keyring that works, in the place of the system's."""
    made = Faithful()
    keyring.set_keyring(made)
    yield made
    keyring.core._keyring_backend = None


@pytest.fixture
def visitor(
    router: SandboxRouter, bridge: Bridge, tmp_path: Path, backend: Faithful, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Session]]:
    """Make the session of one more visitor, in a kernel that Voilà has started."""
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    made: list[Session] = []

    def make() -> Session:
        made.append(Session(base_url=router.base_url, model="claude-haiku-4-5", data_dir=tmp_path, bridge=bridge))
        return made[-1]

    yield make
    for session in made:
        session.close()


@pytest.mark.parametrize("store", ["auto", "file", "keyring", "memory"])
def test_a_visitors_key_is_kept_nowhere_but_in_memory(
    store: str, router: SandboxRouter, visitor: Callable[[], Session], tmp_path: Path, backend: Faithful
) -> None:
    first, second = visitor(), visitor()
    done = first.login(key=router.issue_key(), store=store)
    assert done.place.kind == "memory"
    assert "this kernel's memory only (several people share this server's account: Voilà)" in str(done)
    assert first.ask("hello")
    assert backend.calls == []
    assert not (tmp_path / "keys").exists()
    with pytest.raises(NotSignedInError):
        second.ask("hello")
    assert [place.kind for place in first.logout()] == ["memory"]
    with pytest.raises(NotSignedInError):
        first.ask("hello")


def test_the_key_of_the_servers_account_is_neither_used_nor_removed(
    router: SandboxRouter, visitor: Callable[[], Session], tmp_path: Path, backend: Faithful,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    owned = router.issue_key()
    monkeypatch.delenv("SERVER_SOFTWARE")
    KeyStore(tmp_path).save(Secret(owned, host=router.host), store="file")
    backend.kept[SERVICE, router.host] = owned
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    session = visitor()
    with pytest.raises(NotSignedInError):
        session.ask("hello")
    session.login(key=router.issue_key())
    session.logout()
    assert len(list((tmp_path / "keys").iterdir())) == 1
    assert backend.kept == {(SERVICE, router.host): owned}
    monkeypatch.delenv("SERVER_SOFTWARE")
    assert KeyStore(tmp_path).find(session.endpoints)


def test_an_operator_may_give_everybody_a_key_by_the_environment(
    router: SandboxRouter, visitor: Callable[[], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**router.environment, "TETRATE_API_KEY": router.issue_key()}.items():
        monkeypatch.setenv(name, value)
    session = visitor()
    assert session.ask("hello")
    assert session.logout()[-1].kind == "environment"
    assert session.ask("hello")


def test_the_panel_says_so(router: SandboxRouter, visitor: Callable[[], Session]) -> None:
    from tetrate_jupyter.widgets.sign_in_words import told_of

    session = visitor()
    told = told_of(session.login(key=router.issue_key(), store="file"), session.endpoints, trial=False)
    assert "memory only (several people share this server" in told["line"]


# --- real ones -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_real_kernels_of_one_dashboard_account(tmp_path: Path) -> None:
    with SandboxRouter(speed=INSTANT) as router:
        shared = {**router.environment, "JUPYTER_DATA_DIR": str(tmp_path), "SERVER_SOFTWARE": "voila/0.5.13"}
        with CountingKernel(shared) as a, CountingKernel(shared) as b:
            for kernel in (a, b):
                kernel.run("from tetrate_jupyter import session")
            texts = a.run(f"print(session.login(key={router.issue_key()!r}, store='file'))").texts
            assert "memory only" in "".join(texts)
            assert "NotSignedInError" in "".join(b.run("session.models()").texts)
        assert not (tmp_path / "tetrate-jupyter" / "keys").exists()


VISIT = """
from tetrate_jupyter import session
print("before:", session.account.find())
print(session.login(key="KEY", store="file"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("preheat", [False, True])
def test_a_real_voila(preheat: bool, tmp_path: Path) -> None:
    pytest.importorskip("voila", reason="Voilà is not installed here")
    with SandboxRouter(speed=INSTANT) as router:
        port = free_port()
        cell = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": None, "outputs": []}
        cell["source"] = VISIT.replace("KEY", router.issue_key())
        kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
        book = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        (tmp_path / "app.ipynb").write_text(json.dumps(book))
        command = [sys.executable, "-m", "voila", str(tmp_path / "app.ipynb"), f"--port={port}", "--no-browser"]
        command += [f"--VoilaConfiguration.preheat_kernel={preheat}", "--show_tracebacks=True"]
        environment = {**os.environ, **router.environment, "JUPYTER_DATA_DIR": str(tmp_path / "data")}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), environment.get("PYTHONPATH", "")])
        server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(2):
                page = visited(f"http://127.0.0.1:{port}/")
                assert "before: None" in page
                assert "memory only" in page
        finally:
            server.terminate()
            server.wait(LONG)
        assert not (tmp_path / "data" / "tetrate-jupyter" / "keys").exists()


def visited(address: str) -> str:
    until = time.monotonic() + LONG
    while True:
        try:
            with urlopen(address, timeout=LONG) as page:
                return str(page.read().decode())
        except OSError:
            assert time.monotonic() < until, "it did not start"
            time.sleep(0.2)


APP = """
import os, sys
from tetrate_jupyter import KeyStoreError, Session, session
try:
    session.login(key=os.environ["VISITORS"])
except KeyStoreError as error:
    print(error)
print(session.account.find())
own = Session()
print(own.login(key=os.environ["VISITORS"], store="file"))
print(own.account.find() is not None, Session().account.find())
"""


def test_where_one_process_serves_all_the_common_session_keeps_no_visitors_key(tmp_path: Path) -> None:
    program = tmp_path / "streamlit"  # only its name and place on the command line are what counts
    program.write_text(APP)
    with SandboxRouter(speed=INSTANT) as router:
        environment = {**os.environ, **router.environment, "VISITORS": router.issue_key(), "PYTHONPATH": str(ROOT)}
        run = [sys.executable, str(program), "run", "app.py"]
        done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=LONG, check=True)
        said, step, found, own, alone = done.stdout.splitlines()
        assert "Every visitor of this Streamlit server has the same `session`" in said
        assert "Session(key=...)" in step
        assert (found, alone) == ("None", "True None")
        assert "memory only (several people share this server's account: Streamlit)" in own
