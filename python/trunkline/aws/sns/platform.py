"""Platform applications and their endpoints. What is pushed waits in the outbox."""

from __future__ import annotations

import re
import uuid

from trunkline.aws.arns import partition
from trunkline.aws.limits import QUOTE_CHARS_MAX, TOPIC_NAME_CHARS_MAX, USER_DATA_BYTES_MAX
from trunkline.aws.sns.errors import invalid, not_found
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import make_token, read_token, split_arn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call

_PLATFORMS = frozenset(
    (
        "ADM",
        "APNS",
        "APNS_SANDBOX",
        "APNS_VOIP",
        "APNS_VOIP_SANDBOX",
        "BAIDU",
        "FCM",
        "GCM",
        "MACOS",
        "MACOS_SANDBOX",
        "MPNS",
        "WNS",
    )
)
_WITHOUT_PRINCIPAL = ("FCM", "GCM")
_NAME = re.compile(r"[A-Za-z0-9_.-]*")
_SECRETS = ("PlatformCredential", "PlatformPrincipal", "PlatformToken")
_APPLICATION = (
    "PlatformCredential",
    "PlatformPrincipal",
    "ApplePlatformTeamID",
    "ApplePlatformBundleID",
    "EventEndpointCreated",
    "EventEndpointDeleted",
    "EventEndpointUpdated",
    "EventDeliveryFailure",
    "SuccessFeedbackRoleArn",
    "FailureFeedbackRoleArn",
    "SuccessFeedbackSampleRate",
)
_ENDPOINT = ("CustomUserData", "Enabled", "Token")
_PAGE = 100


def _application_key(call: Call, arn: str) -> str:
    parts = split_arn(arn, "PlatformApplicationArn")
    if parts[2] != "sns" or not parts[5].startswith("app/"):
        raise invalid(
            "PlatformApplicationArn Reason: Wrong number of slashes in relative portion of the ARN."
        )
    return f"sns/application/{parts[3]}/{parts[4]}/{parts[5]}"


def _application(call: Call, arn: str) -> tuple[str, dict[str, Any]]:
    key = _application_key(call, arn)
    found = call.store.get(key)
    if found is None:
        raise not_found("PlatformApplication")
    return key, found


def _check_application(attributes: Mapping[str, str]) -> None:
    for name in attributes:
        if name not in _APPLICATION:
            raise invalid(f"Attributes Reason: Invalid attribute name: {name[:QUOTE_CHARS_MAX]}")


@operations.add("CreatePlatformApplication", writes=True)
def create_platform_application(
    call: Call, *, name: str, platform: str, attributes: Mapping[str, str]
) -> dict[str, Any]:
    """Creates a platform application, or finds the one of this name."""
    if platform not in _PLATFORMS:
        raise invalid(f"Platform Reason: {platform[:QUOTE_CHARS_MAX]} is not supported")
    if not name:
        raise invalid("Name Reason: cannot be empty")
    if len(name) > TOPIC_NAME_CHARS_MAX:
        raise invalid(f"{name} Reason: must be at most {TOPIC_NAME_CHARS_MAX} characters long")
    if not _NAME.fullmatch(name):
        raise invalid(
            f"{name} Reason: must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', "
            "and '.'"
        )
    _check_application(attributes)
    credential, principal = "PlatformCredential" in attributes, "PlatformPrincipal" in attributes
    if platform not in _WITHOUT_PRINCIPAL and credential and not principal:
        raise invalid(
            "Attributes Reason: PlatformCredential attribute provided without PlatformPrincipal"
        )
    if principal and not credential:
        raise invalid(
            "Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential"
        )
    arn = f"arn:{partition(call.region)}:sns:{call.region}:{call.account}:app/{platform}/{name}"
    with call.store.lock:
        key = _application_key(call, arn)
        if call.store.get(key) is None:
            kept = {"arn": arn, "attributes": {"Enabled": "true"} | dict(attributes)}
            call.store.put(key, kept)
    return {"PlatformApplicationArn": arn}


def _shown(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if name not in _SECRETS}


@operations.add("GetPlatformApplicationAttributes")
def get_platform_application_attributes(
    call: Call, *, platform_application_arn: str
) -> dict[str, Any]:
    """The attributes of an application; its credentials are never shown."""
    return {"Attributes": _shown(_application(call, platform_application_arn)[1]["attributes"])}


@operations.add("SetPlatformApplicationAttributes", writes=True)
def set_platform_application_attributes(
    call: Call, *, platform_application_arn: str, attributes: Mapping[str, str]
) -> None:
    """Changes attributes of an application."""
    with call.store.lock:
        key, kept = _application(call, platform_application_arn)
        _check_application(attributes)
        kept["attributes"] = kept["attributes"] | dict(attributes)
        call.store.put(key, kept)


@operations.add("ListPlatformApplications")
def list_platform_applications(call: Call, *, next_token: str | None = None) -> dict[str, Any]:
    """The caller's platform applications."""
    prefix = f"sns/application/{call.region}/{call.account}/"
    page, last = call.store.page(prefix, after=_after(next_token), limit=_PAGE)
    applications = [
        {"PlatformApplicationArn": one["arn"], "Attributes": _shown(one["attributes"])}
        for one in page
    ]
    return {"PlatformApplications": applications} | _next(last)


