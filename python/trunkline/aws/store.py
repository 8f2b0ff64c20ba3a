"""What operations keep and look things up in: the engine, and its documents as JSON."""

from __future__ import annotations

import json
from _thread import RLock

from trunkline._core import WireStore
from trunkline.limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from trunkline._core import Bus, Topic
    from trunkline._core import Engine as CoreEngine

_BATCH = 128
"""How many documents are read at a time: little more than the usual page of a list."""


class Store:
    """One engine as the control plane of one service sees it."""

    def __init__(self, core: CoreEngine) -> None:
        self.core = core
        self._wire = WireStore(core)
        self._forgotten_until = 0.0
        # What works for the service in the background, once it was needed.
        self.background: dict[str, Any] = {}
        # Operations read, decide and write: two of one service must not interleave.
        self.lock: RLock = RLock()

    def now(self) -> float:
        """The engine's time, in seconds since the epoch."""
        return self.core.now()

    def lasts(self, until: float) -> bool:
        """Whether a change that is over at `until` goes on. None takes longer than the limit
        ``stream_change_duration``: a clock that was ahead has written a later end."""
        now = self.now()
        return now < until <= now + self.seconds("stream_change_duration")

    def is_recent(self, moment: float | None, seconds: float) -> bool:
        """Whether something happened within the last `seconds`. What lies ahead was written by a
        clock that was ahead, and counts no more."""
        return moment is not None and moment <= self.now() < moment + seconds

    def limit(self, name: str) -> int:
        """A bound of the engine; times are in milliseconds."""
        return self.core.limits()[name]

    def seconds(self, limit: str) -> float:
        """A bound of the engine that is a time, in seconds."""
        return self.limit(limit) / 1_000

    @property
    def limits(self) -> Limits:
        """The bounds of the engine."""
        return Limits(**self.core.limits())

    def get(self, key: str) -> dict[str, Any] | None:
        """The document under `key`."""
        data = self._wire.document(key)
        return None if data is None else dict(json.loads(data))

    def raw(self, key: str) -> bytes | None:
        """The document under `key` as it is kept: JSON."""
        return self._wire.document(key)

    def put(self, key: str, value: dict[str, Any] | None) -> None:
        """Stores a document under `key`; None removes it."""
        data = None if value is None else json.dumps(value, separators=(",", ":")).encode()
        self._wire.put_document(key, data)

    def sign_notification(
        self, topic: tuple[str, str, str], fields: list[tuple[str, str]]
    ) -> tuple[int, str, str] | None:
        """A signature: version, value, address of the certificate; None where nothing signs."""
        return self._wire.sign_notification(topic, fields)

    def page(
        self,
        prefix: str,
        *,
        after: str | None = None,
        limit: int,
        keep: Callable[[dict[str, Any]], bool] = lambda _: True,
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Up to `limit` documents below `prefix` that `keep` holds for, in order of their keys.

        The second value is where the next page goes on: its `after`, the rest of a key. None says
        that there is no further document. Only what is shown is read.
        """
        found: list[dict[str, Any]] = []
        cursor = None if after is None else prefix + after
        last = after
        while True:
            # One more than is shown, to know whether there is another page.
            wanted = limit - len(found) + 1
            batch = self._wire.page(prefix, cursor, wanted)
            for key, data in batch:
                document = dict(json.loads(data))
                if not keep(document):
                    continue
                if len(found) == limit:
                    return found, last
                found.append(document)
                last = key[len(prefix) :]
            if len(batch) < wanted:
                return found, None
            cursor = batch[-1][0]

    def every(
        self, prefix: str, start: str = "", after: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """The documents below `prefix`, sorted by the rest of their keys: the part behind `prefix`.

        Only those whose rest starts with `start` and comes behind `after`. They are read a batch
        at a time, as they are asked for.
        """
        cursor = None if after is None else prefix + after
        while batch := self._wire.page(prefix + start, cursor, _BATCH):
            for _, data in batch:
                yield dict(json.loads(data))
            cursor = batch[-1][0]

    def topics(
        self, account: str, region: str, prefix: str = "", after: str | None = None
    ) -> Iterator[Topic]:
        """The topics whose name starts with `prefix` and comes behind `after`, sorted, as `every`
        reads documents."""
        while batch := self._wire.topic_page((account, region), prefix, after, _BATCH):
            yield from batch
            after = batch[-1].name

    def buses(
        self, account: str, region: str, prefix: str = "", after: str | None = None
    ) -> Iterator[Bus]:
        """The same for event buses."""
        while batch := self._wire.bus_page((account, region), prefix, after, _BATCH):
            yield from batch
            after = batch[-1].name

    def archives(
        self, owner: tuple[str, str], prefix: str, after: str | None, limit: int, bus: Bus | None
    ) -> list[tuple[Bus, dict[str, Any]]]:
        """Up to `limit` archives of an account and region, of one bus or of all, in order of their
        names: those that start with `prefix` and come behind `after`. Each comes with its bus."""
        id = None if bus is None else bus.id
        return self._wire.archive_page(owner, prefix, after, limit, id)

    def replays(
        self,
        owner: tuple[str, str],
        prefix: str,
        after: str | None,
        limit: int,
        state: str | None = None,
        archive: str | None = None,
    ) -> list[tuple[Bus, str, dict[str, Any]]]:
        """The same for replays, in one state or all, of the archive of this name or of all; each
        with its bus and the name of its archive."""
        return self._wire.replay_page(owner, prefix, after, limit, state, archive)

    def removed_at(self, name: tuple[str, str, str]) -> float | None:
        """When the queue of this name was removed, if nothing was reset since."""
        at = self._wire.removed_at(name)
        return None if at is None or at <= self._forgotten_until else at

    def purged_at(self, queue_id: int) -> float | None:
        """When the queue was last purged."""
        return self._wire.purged_at(queue_id)

    def flush(self) -> None:
        """Waits until all changes are as durable as the engine promises."""
        if self.core.durability == "disk":
            self.core.flush()

    def reset(self) -> None:
        """Names that were removed until now are free again."""
        self._forgotten_until = self.now()
