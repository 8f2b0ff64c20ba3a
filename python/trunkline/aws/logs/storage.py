"""How groups, streams and events are kept: documents, and one stream of the engine a group.

A stream of a group is a document with a number; its events name the number. So a stream that was
removed, and one of the same name that came later, have no events in common. A record with another
key than :data:`EVENTS` was delivered by a rule; its body is the event.
"""

from __future__ import annotations

import hashlib
import json
from uuid import uuid4

from trunkline._begun import begun
from trunkline._dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from trunkline._core import Engine, Stream
    from trunkline.aws.operation import Call

EVENTS = "log-events"
"""The partition key of events that PutLogEvents put."""

DELIVERED = "events"
"""The log stream of what rules deliver."""

_BATCH = 1_000


def place_of(account: str, region: str, group: str) -> tuple[str, str, str]:
    """The full name of a group's stream: in a region of its own, so that no name is taken."""
    digest = hashlib.sha256(group.encode()).hexdigest()
    return account, f"logs.{region}", digest


def group_key(call: Call, name: str) -> str:
    """The key of a group's document."""
    return f"logs/{call.region}/{call.account}/groups/{name}"


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event as it is kept."""

    timestamp: int
    sequence: str
    ingested: int
    stream: str
    message: str

    @property
    def position(self) -> tuple[int, str]:
        """Where it stands among the events of its group."""
        return self.timestamp, self.sequence.zfill(60)


@dataclass(slots=True)
class LogGroup:
    """A group of one account and region."""

    call: Call
    document: dict[str, Any]
    stream: Stream

    @classmethod
    def find(cls, call: Call, name: str) -> LogGroup | None:
        """The group of this name."""
        document = call.store.get(group_key(call, name))
        stream = call.store.core.find_stream(place_of(call.account, call.region, name))
        return None if document is None or stream is None else cls(call, document, stream)

    @classmethod
    def create(cls, call: Call, document: dict[str, Any]) -> None:
        """Creates a group that is not there. The stream of an earlier one may be left."""
        core: Engine = call.store.core
        place = place_of(call.account, call.region, document["name"])
        left = core.find_stream(place)
        if left is not None:
            left.remove()
        core.create_stream(place, 1, call.store.limit("stream_retention_max"))
        call.store.put(group_key(call, document["name"]), document)

    def change(self, **values: Any) -> None:
        """Changes values of the document."""
        self.document |= values
        self.call.store.put(group_key(self.call, self.document["name"]), self.document)

    def remove(self) -> None:
        """Removes the group with all that is in it."""
        self.call.store.put(group_key(self.call, self.document["name"]), None)
        for document in list(self.call.store.every(self.stream_key(""))):
            self.call.store.put(self.stream_key(document["name"]), None)
        self.stream.remove()

    def stream_key(self, name: str) -> str:
        """The key of a stream's document. No group has a colon in its name."""
        place = f"logs/{self.call.region}/{self.call.account}/streams"
        return f"{place}/{self.document['name']}:{name}"

    def find_stream(self, name: str) -> dict[str, Any] | None:
        """The document of a stream."""
        return self.call.store.get(self.stream_key(name))

    def put_stream(self, name: str) -> None:
        """Creates a stream that is not there."""
        document = {"name": name, "created": self.call.store.now(), "number": uuid4().hex}
        self.call.store.put(self.stream_key(name), document)

    def put(self, stream: dict[str, Any], events: Iterable[tuple[int, str]]) -> None:
        """Adds events, timestamp and message, to a stream."""
        records = [
            (EVENTS, json.dumps([stream["number"], timestamp, message]))
            for timestamp, message in events
        ]
        begun(self.stream.begin_put_batch, records)

    def events(self) -> list[LogEvent]:
        """All events of streams that are there, by time."""
        names = {
            document["number"]: document["name"]
            for document in self.call.store.every(self.stream_key(""))
        }
        found: list[LogEvent] = []
        after = None
        while True:
            batch = self.stream.read(None, "earliest", after, _BATCH, 0)
            for record in batch:
                at = int(record.timestamp * 1_000)
                if record.key != EVENTS:
                    event = LogEvent(at, record.sequence, at, DELIVERED, record.text())
                    found.append(event)
                    continue
                number, timestamp, message = json.loads(record.data)
                if number in names:
                    name = names[number]
                    found.append(LogEvent(timestamp, record.sequence, at, name, message))
            if len(batch) < _BATCH:
                return sorted(found, key=lambda event: event.position)
            after = batch[len(batch) - 1].sequence
