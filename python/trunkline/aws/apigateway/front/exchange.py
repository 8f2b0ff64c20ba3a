"""One request to a stage, with what is known of it."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime
from secrets import token_hex
from urllib.parse import unquote

from trunkline._dataclasses import dataclass, field
from trunkline.aws.apigateway.front.routing import Routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigateway.front.routing import Match
    from trunkline.aws.execute_api.kinds import Apis
    from trunkline.aws.execute_api.message import ApiRequest


class Deployed:
    """The snapshot of a deployment, ready to be asked."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.account: str = document["account"]
        self.region: str = document["region"]
        self.models: dict[str, Any] = document["models"]
        self.validators: dict[str, Any] = document["validators"]
        self.authorizers: dict[str, Any] = document["authorizers"]
        self.responses: dict[str, Any] = document["responses"]
        self.binary_types: list[str] = document.get("binaryMediaTypes", [])
        self.routes: Routes = Routes(document["resources"].values())
        self.schemas: dict[str, Any] = {}
        """Validators of bodies, by the name of their model, once they were needed."""


@dataclass(slots=True)
class Exchange:
    """A request on its way through an API."""

    apis: Apis
    request: ApiRequest
    api: dict[str, Any]
    stage: dict[str, Any]
    deployed: Deployed
    path: str
    """The path below the stage, still escaped."""
    variables: dict[str, str]
    context: dict[str, Any]
    now: float
    match: Match | None = None
    is_test: bool = False
    began: float = field(default_factory=time.monotonic)
    request_override: dict[str, Any] = field(default_factory=dict)
    response_override: dict[str, Any] = field(default_factory=dict)
    usage_key: str | None = None
    """The API key that an authorizer named."""
    trace: str = ""

    @property
    def routed(self) -> Match:
        """The route, once there is one."""
        if self.match is None:
            raise LookupError("the request has no route yet")
        return self.match

    @property
    def path_parameters(self) -> dict[str, str]:
        """What the path says, still escaped."""
        return {} if self.match is None else self.match.parameters

    @property
    def integration(self) -> dict[str, Any]:
        """The integration of the method."""
        found: dict[str, Any] = self.routed.method["methodIntegration"]
        return found

    @property
    def account(self) -> str:
        """The account of the API."""
        return self.deployed.account

    @property
    def region(self) -> str:
        """The region of the API."""
        return self.deployed.region

    @property
    def parameters(self) -> dict[str, dict[str, str]]:
        """The parameters as templates see them."""
        request = self.request
        return {
            "path": {name: unquote(value) for name, value in self.path_parameters.items()},
            "querystring": {name: all[-1] for name, all in request.all_parameters.items()},
            "header": {title(name): all[-1] for name, all in request.all_headers.items()},
        }

    @property
    def is_binary(self) -> bool:
        """Whether the API takes the body as bytes."""
        content_type = (self.request.header("content-type") or "").partition(";")[0].strip()
        return is_binary_type(content_type, self.deployed.binary_types)

    @property
    def text_body(self) -> str:
        """The body as a text."""
        return self.request.body.decode("utf-8", "replace")

    def body_of_event(self) -> tuple[str | None, bool]:
        """The body as functions get it, and whether it is in base64."""
        body = self.request.body
        if not body:
            return None, False
        if self.is_binary:
            return base64.b64encode(body).decode(), True
        return self.text_body, False


def title(name: str) -> str:
    """The name of a header as it is usually written; HTTP does not tell how it was sent.

    >>> title("x-api-key")
    'X-Api-Key'
    """
    return "-".join(part[:1].upper() + part[1:] for part in name.split("-"))


def is_binary_type(content_type: str, types: Any) -> bool:
    """Whether a content type is one of the binary types of an API.

    >>> is_binary_type("image/png", ["image/*"]), is_binary_type("text/plain", ["image/png"])
    (True, False)
    """
    for kind in types:
        if kind in ("*/*", content_type):
            return True
        if kind.endswith("/*") and content_type.startswith(kind[:-1]):
            return True
    return False


def trace_of(request: ApiRequest, now: float) -> str:
    """The trace of a request: the caller's, or a new one."""
    given = request.header("x-amzn-trace-id")
    return given or f"Root=1-{int(now):08x}-{token_hex(12)}"


def context_of(
    request: ApiRequest, deployed: Deployed, stage: dict[str, Any], path: str, now: float
) -> dict[str, Any]:
    """`$context` as far as the request alone tells."""
    at = datetime.fromtimestamp(now, UTC)
    host = request.host.partition(":")[0]
    account, _, key = request.signer or ("", "", "")
    is_known = request.is_strict and request.signer is not None
    return {
        "accountId": deployed.account,
        "apiId": request.api,
        "deploymentId": stage["deploymentId"],
        "domainName": host,
        "domainPrefix": request.api if host.startswith(f"{request.api}.") else host.split(".")[0],
        "extendedRequestId": base64.b64encode(request.request_id.encode()[:11]).decode(),
        "httpMethod": request.method,
        "identity": {
            "accessKey": key if is_known else None,
            "accountId": account if is_known else None,
            "caller": account if is_known else None,
            "cognitoAuthenticationProvider": None,
            "cognitoAuthenticationType": None,
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "principalOrgId": None,
            "sourceIp": request.source_ip or "127.0.0.1",
            "user": account if is_known else None,
            "userAgent": request.header("user-agent"),
            "userArn": f"arn:aws:iam::{account}:root" if is_known else None,
        },
        "path": path,
        "protocol": "HTTP/1.1",
        "requestId": request.request_id,
        "requestTime": at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now * 1_000),
        "stage": stage["stageName"],
    }
