"""Tasks that call functions through ``lambda:invoke``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

from trunkline._core import StatesProgram
from trunkline.machines.functions import call_own, name_in, not_found, of_failure, outcome_of
from trunkline.machines.task import Report, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Task


def invoke(runtime: Runtime, task: Task, suffix: str) -> Report:
    """Calls the function that the parameters name; the result comes with Lambda's metadata."""
    params = json.loads(task.input)
    given = str(params.get("FunctionName", ""))
    # Without a payload, or with null, a function gets an empty object.
    sent = params.get("Payload")
    payload = _payload({} if sent is None else sent)
    own = runtime.functions(task.owner.machine_name).get(name_in(given))
    if own is not None:
        text, told = call_own(own, payload)
        if told is not None:
            return of_failure(told)
    else:
        outcome = outcome_of(runtime.core, _arn(task, given), payload)
        if isinstance(outcome, Report):
            return _refused(outcome)
        if outcome.error is not None:
            return of_failure(outcome.error_fields())
        text = outcome.payload.decode("utf-8", "replace")
    output = {
        "ExecutedVersion": "$LATEST",
        "Payload": json.loads(text),
        **_metadata(text),
        "StatusCode": 200,
    }
    kind = "submitted" if suffix else "succeeded"
    return Report(kind, json.dumps(output, separators=(",", ":"), ensure_ascii=False))


def _payload(given: Any) -> str:
    """What the function gets: AWS sends a string that is JSON text as it is.

    >>> _payload({"a": 1}), _payload("[1]"), _payload("one")
    ('{"a":1}', '[1]', '"one"')
    """
    if isinstance(given, str) and StatesProgram.malformed(given) is None:
        return given
    return json.dumps(given, separators=(",", ":"), ensure_ascii=False)


def _arn(task: Task, given: str) -> str:
    if given.startswith("arn:"):
        return given
    return f"arn:aws:lambda:{task.owner.region}:{task.account}:function:{given}"


def _refused(report: Report) -> Report:
    code = (report.first or "").removeprefix("Lambda.")
    cause = (
        f"{report.second} (Service: AWSLambda; Status Code: 404; Error Code: {code}; "
        f"Request ID: {uuid4()}; Proxy: null)"
    )
    return failed(report.first or "Lambda.Unknown", cause)


def _metadata(text: str) -> dict[str, Any]:
    request = str(uuid4())
    headers = {
        "Connection": "keep-alive",
        "Content-Length": str(len(text.encode())),
        "Content-Type": "application/json",
        "Date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "X-Amz-Executed-Version": "$LATEST",
        "X-Amzn-Trace-Id": f"root=1-{uuid4().hex[:8]}-{uuid4().hex[:24]};sampled=0",
        "x-amzn-Remapped-Content-Length": "0",
        "x-amzn-RequestId": request,
    }
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": request},
    }


__all__ = ["invoke", "not_found"]
