"""Spans, begun and ended on a thread of their own; only where an OpenTelemetry SDK is set up in this process.

Nothing of OpenTelemetry is imported unless the process has done so and has set a provider of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
import time
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tetrate_jupyter import __version__, secrecy
from tetrate_jupyter.characters import MAX_NAME, one_line
from tetrate_jupyter.tracing import conventions
from tetrate_jupyter.tracing.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Mapping

    Attributes: TypeAlias = Mapping[str, object]

_API: Final = "opentelemetry.trace"
_CONTEXT: Final = "opentelemetry.context"
# The router gets where a trace goes on, in its usual forms. A person's baggage is for services of their own.
_SENT: Final = re.compile(r"traceparent|tracestate|b3|x-b3-[a-z]+")
_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,510}[\x21-\x7e])?")
_WORKER: Final = Worker()


def provider() -> Any | None:  # noqa: ANN401 - the SDK's
    """Return the tracer provider that was set in this process, None where none was."""
    api: Any = sys.modules.get(_API)
    if api is None:
        return None
    try:
        found = api.get_tracer_provider()
        is_real = not isinstance(found, (api.ProxyTracerProvider, api.NoOpTracerProvider))
    except Exception:  # noqa: BLE001 - half imported, another library of that name, a setting that names nothing
        return None
    return found if is_real else None


class Span:
    """One span, begun as soon as its thread comes to it, with the time at which this was made.

    `parent` None: it goes on from the context (OpenTelemetry's) that is current here. `headers` and `trace_id` are
    there once it has begun, where the SDK gives any.
    """

    def __init__(
        self,
        by: Any,  # noqa: ANN401 - the SDK's
        name: str,
        attributes: Attributes,
        *,
        parent: Span | None = None,
        is_client: bool = False,
    ) -> None:
        self.trace_id: str | None = None
        self.headers: Mapping[str, str] = {}
        self._span: Any = None
        self._context: Any = None
        self._is_over = _WORKER.is_full
        at, given = time.time_ns(), _tidy(attributes)
        around = None if parent is not None else _current()

        def begin() -> None:
            api: Any = sys.modules[_API]
            tracer = by.get_tracer("tetrate_jupyter", __version__, schema_url=conventions.SCHEMA_URL)
            kind = api.SpanKind.CLIENT if is_client else api.SpanKind.INTERNAL
            context = parent._context if parent is not None else around  # noqa: SLF001 - one of this class
            span = tracer.start_span(name, context=context, kind=kind, attributes=given, start_time=at)
            self._span = span
            self._context = api.set_span_in_context(span, context)
            if span.get_span_context().is_valid:
                self.trace_id = format(span.get_span_context().trace_id, "032x")
            if is_client:
                self.headers = _headers(self._context)

        if not self._is_over:
            _WORKER.do(begin)

    async def begun(self) -> None:
        """Wait for it to have begun, as long as a call may wait."""
        if not self._is_over:
            await _WORKER.caught_up()

    def end(self, attributes: Attributes, error: str | None = None) -> None:
        """End it, once; `error`: the kind of error that ended what it is about."""
        if self._is_over:
            return
        self._is_over = True
        at, given = time.time_ns(), _tidy({**attributes, conventions.ERROR_TYPE: error})

        def end() -> None:
            if self._span is None:
                return
            try:
                self._span.set_attributes(given)
                if error is not None:
                    api: Any = sys.modules[_API]
                    self._span.set_status(api.Status(api.StatusCode.ERROR))
            finally:
                self._span.end(end_time=at)

        _WORKER.do(end)

    def attach(self) -> Any:  # noqa: ANN401 - the SDK's
        """Make it the current one here, if it has begun; what is given back is for `detach`."""
        context: Any = sys.modules.get(_CONTEXT)
        with contextlib.suppress(Exception):
            return None if self._context is None else context.attach(self._context)
        return None

    @staticmethod
    def detach(token: Any) -> None:  # noqa: ANN401 - the SDK's
        """Make current what was before; in the task that `attach` was called in."""
        context: Any = sys.modules.get(_CONTEXT)
        with contextlib.suppress(Exception):
            if token is not None:
                context.detach(token)


async def settled() -> None:
    """Wait until what was ended has been handed to the SDK, as long as a call may wait."""
    await _WORKER.caught_up()


def _current() -> Any:  # noqa: ANN401 - the SDK's
    context: Any = sys.modules.get(_CONTEXT)
    with contextlib.suppress(Exception):
        return context.get_current()
    return None


def _headers(context: Any) -> Mapping[str, str]:  # noqa: ANN401 - the SDK's
    """Return what the current propagator would have sent, as far as it is for the router."""
    carrier: dict[str, str] = {}
    importlib.import_module("opentelemetry.propagate").inject(carrier, context=context)
    found = {name.lower(): value for name, value in carrier.items() if isinstance(value, str)}
    return {n: v for n, v in found.items() if _SENT.fullmatch(n) and _VALUE.fullmatch(v) and not secrecy.holds(v)}


def _tidy(attributes: Attributes) -> dict[str, Any]:
    """Return what is known of the attributes, short and without keys; messages are that already."""
    return {
        name: one_line(secrecy.redact(value), MAX_NAME) if isinstance(value, str) and not _is_text(name) else value
        for name, value in attributes.items()
        if value is not None
    }


def _is_text(name: str) -> bool:
    return name in {conventions.INPUT_MESSAGES, conventions.OUTPUT_MESSAGES}
