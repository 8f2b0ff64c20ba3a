"""Layers: code that several functions share."""

from __future__ import annotations

from trunkline.aws.arns import partition
from trunkline.aws.lambda_ import code
from trunkline.aws.lambda_.documents import time_text
from trunkline.aws.lambda_.errors import denied, invalid, missing
from trunkline.aws.lambda_.listing import listed
from trunkline.aws.lambda_.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


def layer_arn(call: Call, layer_name: str) -> str:
    """The ARN of a layer of the caller, from its name or its ARN."""
    place = f"arn:{partition(call.region)}:lambda:{call.region}:{call.account}:layer:"
    if not layer_name.startswith("arn:"):
        return f"{place}{layer_name}"
    if not layer_name.startswith(place):
        raise denied(f"The layer {layer_name[:140]} belongs to another account or region.")
    return layer_name


def _prefix(arn: str) -> str:
    parts = arn.split(":")
    if len(parts) != 7:
        raise invalid(f"The layer ARN is not valid: {arn[:140]}")
    return f"{code.LAYERS}{parts[3]}/{parts[4]}/{parts[6]}/"


def _told(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("code", "policy")}


@operations.add("PublishLayerVersion", writes=True)
def publish_layer_version(
    call: Call, *, layer_name: str, content: dict[str, Any], **given: Any
) -> dict[str, Any]:
    """Adds a version of a layer."""
    arn = layer_arn(call, layer_name)
    with call.store.lock:
        counter = f"lambda/layer-versions/{arn}"
        version = (call.store.get(counter) or {"last": 0})["last"] + 1
        kept = code.put(call, content)
        names = {
            "description": "Description",
            "compatible_runtimes": "CompatibleRuntimes",
            "compatible_architectures": "CompatibleArchitectures",
            "license_info": "LicenseInfo",
        }
        document = {
            "LayerArn": arn,
            "LayerVersionArn": f"{arn}:{version}",
            "Version": version,
            "CreatedDate": time_text(call.store.now()),
            **{names[name]: value for name, value in given.items() if name in names},
            "code": kept,
        }
        keep_version(call, document)
        call.store.put(counter, {"last": version})
    return _with_content(document)


def _with_content(document: dict[str, Any]) -> dict[str, Any]:
    kept = document["code"]
    return {**_told(document), "Content": {"CodeSha256": kept["Sha256"], "CodeSize": kept["Size"]}}


def _key(arn: str, number: int) -> str:
    return f"{_prefix(arn)}{number:08}"


def read_version(call: Call, arn: str, number: int) -> dict[str, Any]:
    """The document of a version; raises if there is none."""
    document = call.store.get(_key(arn, number))
    if document is None:
        raise missing("The resource you requested does not exist.")
    return document


def keep_version(call: Call, document: dict[str, Any]) -> None:
    """Puts the document of a version as it is now."""
    call.store.put(_key(document["LayerArn"], document["Version"]), document)


@operations.add("GetLayerVersion")
def get_layer_version(call: Call, *, layer_name: str, version_number: int) -> dict[str, Any]:
    """A version of a layer."""
    return _with_content(read_version(call, layer_arn(call, layer_name), version_number))


@operations.add("GetLayerVersionByArn")
def get_layer_version_by_arn(call: Call, *, arn: str) -> dict[str, Any]:
    """A version of a layer, by its ARN."""
    layer, _, version = arn.rpartition(":")
    if not version.isdigit():
        raise invalid(f"The layer version ARN is not valid: {arn[:140]}")
    return _with_content(read_version(call, layer, int(version)))


@operations.add("DeleteLayerVersion", writes=True)
def delete_layer_version(call: Call, *, layer_name: str, version_number: int) -> None:
    """Removes a version of a layer; one that is gone is a success."""
    key = _key(layer_arn(call, layer_name), version_number)
    with call.store.lock:
        document = call.store.get(key)
        if document is not None:
            call.store.put(key, None)
            code.forget_unused(call.store, {document["code"]["Sha256"]})


@operations.add("ListLayerVersions")
def list_layer_versions(call: Call, *, layer_name: str, **given: Any) -> dict[str, Any]:
    """The versions of a layer, the newest first."""
    found = call.store.every(_prefix(layer_arn(call, layer_name)))
    newest_first = lambda one: f"{99_999_999 - one['Version']:08}"  # noqa: E731 - one expression
    shown, next_marker = listed(found, newest_first, given)
    return {"LayerVersions": [_told(one) for one in shown], "NextMarker": next_marker}


@operations.add("ListLayers")
def list_layers(call: Call, **given: Any) -> dict[str, Any]:
    """The layers of the caller with their newest versions."""
    newest: dict[str, dict[str, Any]] = {}
    for document in call.store.every(f"{code.LAYERS}{call.region}/{call.account}/"):
        newest[document["LayerArn"]] = document
    shown, next_marker = listed(newest.values(), lambda one: str(one["LayerArn"]), given)
    told = [
        {
            "LayerName": one["LayerArn"].rpartition(":")[2],
            "LayerArn": one["LayerArn"],
            "LatestMatchingVersion": _told(one),
        }
        for one in shown
    ]
    return {"Layers": told, "NextMarker": next_marker}
