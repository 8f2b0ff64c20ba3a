"""An API of an engine: routes over HTTP that lead to queues, machines, functions and the like."""

from __future__ import annotations

import json
import re

from trunkline.apis.targets import integration_of
from trunkline.aws.apigateway import apis, deployments, integrations, methods, resources
from trunkline.aws.apigateway.documents import api_key, read
from trunkline.aws.errors import ProgramErrors
from trunkline.aws.operation import Call
from trunkline.aws.store import Store
from trunkline.errors import InvalidParameterValue, ResourceNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from trunkline.engine import Engine
    from trunkline.server.server import Server

STAGE = "live"
"""The stage that every route is deployed to."""
_ROUTE = re.compile(r"([A-Z]+) (/\S*)")


class ApiAnswer:
    """What an API answered to a request in the process; :meth:`Api.request` returns it.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> def teas(event, context):
    ...     return {"statusCode": 200, "body": '["oolong"]'}
    >>> api = engine.api("front").route("GET /teas", engine.function("teas", teas))
    >>> answer = api.request("GET", "/teas")
    >>> answer.status, answer.json()
    (200, ['oolong'])
    >>> engine.close()
    """

    __slots__ = {
        "body": "The body, in bytes.",
        "headers": "The headers; names are in lower case.",
        "status": "The HTTP status.",
    }

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status: int = status
        self.headers: dict[str, str] = headers
        self.body: bytes = body

    def __repr__(self) -> str:
        return f"<ApiAnswer {self.status}, {len(self.body)} bytes>"

    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Api:
    """An API of an engine; :meth:`Engine.api` makes it.

    It is a REST API of API Gateway, so clients of that see it, too.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> orders = engine.queue("orders")
    >>> api = engine.api("front").route("POST /orders", orders)
    >>> api.request("POST", "/orders", '{"tea": 2}').status
    202
    >>> orders.receive()[0].text()
    '{"tea": 2}'
    """

    __slots__ = ("_call", "_engine", "_id", "_name")

    def __init__(self, engine: Engine, call: Call, name: str, id: str) -> None:
        self._engine = engine
        self._call = call
        self._name = name
        self._id = id

    @property
    def name(self) -> str:
        """The name, unique among the APIs that programs made in its account and region."""
        return self._name

    @property
    def id(self) -> str:
        """The id, by which clients of API Gateway name it."""
        return self._id

    @property
    def path(self) -> str:
        """Where the API lies on every server of the engine."""
        return f"/_aws/execute-api/{self._id}/{STAGE}"

    def routes(self) -> list[str]:
        """The routes, in the order of their paths.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.api("front").route("GET /orders/{id}", engine.queue("orders")).routes()
        ['GET /orders/{id}']
        """
        with ProgramErrors(ResourceNotFound):
            found = read(self._call, self._id)["resources"].values()
        ordered = sorted(found, key=lambda resource: resource["path"])
        return [f"{verb} {one['path']}" for one in ordered for verb in sorted(one["methods"])]

    def route(
        self, route: str, target: object, *, group: str | None = None, key_required: bool = False
    ) -> Api:
        """Let a method and a path lead to `target`; return the API.

        A route is a method, or ANY, and a path: ``"POST /orders"``. ``{id}`` is any part of a path,
        and ``{rest+}`` all that follows. A route that is there gets the new target.

        - A queue, a topic, a bus, a stream or a state machine gets the body of the request, as a
          message, an event, a record or an input. The caller is answered 202 with the id of that.
        - A function is called with API Gateway's event (version 1.0), and returns the answer:
          ``{"statusCode": 200, "headers": {...}, "body": "..."}``.
        - `group` is the message group of a FIFO queue or topic, or the partition key of a stream: a
          text, or an expression of mapping templates, such as ``$input.path('$.customer')``.
        - With `key_required`, a request needs an API key of a usage plan.

        Raises InvalidParameterValue for a route or a group that cannot be used, TypeError for
        another target.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> def hello(event, context):
        ...     return {"statusCode": 200, "body": "hello " + event["pathParameters"]["name"]}
        >>> api = engine.api("front").route("GET /{name}", engine.function("hello", hello))
        >>> api.request("GET", "/world").text()
        'hello world'
        """
        found = _ROUTE.fullmatch(route)
        if found is None or found[1] not in methods.VERBS:
            raise InvalidParameterValue(
                f"Value {route!r} for parameter route is invalid. Reason: A route is a method and "
                'a path. Write it as "POST /orders".'
            )
        integration, answers = integration_of(self._engine, self._name, route, target, group)
        call, verb = self._call, found[1]
        with ProgramErrors(InvalidParameterValue), call.store.lock:
            where = {"rest_api_id": self._id, "resource_id": self._resource(found[2])}
            existing = read(call, self._id)["resources"][where["resource_id"]]["methods"]
            if verb in existing:
                methods.delete_method(call, **where, http_method=verb)
            self._put(where | {"http_method": verb}, integration, answers, key_required)
            self._deploy()
        call.store.flush()
        return self

    def _put(
        self,
        where: dict[str, str],
        integration: dict[str, Any],
        answers: dict[str, str],
        key_required: bool,
    ) -> None:
        call = self._call
        methods.put_method(call, **where, authorization_type="NONE", api_key_required=key_required)
        integrations.put_integration(call, **where, **integration)
        for status, template in answers.items():
            failed = {"400": r"4\d\d", "502": r"5\d\d"}
            integrations.put_integration_response(
                call, **where, status_code=status, response_templates={"application/json": template}
            )
            for other, pattern in failed.items():
                integrations.put_integration_response(
                    call, **where, status_code=other, selection_pattern=pattern
                )

    def _resource(self, path: str) -> str:
        """The id of the resource at a path; what is missing of the way to it is created."""
        document = read(self._call, self._id)
        current: str = document["rest"]["rootResourceId"]
        for part in path.strip("/").split("/"):
            if not part:
                continue
            below = resources.children(read(self._call, self._id), current)
            found = next((one["id"] for one in below if one["pathPart"] == part), None)
            if found is None:
                created = resources.create_resource(
                    self._call, rest_api_id=self._id, parent_id=current, path_part=part
                )
                found = (created or {})["id"]
            current = found
        return current

    def _deploy(self) -> None:
        """Lets the stage serve what there is; earlier deployments are of no use any more."""
        made = deployments.create_deployment(self._call, rest_api_id=self._id, stage_name=STAGE)
        for id in list(read(self._call, self._id)["deployments"]):
            if id != (made or {})["id"]:
                deployments.delete_deployment(self._call, rest_api_id=self._id, deployment_id=id)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str = b"",
        *,
        headers: Mapping[str, str] | None = None,
    ) -> ApiAnswer:
        """Send a request to the API without a socket. `path` may have a query string."""
        from trunkline.aws.dispatcher import dispatcher_of

        data = body.encode() if isinstance(body, str) else bytes(body)
        lines = [("host", "localhost"), *(headers or {}).items()]
        target = self.path + ("" if path.startswith("/") else "/") + path
        status, told, content = dispatcher_of(self._engine).call(
            (method, target, lines, data, "http://localhost")
        )
        return ApiAnswer(status, dict(told), content)

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> ServedApi:
        """Serve HTTP from threads of this program, until the end of the ``with`` block.

        `port` 0 takes any that is free. The server answers AWS's clients, too.

        >>> import trunkline, urllib.request
        >>> engine = trunkline.open()
        >>> orders = engine.queue("orders")
        >>> with engine.api("front").route("POST /orders", orders).serve() as served:
        ...     urllib.request.urlopen(served.url + "/orders", b"tea").status
        202
        """
        from trunkline.server import Server

        return ServedApi(self, Server(self._engine, host=host, port=port))

    def remove(self) -> None:
        """Remove the API with its routes. What they lead to stays."""
        with ProgramErrors(ResourceNotFound):
            apis.delete_rest_api(self._call, rest_api_id=self._id)
        self._call.store.flush()

    def __repr__(self) -> str:
        return f"<Api {self._name!r}>"


