"""Versions: revisions of a state machine under numbers, which never change."""

from __future__ import annotations

from trunkline.aws.stepfunctions.documents import find_version, read_machine, version_key
from trunkline.aws.stepfunctions.errors import conflict
from trunkline.aws.stepfunctions.names import Arn
from trunkline.aws.stepfunctions.pages import page
from trunkline.aws.stepfunctions.publishing import aliases_of, publish_version, versions_of
from trunkline.aws.stepfunctions.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("PublishStateMachineVersion", writes=True)
def publish_state_machine_version(
    call: Call,
    *,
    state_machine_arn: str,
    revision_id: str | None = None,
    description: str | None = None,
) -> dict[str, Any]:
    """Makes a version of the current revision; one that is there already is told as it is."""
    with call.store.lock:
        machine = read_machine(call.store, state_machine_arn)
        if revision_id is not None and revision_id != (machine["revision"] or "INITIAL"):
            current = machine["revision"] or "INITIAL"
            raise conflict(
                f"The current State Machine Revision ID {current} does not match the requested "
                f"Revision ID {revision_id}"
            )
        version = publish_version(call.store, machine, description)
    return {"stateMachineVersionArn": version["arn"], "creationDate": version["created"]}


@operations.add("DeleteStateMachineVersion", writes=True)
def delete_state_machine_version(call: Call, *, state_machine_version_arn: str) -> None:
    """Removes a version that no alias leads to; one that is not there does no harm."""
    arn = Arn.parse(state_machine_version_arn, "stateMachine")
    with call.store.lock:
        version = find_version(call.store, arn)
        if version is None:
            return
        users = [
            alias["name"]
            for alias in aliases_of(call.store, arn)
            if any(route["stateMachineVersionArn"] == arn.text for route in alias["routes"])
        ]
        if users:
            raise conflict(
                "Version to be deleted must not be referenced by an alias. "
                f"Current list of aliases referencing this version: [{', '.join(users)}]"
            )
        call.store.put(version_key(arn.account, arn.region, arn.name, version["number"]), None)


@operations.add("ListStateMachineVersions")
def list_state_machine_versions(
    call: Call,
    *,
    state_machine_arn: str,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The versions of a state machine, the newest first."""
    arn = Arn.parse(state_machine_arn, "stateMachine")
    found = versions_of(call.store, arn)[::-1]
    shown, rest = page(found, lambda one: str(one["number"]), max_results, next_token)
    versions = [
        {"stateMachineVersionArn": one["arn"], "creationDate": one["created"]} for one in shown
    ]
    return {"stateMachineVersions": versions, **rest}
