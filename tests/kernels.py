"""A real ipykernel whose every message on the wire is seen and counted; for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import AsyncKernelManager, KernelManager
from traitlets import default

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from typing_extensions import Self

_CPU = "__import__('time').process_time()"  # seconds of this process, all its threads
SHOWS = {"display_data", "update_display_data", "stream", "execute_result", "error"}
WIDGETS = {*SHOWS, "comm_open", "comm_msg", "comm_close"}


@dataclass
class Ran:
    """What one cell did. Times are seconds on the system's monotonic clock, which all processes share."""

    messages: int = 0
    bytes: int = 0
    cpu: float = 0.0
    status: str = ""
    first_shown_at: float | None = None
    idle_at: float = 0.0
    texts: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    payload: list[dict[str, Any]] = field(default_factory=list)


class ByFile(KernelManager):
    """Manages a kernel that is spoken to by files, not by ports.

    A manager looks for free ports and its kernel takes them seconds later: where hundreds of servers come and go
    meanwhile, one of them has such a port by then, and the kernel dies.
    """

    @default("transport")
    def _by_file(self) -> str:
        return "ipc" if os.name == "posix" else "tcp"

    @default("connection_file")
    def _in_a_folder_of_its_own(self) -> str:
        folder = tempfile.mkdtemp(dir="/tmp" if os.name == "posix" else None)
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return str(Path(folder) / "kernel.json")


class ByFileAsync(ByFile, AsyncKernelManager):
    """The same for nbclient."""


class RealKernel:
    """An ipykernel in a process of its own, with `environment` on top of this process's."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._manager = ByFile(kernel_name="python3")
        self._environment = {**os.environ, **environment}
        self._cells = count(1)

    def __enter__(self) -> Self:
        self._manager.start_kernel(env=self._environment)
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    def _ask(self, code: str, *, cell: str = "", **content: Any) -> str:
        """Send a cell as a page does, each with an id of its own unless one is given; give the message's id."""
        asked = {"code": code, "silent": False, "store_history": True, "stop_on_error": True, **content}
        message = self._client.session.msg(
            "execute_request",
            {"user_expressions": {}, **asked},
            metadata={"cellId": cell or f"cell-{next(self._cells)}"},
        )
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def _reply(self, message_id: str, timeout: float) -> dict[str, Any]:
        """What the kernel answered to this very request; what it answered to others, late, is passed over."""
        deadline = time.monotonic() + timeout
        while True:
            message: dict[str, Any] = self._client.get_shell_msg(timeout=max(0.0, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") == message_id:
                content: dict[str, Any] = message["content"]
                return content

    def begin(self, code: str) -> str:
        """Begin a cell and return at once; what comes back is for `has_ended`."""
        return self._ask(code, allow_stdin=False)

    def has_ended(self, message_id: str) -> bool:
        """Whether a cell that was begun has been answered."""
        while self._client.shell_channel.socket.poll(0):
            if self._client.get_shell_msg(timeout=1)["parent_header"].get("msg_id") == message_id:
                return True
        return False

    def complete(self, code: str, timeout: float = 60) -> dict[str, str]:
        """Return what Tab offers at the end of a cell, with what stands beside each."""
        content = self._reply(self._client.complete(code), timeout)
        return {each["text"]: each["type"] for each in content["metadata"]["_jupyter_types_experimental"]}

    def kill(self) -> None:
        """Kill the kernel (SIGKILL), without a word to it, and wait until it is gone."""
        process = self._manager.provisioner.process
        process.kill()
        process.wait(60)

    def interrupt(self) -> float:
        """Interrupt the kernel (■); give the time at which that was."""
        now = time.monotonic()
        self._manager.interrupt_kernel()
        return now


class CountingKernel(RealKernel):
    """A kernel whose every message is counted. Its own CPU time is asked for with each cell."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.run("import time")
        return self

    def __init__(self, environment: Mapping[str, str], *, counts: Iterable[str] = SHOWS) -> None:
        super().__init__(environment)
        self._counts = frozenset(counts)

    def run(
        self, code: str, *, shows: str = "", on_shown: Callable[[], None] | None = None, timeout: float = 120
    ) -> Ran:
        """Run a cell to its end. `shows`: the text whose first appearance is timed; `on_shown` is called then."""
        before = self._execute("None", "", None, timeout).cpu
        ran = self._execute(code, shows, on_shown, timeout)
        ran.cpu -= before
        return ran

    def _execute(self, code: str, shows: str, on_shown: Callable[[], None] | None, timeout: float) -> Ran:
        message_id = self._ask(code, allow_stdin=False, user_expressions={"cpu": _CPU})
        ran = self._follow(message_id, shows, on_shown, timeout)
        reply = self._reply(message_id, timeout)
        ran.status = reply["status"]
        ran.payload = reply.get("payload", [])
        found = reply.get("user_expressions", {}).get("cpu", {}).get("data", {}).get("text/plain")
        ran.cpu = float(found) if found else float("nan")  # a cell that failed reports none
        return ran

    def _follow(self, message_id: str, shows: str, on_shown: Callable[[], None] | None, timeout: float) -> Ran:
        ran = Ran()
        channel = self._client.iopub_channel
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not channel.socket.poll(100):
                continue
            frames = channel.socket.recv_multipart()
            now = time.monotonic()
            _, rest = self._client.session.feed_identities(frames)
            message = self._client.session.deserialize(rest)
            if message["parent_header"].get("msg_id") != message_id:
                continue
            if message["msg_type"] in self._counts:
                ran.messages += 1
                ran.bytes += sum(len(frame) for frame in frames)
                text = _text(message)
                ran.texts.append(text)
                ran.kinds.append(message["msg_type"])
                if ran.first_shown_at is None and shows in text:
                    ran.first_shown_at = now
                    if on_shown is not None:
                        on_shown()
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                ran.idle_at = now
                return ran
        raise TimeoutError("the cell did not end")


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    told = "\n".join(content.get("traceback", []))
    return told + str(content.get("text", "")) + "".join(str(v) for v in content.get("data", {}).values())
