"""Activities: names under which workers outside fetch the tasks of executions."""

from __future__ import annotations

from trunkline.aws.stepfunctions import destinations, settings
from trunkline.aws.stepfunctions.documents import folder, key
from trunkline.aws.stepfunctions.errors import no_such_activity
from trunkline.aws.stepfunctions.names import Arn, check_name, own_arn
from trunkline.aws.stepfunctions.pages import page
from trunkline.aws.stepfunctions.registry import operations
from trunkline.aws.stepfunctions.tags import as_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


def _key(arn: Arn) -> str:
    return key(arn.account, arn.region, "activity", arn.name)


def read_activity(call: Call, text: str) -> dict[str, Any]:
    """What is kept of an activity; raises if there is none of this resource name."""
    arn = Arn.parse(text, "activity")
    found = call.store.get(_key(arn)) if arn.qualifier is None else None
    if found is None:
        raise no_such_activity(text)
    return found


@operations.add("CreateActivity", writes=True)
def create_activity(
    call: Call,
    *,
    name: str,
    tags: Sequence[Mapping[str, str]] = (),
    encryption_configuration: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Creates an activity; one that is there already is told as it is."""
    check_name(name)
    arn = Arn.parse(own_arn(call, "activity", name))
    made = {
        "arn": arn.text,
        "name": name,
        "created": call.store.now(),
        "encryption": settings.encryption(encryption_configuration),
        "tags": as_mapping(tags),
    }
    with call.store.lock:
        kept = call.store.get(_key(arn))
        if kept is None:
            kept = made
            call.store.put(_key(arn), made)
            destinations.create(call.store.core, arn.text)
    return {"activityArn": kept["arn"], "creationDate": kept["created"]}


@operations.add("DescribeActivity")
def describe_activity(call: Call, *, activity_arn: str) -> dict[str, Any]:
    """What an activity is."""
    kept = read_activity(call, activity_arn)
    return _listed(kept) | {"encryptionConfiguration": kept["encryption"]}


def _listed(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {"activityArn": kept["arn"], "name": kept["name"], "creationDate": kept["created"]}


@operations.add("DeleteActivity", writes=True)
def delete_activity(call: Call, *, activity_arn: str) -> None:
    """Removes an activity; one that is not there does no harm."""
    with call.store.lock:
        call.store.put(_key(Arn.parse(activity_arn, "activity")), None)
        destinations.remove(call.store.core, activity_arn)


@operations.add("ListActivities")
def list_activities(
    call: Call, *, max_results: int | None = None, next_token: str | None = None
) -> dict[str, Any]:
    """The activities of the caller, by name."""
    found = list(call.store.every(folder(call.account, call.region, "activity")))
    shown, rest = page(found, lambda one: str(one["name"]), max_results, next_token)
    return {"activities": [_listed(one) for one in shown], **rest}
