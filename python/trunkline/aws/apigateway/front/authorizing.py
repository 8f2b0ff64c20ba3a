"""Who may call a method: signatures where they are proved, and Lambda authorizers."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from fnmatch import translate
from threading import Lock

from trunkline._dataclasses import dataclass
from trunkline.aws.apigateway.front.functions import event_of, invoke
from trunkline.aws.apigateway.front.mapping import with_variables
from trunkline.aws.apigateway.front.refusing import Refusal
from trunkline.aws.apigateway.front.sources import read_source
from trunkline.aws.execute_api.expressions import expression
from trunkline.aws.limits import AUTHORIZER_TTL_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigateway.front.exchange import Exchange

ACTION = "execute-api:Invoke"
CACHED_MAX = 10_000
"""How many answers of authorizers are remembered."""
SECONDS_MAX = 29.0
"""How long an authorizer may take."""
_NOT_AUTHORIZED = "User is not authorized to access this resource"


@dataclass(slots=True)
class _Said:
    answer: dict[str, Any]
    until: float


class _Cache:
    """What authorizers said, until its time is over on the engine's clock."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._said: OrderedDict[str, _Said] = OrderedDict()

    def get(self, key: str, now: float) -> dict[str, Any] | None:
        with self._lock:
            said = self._said.get(key)
            return said.answer if said is not None and said.until > now else None

    def put(self, key: str, answer: dict[str, Any], until: float) -> None:
        with self._lock:
            while len(self._said) >= CACHED_MAX:
                self._said.popitem(last=False)
            self._said[key] = _Said(answer, until)


def authorize(exchange: Exchange) -> None:
    """Refuses a caller that may not call the method."""
    method = exchange.routed.method
    match method["authorizationType"]:
        case "AWS_IAM":
            _check_signature(exchange)
        case "CUSTOM":
            _ask(exchange, exchange.deployed.authorizers.get(method.get("authorizerId", "")))
        case "COGNITO_USER_POOLS":
            raise Refusal(
                "AUTHORIZER_CONFIGURATION_ERROR",
                "Cognito user pools are not served here; use a Lambda authorizer.",
            )


