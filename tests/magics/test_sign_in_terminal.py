"""%tetrate_login in a real terminal IPython: the address is printed, the browser or a paste ends the prompt."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from tests.magics.test_sign_in_kernel import homes, visit
from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pexpect import spawn

pexpect = pytest.importorskip("pexpect", reason="terminals are driven by pexpect, which needs a POSIX system")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="no pty there")]

PASTE = "paste its address"


@pytest.fixture
def quick_router() -> Iterator[SandboxRouter]:
    with SandboxRouter(speed=INSTANT) as running:
        yield running


@pytest.fixture
def terminal(quick_router: SandboxRouter, tmp_path: Path) -> Iterator[spawn[str]]:
    import os

    environment = {**os.environ, **homes(str(tmp_path)), **quick_router.environment, "TERM": "dumb"}
    arguments = [
        "-m",
        "IPython",
        "--no-banner",
        "--simple-prompt",
        "--colors=NoColor",
        "--HistoryManager.enabled=False",
    ]
    child = pexpect.spawn(
        sys.executable, arguments, env=environment, encoding="utf-8", timeout=30, dimensions=(40, 250)
    )
    child.expect(r"In \[1\]:")
    child.sendline("%load_ext tetrate_jupyter")
    child.expect(r"In \[2\]:")
    yield child
    child.close(force=True)


def begin(terminal: spawn[str]) -> str:
    """Start signing in; give the address it prints."""
    terminal.sendline("%tetrate_login --store file")
    terminal.expect(r"(http://\S+/auth\?\S+)")
    found = terminal.match
    assert isinstance(found, re.Match)
    terminal.expect(PASTE)
    return str(found[1])


def ends_signed_in(terminal: spawn[str], router: SandboxRouter) -> None:
    terminal.expect(f"Signed in to {router.host}. The key is in a private file")
    terminal.expect(r"In \[\d+\]:")
    terminal.sendline("%tetrate hello")
    terminal.expect("total")


def test_the_browser_ends_the_prompt(terminal: spawn[str], quick_router: SandboxRouter) -> None:
    address = begin(terminal)
    assert "You can close this page" in visit(quick_router.decide(address))
    ends_signed_in(terminal, quick_router)


def test_the_address_can_be_pasted(terminal: spawn[str], quick_router: SandboxRouter) -> None:
    ended_at = quick_router.decide(begin(terminal))
    terminal.sendline(ended_at)
    ends_signed_in(terminal, quick_router)
    assert ended_at not in terminal.before  # typed unseen


def test_nonsense_is_explained_and_a_key_is_taken(terminal: spawn[str], quick_router: SandboxRouter) -> None:
    begin(terminal)
    terminal.sendline("what?")
    terminal.expect("Next:")
    terminal.expect(PASTE)
    terminal.sendline(quick_router.issue_key())
    ends_signed_in(terminal, quick_router)


def test_ctrl_c_stops_and_the_next_one_starts_at_once(terminal: spawn[str], quick_router: SandboxRouter) -> None:
    begin(terminal)
    terminal.sendintr()
    terminal.expect("Stopped.")
    terminal.expect(r"In \[\d+\]:")
    visit(quick_router.decide(begin(terminal)))
    ends_signed_in(terminal, quick_router)


def test_denied_is_said(terminal: spawn[str], quick_router: SandboxRouter) -> None:
    visit(quick_router.decide(begin(terminal), "deny"))
    terminal.expect("Next: .*%tetrate_login")
    terminal.expect(r"In \[\d+\]:")
    assert "Traceback" not in terminal.before
