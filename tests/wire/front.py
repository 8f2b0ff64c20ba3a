"""REST APIs for tests: made with a client of API Gateway, and called by HTTP."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from trunkline.aws.dispatcher import dispatcher_of

REGION = "us-east-1"


class Answered:
    """The answer to a request."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"{self.status} {self.headers} {self.body!r}"


class Front:
    """One REST API with a stage `dev`."""

    def __init__(self, client: Any, engine: Any, url: str | None, **given: Any) -> None:
        self.client = client
        self._engine = engine
        self._url = url
        made = client.create_rest_api(name="front", **given)
        self.id = made["id"]
        self._resources = {"/": made["rootResourceId"]}

    def resource(self, path: str) -> str:
        """The id of the resource at a path, which is made if it is not there."""
        if path not in self._resources:
            parent, _, part = path.rpartition("/")
            above = self.resource(parent or "/")
            made = self.client.create_resource(restApiId=self.id, parentId=above, pathPart=part)
            self._resources[path] = made["id"]
        return self._resources[path]

    def method(
        self,
        route: str,
        integration: dict[str, Any],
        answers: dict[str, dict[str, Any]] | None = None,
        **given: Any,
    ) -> None:
        """Puts a method with its integration, and the integration responses by status."""
        verb, path = route.split()
        where = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        self.client.put_method(**where, **{"authorizationType": "NONE", **given})
        self.client.put_integration(**where, **integration)
        for status, response in (answers or {}).items():
            self.client.put_integration_response(**where, statusCode=status, **response)

    def mock(self, route: str, text: str = '{"ok": true}', **given: Any) -> None:
        """Puts a method that a mock answers."""
        template = {"application/json": '{"statusCode": 200}'}
        integration = {"type": "MOCK", "requestTemplates": template}
        answers = {"200": {"responseTemplates": {"application/json": text}}}
        self.method(route, integration, answers, **given)

    def deploy(self, **given: Any) -> None:
        self.client.create_deployment(restApiId=self.id, stageName="dev", **given)

    def send(
        self,
        route: str,
        body: bytes | str = b"",
        headers: dict[str, str] | None = None,
        form: str = "/_aws/execute-api/{api}/dev",
        host: str = "localhost",
    ) -> Answered:
        """Sends a request to the stage."""
        verb, path = route.split(" ", 1)
        data = body.encode() if isinstance(body, str) else body
        target = form.format(api=self.id) + path
        lines = {"host": host.format(api=self.id), **(headers or {})}
        if self._url is None:
            dispatcher = dispatcher_of(self._engine)
            plain = (verb, target, list(lines.items()), data, "http://localhost")
            return Answered(*dispatcher.call(plain))
        connection = HTTPConnection(urlsplit(self._url).netloc, timeout=30)
        try:
            connection.request(verb, target, data, lines)
            answer = connection.getresponse()
            return Answered(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()


def uri(target: str) -> str:
    """The address of an integration with a service."""
    return f"arn:aws:apigateway:{REGION}:{target}"


def function_uri(arn: str) -> str:
    """The address of an integration with a function."""
    return uri(f"lambda:path/2015-03-31/functions/{arn}/invocations")