class ServedApi:
    """An API that is served; :meth:`Api.serve` makes it. A context manager.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> with engine.api("front").serve() as served:
    ...     served.url == served.server.url + engine.api("front").path
    True
    """

    __slots__ = ("_api", "_server")

    def __init__(self, api: Api, server: Server) -> None:
        self._api = api
        self._server = server

    @property
    def url(self) -> str:
        """Where the API is, without a slash at its end."""
        return self._server.url + self._api.path

    @property
    def server(self) -> Server:
        """The server behind it."""
        return self._server

    def stop(self) -> bool:
        """Finish what has begun; whether all of it was."""
        return self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def every(engine: Engine, prefix: str, account: str, region: str) -> list[Api]:
    """The APIs whose name starts with `prefix`: by name, and those of one name by age."""
    call = Call(Store(engine._core), account, region, None, "", "")
    found = [
        document["rest"]
        for document in call.store.every(api_key(account, region))
        if document["rest"]["name"].startswith(prefix)
    ]
    found.sort(key=lambda rest: (rest["name"], rest["createdDate"]))
    return [Api(engine, call, rest["name"], rest["id"]) for rest in found]


def get_or_create(
    engine: Engine, name: str, account: str, region: str, *, create: bool = True
) -> Api:
    """The API of this name; the oldest where clients made several."""
    call = Call(Store(engine._core), account, region, None, "", "")
    with ProgramErrors(InvalidParameterValue), call.store.lock:
        for api in every(engine, name, account, region):
            if api.name == name:
                return api
        if not create:
            raise ResourceNotFound(f"There is no API {name!r}.")
        made = apis.create_rest_api(call, name=name)
    call.store.flush()
    return Api(engine, call, name, (made or {})["id"])
