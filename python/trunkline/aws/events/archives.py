"""Archives of event buses: create, describe, update, list, delete.

The engine keeps an archive with its bus. EventBridge names archives without their bus, so a name is
looked for on all buses of the caller.
"""

from __future__ import annotations

from trunkline import patterns
from trunkline.aws.events import stored
from trunkline.aws.events.errors import already_exists, invalid, not_found
from trunkline.aws.events.names import bus_arn, bus_of_arn, write_arn
from trunkline.aws.events.pages import page, start
from trunkline.aws.events.registry import operations
from trunkline.aws.events.replay_store import forget_replays
from trunkline.aws.limits import DAY_SECONDS
from trunkline.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Bus
    from trunkline.aws.operation import Call

_ENABLED = "ENABLED"


def archive_arn(bus: Bus, name: str) -> str:
    """The resource name of an archive."""
    return write_arn(bus.account, bus.region, f"archive/{name}")


def find_archive(call: Call, name: str) -> tuple[Bus, dict[str, Any]] | None:
    """The archive of this name, with its bus."""
    # Of the names that start with it, it is the first.
    found = call.store.archives((call.account, call.region), name, None, 1, None)
    return found[0] if found and found[0][1]["name"] == name else None


def _require(call: Call, name: str) -> tuple[Bus, dict[str, Any]]:
    found = find_archive(call, name)
    if found is None:
        raise not_found(f"Archive {name} does not exist.")
    return found


def _retention(days: int | None) -> int | None:
    """The milliseconds of so many days; none of them is for ever."""
    return days * DAY_SECONDS * 1_000 if days else None


def _made(bus: Bus, archive: dict[str, Any]) -> dict[str, Any]:
    return {
        "ArchiveArn": archive_arn(bus, archive["name"]),
        "State": _ENABLED,
        "CreationTime": archive["created_at"],
    }


@operations.add("CreateArchive", writes=True)
def create_archive(
    call: Call,
    *,
    archive_name: str,
    event_source_arn: str,
    description: str | None = None,
    event_pattern: str | None = None,
    retention_days: int | None = None,
    kms_key_identifier: str | None = None,
) -> dict[str, Any]:
    """Creates an archive of a bus."""
    if event_pattern:
        patterns.compile(event_pattern)
    kept = {"description": description, "kms_key": kms_key_identifier}
    with call.store.lock:
        bus = bus_of_arn(call, event_source_arn, "EventSourceArn")
        if find_archive(call, archive_name) is not None:
            raise already_exists(f"Archive {archive_name} already exists.")
        archive = bus.archives().get_or_create(
            archive_name,
            event_pattern or None,
            _retention(retention_days),
            stored.write(b"", kept),
        )
    return _made(bus, archive)


@operations.add("UpdateArchive", writes=True)
def update_archive(
    call: Call,
    *,
    archive_name: str,
    description: str | None = None,
    event_pattern: str | None = None,
    retention_days: int | None = None,
    kms_key_identifier: str | None = None,
) -> dict[str, Any]:
    """Changes what is given of an archive; its events stay."""
    if event_pattern is None and retention_days is None and description is None:
        raise invalid(
            "At least one of EventPattern, RetentionDays or Description must be provided."
        )
    if event_pattern:
        patterns.compile(event_pattern)
    given = {"description": description, "kms_key": kms_key_identifier}
    with call.store.lock:
        bus, archive = _require(call, archive_name)
        kept = stored.read(archive["document"])
        kept |= {name: value for name, value in given.items() if value is not None}
        retention = _retention(retention_days)
        if retention_days is None and archive["retention"] is not None:
            retention = int(archive["retention"] * 1_000)
        bus.archives().configure(
            archive_name,
            archive["pattern"] if event_pattern is None else event_pattern or None,
            retention,
            stored.write(archive["document"], kept),
        )
    return _made(bus, archive)


def _summary(bus: Bus, archive: dict[str, Any]) -> dict[str, Any]:
    retention = archive["retention"]
    return {
        "ArchiveName": archive["name"],
        "EventSourceArn": bus_arn(bus),
        "State": _ENABLED,
        "RetentionDays": 0 if retention is None else int(retention // DAY_SECONDS),
        "SizeBytes": bus.archives().size(archive["name"]),
        "EventCount": archive["events"],
        "CreationTime": archive["created_at"],
    }


@operations.add("DescribeArchive")
def describe_archive(call: Call, *, archive_name: str) -> dict[str, Any]:
    """An archive with everything that it has."""
    bus, archive = _require(call, archive_name)
    kept = stored.read(archive["document"])
    return _summary(bus, archive) | {
        "ArchiveArn": archive_arn(bus, archive_name),
        "Description": kept.get("description"),
        "EventPattern": archive["pattern"],
        "KmsKeyIdentifier": kept.get("kms_key"),
    }


@operations.add("ListArchives")
def list_archives(
    call: Call,
    *,
    name_prefix: str = "",
    event_source_arn: str | None = None,
    state: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The archives of the caller, sorted by name."""
    if [bool(name_prefix), event_source_arn is not None, state is not None].count(True) > 1:
        raise invalid(
            "At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, "
            "or NamePrefix."
        )
    only = None
    if event_source_arn is not None:
        only = bus_of_arn(call, event_source_arn, "EventSourceArn")
    owner, span = (call.account, call.region), start(limit, next_token)
    found = (
        call.store.archives(owner, name_prefix, *span, only) if state in (None, _ENABLED) else []
    )
    shown, rest = page(found, lambda one: str(one[1]["name"]), limit, next_token)
    return {"Archives": [_summary(bus, archive) for bus, archive in shown]} | rest


@operations.add("DeleteArchive", writes=True)
def delete_archive(call: Call, *, archive_name: str) -> dict[str, Any]:
    """Removes an archive with its events."""
    with call.store.lock:
        bus, archive = _require(call, archive_name)
        forget_replays(call, bus, archive_name)
        try:
            bus.archives().remove(archive["name"])
        except NotFound:
            raise not_found(f"Archive {archive_name} does not exist.") from None
    return {}
