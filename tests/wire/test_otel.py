"""Spans and the context of a trace, with the in-memory exporter of OpenTelemetry's SDK."""

from __future__ import annotations

import asyncio
import threading

import pytest

import trunkline
import trunkline.aio

pytest.importorskip("opentelemetry.sdk")

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import trunkline.otel
from trunkline.queues.queue import Queue


class Spans:
    """What was exported."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("test")

    def named(self, name):
        (found,) = [one for one in self.exporter.get_finished_spans() if one.name == name]
        return found

    def names(self):
        return sorted(one.name for one in self.exporter.get_finished_spans())


@pytest.fixture
def spans():
    made = Spans()
    trunkline.otel.instrument(tracer_provider=made.provider)
    yield made
    trunkline.otel.uninstrument()
    made.provider.shutdown()


def is_child(span, parent):
    return (span.context.trace_id, span.parent.span_id) == (
        parent.context.trace_id,
        parent.context.span_id,
    )


def test_a_message_is_one_trace_from_its_sender_to_its_handler(engine, spans):
    queue, made = engine.queue("orders"), []

    def handler(message):
        with spans.tracer.start_as_current_span("make coffee"):
            made.append(message.text())

    with spans.tracer.start_as_current_span("order"):
        sent = queue.send("one coffee", attributes={"table": 4})
    queue.consume(handler, concurrency=1, until_empty=True)
    assert made == ["one coffee"]
    order, send, process = map(spans.named, ("order", "send orders", "process orders"))
    assert is_child(send, order)
    assert is_child(process, send)
    assert is_child(spans.named("make coffee"), process)
    receive = spans.named("receive orders")
    assert [link.context.span_id for link in receive.links] == [send.context.span_id]
    kinds = [one.kind for one in (send, receive, process)]
    assert kinds == [SpanKind.PRODUCER, SpanKind.CLIENT, SpanKind.CONSUMER]
    assert dict(send.attributes) == {
        "messaging.system": "trunkline",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "orders",
        "messaging.message.id": sent.message_id,
    }
    assert process.attributes["messaging.message.id"] == sent.message_id


def test_a_handler_and_a_verb_that_fail_fail_their_spans(engine, spans):
    queue, attempts = engine.queue("orders"), []

    def handler(message):
        attempts.append(message)
        if len(attempts) == 1:
            raise ValueError("no milk")

    queue.send("one coffee")
    queue.consume(handler, concurrency=1, until_empty=True)
    failed, succeeded = [
        one for one in spans.exporter.get_finished_spans() if one.name == "process orders"
    ]
    assert (failed.status.status_code, failed.attributes["error.type"]) == (
        StatusCode.ERROR,
        "ValueError",
    )
    assert [event.name for event in failed.events] == ["exception"]
    assert succeeded.status.is_ok
    with pytest.raises(trunkline.MissingParameter):
        engine.queue("orders.fifo").send("no group")
    assert spans.named("send orders.fifo").attributes["error.type"] == "MissingParameter"


def test_a_batch_links_to_each_of_its_messages(engine, spans):
    queue = engine.queue("orders")
    queue.send_batch(["one", trunkline.SendEntry("two", attributes={"table": 4})])
    queue.consume(lambda messages: None, concurrency=1, batch_size=10, until_empty=True)
    send, process = spans.named("send_batch orders"), spans.named("process orders")
    assert send.attributes["messaging.batch.message_count"] == 2
    assert process.parent is None
    assert {link.context.span_id for link in process.links} == {send.context.span_id}
    assert len(process.links) == 2


def test_attributes_of_the_caller_stay_as_they_are(engine, spans):
    queue = engine.queue("orders")
    ten = {f"a{number}": number for number in range(10)}
    own = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
    for attributes in (ten, own):
        queue.send("one", attributes=attributes)
        assert dict(queue.receive()[0].attributes) == attributes
    with pytest.raises(TypeError, match="attributes must map"):
        queue.send("one", attributes=5)


def test_a_topic_hands_the_context_to_queues_and_functions(engine, spans):
    topic, queue, seen = engine.topic("news"), engine.queue("readers"), threading.Semaphore(0)
    topic.subscribe(queue)
    topic.subscribe(lambda notification: seen.release(), name="handler")
    topic.publish("hello")
    topic.publish_batch(["two", {"body": "three"}])
    for _ in range(3):
        assert seen.acquire(timeout=30)
    one, two, three = queue.receive(10)
    publish, batch = spans.named("publish news"), spans.named("publish_batch news")
    for message, span in ((one, publish), (two, batch), (three, batch)):
        found = trace.get_current_span(trunkline.otel.context_of(message)).get_span_context()
        assert (found.trace_id, found.span_id) == (span.context.trace_id, span.context.span_id)
        assert found.is_remote


def test_an_event_hands_the_context_to_queues_and_functions(engine, spans):
    bus, queue, done = engine.bus(), engine.queue("orders"), threading.Event()
    bus.rule("to-queue", {"source": ["shop"]}, queue)
    current = []

    def handle(event):
        current.append(trace.get_current_span().get_span_context())
        done.set()

    bus.rule("to-function", {"source": ["shop"]}, handle)
    event = {"source": "shop", "detail-type": "Paid", "detail": {"n": 1}}
    with spans.tracer.start_as_current_span("pay"):
        bus.put(event)
    put = spans.named("put default")
    assert done.wait(30)
    assert current[0].trace_id == put.context.trace_id
    (message,) = queue.receive()
    assert message.trace_header.endswith(f"Parent={put.context.span_id:016x};Sampled=1")
    found = trace.get_current_span(trunkline.otel.context_of(message)).get_span_context()
    assert (found.trace_id, found.span_id) == (put.context.trace_id, put.context.span_id)
    assert b"Root" not in message.body
    own = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
    bus.put_batch([event], trace_header=own)
    assert queue.receive()[0].trace_header == own


def test_a_coroutine_has_the_same_spans(spans):
    seen = []

    async def handler(message):
        seen.append(trace.get_current_span().get_span_context().trace_id)

    async def main():
        async with trunkline.aio.open() as engine:
            queue = engine.queue("orders")
            await queue.send("one")
            await queue.send_batch(["two"])
            await queue.consume(handler, concurrency=1, until_empty=True)
            await engine.topic("news").publish("hello")
            await engine.stream("clicks").put("home", key="k")

    asyncio.run(main())
    sends = [spans.named(name).context.trace_id for name in ("send orders", "send_batch orders")]
    assert sorted(seen) == sorted(sends)
    assert {"publish news", "put clicks"} <= set(spans.names())


def test_the_context_goes_over_the_wire(engine, server, connect, spans):
    queue = engine.queue("orders")
    with trunkline.connect(server.url) as remote:
        with spans.tracer.start_as_current_span("order"):
            remote.queue("orders").send("over the wire")
            remote.topic("news").subscribe(remote.queue("orders"), raw=True)
            remote.topic("news").publish("published")
        received = [queue.receive()[0] for _ in range(2)]
    order = spans.named("order").context.trace_id
    # The server is in this process and instrumented as well, as is the client.
    for message in received:
        found = trace.get_current_span(trunkline.otel.context_of(message)).get_span_context()
        assert found.trace_id == order
    # A client of AWS with an instrumentation of its own, and one that uses X-Ray.
    sqs = connect("sqs")
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    parent = {"DataType": "String", "StringValue": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
    sqs.send_message(QueueUrl=url, MessageBody="w3c", MessageAttributes={"traceparent": parent})
    header = "Root=1-cccccccc-cccccccccccccccccccccccc;Parent=dddddddddddddddd;Sampled=1"
    system = {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}
    sqs.send_message(QueueUrl=url, MessageBody="x-ray", MessageSystemAttributes=system)
    parents = []
    queue.consume(
        lambda message: parents.append(trace.get_current_span().get_span_context().trace_id),
        concurrency=1,
        until_empty=True,
    )
    assert sorted(parents) == [int("a" * 32, 16), int("c" * 32, 16)]


def test_what_is_off_is_as_if_it_had_never_been_on(engine, spans):
    assert "send" in vars(Queue)
    trunkline.otel.uninstrument()
    assert "send" not in vars(Queue)
    queue = engine.queue("orders")
    queue.send("one")
    assert dict(queue.receive()[0].attributes) == {}
    assert spans.names() == []


def test_a_receive_that_finds_nothing_leaves_no_span(engine, spans):
    assert engine.queue("orders").receive() == []
    assert spans.names() == []


def test_a_second_call_takes_the_place_of_the_first(engine, spans):
    trunkline.otel.instrument(tracer_provider=spans.provider)
    engine.queue("orders").send("one")
    assert spans.names() == ["send orders"]
