"""Deployments: what stages serve of an API."""

from __future__ import annotations

from trunkline.aws.apigatewayv2.documents import (
    SNAPSHOT,
    deployment_key,
    new_id,
    save,
    save_stage,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]


def deploy(call: Call, document: Document, *, description: str | None, is_auto: bool) -> Document:
    """A new deployment of an API."""
    deployment: Document = {
        "DeploymentId": new_id(6),
        "AutoDeployed": is_auto,
        "CreatedDate": call.store.now(),
        "DeploymentStatus": "DEPLOYED",
    }
    if description is not None:
        deployment["Description"] = description
    document["deployments"][deployment["DeploymentId"]] = deployment
    taken = {name: document[name] for name in SNAPSHOT}
    call.store.put(deployment_key(document["id"], deployment["DeploymentId"]), taken)
    return deployment


def serve(call: Call, document: Document, stage: Document, deployment: str) -> None:
    """Lets a stage serve a deployment."""
    stage["DeploymentId"] = deployment
    stage["LastUpdatedDate"] = call.store.now()
    if stage.get("AutoDeploy"):
        stage["LastDeploymentStatusMessage"] = (
            f"Successfully deployed stage with deployment ID '{deployment}'"
        )
    save_stage(call, document, stage["StageName"])


def changed(call: Call, document: Document) -> None:
    """Keeps an API after a change of its parts; stages with AutoDeploy serve it at once."""
    automatic = [stage for stage in document["stages"].values() if stage.get("AutoDeploy")]
    if automatic:
        deployment = deploy(
            call, document, description="Automatic deployment triggered by changes", is_auto=True
        )
        for stage in automatic:
            serve(call, document, stage, deployment["DeploymentId"])
        forget_unused(call, document)
    save(call, document)


def forget_unused(call: Call, document: Document) -> None:
    """Drops automatic deployments that no stage serves any more."""
    served = {stage.get("DeploymentId") for stage in document["stages"].values()}
    for id, deployment in list(document["deployments"].items()):
        if deployment["AutoDeployed"] and id not in served:
            del document["deployments"][id]
            call.store.put(deployment_key(document["id"], id), None)
