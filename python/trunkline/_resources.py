"""Finds what the core names by its id."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.buses.bus import Bus
    from trunkline.engine import Engine
    from trunkline.functions.function import Function
    from trunkline.machines.machine import StateMachine
    from trunkline.queues.queue import Queue
    from trunkline.streams.stream import Stream


def find_target(engine: Engine, id: int) -> Queue | Stream | Bus | StateMachine | Function | None:
    """What delivers to this id, if it is still there."""
    kind, *rest = engine._core.name_of(id) or ("",)
    name: Any = tuple(rest)
    if kind == "queue" and not name[1]:
        from trunkline.functions.function import find_function
        from trunkline.machines.destination import of_destination

        machine = of_destination(name[2])
        if machine is not None:
            from trunkline.machines.machine import find

            return find(engine._core, machine, None)

        return find_function(engine, name[2])
    if kind == "queue" and (queue := engine._core.queue_by_id(id)) is not None:
        from trunkline.queues.queue import Queue

        return Queue(engine, queue)
    if kind == "stream" and (stream := engine._core.find_stream(name)) is not None:
        from trunkline.streams.stream import Stream

        return Stream(engine, stream)
    if kind == "bus" and (bus := engine._core.bus(name, False)) is not None:
        from trunkline.buses.bus import Bus

        return Bus(engine, bus)
    return None
