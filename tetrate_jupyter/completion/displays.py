"""What cells display, seen as it goes to the page: the pictures of the newest runs, within bounds.

IPython keeps a cell's last value, and since version 9 what was printed; what a kernel displays it keeps nowhere. The
display publisher of a kernel tells hooks of it, which is what is used here; without one there is nothing to see.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal
from weakref import WeakKeyDictionary

from tetrate_jupyter.characters import MAX_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_KEPT: Final = 50  # pictures of all runs together
ROOM_KEPT: Final = 32_000_000  # characters of their base64
LARGEST: Final = 28_000_000  # characters of one: the base64 of 20 MiB; nothing larger can be sent
_MOST_RUNS: Final = 1_000
SENDABLE: Final = ("image/png", "image/jpeg", "image/webp", "image/gif")


@dataclass(frozen=True)
class DisplayedPicture:
    """A picture of an output: base64 as text, or bytes; `why` it is not at hand, where `data` is None."""

    kind: str
    data: str | bytes | None
    why: Literal["", "kind", "large", "gone"] = ""
    display_id: str = ""
    is_result: bool = False

    @property
    def weight(self) -> int:
        """The characters or bytes that it holds."""
        return 0 if self.data is None else len(self.data)


def picture_of(bundle: Mapping[str, Any], *, display_id: str = "", is_result: bool = False) -> DisplayedPicture | None:
    """Return the picture of one output, the form that can be sent where it has several; None where it has none."""
    kinds = [kind for kind in bundle if isinstance(kind, str) and kind.startswith("image/")]
    if not kinds:
        return None
    kind = next((each for each in SENDABLE if each in kinds), kinds[0])
    data, kind = bundle[kind], kind[:MAX_NAME]
    if kind not in SENDABLE or not isinstance(data, (str, bytes)):
        return DisplayedPicture(kind, None, "kind", display_id, is_result)
    if len(data) > LARGEST:
        return DisplayedPicture(kind, None, "large", display_id, is_result)
    return DisplayedPicture(kind, data, "", display_id, is_result)


class _Hook:
    """What publishers call with each message. It passes them on, to one watch at most: that of now."""

    def __init__(self) -> None:
        self.watch: DisplayWatch | None = None

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        watch = self.watch
        return message if watch is None else watch.see(message)


class _OnEachThread(threading.local):
    """In place of a publisher's own hooks, which it keeps for each thread apart: the same, with ours on each.

    A cell's threads display, and cells of subshells run on threads of their own.
    """

    def __init__(self, hook: _Hook, before: object) -> None:  # called on each thread that looks at it
        self.hook = hook
        self.hooks = [*getattr(before, "hooks", ()), hook]


def _hook_of(publisher: Any) -> _Hook:  # noqa: ANN401 - ipykernel's, of any version
    """Return our hook of a publisher, on this thread and on all others; raise whatever happens where it takes none."""
    local = getattr(publisher, "_thread_local", None)
    hook = local.hook if isinstance(local, _OnEachThread) else _Hook()
    if isinstance(local, threading.local) and not isinstance(local, _OnEachThread):
        publisher._thread_local = _OnEachThread(hook, local)  # noqa: SLF001 - nothing public takes a hook of all threads
    if hook not in publisher._hooks:  # noqa: SLF001 - nor tells which there are
        publisher.register_hook(hook)
    return hook


class DisplayWatch:
    """Keeps what the runs of a shell displayed, from now on, on whichever thread.

    A display belongs to the run below which the page shows it, which is what its message says.
    """

    def __init__(self, shell: Any) -> None:  # noqa: ANN401 - any of its attributes may be missing
        self._shell = shell
        self._shown: dict[str, tuple[DisplayedPicture, ...]] = {}  # by the request that a front end ran the cell with
        self._bare: dict[str, tuple[DisplayedPicture, ...]] = {}  # likewise, of runs whose pictures are all not at hand
        self._requests: dict[int, str] = {}  # by the cell's number
        self._is_cleared_next: dict[str, None] = {}  # with its next output, the oldest first
        self._lock = threading.RLock()  # what a collection finalises meanwhile, on the same thread, may display
        displays, results = self._hook("display_pub"), self._hook("displayhook")
        self.sees_displays, self.sees_results = displays is not None, results is not None
        self._hooked = [each for each in (displays, results) if each is not None]
        shell.events.register("post_run_cell", self._after)
        _watches[shell] = self

    def _hook(self, name: str) -> _Hook | None:
        try:
            found = _hook_of(getattr(self._shell, name, None))
        except Exception:  # noqa: BLE001 - a terminal's, or one of an older ipykernel
            return None
        found.watch = self
        return found

    def close(self) -> None:
        """Stop watching, and let go of everything."""
        for each in self._hooked:
            each.watch = None
        for name in ("display_pub", "displayhook"):
            self._unhook(getattr(self._shell, name, None))
        with contextlib.suppress(ValueError):
            self._shell.events.unregister("post_run_cell", self._after)
        _watches.pop(self._shell, None)
        with self._lock:
            self._shown.clear()
            self._bare.clear()

    def _unhook(self, publisher: Any) -> None:  # noqa: ANN401 - likewise
        for each in self._hooked:  # those of other threads stay, and do nothing
            with contextlib.suppress(Exception):
                publisher.unregister_hook(each)

    def of(self, number: int) -> tuple[DisplayedPicture, ...] | None:
        """Return the pictures of the run with this number; None where it was not seen."""
        with self._lock:
            request = self._requests.get(number)
            return None if request is None else self._of(request)

    def _of(self, request: str) -> tuple[DisplayedPicture, ...]:
        return self._shown.get(request) or self._bare.get(request, ())

    def _put(self, request: str, pictures: tuple[DisplayedPicture, ...]) -> None:
        """Keep the pictures of a run as the newest; those without data apart, since each display weighs the others."""
        self._shown.pop(request, None)
        self._bare.pop(request, None)
        has_data = any(each.data is not None for each in pictures)
        (self._shown if has_data else self._bare)[request] = pictures

    def see(self, message: dict[str, Any]) -> dict[str, Any]:
        """Take a message on its way to the page, and pass it on unchanged, whatever it holds."""
        with contextlib.suppress(Exception), self._lock:  # somebody's display must not fail for this
            self._take(message)
        return message

    def _take(self, message: dict[str, Any]) -> None:
        request, content = message["parent_header"]["msg_id"], message["content"]
        if message["msg_type"] == "clear_output":
            self._is_cleared_next[request] = None
            _keep_newest(self._is_cleared_next)
            if not content.get("wait"):
                self._clear(request)
            return
        self._clear(request)
        identity = str((content.get("transient") or {}).get("display_id") or "")[:MAX_NAME]
        is_result = message["msg_type"] == "execute_result"
        found = picture_of(content["data"], display_id=identity, is_result=is_result)
        if message["msg_type"] == "update_display_data" and self._update(identity, found):
            self._bound()
        elif found is not None:
            self._put(request, (*self._of(request), found)[-MOST_KEPT:])
            self._bound()

    def _clear(self, request: str) -> None:
        """Do what was asked by `clear_output`, which may mean: with the next output."""
        if request in self._is_cleared_next:
            del self._is_cleared_next[request]
            self._shown.pop(request, None)
            self._bare.pop(request, None)

    def _update(self, identity: str, found: DisplayedPicture | None) -> bool:
        """Replace what is displayed under this id, in whichever cell; whether there is any."""
        is_there = False
        for request, shown in [*self._shown.items(), *self._bare.items()] if identity else ():
            if any(each.display_id == identity for each in shown):
                is_there = True
                kept = [found if each.display_id == identity else each for each in shown]
                self._put(request, tuple(each for each in kept if each is not None))
        return is_there

    def _bound(self) -> None:
        count = sum(each.data is not None for shown in self._shown.values() for each in shown)
        room = sum(each.weight for shown in self._shown.values() for each in shown)
        for request, shown in list(self._shown.items()):  # the oldest first
            for place, each in enumerate(shown):
                if count <= MOST_KEPT and room <= ROOM_KEPT:
                    break
                if each.data is not None:
                    count, room = count - 1, room - each.weight
                    before = self._shown[request]
                    gone = replace(each, data=None, why="gone")
                    self._shown[request] = (*before[:place], gone, *before[place + 1 :])
            if all(each.data is None for each in self._shown[request]):
                self._put(request, self._shown[request])
        _keep_newest(self._bare)

    def _after(self, result: Any) -> None:  # noqa: ANN401 - IPython's ExecutionResult publishes no type
        number, info = getattr(result, "execution_count", None), getattr(result, "info", None)
        if not isinstance(number, int) or not getattr(info, "store_history", False) or not self.sees_displays:
            return
        with contextlib.suppress(Exception), self._lock:  # a front end that sends no such header
            self._requests[number] = self._shell.display_pub.parent_header["msg_id"]
            _keep_newest(self._requests)


def _keep_newest(runs: dict[Any, Any]) -> None:
    while len(runs) > _MOST_RUNS:
        del runs[next(iter(runs))]


_watches: WeakKeyDictionary[Any, DisplayWatch] = WeakKeyDictionary()


def watch_of(shell: object) -> DisplayWatch | None:
    """Return what watches the displays of a shell, None where nothing does."""
    try:
        return _watches.get(shell)
    except TypeError:  # nothing that can be a shell
        return None
