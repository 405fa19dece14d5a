"""OpenTelemetry as somebody sets it up in a kernel, for one test each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.compare.conftest import eventually
from tetrate_jupyter.tracing import spans, worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import TracerProvider as AnyProvider


class Traces:
    """The spans that have ended, and the provider that they came by."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider
        self._kept = InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(self._kept))

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self._kept.get_finished_spans()

    def asked(self, questions: int = 1) -> list[ReadableSpan]:
        """Return the requests' spans, in the order they were begun, once so many questions have ended."""
        eventually(lambda: len(self.questions) >= questions)
        found = [each for each in self.all if each.kind is trace.SpanKind.CLIENT]
        return sorted(found, key=lambda each: each.start_time or 0)

    @property
    def questions(self) -> list[ReadableSpan]:
        own = [each for each in self.all if each.kind is trace.SpanKind.INTERNAL]
        return [e for e in own if e.instrumentation_scope and e.instrumentation_scope.name == "tetrate_jupyter"]


def set_up(monkeypatch: pytest.MonkeyPatch, provider: AnyProvider) -> None:
    """Set the process's provider; there can be one in its life, but for this."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)


@pytest.fixture
def own_worker(monkeypatch: pytest.MonkeyPatch) -> worker.Worker:
    """Have a thread of its own for the spans of this test, which may hang."""
    made = worker.Worker()
    monkeypatch.setattr(spans, "_WORKER", made)
    return made


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch, own_worker: worker.Worker) -> Iterator[Traces]:
    """OpenTelemetry set up, with what it exports kept in memory."""
    provider = TracerProvider(shutdown_on_exit=False)
    set_up(monkeypatch, provider)
    yield Traces(provider)
    asyncio.run(own_worker.caught_up())
    provider.shutdown()
