"""What is kept of what cells display: bounded whatever is displayed, and changed by what names it only."""

from __future__ import annotations

import base64
import threading
from types import SimpleNamespace
from typing import Any

import pytest
import zmq
from ipykernel.displayhook import ZMQShellDisplayHook
from ipykernel.zmqshell import ZMQDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.session import Session
from traitlets.config import Config

from tetrate_jupyter.completion.displays import (
    LARGEST,
    MOST_KEPT,
    ROOM_KEPT,
    DisplayedPicture,
    DisplayWatch,
    picture_of,
    watch_of,
)

IN_MEMORY = Config({"HistoryManager": {"hist_file": ":memory:"}})


@pytest.fixture
def watch() -> Any:
    made = DisplayWatch(InteractiveShell(config=IN_MEMORY))
    yield made
    made.close()


def shows(
    watch: DisplayWatch, run: int, data: dict[str, Any], *, identity: str = "", kind: str = "display_data"
) -> None:
    content = {"data": data, "transient": {"display_id": identity} if identity else {}}
    watch.see({"parent_header": {"msg_id": str(run)}, "msg_type": kind, "content": content})
    watch._requests[run] = str(run)


def kept(watch: DisplayWatch, run: int) -> list[Any]:
    return [each.data for each in watch.of(run) or ()]


def test_an_update_without_an_id_replaces_nothing(watch: DisplayWatch) -> None:
    shows(watch, 1, {"image/png": "AAAA"})
    shows(watch, 2, {"image/png": "BBBB"}, kind="update_display_data")
    assert (kept(watch, 1), kept(watch, 2)) == (["AAAA"], ["BBBB"])


def test_a_picture_that_is_no_longer_kept_is_known_to_have_been_and_comes_back_when_it_is_updated(
    watch: DisplayWatch,
) -> None:
    shows(watch, 0, {"image/png": "AAAA"}, identity="a")
    for run in range(1, MOST_KEPT + 1):
        shows(watch, run, {"image/png": "BBBB"})
    assert [each.why for each in watch.of(0) or ()] == ["gone"]
    assert kept(watch, 1) == ["BBBB"]
    shows(watch, 51, {"image/png": "CCCC"}, identity="a", kind="update_display_data")
    assert (kept(watch, 0), kept(watch, 1)) == (["CCCC"], [None])
    shows(watch, 52, {"text/plain": "over"}, identity="a", kind="update_display_data")
    assert watch.of(0) == ()


def test_no_name_in_a_display_is_kept_at_any_length(watch: DisplayWatch) -> None:
    shows(watch, 1, {"image/" + "x" * 1_000_000: "AAAA"}, identity="y" * 1_000_000)
    ((found),) = watch.of(1) or ()
    assert found.why == "kind"
    assert len(found.kind) + len(found.display_id) < 1_000


def test_pictures_that_are_gone_are_not_weighed_with_each_display(watch: DisplayWatch) -> None:
    for run in range(1_100):
        for _ in range(3):
            shows(watch, run, {"image/png": "AAAA"})
    assert len(watch._shown) <= MOST_KEPT  # what each display goes through
    assert kept(watch, 1_099) == ["AAAA"] * 3
    assert kept(watch, 1_000) == [None] * 3
    assert watch.of(1) == ()


@pytest.mark.parametrize(
    ("bundle", "right"),
    [
        ({"text/plain": "x"}, None),
        ({"image/png": "AAAA", "text/plain": "x"}, DisplayedPicture("image/png", "AAAA")),
        ({"image/svg+xml": "<svg/>", "image/png": b"AAAA"}, DisplayedPicture("image/png", b"AAAA")),
        ({"image/gif": "AAAA", "image/jpeg": "BBBB"}, DisplayedPicture("image/jpeg", "BBBB")),
        ({"image/svg+xml": "<svg/>"}, DisplayedPicture("image/svg+xml", None, "kind")),
        ({"image/bmp": "AAAA", "image/gif": "BBBB"}, DisplayedPicture("image/gif", "BBBB")),
        ({"image/bmp": "AAAA", "image/webp": "BBBB"}, DisplayedPicture("image/webp", "BBBB")),
        ({"image/png": 5}, DisplayedPicture("image/png", None, "kind")),
        ({5: "x"}, None),
        ({"image/png": "A" * LARGEST}, DisplayedPicture("image/png", "A" * LARGEST)),
        ({"image/webp": "A" * (LARGEST + 1)}, DisplayedPicture("image/webp", None, "large")),
    ],
    ids=range(11),
)  # fmt: skip
def test_the_picture_of_an_output(bundle: Any, right: DisplayedPicture | None) -> None:
    assert picture_of(bundle) == right
    found = picture_of(bundle, display_id="a", is_result=True)
    assert (found and (found.display_id, found.is_result, found.weight)) == (
        right and ("a", True, len(right.data or ""))
    )


