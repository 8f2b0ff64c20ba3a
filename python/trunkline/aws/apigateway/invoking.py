"""REST APIs as a kind of the data path (see `trunkline.aws.execute_api.kinds`)."""

from __future__ import annotations

import re
from random import random

from trunkline.aws.apigateway.documents import deployment_key, stage_key
from trunkline.aws.apigateway.front.chain import carry_out
from trunkline.aws.apigateway.front.exchange import Deployed, Exchange, context_of, trace_of
from trunkline.aws.apigateway.front.logging import log_access
from trunkline.aws.execute_api.message import ApiResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.kinds import Apis
    from trunkline.aws.execute_api.message import ApiRequest

_PATH = re.compile(r"/*([^/]*)(.*)", re.DOTALL)


def _same(document: dict[str, Any]) -> dict[str, Any]:
    return document


def invoke(apis: Apis, request: ApiRequest) -> ApiResponse | None:
    """Answers a request to a REST API; None if there is no such API and stage."""
    parts = _PATH.fullmatch(request.path)
    name, rest = parts.groups() if parts else ("", "")
    kept = apis.read(stage_key(request.api, name), _same) if name else None
    if kept is None:
        return None
    if kept["api"].get("disableExecuteApiEndpoint") and request.domain_path is None:
        return _forbidden()
    stage, variables, canary = _chosen(kept["stage"])
    key = deployment_key(request.api, stage["deploymentId"])
    deployed = apis.read(key, Deployed)
    if deployed is None:
        return _forbidden()
    now = apis.store.now()
    context = context_of(request, deployed, stage, request.domain_path or f"/{name}{rest}", now)
    if canary is not None:
        context["isCanaryRequest"] = str(canary).lower()
    exchange = Exchange(
        apis=apis,
        request=request,
        api=kept["api"],
        stage=stage,
        deployed=deployed,
        path="/" + rest.lstrip("/"),
        variables=variables,
        context=context,
        now=now,
        trace=trace_of(request, now),
    )
    response = carry_out(exchange)
    log_access(exchange, response)
    return response


def _chosen(stage: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str], bool | None]:
    """The stage that answers, its variables, and whether that is the canary if there is one."""
    variables = stage.get("variables", {})
    canary = stage.get("canarySettings")
    if canary is None:
        return stage, variables, None
    if random() * 100 >= canary.get("percentTraffic", 0):
        return stage, variables, False
    changed = {**stage, "deploymentId": canary.get("deploymentId", stage["deploymentId"])}
    return changed, {**variables, **canary.get("stageVariableOverrides", {})}, True


def _forbidden() -> ApiResponse:
    headers = [("content-type", "application/json"), ("x-amzn-errortype", "ForbiddenException")]
    return ApiResponse(403, headers, b'{"message":"Forbidden"}')
