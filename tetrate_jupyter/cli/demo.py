"""`tetrate-jupyter demo`: sandbox router, JupyterLab and the quickstart, all stopped together."""

from __future__ import annotations

import importlib.util
import os
import secrets
import socket
import subprocess
import sys
import time
import webbrowser
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from tetrate_jupyter import config
from tetrate_jupyter.cli.notebook import place, pristine
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

START_TIMEOUT = 60.0  # seconds for JupyterLab to answer: the first start on a slow disk takes its time
STOP_TIMEOUT = 15.0  # seconds for it to shut its kernels down


def open_demo(folder: Path, *, browser: bool) -> int:
    """Open the quickstart in JupyterLab on a sandbox router; returns when either is stopped."""
    need("jupyterlab", "JupyterLab")
    from tetrate_jupyter.sandbox import SandboxRouter

    notebook, remark = place(folder)
    with SandboxRouter() as router:
        lab = Lab(notebook, environment(router.environment))
        try:
            lab.start()
            print(f"The sandbox router is at {router.base_url}: simulated models, no account, nothing leaves here.")
            print(remark)
            print(f"Open {lab.url}\nStop everything with Ctrl-C.", flush=True)
            if browser:
                webbrowser.open(lab.url)
            return lab.wait()
        except KeyboardInterrupt:
            print("\nStopping JupyterLab and the sandbox router ...", flush=True)
            return 0
        finally:
            lab.stop()
            forget_keys(router.base_url)


def execute_demo() -> int:
    """Run the quickstart in a real kernel on a sandbox router and print what a person would see."""
    need("nbclient", "nbclient")
    need("ipykernel", "ipykernel")
    from tetrate_jupyter.cli.headless import run_notebook
    from tetrate_jupyter.sandbox import SandboxRouter

    with SandboxRouter() as router:
        variables = {**router.environment, config.KEY_VARIABLES[0]: router.issue_key(), config.STREAM_VARIABLE: "off"}
        return run_notebook(pristine(), environment(variables))


def need(module: str, name: str) -> None:
    """Refuse with the line to type when an optional part isn't installed."""
    if importlib.util.find_spec(module) is None:
        raise ConfigError(f"{name} is not installed here.", next_step='pip install "tetrate-jupyter[lab]"')


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Give the child's environment: the person's own keys and addresses stay out of a demo."""
    own = {*config.KEY_VARIABLES, config.BASE_URL_VARIABLE, config.AUTH_URL_VARIABLE, config.HOST_VARIABLE}
    return {**{k: v for k, v in os.environ.items() if k not in own}, **extra}


def forget_keys(base_url: str) -> None:
    """Remove the throwaway keys that the demo's notebook kept for its router."""
    from tetrate_jupyter.errors import TetrateError
    from tetrate_jupyter.keys.store import KeyStore

    try:
        KeyStore().forget(config.Endpoints.of(base_url))
    except TetrateError:
        return  # worth nothing without that router; not worth a message on the way out either


class Lab:
    """One JupyterLab server on loopback, with a port and token of its own."""

    def __init__(self, notebook: Path, environment: Mapping[str, str]) -> None:
        self._notebook = notebook
        self._environment = environment
        self._token = secrets.token_hex(16)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address that opens the notebook."""
        return f"http://127.0.0.1:{self._port}/lab/tree/{quote(self._notebook.name)}?token={self._token}"

    def start(self) -> None:
        """Start and wait until it answers. Raises `ConfigError` with the log's end where it doesn't."""
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.port={self._port}", "--ServerApp.port_retries=0"]
        command += [f"--IdentityProvider.token={self._token}", f"--ServerApp.root_dir={self._notebook.parent}"]
        if getattr(os, "geteuid", lambda: 1)() == 0:
            command.append("--allow-root")  # containers run as root; the server is on loopback with a token
        log = self._notebook.parent / ".jupyterlab.log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own arguments
                command, stdout=out, stderr=subprocess.STDOUT, env=dict(self._environment), start_new_session=True
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
                raise ConfigError(f"JupyterLab did not start:\n{tail}", next_step=f"see {log}")
            time.sleep(0.1)

    def wait(self) -> int:
        """Wait until the server ends by itself (File > Shut Down)."""
        return self._process.wait() if self._process else 0

    def stop(self) -> None:
        """End the server and with it its kernels."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self._port}/api/status?token={self._token}", timeout=2):
                return True
        except (URLError, OSError):
            return False


def free_port() -> int:
    """Give a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
