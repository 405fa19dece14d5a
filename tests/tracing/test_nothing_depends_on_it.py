"""Nobody who hasn't set OpenTelemetry up pays for it, and one that is broken, slow or hangs costs no answer."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import pytest
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from tests.compare.conftest import eventually
from tests.tracing.conftest import set_up
from tetrate_jupyter import config
from tetrate_jupyter.tracing import worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tracing.conftest import Traces
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

MODEL = "claude-haiku-4-5"

ASK = f"""
import sys
{{before}}
from tetrate_jupyter import session
session.model = {MODEL!r}
print(session.ask("What is 2 + 2?").text)
print(sorted(name for name in sys.modules if name.partition(".")[0] == "opentelemetry" or "tracing" in name))
"""


def asked_elsewhere(router: SandboxRouter, before: str) -> list[str]:
    """Ask in a process of its own; return the lines that it prints."""
    environment = {**os.environ, **router.environment, config.KEY_VARIABLES[0]: router.issue_key()}
    code = ASK.format(before=before)
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return ran.stdout.splitlines()


def headers(router: SandboxRouter) -> list[str | None]:
    return [r.headers.get("traceparent") for r in router.requests if r.path.endswith("/chat/completions")]


def test_where_nobody_has_imported_it_nothing_is_imported(router: SandboxRouter) -> None:
    assert asked_elsewhere(router, "")[-1] == "[]"
    assert headers(router) == [None]


def test_where_only_its_interface_is_there_nothing_is_traced(router: SandboxRouter) -> None:
    said = asked_elsewhere(router, "import opentelemetry.trace\nopentelemetry.trace.get_tracer('a library')")
    assert "opentelemetry.sdk" not in said[-1]
    assert "opentelemetry.propagate" not in said[-1]
    assert headers(router) == [None]


def test_one_that_does_nothing_is_none(
    session: Session, router: SandboxRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, trace.NoOpTracerProvider())
    session.ask("hello")
    assert headers(router) == [None]


def test_another_library_of_that_name_is_none(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", threading)
    assert session.ask("hello").text


# --- broken ---------------------------------------------------------------------------------------------------


def raising(*_: object, **__: object) -> NoReturn:
    raise SystemExit("a processor of somebody's")


@pytest.mark.parametrize("step", ["on_start", "on_end"])
@pytest.mark.usefixtures("own_worker")
def test_a_processor_that_raises_costs_no_answer(session: Session, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    set_up(monkeypatch, provider)
    broken = SpanProcessor()
    monkeypatch.setattr(broken, step, raising)
    provider.add_span_processor(broken)
    assert session.ask("hello").text
    assert session.ask("hello again").text


def test_a_provider_that_raises_costs_no_answer(
    session: Session, traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces.provider, "get_tracer", raising)
    assert session.ask("hello").text


def test_a_propagator_that_raises_costs_the_header(
    session: Session, router: SandboxRouter, traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(propagate, "inject", raising)
    assert session.ask("hello").text
    assert headers(router) == [None]
    assert len(traces.asked()) == 1


@pytest.mark.parametrize("value", ["x" * 600, "two\r\nX-Evil: 1", "", "umlaut \u00fc", 7])
def test_a_header_that_is_none_is_not_sent(
    session: Session, router: SandboxRouter, traces: Traces, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    def inject(carrier: dict[str, object], context: object = None) -> None:
        carrier.update({"traceparent": value, "authorization": "Bearer other", "x-b3-traceid": "a1"})

    monkeypatch.setattr(propagate, "inject", inject)
    assert session.ask("hello").text
    (request,) = [r for r in router.requests if r.path.endswith("/chat/completions")]
    assert "traceparent" not in request.headers
    assert "x-evil" not in request.headers
    assert request.headers["x-b3-traceid"] == "a1"
    assert request.key == "key 1"


class Hanging(SpanExporter, SpanProcessor):
    """Takes its time until it is let go, wherever it is called."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.seen: list[object] = []

    def wait(self, given: object) -> None:
        assert self.go.wait(150)
        self.seen.append(given)

    def export(self, spans: object) -> SpanExportResult:
        self.wait(spans)
        return SpanExportResult.SUCCESS

    def on_start(self, span: object, parent_context: object = None) -> None:
        self.wait(span)


@pytest.mark.hangs
@pytest.mark.parametrize("made", [SimpleSpanProcessor, lambda hanging: hanging], ids=["exporter", "processor"])
def test_what_hangs_holds_up_no_answer(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    own_worker: worker.Worker,
    made: Callable[[Hanging], SpanProcessor],
) -> None:
    provider, hanging = TracerProvider(shutdown_on_exit=False), Hanging()
    provider.add_span_processor(made(hanging))
    set_up(monkeypatch, provider)
    try:
        for _ in range(3):
            assert session.ask("hello", keep=False).text  # it would wait for the test's own end otherwise
        assert hanging.seen == []
        assert own_worker.has_given_up
    finally:
        hanging.go.set()
    eventually(lambda: len(hanging.seen) == 6)  # and what had to wait is not lost


def test_no_more_is_kept_waiting_than_there_is_room_for(
    session: Session, traces: Traces, own_worker: worker.Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MOST_WAITING", 0)
    assert session.ask("hello").text
    assert traces.all == ()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_has_a_thread_of_its_own(own_worker: worker.Worker) -> None:
    done = threading.Event()
    own_worker.do(done.set)
    assert done.wait(60)
    child = os.fork()
    if child == 0:
        again = threading.Event()
        own_worker.do(again.set)
        os._exit(0 if again.wait(60) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
