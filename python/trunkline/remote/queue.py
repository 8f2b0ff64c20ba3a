"""Queues of a server."""

from __future__ import annotations

import json
import math
from base64 import b64encode

from trunkline import errors, validation
from trunkline.queues.messages import as_list
from trunkline.remote.arguments import receipt_of, typed_attributes
from trunkline.remote.messages import RemoteMessage
from trunkline.remote.noun import Remote, engine_of
from trunkline.remote.results import Sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from trunkline._types import Durability
    from trunkline.queues.consumer import ConsumeReport

BATCH = 10
"""Messages of one request."""

LOOKED_AT = 10_000
"""Messages among which one is looked for whose body is not UTF-8."""

WAIT_MAX = 20
"""The longest wait of one request; longer ones are asked again."""


def _text(body: bytes | str) -> str:
    if isinstance(body, str):
        return body
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(
            f"body must be bytes or str, not {type(body).__name__}; use send_json() for others"
        )
    return bytes(body).decode()


def _is_text(body: object) -> bool:
    """Whether a body can be a member of JSON, as SQS has it."""
    if not isinstance(body, (bytes, bytearray, memoryview)):
        return True
    try:
        bytes(body).decode()
    except UnicodeDecodeError:
        return False
    return True


def _seconds(name: str, given: float) -> int:
    """Whole seconds, which SQS takes; rounded up, so that a short lease is none of 0 seconds."""
    if type(given) not in (int, float) or not math.isfinite(given):
        raise errors.InvalidParameterValue(f"{name} must be seconds as int or float.")
    return math.ceil(given)


