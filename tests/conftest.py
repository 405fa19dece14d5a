"""Fixtures for every test: an environment that holds nothing of the person who runs it."""

from __future__ import annotations

import gc
import itertools
import platform
import random
import signal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests import blocking
from tetrate_jupyter import config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tetrate_jupyter.bridge import Bridge
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter


_homes = itertools.count()

settings.register_profile("ours", deadline=None)  # no timed assertion: a busy machine is no fault
settings.load_profile("ours")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", type=int, help="run the tests in another order, which this number makes again")


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = config.getoption("--shuffle")
    return None if seed is None else f"order: --shuffle {seed}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle where that is asked for; else what takes long comes first, so that nobody waits for it at the end."""
    seed = config.getoption("--shuffle")
    if seed is None:
        items.sort(key=lambda item: item.get_closest_marker("heavy") is None)
    else:
        random.Random(seed).shuffle(items)  # the same in every worker: they must agree


# Kinds of tests that a run leaves out, and how many of each: the workers know, whoever runs them tells.
_LEFT_OUT: dict[str, int] = {}
_KINDS = "slow", "browser", "once", "heavy"  # each test counts once, by the first that it has


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        kind = next((kind for kind in _KINDS if item.get_closest_marker(kind)), "others")
        _LEFT_OUT[kind] = _LEFT_OUT.get(kind, 0) + 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)  # of a worker of xdist
    if output is not None:
        output["left_out"] = dict(_LEFT_OUT)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    _LEFT_OUT.update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell which tests this run has left out by their markers: nothing is skipped in silence."""
    if _LEFT_OUT:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(_LEFT_OUT.items()))
        terminalreporter.write_line(f"LEFT OUT by marker, Python {platform.python_version()}: {counts}")


def pytest_collection_finish() -> None:
    """Thousands of collected tests are no garbage: without them a collection takes milliseconds, not half a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No key, address, proxy or keyring of the person; a home and Jupyter data folder of the test's own."""
    home = tmp_path_factory.mktemp(
        f"home-{next(_homes)}", numbered=False
    )  # numbering reads thousands of names each time
    for name in (
        *config.KEY_VARIABLES,
        config.BASE_URL_VARIABLE,
        config.AUTH_URL_VARIABLE,
        config.HOST_VARIABLE,
        config.STREAM_VARIABLE,
        config.LEDGER_VARIABLE,
        "JPY_SESSION_NAME",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    # A port that a sandbox had is another server's soon: what was learnt of it goes with its test.
    for name in ("_web_apps", "_sandboxes"):
        monkeypatch.setattr(f"tetrate_jupyter.config.{name}", set())
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(home / "jupyter-data"))
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return home


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Wait for disks and exporters that are busy for a moment: only what hangs makes another outcome.

    Tests of what hangs (`@pytest.mark.hangs`) have the package's own bounds, of fractions of a second.
    """
    if request.node.get_closest_marker("hangs") is None:
        for module in ("answers.aside", "ledger.writing", "tracing.worker"):
            monkeypatch.setattr(f"tetrate_jupyter.{module}.PATIENCE", 60.0)
        monkeypatch.setattr("tetrate_jupyter.answers.aside.LOOKUP", 60.0)
        for module in ("ledger.writing", "tracing.worker"):
            monkeypatch.setattr(f"tetrate_jupyter.{module}._AT_MOST", 60.0)


@pytest.fixture(scope="session", autouse=True)
def watched() -> None:
    """Let `tests.blocking` see what blocks a loop."""
    blocking.watch()


@pytest.fixture(autouse=True)
def nothing_blocks_a_loop() -> Iterator[None]:
    """The package waits for no disk on an event loop, whose answers all would wait with it."""
    blocking.seen.clear()
    yield
    assert blocking.seen == []


@pytest.fixture(scope="session", autouse=True)
def usual_signals() -> None:
    """What the tests start gets the usual signals, also where the run itself was started by `nohup` or `&`."""
    usual = {"SIGINT": signal.default_int_handler, "SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}
    for name, handler in usual.items():
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture
def anyio_backend() -> str:
    """Async tests (`@pytest.mark.anyio`) run on asyncio, as the package does."""
    return "asyncio"


@pytest.fixture
def router() -> Iterator[SandboxRouter]:
    """A sandbox router of this test's own, without pauses, with its fault models in the list."""
    from tetrate_jupyter.sandbox import INSTANT, SandboxRouter

    with SandboxRouter(speed=INSTANT, list_faults=True) as running:
        yield running


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    """A bridge of this test's own, closed at its end."""
    from tetrate_jupyter.bridge import Bridge

    made = Bridge()
    yield made
    made.close()


@pytest.fixture
def session(router: SandboxRouter, bridge: Bridge, tmp_path: Path) -> Iterator[Session]:
    """A session that is signed in to `router`, with a small model chosen."""
    from tetrate_jupyter.face.session import Session

    made = Session(base_url=router.base_url, key=router.issue_key(), data_dir=tmp_path / "data", bridge=bridge)
    made.model = "claude-haiku-4-5"
    yield made
    made.close()
