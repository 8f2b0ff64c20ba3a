"""State machines: definitions under names, with what is said of them."""

from __future__ import annotations

import uuid

from trunkline.aws.errors import ServiceError
from trunkline.aws.stepfunctions import language, settings
from trunkline.aws.stepfunctions.connecting import runtime_of
from trunkline.aws.stepfunctions.documents import (
    find_version,
    folder,
    key,
    machine_key,
    read_machine,
)
from trunkline.aws.stepfunctions.errors import invalid, no_such_machine
from trunkline.aws.stepfunctions.names import Arn, check_name, own_arn
from trunkline.aws.stepfunctions.pages import page
from trunkline.aws.stepfunctions.publishing import publish_version, remove_all
from trunkline.aws.stepfunctions.registry import operations
from trunkline.aws.stepfunctions.tags import as_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

_IDENTITY = ("definition", "type", "logging", "tracing", "encryption")
"""What a second creation has to have in common with the first one."""

_NOTHING_TO_UPDATE = (
    "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration "
    "must be specified"
)


def _check_publishing(publish: bool, description: str | None) -> None:
    if description is not None and not publish:
        raise invalid("Version description can only be set when publish is true")


@operations.add("CreateStateMachine", writes=True)
def create_state_machine(
    call: Call,
    *,
    name: str,
    definition: str,
    role_arn: str,
    type: str = "STANDARD",
    publish: bool = False,
    version_description: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
    **given: Any,
) -> dict[str, Any]:
    """Creates a state machine; the same call again has the same answer."""
    check_name(name)
    _check_publishing(publish, version_description)
    arn = Arn.parse(own_arn(call, "stateMachine", name))
    made = {
        "arn": arn.text,
        "name": name,
        "type": type,
        "definition": definition,
        "role": role_arn,
        "logging": settings.logging(given.get("logging_configuration")),
        "tracing": settings.tracing(given.get("tracing_configuration")),
        "encryption": settings.encryption(given.get("encryption_configuration")),
        "tags": as_mapping(tags),
        "revision": None,
        "versions": 0,
    }
    language.check(definition, type)
    with call.store.lock:
        kept = call.store.get(machine_key(arn))
        if kept is None:
            now = call.store.now()
            kept = {**made, "created": now, "updated": now}
            call.store.put(machine_key(arn), kept)
        elif any(kept[part] != made[part] for part in _IDENTITY):
            text = f"State Machine Already Exists: '{arn.text}'"
            raise ServiceError("StateMachineAlreadyExists", text)
        answer = {"stateMachineArn": kept["arn"], "creationDate": kept["created"]}
        if publish:
            version = publish_version(call.store, kept, version_description)
            answer["stateMachineVersionArn"] = version["arn"]
    return answer


@operations.add("UpdateStateMachine", writes=True)
def update_state_machine(
    call: Call,
    *,
    state_machine_arn: str,
    publish: bool = False,
    version_description: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Changes a state machine; a change of anything makes a new revision."""
    _check_publishing(publish, version_description)
    if not given:
        raise ServiceError("MissingRequiredParameter", _NOTHING_TO_UPDATE)
    with call.store.lock:
        kept = read_machine(call.store, state_machine_arn)
        changed = {**kept, **_changes(given)}
        if changed["definition"] != kept["definition"]:
            language.check(changed["definition"], kept["type"])
        now = call.store.now()
        if changed != kept:
            changed |= {"revision": str(uuid.uuid4()), "updated": now}
            call.store.put(machine_key(Arn.parse(state_machine_arn)), changed)
        answer: dict[str, Any] = {"updateDate": now}
        if changed["revision"] is not None:
            answer["revisionId"] = changed["revision"]
        if publish:
            version = publish_version(call.store, changed, version_description)
            answer["stateMachineVersionArn"] = version["arn"]
    return answer


def _changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the document that an update changes."""
    plain = {"definition": "definition", "role_arn": "role"}
    checked = {
        "logging_configuration": ("logging", settings.logging),
        "tracing_configuration": ("tracing", settings.tracing),
        "encryption_configuration": ("encryption", settings.encryption),
    }
    changes = {plain[name]: value for name, value in given.items() if name in plain}
    for name, (member, read) in checked.items():
        if name in given:
            changes[member] = read(given[name])
    return changes


@operations.add("DeleteStateMachine", writes=True)
def delete_state_machine(call: Call, *, state_machine_arn: str) -> None:
    """Removes a state machine with its versions and aliases; one that is not there does no harm."""
    arn = Arn.parse(state_machine_arn, "stateMachine")
    if arn.qualifier is not None:
        raise invalid(f"The resource must be an unqualified state machine ARN: '{arn.text}'")
    with call.store.lock:
        remove_all(call.store, arn)
        call.store.put(machine_key(arn), None)
    runtime_of(call.store.core).forget_functions((arn.account, arn.region, arn.name))


@operations.add("DescribeStateMachine")
def describe_state_machine(
    call: Call, *, state_machine_arn: str, included_data: str = "ALL_DATA"
) -> dict[str, Any]:
    """What a state machine is, or one of its versions."""
    arn = Arn.parse(state_machine_arn, "stateMachine")
    kept = call.store.get(key(arn.account, arn.region, "machine", arn.name))
    if kept is not None and arn.qualifier is not None:
        version = find_version(call.store, arn)
        kept = None if version is None else kept | version
    if kept is None:
        raise no_such_machine(state_machine_arn)
    told = {
        **content(kept, included_data),
        "stateMachineArn": kept["arn"],
        "status": "ACTIVE",
        "type": kept["type"],
        "creationDate": kept["created"],
    }
    if kept.get("description") is not None:
        told["description"] = kept["description"]
    return told


def content(kept: Mapping[str, Any], included_data: str = "ALL_DATA") -> dict[str, Any]:
    """What is told of the state machine of an execution too."""
    told = {
        "name": kept["name"],
        "definition": kept["definition"],
        "roleArn": kept["role"],
        "loggingConfiguration": kept["logging"],
        "tracingConfiguration": kept["tracing"],
        "encryptionConfiguration": kept["encryption"],
    }
    if included_data == "METADATA_ONLY":
        told["definition"] = "{}"
    else:
        references = language.variable_references(kept["definition"])
        if references:
            told["variableReferences"] = references
    if kept["revision"] is not None:
        told["revisionId"] = kept["revision"]
    return told


@operations.add("ListStateMachines")
def list_state_machines(
    call: Call, *, max_results: int | None = None, next_token: str | None = None
) -> dict[str, Any]:
    """The state machines of the caller, by name."""
    found = list(call.store.every(folder(call.account, call.region, "machine")))
    shown, rest = page(found, lambda one: str(one["name"]), max_results, next_token)
    machines = [
        {
            "stateMachineArn": one["arn"],
            "name": one["name"],
            "type": one["type"],
            "creationDate": one["created"],
        }
        for one in shown
    ]
    return {"stateMachines": machines, **rest}
