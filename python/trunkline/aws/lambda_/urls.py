"""Function URLs: kept and told. Requests are not served at them; an API of API Gateway is."""

from __future__ import annotations

import hashlib

from trunkline.aws.lambda_.documents import (
    Named,
    key_of,
    name_of,
    named,
    read,
    time_text,
    version_of,
)
from trunkline.aws.lambda_.errors import conflict, invalid, missing
from trunkline.aws.lambda_.registry import operations
from trunkline.functions.names import LATEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

_MEMBERS = {"auth_type": "AuthType", "cors": "Cors", "invoke_mode": "InvokeMode"}


def _place(call: Call, wanted: Named) -> tuple[dict[str, Any], str]:
    document = read(call, wanted)
    version_of(document, wanted.qualifier)
    if wanted.qualifier is not None and wanted.qualifier not in document["aliases"]:
        raise invalid("A function URL belongs to a function or to an alias.")
    return document, wanted.qualifier or LATEST


def _existing(call: Call, wanted: Named) -> tuple[dict[str, Any], str, dict[str, Any]]:
    document, own = _place(call, wanted)
    kept = document["urls"].get(own)
    if kept is None:
        raise missing("The resource you requested does not exist.")
    return document, own, kept


def _given(given: dict[str, Any]) -> dict[str, Any]:
    return {_MEMBERS[name]: value for name, value in given.items() if name in _MEMBERS}


@operations.add("CreateFunctionUrlConfig", writes=True, stored_only=True)
def create_function_url_config(
    call: Call, *, function_name: str, qualifier: str | None = None, **given: Any
) -> dict[str, Any]:
    """Gives a function a URL."""
    wanted = named(call, function_name, qualifier)
    with call.store.lock:
        document, own = _place(call, wanted)
        if own in document["urls"]:
            raise conflict(
                f"Failed to create function url config for [functionArn = {wanted.arn}]. Error "
                "message:  FunctionUrlConfig exists for this Lambda function"
            )
        digest = hashlib.sha256(wanted.arn.encode()).hexdigest()[:32]
        now = time_text(call.store.now())
        kept = {
            "FunctionUrl": f"https://{digest}.lambda-url.{call.region}.on.aws/",
            "FunctionArn": wanted.arn,
            "CreationTime": now,
            "LastModifiedTime": now,
            "InvokeMode": "BUFFERED",
            **_given(given),
        }
        document["urls"][own] = kept
        call.store.put(key_of(name_of(document)), document)
    return {name: value for name, value in kept.items() if name != "LastModifiedTime"}


@operations.add("GetFunctionUrlConfig")
def get_function_url_config(
    call: Call, *, function_name: str, qualifier: str | None = None
) -> dict[str, Any]:
    """The URL of a function."""
    return _existing(call, named(call, function_name, qualifier))[2]


@operations.add("UpdateFunctionUrlConfig", writes=True, stored_only=True)
def update_function_url_config(
    call: Call, *, function_name: str, qualifier: str | None = None, **given: Any
) -> dict[str, Any]:
    """Changes what is given of it."""
    with call.store.lock:
        document, own, kept = _existing(call, named(call, function_name, qualifier))
        kept |= _given(given) | {"LastModifiedTime": time_text(call.store.now())}
        document["urls"][own] = kept
        call.store.put(key_of(name_of(document)), document)
    return kept


@operations.add("DeleteFunctionUrlConfig", writes=True, stored_only=True)
def delete_function_url_config(
    call: Call, *, function_name: str, qualifier: str | None = None
) -> None:
    """Takes the URL away."""
    with call.store.lock:
        document, own, _ = _existing(call, named(call, function_name, qualifier))
        del document["urls"][own]
        call.store.put(key_of(name_of(document)), document)


@operations.add("ListFunctionUrlConfigs")
def list_function_url_configs(call: Call, *, function_name: str, **_: Any) -> dict[str, Any]:
    """The URLs of a function and its aliases."""
    document = read(call, named(call, function_name))
    return {"FunctionUrlConfigs": list(document["urls"].values())}