class RemoteQueue(Remote, kind="queue"):
    """A queue of a server; :meth:`RemoteEngine.queue` makes it."""

    __slots__ = ()

    @property
    def _url(self) -> str:
        return f"{self._transport.url}/{self._transport.account}/{self.name}"

    @property
    def engine(self) -> Any:
        """The connection that the queue belongs to."""
        return engine_of(self)

    @property
    def fifo(self) -> bool:
        """Whether it is a FIFO queue."""
        return self.name.endswith(".fifo")

    def send(
        self,
        body: bytes | str,
        *,
        group: str | None = None,
        dedup_id: str | None = None,
        delay: float | None = None,
        attributes: Mapping[str, Any] | None = None,
        durability: Durability | None = None,
    ) -> Sent:
        """Send a message; it is as durable as the server's level says when this returns."""
        if durability is not None or not _is_text(body):
            given = {"group": group, "dedup_id": dedup_id, "delay": delay}
            more = {"attributes": attributes, "durability": durability}
            result = self._ask("send", body, **given, **more)
            return Sent(result.message_id, result.sequence_number)
        entry = _entry(body, group, dedup_id, delay, attributes)
        told = self._transport.sqs("SendMessage", QueueUrl=self._url, **entry)
        return Sent(told["MessageId"], told.get("SequenceNumber"))

    def send_json(self, value: Any, **options: Any) -> Sent:
        """Send `value` as JSON, with the options of :meth:`send`."""
        return self.send(json.dumps(value), **options)

    def send_batch(self, entries: Iterable[Any], **options: Any) -> Any:
        """Send many messages, with one wait for the disk; each succeeds or fails for itself.

        An entry is a body or a :class:`trunkline.SendEntry`.
        """
        return self._ask("send_batch", as_list(entries, "entries"), **options)

    def receive(
        self,
        max: int = 1,
        wait: float | None = None,
        visibility_timeout: float | None = None,
        *,
        attempt_id: str | None = None,
    ) -> list[RemoteMessage]:
        """Lease up to `max` messages (10 a call); wait so many seconds for the first."""
        left = wait
        while True:
            step = None if left is None else min(left, WAIT_MAX)
            told = self._transport.sqs(
                "ReceiveMessage",
                QueueUrl=self._url,
                MaxNumberOfMessages=min(max, BATCH),
                WaitTimeSeconds=None if step is None else -int(-step // 1),
                VisibilityTimeout=None
                if visibility_timeout is None
                else _seconds("visibility_timeout", visibility_timeout),
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                ReceiveRequestAttemptId=attempt_id,
            )
            found = [self._received(one) for one in told.get("Messages", ())]
            if found or left is None or left <= WAIT_MAX:
                return found
            left -= WAIT_MAX

    def _received(self, told: Mapping[str, Any]) -> RemoteMessage:
        """A message, whose body may have bytes for which the JSON of SQS has a replacement."""
        message = RemoteMessage(self, told)
        if "\ufffd" in told["Body"]:
            for one in self._ask("peek", LOOKED_AT, include_in_flight=True):
                if one.message_id == message.message_id:
                    message.body = one.body
                    return message
            raise errors.InvalidMessageContents(
                f"The body of {message.message_id} may not be UTF-8, and it is not among the "
                f"oldest {LOOKED_AT} messages, where its bytes are looked for; open the folder."
            )
        return message

    def messages(self, wait: float = 0, *, max: int = BATCH) -> Iterator[RemoteMessage]:
        """Receive one message after the other, until none comes for `wait` seconds."""
        while found := self.receive(max, wait):
            yield from found

    def delete(
        self, delivery: RemoteMessage | str, *, durability: Durability | None = None
    ) -> None:
        """Delete a message, or the message of a receipt."""
        receipt = receipt_of(delivery)
        if durability is not None:
            self._ask("delete", receipt, durability=durability)
        else:
            self._delete(receipt)
        if isinstance(delivery, RemoteMessage):
            delivery._outcome = "deleted"

    def _delete(self, receipt: str) -> None:
        self._transport.sqs("DeleteMessage", QueueUrl=self._url, ReceiptHandle=receipt)

    def extend(
        self,
        delivery: RemoteMessage | str,
        visibility_timeout: float,
        *,
        durability: Durability | None = None,
    ) -> None:
        """Let a lease end so many seconds from now; 0 makes the message visible."""
        receipt = receipt_of(delivery)
        if durability is not None:
            self._ask("extend", receipt, visibility_timeout, durability=durability)
            return
        self._transport.sqs(
            "ChangeMessageVisibility",
            QueueUrl=self._url,
            ReceiptHandle=receipt,
            VisibilityTimeout=_seconds("visibility_timeout", visibility_timeout),
        )

    def delete_batch(self, deliveries: Iterable[RemoteMessage | str], **options: Any) -> Any:
        """Delete many messages; each succeeds or fails for itself."""
        listed = as_list(deliveries, "deliveries")
        told = self._ask("delete_batch", [receipt_of(one) for one in listed], **options)
        for index in told.successful:
            if isinstance(listed[index], RemoteMessage):
                listed[index]._outcome = "deleted"
        return told

    def consume(
        self, handler: Callable[[Any], Any], concurrency: int = 4, **options: Any
    ) -> ConsumeReport:
        """Work the queue off with threads of this program, as :meth:`trunkline.Queue.consume`."""
        from trunkline.queues.worker import Worker

        worker: Any = Worker
        report: ConsumeReport = worker(self, handler, concurrency, **options).run()
        return report

    def _release_unsettled(self, messages: list[RemoteMessage], delays: list[int]) -> None:
        for message, delay in zip(messages, delays, strict=True):
            self._extend_unsettled([message], delay)

    def _extend_unsettled(self, messages: list[RemoteMessage], lease: int) -> None:
        held = [one.receipt for one in messages if one._outcome is None]
        if held:
            # A lease that has ended meanwhile is a failure of its entry alone.
            self._ask("extend_batch", held, lease / 1_000)


validation.add_hints(RemoteQueue)


def _entry(
    body: bytes | str,
    group: str | None,
    dedup_id: str | None,
    delay: float | None,
    attributes: Mapping[str, Any] | None,
) -> dict[str, Any]:
    given = {
        "MessageBody": _text(body),
        "MessageGroupId": group,
        "MessageDeduplicationId": dedup_id,
        "DelaySeconds": None if delay is None else _seconds("delay", delay),
        "MessageAttributes": None if attributes is None else _attributes(attributes),
    }
    return {name: value for name, value in given.items() if value is not None}


def _attributes(given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (kind, data) in typed_attributes(given).items():
        is_binary = kind.startswith("Binary")
        value = (
            {"BinaryValue": b64encode(data).decode()}
            if is_binary
            else {"StringValue": data.decode()}
        )
        found[name] = {"DataType": kind, **value}
    return found
