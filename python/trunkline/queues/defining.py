"""Creates queues and changes their options. The caller holds the engine's lock of definitions."""

from __future__ import annotations

from trunkline._core import QueueSettings
from trunkline._waiting import create_queue
from trunkline.errors import QueueDoesNotExist, QueueNameExists
from trunkline.queues import options as queue_options
from trunkline.queues.metadata import encode_metadata, read_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Queue as CoreQueue
    from trunkline.limits import Limits


def get_or_create(
    engine: CoreEngine,
    limits: Limits,
    full_name: tuple[str, str, str],
    fifo: bool,
    wanted: dict[str, Any],
    *,
    create: bool,
) -> CoreQueue:
    """The queue of this name, whose options are compared with those that are wanted.

    Raises QueueDoesNotExist without `create`, and QueueNameExists for an option that differs.
    """
    account, region, name = full_name
    existing = engine.find_queue(full_name)
    if existing is None and not create:
        raise QueueDoesNotExist(f"There is no queue {name!r}; check the name, or create it first.")
    if existing is not None and not wanted:
        return existing

    def find(other: str) -> CoreQueue | None:
        return engine.find_queue((account, region, other))

    if existing is not None:
        wanted = queue_options.complete(wanted, existing, engine)
    settings = queue_options.to_settings(wanted, fifo, limits, find, name)
    allowed = queue_options.redrive_allow(wanted.get("redrive_allow"), limits)
    if existing is None:
        settings = {**queue_options.defaults(fifo, limits), **settings}
        try:
            return create_queue(engine, full_name, settings, {"redrive_allow": allowed})
        except QueueNameExists:
            # Another surface of this engine was faster.
            existing = engine.find_queue(full_name)
            if existing is None:
                raise
    queue_options.compare(existing.settings, settings, wanted)
    if "redrive_allow" in wanted:
        queue_options.compare_redrive(read_metadata(existing).get("redrive_allow"), allowed)
    return existing


def configure(engine: CoreEngine, limits: Limits, core: CoreQueue, wanted: dict[str, Any]) -> None:
    """Changes the options of a queue that are given."""

    def find(other: str) -> CoreQueue | None:
        return engine.find_queue((core.account, core.region, other))

    wanted = queue_options.complete(wanted, core, engine)
    settings = queue_options.to_settings(wanted, core.fifo, limits, find, core.name)
    current = queue_options.as_dict(core.settings)
    document = read_metadata(core)
    if "redrive_allow" in wanted:
        allowed = queue_options.redrive_allow(wanted["redrive_allow"], limits)
        document["redrive_allow"] = allowed
    changed = QueueSettings(**{**current, **settings})
    core.configure(changed, encode_metadata(document))
