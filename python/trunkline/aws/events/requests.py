"""The request that an API destination gets for a target: what is constant, and what an event gives.

What the connection adds wins over what the target asks for.
"""

from __future__ import annotations

import base64
from urllib.parse import quote, urlencode

from trunkline._dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """How an API destination is called."""

    url: str
    method: str
    headers: tuple[tuple[str, str], ...]
    """Constant header lines."""
    parameters: tuple[tuple[str, str, str, bool], ...]
    """Parts that are put in for each event: `path`, `query`, `header` or `body`, the name, the
    value, and whether that is a path into the event."""
    rate: tuple[str, int]
    """What names the endpoint, and how often a second it may be called."""
    token: str | None
    """The connection whose access token goes along."""


def request_of(
    destination: Mapping[str, Any], connection: Mapping[str, Any], target: Mapping[str, Any]
) -> HttpRequest:
    """How an API destination is called for a target."""
    own = target.get("HttpParameters") or {}
    kind = connection["AuthorizationType"]
    fixed = added_by(connection)
    parameters = [("body", *pair, False) for pair in fixed["body"].items()]
    constants: dict[str, dict[str, str]] = {}
    for place, member in (("header", "HeaderParameters"), ("query", "QueryStringParameters")):
        taken = {_key(place, name) for name in fixed[place]}
        given = {
            name: value
            for name, value in own.get(member, {}).items()
            if _key(place, name) not in taken
        }
        moving = {name: value for name, value in given.items() if is_path(value)}
        parameters += [(place, name, value, True) for name, value in moving.items()]
        still = {name: value for name, value in given.items() if name not in moving}
        constants[place] = still | fixed[place]
    url, values = destination["InvocationEndpoint"], own.get("PathParameterValues", ())
    if any(is_path(value) for value in values):
        parameters += [("path", "", value, is_path(value)) for value in values]
    else:
        url = with_path(url, values)
    return HttpRequest(
        with_query(url, constants["query"]),
        destination["HttpMethod"],
        tuple(constants["header"].items()),
        tuple(parameters),
        (destination["ApiDestinationArn"], destination["InvocationRateLimitPerSecond"]),
        connection["ConnectionArn"] if kind == "OAUTH_CLIENT_CREDENTIALS" else None,
    )


def added_by(connection: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What a connection adds to each request: by `header`, `query` and `body`."""
    auth = connection["AuthParameters"]
    shared = auth.get("InvocationHttpParameters") or {}
    authorization = _authorization(connection["AuthorizationType"], auth)
    return {
        "header": _pairs(shared, "HeaderParameters") | authorization,
        "query": _pairs(shared, "QueryStringParameters"),
        "body": _pairs(shared, "BodyParameters"),
    }


def is_path(value: str) -> bool:
    """Whether a value is taken from the event.

    >>> is_path("$.detail.id"), is_path("$5")
    (True, False)
    """
    return value == "$" or value.startswith(("$.", "$["))


def with_path(url: str, values: Any) -> str:
    """A URL with values in place of the wildcards of its path.

    >>> with_path("https://h/*/x", ["a b"])
    'https://h/a%20b/x'
    """
    start = url.find("/", url.find("://") + 3)
    head, path = (url, "") if start < 0 else (url[:start], url[start:])
    for value in values:
        path = path.replace("*", quote(value, safe=""), 1)
    return head + path


def with_query(url: str, query: Mapping[str, str]) -> str:
    """A URL with more parameters in its query."""
    return url + ("&" if "?" in url else "?") + urlencode(query) if query else url


def _pairs(given: Mapping[str, Any], member: str) -> dict[str, str]:
    return {one["Key"]: one.get("Value", "") for one in given.get(member) or ()}


def _key(place: str, name: str) -> str:
    return name.lower() if place == "header" else name


def _authorization(kind: str, auth: Mapping[str, Any]) -> dict[str, str]:
    if kind == "BASIC":
        basic = auth["BasicAuthParameters"]
        pair = f"{basic['Username']}:{basic.get('Password', '')}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if kind == "API_KEY":
        key = auth["ApiKeyAuthParameters"]
        return {key["ApiKeyName"]: key.get("ApiKeyValue", "")}
    return {}
