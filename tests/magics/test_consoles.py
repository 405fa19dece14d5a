"""Front ends that ignore display updates, and runs that nobody watches: the answer is in what they print and keep."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernels import ByFile, CountingKernel
from tests.magics.test_sign_in_kernel import homes, visit
from tetrate_jupyter import config
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

SLOW = "%tetrate -m sandbox/stream chunks=20 size=20 interval=0.05"
BOUND = 120.0  # seconds; for hangs only


@pytest.fixture(scope="module")
def router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT, list_faults=True) as running:
        yield running


@pytest.fixture
def environment(router: SandboxRouter, tmp_path: Path) -> dict[str, str]:
    home = {**homes(str(tmp_path)), "IPYTHONDIR": str(tmp_path / "ipython"), "TERM": "dumb"}
    return {**os.environ, **home, **router.environment, config.KEY_VARIABLES[0]: router.issue_key()}


@pytest.fixture
def client(environment: dict[str, str]) -> Iterator[Any]:
    """A client as scripts write them, with the hooks that jupyter_client itself has."""
    manager = ByFile(kernel_name="python3")
    manager.start_kernel(env=environment)
    made = manager.blocking_client()
    made.start_channels()
    made.wait_for_ready(timeout=BOUND)
    made.execute_interactive("%load_ext tetrate_jupyter", timeout=BOUND)
    yield made
    made.stop_channels()
    manager.shutdown_kernel(now=True)


def printed(client: Any, code: str, **options: Any) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        reply = client.execute_interactive(code, timeout=BOUND, **options)
    assert reply["content"]["status"] == "ok", reply
    return out.getvalue()


@pytest.mark.parametrize("allow_stdin", [True, False])
def test_a_script_that_drives_a_kernel_has_the_answer(client: Any, *, allow_stdin: bool) -> None:
    shown = printed(client, SLOW, allow_stdin=allow_stdin)
    assert "#0 " in shown
    assert "#19 " in shown
    assert "total" in shown
    assert "writing" not in shown


def test_a_person_who_knows_better_has_updates(environment: dict[str, str]) -> None:
    manager = ByFile(kernel_name="python3")
    manager.start_kernel(env={**environment, config.STREAM_VARIABLE: "on"})
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=BOUND)
        kinds: list[str] = []

        def note(message: dict[str, Any]) -> None:
            kinds.append(message["msg_type"])

        client.execute_interactive(f"%load_ext tetrate_jupyter\n{SLOW}", timeout=BOUND, output_hook=note)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "update_display_data" in kinds


def test_jupyter_run_prints_the_answer(environment: dict[str, str], tmp_path: Path) -> None:
    script = tmp_path / "ask.py"
    script.write_text(f"%load_ext tetrate_jupyter\n%tetrate_login\n{SLOW}\n")
    command = [sys.executable, "-m", "jupyter_client.runapp", str(script)]
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", timeout=BOUND, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "Signed in to" in done.stdout
    assert "Not signed in" not in done.stdout
    assert "#19 " in done.stdout


def test_what_is_left_of_a_page_that_takes_no_updates_is_true(environment: dict[str, str]) -> None:
    with CountingKernel(environment) as kernel:
        kernel.run("%load_ext tetrate_jupyter")
        ran = kernel.run(SLOW)
    assert ran.kinds[0] == "display_data"
    assert "sandbox/stream is writing. When the cell has ended, all of it is in _tetrate.text." in ran.texts[0]
    assert "is writing" not in ran.texts[-1]


class TestConsole:
    """A real jupyter console, where it is installed."""

    @pytest.fixture
    def console(self, environment: dict[str, str]) -> Iterator[Any]:
        pytest.importorskip("jupyter_console")
        pexpect = pytest.importorskip("pexpect", reason="consoles are driven by pexpect, which needs a POSIX system")
        child = pexpect.spawn(
            sys.executable,
            ["-m", "jupyter_console", "--simple-prompt"],
            env=environment,
            encoding="utf-8",
            timeout=BOUND,
            dimensions=(40, 250),
        )
        child.expect(r"In \[1\]:")
        child.sendline("%load_ext tetrate_jupyter")
        child.expect(r"In \[2\]:")
        yield child
        child.close(force=True)

    @staticmethod
    def shown(console: Any, line: str, number: int) -> str:
        console.sendline(line)
        console.expect(rf"In \[{number}\]:")
        return str(console.before)

    def test_answers_and_panels(self, console: Any) -> None:
        answer = self.shown(console, SLOW, 3)
        assert "#19 " in answer
        assert "total" in answer
        assert "Signed in to" in self.shown(console, "%tetrate_login", 4)
        assert "needs a notebook" in self.shown(console, "%tetrate_chat", 5)
        assert "claude-haiku-4-5" in self.shown(console, "%tetrate_models haiku", 6)
        assert "Model: " in self.shown(console, "%tetrate_model", 7)
        assert "never" in self.shown(console, "%%tetrate_compare -m claude-haiku-4-5\nnever\n", 8)

    def test_signing_in(self, console: Any, router: SandboxRouter) -> None:
        console.sendline("%tetrate_login --again --store file")
        console.expect(r"(http://\S+/auth\?\S+)")
        address = console.match
        assert isinstance(address, re.Match)
        console.expect("Ctrl-C")
        assert "You can close this page" in visit(router.decide(address[1]))
        console.expect("Signed in to")
