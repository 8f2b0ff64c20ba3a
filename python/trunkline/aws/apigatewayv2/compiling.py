"""Stages of HTTP APIs for the core: routes that call an operation of a service."""

from __future__ import annotations

from trunkline._core import WireDocument
from trunkline.aws.apigatewayv2.exchange import answer
from trunkline.aws.apigatewayv2.mapping import parts
from trunkline.aws.apigatewayv2.subtypes import SUBTYPES
from trunkline.aws.apigatewayv2.throttling import limit_of
from trunkline.aws.execute_api.access_logs import is_group
from trunkline.aws.execute_api.compiling import NotCompiled, constant, member, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Document = dict[str, Any]

_KINDS = {
    "SQS-SendMessage": {
        "QueueUrl": "text",
        "MessageBody": "text",
        "MessageGroupId": "text",
        "MessageDeduplicationId": "text",
        "DelaySeconds": "number",
    },
    "EventBridge-PutEvents": {
        "Detail": "text",
        "DetailType": "text",
        "Source": "text",
        "EventBusName": "text",
    },
    "Kinesis-PutRecord": {
        "StreamName": "text",
        "Data": "blob",
        "PartitionKey": "text",
        "ExplicitHashKey": "text",
        "SequenceNumberForOrdering": "text",
    },
    "StepFunctions-StartExecution": {"StateMachineArn": "text", "Name": "text", "Input": "text"},
}
"""The subtypes that the core serves, with the parameters that it knows and what each is."""
_LIST = {"EventBridge-PutEvents": "Entries"}
"""Where the parameters are those of an element of a list."""
_OF_CONTEXT = {
    "requestId": "request_id",
    "extendedRequestId": "request_id",
    "httpMethod": "method",
    "requestTimeEpoch": "epoch_millis",
    "identity.sourceIp": "source_ip",
}


def compile_stage(api: str, stage: Document, owner: Document, deployment: Document) -> Document:
    """The table of a stage; raises NotCompiled where Python has to see every request."""
    log = stage.get("AccessLogSettings") or {}
    is_logged = is_group(log.get("DestinationArn") or "")
    if owner.get("protocol") != "HTTP" or owner.get("disabled") or is_logged:
        raise NotCompiled
    compiler = _Compiler(api, stage, owner, deployment["integrations"])
    resources, default = [], None
    for route in deployment["routes"].values():
        method, _, path = route["RouteKey"].partition(" ")
        compiled = compiler.route(route)
        if route["RouteKey"] == "$default":
            default = compiled
        else:
            resources.append({"path": path, "methods": {method: compiled}})
    cors = _cors(owner.get("cors"))
    return {"style": "http", "resources": resources, "default": default, "cors": cors}


def _cors(configuration: Document | None) -> Document | None:
    if not configuration:
        return None
    age = configuration.get("MaxAge")

    def joined(name: str) -> str | None:
        return ",".join(configuration[name]) if configuration.get(name) else None

    return {
        "origins": configuration.get("AllowOrigins") or [],
        "has_credentials": bool(configuration.get("AllowCredentials")),
        "exposed": joined("ExposeHeaders"),
        "methods": joined("AllowMethods"),
        "headers": joined("AllowHeaders"),
        "max_age": None if age is None else str(age),
    }


class _Compiler:
    def __init__(self, api: str, stage: Document, owner: Document, integrations: Document) -> None:
        self._api = api
        self._stage = stage
        self._owner = owner
        self._integrations = integrations
        self._key = ""

    def route(self, route: Document) -> Document | None:
        """A route; None if Python serves it."""
        self._key = route["RouteKey"]
        is_open = route.get("AuthorizationType", "NONE") == "NONE"
        if not is_open or route.get("ApiKeyRequired"):
            return None
        target = str(route.get("Target", "")).partition("/")[2]
        integration = self._integrations.get(target)
        if integration is None or integration.get("ResponseParameters"):
            return None
        try:
            call = self._call(integration)
        except NotCompiled:
            return None
        refused = answer(429, "Too Many Requests")
        return {
            "limits": [limit_of(self._stage, self._api, self._key).plain()],
            "throttled": {
                "status": refused.status,
                "headers": refused.headers,
                "body": refused.body.decode(),
            },
            "works": [(None, {"call": call})],
        }

    def _call(self, integration: Document) -> Document:
        name = integration.get("IntegrationSubtype", "")
        if name not in _KINDS:
            raise NotCompiled
        subtype, kinds = SUBTYPES[name], _KINDS[name]
        members, region = [], self._owner["region"]
        for key, source in (integration.get("RequestParameters") or {}).items():
            pieces, is_variable = self._pieces(source)
            if key == "Region":
                region = constant(pieces) or region
                continue
            if key not in kinds:
                raise NotCompiled
            is_required = key in subtype.required
            if not pieces and is_variable:
                # A variable that names nothing.
                if is_required:
                    raise NotCompiled
                continue
            plain = key if name != "StepFunctions-StartExecution" else key[0].lower() + key[1:]
            members.append(
                member(
                    plain,
                    pieces,
                    kind=kinds[key],
                    is_variable=is_variable,
                    is_required=is_required,
                )
            )
        listed = _LIST.get(name)
        return {
            "service": subtype.service,
            "operation": subtype.operation,
            "account": self._owner["account"],
            "region": region,
            "input": {"entry": (listed, members)} if listed else {"members": members},
            "output": "modelled",
            "answer": {
                "status": 200,
                "headers": [("content-type", "application/json")],
                "body": None,
            },
        }

    def _pieces(self, source: Any) -> tuple[list[Document], bool]:
        """A source of a mapping, and whether it is one variable; without pieces it is nothing."""
        if not isinstance(source, str):
            raise NotCompiled
        found = parts(source)
        pieces = [
            text(one) if isinstance(one, str) else self._variable(one[0], one[1]) for one in found
        ]
        is_variable = len(found) == 1 and not isinstance(found[0], str)
        return [piece for piece in pieces if piece is not None], is_variable

    def _variable(self, kind: str, path: str) -> Document | None:
        path = path.removeprefix(".")
        if kind == "stageVariables":
            value = (self._stage.get("StageVariables") or {}).get(path)
            return None if value is None else text(value)
        if kind == "context":
            return self._of_context(path)
        if kind == "request":
            return _of_request(path)
        raise NotCompiled

    def _of_context(self, path: str) -> Document:
        fixed = {
            "accountId": self._owner["account"],
            "apiId": self._api,
            "stage": self._stage["StageName"],
            "routeKey": self._key,
            "protocol": "HTTP/1.1",
        }
        if path in fixed:
            return text(fixed[path])
        if path not in _OF_CONTEXT:
            raise NotCompiled
        return {"source": _OF_CONTEXT[path]}


def _of_request(path: str) -> Document:
    place, _, name = path.partition(".")
    if place == "method":
        return {"source": "method"}
    if place.partition("[")[0] == "body":
        selected = path.removeprefix("body")
        if not selected:
            return {"source": "payload"}
        try:
            WireDocument("{}").select(f"${selected}")
        except ValueError:
            raise NotCompiled from None
        return {"source": {"payload_path": f"${selected}"}}
    kind = {"header": "header", "querystring": "query", "path": "variable"}.get(place)
    if kind is None or not name:
        raise NotCompiled
    return {"source": {kind: name}}
