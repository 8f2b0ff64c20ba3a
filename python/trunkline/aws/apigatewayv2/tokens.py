"""JSON Web Tokens: claims of those that an issuer signed and that are valid now."""

from __future__ import annotations

import json

from trunkline.aws.apigatewayv2.exchange import Refused
from trunkline.aws.execute_api.http import NoAnswer, send
from trunkline.aws.limits import JWKS_BYTES_MAX, JWKS_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.kinds import Apis

_UNAUTHORIZED = "Unauthorized"
_TIMEOUT_MS = 1_500
_TOKEN_CHARS_MAX = 16_384


def claims_of(apis: Apis, token: str, issuer: str, now: float) -> dict[str, Any]:
    """The claims of a token that `issuer` signed; raises Refused for every other."""
    from trunkline import _core

    if len(token) > _TOKEN_CHARS_MAX:
        raise Refused(401, _UNAUTHORIZED, why="the token is too long")
    keys = _keys(apis, issuer, now)
    try:
        claims = json.loads(_core.token_claims(token, keys))
    except ValueError as error:
        raise Refused(401, _UNAUTHORIZED, why=str(error)) from None
    if not isinstance(claims, dict) or claims.get("iss") != issuer:
        raise Refused(401, _UNAUTHORIZED, why="the token is of another issuer")
    if not isinstance(claims.get("exp"), (int, float)) or now >= claims["exp"]:
        raise Refused(401, _UNAUTHORIZED, why="the token has expired, or does not say when")
    for name in ("nbf", "iat"):
        since = claims.get(name)
        if since is not None and (not isinstance(since, (int, float)) or now < since):
            raise Refused(401, _UNAUTHORIZED, why=f"the token is not valid yet ({name})")
    return claims


def _keys(apis: Apis, issuer: str, now: float) -> str:
    """The key set of an issuer as JSON text, asked for once in a while."""
    with apis.lock:
        kept: dict[str, tuple[float, str]] = apis.memory.setdefault("apigatewayv2 issuers", {})
        known = kept.get(issuer)
    if known is not None and now < known[0]:
        return known[1]
    try:
        configuration = json.loads(
            _fetched(apis, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        )
        keys = _fetched(apis, str(configuration["jwks_uri"]))
    except (NoAnswer, ValueError, KeyError, TypeError) as error:
        raise Refused(401, _UNAUTHORIZED, why=f"the keys of {issuer}: {error}") from None
    with apis.lock:
        kept[issuer] = (now + JWKS_SECONDS, keys)
    return keys


def _fetched(apis: Apis, url: str) -> str:
    told = send(apis.core, url, method="GET", headers=[], body=b"", timeout_ms=_TIMEOUT_MS)
    if told.status != 200 or len(told.body) > JWKS_BYTES_MAX:
        raise NoAnswer(f"{url} answered {told.status} with {len(told.body)} bytes")
    return told.body.decode()
