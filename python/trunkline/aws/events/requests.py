"""The request that an API destination gets for a target: URL, method and headers."""

from __future__ import annotations

import base64
from urllib.parse import quote, urlencode

from trunkline.aws.events.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def request_of(
    destination: Mapping[str, Any], connection: Mapping[str, Any], target: Mapping[str, Any]
) -> dict[str, Any]:
    """How an API destination is called for a target."""
    own = target.get("HttpParameters") or {}
    auth = connection["AuthParameters"]
    shared = auth.get("InvocationHttpParameters") or {}
    _check_served(target["Id"], connection, own)
    # What the connection adds wins over what the target asks for.
    headers = dict(own.get("HeaderParameters", {}))
    headers |= {one["Key"]: one["Value"] for one in shared.get("HeaderParameters", ())}
    headers |= _authorization(connection["AuthorizationType"], auth)
    query = dict(own.get("QueryStringParameters", {}))
    query |= {one["Key"]: one["Value"] for one in shared.get("QueryStringParameters", ())}
    url = destination["InvocationEndpoint"]
    for value in own.get("PathParameterValues", ()):
        url = url.replace("*", quote(value, safe=""), 1)
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query)
    return {"url": url, "method": destination["HttpMethod"], "headers": list(headers.items())}


def _authorization(kind: str, auth: Mapping[str, Any]) -> dict[str, str]:
    if kind == "BASIC":
        basic = auth["BasicAuthParameters"]
        pair = f"{basic['Username']}:{basic.get('Password', '')}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    key = auth["ApiKeyAuthParameters"]
    return {key["ApiKeyName"]: key.get("ApiKeyValue", "")}


def _check_served(id: str, connection: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Raises for a way to call that is not built."""
    shared = connection["AuthParameters"].get("InvocationHttpParameters") or {}
    values = [*own.get("PathParameterValues", ())]
    for member in ("HeaderParameters", "QueryStringParameters"):
        values += own.get(member, {}).values()
    problem = None
    if connection["AuthorizationType"] == "OAUTH_CLIENT_CREDENTIALS":
        problem = "its connection asks for OAuth tokens; use API_KEY or BASIC"
    elif shared.get("BodyParameters"):
        problem = "its connection adds BodyParameters; use headers or the query"
    elif any(value.startswith("$") for value in values):
        problem = "its HttpParameters take values from the event; give constants"
    if problem is not None:
        raise invalid(f"Target {id} cannot be called here: {problem}.")
