"""The spans, with the names and attributes of OpenTelemetry's conventions for messaging."""

from __future__ import annotations

from contextlib import contextmanager
from time import time_ns

from opentelemetry import trace
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from trunkline.otel.context import context_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

SYSTEM = "trunkline"
"""What ``messaging.system`` says: the conventions allow a name of one's own."""

KINDS = {"send": SpanKind.PRODUCER, "receive": SpanKind.CLIENT, "process": SpanKind.CONSUMER}


class Spans:
    """The spans of one tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def open(
        self,
        operation: str,
        kind: str,
        destination: str,
        *,
        context: Context | None = None,
        links: Sequence[Link] = (),
        **more: Any,
    ) -> Iterator[Span]:
        """A span around a block; it is the current one in it, and an exception fails it.

        `operation` is the verb of Trunkline, `kind` one of the conventions' types of operations.
        """
        with self._tracer.start_as_current_span(
            f"{operation} {destination}",
            context=context,
            kind=KINDS[kind],
            attributes=_attributes(operation, kind, destination, more),
            links=links,
            record_exception=kind == "process",
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except Exception as error:
                _fail(span, error)
                raise

    def received(self, destination: str, started: int, messages: Sequence[Any]) -> None:
        """A span of a receive that found messages, with a link to the context of each.

        One that finds nothing leaves no span: a worker makes ten of them a second.
        """
        if not messages or not self._tracer:
            return
        links = [link for link in map(link_to, messages) if link is not None]
        more: dict[str, Any] = {"batch.message_count": len(messages)}
        if len(messages) == 1:
            more["message.id"] = messages[0].message_id
        span = self._tracer.start_span(
            f"receive {destination}",
            kind=KINDS["receive"],
            attributes=_attributes("receive", "receive", destination, more),
            links=links,
            start_time=started,
        )
        span.end()

    @staticmethod
    def now() -> int:
        """The time that a span begins."""
        return time_ns()


def link_to(message: object) -> Link | None:
    """A link to the context of a message, if it has one."""
    found = trace.get_current_span(context_of(message)).get_span_context()
    return Link(found) if found.is_valid else None


def told(span: Span, **values: Any) -> None:
    """Adds attributes whose values were known only after the call."""
    for name, value in values.items():
        if value is not None:
            span.set_attribute(f"messaging.{name.replace('__', '.')}", value)


def _attributes(
    operation: str, kind: str, destination: str, more: dict[str, Any]
) -> dict[str, Any]:
    named = {f"messaging.{name.replace('__', '.')}": value for name, value in more.items()}
    return {
        "messaging.system": SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": kind,
        "messaging.destination.name": destination,
        **{name: value for name, value in named.items() if value is not None},
    }


def _fail(span: Span, error: Exception) -> None:
    span.set_attribute("error.type", getattr(error, "code", None) or type(error).__qualname__)
    span.set_status(Status(StatusCode.ERROR, str(error)))
