"""Who may take a route: tokens, functions that decide, signatures."""

from __future__ import annotations

import json
import re

from trunkline.aws.apigatewayv2.events import event
from trunkline.aws.apigatewayv2.exchange import Refused
from trunkline.aws.apigatewayv2.integrating import call_function, function_arn
from trunkline.aws.apigatewayv2.mapping import as_text, value
from trunkline.aws.apigatewayv2.tokens import claims_of
from trunkline.aws.arns import partition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigatewayv2.exchange import Exchange

    Document = dict[str, Any]

_UNAUTHORIZED = "Unauthorized"
_FORBIDDEN = "Forbidden"
_CACHED_MAX = 10_000


def authorize(exchange: Exchange) -> None:
    """Lets a request pass, and notes what was learnt of its caller; raises Refused otherwise."""
    kind = exchange.route.get("AuthorizationType", "NONE")
    if kind == "NONE":
        return
    if kind == "AWS_IAM":
        check_signature(exchange)
        return
    authorizer = exchange.authorizers.get(exchange.route.get("AuthorizerId", ""))
    if authorizer is None:
        raise Refused(500, "Internal Server Error", why="the authorizer of the route is gone")
    sources = [as_text(value(exchange, one)) for one in authorizer.get("IdentitySource") or ()]
    if not all(sources):
        raise Refused(401, _UNAUTHORIZED, why="an identity source is missing")
    identities = [one for one in sources if one]
    if kind == "JWT":
        _by_token(exchange, authorizer, identities[0])
    else:
        _by_function(exchange, authorizer, identities)


def check_signature(exchange: Exchange) -> None:
    """Refuses a request that is not signed, or by another account where that is proved."""
    request = exchange.request
    if request.refusal is not None:
        raise Refused(403, _FORBIDDEN, why=request.refusal[1])
    if request.signer is None:
        raise Refused(403, _FORBIDDEN, why="the request is not signed")
    account, _, key = request.signer
    if request.is_strict and account != exchange.owner["account"]:
        raise Refused(403, _FORBIDDEN, why="the caller is of another account")
    exchange.authorizer = {
        "accessKey": key,
        "accountId": account,
        "callerId": key,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:{partition(exchange.owner['region'])}:iam::{account}:root",
        "userId": key,
    }


def _by_token(exchange: Exchange, authorizer: Document, token: str) -> None:
    configured = authorizer["JwtConfiguration"]
    bare = re.sub(r"^bearer\s+", "", token, flags=re.IGNORECASE)
    claims = claims_of(exchange.apis, bare, configured["Issuer"], exchange.now)
    named = claims.get("aud", claims.get("client_id"))
    audiences = set(named if isinstance(named, list) else [named])
    if not audiences & set(configured["Audience"]):
        raise Refused(401, _UNAUTHORIZED, why="the token is for another audience")
    given = claims.get("scope", claims.get("scp", ""))
    scopes = [str(one) for one in given] if isinstance(given, list) else str(given).split()
    wanted = exchange.route.get("AuthorizationScopes") or []
    if wanted and not set(wanted) & set(scopes):
        raise Refused(403, _FORBIDDEN, why="the token has none of the scopes of the route")
    exchange.authorizer = {
        "claims": {name: _claim(one) for name, one in claims.items()},
        "scopes": scopes if wanted else None,
    }


def _claim(value: Any) -> str:
    """Claims reach functions as texts; lists as `[a b]`."""
    if isinstance(value, list):
        return "[" + " ".join(str(one) for one in value) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def _by_function(exchange: Exchange, authorizer: Document, identities: list[str]) -> None:
    seconds = authorizer.get("AuthorizerResultTtlInSeconds", 0)
    apis, now = exchange.apis, exchange.now
    key = (
        exchange.request.api,
        exchange.stage_name,
        exchange.stage.get("reset", 0),
        authorizer["AuthorizerId"],
        *identities,
    )
    with apis.lock:
        kept: dict[Any, tuple[float, Any]] = apis.memory.setdefault("apigatewayv2 authorizers", {})
        known = kept.get(key)
    if known is not None and now < known[0]:
        told = known[1]
    else:
        told = _asked(exchange, authorizer, identities)
        if seconds:
            with apis.lock:
                while len(kept) >= _CACHED_MAX:
                    kept.pop(next(iter(kept)))
                kept[key] = (now + seconds, told)
    _decide(exchange, authorizer, told)


