"""Signed out, a cell that asks shows the card and waits for the page, in a real kernel that hears what a page sends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from tests.kernels import CountingKernel
from tests.magics.asking_kernel import AskingKernel, Cell
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

ASK = "%%tetrate\nSay hello"
COMPARE = "%%tetrate_compare --wait\nName a colour"
AWAY = {"TETRATE_BASE_URL": "https://gateway.invalid/v1", "TETRATE_AUTH_URL": "https://login.invalid"}
NEXT = "run %tetrate_login"


class PageKernel(AskingKernel):
    """A kernel whose widgets can be clicked, as a page does it, while a cell runs."""

    def __init__(self, environment: dict[str, str]) -> None:
        super().__init__(environment)
        self.widgets: dict[str, dict[str, Any]] = {}
        self.idle_for: list[str] = []
        self._made_by: dict[str, str] = {}  # the message of the cell that made a widget
        self._told = ""  # by widgets that aren't displayed yet

    def _take(self, message: dict[str, Any], message_id: str, cell: Cell) -> bool:
        content, kind = message["content"], message["msg_type"]
        if kind == "comm_open":
            self.widgets[content["comm_id"]] = dict(content["data"]["state"])
            self._made_by[content["comm_id"]] = message["parent_header"].get("msg_id", "")
        elif kind == "comm_msg" and content["data"].get("method") == "update":
            self.widgets.get(content["comm_id"], {}).update(content["data"]["state"])
            if self._made_by.get(content["comm_id"]) == message_id:  # not another card's, which may speak any time
                self._told += str(content["data"]["state"].get("value", ""))
        elif kind == "comm_close":
            self.widgets.pop(content["comm_id"], None)
        elif kind == "status" and content["execution_state"] == "idle":
            self.idle_for.append(message["parent_header"].get("msg_id", ""))
        is_over = super()._take(message, message_id, cell)
        if "widget-view" in cell.shown or is_over:  # a person sees nothing before
            cell.shown, self._told = cell.shown + self._told, ""
        return is_over

    def click(self, words: str) -> str:
        """Press the newest button with these words; give the id of the message."""
        return self._send(self._named("description", words), {"method": "custom", "content": {"event": "click"}})

    def press(self, name: str) -> str:
        """Press the newest widget of this class."""
        found = [each for each, state in self.widgets.items() if name in state.get("_dom_classes", ())]
        return self._send(found[-1], {"method": "custom", "content": {"event": "click"}})

    def type(self, words: str, text: str) -> str:
        """Put a text into the field whose label has these words."""
        found = [each for each, state in self.widgets.items() if words in str(state.get("description", ""))]
        return self._send(found[-1], {"method": "update", "state": {"value": text}, "buffer_paths": []})

    def _named(self, part: str, words: str) -> str:
        return [each for each, state in self.widgets.items() if state.get(part) == words][-1]

    def _send(self, comm: str, data: dict[str, Any]) -> str:
        message = self._client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def heard(self, message_id: str, cell: Cell) -> None:
        """Wait until the kernel has done with what a widget was sent: a person takes longer for the next step."""
        deadline = time.monotonic() + 60
        while message_id not in self.idle_for:
            assert time.monotonic() < deadline
            self._listen("", cell)

    def same_cell(self, code: str) -> str:
        """Send the cell that was sent before the last one once more, as Ctrl-Enter in it does."""
        cell = f"cell-{next(self._cells) - 2}"
        return self._ask(code, allow_stdin=True, cell=cell)

    def ahead(self, *cells: str) -> list[str]:
        """Send cells as Run All does, without waiting for what runs."""
        return [self._ask(cell, allow_stdin=True) for cell in cells]

    def status_of(self, message_id: str) -> str:
        return str(self._reply(message_id, 60)["status"])


@pytest.fixture(scope="module")
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT) as running:
        yield running


@pytest.fixture
def kernel(router: SandboxRouter, tmp_path: Path) -> Iterator[PageKernel]:
    with PageKernel(homes(router, tmp_path)) as running:
        running.run("%load_ext tetrate_jupyter")
        yield running


@pytest.fixture
def away(router: SandboxRouter, tmp_path: Path) -> Iterator[PageKernel]:
    """A kernel at a gateway that is no sandbox, so that the embedded one is offered; it is never reached."""
    with PageKernel(homes(router, tmp_path) | AWAY) as running:
        running.run("%load_ext tetrate_jupyter")
        yield running


def homes(router: SandboxRouter, home: Path) -> dict[str, str]:
    own = {"HOME": str(home), "JUPYTER_DATA_DIR": str(home / "data")}
    return {**router.environment, **own, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


@pytest.mark.parametrize("cell", [ASK, COMPARE])
def test_the_sandbox_answers_and_the_cells_behind_run_in_order(away: PageKernel, cell: str) -> None:
    kernel = away
    behind: list[str] = []
    clicked: list[str] = []

    def act(_: Cell) -> None:
        behind.extend(kernel.ahead("order = ['second']", "order.append('third')"))
        clicked.append(kernel.click("Try the sandbox"))

    done = kernel.run(cell, on_link=act)
    assert done.status == "ok", done.shown
    assert "Sandbox: simulated models" in done.shown
    assert [kernel.status_of(each) for each in behind] == ["ok", "ok"]
    assert "['second', 'third']" in kernel.run("print(order)").shown
    assert clicked[0] in kernel.idle_for  # else the page sends nothing more
    assert kernel.run(ASK).status == "ok"
    assert not [state for state in kernel.widgets.values() if state.get("description") == "Try the sandbox"]


def test_the_browser_comes_back_and_the_cell_asks(kernel: PageKernel, router: SandboxRouter) -> None:
    def approve(cell: Cell) -> None:
        kernel.press("tetrate-opened")
        with urlopen(router.decide(cell.url), timeout=60) as page:
            assert page.status == 200

    done = kernel.run(ASK, on_link=approve)
    assert done.status == "ok", done.shown
    assert "Signed in to Sandbox. The key is in" in done.shown


def test_a_pasted_address_acts_by_itself(kernel: PageKernel, router: SandboxRouter) -> None:
    done = kernel.run(ASK, on_link=lambda cell: kernel.type(" its address and paste it here", router.decide(cell.url)))
    assert done.status == "ok", done.shown


def test_a_key_is_taken(kernel: PageKernel, router: SandboxRouter) -> None:
    key = router.issue_key()
    done = kernel.run(ASK, on_link=lambda _: kernel.type("Enter a key for", key))
    assert done.status == "ok", done.shown
    assert key not in done.shown


@pytest.mark.parametrize("way", ["link", "key"])
def test_who_signs_in_at_another_card_reads_of_it_there_alone(
    kernel: PageKernel, router: SandboxRouter, way: str
) -> None:
    """Run All: the panel of a cell before is what a person sees first."""
    assert kernel.run("%tetrate_login").status == "ok"
    before = dict(kernel.widgets)

    def act(cell: Cell) -> None:
        waiting, kernel.widgets = kernel.widgets, before
        if way == "key":
            kernel.type("Enter a key for", router.issue_key())
        else:
            kernel.heard(kernel.press("tetrate-opened"), cell)
            urlopen(router.decide(cell.url), timeout=60).close()
        kernel.widgets = waiting

    done = kernel.run(ASK, on_link=act)
    assert done.status == "ok", done.shown
    assert "Signed in to Sandbox. The key is in" not in done.shown


def test_a_cell_that_is_run_again_shows_its_card_again_and_asks_once(kernel: PageKernel, router: SandboxRouter) -> None:
    """A page clears the output of a cell that is run again, and the only card with it."""
    seen = len([r for r in router.requests if r.model == "sandbox/echo"])
    again = "%%tetrate -m unlisted:sandbox/echo\nrun again"
    sent: list[str] = []

    def run_again(_: Cell) -> None:
        sent.append(kernel.ahead("behind = True")[0])
        sent.append(kernel.same_cell(again))
        sent.append(kernel.ahead("after = True")[0])

    first = kernel.run(again, on_link=run_again)
    assert first.status == "error"
    assert "This cell was run again while it waited for somebody to sign in." in first.shown
    second = kernel.follow(sent[1], on_link=lambda _: kernel.type("Enter a key for", router.issue_key()))
    assert second.status == "ok", second.shown
    assert kernel.status_of(sent[2]) == "ok"
    assert "(False, True)" in kernel.run("print(('behind' in dir(), 'after' in dir()))").shown
    assert len([r for r in router.requests if r.model == "sandbox/echo"]) == seen + 1


def test_stop_waiting_is_the_error_of_a_run_without_a_card(kernel: PageKernel) -> None:
    behind: list[str] = []

    def stop(_: Cell) -> None:
        behind.extend(kernel.ahead("print('never')"))
        kernel.click("Stop waiting")

    stopped(kernel, kernel.run(ASK, on_link=stop), behind)


def test_an_interrupt_is_the_error_of_a_run_without_a_card(kernel: PageKernel) -> None:
    behind: list[str] = []

    def interrupt(cell: Cell) -> None:
        behind.extend(kernel.ahead("print('never')"))
        kernel.heard(kernel.press("tetrate-opened"), cell)  # and what was sent before it: a person takes longer
        kernel.interrupt()

    stopped(kernel, kernel.run(ASK, on_link=interrupt), behind)


def stopped(kernel: PageKernel, cell: Cell, behind: list[str]) -> None:
    assert cell.status == "error"
    assert NEXT in cell.shown
    assert "Traceback" not in cell.shown
    assert kernel.status_of(behind[0]) in {"aborted", "error"}
    assert kernel.run("print(6 * 7)").shown.startswith("42")


def test_a_run_that_nobody_watches_fails_at_once(router: SandboxRouter, tmp_path: Path) -> None:
    with CountingKernel(homes(router, tmp_path)) as headless:
        headless.run("%load_ext tetrate_jupyter")
        ran = headless.run(ASK)
        assert ran.status == "error"
        assert "set TETRATE_API_KEY" in "".join(ran.texts)
        assert "widget-view" not in "".join(ran.texts)


def test_signing_in_leaves_the_sandbox(away: PageKernel, router: SandboxRouter) -> None:
    kernel, host_before = away, "gateway.invalid"
    assert kernel.run(ASK, on_link=lambda _: kernel.click("Try the sandbox")).status == "ok"
    host = "print(session.endpoints.host)"
    assert host_before not in kernel.run("from tetrate_jupyter import session\n" + host).shown
    kernel.run("%tetrate_login")
    assert host_before in kernel.run(host).shown
    kernel.run(f"session.connect({router.base_url!r})")
    key = router.issue_key()
    assert kernel.run(f"_ = session.login(key={key!r}, store='memory')").status == "ok"
    assert kernel.run(ASK).status == "ok"
