"""A real kernel with everything that it writes kept and searched: files, messages, logs at DEBUG, processes."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.magics.asking_kernel import AskingKernel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from typing_extensions import Self

    from tests.magics.asking_kernel import Cell

_STARTUP = """\
import logging, os
logging.basicConfig(level=logging.DEBUG, filename=os.environ["SEARCHED_LOG"])
logging.getLogger().setLevel(logging.DEBUG)
get_ipython().kernel.log.setLevel(logging.DEBUG)
get_ipython().kernel.log.propagate = True
"""


def forms(secret: str) -> dict[str, bytes]:
    """A secret in each form in which it could be read back."""
    data = secret.encode()
    found = {
        "plain": data,
        "reversed": data[::-1],
        "hex": data.hex().encode(),
        "HEX": data.hex().upper().encode(),
        "percent": "".join(f"%{byte:02x}" for byte in data).encode(),
        "quoted": quote(secret, safe="").encode(),
    }
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + data)
        found[f"base64 at {shift}"] = whole[4:-4] if shift else whole[:-4]  # its edges depend on the neighbours
    return found


def where(secrets: Iterable[str], data: bytes) -> list[str]:
    """The forms in which any of the secrets is in `data`; empty where there is none."""
    return [name for secret in secrets for name, form in forms(secret).items() if form in data]


class SearchedKernel(AskingKernel):
    """A kernel in a home of its own, logging at DEBUG, whose every message and output is kept in `messages`."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        self.messages: list[bytes] = []
        self._log = home / "debug.log"
        super().__init__(
            {
                **environment,
                "HOME": str(home),
                "JUPYTER_DATA_DIR": str(home / "data"),
                "IPYTHONDIR": str(home / "ipython"),
                "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
                "SEARCHED_LOG": str(self._log),
            }
        )

    def __enter__(self) -> Self:
        startup = self.home / "ipython" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        (startup / "00-log.py").write_text(_STARTUP)
        written = (self.home / "kernel.out").open("wb"), (self.home / "kernel.err").open("wb")
        with written[0] as out, written[1] as err:
            self._manager.start_kernel(env=self._environment, stdout=out, stderr=err)
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        return self

    def send(self, comm_id: str, data: Mapping[str, Any]) -> None:
        """Send what a page sends for a widget."""
        content = {"comm_id": comm_id, "data": dict(data)}
        self._client.shell_channel.send(self._client.session.msg("comm_msg", content))

    def comm_of(self, **state: object) -> str:
        """The id of the newest widget whose state holds these values."""
        for message in reversed(self.messages):
            told = json.loads(message)
            held = told["content"].get("data", {}).get("state", {}) if told["msg_type"] == "comm_open" else {}
            if held and all(held.get(name) == value for name, value in state.items()):
                return str(told["content"]["comm_id"])
        raise LookupError(state)

    def drain(self) -> None:
        """Keep what has come since the last cell."""
        while True:
            try:
                self._keep(self._client.get_iopub_msg(timeout=0.2))
            except Empty:
                return

    def _listen(self, message_id: str, cell: Cell) -> bool:
        try:
            message: dict[str, Any] = self._client.get_iopub_msg(timeout=0.02)
        except Empty:
            return False
        self._keep(message)
        return self._take(message, message_id, cell)

    def _keep(self, message: Mapping[str, Any]) -> None:
        told = {name: part for name, part in message.items() if name != "buffers"}
        self.messages.append(json.dumps(told, default=str).encode())
        self.messages += [bytes(buffer) for buffer in message.get("buffers", ())]

    def processes(self) -> bytes:
        """The command line and environment of the kernel, as other programs of this account see them."""
        kernel = self._manager.provisioner.process.pid  # type: ignore[union-attr]  # a local kernel has one
        return b"".join(Path(f"/proc/{kernel}/{name}").read_bytes() for name in ("cmdline", "environ"))

    def findings(self, secrets: Iterable[str]) -> list[str]:
        """Every place where a secret is, in any form: "what: form". Key files are the one place that may hold one."""
        secrets = tuple(secrets)
        self.drain()
        found = [f"{what}: {form}" for what, data in self._written() for form in where(secrets, data)]
        return [*found, *(f"a message: {form}: {m[:300]!r}" for m in self.messages for form in where(secrets, m))]

    def _written(self) -> Iterator[tuple[str, bytes]]:
        yield "a process", self.processes()
        for path in self.home.rglob("*"):
            if path.is_file() and path.parent.name != "keys":
                yield str(path.relative_to(self.home)), path.read_bytes()
        for path in self.home.rglob("history.sqlite"):  # what is still in its journal, too
            connection = sqlite3.connect(path)
            try:
                yield "the history", "\n".join(str(row) for row in connection.execute("SELECT * FROM history")).encode()
            finally:
                connection.close()

    @property
    def log(self) -> str:
        """What was logged so far."""
        return self._log.read_text() + (self.home / "kernel.err").read_text()


def is_root() -> bool:
    """Whether this run may become another user."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
