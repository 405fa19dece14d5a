"""A panel is drawn as long as somebody may see it: no view, no work; a view that comes back sees how things are."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import ipywidgets
import pytest

from tests.kernels import RealKernel
from tests.widgets.page import Page
from tetrate_jupyter import config
from tetrate_jupyter.render.markdown import render
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter
from tetrate_jupyter.widgets import drawing
from tetrate_jupyter.widgets.compare import ComparePanel
from tetrate_jupyter.widgets.compare_kept import FallbackPace
from tetrate_jupyter.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tetrate_jupyter.face.session import Session

MAKES = {
    "chat": "session.chat()",
    "picker": "session.picker()",
    "compare": "session.side_by_side()",
    "dropdown": "session.dropdown()",
    "sign-in": "SignInPanel(session)",
}
SETUP = """
%load_ext tetrate_jupyter
import ipywidgets, gc
from tetrate_jupyter import session
from tetrate_jupyter.widgets.sign_in import SignInPanel
session.models()
before = len(ipywidgets.widgets.widget._instances)
def widgets():
    return len(ipywidgets.widgets.widget._instances) - before
def followers():
    sources = session.runs._observers, session.conversation._observers, session.catalog._observers
    return sum(len(each._callbacks) for each in sources)
"""


class Cells(RealKernel):
    """A kernel whose cells have ids, as those of a notebook have."""

    def run(self, code: str, cell: str) -> str:
        """Run it; return what it printed."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True}
        message = self._client.session.msg(
            "execute_request", {**content, "stop_on_error": True}, metadata={"cellId": cell}
        )
        self._client.shell_channel.send(message)
        printed, mine = "", message["header"]["msg_id"]
        while True:
            heard = self._client.get_iopub_msg(timeout=60)
            if heard["parent_header"].get("msg_id") != mine:
                continue
            assert heard["msg_type"] != "error", "\n".join(heard["content"]["traceback"])
            printed += heard["content"].get("text", "") if heard["msg_type"] == "stream" else ""
            if heard["msg_type"] == "status" and heard["content"]["execution_state"] == "idle":
                self._reply(mine, 60)
                return printed


@pytest.fixture(scope="module")
def environment() -> Iterator[Mapping[str, str]]:
    with SandboxRouter(speed=INSTANT) as router:
        yield {**router.environment, config.KEY_VARIABLES[0]: router.issue_key()}


@pytest.mark.heavy
@pytest.mark.parametrize("kind", MAKES)
def test_a_cell_that_is_run_again_leaves_one_panel(kind: str, environment: Mapping[str, str]) -> None:
    with Cells(environment) as kernel:
        kernel.run(SETUP, "setup")
        counts = []
        for _ in range(4):
            kernel.run(f"display({MAKES[kind]})", "a")
            counts.append(kernel.run("gc.collect(); print(widgets(), followers())", "count").split())
        assert counts[1:] == [counts[0]] * 3
        assert int(counts[0][0]) > 0
        kernel.run("pass", "a")
        assert kernel.run("gc.collect(); print(widgets())", "count") == "0\n"


@pytest.mark.heavy
@pytest.mark.parametrize("kind", MAKES)
def test_a_panel_in_a_variable_is_shown_again_in_another_cell(kind: str, environment: Mapping[str, str]) -> None:
    with Cells(environment) as kernel:
        kernel.run(SETUP + f"panel = {MAKES[kind]}", "setup")
        for cell in ("a", "b"):
            kernel.run("display(panel)", cell)
        count = kernel.run("print(widgets())", "count")
        kernel.run("pass", "a")
        assert kernel.run("print(widgets())", "count") == count  # the other cell still shows it
        kernel.run("pass", "b")
        assert kernel.run("print(widgets())", "count") == "0\n"
        kernel.run("display(panel)", "b")
        assert kernel.run("print(widgets())", "count") == count
        kernel.run("display(panel)", "b")
        assert kernel.run("print(widgets())", "count") == count


def test_a_panel_without_a_view_draws_nothing_and_catches_up(session: Session) -> None:
    panel = session.chat()
    page = Page(panel)
    page.do("bye")
    told = len(page.messages)
    watched = (session.runs, session.conversation)
    assert not any(each._observers._callbacks for each in watched)
    answer = session.ask("What is 2 + 3?")
    assert len(page.messages) == told
    again = Page(panel, "two")
    again.wait_for(lambda: len(again.items) == 1)
    (item,) = again.items.values()
    assert item.fields["source"] == answer.text
    panel.close()


def test_a_view_that_comes_while_an_answer_is_written_sees_it_grow(session: Session) -> None:
    session.models()
    session.model = "sandbox/stream"
    panel = session.chat()
    page = Page(panel)
    page.do("ask", text="chunks=2000 size=20 interval=0.01")
    page.wait_for(lambda: any(item.html for item in page.items.values()))
    page.do("bye")
    later = Page(panel, "two")
    later.wait_for(lambda: any(item.html for item in later.items.values()))
    (key,) = later.items
    length = len(later.items[key].html)
    later.wait_for(lambda: len(later.items[key].html) > length)
    later.do("stop", key=key)
    later.wait_for(lambda: not later.fields["busy"])
    panel.close()


def test_one_of_two_views_goes_and_the_other_is_told_on(session: Session) -> None:
    panel = session.picker()
    one, other = Page(panel), Page(panel, "two")
    one.do("bye")
    session.models()
    session.model = "claude-opus-5"
    other.wait_for(lambda: other.fields["chosen"] == "claude-opus-5")
    panel.close()


