"""TestInvokeMethod: a method is called as it is now, without a stage and without its authorizer."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import uuid4

from trunkline.aws.apigateway.deployments import snapshot
from trunkline.aws.apigateway.documents import resource_of
from trunkline.aws.apigateway.errors import bad
from trunkline.aws.apigateway.front.chain import integrate
from trunkline.aws.apigateway.front.checking import check_request
from trunkline.aws.apigateway.front.exchange import Deployed, Exchange, context_of, title, trace_of
from trunkline.aws.apigateway.front.refusing import Refusal, answer
from trunkline.aws.apigateway.front.routing import Match, Routes
from trunkline.aws.apigateway.methods import method_of
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.execute_api.kinds import Apis
from trunkline.aws.execute_api.message import ApiRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.message import ApiResponse
    from trunkline.aws.operation import Call

STAGE = "test-invoke-stage"


def _apis(call: Call) -> Apis:
    background = call.store.background
    found: Apis = background.get("apis") or background.setdefault("apis", Apis(call.store.core))
    return found


@operations.add("TestInvokeMethod")
def invoke_method(
    call: Call,
    *,
    rest_api_id: str,
    resource_id: str,
    http_method: str,
    path_with_query_string: str | None = None,
    body: str = "",
    headers: dict[str, str] | None = None,
    multi_value_headers: dict[str, list[str]] | None = None,
    client_certificate_id: str | None = None,
    stage_variables: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Calls a method, and tells what happened."""
    document, resource = resource_of(call, rest_api_id, resource_id)
    _, method = method_of(call, rest_api_id, resource_id, http_method)
    if not method.get("methodIntegration"):
        raise bad("No integration defined for method")
    path, _, query = (path_with_query_string or resource["path"]).partition("?")
    lines = [(name.lower(), value) for name, value in (headers or {}).items()]
    for name, values in (multi_value_headers or {}).items():
        lines += [(name.lower(), value) for value in values]
    verb = method["httpMethod"] if http_method == "ANY" else http_method.upper()
    request = ApiRequest(
        api=rest_api_id,
        path=path,
        method=verb,
        query=query,
        headers=lines,
        body=body.encode(),
        source_ip="test-invoke-source-ip",
        is_secure=True,
        base=call.base,
        request_id=str(uuid4()),
        is_strict=False,
        signer=None,
        refusal=None,
    )
    now = call.store.now()
    deployed = Deployed(snapshot(document))
    stage = {"stageName": STAGE, "deploymentId": "", "methodSettings": {}}
    found = Routes([resource]).find(path, verb)
    exchange = Exchange(
        apis=_apis(call),
        request=request,
        api=document["rest"],
        stage=stage,
        deployed=deployed,
        path=path,
        variables=stage_variables or {},
        context=context_of(request, deployed, stage, path, now),
        now=now,
        match=Match(resource, method, found.parameters if found else {}),
        is_test=True,
        trace=trace_of(request, now),
    )
    exchange.context |= {"resourceId": resource_id, "resourcePath": resource["path"]}
    return _told(exchange, *_carried_out(exchange))


def _carried_out(exchange: Exchange) -> tuple[ApiResponse, Refusal | None]:
    try:
        check_request(exchange)
        return integrate(exchange), None
    except Refusal as refusal:
        return answer(exchange, refusal), refusal


def _told(exchange: Exchange, response: ApiResponse, refusal: Refusal | None) -> dict[str, Any]:
    many: dict[str, list[str]] = {}
    for name, value in response.headers:
        many.setdefault(name, []).append(value)
    return {
        "status": response.status,
        "body": response.body.decode("utf-8", "replace"),
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
        "log": _log(exchange, response, refusal),
        "latency": int((time.monotonic() - exchange.began) * 1_000),
    }


def _braced(entries: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in entries.items()) + "}"


def _log(exchange: Exchange, response: ApiResponse, refusal: Refusal | None) -> str:
    request, id = exchange.request, exchange.request.request_id
    at = datetime.fromtimestamp(exchange.now, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    given = {title(name): values[-1] for name, values in request.all_headers.items()}
    steps = [
        f"Starting execution for request: {id}",
        f"HTTP Method: {request.method}, Resource Path: {exchange.path}",
        f"Method request path: {_braced(exchange.path_parameters)}",
        "Method request query string: "
        + _braced({name: all[-1] for name, all in request.all_parameters.items()}),
        f"Method request headers: {_braced(given)}",
        f"Method request body before transformations: {exchange.text_body}",
    ]
    if refusal is not None:
        steps.append(f"Execution failed due to: {refusal.reason or refusal.message}")
    else:
        text = response.body.decode("utf-8", "replace")
        steps += [
            f"Method response body after transformations: {text}",
            f"Method response headers: {_braced(dict(response.headers))}",
            "Successfully completed execution",
        ]
    steps.append(f"Method completed with status: {response.status}")
    return "\n".join([f"Execution log for request {id}", *(f"{at} : {one}" for one in steps), ""])
