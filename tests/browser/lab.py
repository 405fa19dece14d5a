"""A real JupyterLab, or Notebook 7, on loopback with a home, settings and log of its own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from tetrate_jupyter import config
from tetrate_jupyter.cli.lab import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import Self

EXTENSION = Path(__file__).parents[2] / "labextension"
START_TIMEOUT = 90.0  # seconds for JupyterLab to answer, on a machine that is busy with something else, too
STOP_TIMEOUT = 20.0  # seconds for it to shut its kernels down
LOOK = 0.1  # seconds between two looks whether it answers

_PERSONAL = {
    *config.KEY_VARIABLES,
    config.BASE_URL_VARIABLE,
    config.AUTH_URL_VARIABLE,
    config.HOST_VARIABLE,
    config.STREAM_VARIABLE,
}
_PERSONAL_PREFIXES = ("JUPYTER", "IPYTHON", "XDG_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

_KERNEL = {
    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
}
_SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
}


class Lab:
    """`home` takes everything the server and its kernels write but the notebooks, which are in `folder`.

    `app`: which program opens notebooks, "jupyterlab" or "notebook". `python`: whose; kernels run on this one.
    """

    def __init__(
        self, home: Path, environment: Mapping[str, str], app: str = "jupyterlab", python: str | Path = sys.executable
    ) -> None:
        self.home = home
        self.app = app
        self._python = python
        self.folder = home / "notebooks"
        self.log = home / "jupyterlab.log"
        self._token = secrets.token_hex(16)
        self._port = free_port()
        self._sockets = tempfile.TemporaryDirectory(dir="/tmp")
        self._environment = {**_environment(home, environment), "JUPYTER_RUNTIME_DIR": self._sockets.name}

    @property
    def data(self) -> Path:
        """Where its kernels find Jupyter's data folder."""
        return self.home / "data"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._port}"

    def address(self, notebook: str) -> str:
        """Give the address that opens a notebook in a workspace of its own, without a login page."""
        if self.app == "notebook":
            return f"{self.origin}/notebooks/{quote(notebook)}?token={self._token}"
        workspace = notebook.removesuffix(".ipynb")
        return f"{self.origin}/lab/workspaces/{quote(workspace)}/tree/{quote(notebook)}?token={self._token}"

    @contextmanager
    def theme(self, name: str) -> Iterator[None]:
        """Pages that are opened meanwhile have this theme, "JupyterLab Dark" for instance."""
        with self.settings("@jupyterlab/apputils-extension/themes", {"theme": name}):
            yield

    @contextmanager
    def settings(self, name: str, values: Mapping[str, object]) -> Iterator[None]:
        """Pages that are opened meanwhile have these settings of one extension."""
        path = self._settings(name)
        path.write_text(json.dumps(values))
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    def begin_settings(self) -> None:
        """Make the settings what the server began with: a test that failed may have left others."""
        shutil.rmtree(self.home / "settings", ignore_errors=True)
        for name, values in _SETTINGS.items():
            self._settings(name).write_text(json.dumps(values))

    def _settings(self, name: str) -> Path:
        path = self.home / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def __enter__(self) -> Self:
        for folder in (self.folder, self.home / "tmp"):
            folder.mkdir(parents=True)
        extensions = self.home / "jupyter" / "labextensions"
        extensions.mkdir(parents=True)
        (extensions / "tetrate-jupyter").symlink_to(EXTENSION)  # as it is here, whatever is installed
        if self._python != sys.executable:
            kernel = self.home / "jupyter" / "kernels" / "python3" / "kernel.json"
            kernel.parent.mkdir(parents=True)
            kernel.write_text(json.dumps(_KERNEL))
        self.begin_settings()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                cwd=self.folder,
                start_new_session=True,
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _command(self) -> list[str]:
        return [
            *(str(self._python), "-m", self.app, "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self._port}", "--ServerApp.port_retries=0"),
            *(f"--IdentityProvider.token={self._token}", f"--ServerApp.root_dir={self.folder}"),
            *("--LabApp.news_url=", "--LabApp.extension_manager=readonly"),
            "--KernelManager.transport=ipc",  # a kernel's ports can be another's before it is there
        ]

    def _wait_until_it_answers(self) -> None:
        pause = threading.Event()
        for _ in range(int(START_TIMEOUT / LOOK)):
            if self._process.poll() is not None:
                break
            if self._answers():
                return
            pause.wait(LOOK)
        raise RuntimeError("JupyterLab did not start:\n" + self.log.read_text(errors="replace")[-4000:])

    def end_kernels(self) -> None:
        """End all kernels that run: a server has 1,023 sockets for them, of which each takes five or six."""
        for kernel in json.loads(self._asked("GET", "/api/kernels")):
            self._asked("DELETE", f"/api/kernels/{kernel['id']}")

    def _asked(self, method: str, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, path, headers={"Authorization": f"token {self._token}"})
            return connection.getresponse().read()
        finally:
            connection.close()

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", f"/api/status?token={self._token}")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT)
        with suppress(ProcessLookupError):  # whatever is left of the session that was started above
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_TIMEOUT)
        self._sockets.cleanup()


def _environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _PERSONAL and not name.upper().startswith(_PERSONAL_PREFIXES)
    }
    return {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_PATH": str(home / "jupyter"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        **extra,
    }
