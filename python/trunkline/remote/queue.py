"""Queues of a server."""

from __future__ import annotations

import json
import math
from base64 import b64encode

from trunkline import errors
from trunkline.remote.arguments import receipt_of, typed_attributes
from trunkline.remote.messages import RemoteMessage, RemotePeekedMessage
from trunkline.remote.results import RemoteStatistics, Sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from trunkline.remote.transport import Transport

BATCH = 10
"""Messages of one request."""

WAIT_MAX = 20
"""The longest wait of one request; longer ones are asked again."""


def _text(body: bytes | str) -> str:
    if isinstance(body, str):
        return body
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(
            f"body must be bytes or str, not {type(body).__name__}; use send_json() for others"
        )
    try:
        return bytes(body).decode()
    except UnicodeDecodeError as error:
        raise errors.InvalidMessageContents(
            "A body that is not UTF-8 cannot travel to a server; encode it as Base64."
        ) from error


def _seconds(name: str, given: float) -> int:
    """Whole seconds, which SQS takes; rounded up, so that a short lease is none of 0 seconds."""
    if type(given) not in (int, float) or not math.isfinite(given):
        raise errors.InvalidParameterValue(f"{name} must be seconds as int or float.")
    return math.ceil(given)


class RemoteQueue:
    """A queue of a server; :meth:`RemoteEngine.queue` makes it."""

    __slots__ = ("_transport", "_url", "name")

    def __init__(self, transport: Transport, name: str) -> None:
        self.name: str = name
        self._transport = transport
        self._url = f"{transport.url}/{transport.account}/{name}"

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
    ) -> Sent:
        """Send a message; it is as durable as the server's level says when this returns."""
        entry = _entry(body, group, dedup_id, delay, attributes)
        told = self._transport.sqs("SendMessage", QueueUrl=self._url, **entry)
        return Sent(told["MessageId"], told.get("SequenceNumber"))

    def send_json(self, value: Any, **options: Any) -> Sent:
        """Send `value` as JSON, with the options of :meth:`send`."""
        return self.send(json.dumps(value), **options)

    def send_batch(self, bodies: Iterable[bytes | str], *, group: str | None = None) -> list[Sent]:
        """Send many messages, ten a request. Raises the error of the first that is refused."""
        sent: list[Sent] = []
        waiting = list(bodies)
        for start in range(0, len(waiting), BATCH):
            entries = [
                {"Id": str(number), **_entry(body, group, None, None, None)}
                for number, body in enumerate(waiting[start : start + BATCH])
            ]
            told = self._transport.sqs("SendMessageBatch", QueueUrl=self._url, Entries=entries)
            for failed in told.get("Failed", ()):
                raise errors.InvalidParameterValue(
                    f"Message {start + int(failed['Id'])} is refused: "
                    f"{failed['Code']}: {failed.get('Message', '')}"
                )
            ordered = sorted(told["Successful"], key=lambda one: int(one["Id"]))
            sent += [Sent(one["MessageId"], one.get("SequenceNumber")) for one in ordered]
        return sent

    def receive(
        self,
        max: int = 1,
        wait: float | None = None,
        visibility_timeout: float | None = None,
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
            )
            found = [RemoteMessage(self, one) for one in told.get("Messages", ())]
            if found or left is None or left <= WAIT_MAX:
                return found
            left -= WAIT_MAX

    def messages(self, wait: float = WAIT_MAX) -> Iterator[RemoteMessage]:
        """Receive one message after the other, until none comes for `wait` seconds."""
        while found := self.receive(BATCH, wait):
            yield from found

    def delete(self, delivery: RemoteMessage | str) -> None:
        """Delete a message, or the message of a receipt."""
        receipt = receipt_of(delivery)
        self._transport.sqs("DeleteMessage", QueueUrl=self._url, ReceiptHandle=receipt)

    def extend(self, delivery: RemoteMessage | str, visibility_timeout: float) -> None:
        """Let a lease end so many seconds from now; 0 makes the message visible."""
        receipt = receipt_of(delivery)
        self._transport.sqs(
            "ChangeMessageVisibility",
            QueueUrl=self._url,
            ReceiptHandle=receipt,
            VisibilityTimeout=_seconds("visibility_timeout", visibility_timeout),
        )

    def peek(self, max: int = 10, *, include_in_flight: bool = False) -> list[RemotePeekedMessage]:
        """Up to `max` messages, oldest first, without leasing them."""
        arguments = {"queue": self.name, "max": max, "include_in_flight": include_in_flight}
        found = self._transport.owned("peek", **arguments)["messages"]
        return [RemotePeekedMessage(self.name, one) for one in found]

    def purge(self) -> None:
        """Remove all messages."""
        self._transport.owned("purge", queue=self.name)

    def remove(self) -> None:
        """Remove the queue with its messages."""
        self._transport.owned("remove", kind="queue", name=self.name)

    def settings(self) -> dict[str, Any]:
        """The options of the queue."""
        told: dict[str, Any] = self._transport.owned("settings", queue=self.name)["settings"]
        return told

    def statistics(self) -> RemoteStatistics:
        """How the queue stands."""
        for row in self._transport.owned("queues", prefix=self.name, limit=1)["items"]:
            if row["name"] == self.name:
                counts = (row["visible"], row["in_flight"], row["delayed"])
                return RemoteStatistics(*counts, row["oldest_age"])
        raise errors.QueueDoesNotExist(f"There is no queue {self.name!r}.")

    def __repr__(self) -> str:
        return f"<RemoteQueue {self.name!r} at {self._transport.url}>"


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
