"""Deployments: snapshots of an API that stages serve."""

from __future__ import annotations

from trunkline.aws.apigateway.documents import (
    SNAPSHOT,
    deployment_key,
    members,
    new_id,
    paged,
    publish,
    read,
    read_or,
    save,
)
from trunkline.aws.apigateway.errors import bad, missing
from trunkline.aws.apigateway.patching import Rule, check_operations, patched
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.apigateway.stages import check_name, new_stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call

RULES = {"/description": Rule(("add", "replace", "remove"))}


def _no_deployment() -> ServiceError:
    return missing("Invalid Deployment identifier specified")


def _deployment_of(call: Call, api: str, deployment: str) -> tuple[dict[str, Any], dict[str, Any]]:
    document = read_or(call, api, _no_deployment)
    found = document["deployments"].get(deployment)
    if found is None:
        raise _no_deployment()
    return document, found


def _check_methods(document: dict[str, Any]) -> None:
    methods = [
        method
        for resource in document["resources"].values()
        for method in resource["methods"].values()
    ]
    if not methods:
        raise bad("The REST API doesn't contain any methods")
    if not all(method.get("methodIntegration") for method in methods):
        raise bad("No integration defined for method")


def snapshot(document: dict[str, Any]) -> dict[str, Any]:
    """What a deployment keeps of an API."""
    kept = {name: document[name] for name in SNAPSHOT}
    types = document["rest"].get("binaryMediaTypes", [])
    owner = {"account": document["account"], "region": document["region"]}
    return {**kept, **owner, "binaryMediaTypes": types}


def _check_canary(document: dict[str, Any], stage: str | None) -> None:
    told = "Invalid deployment content specified."
    if not stage:
        raise bad(
            f"{told}Non null and non empty stageName must be provided for canary deployment. "
            f"Provided value is {'null' if stage is None else stage}"
        )
    if stage not in document["stages"]:
        raise bad(
            f"{told}Stage {stage} must already be created before making a canary release deployment"
        )


@operations.add("CreateDeployment", writes=True)
def create_deployment(
    call: Call,
    *,
    rest_api_id: str,
    stage_name: str | None = None,
    stage_description: str | None = None,
    description: str | None = None,
    canary_settings: dict[str, Any] | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Takes a snapshot, and lets a stage serve it if one is named."""
    with call.store.lock:
        document = read(call, rest_api_id)
        if canary_settings is not None:
            _check_canary(document, stage_name)
        _check_methods(document)
        deployment = {
            "id": new_id(6),
            "createdDate": call.store.now(),
            **members({"description": description}),
        }
        document["deployments"][deployment["id"]] = deployment
        call.store.put(deployment_key(rest_api_id, deployment["id"]), snapshot(document))
        if stage_name:
            check_name(stage_name)
            stage = document["stages"].get(stage_name)
            if canary_settings is not None and stage is not None:
                stage["canarySettings"] = {
                    "percentTraffic": 0.0,
                    "useStageCache": False,
                    **members(canary_settings),
                    "deploymentId": deployment["id"],
                }
            elif stage is not None:
                stage["deploymentId"] = deployment["id"]
                stage |= members(given)
            else:
                told = {"description": stage_description, **given}
                stage = new_stage(call, stage_name, deployment["id"], members(told))
            document["stages"][stage_name] = stage
            publish(call, document, stage_name)
        save(call, document)
    return deployment


@operations.add("GetDeployment")
def get_deployment(
    call: Call, *, rest_api_id: str, deployment_id: str, embed: Sequence[str] = ()
) -> dict[str, Any]:
    """One deployment; with its methods where they are asked for."""
    _, deployment = _deployment_of(call, rest_api_id, deployment_id)
    if "apisummary" not in embed:
        return deployment
    kept = call.store.get(deployment_key(rest_api_id, deployment_id)) or {"resources": {}}
    summary = {
        resource["path"]: {
            verb: {
                "authorizationType": method["authorizationType"],
                "apiKeyRequired": method["apiKeyRequired"],
            }
            for verb, method in resource["methods"].items()
        }
        for resource in kept["resources"].values()
        if resource["methods"]
    }
    return {**deployment, "apiSummary": summary}


@operations.add("GetDeployments")
def get_deployments(
    call: Call, *, rest_api_id: str, limit: int | None = None, position: str | None = None
) -> dict[str, Any]:
    """The deployments of an API."""
    return paged(read(call, rest_api_id)["deployments"].values(), limit, position)


@operations.add("UpdateDeployment", writes=True)
def update_deployment(
    call: Call,
    *,
    rest_api_id: str,
    deployment_id: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches a deployment."""
    check_operations("updateDeployment", patch_operations)
    with call.store.lock:
        document, deployment = _deployment_of(call, rest_api_id, deployment_id)
        changed = patched(deployment, patch_operations, RULES)
        document["deployments"][deployment_id] = changed
        save(call, document)
    return changed


@operations.add("DeleteDeployment", writes=True)
def delete_deployment(call: Call, *, rest_api_id: str, deployment_id: str) -> None:
    """Deletes a deployment that no stage serves."""
    with call.store.lock:
        document, _ = _deployment_of(call, rest_api_id, deployment_id)
        for stage in document["stages"].values():
            canary = stage.get("canarySettings", {}).get("deploymentId")
            if deployment_id in (stage["deploymentId"], canary):
                raise bad("Active stages pointing to this deployment must be moved or deleted")
        del document["deployments"][deployment_id]
        call.store.put(deployment_key(rest_api_id, deployment_id), None)
        save(call, document)
