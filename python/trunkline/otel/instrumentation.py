"""Switches the spans on and off: the verbs of each class are wrapped, and unwrapped again.

The classes themselves are changed, as instrumentations do it, so that no verb asks whether it is
traced: what is not instrumented costs nothing.
"""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from threading import Lock

from opentelemetry import trace

from trunkline import __version__
from trunkline._handlers import _Running
from trunkline.aio.queues.queue import Queue as AsyncQueue
from trunkline.aio.queues.worker import Consumption
from trunkline.aio.streams.stream import Stream as AsyncStream
from trunkline.buses.bus import Bus
from trunkline.otel.context import context_of, extracted, injected, trace_header
from trunkline.otel.spans import Spans, link_to, told
from trunkline.queues.messages import SendEntry
from trunkline.queues.queue import Queue
from trunkline.queues.worker import Worker
from trunkline.remote.queue import RemoteQueue
from trunkline.remote.routes import RemoteBus, RemoteStream, RemoteTopic
from trunkline.streams.stream import Stream
from trunkline.topics.topic import Topic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from opentelemetry.trace import TracerProvider

    from trunkline._core import LeasedDelivery

    Wrap = Callable[[Any, Spans], Callable[..., Any]]

_lock = Lock()
_wrapped: list[tuple[type, str, Any]] = []
"""Each class and verb that is wrapped, with what its own dictionary had under the name."""


def instrument(*, tracer_provider: TracerProvider | None = None) -> None:
    """Makes spans of sends, receives, publishes, puts and handlers from now on.

    It holds for the whole process: engines, `trunkline.aio` and `trunkline.connect`. The spans go
    to `tracer_provider`, or to the one of the program. A second call replaces the first.

    - A message that is sent or published carries the context as ``traceparent`` in its attributes,
      unless it has ten attributes already; an event carries it as its trace header.
    - A handler (`consume`, `Worker`, and the functions of subscriptions, rules and schedules) runs
      in a span whose parent is that of the message; one of a batch links to those of its messages.
    - A receive that finds messages has a span that links to theirs. Continue one of them with
      :func:`context_of`.

    >>> import trunkline.otel
    >>> trunkline.otel.instrument()
    >>> trunkline.otel.uninstrument()
    """
    spans = Spans(trace.get_tracer("trunkline", __version__, tracer_provider))
    with _lock:
        _unwrap()
        for owner, verbs in _VERBS:
            for name, wrap in verbs.items():
                _wrapped.append((owner, name, vars(owner).get(name)))
                setattr(owner, name, wrap(getattr(owner, name), spans))


def uninstrument() -> None:
    """Makes no more spans; handlers of workers that run already still have theirs."""
    with _lock:
        _unwrap()


def _unwrap() -> None:
    while _wrapped:
        owner, name, own = _wrapped.pop()
        if own is None:
            # The verb is that of a base class.
            delattr(owner, name)
        else:
            setattr(owner, name, own)


def _sending(operation: str) -> Wrap:
    """Wraps `send` and `publish`: the context goes into the attributes."""

    def wrap(verb: Any, spans: Spans) -> Callable[..., Any]:
        if iscoroutinefunction(verb) or verb.__qualname__.startswith("AwaitableVerbs"):

            @wraps(verb)
            async def send(self: Any, body: Any, *, attributes: Any = None, **options: Any) -> Any:
                with spans.open(operation, "send", self.name) as span:
                    result = await verb(self, body, attributes=injected(attributes), **options)
                    told(span, message__id=getattr(result, "message_id", None))
                    return result

            return send

        @wraps(verb)
        def send_now(self: Any, body: Any, *, attributes: Any = None, **options: Any) -> Any:
            with spans.open(operation, "send", self.name) as span:
                result = verb(self, body, attributes=injected(attributes), **options)
                told(span, message__id=getattr(result, "message_id", None))
                return result

        return send_now

    return wrap


def _sending_many(operation: str, carry: Callable[[Any], Any]) -> Wrap:
    """Wraps the verbs of batches: `carry` puts the context into each entry."""

    def wrap(verb: Any, spans: Spans) -> Callable[..., Any]:
        if iscoroutinefunction(verb):

            @wraps(verb)
            async def send(self: Any, entries: Any, **options: Any) -> Any:
                entries = _listed(entries)
                with spans.open(operation, "send", self.name, **_counted(entries)):
                    return await verb(self, _each(carry, entries), **options)

            return send

        @wraps(verb)
        def send_now(self: Any, entries: Any, **options: Any) -> Any:
            entries = _listed(entries)
            with spans.open(operation, "send", self.name, **_counted(entries)):
                return verb(self, _each(carry, entries), **options)

        return send_now

    return wrap


def _putting_event(verb: Any, spans: Spans) -> Callable[..., Any]:
    @wraps(verb)
    def put(self: Any, events: Any, *, trace_header: str | None = None) -> Any:
        many = verb.__name__ == "put_batch"
        events = _listed(events) if many else events
        with spans.open(verb.__name__, "send", self.name, **(_counted(events) if many else {})):
            return verb(self, events, trace_header=trace_header or _header())

    return put


_header = trace_header


