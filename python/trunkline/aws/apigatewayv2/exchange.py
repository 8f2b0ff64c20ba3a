"""One request to an HTTP API, as all steps of its way see it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from trunkline._dataclasses import dataclass, field
from trunkline.aws.execute_api.message import ApiResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.kinds import Apis
    from trunkline.aws.execute_api.message import ApiRequest

    Document = dict[str, Any]


class Refused(Exception):
    """The request gets this answer, and its integration is not asked."""

    def __init__(self, status: int, message: str, *, why: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.why = why
        """What the access log tells as `$context.integrationErrorMessage` or the like."""


def answer(status: int, message: str) -> ApiResponse:
    """An answer of the gateway itself."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return ApiResponse(status, [("content-type", "application/json")], body)


@dataclass(slots=True)
class Exchange:
    """A request, the stage and the route that it meets, and what was learnt of the caller."""

    apis: Apis
    request: ApiRequest
    owner: Document
    stage: Document
    path: str
    """Below the stage, still escaped."""
    now: float
    route: Document = field(default_factory=dict)
    integration: Document = field(default_factory=dict)
    authorizers: Document = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    """Of the path of the route."""
    authorizer: Document = field(default_factory=dict)
    """What the function or the token told, for `$context.authorizer` and the event."""
    told: Document = field(default_factory=dict)
    """More for the access log."""

    @property
    def stage_name(self) -> str:
        """The name of the stage."""
        return str(self.stage["StageName"])

    @property
    def where(self) -> dict[str, str]:
        """Account and region of the API."""
        return {"account": self.owner["account"], "region": self.owner["region"]}

    @property
    def raw_path(self) -> str:
        """The path with the stage, as events tell it."""
        return self.request.domain_path or self.request.path

    @property
    def domain(self) -> str:
        """The host that was called, without its port."""
        return self.request.host.partition(":")[0]

    def stage_variables(self) -> dict[str, str]:
        """The variables of the stage."""
        found: dict[str, str] = self.stage.get("StageVariables") or {}
        return found

    def context(self) -> Document:
        """`$context`: what AWS documents for HTTP APIs."""
        request, now = self.request, datetime.fromtimestamp(self.now, UTC)
        identity = {
            "sourceIp": request.source_ip or "127.0.0.1",
            "userAgent": request.header("user-agent"),
        }
        return {
            "accountId": self.owner["account"],
            "apiId": request.api,
            "authorizer": self.authorizer,
            "domainName": self.domain,
            "domainPrefix": self.domain.partition(".")[0],
            "extendedRequestId": request.request_id,
            "httpMethod": request.method,
            "identity": identity,
            "path": self.raw_path,
            "protocol": "HTTP/1.1",
            "requestId": request.request_id,
            "requestTime": f"{now:%d/%b/%Y:%H:%M:%S +0000}",
            "requestTimeEpoch": int(self.now * 1000),
            "routeKey": self.route.get("RouteKey"),
            "stage": self.stage_name,
            **self.told,
        }
