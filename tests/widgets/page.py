"""What a page does with a panel's messages, in Python: the operations of feed.py applied one by one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tetrate_jupyter.widgets.panel import Panel


@dataclass
class Shown:
    """One item as the page shows it."""

    fields: dict[str, Any] = field(default_factory=dict)
    blocks: list[str] = field(default_factory=list)
    tail: str = ""

    @property
    def html(self) -> str:
        return "".join(self.blocks) + self.tail


class Page:
    """A view: says hello when it is made, then keeps what it is told."""

    def __init__(self, panel: Panel | None = None, name: str = "one") -> None:
        self.fields: dict[str, Any] = {}
        self.items: dict[str, Shown] = {}
        self.answers: list[bool] = []
        self.messages: list[dict[str, Any]] = []
        self._name = name
        self._panel = panel
        self._synced = False
        self._changed = threading.Condition()
        if panel is not None:
            send = panel.send

            def tell(content: dict[str, Any], buffers: Any = None) -> None:
                send(content, buffers)
                self.receive(content)

            panel.send = tell  # what leaves the kernel arrives
            self.do("hello")

    def do(self, action: str, buffers: Sequence[bytes] = (), **parts: Any) -> bool | None:
        """Send a message; give whether it was done."""
        assert self._panel is not None
        message = {"do": action, "view": self._name, "n": len(self.messages) + 1, **parts}
        self._panel._handle_custom_msg(message, [memoryview(b) for b in buffers])
        return self.answers[-1] if self.answers else None

    def receive(self, message: dict[str, Any]) -> None:
        with self._changed:
            self.messages.append(message)
            if "ok" in message and message["view"] == self._name:
                self.answers.append(message["ok"])
            to = message.get("to")
            if to == self._name:
                self._synced = True
            if to in {None, self._name} and self._synced:
                self.apply(message["operations"])
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until what is shown fulfils the condition."""
        with self._changed:
            assert self._changed.wait_for(condition, 120), (self.fields, self.items)

    def apply(self, operations: list[list[Any]]) -> None:
        for name, *operands in operations:
            getattr(self, "_fields" if name == "panel" else f"_{name}")(*operands)

    def _fields(self, changed: dict[str, Any], members: dict[str, dict[str, Any]]) -> None:
        self.fields |= {**changed, **{name: {**self.fields[name], **some} for name, some in members.items()}}

    def _order(self, keys: list[str]) -> None:
        self.items = {key: self.items.get(key) or Shown() for key in keys}

    def _rename(self, old: str, new: str) -> None:
        self.items = {new if key == old else key: item for key, item in self.items.items()}

    def _item(self, key: str, changed: dict[str, Any]) -> None:
        self.items[key].fields |= changed

    def _body(self, key: str) -> None:
        self.items[key].blocks, self.items[key].tail = [], ""

    def _grow(self, key: str, sizes: list[int], kept: int, text: str) -> None:
        item = self.items[key]
        whole = item.tail.encode("utf-16-le", "surrogatepass")[: 2 * kept] + text.encode("utf-16-le", "surrogatepass")
        for size in sizes:
            item.blocks.append(whole[: 2 * size].decode("utf-16-le", "surrogatepass"))
            whole = whole[2 * size :]
        item.tail = whole.decode("utf-16-le", "surrogatepass")
