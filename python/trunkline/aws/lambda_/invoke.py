"""Invocations: at once, later, or only checked."""

from __future__ import annotations

import base64
import binascii
import json

from trunkline.aws.lambda_.documents import named_anywhere, read, version_called
from trunkline.aws.lambda_.errors import (
    denied,
    invalid,
    missing,
    not_json,
    throttled,
    too_large,
    unsupported,
)
from trunkline.aws.lambda_.permissions import may_invoke
from trunkline.aws.lambda_.registry import operations
from trunkline.errors import TooManyRequests
from trunkline.functions.function import EVENT_BYTES_MAX, QUEUED_BYTES_MAX
from trunkline.functions.invocation import LogLines
from trunkline.functions.registry import functions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

_BOUNDS = {"RequestResponse": EVENT_BYTES_MAX, "Event": QUEUED_BYTES_MAX, "DryRun": EVENT_BYTES_MAX}
_STATUS = {"RequestResponse": 200, "Event": 202, "DryRun": 204}


def _client_context(text: str | None) -> str | None:
    if not text:
        return None
    try:
        told = json.loads(base64.b64decode(text, validate=True).decode())
        if not isinstance(told, dict):
            raise ValueError("no object")
        # In ASCII and on one line: runtimes get it in a header.
        return json.dumps(told)
    except (binascii.Error, ValueError, RecursionError):
        raise invalid("Client context must be a valid Base64-encoded JSON object.") from None


@operations.add("Invoke")
def invoke(
    call: Call,
    *,
    function_name: str,
    invocation_type: str = "RequestResponse",
    log_type: str = "None",
    client_context: str | None = None,
    payload: bytes = b"",
    qualifier: str | None = None,
    durable_execution_name: str | None = None,
    tenant_id: str | None = None,
) -> dict[str, Any]:
    """Calls a function, has it called later, or checks that it could be called."""
    wanted = named_anywhere(call, function_name, qualifier)
    document = read(call, wanted)
    is_own = wanted.name.account == call.account
    if not is_own and not may_invoke(document, wanted.qualifier, call.account):
        raise denied(f"No policy of the function {wanted.arn} lets account {call.account} call it.")
    if durable_execution_name is not None:
        raise unsupported("A durable execution")
    if len(payload) > _BOUNDS[invocation_type]:
        raise too_large(len(payload), _BOUNDS[invocation_type], invocation_type)
    try:
        json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        raise not_json(str(error)) from None
    version = version_called(document, wanted.qualifier)
    functions = functions_of(call.store.core)
    active = functions.find(wanted.name)
    if active is None:
        raise missing(f"Function not found: {wanted.arn}")
    told: dict[str, Any] = {"StatusCode": _STATUS[invocation_type], "Payload": b""}
    if invocation_type == "DryRun":
        return told
    invocation = active.invocation(
        payload or b"{}",
        request_id=call.request_id or None,
        qualifier=wanted.qualifier,
        client_context=_client_context(client_context),
        version=version,
    )
    if invocation_type == "Event":
        functions.enqueue(active, invocation)
        return told
    if log_type == "Tail" and invocation.lines is None:
        invocation.lines = LogLines()
    try:
        outcome = active.invoke(invocation)
    except TooManyRequests:
        raise throttled(
            "ConcurrentInvocationLimitExceeded"
            if active.definition.concurrency is None
            else "ReservedFunctionConcurrentInvocationLimitExceeded"
        ) from None
    told |= {"ExecutedVersion": version, "Payload": outcome.payload}
    if outcome.error is not None:
        told["FunctionError"] = outcome.error
    if log_type == "Tail":
        told["LogResult"] = base64.b64encode(outcome.log.encode()).decode()
    return told


@operations.add("InvokeAsync")
def invoke_async(call: Call, *, function_name: str, invoke_args: bytes) -> dict[str, Any]:
    """Has a function called later: the old form of Invoke."""
    invoke(call, function_name=function_name, invocation_type="Event", payload=invoke_args)
    return {"Status": 202}
