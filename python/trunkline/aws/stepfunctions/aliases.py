"""Aliases: names that lead to one version of a state machine, or share between two by weight."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import STATE_MACHINE_ALIASES_MAX
from trunkline.aws.stepfunctions.documents import find_alias, find_version, key, read_machine
from trunkline.aws.stepfunctions.errors import conflict, invalid
from trunkline.aws.stepfunctions.names import Arn, arn_of, check_name
from trunkline.aws.stepfunctions.pages import page
from trunkline.aws.stepfunctions.publishing import aliases_of
from trunkline.aws.stepfunctions.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

    Routes = Sequence[Mapping[str, Any]]

_ROUTES_MAX = 2
_WHOLE = 100
_OTHER_ALIAS = (
    "Failed to create alias because an alias with the same name and a different routing "
    "configuration already exists."
)


def _read_routes(call: Call, given: Routes) -> tuple[Arn, list[dict[str, Any]]]:
    """The state machine that all routes lead to, and the routes; raises for what AWS refuses."""
    if len(given) > _ROUTES_MAX:
        items = ", ".join(
            f"RoutingConfigurationListItem(stateMachineVersionArn={route['stateMachineVersionArn']}"
            f", weight={route['weight']})"
            for route in given
        )
        raise invalid(
            f"1 validation error detected: Value '[{items}]' at 'routingConfiguration' failed to "
            "satisfy constraint: Member must have length less than or equal to 2"
        )
    texts = [route["stateMachineVersionArn"] for route in given]
    arns = [Arn.parse(text, "stateMachine") for text in texts]
    received = f"Received: [{', '.join(texts)}]"
    if any(not (arn.qualifier or "").isdigit() for arn in arns):
        text = "Routing configuration must contain state machine version ARNs. "
        raise invalid(text + received)
    if len(set(texts)) < len(texts):
        text = "Routing configuration must contain distinct state machine version ARNs. "
        raise invalid(text + received)
    weights = [int(route["weight"]) for route in given]
    if sum(weights) != _WHOLE:
        text = f"Sum of routing configuration weights must equal {_WHOLE}. Received: {weights}"
        raise invalid(text)
    machine = read_machine(call.store, arns[0].unqualified)
    if any(arn.unqualified != machine["arn"] for arn in arns):
        raise invalid("Routing configuration must contain versions of one state machine.")
    for arn in arns:
        if find_version(call.store, arn) is None:
            raise ServiceError("ResourceNotFound", f"Resource not found: '{arn.text}'")
    return Arn.parse(machine["arn"]), [dict(route) for route in given]


def _key(machine: Arn, name: str) -> str:
    return key(machine.account, machine.region, "alias", machine.name, name)


@operations.add("CreateStateMachineAlias", writes=True)
def create_state_machine_alias(
    call: Call, *, name: str, routing_configuration: Routes, description: str | None = None
) -> dict[str, Any]:
    """Creates an alias; the same call again has the same answer."""
    check_name(name)
    if name.isdigit():
        raise invalid("The name of an alias cannot be a number: it would be a version's.")
    with call.store.lock:
        machine, routes = _read_routes(call, routing_configuration)
        kept = call.store.get(_key(machine, name))
        if kept is not None and (kept["routes"], kept["description"]) != (routes, description):
            raise conflict(_OTHER_ALIAS)
        if kept is None:
            if len(aliases_of(call.store, machine)) >= STATE_MACHINE_ALIASES_MAX:
                text = f"A state machine may have at most {STATE_MACHINE_ALIASES_MAX} aliases."
                raise ServiceError("ServiceQuotaExceededException", text)
            now = call.store.now()
            kept = {
                "arn": arn_of(machine.account, machine.region, "stateMachine", machine.name, name),
                "name": name,
                "description": description,
                "routes": routes,
                "created": now,
                "updated": now,
            }
            call.store.put(_key(machine, name), kept)
    return {"stateMachineAliasArn": kept["arn"], "creationDate": kept["created"]}


def _read(call: Call, text: str) -> tuple[Arn, dict[str, Any]]:
    arn = Arn.parse(text, "stateMachine")
    found = find_alias(call.store, arn)
    if found is None:
        raise ServiceError(
            "ResourceNotFound", f"Request references a resource that does not exist: '{text}'"
        )
    return arn, found


@operations.add("UpdateStateMachineAlias", writes=True)
def update_state_machine_alias(
    call: Call,
    *,
    state_machine_alias_arn: str,
    description: str | None = None,
    routing_configuration: Routes | None = None,
) -> dict[str, Any]:
    """Changes where an alias leads, or its description."""
    if description is None and routing_configuration is None:
        raise invalid("Either the description or the routingConfiguration must be specified")
    with call.store.lock:
        arn, kept = _read(call, state_machine_alias_arn)
        changed = {**kept, "updated": call.store.now()}
        if description is not None:
            changed["description"] = description
        if routing_configuration is not None:
            machine, changed["routes"] = _read_routes(call, routing_configuration)
            if machine.text != arn.unqualified:
                raise invalid("Routing configuration must contain versions of the alias's machine.")
        call.store.put(_key(arn, kept["name"]), changed)
    return {"updateDate": changed["updated"]}


@operations.add("DescribeStateMachineAlias")
def describe_state_machine_alias(call: Call, *, state_machine_alias_arn: str) -> dict[str, Any]:
    """What an alias is."""
    _, kept = _read(call, state_machine_alias_arn)
    told = {
        "stateMachineAliasArn": kept["arn"],
        "name": kept["name"],
        "routingConfiguration": kept["routes"],
        "creationDate": kept["created"],
        "updateDate": kept["updated"],
    }
    return told if kept["description"] is None else told | {"description": kept["description"]}


@operations.add("DeleteStateMachineAlias", writes=True)
def delete_state_machine_alias(call: Call, *, state_machine_alias_arn: str) -> None:
    """Removes an alias; one that is not there does no harm."""
    arn = Arn.parse(state_machine_alias_arn, "stateMachine")
    if arn.qualifier is not None:
        call.store.put(_key(arn, arn.qualifier), None)


@operations.add("ListStateMachineAliases")
def list_state_machine_aliases(
    call: Call,
    *,
    state_machine_arn: str,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The aliases of a state machine, or those that lead to one of its versions."""
    arn = Arn.parse(state_machine_arn, "stateMachine")
    read_machine(call.store, arn.unqualified)
    found = [
        alias
        for alias in aliases_of(call.store, arn)
        if arn.qualifier is None
        or any(route["stateMachineVersionArn"] == arn.text for route in alias["routes"])
    ]
    shown, rest = page(found, lambda one: str(one["name"]), max_results, next_token)
    aliases = [
        {"stateMachineAliasArn": one["arn"], "creationDate": one["created"]} for one in shown
    ]
    return {"stateMachineAliases": aliases, **rest}
