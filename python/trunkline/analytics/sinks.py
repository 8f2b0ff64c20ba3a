"""Where results go: a stream, a queue or a bus."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from trunkline.errors import InvalidParameterValue, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from trunkline.engine import Engine

SOURCE = "trunkline.analytics"
"""The source of the events that a bus gets."""

_ENTRIES = 10
_READ = 1_000


def plain(value: Any) -> Any:
    """A value of a row as JSON has it.

    >>> plain(datetime(2026, 1, 2, 3, 4))
    '2026-01-02T03:04:00Z'
    """
    if isinstance(value, datetime):
        at = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def text_of(row: dict[str, Any]) -> str:
    """A row as a line of JSON."""
    return json.dumps(row, default=plain)


class Sink:
    """A target of results."""

    def __init__(self, engine: Engine, target: object, name: str, key: str | None) -> None:
        from trunkline.buses.bus import Bus
        from trunkline.queues.queue import Queue
        from trunkline.streams.stream import Stream

        self._target: Any = getattr(target, "sync", target)
        self._name, self._key = name, key
        kinds: list[tuple[type, Callable[[Sequence[str], str], None]]] = [
            (Stream, self._to_stream),
            (Queue, self._to_queue),
            (Bus, self._to_bus),
        ]
        found = next((send for kind, send in kinds if isinstance(self._target, kind)), None)
        if found is None:
            raise TypeError(f"a target must be a Stream, a Queue or a Bus, not {type(target)}")
        if self._target._engine is not engine:
            raise InvalidParameterValue("A target of a query must be of the query's engine.")
        self.send = found
        self._is_stream = isinstance(self._target, Stream)

    def _key_of(self, text: str) -> str:
        row = json.loads(text)
        value = row.get(self._key) if self._key else next(iter(row.values()), None)
        return (value if isinstance(value, str) else json.dumps(value))[:256] or "-"

    def _to_stream(self, texts: Sequence[str], id: str) -> None:
        if texts:
            self._target.put_batch([(self._key_of(text), text) for text in texts])

    def _to_queue(self, texts: Sequence[str], id: str) -> None:
        is_fifo = self._target.name.endswith(".fifo")
        for number, text in enumerate(texts):
            given = {"group": self._key_of(text), "dedup_id": f"{id}-{number}"} if is_fifo else {}
            self._target.send(text, **given)

    def _to_bus(self, texts: Sequence[str], id: str) -> None:
        for start in range(0, len(texts), _ENTRIES):
            events = [
                {"source": SOURCE, "detail-type": self._name, "detail": json.loads(text)}
                for text in texts[start : start + _ENTRIES]
            ]
            self._target.put_batch(events)

    def has(self, texts: Sequence[str], since: float) -> bool:
        """Whether results were put although that could not be noted. Only a stream can tell: it
        takes all of them in one step."""
        if not self._is_stream or not texts:
            return False
        wanted = texts[0].encode()
        for shard in self._target.shards():
            start: Any = datetime.fromtimestamp(since, UTC)
            batch = self._target.read(shard.id, start, _READ)
            while len(batch):
                if any(record.data == wanted for record in batch):
                    return True
                batch = self._target.read(shard.id, max=_READ, after=batch[len(batch) - 1].sequence)
        return False


def find_target(engine: Engine, name: str) -> object:
    """The stream, the queue or the bus of a name: there has to be one of them."""
    found: list[object] = []
    for verb in (engine.stream, engine.queue, engine.bus):
        try:
            found.append(verb(name, create=False))
        except TrunklineError:
            continue
    if len(found) != 1:
        raise InvalidParameterValue(
            f"Value for parameter sql is invalid. Reason: {len(found)} streams, queues and buses "
            f"have the name {name}. Name the target in targets."
        )
    return found[0]
