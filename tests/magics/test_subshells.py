"""What a page says on a subshell of its own is heard, also while a cell runs and after another subshell has ended."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernels import RealKernel
from tetrate_jupyter import config
from tetrate_jupyter.lab import TARGET
from tetrate_jupyter.lab.link import PROTOCOL
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from typing_extensions import Self

pytestmark = pytest.mark.slow

PATIENCE = 60.0  # seconds; only a failing test waits that long
LOAD = "%load_ext tetrate_jupyter\nfrom tetrate_jupyter import session\nfrom IPython.display import display"
PANELS = ("%tetrate_chat", "%tetrate_models", "%tetrate_compare")
VIEW = "application/vnd.jupyter.widget-view+json"
BUSY = "import time\nwhile True: time.sleep(0.05)"


class Page(RealKernel):
    """A kernel whose page sends what it says over comms to subshells, as JupyterLab does."""

    def __enter__(self) -> Self:
        super().__enter__()
        self._views = count(1)
        self._client.kernel_info()
        self.has_subshells = "kernel subshells" in self._answer("shell")["content"].get("supported_features", ())
        return self

    def run(self, code: str) -> list[dict[str, Any]]:
        """Run a cell to its end; gives what came meanwhile."""
        message_id = self._ask(code, allow_stdin=False)
        reply = self._reply(message_id, PATIENCE)
        assert reply["status"] == "ok", reply
        came: list[dict[str, Any]] = []
        self.until(lambda m: came.append(m) or _is_idle(m, message_id))
        return came

    def find(self, target: str) -> list[str]:
        """The ids of the comms of this name."""
        asked = self._client.session.msg("comm_info_request", {"target_name": target})
        self._client.shell_channel.send(asked)
        return list(self._reply(asked["header"]["msg_id"], PATIENCE)["comms"])

    def subshell(self) -> str:
        """Begin a subshell; gives its id."""
        return str(self._control("create_subshell_request", {})["subshell_id"])

    def end(self, subshell: str) -> None:
        self._control("delete_subshell_request", {"subshell_id": subshell})

    def say(self, comm: str, subshell: str | None, data: dict[str, Any]) -> None:
        message = self._client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)

    def hello(self, comm: str, subshell: str | None) -> None:
        """Greet a panel as a view of it does, and wait until it has told this view everything."""
        view = f"view-{next(self._views)}"
        self.say(comm, subshell, {"method": "custom", "content": {"do": "hello", "view": view, "page": "page"}})
        self.until(lambda m: m["content"].get("data", {}).get("content", {}).get("to") == view)

    def choose(self, dropdown: str, place: int, subshell: str | None) -> None:
        """Choose in a dropdown, and wait until the kernel has taken it."""
        self.say(dropdown, subshell, {"method": "update", "state": {"index": place}, "buffer_paths": []})
        self.until(lambda m: m["content"].get("data", {}).get("state", {}).get("index") == place)

    def until(self, fits: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait for a message that fits among what the kernel tells all pages."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            message: dict[str, Any] = self._client.get_iopub_msg(timeout=max(0.0, end - time.monotonic()))
            if fits(message):
                return message
        raise TimeoutError("nothing that fits came")

    def _control(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        self._client.control_channel.send(self._client.session.msg(kind, content))
        answer: dict[str, Any] = self._answer("control")["content"]
        assert answer["status"] == "ok", answer
        return answer

    def _answer(self, channel: str) -> dict[str, Any]:
        found: dict[str, Any] = getattr(self._client, f"get_{channel}_msg")(timeout=PATIENCE)
        return found


def _is_idle(message: dict[str, Any], message_id: str) -> bool:
    is_its = message["parent_header"].get("msg_id") == message_id
    return is_its and message["content"].get("execution_state") == "idle"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    home: Path = tmp_path_factory.mktemp("home")
    with SandboxRouter(speed=INSTANT) as router:
        key = {config.KEY_VARIABLES[0]: router.issue_key()}
        environment = {**router.environment, **key, "HOME": str(home), "JUPYTER_DATA_DIR": str(home / "data")}
        with Page({**environment, "SERVER_SOFTWARE": "voila/0.5.8"}) as made:
            if not made.has_subshells:
                pytest.skip("this kernel has no subshells")
            made.run(LOAD)
            yield made


def shown(page: Page, code: str) -> str:
    """Show a panel; gives the id of its comm, which is its model's."""
    views = [m["content"]["data"].get(VIEW) for m in page.run(code) if m["msg_type"] == "display_data"]
    *_, comm = [view["model_id"] for view in views if view]
    return str(comm)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_hears_after_the_subshell_on_which_it_spoke_last_has_ended(page: Page, panel: str) -> None:
    comm = shown(page, panel)
    first, second = page.subshell(), page.subshell()
    page.hello(comm, first)
    page.end(first)
    page.hello(comm, second)
    page.hello(comm, None)
    page.end(second)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_that_spoke_on_the_main_shell_hears_while_a_cell_runs(page: Page, panel: str) -> None:
    comm = shown(page, panel)
    subshell = page.subshell()
    page.hello(comm, None)
    cell = page.begin(BUSY)
    page.until(lambda m: m["parent_header"].get("msg_id") == cell and m["msg_type"] == "execute_input")
    page.hello(comm, subshell)
    page.interrupt()
    page.until(lambda m: _is_idle(m, cell))
    page.end(subshell)


def test_a_dropdown_hears_after_the_subshell_on_which_it_spoke_last_has_ended(page: Page) -> None:
    dropdown = shown(page, "display(session.dropdown())")
    first, second = page.subshell(), page.subshell()
    page.choose(dropdown, 1, first)
    page.end(first)
    page.choose(dropdown, 2, second)
    page.end(second)


def test_a_page_is_told_the_sessions_state_after_the_subshell_of_its_first_word_has_ended(page: Page) -> None:
    (way,) = page.find(TARGET)
    first, second = page.subshell(), page.subshell()
    for subshell in (first, second):
        page.say(way, subshell, {"type": "hello", "protocol": PROTOCOL})
        page.until(lambda m: m["content"].get("data", {}).get("type") == "state")
        page.end(subshell)


def test_the_sign_in_card_hears_after_the_subshell_on_which_it_spoke_last_has_ended(page: Page) -> None:
    came = page.run("%tetrate_login --again")
    models = [m["content"] for m in came if m["msg_type"] == "comm_open"]
    address = next(m["comm_id"] for m in models if m["data"]["state"]["_model_name"] == "TextModel")
    first, second = page.subshell(), page.subshell()
    for host, subshell in (("one", first), ("two", second)):
        state = {"value": f"https://{host}.example/v1"}
        page.say(address, subshell, {"method": "update", "state": state, "buffer_paths": []})
        page.until(
            lambda m, host=host: m["content"].get("comm_id") != address and f"{host}.example" in str(m["content"])
        )
        page.end(subshell)
