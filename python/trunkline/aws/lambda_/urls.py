"""Function URLs: made, changed and told. `url_requests` answers the requests that come to them."""

from __future__ import annotations

import hashlib

from trunkline.aws.lambda_.documents import (
    PREFIX,
    Named,
    key_of,
    name_of,
    named,
    read,
    time_text,
    version_of,
)
from trunkline.aws.lambda_.errors import conflict, invalid, missing, unsupported
from trunkline.aws.lambda_.registry import operations
from trunkline.functions.names import LATEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

KEY = "lambda/urls/"
"""What the keys of documents begin with that say of a URL which function it belongs to."""

PATH = "/_aws/lambda-url/"
"""What the paths of URLs begin with. They are reached by the host ``ID.lambda-url...``, too."""

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
    if given.get("invoke_mode") == "RESPONSE_STREAM":
        raise unsupported("InvokeMode RESPONSE_STREAM, an answer in parts,")
    return {_MEMBERS[name]: value for name, value in given.items() if name in _MEMBERS}


@operations.add("CreateFunctionUrlConfig", writes=True)
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
        now = time_text(call.store.now())
        kept = {
            "FunctionArn": wanted.arn,
            "CreationTime": now,
            "LastModifiedTime": now,
            "InvokeMode": "BUFFERED",
            **_given(given),
        }
        document["urls"][own] = kept
        call.store.put(key_of(name_of(document)), document)
        place = key_of(name_of(document)).removeprefix(PREFIX)
        call.store.put(f"{KEY}{_id_of(wanted.arn)}", {"function": place, "qualifier": own})
    told = _told(call, kept)
    del told["LastModifiedTime"]
    return told


def _id_of(arn: str) -> str:
    """The id of the URL of a function or an alias; it is the same whenever it is made."""
    return hashlib.sha256(arn.encode()).hexdigest()[:32]


def _told(call: Call, kept: dict[str, Any]) -> dict[str, Any]:
    """A URL as it is told: where the caller reaches it."""
    return {**kept, "FunctionUrl": f"{call.base}{PATH}{_id_of(kept['FunctionArn'])}/"}


@operations.add("GetFunctionUrlConfig")
def get_function_url_config(
    call: Call, *, function_name: str, qualifier: str | None = None
) -> dict[str, Any]:
    """The URL of a function."""
    return _told(call, _existing(call, named(call, function_name, qualifier))[2])


@operations.add("UpdateFunctionUrlConfig", writes=True)
def update_function_url_config(
    call: Call, *, function_name: str, qualifier: str | None = None, **given: Any
) -> dict[str, Any]:
    """Changes what is given of it."""
    with call.store.lock:
        document, own, kept = _existing(call, named(call, function_name, qualifier))
        kept |= _given(given) | {"LastModifiedTime": time_text(call.store.now())}
        document["urls"][own] = kept
        call.store.put(key_of(name_of(document)), document)
    return _told(call, kept)


@operations.add("DeleteFunctionUrlConfig", writes=True)
def delete_function_url_config(
    call: Call, *, function_name: str, qualifier: str | None = None
) -> None:
    """Takes the URL away."""
    with call.store.lock:
        document, own, kept = _existing(call, named(call, function_name, qualifier))
        del document["urls"][own]
        call.store.put(f"{KEY}{_id_of(kept['FunctionArn'])}", None)
        call.store.put(key_of(name_of(document)), document)


@operations.add("ListFunctionUrlConfigs")
def list_function_url_configs(call: Call, *, function_name: str, **_: Any) -> dict[str, Any]:
    """The URLs of a function and its aliases."""
    document = read(call, named(call, function_name))
    return {"FunctionUrlConfigs": [_told(call, kept) for kept in document["urls"].values()]}
