"""PutPermission and RemovePermission: statements of the policy of a bus."""

from __future__ import annotations

from trunkline._core import policy_flaw
from trunkline.aws.arns import partition
from trunkline.aws.errors import ServiceError
from trunkline.aws.events import stored
from trunkline.aws.events.errors import invalid, invalid_parameter, not_found
from trunkline.aws.events.names import DEFAULT, bus_arn, find_bus
from trunkline.aws.events.registry import operations
from trunkline.aws.json_text import read_object
from trunkline.aws.limits import BUS_POLICY_BYTES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Bus
    from trunkline.aws.operation import Call

_VERSION = "2012-10-17"


@operations.add("PutPermission", writes=True)
def put_permission(
    call: Call,
    *,
    event_bus_name: str = DEFAULT,
    action: str | None = None,
    principal: str | None = None,
    statement_id: str | None = None,
    condition: Mapping[str, str] | None = None,
    policy: str | None = None,
) -> None:
    """Adds a statement to the policy of a bus, or replaces the policy."""
    with call.store.lock:
        bus = find_bus(call)
        if policy is not None:
            if any(value is not None for value in (action, principal, statement_id, condition)):
                raise invalid("Parameter Policy cannot be combined with a statement.")
            _write(call, bus, _read_policy(policy))
            return
        for name, value in (
            ("Action", action),
            ("Principal", principal),
            ("StatementId", statement_id),
        ):
            if value is None:
                raise invalid(f"Parameter {name} must be specified.")
        statement: dict[str, Any] = {
            "Sid": statement_id,
            "Effect": "Allow",
            "Principal": _principal(call, str(principal)),
            "Action": action,
            "Resource": bus_arn(bus),
        }
        if condition is not None:
            statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
        kept = [one for one in _statements(bus) if one.get("Sid") != statement_id]
        _write(call, bus, {"Version": _VERSION, "Statement": [*kept, statement]})


def _principal(call: Call, principal: str) -> Any:
    if principal == "*":
        return principal
    return {"AWS": f"arn:{partition(call.region)}:iam::{principal}:root"}


def _read_policy(text: str) -> dict[str, Any]:
    found = read_object(text)
    if found is None:
        raise invalid_parameter("Policy", "It is no JSON object.")
    flaw = policy_flaw(text)
    if flaw is not None:
        raise invalid_parameter("Policy", flaw[1])
    return found


def _statements(bus: Bus) -> list[dict[str, Any]]:
    policy = stored.read(bus.document).get("Policy") or {}
    statements = policy.get("Statement", [])
    return [statements] if isinstance(statements, dict) else list(statements)


def _write(call: Call, bus: Bus, policy: dict[str, Any] | None) -> None:
    if policy is not None and len(stored.text(policy).encode()) > BUS_POLICY_BYTES_MAX:
        raise ServiceError(
            "PolicyLengthExceededException",
            f"The policy of event bus {bus.name} would exceed {BUS_POLICY_BYTES_MAX} bytes.",
        )
    stored.change_bus(
        bus, stored.read(bus.document) | {"Policy": policy, "modified": call.store.now()}
    )


@operations.add("RemovePermission", writes=True)
def remove_permission(
    call: Call,
    *,
    statement_id: str | None = None,
    remove_all_permissions: bool = False,
    event_bus_name: str = DEFAULT,
) -> None:
    """Removes a statement from the policy of a bus, or the policy."""
    with call.store.lock:
        bus = find_bus(call)
        if remove_all_permissions:
            _write(call, bus, None)
            return
        if statement_id is None:
            raise invalid("Parameter StatementId must be specified.")
        statements = _statements(bus)
        left = [one for one in statements if one.get("Sid") != statement_id]
        if len(left) == len(statements):
            raise not_found("Statement with the provided id does not exist.")
        policy = stored.read(bus.document)["Policy"]
        _write(call, bus, {**policy, "Statement": left} if left else None)
