"""The stages and deployments of HTTP and WebSocket APIs."""

from __future__ import annotations

import re

from trunkline.aws.apigatewayv2.deploying import deploy, forget_unused, serve
from trunkline.aws.apigatewayv2.documents import (
    DEFAULT_STAGE,
    deployment_key,
    is_socket,
    members,
    paged,
    read,
    save,
    save_stage,
)
from trunkline.aws.apigatewayv2.errors import bad, conflict, missing
from trunkline.aws.apigatewayv2.registry import operations
from trunkline.aws.limits import STAGE_NAME_CHARS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ROUTE_SETTINGS = {"DetailedMetricsEnabled": False}


def _stage_of(call: Call, api: str, name: str) -> tuple[Document, Document]:
    document = read(call, api)
    found = document["stages"].get(name)
    if found is None:
        raise missing("Stage", name)
    return document, found


def _deployment_of(call: Call, api: str, id: str) -> tuple[Document, Document]:
    document = read(call, api)
    found = document["deployments"].get(id)
    if found is None:
        raise missing("Deployment", id)
    return document, found


def _check(document: Document, stage: Document) -> None:
    name = stage["StageName"]
    is_name = _NAME.fullmatch(name) and len(name) <= STAGE_NAME_CHARS_MAX
    if is_socket(document) and name == DEFAULT_STAGE:
        raise bad("The stage $default is supported for HTTP APIs only")
    if name != DEFAULT_STAGE and not is_name:
        raise bad(f"Invalid stage name {name!r}: use letters, digits, - and _, or $default")
    settings = [stage["DefaultRouteSettings"], *stage["RouteSettings"].values()]
    for one in settings:
        for limit in ("ThrottlingBurstLimit", "ThrottlingRateLimit"):
            if one.get(limit, 0) < 0:
                raise bad(f"{limit} must not be negative")
    keys = {route["RouteKey"] for route in document["routes"].values()}
    for key in stage["RouteSettings"]:
        if key not in keys:
            raise missing("Route", f"{key}: RouteSettings name routes by their keys")
    log = stage.get("AccessLogSettings") or {}
    if log and (not log.get("DestinationArn") or not log.get("Format")):
        raise bad("AccessLogSettings need DestinationArn and Format")


def _serve_wanted(call: Call, document: Document, stage: Document, wanted: str | None) -> None:
    """Lets a stage serve what it was told, or what there is if it deploys by itself."""
    if wanted is not None:
        if stage.get("AutoDeploy"):
            raise bad("Deployment ID cannot be set on stages with auto-deploy enabled")
        if wanted not in document["deployments"]:
            raise missing("Deployment", wanted)
        serve(call, document, stage, wanted)
    elif stage.get("AutoDeploy"):
        made = deploy(call, document, description=None, is_auto=True)
        serve(call, document, stage, made["DeploymentId"])
        forget_unused(call, document)


@operations.add("CreateStage", writes=True)
def create_stage(call: Call, *, api_id: str, stage_name: str, **given: Any) -> Document:
    """Adds a stage."""
    told = members(given)
    wanted = told.pop("DeploymentId", None)
    with call.store.lock:
        document = read(call, api_id)
        if stage_name in document["stages"]:
            raise conflict("Stage already exists")
        now = call.store.now()
        stage = {
            "StageName": stage_name,
            "AutoDeploy": False,
            "CreatedDate": now,
            "LastUpdatedDate": now,
            "RouteSettings": {},
            "StageVariables": {},
            "Tags": {},
            **told,
            "DefaultRouteSettings": {**_ROUTE_SETTINGS, **told.get("DefaultRouteSettings", {})},
        }
        _check(document, stage)
        document["stages"][stage_name] = stage
        _serve_wanted(call, document, stage, wanted)
        save_stage(call, document, stage_name)
        save(call, document)
    return stage


@operations.add("GetStage")
def get_stage(call: Call, *, api_id: str, stage_name: str) -> Document:
    """One stage."""
    return _stage_of(call, api_id, stage_name)[1]


@operations.add("GetStages")
def get_stages(
    call: Call, *, api_id: str, max_results: str | None = None, next_token: str | None = None
) -> Document:
    """The stages of an API."""
    return paged(read(call, api_id)["stages"].values(), "StageName", max_results, next_token)


