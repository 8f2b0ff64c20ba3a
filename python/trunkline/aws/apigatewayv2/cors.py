"""What other origins may do: the gateway itself answers preflights and adds headers."""

from __future__ import annotations

from trunkline.aws.execute_api.message import ApiResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.message import ApiRequest, Headers

    Configuration = dict[str, Any]


def is_preflight(request: ApiRequest) -> bool:
    """Whether a browser asks what it may do."""
    asks = request.header("access-control-request-method") is not None
    return request.method == "OPTIONS" and asks and request.header("origin") is not None


def _origin(configuration: Configuration, origin: str | None) -> str | None:
    """What the header for the origin says; None for an origin that is not allowed."""
    allowed = configuration.get("AllowOrigins") or []
    if origin is None:
        return None
    if "*" in allowed:
        return "*"
    for one in allowed:
        # `https://*` stands for every origin of the scheme.
        if one == origin or (one.endswith("://*") and origin.startswith(one[:-1])):
            return origin
    return None


def _always(configuration: Configuration, origin: str) -> Headers:
    headers = [("access-control-allow-origin", origin)]
    if origin != "*":
        headers.append(("vary", "origin"))
    if configuration.get("AllowCredentials"):
        headers.append(("access-control-allow-credentials", "true"))
    return headers


def preflight(configuration: Configuration, request: ApiRequest) -> ApiResponse:
    """The answer to a preflight; without headers for an origin that is not allowed."""
    origin = _origin(configuration, request.header("origin"))
    if origin is None:
        return ApiResponse(204)
    headers = _always(configuration, origin)
    for name, member in (
        ("access-control-allow-methods", "AllowMethods"),
        ("access-control-allow-headers", "AllowHeaders"),
    ):
        if configuration.get(member):
            headers.append((name, ",".join(configuration[member])))
    if configuration.get("MaxAge") is not None:
        headers.append(("access-control-max-age", str(configuration["MaxAge"])))
    return ApiResponse(204, headers)


def with_headers(
    configuration: Configuration, request: ApiRequest, response: ApiResponse
) -> ApiResponse:
    """An answer with the API's own headers for origins instead of its integration's."""
    headers = [
        line for line in response.headers if not line[0].lower().startswith("access-control-")
    ]
    origin = _origin(configuration, request.header("origin"))
    if origin is not None:
        headers += _always(configuration, origin)
        if configuration.get("ExposeHeaders"):
            exposed = ",".join(configuration["ExposeHeaders"])
            headers.append(("access-control-expose-headers", exposed))
    return ApiResponse(response.status, headers, response.body)
