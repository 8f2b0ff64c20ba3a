"""What an engine offers of queues: the part of :class:`trunkline.Engine` that is about them."""

from __future__ import annotations

from trunkline import validation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import RLock
    from typing import Any, Unpack

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Queue as CoreQueue
    from trunkline._resource_types import PayloadBucket, QueueOptions
    from trunkline.limits import Limits
    from trunkline.queues.queue import Queue


class QueueVerbs:
    """The verbs of an engine that are about queues."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _defining: RLock
        _owner: tuple[str, str]
        limits: Limits

    def queue(
        self,
        name: str,
        *,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
        payload_store: PayloadBucket | None = None,
        payload_threshold: int | None = None,
        payload_delete: bool = True,
        **options: Unpack[QueueOptions],
    ) -> Queue:
        """Get the queue `name`, or create it. A name that ends in ``.fifo`` is a FIFO queue.

        Options that are given are compared with an existing queue; options that are left out are
        not. ``create=False`` finds a queue and never creates one, so that a consumer of a misspelt
        name does not wait for ever. `account` (12 digits) and `region` are part of the name; the
        defaults are ``"000000000000"`` and ``"us-east-1"``.

        The options, with AWS's range and default (:class:`trunkline.Limits` changes the range):

        - `delay`: seconds before a message may be received (0 to 900).
        - `retention`: seconds after which a message is dropped (60 to 1,209,600; 4 days).
        - `max_message_size`: bytes of body and attributes together.
        - `visibility_timeout`: seconds of a lease (0 to 43,200; 30).
        - `receive_wait`: seconds that a receive waits if it does not say (0 to 20; 0).
        - `content_based_dedup`: FIFO; the SHA-256 of the body stands in for a missing dedup_id.
        - `dedup_scope`: FIFO; where a dedup_id counts, in the ``"queue"`` or in its ``"group"``.
        - `dead_letter`, `max_receive_count`: where messages go that were delivered so often.
        - `redrive_allow`: which queues may use this one for dead letters.
        - `payload_store`: a bucket for what has more than `payload_threshold` bytes (262,144), as
          Amazon's extended clients do it. Not kept. A message goes with it if `payload_delete`.

        Raises QueueNameExists if an option differs from the existing queue's, QueueDoesNotExist
        with ``create=False`` and for a `dead_letter` that is not there, InvalidParameterValue for
        a name or a value that is not allowed, InvalidAttributeName for an option that this kind of
        queue does not have, EngineClosed.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> dead = engine.queue("dead-orders")
        >>> queue = engine.queue("orders", dead_letter="dead-orders", max_receive_count=5)
        >>> engine.queue("orders", delay=10)
        Traceback (most recent call last):
        trunkline.errors.QueueNameExists: A queue already exists with the same name and a \
different value for attribute delay; leave the option out, or change the queue with configure().
        """
        # Here, because a server starts without any of it.
        from trunkline.queues.defining import get_or_create
        from trunkline.queues.options import provided
        from trunkline.queues.queue import Queue

        wanted = provided(options)
        fifo = validation.queue_name(name, self.limits)
        validation.flag(create, "create")
        place = validation.owner(self._owner, account, region)
        # Asked before the lock, which a forked child may find held by a thread that it has not.
        self._core.check_open()
        # Two threads that define queues at once must not compare with what the other changes.
        with self._defining:
            core = get_or_create(
                self._core, self.limits, (*place, name), fifo, wanted, create=create
            )
        if payload_store is None and payload_threshold is None:
            return Queue(self, core)  # type: ignore[arg-type]
        from trunkline.queues.claim_check import claim_check_queue

        return claim_check_queue(
            self,  # type: ignore[arg-type]
            core,
            payload_store,
            payload_threshold,
            payload_delete,
        )

    def queues(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Queue]:
        """The queues whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> for name in ("orders", "orders-dead", "mail"):
        ...     queue = engine.queue(name)
        >>> [queue.name for queue in engine.queues("orders")]
        ['orders', 'orders-dead']
        """
        from trunkline.queues.queue import Queue

        found = self._core.queues(
            *validation.owner(self._owner, account, region), validation.text(prefix, "prefix")
        )
        return [Queue(self, core) for core in found]  # type: ignore[arg-type]

    def _configure(self, core: CoreQueue, wanted: dict[str, Any]) -> None:
        from trunkline.queues.defining import configure

        self._core.check_open()
        with self._defining:
            configure(self._core, self.limits, core, wanted)
