"""When a runtime is updated, and what becomes of a function that calls itself in a loop.

Both are kept and told. The runtime is what this machine has; loops are not looked for.
"""

from __future__ import annotations

from trunkline.aws.lambda_.documents import key_of, name_of, named, read, version_of
from trunkline.aws.lambda_.errors import invalid
from trunkline.aws.lambda_.registry import operations
from trunkline.functions.names import LATEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("PutRuntimeManagementConfig", writes=True, stored_only=True)
def put_runtime_management_config(
    call: Call,
    *,
    function_name: str,
    update_runtime_on: str,
    qualifier: str | None = None,
    runtime_version_arn: str | None = None,
) -> dict[str, Any]:
    """Says when the runtime of a version is updated."""
    if (update_runtime_on == "Manual") != (runtime_version_arn is not None):
        raise invalid(
            "You must specify a runtime version ARN if UpdateRuntimeOn is Manual, and only then."
        )
    wanted = named(call, function_name, qualifier)
    with call.store.lock:
        document = read(call, wanted)
        version, _ = version_of(document, wanted.qualifier)
        config = {"UpdateRuntimeOn": update_runtime_on, "RuntimeVersionArn": runtime_version_arn}
        kept = document.get("runtime_management", {}) | {version: config}
        call.store.put(key_of(name_of(document)), document | {"runtime_management": kept})
    return {"FunctionArn": f"{name_of(document).arn}:{version}", **config}


@operations.add("GetRuntimeManagementConfig")
def get_runtime_management_config(
    call: Call, *, function_name: str, qualifier: str | None = None
) -> dict[str, Any]:
    """When the runtime of a version is updated; ``Auto`` unless it was said."""
    wanted = named(call, function_name, qualifier)
    document = read(call, wanted)
    version, _ = version_of(document, wanted.qualifier)
    config = document.get("runtime_management", {}).get(version, {"UpdateRuntimeOn": "Auto"})
    return {"FunctionArn": f"{name_of(document).arn}:{version}", **config}


@operations.add("PutFunctionRecursionConfig", writes=True, stored_only=True)
def put_function_recursion_config(
    call: Call, *, function_name: str, recursive_loop: str
) -> dict[str, Any]:
    """Says whether a function may call itself in a loop."""
    wanted = _whole(call, function_name)
    with call.store.lock:
        document = read(call, wanted)
        document["recursive_loop"] = recursive_loop
        call.store.put(key_of(name_of(document)), document)
    return {"RecursiveLoop": recursive_loop}


@operations.add("GetFunctionRecursionConfig")
def get_function_recursion_config(call: Call, *, function_name: str) -> dict[str, Any]:
    """Whether it may; ``Terminate`` unless it was said."""
    document = read(call, _whole(call, function_name))
    return {"RecursiveLoop": document.get("recursive_loop", "Terminate")}


def _whole(call: Call, function_name: str) -> Any:
    wanted = named(call, function_name)
    if wanted.qualifier not in (None, LATEST):
        raise invalid("This operation is permitted on Lambda functions only, not on a version.")
    return wanted
