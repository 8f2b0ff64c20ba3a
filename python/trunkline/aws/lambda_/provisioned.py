"""Provisioned concurrency. It is kept and told: a process is started when it is first needed."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.lambda_.documents import (
    key_of,
    name_of,
    named,
    read,
    time_text,
    version_of,
)
from trunkline.aws.lambda_.errors import conflict, invalid
from trunkline.aws.lambda_.listing import listed
from trunkline.aws.lambda_.registry import operations
from trunkline.functions.names import LATEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("PutProvisionedConcurrencyConfig", writes=True, stored_only=True)
def put_provisioned_concurrency_config(
    call: Call, *, function_name: str, qualifier: str, provisioned_concurrent_executions: int
) -> dict[str, Any]:
    """Sets how many environments of a version or an alias are kept ready."""
    wanted = named(call, function_name, qualifier)
    with call.store.lock:
        document = read(call, wanted)
        _check(document, qualifier, provisioned_concurrent_executions)
        config = {"count": provisioned_concurrent_executions, "modified": call.store.now()}
        kept = document.get("provisioned", {}) | {qualifier: config}
        call.store.put(key_of(name_of(document)), document | {"provisioned": kept})
    # As AWS answers: nothing is allocated when the request is taken.
    return _told(config) | {
        "AvailableProvisionedConcurrentExecutions": 0,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "Status": "IN_PROGRESS",
    }


@operations.add("GetProvisionedConcurrencyConfig")
def get_provisioned_concurrency_config(
    call: Call, *, function_name: str, qualifier: str
) -> dict[str, Any]:
    """What is set for a version or an alias."""
    document = read(call, named(call, function_name, qualifier))
    config = document.get("provisioned", {}).get(qualifier)
    if config is None:
        raise _not_found()
    return _told(config)


@operations.add("DeleteProvisionedConcurrencyConfig", writes=True, stored_only=True)
def delete_provisioned_concurrency_config(
    call: Call, *, function_name: str, qualifier: str
) -> None:
    """Removes it; what is not there is removed without an error."""
    wanted = named(call, function_name, qualifier)
    with call.store.lock:
        document = read(call, wanted)
        version_of(document, qualifier)
        forget(document, qualifier)
        call.store.put(key_of(name_of(document)), document)


@operations.add("ListProvisionedConcurrencyConfigs")
def list_provisioned_concurrency_configs(
    call: Call, *, function_name: str, **given: Any
) -> dict[str, Any]:
    """What is set for the versions and aliases of a function."""
    document = read(call, named(call, function_name))
    configs = document.get("provisioned", {})
    shown, next_marker = listed(configs, str, given)
    arn = name_of(document).arn
    told = [{"FunctionArn": f"{arn}:{one}", **_told(configs[one])} for one in shown]
    return {"ProvisionedConcurrencyConfigs": told, "NextMarker": next_marker}


def forget(document: dict[str, Any], qualifier: str) -> None:
    """Takes what is set for a version or an alias out of the document, which is put afterwards."""
    document.get("provisioned", {}).pop(qualifier, None)


def _check(document: dict[str, Any], qualifier: str, count: int) -> None:
    version, _ = version_of(document, qualifier)
    if version == LATEST:
        raise invalid(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        )
    for other in document.get("provisioned", {}):
        if other != qualifier and version_of(document, other)[0] == version:
            which = "an already provisioned version" if other == version else "its alias"
            raise conflict(f"Alias cannot be used for Provisioned Concurrency on {which}")
    reserved = document["concurrency"]
    if reserved is not None and count > reserved:
        raise invalid(
            "Requested Provisioned Concurrency should not be greater than the "
            "reservedConcurrentExecution for function"
        )


def _told(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "RequestedProvisionedConcurrentExecutions": config["count"],
        "AvailableProvisionedConcurrentExecutions": config["count"],
        "AllocatedProvisionedConcurrentExecutions": config["count"],
        "Status": "READY",
        "LastModified": time_text(config["modified"]),
    }


def _not_found() -> ServiceError:
    return ServiceError(
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
        404,
        {"Type": "User"},
    )
