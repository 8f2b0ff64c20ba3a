"""Tasks that call APIs of API Gateway in this engine, through ``apigateway:invoke``."""

from __future__ import annotations

import json
import re
from urllib.parse import quote
from uuid import uuid4

from trunkline.aws.execute_api.kinds import Apis, invoke
from trunkline.aws.stepfunctions.http_calls import Unusable, flat, output_of, text_in
from trunkline.machines.task import Report, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Task

# An endpoint as this server has it, or LocalStack: the API is named by the path, not by the host.
_BELOW = re.compile(r"[^/]+/(?:_aws/execute-api|restapis)/([A-Za-z0-9]+)/?")


def call(runtime: Runtime, task: Task) -> Report:
    """Makes the call of a task."""
    params = json.loads(task.input)
    try:
        about = _request(task, params)
    except Unusable as error:
        return failed("States.Runtime", str(error))
    status, lines, content = invoke(_apis(runtime), about)
    text = content.decode("utf-8", "replace")
    if status // 100 != 2:
        return failed(f"ApiGateway.{status}", text)
    return Report("succeeded", output_of(status, lines, text))


def _apis(runtime: Runtime) -> Apis:
    found = runtime.surfaces.get("apis")
    if found is None:
        found = runtime.surfaces.setdefault("apis", Apis(runtime.core))
    apis: Apis = found
    return apis


def _request(task: Task, params: Mapping[str, Any]) -> dict[str, Any]:
    endpoint = text_in(params, "ApiEndpoint").partition("://")[2] or params["ApiEndpoint"]
    host = endpoint.partition("/")[0]
    below = _BELOW.fullmatch(endpoint)
    path = [str(params.get("Stage") or ""), str(params.get("Path") or "").lstrip("/")]
    escaped = "/".join(quote(part, safe="/$%:@!*,;=+&~") for part in path if part)
    headers = [("host", host)]
    for name, values in (params.get("Headers") or {}).items():
        for value in values if isinstance(values, list) else [values]:
            headers.append((str(name).lower(), str(value)))
    body, given = b"", params.get("RequestBody")
    if given is not None:
        body = json.dumps(given, separators=(",", ":"), ensure_ascii=False).encode()
        if not any(name == "content-type" for name, _ in headers):
            headers.append(("content-type", "application/json"))
    pairs = flat(params.get("QueryParameters") or {}, "REPEAT")
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    is_signed = params.get("AuthType") in ("IAM_ROLE", "RESOURCE_POLICY")
    return {
        "api": below[1] if below else host.partition(".")[0],
        "path": f"/{escaped}",
        "method": text_in(params, "Method").upper(),
        "query": query,
        "headers": headers,
        "body": body,
        "source_ip": None,
        "is_secure": True,
        "base": f"https://{host}",
        "request_id": str(uuid4()),
        "is_strict": False,
        "signer": (task.account, task.owner.region, "states") if is_signed else None,
        "refusal": None,
    }
