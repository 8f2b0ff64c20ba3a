"""Access tokens by OAuth client credentials: what is asked of an authorization server."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from trunkline._dataclasses import dataclass
from trunkline.aws.limits import (
    API_DESTINATION_MS,
    OAUTH_ANSWER_BYTES_MAX,
    OAUTH_UNTIL_REFUSED_SECONDS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from trunkline._core import Outbox

USED_PART = 0.9
"""The part of its life for which a token is used: then another one takes its place."""


@dataclass(frozen=True, slots=True)
class Token:
    """The value of the header `Authorization`, and for how many seconds it is used."""

    value: str
    seconds: float


class NoToken(Exception):
    """The authorization server gave none; the text says why, and holds no secret."""

    def __init__(self, why: str, *, is_final: bool = True) -> None:
        super().__init__(why)
        self.is_final = is_final
        """The client was refused; otherwise the server gave no answer that says so."""


def ask(outbox: Outbox, parameters: Mapping[str, Any]) -> Token:
    """A new token, as the OAuthParameters of a connection say; raises NoToken."""
    given = parameters.get("OAuthHttpParameters") or {}
    client = parameters["ClientParameters"]
    fields = {
        "grant_type": "client_credentials",
        "client_id": client["ClientID"],
        "client_secret": client.get("ClientSecret", ""),
    } | _pairs(given.get("BodyParameters"))
    query, headers = _pairs(given.get("QueryStringParameters")), _headers(given)
    kind = headers.setdefault("content-type", "application/x-www-form-urlencoded")
    method = parameters["HttpMethod"]
    if method == "GET":
        query, body = query | fields, b""
    elif kind.partition(";")[0].strip().lower() == "application/json":
        body = json.dumps(fields).encode()
    else:
        body = urlencode(fields).encode()
    url = parameters["AuthorizationEndpoint"]
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query)
    status, content = outbox.request(
        url,
        method=method,
        headers=list(headers.items()),
        body=body,
        timeout=API_DESTINATION_MS,
        response_bytes_max=OAUTH_ANSWER_BYTES_MAX,
    )
    return _read(status, content)


def _pairs(given: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    return {one["Key"]: one.get("Value", "") for one in given or ()}


def _headers(given: Mapping[str, Any]) -> dict[str, str]:
    named = _pairs(given.get("HeaderParameters")).items()
    return {"accept": "application/json"} | {name.lower(): value for name, value in named}


def _read(status: int | None, content: bytes) -> Token:
    if status is None:
        text = f"The authorization endpoint cannot be reached: {content.decode()}"
        raise NoToken(text, is_final=False)
    if status // 100 != 2:
        text = f"The authorization endpoint answered with the status {status}."
        raise NoToken(text, is_final=status // 100 != 5)
    try:
        told = json.loads(content)
        value = told["access_token"]
        kind, seconds = told.get("token_type", "Bearer"), told.get("expires_in")
        seconds = None if seconds is None else max(1.0, float(seconds) * USED_PART)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise NoToken("The authorization endpoint answered with no access token.") from None
    texts = isinstance(value, str) and isinstance(kind, str)
    if not texts or not (value + kind).isascii() or not (value + kind).isprintable():
        raise NoToken("The authorization endpoint answered with no access token.")
    kind = "Bearer" if kind.lower() == "bearer" else kind
    return Token(f"{kind} {value}", OAUTH_UNTIL_REFUSED_SECONDS if seconds is None else seconds)
