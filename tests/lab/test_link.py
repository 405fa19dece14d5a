"""What a page hears of a kernel's session over its comm, in a real kernel: found, greeted, told; nothing more."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernels import RealKernel
from tetrate_jupyter.keys.store import KeyStore
from tetrate_jupyter.lab import TARGET
from tetrate_jupyter.lab.link import PROTOCOL
from tetrate_jupyter.sandbox import SandboxRouter
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

pytestmark = pytest.mark.slow

LOAD = "%load_ext tetrate_jupyter"
HELLO = {"type": "hello", "protocol": PROTOCOL}
STATE = {"type", "model", "signed_in", "waiting", "host", "sandbox", "asking", "stopped", "cost", "notes"}
PATIENCE = 60.0  # seconds; only a failing test waits that long


class Page(RealKernel):
    """A kernel with a page that knows of comms. `heard`: every message that came, in order."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.heard: list[dict[str, Any]] = []
        self._read = 0  # how many of them `told` has looked at
        return self

    def run(self, code: str) -> dict[str, Any]:
        """Run a cell to its end; gives the reply."""
        message_id = self._ask(code, allow_stdin=False)
        reply = self._reply(message_id, PATIENCE)
        self._until(lambda m: m["parent_header"].get("msg_id") == message_id and _is_idle(m))
        return reply

    def find(self) -> list[str]:
        """The ids of the ways to a session, as a page asks for them."""
        asked = self._client.session.msg("comm_info_request", {"target_name": TARGET})
        self._client.shell_channel.send(asked)
        return list(self._reply(asked["header"]["msg_id"], PATIENCE)["comms"])

    def say(self, data: object) -> None:
        """Send something over the first of them."""
        content = {"comm_id": self.way, "data": data}
        self._client.shell_channel.send(self._client.session.msg("comm_msg", content))

    def told(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a message of the session that fits, after those that were looked at before."""
        while True:
            for message in self.heard[self._read :]:
                self._read += 1
                if message["msg_type"] == "comm_msg" and fits(message["content"]["data"]):
                    data: dict[str, Any] = message["content"]["data"]
                    return data
            self._until(lambda _: True)

    def greet(self) -> dict[str, Any]:
        """Say hello as a page does; gives the first state."""
        (self.way,) = self.find()
        self.say(HELLO)
        return self.told(lambda data: data["type"] == "state")

    def _until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            message: dict[str, Any] = self._client.get_iopub_msg(timeout=max(0.0, end - time.monotonic()))
            self.heard.append(message)
            if fits(message):
                return message
        raise TimeoutError


def _is_idle(message: dict[str, Any]) -> bool:
    return bool(message["msg_type"] == "status" and message["content"]["execution_state"] == "idle")


@pytest.fixture
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter() as running:  # at the models' own pace: somebody can see that it is asking
        yield running


@pytest.fixture
def key(router: SandboxRouter) -> str:
    made = router.issue_key()
    KeyStore(Path(os.environ["JUPYTER_DATA_DIR"]) / "tetrate-jupyter").save(
        Secret(made, host=router.host), store="file"
    )
    return made


@pytest.fixture
def page(router: SandboxRouter, key: str) -> Iterator[Page]:
    with Page({**router.environment, "JPY_SESSION_NAME": "sales.ipynb"}) as running:
        yield running


def test_loading_tells_nobody_and_can_be_found_until_it_is_undone(page: Page) -> None:
    assert page.find() == []
    assert page.run(LOAD)["status"] == "ok"
    assert len(page.find()) == 1
    assert not [m for m in page.heard if m["msg_type"].startswith("comm_")]
    page.run("%reload_ext tetrate_jupyter")
    assert len(page.find()) == 1
    page.run("%unload_ext tetrate_jupyter")
    assert page.find() == []


def test_what_is_told_while_a_cell_asks_and_at_its_end(page: Page, router: SandboxRouter) -> None:
    page.run(LOAD)
    state = page.greet()
    hello = next(m["content"]["data"] for m in page.heard if m["msg_type"] == "comm_msg")
    assert hello["type"] == "hello"
    assert hello["protocol"] == PROTOCOL
    assert set(state) == STATE
    assert state["signed_in"] is True
    assert state["host"] == router.host
    assert (state["asking"], state["cost"], state["stopped"]) == (False, "$0", False)

    asked = page._ask("%tetrate_model claude-haiku-4-5\n%tetrate --no-keep The word is xyzzy.", allow_stdin=False)
    page.told(lambda data: data.get("asking") is True)
    assert not [m for m in page.heard if m["parent_header"].get("msg_id") == asked and _is_idle(m)]  # meanwhile
    after = page.told(lambda data: data.get("asking") is False and data["cost"] != "$0")
    assert after["model"] == "claude-haiku-4-5"
    assert after["sandbox"] is True
    assert after["cost"].startswith("$0.0")
    assert after["notes"][0].startswith("This notebook today: ≈ $0.0")


def test_nothing_is_told_twice_or_more_than_twice_a_second(page: Page) -> None:
    page.run(LOAD)
    page.greet()
    page.run("from tetrate_jupyter import session\nsession.model = 'sandbox/echo'")
    page.told(lambda data: data.get("model") == "sandbox/echo")
    page.run("for n in range(200): session.model = f'm-{n}'\nsession.ask('hello', model='claude-haiku-4-5')")
    page.told(lambda data: data.get("model") == "m-199" and not data["asking"] and data["cost"] != "$0")
    states = [m for m in page.heard if m["msg_type"] == "comm_msg"]
    seconds = (states[-1]["header"]["date"] - states[0]["header"]["date"]).total_seconds()
    assert len(states) <= 2 + seconds / 0.5 + 1
    told = [m["content"]["data"] for m in states]
    assert not [1 for one, other in itertools.pairwise(told) if one == other]
    before = len(told)
    page.run("session.model = session.model")
    page.run("1 + 1")
    page.say(HELLO)  # another page: it is told all of it anew, and nothing came before that
    page.told(lambda data: data["type"] == "hello")
    assert len([m for m in page.heard if m["msg_type"] == "comm_msg"]) == before + 1
    page.told(lambda data: data["type"] == "state")


@pytest.mark.parametrize("what", [None, [], "hello", 7, {}, {"type": 1}, {"type": "do"}, {"type": "do", "name": "rm"}])
def test_what_is_no_message_is_left_alone(page: Page, what: object) -> None:
    page.run(LOAD)
    page.greet()
    page.say(what)
    page.say({"type": "do", "name": ["sign-out"]})
    page.say({"type": "evaluate", "code": "1"})
    assert page.greet()["signed_in"] is True


def test_a_page_signs_out_and_is_told_what_became_of_it(page: Page, router: SandboxRouter) -> None:
    page.run(LOAD)
    page.greet()
    page.say({"type": "do", "name": "sign-out"})
    said = page.told(lambda data: data["type"] == "said")
    assert any("key" in line for line in said["lines"])
    assert page.greet()["signed_in"] is False


def test_a_cell_that_waits_for_somebody_to_sign_in_is_told_until_it_ends(page: Page) -> None:
    page.run(LOAD)
    page.run("%tetrate_logout")
    assert page.greet()["waiting"] is False
    asked = page._ask("%%tetrate\nSay hello.", allow_stdin=True)
    waits = page.told(lambda data: data.get("waiting") is True)
    assert (waits["signed_in"], waits["asking"]) == (False, False)
    page.interrupt()
    page.told(lambda data: data.get("waiting") is False)
    assert page._reply(asked, PATIENCE)["status"] == "error"


def test_docked_panels_leave_no_trace_in_the_notebook(page: Page) -> None:
    page.run(LOAD)
    show = '__import__("tetrate_jupyter.lab.docked", fromlist=["show"]).show({!r})'
    page.run("before = 42\nbefore")
    for name in ("chat", "chat", "models", "usage"):
        before = len(page.heard)
        assert page.run(show.format(name))["status"] == "ok"
        assert [m for m in page.heard[before:] if m["msg_type"] == "display_data"]
    assert page.run("assert _ == 42 and set(Out) == {2}, (Out)")["status"] == "ok"
    refused = page.run(show.format("shell"))
    assert refused["ename"] == "OptionError"