def _check_signature(exchange: Exchange) -> None:
    request = exchange.request
    if not request.is_strict:
        # Callers prove no identity here, so no right could be relied on.
        return
    if request.refusal is not None:
        _, message, _ = request.refusal
        raise Refusal("INVALID_SIGNATURE", message)
    if request.signer is None:
        raise Refusal("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    if request.signer[0] != exchange.account:
        raise Refusal("ACCESS_DENIED", f"{_NOT_AUTHORIZED}")


def method_arn(exchange: Exchange) -> str:
    """The ARN of the method that is called, with the path as it was sent."""
    api, stage = exchange.request.api, exchange.stage["stageName"]
    where = f"arn:aws:execute-api:{exchange.region}:{exchange.account}"
    return f"{where}:{api}/{stage}/{exchange.request.method}{exchange.path}"


def _ask(exchange: Exchange, authorizer: dict[str, Any] | None) -> None:
    if authorizer is None:
        raise Refusal("AUTHORIZER_CONFIGURATION_ERROR", None, reason="there is no authorizer")
    identity = _identity(exchange, authorizer)
    ttl = authorizer.get("authorizerResultTtlInSeconds", AUTHORIZER_TTL_DEFAULT)
    apis = exchange.apis
    with apis.lock:
        cache: _Cache = apis.memory.setdefault("rest-authorizers", _Cache())
    flushed = exchange.stage.get("authorizersFlushed", 0)
    where = [exchange.request.api, exchange.stage["stageName"], exchange.stage["deploymentId"]]
    key = json.dumps([*where, flushed, authorizer["id"], identity])
    answer = cache.get(key, exchange.now) if ttl and identity else None
    if answer is None:
        answer = _said(exchange, authorizer, identity)
        if ttl and identity:
            cache.put(key, answer, exchange.now + ttl)
    _apply(exchange, answer)


def _identity(exchange: Exchange, authorizer: dict[str, Any]) -> list[str]:
    """The values of the identity sources; a request without one is refused."""
    found = []
    for source in (authorizer.get("identitySource") or "").split(","):
        source = source.strip()
        if not source:
            continue
        value = read_source(exchange, source)
        if not value:
            raise Refusal("UNAUTHORIZED", "Unauthorized")
        found.append(value)
    pattern = authorizer.get("identityValidationExpression")
    if pattern and found and authorizer["type"] == "TOKEN" and not _is_valid(pattern, found[0]):
        raise Refusal("UNAUTHORIZED", "Unauthorized")
    return found


def _is_valid(pattern: str, token: str) -> bool:
    """Whether a token begins with what the pattern of an authorizer describes."""
    try:
        expression(pattern)
        return expression(f"(?:{pattern}).*").matches(token)
    except ValueError as error:
        raise Refusal("AUTHORIZER_CONFIGURATION_ERROR", None, reason=str(error)) from None


def _said(exchange: Exchange, authorizer: dict[str, Any], identity: list[str]) -> dict[str, Any]:
    """What the function of an authorizer answers."""
    event: dict[str, Any]
    if authorizer["type"] == "TOKEN":
        event = {"type": "TOKEN", "authorizationToken": identity[0]}
    else:
        event = {**event_of(exchange), "type": "REQUEST"}
        del event["body"], event["isBase64Encoded"]
    event["methodArn"] = method_arn(exchange)
    uri = with_variables(exchange, authorizer["authorizerUri"])
    try:
        payload, error = invoke(exchange, uri, json.dumps(event).encode(), SECONDS_MAX)
    except Refusal as refusal:
        raise Refusal("AUTHORIZER_FAILURE", None, reason=refusal.reason) from None
    if error == "Unauthorized":
        raise Refusal("UNAUTHORIZED", "Unauthorized")
    if error is not None:
        raise Refusal("AUTHORIZER_FAILURE", None, reason=f"the authorizer failed: {error}")
    try:
        answer = json.loads(payload)
        statements = answer["policyDocument"]["Statement"]
        if not isinstance(answer["principalId"], str | int) or not isinstance(statements, list):
            raise ValueError("no principal or no statements")
        if not all(isinstance(one, dict) for one in statements):
            raise ValueError("a statement is no object")
        context = answer.get("context") or {}
        if not all(isinstance(value, str | int | float | bool) for value in context.values()):
            raise ValueError("a value of the context is no text, number or boolean")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
        raise Refusal(
            "AUTHORIZER_FAILURE", None, reason=f"the authorizer's answer cannot be used: {problem}"
        ) from None
    found: dict[str, Any] = answer
    return found


def _apply(exchange: Exchange, answer: dict[str, Any]) -> None:
    """Lets a request pass that the policy allows."""
    context = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in (answer.get("context") or {}).items()
    }
    exchange.context["authorizer"] = {**context, "principalId": str(answer["principalId"])}
    exchange.usage_key = answer.get("usageIdentifierKey")
    effect = effect_of(answer["policyDocument"]["Statement"], method_arn(exchange))
    if effect == "Deny":
        raise Refusal("ACCESS_DENIED", f"{_NOT_AUTHORIZED} with an explicit deny")
    if effect != "Allow":
        raise Refusal("ACCESS_DENIED", _NOT_AUTHORIZED)


def effect_of(statements: list[dict[str, Any]], arn: str) -> str | None:
    """What the statements of an authorizer's policy say of a method; a denial wins.

    A condition is not evaluated: a denial holds without it, and nothing is allowed with one.

    >>> allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:*/GET/*"}
    >>> effect_of([allow], "arn:aws:execute-api:eu-west-1:1:api/dev/GET/pets")
    'Allow'
    """
    effect = None
    for statement in statements:
        if not (
            _concerns(statement, "Action", ACTION, ignore_case=True)
            and _concerns(statement, "Resource", arn)
        ):
            continue
        if statement.get("Effect") == "Deny":
            return "Deny"
        if statement.get("Effect") == "Allow" and not statement.get("Condition"):
            effect = "Allow"
    return effect


def _concerns(
    statement: dict[str, Any], member: str, value: str, *, ignore_case: bool = False
) -> bool:
    """Whether a statement is about `value`, by ``Action`` or by ``NotAction``, say."""
    excluded = statement.get(f"Not{member}")
    if excluded is not None:
        return not _covers(excluded, value, ignore_case=ignore_case)
    return _covers(statement.get(member), value, ignore_case=ignore_case)


def _covers(patterns: Any, value: str, *, ignore_case: bool = False) -> bool:
    listed = patterns if isinstance(patterns, list) else [patterns]
    flags = re.IGNORECASE if ignore_case else 0
    # Brackets mean themselves in policies.
    return any(
        isinstance(one, str) and re.match(translate(one.replace("[", "[[]")), value, flags)
        for one in listed
    )
