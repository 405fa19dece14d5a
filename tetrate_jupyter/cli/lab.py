"""One JupyterLab server of our own on loopback: started, watched, and stopped with all that it started."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

from tetrate_jupyter import whole_files
from tetrate_jupyter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

START_TIMEOUT: Final = 60.0  # seconds for JupyterLab to answer: the first start on a slow disk takes its time
STOP_TIMEOUT: Final = 15.0  # seconds for it to shut its kernels down
_KILL_TIMEOUT: Final = 5.0  # seconds for a killed one to be gone
_ANSWER_TIMEOUT: Final = 2.0  # seconds for one look whether it answers
_ASKS_ABOUT_NEWS: Final = "@jupyterlab/apputils-extension:announcements"  # over the first page that a newcomer sees
_LOOK: Final = 0.1  # seconds between two looks
_PORTS: Final = range(20_000, 30_000)
_PORT_TRIES: Final = 100
_TOLD: Final = 5  # lines of the log in an error

_DIRECT = build_opener(ProxyHandler({}))  # a person's proxy doesn't know this machine's loopback


class Lab:
    """One JupyterLab server with a port and token of its own; its root is the folder of `notebook`."""

    def __init__(self, notebook: Path, environment: Mapping[str, str]) -> None:
        self._notebook = notebook
        self._token = secrets.token_hex(16)
        self._environment = {k: v for k, v in environment.items() if k != "JUPYTER_TOKEN"}
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None
        self._private: Path | None = None  # the token, and what the server itself writes it into

    @property
    def url(self) -> str:
        """The address that opens the notebook."""
        return f"http://127.0.0.1:{self._port}/lab/tree/{quote(self._notebook.name)}?token={self._token}"

    def start(self) -> None:
        """Start and wait until it answers. Raises `ConfigError` with the log's end where it doesn't."""
        self._environment.update(self._private_files())
        handle, name = tempfile.mkstemp(prefix="tetrate-jupyterlab-", suffix=".log")  # for its owner's eyes only
        self._log = Path(name)
        with os.fdopen(handle, "wb") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own arguments
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,  # Ctrl-C in the terminal is ours to pass on
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise self._failure("JupyterLab did not start")
            time.sleep(_LOOK)

    def wait(self) -> None:
        """Wait until the server is shut down (File > Shut Down). Raises `ConfigError` where it ends otherwise."""
        if self._process is None:
            return
        while self._process.poll() is None:
            time.sleep(_LOOK)  # an untimed wait can't be interrupted on Windows
        if self._process.returncode != 0:
            raise self._failure("JupyterLab ended unexpectedly")

    def stop(self) -> None:
        """End the server and with it its kernels; its log goes, unless it was needed to tell what is wrong."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._kill()
        if self._log is not None:
            self._log.unlink(missing_ok=True)
        if self._private is not None:
            shutil.rmtree(self._private, ignore_errors=True)

    def _private_files(self) -> dict[str, str]:
        """Write the token for the server; return the variables that say where. Raises `ConfigError`.

        A file of our own: a command line is there to read for everybody on the machine, and a variable is passed on to
        every kernel. The server writes pages with the token into its runtime folder, with the modes of the umask, and
        takes that folder as it finds it: so it gets one of its own, too.
        """
        try:
            self._private = Path(tempfile.mkdtemp(prefix="tetrate-jupyterlab-"))
            token, runtime = self._private / "token", self._private / "runtime"
            runtime.mkdir(mode=0o700)
            with os.fdopen(os.open(token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(self._token)
            settings = self._private / "config" / "labconfig"
            settings.mkdir(parents=True)
            (settings / "page_config.json").write_text(json.dumps({"disabledExtensions": {_ASKS_ABOUT_NEWS: True}}))
        except OSError as error:
            raise ConfigError(
                f"The temporary folder can't be used ({whole_files.reason(error)}).",
                next_step="make room there, or set TMPDIR to a folder of your own",
            ) from None
        own = os.pathsep.join(filter(None, [str(settings.parent), self._environment.get("JUPYTER_CONFIG_PATH")]))
        return {"JUPYTER_TOKEN_FILE": str(token), "JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_CONFIG_PATH": own}

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.port={self._port}", "--ServerApp.port_retries=0"]
        command += [f"--ServerApp.root_dir={self._notebook.parent}"]
        # The person's own settings for other servers would make the address another one.
        command += ["--ServerApp.base_url=/", "--ServerApp.certfile=", "--ServerApp.keyfile="]
        # "Nothing leaves here" is meant: JupyterLab would ask for its own news and updates.
        command += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
        if getattr(os, "geteuid", lambda: 1)() == 0:
            command.append("--allow-root")  # containers run as root; the server is on loopback with a token
        return command

    def _answers(self) -> bool:
        address = f"http://127.0.0.1:{self._port}/api/status?token={self._token}"
        try:
            with _DIRECT.open(address, timeout=_ANSWER_TIMEOUT):
                return True
        except (OSError, HTTPException):
            return False

    def _kill(self) -> None:
        if self._process is None:
            return
        if sys.platform == "win32":
            self._process.kill()
        else:
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # one that waits for a disk dies when that answers
            self._process.wait(_KILL_TIMEOUT)

    def _failure(self, what: str) -> ConfigError:
        log, self._log = self._log, None
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TOLD:] if log else []
        return ConfigError("\n".join([f"{what}:", *lines]), next_step=f"see {log}")


def free_port() -> int:
    """Return a loopback port that is free now, and likely to be so when the server asks for it.

    It is below those that systems give to whoever wants any (Linux from 32,768, macOS and Windows from 49,152).
    """
    for _ in range(_PORT_TRIES):
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ConfigError("No port is free here for JupyterLab.", next_step="tetrate-jupyter demo --execute")