def test_pictures_are_held_by_their_size_too(watch: DisplayWatch) -> None:
    half = "A" * (ROOM_KEPT // 2)
    shows(watch, 1, {"image/png": half})
    shows(watch, 2, {"image/png": half})
    assert (kept(watch, 1), kept(watch, 2)) == ([half], [half])
    shows(watch, 2, {"image/png": "B"})
    assert (kept(watch, 1), kept(watch, 2)) == ([None], [half, "B"])
    shows(watch, 2, {"image/svg+xml": "<svg/>"})
    shows(watch, 3, {"image/png": half})
    assert (kept(watch, 2), kept(watch, 3)) == ([None, "B", None], [half])
    assert [each.why for each in watch.of(2) or ()] == ["gone", "", "kind"]


def test_a_run_has_its_newest_pictures(watch: DisplayWatch) -> None:
    for number in range(MOST_KEPT + 5):
        shows(watch, 1, {"image/png": f"{number:04}"})
    assert kept(watch, 1) == [f"{number:04}" for number in range(5, MOST_KEPT + 5)]


# --- in the publishers of a kernel, whose messages go to a socket that nobody reads -------------------------------


class Kernel:
    """A shell with ipykernel's own publishers, and what the front end sees of it."""

    def __init__(self) -> None:
        self.shell: Any = InteractiveShell(config=IN_MEMORY)
        self.socket = zmq.Context.instance().socket(zmq.PUB)
        session = Session(key=b"")
        self.shell.display_pub = ZMQDisplayPublisher(shell=self.shell, session=session, pub_socket=self.socket)
        self.shell.displayhook = ZMQShellDisplayHook(shell=self.shell, session=session, pub_socket=self.socket)

    def begin(self, request: str) -> None:
        for each in (self.shell.display_pub, self.shell.displayhook):
            each.set_parent({"header": {"msg_id": request}})

    def end(self, number: object, *, stores: bool = True) -> None:
        result = SimpleNamespace(execution_count=number, info=SimpleNamespace(store_history=stores))
        self.shell.events.trigger("post_run_cell", result)

    def show(self, data: str, **more: Any) -> None:
        self.shell.display_pub.publish({"image/png": base64.b64encode(data.encode()).decode()}, **more)


@pytest.fixture
def kernel() -> Any:
    made = Kernel()
    yield made
    if (watch := watch_of(made.shell)) is not None:
        watch.close()
    made.socket.close(0)


def seen(watch: DisplayWatch, number: int) -> list[str] | None:
    found = watch.of(number)
    return None if found is None else [base64.b64decode(each.data or "").decode() for each in found]


def test_each_run_has_what_it_displayed(kernel: Kernel) -> None:
    kernel.begin("before")
    kernel.show("unseen")
    watch = DisplayWatch(kernel.shell)
    assert watch.sees_displays
    assert watch.sees_results is hasattr(kernel.shell.displayhook, "register_hook")
    assert watch_of(kernel.shell) is watch
    for number, request in enumerate(("a", "b")):
        kernel.begin(request)
        kernel.show(f"{request}1")
        kernel.show(f"{request}2", transient={"display_id": request})
        assert watch.of(number) is None  # its number isn't known yet
        kernel.end(number)
        assert seen(watch, number) == [f"{request}1", f"{request}2"]
    kernel.begin("c")
    kernel.show("a3", transient={"display_id": "a"}, update=True)
    kernel.show("new", transient={"display_id": "c"}, update=True)
    kernel.end(2, stores=False)
    kernel.end("3")
    kernel.end(4)
    assert (seen(watch, 0), seen(watch, 2), seen(watch, 4)) == (["a1", "a3"], None, ["new"])
    watch.close()
    assert watch_of(kernel.shell) is None
    assert watch.of(0) == ()
    kernel.show("after")
    assert kernel.shell.display_pub._hooks == []


def test_a_last_value_is_seen_where_the_displayhook_takes_hooks(kernel: Kernel) -> None:
    watch = DisplayWatch(kernel.shell)
    if not watch.sees_results:
        pytest.skip("this ipykernel's displayhook takes none")
    kernel.begin("a")
    hook = kernel.shell.displayhook
    hook.start_displayhook()
    hook.write_format_data({"image/png": b"AAAA", "text/plain": "x"})
    hook.finish_displayhook()
    kernel.end(1)
    ((found),) = watch.of(1) or ()
    assert found.is_result


def test_what_is_cleared_is_not_kept(kernel: Kernel) -> None:
    watch = DisplayWatch(kernel.shell)
    kernel.begin("a")
    kernel.show("1")
    kernel.shell.display_pub.clear_output()
    kernel.show("2")
    kernel.end(1)
    assert seen(watch, 1) == ["2"]
    kernel.shell.display_pub.clear_output(wait=True)
    assert seen(watch, 1) == ["2"]
    kernel.shell.display_pub.publish({"text/plain": "no picture"})
    kernel.show("3")
    assert seen(watch, 1) == ["3"]
    kernel.shell.display_pub.clear_output(wait=True)
    kernel.end(1)  # what comes of a thread after its end clears all the same
    kernel.show("4")
    assert seen(watch, 1) == ["4"]
    kernel.shell.display_pub.publish({"image/svg+xml": "<svg/>"})
    kernel.begin("b")
    kernel.shell.display_pub.publish({"image/svg+xml": "<svg/>"})
    kernel.end(2)
    kernel.shell.display_pub.clear_output()
    assert (seen(watch, 1), seen(watch, 2)) == (["4", ""], [])


def test_every_thread_is_seen_and_its_other_hooks_stay(kernel: Kernel) -> None:
    heard: list[str] = []
    go, is_there = threading.Event(), threading.Event()

    def hear(message: dict[str, Any]) -> dict[str, Any]:
        heard.append(threading.current_thread().name)
        return message

    def show() -> None:
        kernel.shell.display_pub.register_hook(hear)
        is_there.set()
        go.wait(60)
        kernel.begin("a")
        kernel.show("2")

    kernel.shell.display_pub.register_hook(hear)
    thread = threading.Thread(target=show, name="other")
    thread.start()
    assert is_there.wait(60)
    first = DisplayWatch(kernel.shell)
    first.close()
    watch = DisplayWatch(kernel.shell)  # loaded once more
    kernel.begin("a")
    kernel.show("1")
    go.set()
    thread.join(60)
    later = threading.Thread(target=lambda: (kernel.begin("a"), kernel.show("3")))
    later.start()
    later.join(60)
    kernel.end(1)
    assert seen(watch, 1) == ["1", "2", "3"]
    assert first.of(1) is None
    assert heard == [threading.current_thread().name, "other"]


def test_many_threads_at_once_lose_nothing(kernel: Kernel) -> None:
    watch = DisplayWatch(kernel.shell)

    def show(name: str) -> None:
        kernel.begin(name)
        for number in range(200):
            kernel.show(f"{name}{number}")

    threads = [threading.Thread(target=show, args=(name,)) for name in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    kernel.begin("a")
    kernel.end(1)
    pictures = [each for name in "abcd" for each in watch._of(name)]
    assert sum(each.data is not None for each in pictures) == MOST_KEPT
    assert all(each.why == "gone" for each in pictures if each.data is None)


def test_a_message_of_another_form_passes(kernel: Kernel) -> None:
    watch = DisplayWatch(kernel.shell)
    odd = {"parent_header": {"msg_id": "a"}, "content": 5, "msg_type": "display_data"}
    for message in ({}, {"parent_header": {}}, odd):
        assert watch.see(message) is message
    kernel.shell.display_pub._parent_header_global = {}
    kernel.end(1)
    assert watch_of(5) is None
    assert watch_of([]) is None


def test_a_shell_without_publishers_is_watched_without_harm() -> None:
    shell = InteractiveShell(config=IN_MEMORY)
    watch = DisplayWatch(shell)
    assert (watch.sees_displays, watch.sees_results) == (False, False)
    shell.display_pub.parent_header = {"msg_id": "a"}  # as a front end's, whose displays aren't seen
    result = SimpleNamespace(execution_count=1, info=SimpleNamespace(store_history=True))
    shell.events.trigger("post_run_cell", result)
    assert watch.of(1) is None
    watch.close()
    watch.close()


def test_a_publisher_of_another_make_is_watched_as_it_offers() -> None:
    class Publisher:
        def __init__(self) -> None:
            self.parent_header = {"msg_id": "a"}
            self._hooks: list[Any] = []
            self._thread_local = "something else"
            self.register_hook, self.unregister_hook = self._hooks.append, self._hooks.remove

    shell: Any = InteractiveShell(config=IN_MEMORY)
    shell.display_pub = Publisher()
    watch = DisplayWatch(shell)
    assert (watch.sees_displays, watch.sees_results, len(shell.display_pub._hooks)) == (True, False, 1)
    assert shell.display_pub._thread_local == "something else"
    watch.close()
    assert shell.display_pub._hooks == []


def test_only_the_newest_runs_are_known(kernel: Kernel) -> None:
    watch = DisplayWatch(kernel.shell)
    for number in range(1_003):
        kernel.begin(f"r{number}")
        kernel.shell.display_pub.clear_output(wait=True)
        kernel.end(number)
    assert (watch.of(2), watch.of(3)) == (None, ())
    assert len(watch._is_cleared_next) == 1_000
