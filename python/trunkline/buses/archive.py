"""Archives of an event bus, and replays of what they keep."""

from __future__ import annotations

import json

from trunkline import _replays
from trunkline.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from trunkline.buses.bus import Bus
    from trunkline.buses.rule import Rule


class Archive:
    """Events of a bus that are kept, to be replayed; :meth:`Bus.archive` makes it.

    >>> import datetime, trunkline
    >>> engine = trunkline.open()
    >>> bus, queue = engine.bus(), engine.queue("orders")
    >>> archive = bus.archive("all")
    >>> put = bus.put({"source": "shop", "detail-type": "Order", "detail": {"id": 7}})
    >>> rule = bus.rule("late", {"source": ["shop"]}, queue)
    >>> archive.replay().wait(timeout=10)
    'COMPLETED'
    >>> queue.receive()[0].json()["detail"]
    {'id': 7}
    """

    __slots__ = {"bus": "The bus of the archive.", "name": "The name, unique in its bus."}

    bus: Bus
    name: str

    def __init__(self, bus: Bus, name: str) -> None:
        self.bus = bus
        self.name = name

    @property
    def pattern(self) -> dict[str, Any] | None:
        """Which events are kept, as a dict; None for all."""
        text = self._read()["pattern"]
        return None if text is None else json.loads(text)

    @property
    def retention(self) -> float | None:
        """For how many seconds events are kept; None for ever."""
        retention: float | None = self._read()["retention"]
        return retention

    @property
    def events(self) -> int:
        """How many events are kept now.

        >>> import trunkline
        >>> trunkline.open().bus().archive("all").events
        0
        """
        events: int = self._read()["events"]
        return events

    @property
    def created_at(self) -> float:
        """When the archive was created, in seconds since the epoch."""
        created: float = self._read()["created_at"]
        return created

    def replay(
        self,
        start: datetime | float | None = None,
        end: datetime | float | None = None,
        *,
        rules: Iterable[Rule | str] | None = None,
        name: str | None = None,
    ) -> Replay:
        """Put the events that came from `start` on and before `end` on the bus again, in order.

        A time is a datetime with a time zone, or seconds since the epoch; without one the span has
        no bound. The events go to all rules, or to `rules`. Each has the name of the replay as its
        ``replay-name``, and is not archived again. A replay goes on after a restart; a crash has
        some events replayed twice.

        Raises InvalidParameterValue for a span without time in it and for a name that another
        replay has, OverLimit while ten replays run, ResourceNotFound for a rule that is gone.

        >>> import trunkline
        >>> archive = trunkline.open().bus().archive("all")
        >>> archive.replay(start=0, end=86_400, name="first-day").wait(timeout=10)
        'COMPLETED'
        """
        first = 0 if start is None else _replays.moment(start, "start")
        last = _replays.FOREVER_MS if end is None else _replays.moment(end, "end")
        names = None
        if rules is not None:
            names = [rule if isinstance(rule, str) else rule.name for rule in rules]
        archives = self.bus._core.archives()
        return Replay(self, archives.start_replay(self.name, name, first, last, names))

    def replays(self) -> list[Replay]:
        """The replays of this archive, newest first.

        >>> import trunkline
        >>> trunkline.open().bus().archive("all").replays()
        []
        """
        listed = self.bus._core.archives().replays(self.name)
        return [Replay(self, status["id"]) for status in listed]

    def remove(self) -> None:
        """Remove the archive with its events.

        >>> import trunkline
        >>> bus = trunkline.open().bus()
        >>> bus.archive("all").remove()
        >>> bus.archives()
        []
        """
        self.bus._core.archives().remove(self.name)

    def _read(self) -> dict[str, Any]:
        return self.bus._core.archives().find(self.name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Archive):
            return NotImplemented
        return (self.bus, self.name) == (other.bus, other.name)

    def __hash__(self) -> int:
        return hash((self.bus, self.name))

    def __repr__(self) -> str:
        return f"<Archive {self.name!r} of {self.bus.name!r}>"


class Replay(_replays.ReplayState):
    """A replay that :meth:`Archive.replay` has started. Reads the truth when asked.

    >>> import trunkline
    >>> replay = trunkline.open().bus().archive("all").replay(name="again")
    >>> replay.wait(timeout=10), replay.name, replay.replayed
    ('COMPLETED', 'again', 0)
    """

    __slots__ = {"_id": "", "archive": "The archive of the replay."}

    archive: Archive

    def __init__(self, archive: Archive, id: int) -> None:
        self.archive = archive
        self._id = id

    @property
    def name(self) -> str:
        """The name: the ``replay-name`` of its events."""
        name: str = self._read()["name"]
        return name

    def cancel(self) -> None:
        """Stop putting events. One that has ended is left as it is."""
        self.archive.bus._core.archives().cancel_replay(self._id)

    def _read(self) -> dict[str, Any]:
        return self.archive.bus._core.archives().replay(self._id)

    def __repr__(self) -> str:
        try:
            now = self._read()
        except NotFound:
            return "<Replay, removed>"
        return f"<Replay {now['name']!r}: {now['status']}, {now['replayed']} events>"
