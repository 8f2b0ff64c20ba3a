"""OpenTelemetry: spans, and the context of a trace that goes with messages and events.

It needs the extra ``otel`` (the API of OpenTelemetry; a program brings the SDK that it wants).
Off until :func:`instrument` is called: before that, not one instruction is spent on it.

>>> import trunkline, trunkline.otel
>>> from opentelemetry.sdk.trace import TracerProvider
>>> from opentelemetry.sdk.trace.export import SimpleSpanProcessor
>>> from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
>>> spans, provider = InMemorySpanExporter(), TracerProvider()
>>> provider.add_span_processor(SimpleSpanProcessor(spans))
>>> trunkline.otel.instrument(tracer_provider=provider)
>>> with trunkline.open() as engine:
...     sent = engine.queue("orders").send("one coffee")
...     report = engine.queue("orders").consume(print, concurrency=1, until_empty=True)
<Message ...>
>>> [span.name for span in spans.get_finished_spans()]
['send orders', 'receive orders', 'process orders']
>>> trunkline.otel.uninstrument()
"""

from __future__ import annotations

try:
    from trunkline.otel.context import context_of
    from trunkline.otel.instrumentation import instrument, uninstrument
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "opentelemetry":
        raise
    text = "Spans need the API of OpenTelemetry: pip install 'trunkline[otel]'."
    raise ModuleNotFoundError(text, name=error.name) from error

__all__ = ["context_of", "instrument", "uninstrument"]