@operations.add("UpdateStage", writes=True)
def update_stage(call: Call, *, api_id: str, stage_name: str, **given: Any) -> Document:
    """Changes a stage. Route settings and variables are added to those it has."""
    told = members(given)
    wanted = told.pop("DeploymentId", None)
    with call.store.lock:
        document, stage = _stage_of(call, api_id, stage_name)
        for name in ("RouteSettings", "StageVariables", "DefaultRouteSettings"):
            if name in told:
                told[name] = {**stage.get(name, {}), **told[name]}
        if "StageVariables" in told:
            # An empty value takes a variable away.
            told["StageVariables"] = {
                name: value for name, value in told["StageVariables"].items() if value
            }
        stage = {**stage, **told, "LastUpdatedDate": call.store.now()}
        _check(document, stage)
        document["stages"][stage_name] = stage
        _serve_wanted(call, document, stage, wanted)
        save_stage(call, document, stage_name)
        save(call, document)
    return stage


@operations.add("DeleteStage", writes=True)
def delete_stage(call: Call, *, api_id: str, stage_name: str) -> None:
    """Deletes a stage."""
    with call.store.lock:
        document, _ = _stage_of(call, api_id, stage_name)
        del document["stages"][stage_name]
        save_stage(call, document, stage_name)
        forget_unused(call, document)
        save(call, document)


@operations.add("DeleteAccessLogSettings", writes=True)
def delete_access_log_settings(call: Call, *, api_id: str, stage_name: str) -> None:
    """Ends the access log of a stage."""
    with call.store.lock:
        document, stage = _stage_of(call, api_id, stage_name)
        stage.pop("AccessLogSettings", None)
        save_stage(call, document, stage_name)
        save(call, document)


@operations.add("DeleteRouteSettings", writes=True)
def delete_route_settings(call: Call, *, api_id: str, stage_name: str, route_key: str) -> None:
    """Forgets the settings of a route in a stage."""
    with call.store.lock:
        document, stage = _stage_of(call, api_id, stage_name)
        if stage["RouteSettings"].pop(route_key, None) is None:
            raise missing("RouteSettings", route_key)
        save_stage(call, document, stage_name)
        save(call, document)


@operations.add("ResetAuthorizersCache", writes=True)
def reset_authorizers_cache(call: Call, *, api_id: str, stage_name: str) -> None:
    """Lets the authorizers of a stage decide anew."""
    with call.store.lock:
        document, stage = _stage_of(call, api_id, stage_name)
        stage["reset"] = stage.get("reset", 0) + 1
        save_stage(call, document, stage_name)
        save(call, document)


@operations.add("CreateDeployment", writes=True)
def create_deployment(
    call: Call, *, api_id: str, description: str | None = None, stage_name: str | None = None
) -> Document:
    """Takes a snapshot of an API, which a stage may serve at once."""
    with call.store.lock:
        document = read(call, api_id)
        if not document["routes"]:
            raise bad("At least one route is required before deploying the Api.")
        if stage_name is not None and stage_name not in document["stages"]:
            raise missing("Stage", stage_name)
        deployment = deploy(call, document, description=description, is_auto=False)
        if stage_name is not None:
            stage = document["stages"][stage_name]
            if stage.get("AutoDeploy"):
                raise bad("Deployment to a stage with auto-deploy enabled is not possible")
            serve(call, document, stage, deployment["DeploymentId"])
        save(call, document)
    return deployment


@operations.add("GetDeployment")
def get_deployment(call: Call, *, api_id: str, deployment_id: str) -> Document:
    """One deployment."""
    return _deployment_of(call, api_id, deployment_id)[1]


@operations.add("GetDeployments")
def get_deployments(
    call: Call, *, api_id: str, max_results: str | None = None, next_token: str | None = None
) -> Document:
    """The deployments of an API."""
    found = read(call, api_id)["deployments"].values()
    return paged(found, "DeploymentId", max_results, next_token)


@operations.add("UpdateDeployment", writes=True)
def update_deployment(
    call: Call, *, api_id: str, deployment_id: str, description: str | None = None
) -> Document:
    """Describes a deployment."""
    with call.store.lock:
        document, deployment = _deployment_of(call, api_id, deployment_id)
        if description is not None:
            deployment["Description"] = description
        save(call, document)
    return deployment


@operations.add("DeleteDeployment", writes=True)
def delete_deployment(call: Call, *, api_id: str, deployment_id: str) -> None:
    """Deletes a deployment that no stage serves."""
    with call.store.lock:
        document, _ = _deployment_of(call, api_id, deployment_id)
        served = [stage.get("DeploymentId") for stage in document["stages"].values()]
        if deployment_id in served:
            raise bad("Active stages pointing to this deployment must be moved or deleted")
        del document["deployments"][deployment_id]
        call.store.put(deployment_key(api_id, deployment_id), None)
        save(call, document)
