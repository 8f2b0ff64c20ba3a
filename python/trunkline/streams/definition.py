"""Getting a stream, or creating it."""

from __future__ import annotations

from trunkline import validation
from trunkline.errors import ResourceInUse, ResourceNotFound
from trunkline.streams import arguments
from trunkline.streams.stream import Stream, retention_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Stream as CoreStream
    from trunkline._types import Seconds
    from trunkline.streams.verbs import StreamVerbs

SHARDS = 1
"""Shards of a stream that does not say how many."""

RETENTION = 86_400
"""Seconds that a stream keeps records if it does not say."""


def get_or_create(
    engine: StreamVerbs,
    full_name: tuple[str, str, str],
    shards: int | None,
    retention: Seconds | None,
    create: bool,
) -> Stream:
    """The stream of this name; options that are given have to be those of one that exists."""
    limits, core = engine.limits, engine._core
    arguments.name(full_name[2], "stream")
    validation.flag(create, "create")
    if shards is not None:
        validation.count(shards, "shards", 1, limits.stream_shards_max)
    span = None if retention is None else retention_of(retention, limits)
    # Asked before the lock, which a forked child may find held by a thread that it has not.
    core.check_open()
    with engine._defining:
        existing = core.find_stream(full_name)
        if existing is not None:
            _compare(existing, shards, span)
            return Stream(engine, existing)
        if not create:
            account, _, name = full_name
            raise ResourceNotFound(f"Stream {name} under account {account} not found.")
        span = retention_of(RETENTION, limits) if span is None else span
        return Stream(engine, core.create_stream(full_name, shards or SHARDS, span))


def _compare(existing: CoreStream, shards: int | None, retention: int | None) -> None:
    for option, wanted, there, verb in (
        ("shards", shards, existing.open_shards, "resize()"),
        ("retention", retention, existing.retention, "configure()"),
    ):
        if wanted not in (None, there):
            raise ResourceInUse(
                f"A stream already exists with the same name and a different value for {option}; "
                f"leave the option out, or change the stream with {verb}."
            )
