"""The responses of routes and of integrations: what a client gets back for its message."""

from __future__ import annotations

import re

from trunkline.aws.apigatewayv2.deploying import changed
from trunkline.aws.apigatewayv2.documents import is_socket, members, new_id, paged, read
from trunkline.aws.apigatewayv2.errors import bad, conflict, missing
from trunkline.aws.apigatewayv2.registry import operations
from trunkline.aws.apigatewayv2.sockets.checks import DEFAULT, check_templates
from trunkline.aws.execute_api.expressions import expression
from trunkline.aws.operation import snake_case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]

_PATTERN = re.compile(r"/(.+)/")


def selects(key: str, selector: str) -> bool:
    """Whether a response is for this status code or error message.

    >>> selects("/4\\\\d\\\\d/", "404"), selects("200", "200"), selects("/4../", "200")
    (True, True, False)
    """
    pattern = _PATTERN.fullmatch(key)
    return expression(pattern[1]).matches(selector) if pattern else key == selector


def _check(noun: str, response: Document, others: Document) -> None:
    key = response[f"{noun}Key"]
    if noun == "RouteResponse" and key != DEFAULT:
        raise bad(f"Invalid RouteResponseKey {key!r}: it has to be $default")
    for id, other in others.items():
        if other[f"{noun}Key"] == key and id != response.get(f"{noun}Id"):
            raise conflict(f"{noun} with key {key} already exists")
    try:
        selects(key, "")
    except ValueError as error:
        raise bad(f"Invalid {noun}Key {key!r}: {error}") from None
    check_templates(response.get("ResponseTemplates"))


def _register(parent: str, place: str) -> None:
    noun = f"{parent}Response"
    parent_id, own_id = snake_case(f"{parent}Id"), snake_case(f"{noun}Id")

    def owner(call: Call, api: str, given: Document) -> tuple[Document, Document]:
        """The API, and the responses of the route or the integration that is named."""
        document = read(call, api)
        if not is_socket(document):
            raise bad(f"{noun}s are supported for WebSocket APIs only")
        found = document[place].get(given[parent_id])
        if found is None:
            raise missing(parent, given[parent_id])
        responses: Document = found.setdefault("responses", {})
        return document, responses

    def one(responses: Document, given: Document) -> Document:
        found: Document | None = responses.get(given[own_id])
        if found is None:
            raise missing(noun, given[own_id])
        return found

    def told(given: Document) -> Document:
        return members({n: v for n, v in given.items() if n not in (parent_id, own_id)})

    @operations.add(f"Create{noun}", writes=True)
    def create(call: Call, *, api_id: str, **given: Any) -> Document:
        with call.store.lock:
            document, responses = owner(call, api_id, given)
            made = told(given)
            _check(noun, made, responses)
            made[f"{noun}Id"] = new_id()
            responses[made[f"{noun}Id"]] = made
            changed(call, document)
        return made

    @operations.add(f"Get{noun}")
    def get(call: Call, *, api_id: str, **given: Any) -> Document:
        return one(owner(call, api_id, given)[1], given)

    @operations.add(f"Get{noun}s")
    def get_all(
        call: Call,
        *,
        api_id: str,
        max_results: str | None = None,
        next_token: str | None = None,
        **given: Any,
    ) -> Document:
        found = owner(call, api_id, given)[1].values()
        return paged(found, f"{noun}Id", max_results, next_token)

    @operations.add(f"Update{noun}", writes=True)
    def update(call: Call, *, api_id: str, **given: Any) -> Document:
        with call.store.lock:
            document, responses = owner(call, api_id, given)
            made = {**one(responses, given), **told(given)}
            _check(noun, made, responses)
            responses[made[f"{noun}Id"]] = made
            changed(call, document)
        return made

    @operations.add(f"Delete{noun}", writes=True)
    def delete(call: Call, *, api_id: str, **given: Any) -> None:
        with call.store.lock:
            document, responses = owner(call, api_id, given)
            one(responses, given)
            del responses[given[own_id]]
            changed(call, document)


_register("Route", "routes")
_register("Integration", "integrations")
