"""Aliases: names for versions, which may share invocations between two of them."""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.lambda_ import provisioned
from trunkline.aws.lambda_.documents import key_of, name_of, named, read, version_of
from trunkline.aws.lambda_.errors import conflict, invalid, missing, stale
from trunkline.aws.lambda_.listing import listed
from trunkline.aws.lambda_.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


def _told(document: dict[str, Any], alias: dict[str, Any]) -> dict[str, Any]:
    return {"AliasArn": f"{name_of(document).arn}:{alias['Name']}", **alias}


def _existing(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document["aliases"].get(name)
    if found is None:
        raise missing(f"Alias not found: {name_of(document).arn}:{name}")
    return dict(found)


def _check(document: dict[str, Any], alias: dict[str, Any]) -> None:
    version = alias["FunctionVersion"]
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    for one in (version, *weights):
        if one in document["aliases"]:
            raise invalid(f"An alias names a version, and {one} is an alias.")
        version_of(document, one)
    if weights and (len(weights) > 1 or version == "$LATEST" or "$LATEST" in weights):
        raise invalid("An alias shares invocations between two versions, neither of them $LATEST.")
    if version in weights:
        raise invalid("Invalid function version. Function version should not be in the weights.")
    if any(not 0 <= weight <= 1 for weight in weights.values()):
        raise invalid("A weight of an alias is between 0.0 and 1.0.")


def _keep(call: Call, document: dict[str, Any], alias: dict[str, Any]) -> dict[str, Any]:
    _check(document, alias)
    alias["RevisionId"] = str(uuid4())
    document["aliases"][alias["Name"]] = alias
    call.store.put(key_of(name_of(document)), document)
    return _told(document, alias)


@operations.add("CreateAlias", writes=True)
def create_alias(
    call: Call,
    *,
    function_name: str,
    name: str,
    function_version: str,
    description: str = "",
    routing_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Gives a version a name."""
    with call.store.lock:
        document = read(call, named(call, function_name))
        if name in document["aliases"]:
            arn = f"{name_of(document).arn}:{name}"
            raise conflict(f"Alias already exists: {arn}")
        alias = {"Name": name, "FunctionVersion": function_version, "Description": description}
        if routing_config and routing_config.get("AdditionalVersionWeights"):
            alias["RoutingConfig"] = routing_config  # type: ignore[assignment]
        return _keep(call, document, alias)


@operations.add("UpdateAlias", writes=True)
def update_alias(
    call: Call,
    *,
    function_name: str,
    name: str,
    function_version: str | None = None,
    description: str | None = None,
    routing_config: dict[str, Any] | None = None,
    revision_id: str | None = None,
) -> dict[str, Any]:
    """Changes what is given of an alias."""
    with call.store.lock:
        document = read(call, named(call, function_name))
        alias = _existing(document, name)
        if revision_id is not None and revision_id != alias["RevisionId"]:
            raise stale()
        if function_version is not None:
            alias["FunctionVersion"] = function_version
        if description is not None:
            alias["Description"] = description
        if routing_config is not None:
            alias.pop("RoutingConfig", None)
            if routing_config.get("AdditionalVersionWeights"):
                alias["RoutingConfig"] = routing_config
        return _keep(call, document, alias)


@operations.add("GetAlias")
def get_alias(call: Call, *, function_name: str, name: str) -> dict[str, Any]:
    """An alias."""
    document = read(call, named(call, function_name))
    return _told(document, _existing(document, name))


@operations.add("DeleteAlias", writes=True)
def delete_alias(call: Call, *, function_name: str, name: str) -> None:
    """Removes an alias; one that is gone is a success."""
    with call.store.lock:
        document = read(call, named(call, function_name))
        if document["aliases"].pop(name, None) is not None:
            provisioned.forget(document, name)
            call.store.put(key_of(name_of(document)), document)


@operations.add("ListAliases")
def list_aliases(
    call: Call,
    *,
    function_name: str,
    function_version: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """The aliases of a function, sorted by name; those of one version if it is named."""
    document = read(call, named(call, function_name))
    wanted = [
        alias
        for alias in document["aliases"].values()
        if function_version in (None, alias["FunctionVersion"])
    ]
    shown, next_marker = listed(wanted, lambda one: str(one["Name"]), given)
    told = [_told(document, alias) for alias in shown]
    return {"Aliases": told, "NextMarker": next_marker}
