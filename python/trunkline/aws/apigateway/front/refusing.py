"""Answers of the gateway itself, in the place of an integration's."""

from __future__ import annotations

import json

from trunkline.aws.apigateway.front.sources import read_source
from trunkline.aws.apigateway.gateway_responses import response_of
from trunkline.aws.execute_api.message import ApiResponse
from trunkline.aws.vtl import TemplateError, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigateway.front.exchange import Exchange

_ERRORS = {
    "ACCESS_DENIED": "AccessDeniedException",
    "API_CONFIGURATION_ERROR": "InternalServerErrorException",
    "AUTHORIZER_CONFIGURATION_ERROR": "AuthorizerConfigurationException",
    "AUTHORIZER_FAILURE": "AuthorizerConfigurationException",
    "BAD_REQUEST_BODY": "BadRequestException",
    "BAD_REQUEST_PARAMETERS": "BadRequestException",
    "DEFAULT_4XX": "BadRequestException",
    "DEFAULT_5XX": "InternalServerErrorException",
    "EXPIRED_TOKEN": "ExpiredTokenException",
    "INTEGRATION_FAILURE": "InternalServerErrorException",
    "INTEGRATION_TIMEOUT": "InternalServerErrorException",
    "INVALID_API_KEY": "ForbiddenException",
    "INVALID_SIGNATURE": "InvalidSignatureException",
    "MISSING_AUTHENTICATION_TOKEN": "MissingAuthenticationTokenException",
    "QUOTA_EXCEEDED": "LimitExceededException",
    "REQUEST_TOO_LARGE": "RequestTooLargeException",
    "RESOURCE_NOT_FOUND": "NotFoundException",
    "THROTTLED": "TooManyRequestsException",
    "UNAUTHORIZED": "UnauthorizedException",
    "UNSUPPORTED_MEDIA_TYPE": "BadRequestException",
}


class Refusal(Exception):
    """The gateway answers itself; `reason` goes to the log, never to the caller."""

    def __init__(
        self, kind: str, message: str | None, *, status: int | None = None, reason: str = ""
    ) -> None:
        super().__init__(reason or message or kind)
        self.kind = kind
        self.message = message
        self.status = status
        self.reason = reason


def internal(reason: str, status: int | None = None) -> Refusal:
    """Something is wrong with the API or the answer of its integration."""
    kind = "DEFAULT_5XX" if status is not None else "API_CONFIGURATION_ERROR"
    return Refusal(kind, "Internal server error", status=status, reason=reason)


def answer(exchange: Exchange, refusal: Refusal) -> ApiResponse:
    """The gateway response of a kind, as the API defines it."""
    response = response_of(exchange.deployed.responses, refusal.kind)
    exchange.context["error"] = {
        "message": refusal.message,
        "messageString": json.dumps(refusal.message),
        "responseType": refusal.kind,
        "validationErrorString": refusal.reason,
    }
    # A status that the case has of its own holds unless the API names another.
    status = response.get("statusCode")
    if refusal.status is not None and (response["defaultResponse"] or status is None):
        status = refusal.status
    headers = [("x-amzn-errortype", _ERRORS[refusal.kind])]
    for target, source in response["responseParameters"].items():
        value = read_source(exchange, source)
        if value is not None:
            headers.append((target.removeprefix("gatewayresponse.header."), value))
    content_type, template = _template(exchange, response["responseTemplates"])
    headers.append(("content-type", content_type))
    body = _body(exchange, template, refusal, response["defaultResponse"])
    return ApiResponse(int(status or 500), headers, body.encode())


def _template(exchange: Exchange, templates: dict[str, Any]) -> tuple[str, str]:
    accepted = (exchange.request.header("accept") or "").split(";")[0].split(",")[0].strip()
    for name in (accepted, "application/json", *templates):
        if name in templates:
            return name, templates[name]
    return "application/json", '{"message":$context.error.messageString}'


def _body(exchange: Exchange, template: str, refusal: Refusal, is_default: bool) -> str:
    if refusal.kind == "ACCESS_DENIED" and is_default:
        # The one answer that AWS writes in this way.
        return json.dumps({"Message": refusal.message}, separators=(",", ":"))
    try:
        return render(
            template,
            params=exchange.parameters,
            context=exchange.context,
            stage_variables=exchange.variables,
        ).text
    except TemplateError:
        return json.dumps({"message": refusal.message})
