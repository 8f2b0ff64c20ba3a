"""Members of readers that a connection joined: they are held between its calls."""

from __future__ import annotations

from time import monotonic

from trunkline._per_engine import PerEngine
from trunkline.errors import LeaseLost, OverLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import RecordBatch
    from trunkline.streams.reader import Reader

IDLE_SECONDS = 3_600.0
"""How long a member is held that nothing asks for; its lease has ended long before, usually."""

MEMBERS_MAX = 10_000
"""The most members that are held for connections."""

BATCHES_MAX = 1_000
"""The most batches of a member that are fetched and not committed."""


class Batch:
    """A batch that was fetched: the connection names it by its number."""

    def __init__(self, number: int, records: RecordBatch) -> None:
        self.number = number
        self.records = records


class Held:
    """A member that is held."""

    def __init__(self, stream: str, reader: Reader) -> None:
        self.stream = stream
        self.reader = reader
        self.used_at = monotonic()
        self._batches: dict[int, RecordBatch] = {}
        self._last = 0

    def fetch(self, max: int = 500, wait: float = 0) -> Batch:
        """The next records."""
        if len(self._batches) >= BATCHES_MAX:
            raise OverLimit(
                f"{BATCHES_MAX} batches of the reader are not committed; commit the last one, "
                "which commits those before it."
            )
        found = self.reader.fetch(max, wait)
        self._last += 1
        if len(found):
            self._batches[self._last] = found
        return Batch(self._last, found)

    def commit(self, number: int) -> None:
        """Commit a batch, and with it those that were fetched before it."""
        batch = self._batches.get(number)
        if batch is None:
            return
        self.reader.commit(batch)
        for one in [one for one in self._batches if one <= number]:
            del self._batches[one]

    def close(self) -> None:
        """Leave the reader."""
        self.reader.close()


class _Members:
    def __init__(self, _core: Any) -> None:
        self._held: dict[int, Held] = {}
        self._last = 0

    def hold(self, stream: str, reader: Reader) -> int:
        now = monotonic()
        for number, one in list(self._held.items()):
            if now - one.used_at > IDLE_SECONDS:
                self.drop(number)
        if len(self._held) >= MEMBERS_MAX:
            reader.close()
            raise OverLimit(f"Connections have {MEMBERS_MAX} members of readers; close some.")
        self._last += 1
        self._held[self._last] = Held(stream, reader)
        return self._last

    def find(self, stream: str, number: int) -> Held:
        found = self._held.get(number)
        if found is None or found.stream != stream:
            raise LeaseLost("The reader was closed, or the server began anew; join it again.")
        found.used_at = monotonic()
        return found

    def drop(self, number: int) -> None:
        held = self._held.pop(number, None)
        if held is not None:
            held.close()


MEMBERS = PerEngine(_Members)
"""The members that connections of an engine's servers joined."""
