"""Requests to the URLs of functions: each becomes an event of the payload format 2.0."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from trunkline.aws.errors import ServiceError
from trunkline.aws.execute_api.message import ApiResponse
from trunkline.aws.lambda_.documents import PREFIX, name_of, version_called
from trunkline.aws.lambda_.permissions import lets_url_be_called
from trunkline.aws.lambda_.url_pages import page_headers, preflight
from trunkline.aws.lambda_.urls import KEY
from trunkline.errors import TooManyRequests
from trunkline.functions.names import LATEST
from trunkline.functions.registry import functions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.kinds import Apis
    from trunkline.aws.execute_api.message import ApiRequest
    from trunkline.functions.invocation import Outcome
    from trunkline.functions.names import FunctionName

ADDRESS = "lambda-url/"
"""What the address of a function's URL begins with, in place of the id of an API."""

EVENT_BYTES_MAX = 6_291_456
"""The longest event: Lambda's bound, 6 MiB."""

_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")


def invoke(apis: Apis, request: ApiRequest) -> ApiResponse | None:
    """Answers a request to the URL of a function; None for a request to an API."""
    if not request.api.startswith(ADDRESS):
        return None
    id = request.api.removeprefix(ADDRESS)
    found = _find(apis, id)
    if found is None:
        return _told(404, "Not Found")
    document, qualifier, url = found
    cors, origin = url.get("Cors"), request.header("origin")
    if cors is not None and request.method == "OPTIONS" and origin is not None:
        return preflight(cors, request)
    refusal = _refusal(request, document, qualifier, url)
    response = refusal or _call(apis, request, document, qualifier, id)
    if cors is not None and origin is not None:
        response.headers += page_headers(cors, origin)
    return response


def _find(apis: Apis, id: str) -> tuple[dict[str, Any], str, dict[str, Any]] | None:
    """The function of a URL, the version or alias, and the URL itself."""
    place = apis.store.get(f"{KEY}{id}")
    document = None if place is None else apis.store.get(f"{PREFIX}{place['function']}")
    if place is None or document is None:
        return None
    qualifier: str = place["qualifier"]
    url = document["urls"].get(qualifier)
    return None if url is None else (document, qualifier, url)


def _refusal(
    request: ApiRequest, document: dict[str, Any], qualifier: str, url: dict[str, Any]
) -> ApiResponse | None:
    """Why a request is refused; None if it may call the function."""
    if request.refusal is not None:
        return _told(403, request.refusal[1])
    kind = url["AuthType"]
    account = None if request.signer is None else request.signer[0]
    if kind == "AWS_IAM" and account is None:
        return _told(403, "Forbidden")
    is_own = kind == "AWS_IAM" and account == document["account"]
    if not request.is_strict or is_own:
        return None
    # As on AWS, even a URL for all is called by none unless the policy of the function says so.
    if lets_url_be_called(document, qualifier, account if kind == "AWS_IAM" else None, kind):
        return None
    return _told(403, "Forbidden")


def _call(
    apis: Apis, request: ApiRequest, document: dict[str, Any], qualifier: str, id: str
) -> ApiResponse:
    name = name_of(document)
    active = functions_of(apis.core).find(name)
    if active is None:
        return _told(404, "Not Found")
    called = None if qualifier == LATEST else qualifier
    try:
        version = version_called(document, called)
    except ServiceError:
        return _told(404, "Not Found")
    payload = json.dumps(event_of(request, name, id, apis.store.now())).encode()
    if len(payload) > EVENT_BYTES_MAX:
        return _told(413, "Request Entity Too Large")
    invocation = active.invocation(
        payload, request_id=request.request_id, qualifier=called, version=version
    )
    try:
        return response_of(active.invoke(invocation))
    except TooManyRequests:
        return _told(429, "Rate Exceeded.")


def event_of(request: ApiRequest, name: FunctionName, id: str, now: float) -> dict[str, Any]:
    """The event of a request, as Lambda makes it."""
    headers = {one: ",".join(values) for one, values in request.all_headers.items()}
    cookies = headers.pop("cookie", None)
    is_text = headers.get("content-type", "").lower().startswith(_TEXT_TYPES)
    domain = f"{id}.lambda-url.{name.region}.on.aws"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous" if request.signer is None else request.signer[0],
            "apiId": id,
            "domainName": domain,
            "domainPrefix": id,
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip or "127.0.0.1",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request.request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now * 1_000),
        },
        "isBase64Encoded": bool(request.body) and not is_text,
    }
    if cookies:
        event["cookies"] = [one.strip() for one in cookies.split(";")]
    if request.query:
        parameters = request.all_parameters
        event["queryStringParameters"] = {one: ",".join(all) for one, all in parameters.items()}
    if request.signer is not None:
        event["requestContext"]["authorizer"] = {"iam": _identity(request.signer)}
    if request.body:
        is_encoded = event["isBase64Encoded"]
        body = base64.b64encode(request.body) if is_encoded else request.body
        event["body"] = body.decode("utf-8", "replace")
    return event


def _identity(signer: tuple[str, str, str]) -> dict[str, Any]:
    account, _, access_key = signer
    return {
        "accessKey": access_key,
        "accountId": account,
        "callerId": account,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:aws:iam::{account}:root",
        "userId": account,
    }


def response_of(outcome: Outcome) -> ApiResponse:
    """The answer that a function's result stands for: one with a status, or JSON as it is."""
    if outcome.error is not None:
        return _told(502, "Internal Server Error")
    result = json.loads(outcome.payload or b"null")
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result.encode() if isinstance(result, str) else outcome.payload
        return ApiResponse(200, [("content-type", "application/json")], body)
    try:
        status = int(result["statusCode"])
        given = result.get("body") or ""
        text = given if isinstance(given, str) else json.dumps(given)
        is_encoded = bool(result.get("isBase64Encoded"))
        content = base64.b64decode(text, validate=True) if is_encoded else text.encode()
        headers = [(str(one), str(value)) for one, value in (result.get("headers") or {}).items()]
        headers += [("set-cookie", str(one)) for one in result.get("cookies") or ()]
    except (ValueError, TypeError, AttributeError):
        return _told(502, "Internal Server Error")
    if not 100 <= status <= 599:
        return _told(502, "Internal Server Error")
    if not any(one.lower() == "content-type" for one, _ in headers):
        headers.append(("content-type", "application/json"))
    return ApiResponse(status, headers, content)


def _told(status: int, message: str) -> ApiResponse:
    body = json.dumps({"Message": message}).encode()
    return ApiResponse(status, [("content-type", "application/json")], body)
