"""A real `tetrate-jupyter` process, its output read line by line, and what is left of it when it ends."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

ENTRY = (sys.executable, "-c", "import sys; from tetrate_jupyter.cli import main; sys.exit(main())")
LINE_TIMEOUT = 90.0  # seconds for the next line: JupyterLab's start on a busy machine
END_TIMEOUT = 150.0  # seconds; a hang, also beside other busy processes


class Running:
    """One process; `lines` are those it has printed and that were read so far."""

    def __init__(
        self, *arguments: str, environment: Mapping[str, str] | None = None, command: Sequence[str] = ()
    ) -> None:
        self.lines: list[str] = []
        self._unread: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [*(command or ENTRY), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(END_TIMEOUT)
        self._reader.join(END_TIMEOUT)
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def text(self) -> str:
        """All that was read."""
        return "".join(self.lines)

    def line_with(self, wanted: str) -> str:
        """Wait for a line that holds `wanted`; give it."""
        for line in self.lines:
            if wanted in line:
                return line.strip()
        while (line := self._unread.get(timeout=LINE_TIMEOUT)) is not None:
            self.lines.append(line)
            if wanted in line:
                return line.strip()
        raise AssertionError(f"it ended without {wanted!r}:\n{self.text}")

    def exported(self) -> dict[str, str]:
        """The variables of the `export` lines, once the last line is there."""
        self.line_with("Stop it with")
        pairs = [line.strip().removeprefix("export ") for line in self.lines if line.startswith("export ")]
        return dict(pair.split("=", 1) for pair in pairs)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def family(self) -> list[psutil.Process]:
        """The process and all it has started, as of now."""
        try:
            top = psutil.Process(self._process.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def ended(self) -> int:
        """Wait for the end; give the exit code."""
        code = self._process.wait(END_TIMEOUT)
        while (line := self._unread.get(timeout=END_TIMEOUT)) is not None:
            self.lines.append(line)
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._unread.put(line)
        self._unread.put(None)


def command_line(process: psutil.Process) -> str:
    """What the process was started with; empty where it has ended meanwhile, collected by its parent or not yet."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie is one, too
        return ""


def left_of(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended in time; a zombie that its new parent has not collected yet has ended."""
    _, alive = psutil.wait_procs(processes, timeout=END_TIMEOUT)
    return [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def answers(address: str) -> bool:
    """Whether something listens at the address's port."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", urlsplit(address).port)) == 0


def ask(address: str, path: str, *, key: str = "", body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
    """Ask a loopback server; give the status and the JSON, or the text where it is none."""
    connection = HTTPConnection("127.0.0.1", urlsplit(address).port or 0, timeout=30)
    try:
        headers = {"Authorization": key} if key else {}
        connection.request("GET" if body is None else "POST", path, json.dumps(body) if body else None, headers)
        reply = connection.getresponse()
        text = reply.read().decode()
    finally:
        connection.close()
    try:
        return reply.status, json.loads(text)
    except ValueError:
        return reply.status, text