def _putting_record(verb: Any, spans: Spans) -> Callable[..., Any]:
    """Records have no attributes: the span tells of the put, and carries nothing on."""
    if iscoroutinefunction(verb):

        @wraps(verb)
        async def put(self: Any, records: Any, **options: Any) -> Any:
            with spans.open(verb.__name__, "send", self.name):
                return await verb(self, records, **options)

        return put

    @wraps(verb)
    def put_now(self: Any, records: Any, **options: Any) -> Any:
        with spans.open(verb.__name__, "send", self.name):
            return verb(self, records, **options)

    return put_now


def _receiving(verb: Any, spans: Spans) -> Callable[..., Any]:
    if iscoroutinefunction(verb) or verb.__qualname__.startswith("AwaitableVerbs"):

        @wraps(verb)
        async def receive(self: Any, *values: Any, **options: Any) -> Any:
            started = spans.now()
            messages = await verb(self, *values, **options)
            spans.received(self.name, started, messages)
            return messages

        return receive

    @wraps(verb)
    def receive_now(self: Any, *values: Any, **options: Any) -> Any:
        started = spans.now()
        messages = verb(self, *values, **options)
        spans.received(self.name, started, messages)
        return messages

    return receive_now


def _working(init: Any, spans: Spans) -> Callable[..., Any]:
    """Wraps the making of a worker: its handler runs in a span."""
    is_async = init.__qualname__.startswith("Consumption")

    @wraps(init)
    def made(self: Any, queue: Any, handler: Any, *values: Any, **options: Any) -> None:
        init(self, queue, handler, *values, **options)
        of = _handling_async if is_async else _handling
        self._handler = of(handler, queue.name, spans)

    return made


def _handling(handler: Any, name: str, spans: Spans) -> Callable[[Any], Any]:
    @wraps(handler, updated=())
    def handle(delivered: Any) -> Any:
        with spans.open("process", "process", name, **_about(delivered)):
            return handler(delivered)

    return handle


def _handling_async(handler: Any, name: str, spans: Spans) -> Callable[[Any], Any]:
    @wraps(handler, updated=())
    async def handle(delivered: Any) -> Any:
        with spans.open("process", "process", name, **_about(delivered)):
            answer = handler(delivered)
            return await answer if hasattr(answer, "__await__") else answer

    return handle


def _about(delivered: Any) -> dict[str, Any]:
    """What a span of a handler is given: the parent of one message, the links of a batch."""
    if isinstance(delivered, list):
        links = [link for link in map(link_to, delivered) if link is not None]
        return {"links": links, **_counted(delivered)}
    return {"context": context_of(delivered), "message.id": delivered.message_id}


def _delivering(verb: Any, spans: Spans) -> Callable[..., Any]:
    """Wraps the call of the function of a subscription, a rule or a schedule."""

    @wraps(verb)
    def handle(self: _Running, delivery: LeasedDelivery) -> object:
        name = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        context = extracted(delivery.values, delivery.trace_header)
        with spans.open("process", "process", name, context=context):
            return verb(self, delivery)

    return handle


def _listed(entries: Any) -> Any:
    """Entries to be counted and sent; what is no iterable is left for the verb to refuse."""
    is_listable = hasattr(entries, "__iter__") and not isinstance(entries, str | bytes | dict)
    return list(entries) if is_listable else entries


def _counted(entries: Any) -> dict[str, Any]:
    return {"batch.message_count": len(entries)} if isinstance(entries, list) else {}


def _each(carry: Callable[[Any], Any], entries: Any) -> Any:
    return [carry(entry) for entry in entries] if isinstance(entries, list) else entries


def _carry_message(entry: Any) -> Any:
    if isinstance(entry, SendEntry):
        options = {name: getattr(entry, name) for name in ("group", "dedup_id", "delay")}
        return SendEntry(entry.body, attributes=injected(entry.attributes), **options)
    attributes = injected(None)
    return SendEntry(entry, attributes=attributes) if attributes else entry


def _carry_publication(entry: Any) -> Any:
    given = entry if isinstance(entry, dict) else {"body": entry}
    attributes = injected(given.get("attributes"))
    return {**given, "attributes": attributes} if attributes is not None else entry


def _same(entry: Any) -> Any:
    return entry


_SEND = _sending("send")
_SEND_MANY = _sending_many("send_batch", _carry_message)
_PUBLISH = _sending("publish")
_VERBS: tuple[tuple[type, dict[str, Wrap]], ...] = (
    (Queue, {"send": _SEND, "send_nowait": _SEND, "send_batch": _SEND_MANY, "receive": _receiving}),
    (AsyncQueue, {"send": _SEND, "send_batch": _SEND_MANY, "receive": _receiving}),
    (
        RemoteQueue,
        {
            "send": _SEND,
            "send_batch": _sending_many("send_batch", _same),
            "receive": _receiving,
        },
    ),
    (
        Topic,
        {"publish": _PUBLISH, "publish_batch": _sending_many("publish_batch", _carry_publication)},
    ),
    (RemoteTopic, {"publish": _PUBLISH}),
    (Bus, {"put": _putting_event, "put_batch": _putting_event}),
    (RemoteBus, {"put": _putting_event}),
    (Stream, {"put": _putting_record, "put_batch": _putting_record}),
    (AsyncStream, {"put": _putting_record, "put_batch": _putting_record}),
    (RemoteStream, {"put": _putting_record}),
    (Worker, {"__init__": _working}),
    (Consumption, {"__init__": _working}),
    (_Running, {"_handle": _delivering}),
)
"""What is wrapped. The verbs of `trunkline.aio` that call a twin for threads have its spans."""
