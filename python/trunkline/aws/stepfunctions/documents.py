"""Where state machines, versions, aliases and activities are kept: documents of the engine."""

from __future__ import annotations

from trunkline.aws.stepfunctions.errors import no_such_machine
from trunkline.aws.stepfunctions.names import Arn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.store import Store

PREFIX = "states/"
"""The start of all keys."""

# Version numbers are written with so many digits in keys, so that keys sort as numbers do.
_VERSION_FORMAT = "010d"


def folder(account: str, region: str, kind: str, *names: str) -> str:
    """The start of the keys of one kind: ``machine``, ``version``, ``alias`` or ``activity``."""
    return PREFIX + "/".join((account, region, kind, *names)) + "/"


def key(account: str, region: str, kind: str, *names: str) -> str:
    """Where one document is kept."""
    return folder(account, region, kind, *names)[:-1]


def version_key(account: str, region: str, machine: str, number: int) -> str:
    """Where a version is kept; keys are in the order of the numbers."""
    return key(account, region, "version", machine, f"{number:{_VERSION_FORMAT}}")


def machine_key(arn: Arn) -> str:
    """Where the state machine of a resource name is kept, whatever its qualifier."""
    return key(arn.account, arn.region, "machine", arn.name)


def find_machine(store: Store, arn: Arn) -> dict[str, Any] | None:
    """The state machine of a resource name without a qualifier."""
    return store.get(machine_key(arn)) if arn.qualifier is None else None


def read_machine(store: Store, text: str) -> dict[str, Any]:
    """The state machine of a resource name without a qualifier; raises if there is none."""
    found = find_machine(store, Arn.parse(text, "stateMachine"))
    if found is None:
        raise no_such_machine(text)
    return found


def find_version(store: Store, arn: Arn) -> dict[str, Any] | None:
    """The version that a resource name ends with."""
    qualifier = arn.qualifier or ""
    if not qualifier.isascii() or not qualifier.isdigit() or qualifier.startswith("0"):
        return None
    return store.get(version_key(arn.account, arn.region, arn.name, int(qualifier)))


def find_alias(store: Store, arn: Arn) -> dict[str, Any] | None:
    """The alias that a resource name ends with."""
    if arn.qualifier is None:
        return None
    return store.get(key(arn.account, arn.region, "alias", arn.name, arn.qualifier))
