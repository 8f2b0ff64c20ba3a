"""REST APIs themselves: created, told, patched, deleted."""

from __future__ import annotations

import time

from trunkline.aws.apigateway.documents import (
    api_key,
    deployment_key,
    in_order,
    members,
    new_id,
    order_key,
    paged_behind,
    place_of,
    publish_all,
    read,
    save,
    stage_key,
)
from trunkline.aws.apigateway.errors import bad, one_of, refused
from trunkline.aws.apigateway.models import DEFAULTS
from trunkline.aws.apigateway.patching import (
    LISTED,
    Rule,
    boolean,
    check_operations,
    number,
    patched,
)
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call

ENDPOINT_TYPES = ("PRIVATE", "EDGE", "REGIONAL")
IP_ADDRESS_TYPES = ("ipv4", "dualstack")
SOURCES = ("HEADER", "AUTHORIZER")
NAME_CHARS_MAX = 1_000_000


def _name(value: Any) -> None:
    if not value:
        raise bad("API Name cannot be blank")


def _source(value: Any) -> None:
    if value not in SOURCES:
        raise bad("Invalid apiKeySource")


RULES = {
    "/name": Rule(check=_name),
    "/description": Rule(("add", "replace", "remove")),
    "/version": Rule(("add", "replace", "remove")),
    "/apiKeySource": Rule(check=_source),
    "/policy": Rule(("replace", "remove")),
    "/minimumCompressionSize": Rule(("add", "replace", "remove"), read=number),
    "/disableExecuteApiEndpoint": Rule(read=boolean),
    "/binaryMediaTypes/*": LISTED,
    "/endpointConfiguration/types/*": LISTED,
    "/endpointConfiguration/types": LISTED,
    "/endpointConfiguration/ipAddressType": Rule(),
    "/endpointConfiguration/vpcEndpointIds": LISTED,
}


def new_api(call: Call, rest: dict[str, Any]) -> dict[str, Any]:
    """The document of a new API with its root resource."""
    api, root = new_id(), new_id()
    return {
        "id": api,
        "account": call.account,
        "region": call.region,
        # Tells apart what is created in one millisecond, or while a virtual clock stands still.
        "created": time.time_ns(),
        "rest": {"id": api, "createdDate": call.store.now(), "rootResourceId": root, **rest},
        "resources": {root: {"id": root, "path": "/", "methods": {}}},
        "models": {name: {**model, "id": new_id(6)} for name, model in DEFAULTS.items()},
        "validators": {},
        "authorizers": {},
        "responses": {},
        "deployments": {},
        "stages": {},
        "parts": {},
        "versions": {},
    }


def defaults(given: dict[str, Any]) -> dict[str, Any]:
    """The members of an API with those that AWS adds."""
    endpoint = dict(given.get("endpointConfiguration") or {"types": ["EDGE"]})
    endpoint.setdefault("types", ["EDGE"])
    wrong = [kind for kind in endpoint["types"] if kind not in ENDPOINT_TYPES]
    if wrong:
        raise refused(
            "createRestApiInput.endpointConfiguration.types",
            f"[{', '.join(endpoint['types'])}]",
            f"Member must satisfy constraint: [{one_of(ENDPOINT_TYPES)}]",
        )
    is_private = endpoint["types"] == ["PRIVATE"]
    endpoint.setdefault("ipAddressType", "dualstack" if is_private else "ipv4")
    if endpoint["ipAddressType"] not in IP_ADDRESS_TYPES:
        raise refused(
            "createRestApiInput.endpointConfiguration.ipAddressType",
            endpoint["ipAddressType"],
            one_of(IP_ADDRESS_TYPES),
        )
    if is_private and endpoint["ipAddressType"] != "dualstack":
        raise bad("Only dualstack ipAddressType is supported for Private APIs.")
    told: dict[str, Any] = {
        "apiKeySource": "HEADER",
        "disableExecuteApiEndpoint": False,
        **given,
        "endpointConfiguration": endpoint,
    }
    _source(told["apiKeySource"])
    return told


@operations.add("CreateRestApi", writes=True)
def create_rest_api(
    call: Call, *, name: str, clone_from: str | None = None, **given: Any
) -> dict[str, Any]:
    """Creates an API, empty or as a copy of another."""
    _name(name)
    rest = defaults(members({"name": name, **given}))
    with call.store.lock:
        document = new_api(call, rest)
        if clone_from is not None:
            source = read(call, clone_from)
            for part in ("resources", "models", "validators", "authorizers", "responses"):
                document[part] = source[part]
            document["rest"]["rootResourceId"] = source["rest"]["rootResourceId"]
        save(call, document)
    told: dict[str, Any] = document["rest"]
    return told


@operations.add("GetRestApi")
def get_rest_api(call: Call, *, rest_api_id: str) -> dict[str, Any]:
    """One API."""
    told: dict[str, Any] = read(call, rest_api_id)["rest"]
    return told


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """An API as updates tell of it."""
    rest: dict[str, Any] = document["rest"]
    return {**rest, "tags": rest.get("tags", {})}


@operations.add("GetRestApis")
def get_rest_apis(
    call: Call, *, limit: int | None = None, position: str | None = None
) -> dict[str, Any]:
    """The APIs of the caller, in the order of their creation."""
    told = paged_behind(lambda after: in_order(call, after), place_of, limit, position)
    return {**told, "items": [document["rest"] for document in told["items"]]}


@operations.add("UpdateRestApi", writes=True)
def update_rest_api(
    call: Call, *, rest_api_id: str, patch_operations: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Patches an API."""
    check_operations("updateRestApi", patch_operations)
    with call.store.lock:
        document = read(call, rest_api_id)
        rest = patched(document["rest"], _replaced_types(patch_operations), RULES)
        endpoint = rest["endpointConfiguration"]
        if any(kind not in ENDPOINT_TYPES for kind in endpoint.get("types", ())):
            raise bad("Invalid value for endpoint configuration type")
        if endpoint.get("types") == ["PRIVATE"]:
            endpoint["ipAddressType"] = "dualstack"
        document["rest"] = rest
        save(call, document)
        publish_all(call, document)
    return shown(document)


def _replaced_types(given: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    # The first type is named by its place, or by its name; the value takes its place.
    result: list[dict[str, Any]] = []
    for one in given:
        path = one.get("path") or ""
        if path.startswith("/endpointConfiguration/types/0") and one.get("op") == "replace":
            for kind in ENDPOINT_TYPES:
                result.append({"op": "remove", "path": f"/endpointConfiguration/types/{kind}"})
            result.append({**one, "op": "add", "path": "/endpointConfiguration/types"})
        else:
            result.append(one)
    return result


@operations.add("DeleteRestApi", writes=True)
def delete_rest_api(call: Call, *, rest_api_id: str) -> None:
    """Deletes an API with its stages and deployments."""
    with call.store.lock:
        document = read(call, rest_api_id)
        for stage in document["stages"]:
            call.store.put(stage_key(rest_api_id, stage), None)
        for deployment in document["deployments"]:
            call.store.put(deployment_key(rest_api_id, deployment), None)
        call.store.put(api_key(call.account, call.region, rest_api_id), None)
        call.store.put(order_key(document, place_of(document)), None)
