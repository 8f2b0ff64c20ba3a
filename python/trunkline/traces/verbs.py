"""What an engine offers of its trace: the part of :class:`trunkline.Engine` that is about it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline.traces.trace import Trace, Tracing


class TraceVerbs:
    """The verbs of an engine that are about its trace."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine

    def trace(self, id: str) -> Trace:
        """What happened to the message, event or record `id`, if the trace was on then.

        The answer tells the whole chain: of a publish or an event also its messages in queues, of a
        message also the publish, event or occurrence that it came from. A record of a stream is
        named by its sequence number. See :attr:`tracing`.

        >>> import trunkline
        >>> clock = trunkline.VirtualClock(1_700_000_000)
        >>> engine = trunkline.open(trace="on", clock=clock)
        >>> queue = engine.queue("orders")
        >>> sent = queue.send("one coffee")
        >>> queue.receive()[0].delete()
        >>> print(engine.trace(sent.message_id))
        2023-11-14T22:13:20.000Z  accepted      queue orders
        2023-11-14T22:13:20.000Z  received      queue orders: receive 1, lease of 30 s
        2023-11-14T22:13:20.000Z  deleted       queue orders
        """
        from trunkline.traces.trace import read

        return read(self._core.trace(), id)

    @property
    def tracing(self) -> Tracing:
        """The switch of the trace, its bound and its counters."""
        from trunkline.traces.trace import Tracing

        return Tracing(self._core.trace())
