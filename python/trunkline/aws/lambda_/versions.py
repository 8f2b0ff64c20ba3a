"""Versions: copies of code and configuration that never change."""

from __future__ import annotations

from trunkline.aws.lambda_.documents import configuration, key_of, name_of, named, read
from trunkline.aws.lambda_.errors import invalid, stale
from trunkline.aws.lambda_.listing import listed
from trunkline.aws.lambda_.registry import operations
from trunkline.functions.names import LATEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


VERSION_MAX = "9" * 18
"""As many digits as the number of a version has at most."""


def publish(
    call: Call, document: dict[str, Any], description: str | None
) -> tuple[str, dict[str, Any]]:
    """Makes a version of what the function is; the newest one if nothing changed since."""
    latest = document["latest"]
    newest = str(document["next_version"] - 1)
    kept = document["versions"].get(newest)
    if kept is not None and kept["of"] == latest["revision"]:
        return newest, kept
    version = str(document["next_version"])
    config = dict(latest["config"])
    if description is not None:
        config["Description"] = description
    copy = {**latest, "config": config, "of": latest["revision"]}
    document["versions"][version] = copy
    document["next_version"] += 1
    call.store.put(key_of(name_of(document)), document)
    return version, copy


@operations.add("PublishVersion", writes=True)
def publish_version(
    call: Call,
    *,
    function_name: str,
    code_sha256: str | None = None,
    description: str | None = None,
    revision_id: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Publishes what the function is as a version."""
    wanted = named(call, function_name)
    with call.store.lock:
        document = read(call, wanted)
        if document["program"]:
            raise invalid("A function of a program has no versions: its code is not kept.")
        latest = document["latest"]
        if revision_id is not None and revision_id != latest["revision"]:
            raise stale()
        if code_sha256 is not None and code_sha256 != latest["code"]["Sha256"]:
            raise invalid(
                "CodeSHA256 provided does not match the CodeSHA256 of the function's code."
            )
        return configuration(document, *publish(call, document, description))


@operations.add("ListVersionsByFunction")
def list_versions_by_function(call: Call, *, function_name: str, **given: Any) -> dict[str, Any]:
    """All versions, $LATEST first."""
    document = read(call, named(call, function_name))
    every = [(LATEST, document["latest"]), *document["versions"].items()]
    shown, next_marker = listed(every, lambda one: one[0].zfill(len(VERSION_MAX)), given)
    told = [configuration(document, version, kept) for version, kept in shown]
    for one in told:
        one["FunctionArn"] = f"{name_of(document).arn}:{one['Version']}"
    return {"Versions": told, "NextMarker": next_marker}