def _after(token: str | None) -> str | None:
    after = read_token(token)
    if after is not None and not isinstance(after, str):
        raise invalid("NextToken")
    return after


def _next(last: str | None) -> dict[str, str]:
    return {} if last is None else {"NextToken": make_token(last)}


@operations.add("DeletePlatformApplication", writes=True)
def delete_platform_application(call: Call, *, platform_application_arn: str) -> None:
    """Removes an application. Its endpoints stay, as in AWS, until they are deleted."""
    call.store.put(_application_key(call, platform_application_arn), None)


def _index(application: str, arn: str) -> str:
    return f"sns/endpoint-of/{application}/{arn}"


def _check_endpoint(attributes: Mapping[str, str]) -> None:
    for name, value in attributes.items():
        if name not in _ENDPOINT:
            raise invalid(f"Attributes Reason: Invalid attribute name: {name[:QUOTE_CHARS_MAX]}")
        if name == "CustomUserData" and len(value.encode()) > USER_DATA_BYTES_MAX:
            raise invalid(
                "Attributes Reason: Invalid value for attribute: CustomUserData: must be at most "
                f"{USER_DATA_BYTES_MAX} bytes long in UTF-8 encoding"
            )
        if name == "Enabled" and value.lower() not in ("true", "false"):
            raise invalid(
                "Attributes Reason: Invalid value for attribute: Enabled: must be true or false"
            )


@operations.add("CreatePlatformEndpoint", writes=True)
def create_platform_endpoint(
    call: Call,
    *,
    platform_application_arn: str,
    token: str,
    custom_user_data: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Creates an endpoint, or finds the one of this token that is the same."""
    with call.store.lock:
        _, application = _application(call, platform_application_arn)
        given = dict(attributes or {})
        if custom_user_data is not None:
            given["CustomUserData"] = custom_user_data
        _check_endpoint(given)
        wanted = {"Enabled": "true", "Token": token} | given
        for found in _endpoints(call, platform_application_arn):
            if found["attributes"]["Token"] != token:
                continue
            same = {"CustomUserData": "", "Enabled": "true"}
            if all(
                found["attributes"].get(name, default) == wanted.get(name, default)
                for name, default in same.items()
            ):
                return {"EndpointArn": found["arn"]}
            raise invalid(
                f"Token Reason: Endpoint {found['arn']} already exists with the same Token, but "
                "different attributes."
            )
        base = application["arn"].replace(":app/", ":endpoint/", 1)
        arn = f"{base}/{uuid.uuid4()}"
        kept = {"arn": arn, "application": application["arn"], "attributes": wanted}
        call.store.put(f"sns/endpoint/{arn}", kept)
        call.store.put(_index(application["arn"], arn), {"arn": arn})
    return {"EndpointArn": arn}


def _endpoints(call: Call, application: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page, after = call.store.page(f"sns/endpoint-of/{application}/", after=after, limit=1_000)
        documents = (call.store.get(f"sns/endpoint/{one['arn']}") for one in page)
        found += [one for one in documents if one is not None]
        if after is None:
            return found


@operations.add("ListEndpointsByPlatformApplication")
def list_endpoints_by_platform_application(
    call: Call, *, platform_application_arn: str, next_token: str | None = None
) -> dict[str, Any]:
    """The endpoints of an application."""
    _application(call, platform_application_arn)
    prefix = f"sns/endpoint-of/{platform_application_arn}/"
    page, last = call.store.page(prefix, after=_after(next_token), limit=_PAGE)
    documents = (call.store.get(f"sns/endpoint/{one['arn']}") for one in page)
    endpoints = [
        {"EndpointArn": one["arn"], "Attributes": one["attributes"]}
        for one in documents
        if one is not None
    ]
    return {"Endpoints": endpoints} | _next(last)


def _endpoint(call: Call, arn: str) -> dict[str, Any]:
    split_arn(arn, "EndpointArn")
    found = call.store.get(f"sns/endpoint/{arn}")
    if found is None:
        raise not_found("Endpoint")
    return found


@operations.add("GetEndpointAttributes")
def get_endpoint_attributes(call: Call, *, endpoint_arn: str) -> dict[str, Any]:
    """The attributes of an endpoint."""
    return {"Attributes": _endpoint(call, endpoint_arn)["attributes"]}


@operations.add("SetEndpointAttributes", writes=True)
def set_endpoint_attributes(
    call: Call, *, endpoint_arn: str, attributes: Mapping[str, str]
) -> None:
    """Changes attributes of an endpoint."""
    with call.store.lock:
        kept = _endpoint(call, endpoint_arn)
        _check_endpoint(attributes)
        kept["attributes"] = kept["attributes"] | dict(attributes)
        if "Enabled" in kept["attributes"]:
            kept["attributes"]["Enabled"] = kept["attributes"]["Enabled"].lower()
        call.store.put(f"sns/endpoint/{endpoint_arn}", kept)


@operations.add("DeleteEndpoint", writes=True)
def delete_endpoint(call: Call, *, endpoint_arn: str) -> None:
    """Removes an endpoint; one that is gone is a success."""
    split_arn(endpoint_arn, "EndpointArn")
    with call.store.lock:
        kept = call.store.get(f"sns/endpoint/{endpoint_arn}")
        if kept is not None:
            call.store.put(f"sns/endpoint/{endpoint_arn}", None)
            call.store.put(_index(kept["application"], endpoint_arn), None)
