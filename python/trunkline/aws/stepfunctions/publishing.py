"""How versions are made and removed; the operations on them are in ``versions``."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import STATE_MACHINE_VERSIONS_MAX
from trunkline.aws.stepfunctions.documents import folder, key, version_key
from trunkline.aws.stepfunctions.names import Arn, arn_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.store import Store

_SNAPSHOT = ("definition", "role", "logging", "tracing", "encryption", "revision")
"""What a version keeps of its state machine."""


def versions_of(store: Store, arn: Arn) -> list[dict[str, Any]]:
    """The versions of a state machine, by number."""
    return list(store.every(folder(arn.account, arn.region, "version", arn.name)))


def aliases_of(store: Store, arn: Arn) -> list[dict[str, Any]]:
    """The aliases of a state machine, by name."""
    return list(store.every(folder(arn.account, arn.region, "alias", arn.name)))


def publish_version(
    store: Store, machine: Mapping[str, Any], description: str | None
) -> dict[str, Any]:
    """Makes a version of the current revision, unless the newest version is of it already."""
    arn = Arn.parse(machine["arn"])
    earlier = versions_of(store, arn)
    if earlier and earlier[-1]["revision"] == machine["revision"]:
        return earlier[-1]
    if len(earlier) >= STATE_MACHINE_VERSIONS_MAX:
        text = f"A state machine may have at most {STATE_MACHINE_VERSIONS_MAX} versions."
        raise ServiceError("ServiceQuotaExceededException", text)
    # Numbers are never used again: the state machine counts them.
    number = machine["versions"] + 1
    version = {
        "arn": arn_of(arn.account, arn.region, "stateMachine", arn.name, str(number)),
        "number": number,
        "description": description,
        "created": store.now(),
        **{part: machine[part] for part in _SNAPSHOT},
    }
    store.put(version_key(arn.account, arn.region, arn.name, number), version)
    store.put(key(arn.account, arn.region, "machine", arn.name), {**machine, "versions": number})
    return version


def remove_all(store: Store, arn: Arn) -> None:
    """Removes the versions and the aliases of a state machine."""
    for version in versions_of(store, arn):
        store.put(version_key(arn.account, arn.region, arn.name, version["number"]), None)
    for alias in aliases_of(store, arn):
        store.put(key(arn.account, arn.region, "alias", arn.name, alias["name"]), None)
