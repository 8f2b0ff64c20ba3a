"""The steps of a request, from its route to its answer."""

from __future__ import annotations

import base64

from trunkline.aws.apigateway.front.answering import mapped, mocked, of_proxy, passed_on
from trunkline.aws.apigateway.front.authorizing import authorize
from trunkline.aws.apigateway.front.checking import check_request
from trunkline.aws.apigateway.front.compressing import compress, decompress
from trunkline.aws.apigateway.front.endpoints import call_endpoint
from trunkline.aws.apigateway.front.functions import call_function, call_proxied
from trunkline.aws.apigateway.front.keys import check_key, count_use
from trunkline.aws.apigateway.front.mapping import request_of
from trunkline.aws.apigateway.front.refusing import Refusal, answer
from trunkline.aws.apigateway.front.services import call_service
from trunkline.aws.apigateway.front.throttling import throttle
from trunkline.aws.limits import API_PAYLOAD_BYTES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.apigateway.front.exchange import Exchange
    from trunkline.aws.execute_api.message import ApiResponse


def carry_out(exchange: Exchange) -> ApiResponse:
    """The answer to a request; refusals are answers, too."""
    try:
        admit(exchange)
        response = integrate(exchange)
    except Refusal as refusal:
        response = answer(exchange, refusal)
    compress(exchange, response)
    names = {name.lower() for name, _ in response.headers}
    if "x-amzn-requestid" not in names:
        response.headers.append(("x-amzn-RequestId", exchange.request.request_id))
    identifier = base64.b64encode(exchange.request.request_id.encode()[:11]).decode()
    response.headers.append(("x-amz-apigw-id", identifier))
    return response


def admit(exchange: Exchange) -> None:
    """Finds the method, and refuses a request that it does not take."""
    if len(exchange.request.body) > API_PAYLOAD_BYTES_MAX:
        raise Refusal("REQUEST_TOO_LARGE", "Request Too Long")
    decompress(exchange)
    match = exchange.deployed.routes.find(exchange.path, exchange.request.method)
    if match is None:
        raise Refusal("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    exchange.match = match
    exchange.context["resourceId"] = match.resource["id"]
    exchange.context["resourcePath"] = match.resource["path"]
    authorize(exchange)
    limits, use = check_key(exchange)
    throttle(exchange, limits)
    if use is not None:
        count_use(exchange, use["plan"], use["key"])
    check_request(exchange)


def integrate(exchange: Exchange) -> ApiResponse:
    """Calls the integration of the method, and makes the answer of its own."""
    request = request_of(exchange)
    kind = exchange.integration["type"]
    if kind == "MOCK":
        return mapped(exchange, mocked(request.body))
    if kind == "AWS_PROXY":
        response = of_proxy(exchange, call_proxied(exchange, request))
    elif kind == "HTTP_PROXY":
        response = passed_on(call_endpoint(exchange, request))
    elif kind == "HTTP":
        response = mapped(exchange, call_endpoint(exchange, request))
    elif ":lambda:path/" in request.uri:
        response = mapped(exchange, call_function(exchange, request))
    else:
        response = mapped(exchange, call_service(exchange, request))
    if len(response.body) > API_PAYLOAD_BYTES_MAX:
        raise Refusal("DEFAULT_5XX", "Internal server error", status=500, reason="answer too long")
    response.headers.append(("X-Amzn-Trace-Id", exchange.trace))
    return response
