"""Archives of an event bus and their replays, for asyncio."""

from __future__ import annotations

import asyncio

from trunkline.aio.replays import ReplayTwin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from trunkline.aio.buses.bus import Bus
    from trunkline.aio.buses.rule import Rule
    from trunkline.buses.archive import Archive as SyncArchive
    from trunkline.buses.archive import Replay as SyncReplay


class Archive:
    """Events of a bus that are kept; :meth:`trunkline.aio.Bus.archive` makes it.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     archive = await trunkline.aio.open().bus().archive("all")
    ...     replay = await archive.replay()
    ...     return await replay.wait(timeout=10)
    >>> asyncio.run(main())
    'COMPLETED'
    """

    __slots__ = {"bus": "The bus of the archive.", "sync": "The same archive for threads."}

    bus: Bus
    sync: SyncArchive

    def __init__(self, bus: Bus, archive: SyncArchive) -> None:
        self.bus = bus
        self.sync = archive

    @property
    def name(self) -> str:
        """The name, unique in its bus."""
        return self.sync.name

    @property
    def pattern(self) -> dict[str, Any] | None:
        """Which events are kept, as a dict; None for all."""
        return self.sync.pattern

    @property
    def retention(self) -> float | None:
        """For how many seconds events are kept; None for ever."""
        return self.sync.retention

    @property
    def events(self) -> int:
        """How many events are kept now."""
        return self.sync.events

    @property
    def created_at(self) -> float:
        """When the archive was created, in seconds since the epoch."""
        return self.sync.created_at

    async def replay(
        self,
        start: datetime | float | None = None,
        end: datetime | float | None = None,
        *,
        rules: Iterable[Rule | str] | None = None,
        name: str | None = None,
    ) -> Replay:
        """Put events on the bus again, in order. See :meth:`trunkline.Archive.replay`."""
        names = None
        if rules is not None:
            names = [rule if isinstance(rule, str) else rule.name for rule in rules]
        replay = await asyncio.to_thread(self.sync.replay, start, end, rules=names, name=name)
        return Replay(self, replay)

    def replays(self) -> list[Replay]:
        """The replays of this archive, newest first."""
        return [Replay(self, replay) for replay in self.sync.replays()]

    async def remove(self) -> None:
        """Remove the archive with its events."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"


class Replay(ReplayTwin):
    """A replay that :meth:`trunkline.aio.Archive.replay` has started."""

    __slots__ = {"archive": "The archive of the replay.", "sync": "The same replay for threads."}

    archive: Archive
    sync: SyncReplay

    def __init__(self, archive: Archive, replay: SyncReplay) -> None:
        self.archive = archive
        self.sync = replay

    @property
    def name(self) -> str:
        """The name: the ``replay-name`` of its events."""
        return self.sync.name

    async def cancel(self) -> None:
        """Stop putting events. One that has ended is left as it is."""
        await asyncio.to_thread(self.sync.cancel)
