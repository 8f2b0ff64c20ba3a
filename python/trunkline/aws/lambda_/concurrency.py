"""How many invocations of a function run at once."""

from __future__ import annotations

from trunkline.aws.lambda_.documents import key_of, name_of, named, read
from trunkline.aws.lambda_.registry import operations
from trunkline.aws.lambda_.running import activate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


def _put(call: Call, function_name: str, value: int | None) -> None:
    with call.store.lock:
        document = read(call, named(call, function_name))
        document["concurrency"] = value
        call.store.put(key_of(name_of(document)), document)
        activate(call.store, document, is_new_code=False)


@operations.add("PutFunctionConcurrency", writes=True)
def put_function_concurrency(
    call: Call, *, function_name: str, reserved_concurrent_executions: int
) -> dict[str, Any]:
    """Bounds how many invocations run at once; 0 lets none run."""
    _put(call, function_name, reserved_concurrent_executions)
    return {"ReservedConcurrentExecutions": reserved_concurrent_executions}


@operations.add("GetFunctionConcurrency")
def get_function_concurrency(call: Call, *, function_name: str) -> dict[str, Any]:
    """The bound, if there is one."""
    document = read(call, named(call, function_name))
    return {"ReservedConcurrentExecutions": document["concurrency"]}


@operations.add("DeleteFunctionConcurrency", writes=True)
def delete_function_concurrency(call: Call, *, function_name: str) -> None:
    """Lifts the bound."""
    _put(call, function_name, None)
