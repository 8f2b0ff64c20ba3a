"""A WebSocket API on a server, with a function behind it that notes its events."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from functools import cached_property

import boto3
from websockets.sync.client import connect

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:front"
PATIENCE = 30
"""Seconds that a test waits for what has to come."""


class SocketFront:
    """An API with a stage `dev` that deploys by itself."""

    def __init__(self, engine, server, selection="$request.body.action"):
        self.engine, self.url = engine, server.url
        self.events, self.came = [], threading.Condition()
        self.answer = lambda event: {"statusCode": 200}
        engine.function("front", self._called)
        self.gateway = self.client("apigatewayv2")
        made = self.gateway.create_api(
            Name="front", ProtocolType="WEBSOCKET", RouteSelectionExpression=selection
        )
        self.api, self.endpoint = made["ApiId"], made["ApiEndpoint"]
        self.gateway.create_stage(ApiId=self.api, StageName="dev", AutoDeploy=True)

    def client(self, service, url=None):
        return boto3.session.Session().client(
            service,
            region_name="us-east-1",
            endpoint_url=url or self.url,
            aws_access_key_id="000000000000",
            aws_secret_access_key="secret",
        )

    def _called(self, event, context):
        with self.came:
            self.events.append(event)
            self.came.notify_all()
        return self.answer(event)

    def wait(self, kind, count=1):
        """Waits for events of this kind; their list."""

        def found():
            return [one for one in self.events if one["requestContext"]["eventType"] == kind]

        with self.came:
            assert self.came.wait_for(lambda: len(found()) >= count, PATIENCE), self.events
            return found()

    def integration(self, **given):
        given = {"IntegrationType": "AWS_PROXY", **given}
        if given["IntegrationType"] == "AWS_PROXY":
            uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}"
            given.setdefault("IntegrationUri", f"{uri}/invocations")
        made = self.gateway.create_integration(ApiId=self.api, **given)
        return made["IntegrationId"]

    def route(self, key, integration=None, *, replies=False, **given):
        """Adds a route; one that replies has a response."""
        target = f"integrations/{integration or self.integration()}"
        if replies:
            given["RouteResponseSelectionExpression"] = "$default"
        made = self.gateway.create_route(ApiId=self.api, RouteKey=key, Target=target, **given)
        if replies:
            self.gateway.create_route_response(
                ApiId=self.api, RouteId=made["RouteId"], RouteResponseKey="$default"
            )
        return made["RouteId"]

    def connect(self, query="", **given):
        return connect(f"{self.endpoint}/dev{query}", open_timeout=PATIENCE, **given)

    @cached_property
    def connections(self):
        """A client of the API that manages connections."""
        url = f"{self.url}/_aws/execute-api/{self.api}/dev"
        return self.client("apigatewaymanagementapi", url)


def ask(url, body=None, **headers):
    """The status and the headers of the answer to a request over HTTP."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers


def read(socket):
    """The next message, as JSON."""
    return json.loads(socket.recv(timeout=PATIENCE))
