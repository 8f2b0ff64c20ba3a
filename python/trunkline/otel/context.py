"""The context of a trace in a message: written by who sends, read by who receives.

A message carries it as the attributes ``traceparent`` and ``tracestate`` of W3C, as other
instrumentations of SQS write them. An event has no attributes: it carries it as its trace header,
in the form of AWS X-Ray, and a queue behind a rule has that as ``AWSTraceHeader``.
"""

from __future__ import annotations

import re

from opentelemetry import propagate, trace
from opentelemetry.context import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ATTRIBUTES_MAX = 10
"""How many attributes a message of SQS has at most: the context is left out beyond."""

_XRAY = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=([01])")


def context_of(message: object) -> Context:
    """The context in which a message was sent, or the event put that a rule made it of.

    `message` is one of a queue, a `Notification`, or a message of `trunkline.connect`. The context
    is that of its attributes, else that of its trace header, else an empty one. Use it as the
    parent of a span::

        tracer.start_as_current_span("make coffee", context=trunkline.otel.context_of(message))
    """
    attributes = getattr(message, "attributes", None)
    return extracted(
        attributes if isinstance(attributes, dict) else {}, getattr(message, "trace_header", None)
    )


def extracted(attributes: Mapping[str, Any], trace_header: str | None) -> Context:
    """The context of attributes, else that of a trace header; empty if neither has one."""
    texts = {name: value for name, value in attributes.items() if isinstance(value, str)}
    context = propagate.extract(texts, context=Context())
    if trace.get_current_span(context).get_span_context().is_valid or trace_header is None:
        return context
    found = _XRAY.search(trace_header)
    if found is None:
        return context
    span = trace.SpanContext(
        trace_id=int(found[1] + found[2], 16),
        span_id=int(found[3], 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(int(found[4])),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(span), context)


def injected(attributes: Any) -> Any:
    """Attributes with the current context, which does not replace one that they have.

    What is no mapping is returned as it is, for the verb to refuse.
    """
    if attributes is not None and not hasattr(attributes, "items"):
        return attributes
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    given = dict(attributes or {})
    if not carrier or "traceparent" in given or len(given) + len(carrier) > ATTRIBUTES_MAX:
        return attributes
    return {**carrier, **given}


def trace_header() -> str | None:
    """The current context as AWS X-Ray writes it; None outside a trace."""
    current = trace.get_current_span().get_span_context()
    if not current.is_valid:
        return None
    root = trace.format_trace_id(current.trace_id)
    parent = trace.format_span_id(current.span_id)
    return f"Root=1-{root[:8]}-{root[8:]};Parent={parent};Sampled={int(current.trace_flags) & 1}"
