"""A real ipykernel with a person at it: each prompt and each display is handed to the test, which acts on it."""

from __future__ import annotations

import html
import re
import time
from dataclasses import dataclass, field
from queue import Empty
from typing import TYPE_CHECKING, Any

from tests.kernels import RealKernel

if TYPE_CHECKING:
    from collections.abc import Callable

CONSENT = re.compile(r'href="([^"]+/auth[^"]*)"')


@dataclass
class Cell:
    """What a cell has shown and asked for so far."""

    status: str = ""
    shown: str = ""
    prompts: list[str] = field(default_factory=list)
    hidden: list[bool] = field(default_factory=list)
    cleared: bool = False

    @property
    def url(self) -> str:
        """The consent page's address, once it is shown."""
        found = CONSENT.search(self.shown)
        return html.unescape(found[1]) if found else ""


class AskingKernel(RealKernel):
    """A kernel that may ask: prompts and the consent page are handed to the test."""

    def run(
        self,
        code: str,
        *,
        on_link: Callable[[Cell], object] | None = None,
        on_prompt: Callable[[Cell], str] | None = None,
        timeout: float = 60,
    ) -> Cell:
        """Run a cell to its end. `on_link` is called when the consent page is shown, `on_prompt` answers a prompt."""
        return self.follow(self._ask(code, allow_stdin=True), on_link=on_link, on_prompt=on_prompt, timeout=timeout)

    def follow(
        self,
        message_id: str,
        *,
        on_link: Callable[[Cell], object] | None = None,
        on_prompt: Callable[[Cell], str] | None = None,
        timeout: float = 60,
    ) -> Cell:
        """Like `run`, for a cell that was sent before."""
        cell = Cell()
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._listen(message_id, cell):
                cell.status = self._reply(message_id, timeout)["status"]
                return cell
            if cell.url and on_link is not None:
                act, on_link = on_link, None
                act(cell)
            try:
                asked = self._client.get_stdin_msg(timeout=0.02)["content"]
            except Empty:
                continue
            while not cell.url and time.monotonic() < deadline:  # shown before, but on another channel
                self._listen(message_id, cell)
            cell.prompts.append(asked["prompt"])
            cell.hidden.append(asked["password"])
            assert on_prompt is not None, asked
            self._client.input(on_prompt(cell))
        raise TimeoutError(f"the cell did not end: {cell}")

    def _listen(self, message_id: str, cell: Cell) -> bool:
        try:
            message: dict[str, Any] = self._client.get_iopub_msg(timeout=0.02)
        except Empty:
            return False
        return self._take(message, message_id, cell)

    def _take(self, message: dict[str, Any], message_id: str, cell: Cell) -> bool:
        if message["parent_header"].get("msg_id") != message_id:
            return False
        content = message["content"]
        cell.cleared = cell.cleared or message["msg_type"] == "clear_output"
        cell.shown += str(content.get("text", "")) + "".join(map(str, _data(content)))
        cell.shown += "\n".join(content.get("traceback", []))
        return bool(message["msg_type"] == "status" and content["execution_state"] == "idle")


def _data(content: dict[str, Any]) -> list[object]:
    """What an output holds, a widget's kind included; a message of a widget holds nothing that is shown."""
    data = content.get("data", {})
    if "method" in data or "target_name" in content:
        return []
    return [each if isinstance(each, str) else f"{kind}: {each}" for kind, each in data.items()]
