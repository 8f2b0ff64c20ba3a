"""What becomes of asynchronous invocations: retries, age, destinations."""

from __future__ import annotations

from trunkline.aws.lambda_.documents import Named, key_of, name_of, named, read, version_of
from trunkline.aws.lambda_.errors import invalid, missing
from trunkline.aws.lambda_.listing import listed
from trunkline.aws.lambda_.registry import operations
from trunkline.aws.lambda_.running import activate, target_of
from trunkline.functions.names import LATEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

_MEMBERS = {
    "maximum_retry_attempts": "MaximumRetryAttempts",
    "maximum_event_age_in_seconds": "MaximumEventAgeInSeconds",
    "destination_config": "DestinationConfig",
}


def _told(document: dict[str, Any], qualifier: str) -> dict[str, Any]:
    kept = document["invoke"].get(qualifier)
    if kept is None:
        raise missing(
            f"The function {name_of(document).arn}:{qualifier} doesn't have an EventInvokeConfig"
        )
    empty: dict[str, Any] = {"OnSuccess": {}, "OnFailure": {}}
    return {
        "FunctionArn": f"{name_of(document).arn}:{qualifier}",
        **kept,
        "DestinationConfig": empty | kept.get("DestinationConfig", {}),
    }


def _qualifier(document: dict[str, Any], wanted: Named) -> str:
    version_of(document, wanted.qualifier)
    return wanted.qualifier or LATEST


def _put(
    call: Call, function_name: str, qualifier: str | None, given: dict[str, Any], *, keep: bool
) -> dict[str, Any]:
    wanted = named(call, function_name, qualifier)
    members = {_MEMBERS[name]: value for name, value in given.items() if name in _MEMBERS}
    if not members:
        raise invalid("You must specify at least one of error handling or destination setting.")
    for end in members.get("DestinationConfig", {}).values():
        target_of(call.store.core, end.get("Destination"))
    with call.store.lock:
        document = read(call, wanted)
        own = _qualifier(document, wanted)
        old = document["invoke"].get(own) if keep else {}
        if old is None:
            raise missing(
                f"The function {name_of(document).arn}:{own} doesn't have an EventInvokeConfig"
            )
        document["invoke"][own] = {**old, **members, "LastModified": call.store.now()}
        call.store.put(key_of(name_of(document)), document)
        activate(call.store, document, is_new_code=False)
        return _told(document, own)


@operations.add("PutFunctionEventInvokeConfig", writes=True)
def put_function_event_invoke_config(
    call: Call, *, function_name: str, qualifier: str | None = None, **given: Any
) -> dict[str, Any]:
    """Replaces what becomes of asynchronous invocations."""
    return _put(call, function_name, qualifier, given, keep=False)


@operations.add("UpdateFunctionEventInvokeConfig", writes=True)
def update_function_event_invoke_config(
    call: Call, *, function_name: str, qualifier: str | None = None, **given: Any
) -> dict[str, Any]:
    """Changes what is given of it."""
    return _put(call, function_name, qualifier, given, keep=True)


@operations.add("GetFunctionEventInvokeConfig")
def get_function_event_invoke_config(
    call: Call, *, function_name: str, qualifier: str | None = None
) -> dict[str, Any]:
    """What becomes of asynchronous invocations."""
    wanted = named(call, function_name, qualifier)
    document = read(call, wanted)
    return _told(document, _qualifier(document, wanted))


@operations.add("DeleteFunctionEventInvokeConfig", writes=True)
def delete_function_event_invoke_config(
    call: Call, *, function_name: str, qualifier: str | None = None
) -> None:
    """Lets asynchronous invocations be as they are by default."""
    wanted = named(call, function_name, qualifier)
    with call.store.lock:
        document = read(call, wanted)
        own = _qualifier(document, wanted)
        _told(document, own)
        del document["invoke"][own]
        call.store.put(key_of(name_of(document)), document)
        activate(call.store, document, is_new_code=False)


@operations.add("ListFunctionEventInvokeConfigs")
def list_function_event_invoke_configs(
    call: Call, *, function_name: str, **given: Any
) -> dict[str, Any]:
    """What is set for the versions and aliases of a function."""
    document = read(call, named(call, function_name))
    shown, next_marker = listed(document["invoke"], str, given)
    told = [_told(document, qualifier) for qualifier in shown]
    return {"FunctionEventInvokeConfigs": told, "NextMarker": next_marker}
