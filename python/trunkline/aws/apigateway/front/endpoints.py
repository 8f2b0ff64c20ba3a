"""Requests to HTTP endpoints."""

from __future__ import annotations

from urllib.parse import urlencode

from trunkline.aws.apigateway.front.integration import IntegrationAnswer
from trunkline.aws.apigateway.front.refusing import Refusal
from trunkline.aws.execute_api.http import NoAnswer, TimedOut, send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.apigateway.front.integration import IntegrationRequest
    from trunkline.aws.execute_api.calling import Calling


def call_endpoint(exchange: Calling, request: IntegrationRequest) -> IntegrationAnswer:
    """What an endpoint answers."""
    url = request.uri
    if request.query:
        pairs = [(name, value) for name, values in request.query.items() for value in values]
        url += ("&" if "?" in url else "?") + urlencode(pairs)
    headers = dict(request.headers)
    headers.setdefault("user-agent", f"AmazonAPIGateway_{exchange.request.api}")
    headers.setdefault("x-amzn-apigateway-api-id", exchange.request.api)
    headers.setdefault("x-amzn-trace-id", exchange.trace)
    if request.body:
        headers.setdefault("content-type", "application/json")
    try:
        answer = send(
            exchange.apis.core,
            url,
            method=request.method,
            headers=list(headers.items()),
            body=request.body,
            timeout_ms=int(request.timeout * 1_000),
        )
    except TimedOut:
        raise Refusal("INTEGRATION_TIMEOUT", "Endpoint request timed out") from None
    except NoAnswer as error:
        raise Refusal(
            "INTEGRATION_FAILURE", "Network error communicating with endpoint", reason=str(error)
        ) from None
    return IntegrationAnswer(answer.status, answer.headers, answer.body)