def test_drawing_for_a_panel_leaves_the_sessions_loop(session: Session) -> None:
    drawn: set[str] = set()

    class Slow(Panel):
        def fields(self) -> dict[str, Any]:
            drawn.add(threading.current_thread().name)
            return {"model": self.session.model, "there": len(self.session.history)}

        def fallback_html(self) -> str:
            return ""

        fallback_plain = fallback_html

        def actions(self) -> dict[str, Any]:
            return {}

        def follows(self) -> list[Any]:
            return [self.session.conversation.on_change(self.changed)]

    session.models()
    panel = Slow(session)
    panel.begin()
    page = Page(panel)
    session.ask("What is 2 + 3?")
    page.wait_for(lambda: page.fields["there"] == 1)
    names = {name.rpartition("_")[0] or name for name in drawn}
    assert names == {threading.current_thread().name, drawing.THREAD}
    panel.close()


def test_the_thread_that_draws_ends_with_the_last_panel_and_comes_back_with_the_next(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing.drawer, "_needed_by", {})  # as in a process without panels of other tests
    monkeypatch.setattr(drawing.drawer, "_pool", None)
    session.models()
    for _ in range(2):
        before = set(threading.enumerate())
        panel = session.chat()
        page = Page(panel)
        session.model = "claude-opus-5"
        page.wait_for(lambda page=page: page.fields["model"] == "claude-opus-5")
        (thread,) = [t for t in set(threading.enumerate()) - before if t.name.startswith(drawing.THREAD)]
        session.model = "claude-sonnet-5"
        page.wait_for(lambda page=page: page.fields["model"] == "claude-sonnet-5")
        panel.close()
        thread.join(60)
        assert not thread.is_alive()


def test_a_collection_that_meets_a_closed_panel_waits_for_no_lock(session: Session) -> None:
    panel = session.chat()
    panel.close()
    with drawing.drawer._lock:
        panel.__del__()
    dropdown = session.dropdown()
    dropdown.close()
    with session.catalog._observers._lock:
        dropdown.__del__()


def test_what_is_put_away_takes_its_own_widgets_along(session: Session) -> None:
    known = ipywidgets.widgets.widget._instances
    session.models()
    before = set(known)
    for made in (session.chat(), session.dropdown(), session.picker()):
        made.close()
    assert set(known) == before


def test_a_view_that_took_leave_and_is_back_is_told_everything_anew(session: Session) -> None:
    session.models()
    session.ask("What is 2 + 3?")
    panel = session.chat()
    page = Page(panel)
    page.do("bye")
    session.ask("What is 4 + 5?")
    page.do("here")
    page.wait_for(lambda: len(page.items) == 2)
    sources = [item.fields["source"] for item in page.items.values()]
    assert sources == [exchange.answer for exchange in session.history]
    assert [item.html for item in page.items.values()] == [render(each) for each in sources]
    panel.close()


def test_a_comparison_that_runs_is_kept_in_the_fallback(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tetrate_jupyter.widgets.compare_kept.WRITE_INTERVAL", 0.0)
    session.models()
    panel = ComparePanel(session)
    written: list[str] = []
    monkeypatch.setattr(panel._fallback, "update", lambda html, _: written.append(html))
    monkeypatch.setattr(panel._fallback, "_shown", True)
    page = Page(panel)
    for model in ("sandbox/stream", "claude-haiku-4-5"):
        page.do("add", model=model)
    page.do("run", text="chunks=2000 size=20 interval=0.01")
    page.wait_for(lambda: any("#3" in html for html in tuple(written)))
    assert page.fields["running"]
    page.do("stop")
    page.wait_for(lambda: not page.fields["running"])
    panel.close()


def test_the_fallback_of_a_comparison_that_runs_long_is_written_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    pace, written = FallbackPace(), [0.0]

    def write() -> int:
        written.append(clock[0] - 1_000)
        return 8_000

    pace.begin()
    for tick in range(10 * 600):
        clock[0] = 1_000 + tick / 10
        pace.write(write)
    pauses = [later - sooner for sooner, later in pairwise(written)]
    assert len(written) < 25  # in ten minutes; 120 at an even pace
    assert max(pauses) < 61
    assert all(pause < 5.2 or pause <= later / 3 + 0.2 for pause, later in zip(pauses, written[1:], strict=True))


FORKED = """
import os, sys
from tetrate_jupyter.face.session import Session
from tetrate_jupyter.widgets.drawing import drawer
session = Session(base_url=sys.argv[1], key=sys.argv[2])
session.model = "claude-haiku-4-5"
session.models()
panel, told = session.chat(), []
panel._handle_custom_msg({"do": "hello", "view": "one"}, [])
panel.send = lambda content, buffers=None: told.append(content)
child = os.fork()
session.ask("What is 2 + 3?")
drawer.submit(int).result(30)
name = "child" if child == 0 else "parent"
os.write(1, f"{name} {bool(told)}\\n".encode())  # at once: two processes write there
if child == 0:
    told.clear()
    panel._handle_custom_msg({"do": "hello", "view": "its own"}, [])
    os.write(1, f"shown {'5' in str(told)}\\n".encode())
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_forked_process_tells_nothing_to_the_page_of_the_other(router: SandboxRouter) -> None:
    """`multiprocessing` forks, and what the copies ask would be drawn into the page, on top of another state."""
    arguments = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED, router.base_url, router.issue_key()]
    ran = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=True)
    assert sorted(ran.stdout.splitlines()) == ["child False", "parent True", "shown True"]
