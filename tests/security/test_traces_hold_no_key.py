"""What leaves with a trace, where an OpenTelemetry SDK is set up: no key, no text unless asked for, no baggage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry import baggage, context

from tests.tracing import conftest
from tests.tracing.test_spans import stock_of
from tetrate_jupyter.errors import TetrateError
from tetrate_jupyter.sandbox import Fault, SandboxRouter
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.tracing import conventions

if TYPE_CHECKING:
    from tests.tracing.conftest import Traces
    from tetrate_jupyter.face.session import Session

own_worker, traces = conftest.own_worker, conftest.traces  # fixtures


def test_no_text_is_on_a_span_unless_asked_for(session: Session, traces: Traces) -> None:
    answer = session.ask("What is 17*23?", system="Be brief and use the word marmalade.", tools=[stock_of])
    traces.asked()
    said = "".join(span.to_json() for span in traces.all)
    for text in ("17*23", "marmalade", answer.text, "stock_of"):
        assert text not in said


@pytest.mark.parametrize("value", ["", "true"])
def test_no_key_is_on_a_span(
    session: Session, router: SandboxRouter, traces: Traces, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(conventions.CAPTURE_VARIABLE, value)
    other = Secret("sk-marker-0123456789abcdef", host="router.example")

    def stock_of(item: str) -> str:
        """Number of items in stock."""
        return f"{item} {other.reveal()}"

    with session.label(f"eval {other.reveal()}"):
        session.ask("hello", cell_id=other.reveal())
        with pytest.raises(TetrateError):
            session.ask("How many of 'lamp' are in stock?", tools=[stock_of])
        router.inject(Fault("invalid-key", times=None))
        with pytest.raises(TetrateError):
            session.ask("hello")
    traces.asked(questions=3)
    said = "".join(span.to_json() for span in traces.all)
    assert "<secret>" in said
    for secret in (other, session.bridge.run(session.account.key())):
        assert secret.reveal() not in said


def test_baggage_stays_here(session: Session, router: SandboxRouter, traces: Traces) -> None:
    token = context.attach(baggage.set_baggage("customer", "marmalade"))
    try:
        session.ask("hello")
    finally:
        context.detach(token)
    traces.asked()
    (request,) = [r for r in router.requests if r.path.endswith("/chat/completions")]
    assert "traceparent" in request.headers
    assert "marmalade" not in str(request.headers)
