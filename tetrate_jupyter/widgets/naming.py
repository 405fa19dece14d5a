"""What can be named in a prompt, offered to a page while somebody types `{` or `@`."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from tetrate_jupyter.characters import visible
from tetrate_jupyter.completion.at_words import begun
from tetrate_jupyter.failures.asking import offer
from tetrate_jupyter.failures.cells import running_shell
from tetrate_jupyter.front_end import namespace
from tetrate_jupyter.widgets.attach import attachable

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 50  # names that are offered; who misses one types on
_ASKING: Final = 20  # boxes whose wishes wait at once
_HANGS: Final = 10.0  # seconds of one look, after which another thread looks for what is typed since
_LINE: Final = 600  # characters before the cursor: a path, and what may stand before it


class Naming:
    """Answers the message "offer" of a panel's page: {line: what stands before the cursor, of: who asks}.

    The answer goes `to` who asks: `begun` is the end of the line that each of `offered` ([text, what it is]) stands
    for, `more` says whether there are others. Nothing of the panel changes, and no router is asked.

    The kernel waits for none of it. A thread looks, one at a time, since a disk may be slow and a variable may answer
    slowly what shape it has; of what is typed meanwhile only the last of each box is looked for.
    """

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._wanted: dict[str, str] = {}  # lines by who asks
        self._turn = 0  # of the thread that looks; one that is passed by ends
        self._since: float | None = None  # when it began to look

    def heard(self, _: object, content: dict[str, Any], __: object = None) -> None:
        """Take a message of the page; the callback of `Widget.on_msg`."""
        if content.get("do") != "offer":
            return
        with self._lock:
            of = str(content.get("of", ""))[:60]
            if of in self._wanted or len(self._wanted) < _ASKING:
                self._wanted[of] = str(content.get("line", ""))[-_LINE:]
            if self._since is not None and time.monotonic() - self._since < _HANGS:
                return
            self._turn, self._since = self._turn + 1, time.monotonic()
            turn = self._turn
        try:
            threading.Thread(target=self._work, args=(turn,), name="tetrate-naming", daemon=True).start()
        except RuntimeError:  # no threads here
            self._work(turn)

    def _work(self, turn: int) -> None:
        while True:
            with self._lock:
                if turn != self._turn:
                    return
                if not self._wanted:
                    self._since = None
                    return
                of = next(iter(self._wanted))
                line, self._since = self._wanted.pop(of), time.monotonic()
            typed = begun(line)
            try:
                found = nameable_as(typed)
            except BaseException:  # noqa: BLE001 - of foreign objects: then there is nothing to offer
                found = []
            with contextlib.suppress(Exception):  # the page may be gone, or the kernel's end near
                self._tell(to=of, begun=typed, offered=found[:MOST], more=len(found) > MOST)


def nameable_as(typed: str) -> list[list[str]]:
    """Return [text, what it is] of what `typed` ("{sa", "@da") may become, at most one more than are offered."""
    if typed.startswith("{"):
        return [[f"{{{name}}}", what] for name, what in attachable(namespace(), typed[1:], MOST + 1)]
    if not typed:
        return []
    named = offer(typed, running_shell(), files=MOST + 1)
    return [[word, visible(what)] for word, what in named.items()][: MOST + 1]
