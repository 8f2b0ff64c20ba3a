"""Web pages of other origins that call the URL of a function: what its CORS settings tell them."""

from __future__ import annotations

from trunkline.aws.execute_api.message import ApiResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.message import ApiRequest

    Headers = list[tuple[str, str]]


def page_headers(cors: dict[str, Any], origin: str) -> Headers:
    """The headers that let a page of `origin` read an answer; none if it may not.

    >>> page_headers({"AllowOrigins": ["https://a.example"]}, "https://b.example")
    [('vary', 'Origin')]
    """
    headers = [("vary", "Origin")]
    allowed = cors.get("AllowOrigins", [])
    if origin not in allowed and "*" not in allowed:
        return headers
    is_for_all = origin not in allowed and not cors.get("AllowCredentials")
    headers.append(("access-control-allow-origin", "*" if is_for_all else origin))
    if cors.get("AllowCredentials"):
        headers.append(("access-control-allow-credentials", "true"))
    if cors.get("ExposeHeaders"):
        headers.append(("access-control-expose-headers", ",".join(cors["ExposeHeaders"])))
    return headers


def preflight(cors: dict[str, Any], request: ApiRequest) -> ApiResponse:
    """The answer to a browser that asks before it sends."""
    headers = page_headers(cors, request.header("origin") or "")
    if len(headers) > 1:
        methods, names = cors.get("AllowMethods", []), cors.get("AllowHeaders", [])
        wanted = request.header("access-control-request-method") or ""
        if "*" in methods or wanted in methods:
            headers.append(("access-control-allow-methods", ",".join(methods)))
        if names:
            headers.append(("access-control-allow-headers", ",".join(names)))
        if "MaxAge" in cors:
            headers.append(("access-control-max-age", str(cors["MaxAge"])))
    return ApiResponse(200, headers, b"")