def _route_arn(exchange: Exchange) -> str:
    where, request = exchange.owner, exchange.request
    path = exchange.path.lstrip("/")
    return (
        f"arn:{partition(where['region'])}:execute-api:{where['region']}:{where['account']}:"
        f"{request.api}/{exchange.stage_name}/{request.method}/{path}"
    )


def _asked(exchange: Exchange, authorizer: Document, identities: list[str]) -> Any:
    version = authorizer["AuthorizerPayloadFormatVersion"]
    told = event(exchange, version) | {"type": "REQUEST"}
    told.pop("body", None)
    told.pop("isBase64Encoded", None)
    told["requestContext"].pop("authorizer", None)
    arn = _route_arn(exchange)
    if version == "2.0":
        told |= {"routeArn": arn, "identitySource": identities}
    else:
        told |= {
            "methodArn": arn,
            "identitySource": ",".join(identities),
            "authorizationToken": ",".join(identities),
        }
    return call_function(exchange, function_arn(exchange, authorizer["AuthorizerUri"]), told)


def _decide(exchange: Exchange, authorizer: Document, told: Any) -> None:
    if not isinstance(told, dict):
        raise Refused(500, "Internal Server Error", why="the authorizer's answer is no object")
    if authorizer.get("EnableSimpleResponses"):
        if not isinstance(told.get("isAuthorized"), bool):
            raise Refused(500, "Internal Server Error", why="the answer has no isAuthorized")
        is_allowed = told["isAuthorized"]
    else:
        policy = told.get("policyDocument")
        if not isinstance(policy, dict) or not told.get("principalId"):
            why = "the answer has no policyDocument or no principalId"
            raise Refused(500, "Internal Server Error", why=why)
        is_allowed = allows(policy, "execute-api:Invoke", _route_arn(exchange))
    if not is_allowed:
        raise Refused(403, _FORBIDDEN, why="the authorizer denies the request")
    context = told.get("context")
    exchange.authorizer = dict(context) if isinstance(context, dict) else {}
    if "principalId" in told and not authorizer.get("EnableSimpleResponses"):
        exchange.authorizer["principalId"] = told["principalId"]


def allows(policy: Document, action: str, resource: str) -> bool:
    """Whether a policy allows an action: a denial wins, and what nothing allows is denied.

    A statement with a condition, or one that cannot be understood, allows nothing.

    >>> policy = {"Statement": {"Effect": "Allow", "Action": "execute-api:*", "Resource": "a/*"}}
    >>> allows(policy, "execute-api:Invoke", "a/b"), allows(policy, "execute-api:Invoke", "b")
    (True, False)
    """
    statements = policy.get("Statement", [])
    is_allowed = False
    for one in [statements] if isinstance(statements, dict) else statements:
        if not isinstance(one, dict):
            return False
        matches = _any(one.get("Action"), action.lower(), lower=True) and _any(
            one.get("Resource"), resource
        )
        effect = one.get("Effect")
        if effect != "Allow" and (matches or effect != "Deny"):
            return False
        is_allowed = is_allowed or (effect == "Allow" and matches and not one.get("Condition"))
    return is_allowed


def _any(patterns: Any, text: str, *, lower: bool = False) -> bool:
    listed = [patterns] if isinstance(patterns, str) else patterns
    if not isinstance(listed, list):
        return False
    return any(_like(str(one).lower() if lower else str(one), text) for one in listed)


def _like(pattern: str, text: str) -> bool:
    """Wildcards, in time linear to the text for each star."""
    at = place = 0
    star, after = -1, 0
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, after = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in (text[at], "?"):
            place, at = place + 1, at + 1
        elif star >= 0:
            after += 1
            place, at = star + 1, after
        else:
            return False
    return pattern[place:].strip("*") == ""
