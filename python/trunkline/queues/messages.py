"""One entry of a batch, with the options that a send takes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._types import Attributes, Body, Seconds


class SendEntry:
    """A message for :meth:`Queue.send_batch` that brings options of its own.

    The options are those of :meth:`Queue.send`; they are checked when the batch is sent, so that a
    bad entry fails alone.

    >>> import trunkline
    >>> queue = trunkline.open().queue("orders.fifo")
    >>> entry = trunkline.SendEntry(b"paid", group="order-7", dedup_id="paid-7")
    >>> queue.send_batch([entry, trunkline.SendEntry(b"no group")]).failed[0].code
    'MissingParameter'
    """

    __slots__ = {
        "attributes": "Values by name.",
        "body": "What the message carries.",
        "dedup_id": "FIFO: the identity of the message.",
        "delay": "Seconds before the message may be received.",
        "group": "FIFO: the order it belongs to; standard: the tenant.",
    }

    def __init__(
        self,
        body: Body,
        *,
        group: str | None = None,
        dedup_id: str | None = None,
        delay: Seconds | None = None,
        attributes: Attributes | None = None,
    ) -> None:
        self.body = body
        self.group = group
        self.dedup_id = dedup_id
        self.delay = delay
        self.attributes = attributes

    def __repr__(self) -> str:
        named = ("group", "dedup_id", "delay", "attributes")
        options = (f", {name}={getattr(self, name)!r}" for name in named if getattr(self, name))
        return f"SendEntry({self.body!r}{''.join(options)})"
