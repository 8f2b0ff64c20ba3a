"""The stages of a REST API: names under which a deployment is served."""

from __future__ import annotations

import re

from trunkline.aws.apigateway.documents import members, publish, read, read_or, save
from trunkline.aws.apigateway.errors import bad, conflict, missing
from trunkline.aws.apigateway.patching import check_operations
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.apigateway.stage_patches import patched_stage
from trunkline.aws.limits import STAGE_NAME_CHARS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call

_NAME = re.compile(r"[a-zA-Z0-9_-]+")


def check_name(name: str) -> None:
    """Refuses what cannot be the name of a stage."""
    if not _NAME.fullmatch(name) or len(name) > STAGE_NAME_CHARS_MAX:
        raise bad("Stage name only allows a-zA-Z0-9_-")


def no_stage() -> ServiceError:
    """A stage that is not there."""
    return missing("Invalid stage identifier specified")


def new_stage(call: Call, name: str, deployment: str, given: dict[str, Any]) -> dict[str, Any]:
    """A new stage."""
    now = call.store.now()
    return {
        "stageName": name,
        "deploymentId": deployment,
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": False,
        "createdDate": now,
        "lastUpdatedDate": now,
        **given,
    }


def stage_of(call: Call, api: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An API and one of its stages."""
    document = read_or(call, api, no_stage)
    found = document["stages"].get(name)
    if found is None:
        raise no_stage()
    return document, found


@operations.add("CreateStage", writes=True)
def create_stage(
    call: Call, *, rest_api_id: str, stage_name: str, deployment_id: str, **given: Any
) -> dict[str, Any]:
    """Adds a stage that serves a deployment."""
    with call.store.lock:
        document = read(call, rest_api_id)
        check_name(stage_name)
        if deployment_id not in document["deployments"]:
            raise bad("Deployment id does not exist")
        if stage_name in document["stages"]:
            raise conflict("Stage already exists")
        version = given.get("documentation_version")
        if version and version not in document["versions"]:
            raise missing("Invalid Documentation version specified")
        told = members(given)
        if told.get("canarySettings") is not None:
            told["canarySettings"] = {
                "percentTraffic": 0.0,
                "useStageCache": False,
                "deploymentId": deployment_id,
                **told["canarySettings"],
            }
        stage = new_stage(call, stage_name, deployment_id, told)
        document["stages"][stage_name] = stage
        save(call, document)
        publish(call, document, stage_name)
    return stage


@operations.add("GetStage")
def get_stage(call: Call, *, rest_api_id: str, stage_name: str) -> dict[str, Any]:
    """One stage."""
    return stage_of(call, rest_api_id, stage_name)[1]


@operations.add("GetStages")
def get_stages(call: Call, *, rest_api_id: str, deployment_id: str | None = None) -> dict[str, Any]:
    """The stages of an API, or those of a deployment."""
    stages = read(call, rest_api_id)["stages"].values()
    return {"item": [one for one in stages if deployment_id in (None, one["deploymentId"])]}


@operations.add("UpdateStage", writes=True)
def update_stage(
    call: Call,
    *,
    rest_api_id: str,
    stage_name: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches a stage, promotes its canary, or changes the settings of its methods."""
    check_operations("updateStage", patch_operations)
    with call.store.lock:
        document, stage = stage_of(call, rest_api_id, stage_name)
        changed = patched_stage(document, stage, patch_operations)
        changed["lastUpdatedDate"] = call.store.now()
        document["stages"][stage_name] = changed
        save(call, document)
        publish(call, document, stage_name)
    return changed


@operations.add("DeleteStage", writes=True)
def delete_stage(call: Call, *, rest_api_id: str, stage_name: str) -> None:
    """Deletes a stage."""
    with call.store.lock:
        document, _ = stage_of(call, rest_api_id, stage_name)
        del document["stages"][stage_name]
        save(call, document)
        publish(call, document, stage_name)


@operations.add("FlushStageCache")
def flush_stage_cache(call: Call, *, rest_api_id: str, stage_name: str) -> None:
    """Has nothing to forget: answers are not cached here."""
    stage_of(call, rest_api_id, stage_name)


@operations.add("FlushStageAuthorizersCache", writes=True)
def flush_stage_authorizers_cache(call: Call, *, rest_api_id: str, stage_name: str) -> None:
    """Forgets what authorizers have said for a stage."""
    with call.store.lock:
        document, stage = stage_of(call, rest_api_id, stage_name)
        # Policies are cached for one state of a stage.
        stage["authorizersFlushed"] = stage.get("authorizersFlushed", 0) + 1
        save(call, document)
        publish(call, document, stage_name)
