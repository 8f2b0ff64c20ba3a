"""One event of a connection to a WebSocket API, as all steps of its way see it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http.client import HTTP_PORT, HTTPS_PORT

from trunkline._dataclasses import dataclass, field
from trunkline.aws.apigateway.front.exchange import title, trace_of
from trunkline.aws.apigateway.front.sources import inside, of_body, text
from trunkline.aws.apigatewayv2.exchange import Exchange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Document = dict[str, Any]


class Deployed:
    """A deployment of a WebSocket API, ready for events."""

    def __init__(self, document: Document) -> None:
        self.routes = {route["RouteKey"]: route for route in document["routes"].values()}
        self.integrations: Document = document["integrations"]
        self.authorizers: Document = document["authorizers"]
        self.models = {
            model["Name"]: {"schema": model["Schema"], "contentType": model["ContentType"]}
            for model in document.get("models", {}).values()
        }
        self.schemas: dict[str, Any] = {}
        """Validators of messages, by the name of their model, once they were needed."""


@dataclass(slots=True)
class Connection:
    """A client that is connected, or wants to be."""

    id: str
    connected_at: int
    """In milliseconds."""


@dataclass(slots=True)
class SocketExchange(Exchange):
    """A connection that begins or ends, or a message; with what was learnt of the client."""

    connection: Connection = field(default_factory=lambda: Connection("", 0))
    event_type: str = "CONNECT"
    ended: tuple[int, str] | None = None
    """The close code and the reason of a connection that has ended."""
    trace: str = ""

    def __post_init__(self) -> None:
        self.trace = trace_of(self.request, self.now)

    @property
    def account(self) -> str:
        """The account of the API."""
        return str(self.owner["account"])

    @property
    def region(self) -> str:
        """The region of the API."""
        return str(self.owner["region"])

    @property
    def message(self) -> str:
        """What the client sent."""
        return self.request.body.decode()

    def context(self) -> Document:
        """`$context`: what AWS documents for WebSocket APIs."""
        request, now = self.request, datetime.fromtimestamp(self.now, UTC)
        told: Document = {
            "routeKey": self.route.get("RouteKey"),
            "eventType": self.event_type,
            "extendedRequestId": request.request_id,
            "requestTime": f"{now:%d/%b/%Y:%H:%M:%S +0000}",
            "messageDirection": "IN",
            "stage": self.stage_name,
            "connectedAt": self.connection.connected_at,
            "requestTimeEpoch": int(self.now * 1000),
            "identity": {
                "userAgent": request.header("user-agent"),
                "sourceIp": request.source_ip or "127.0.0.1",
            },
            "requestId": request.request_id,
            # With its port, so that programs find the API at the address that it names.
            "domainName": request.host,
            "connectionId": self.connection.id,
            "apiId": request.api,
        }
        if self.authorizer:
            told["authorizer"] = self.authorizer
        if self.event_type == "MESSAGE":
            told["messageId"] = request.request_id
        if self.ended is not None:
            told["disconnectStatusCode"], told["disconnectReason"] = self.ended
        return told | self.told

    def event(self) -> Document:
        """What a function gets."""
        told: Document = {"requestContext": self.context(), "isBase64Encoded": False}
        if self.stage_variables():
            told["stageVariables"] = self.stage_variables()
        if self.event_type == "MESSAGE":
            told["body"] = self.message
        elif self.event_type == "CONNECT":
            told |= self._of_connect()
        else:
            headers = {"Host": self.request.host, "x-api-key": "", "X-Forwarded-For": ""}
            told["headers"] = headers
            told["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
        return told

    def _of_connect(self) -> Document:
        request = self.request
        headers = {title(name): values for name, values in request.all_headers.items()}
        port = HTTPS_PORT if request.is_secure else HTTP_PORT
        forwarded = {
            "X-Amzn-Trace-Id": self.trace,
            "X-Forwarded-For": request.source_ip or "127.0.0.1",
            "X-Forwarded-Port": request.host.partition(":")[2] or str(port),
            "X-Forwarded-Proto": "https" if request.is_secure else "http",
        }
        headers |= {name: [value] for name, value in forwarded.items()}
        told: Document = {
            "headers": {name: values[-1] for name, values in headers.items()},
            "multiValueHeaders": headers,
        }
        parameters = request.all_parameters
        if parameters:
            told["queryStringParameters"] = {n: values[-1] for n, values in parameters.items()}
            told["multiValueQueryStringParameters"] = parameters
        return told

    def source(self, name: str) -> str | None:
        """The value of a mapping's source, such as `route.request.querystring.token`."""
        if name.startswith("'"):
            return name[1:-1]
        kind, _, rest = name.partition(".")
        if kind == "context":
            return text(inside(self.context(), rest))
        if kind == "stageVariables":
            return self.stage_variables().get(rest)
        place, _, rest = rest.removeprefix("request.").partition(".")
        if place == "body":
            return of_body(self.message, rest)
        is_header = place.endswith("header")
        found = self.request.all_headers if is_header else self.request.all_parameters
        values = found.get(rest.lower() if is_header else rest)
        if not values:
            return None
        return ",".join(values) if place.startswith("multivalue") else values[-1]

    def selected(self, expression: str) -> str:
        """What a selection expression stands for; `\\$default` is the text `$default`."""
        from trunkline.aws.apigatewayv2.mapping import as_text, value

        if expression.startswith("\\") or expression == "$default":
            return expression.removeprefix("\\")
        return as_text(value(self, expression)) or ""

    def frame(self, message: str) -> str:
        """How the gateway tells a client that something went wrong."""
        told = {
            "message": message,
            "connectionId": self.connection.id,
            "requestId": self.request.request_id,
        }
        return json.dumps(told)
