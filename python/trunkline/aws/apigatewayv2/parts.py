"""What HTTP and WebSocket APIs consist of: routes, integrations, authorizers, models.

They are created, told, listed, changed and deleted in the same way, so one table says it for all.
"""

from __future__ import annotations

import json

from trunkline._dataclasses import dataclass
from trunkline.aws.apigatewayv2.checks import check_authorizer, check_integration, check_route
from trunkline.aws.apigatewayv2.deploying import changed
from trunkline.aws.apigatewayv2.documents import is_socket, members, new_id, paged, read
from trunkline.aws.apigatewayv2.errors import bad, conflict, missing
from trunkline.aws.apigatewayv2.registry import operations
from trunkline.aws.apigatewayv2.sockets import checks as sockets
from trunkline.aws.operation import snake_case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]
    Check = Callable[[Document, Document], None]


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of part, by the word that its operations have in their names."""

    noun: str
    place: str
    """Where the document of an API has them."""
    check: Check
    """Completes one and refuses what it cannot be."""
    in_use: Callable[[Document, str], bool]
    """Whether another part needs it."""

    @property
    def id(self) -> str:
        """The member that tells one from another."""
        return f"{self.noun}Id"


def _check_model(document: Document, model: Document) -> None:
    model.setdefault("ContentType", "application/json")
    for other in document["models"].values():
        if other["Name"] == model["Name"] and other["ModelId"] != model.get("ModelId"):
            raise conflict(f"Model name already exists for this API: {model['Name']}")
    try:
        json.loads(model.get("Schema") or "")
    except (ValueError, RecursionError):
        raise bad("Schema of a model has to be JSON") from None


def _routed(document: Document, integration: str) -> bool:
    target = f"integrations/{integration}"
    return any(route.get("Target") == target for route in document["routes"].values())


def _guards(document: Document, authorizer: str) -> bool:
    return any(route.get("AuthorizerId") == authorizer for route in document["routes"].values())


def _never(document: Document, id: str) -> bool:
    return False


def _by_protocol(of_http: Check, of_socket: Check) -> Check:
    def check(document: Document, part: Document) -> None:
        (of_socket if is_socket(document) else of_http)(document, part)

    return check


PARTS = (
    Part("Route", "routes", _by_protocol(check_route, sockets.check_route), _never),
    Part(
        "Integration",
        "integrations",
        _by_protocol(check_integration, sockets.check_integration),
        _routed,
    ),
    Part(
        "Authorizer",
        "authorizers",
        _by_protocol(check_authorizer, sockets.check_authorizer),
        _guards,
    ),
    Part("Model", "models", _check_model, _never),
)


def add(part: Part, document: Document, given: Document) -> Document:
    """Puts a new part into an API."""
    made = dict(given)
    part.check(document, made)
    made[part.id] = new_id()
    document[part.place][made[part.id]] = made
    return made


def _register(part: Part) -> None:
    own_id = snake_case(part.id)

    def find(call: Call, api: str, id: str) -> tuple[Document, Document]:
        document = read(call, api)
        found = document[part.place].get(id)
        if found is None:
            raise missing(part.noun, id)
        return document, found

    @operations.add(f"Create{part.noun}", writes=True)
    def create(call: Call, *, api_id: str, **given: Any) -> Document:
        with call.store.lock:
            document = read(call, api_id)
            made = add(part, document, members(given))
            changed(call, document)
        return made

    @operations.add(f"Get{part.noun}")
    def get(call: Call, *, api_id: str, **given: Any) -> Document:
        return find(call, api_id, given[own_id])[1]

    @operations.add(f"Get{part.noun}s")
    def get_all(
        call: Call, *, api_id: str, max_results: str | None = None, next_token: str | None = None
    ) -> Document:
        found = read(call, api_id)[part.place].values()
        return paged(found, part.id, max_results, next_token)

    @operations.add(f"Update{part.noun}", writes=True)
    def update(call: Call, *, api_id: str, **given: Any) -> Document:
        id = given.pop(own_id)
        with call.store.lock:
            document, found = find(call, api_id, id)
            made = {**found, **members(given)}
            part.check(document, made)
            document[part.place][id] = made
            changed(call, document)
        return made

    @operations.add(f"Delete{part.noun}", writes=True)
    def delete(call: Call, *, api_id: str, **given: Any) -> None:
        id = given[own_id]
        with call.store.lock:
            document, _ = find(call, api_id, id)
            if part.in_use(document, id):
                raise conflict(f"Cannot delete {part.noun} '{id}': a route uses it")
            del document[part.place][id]
            changed(call, document)


for _part in PARTS:
    _register(_part)


@operations.add("DeleteRouteRequestParameter", writes=True)
def delete_route_request_parameter(
    call: Call, *, api_id: str, route_id: str, request_parameter_key: str
) -> None:
    """Forgets a parameter that a route required."""
    with call.store.lock:
        document = read(call, api_id)
        route = document["routes"].get(route_id)
        if route is None:
            raise missing("Route", route_id)
        if request_parameter_key not in route.get("RequestParameters", {}):
            raise missing("RequestParameter", request_parameter_key)
        del route["RequestParameters"][request_parameter_key]
        changed(call, document)


@operations.add("GetModelTemplate")
def get_model_template(call: Call, *, api_id: str, model_id: str) -> Document:
    """A template that makes what a model describes: with the members of its schema."""
    model = read(call, api_id)["models"].get(model_id)
    if model is None:
        raise missing("Model", model_id)
    schema = json.loads(model["Schema"])
    names = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return {"Value": json.dumps(dict.fromkeys(names, ""))}
