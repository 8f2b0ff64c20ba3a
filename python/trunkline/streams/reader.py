"""A member of a reader: batches and commits."""

from __future__ import annotations

from trunkline import validation
from trunkline._core import milliseconds
from trunkline.limits import WAIT_MAX_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from trunkline._core import Member as CoreMember
    from trunkline._core import RecordBatch
    from trunkline._types import Seconds


class Reader:
    """A member of a reader; :meth:`Stream.reader` makes it. Leaves at the end of a ``with``.

    >>> import trunkline
    >>> stream = trunkline.open().stream("clicks")
    >>> put = stream.put("home", key="user-1")
    >>> with stream.reader("billing", start="earliest") as reader:
    ...     for batch in reader.batches(wait=0):
    ...         reader.commit(batch)
    >>> stream.statistics().readers
    {'billing': 0}
    """

    __slots__ = ("_core",)

    def __init__(self, core: CoreMember) -> None:
        self._core = core

    @property
    def name(self) -> str:
        """The name of the reader, which its members share."""
        return self._core.name

    def fetch(self, max: int = 500, wait: Seconds = 0) -> RecordBatch:
        """The next records of the shards that this member holds; an empty batch if none comes.

        >>> import trunkline
        >>> len(trunkline.open().stream("clicks").reader("billing").fetch())
        0
        """
        validation.count(max, "max", 1, validation.COUNT_MAX)
        return self._core.fetch(max, milliseconds(wait, "wait", 0, WAIT_MAX_MS))

    def batches(self, max: int = 500, wait: Seconds = 1) -> Iterator[RecordBatch]:
        """Batches of up to `max` records, until none comes for `wait` seconds.

        Records of one key come in the order in which they were put, whatever is split or merged.
        What is fetched and not committed comes again after a restart, or to another member.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> put = stream.put_batch([("user-1", "home"), ("user-1", "cart"), ("user-1", "paid")])
        >>> reader = stream.reader("billing", start="earliest")
        >>> [len(batch) for batch in reader.batches(max=2, wait=0)]
        [2, 1]
        """
        validation.count(max, "max", 1, validation.COUNT_MAX)
        span = milliseconds(wait, "wait", 0, WAIT_MAX_MS)
        return self._batches(max, span)

    def _batches(self, max: int, span: int) -> Iterator[RecordBatch]:
        while len(batch := self._core.fetch(max, span)):
            yield batch

    def commit(self, batch: RecordBatch) -> None:
        """Make durable that everything up to the end of `batch` was worked off.

        Batches that this member fetched before it from the same shards are committed with it.
        Raises LeaseLost if another member has taken one of its shards over; nothing is committed
        then.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> put = stream.put("home", key="user-1")
        >>> reader = stream.reader("billing", start="earliest")
        >>> reader.commit(reader.fetch())
        >>> reader.close()
        >>> len(stream.reader("billing").fetch())
        0
        """
        pending = self._core.begin_commit(batch)
        if pending is not None:
            pending.wait()

    def close(self) -> None:
        """Leave the reader: other members take the shards at once.

        What was fetched and not committed comes again to them. A second call does nothing.
        """
        self._core.leave()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Reader {self.name!r}>"
