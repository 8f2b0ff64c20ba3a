"""How REST APIs are kept.

An API is one document: its members, resources, models and stages. What a request needs lies in
documents of its own: the stage, and the snapshot of the API that its deployment took.
"""

from __future__ import annotations

import re
from secrets import choice
from string import ascii_lowercase, digits

from trunkline.aws.apigateway.errors import bad, no_api, no_resource
from trunkline.aws.limits import API_ID_CHARS
from trunkline.aws.pages import page_behind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call
    from trunkline.aws.store import Store

    Document = dict[str, Any]

PAGE_DEFAULT = 25
PAGE_MAX = 500
_APIS = "apigateway/api/"
_ORDERED = "apigateway/ordered"
"""Says that every API has its entry in the order of their creation."""
_ALPHABET = ascii_lowercase + digits
_SNAKE = re.compile(r"_([a-z0-9])")
_ODD_NAMES = {"provider_ar_ns": "providerARNs", "target_arns": "targetArns"}
SNAPSHOT = ("resources", "models", "validators", "authorizers", "responses")
"""What a deployment takes of an API."""


def new_id(length: int = API_ID_CHARS) -> str:
    """An id as those of AWS: small letters and digits, beginning with a letter."""
    return choice(ascii_lowercase) + "".join(choice(_ALPHABET) for _ in range(length - 1))


def members(given: Document) -> Document:
    """The arguments of an operation as members of its input; empty texts are left out.

    >>> members({"authorizer_uri": "arn", "description": "", "name": None})
    {'authorizerUri': 'arn'}
    """
    return {
        _ODD_NAMES.get(name) or _SNAKE.sub(lambda found: found[1].upper(), name): value
        for name, value in given.items()
        if value is not None and value != ""
    }


def without(document: Document, *names: str) -> Document:
    """A document without what is kept beside its members."""
    return {name: value for name, value in document.items() if name not in names}


def api_key(account: str, region: str, api: str = "") -> str:
    """The key of an API's document; without an API, the prefix of all."""
    return f"{_APIS}{account}/{region}/{api}"


def stage_key(api: str, stage: str) -> str:
    """The key of what a request needs of a stage."""
    return f"apigateway/stage/{api}/{stage}"


def deployment_key(api: str, deployment: str) -> str:
    """The key of a deployment's snapshot."""
    return f"apigateway/deployment/{api}/{deployment}"


def find(call: Call, api: str) -> Document | None:
    """The document of an API of the caller."""
    return call.store.get(api_key(call.account, call.region, api.lower()))


def read(call: Call, api: str) -> Document:
    """The same; raises if there is none."""
    found = find(call, api)
    if found is None or found["id"] != api:
        raise no_api(call.account, api)
    return found


def read_or(call: Call, api: str, error: Callable[[], ServiceError]) -> Document:
    """The same with another error, for operations that look for something in the API."""
    found = find(call, api)
    if found is None:
        raise error()
    return found


def resource_of(call: Call, api: str, resource: str) -> tuple[Document, Document]:
    """An API and one of its resources."""
    document = read_or(call, api, no_resource)
    found = document["resources"].get(resource)
    if found is None:
        raise no_resource()
    return document, found


def save(call: Call, document: Document) -> None:
    """Keeps an API."""
    call.store.put(api_key(call.account, call.region, document["id"]), document)
    _note_order(call.store, document)


def place_of(document: Document) -> str:
    """The place of an API in the order of their creation."""
    return f"{document.get('created', 0):020}{document['id']}"


def order_key(document: Document, place: str = "") -> str:
    """The key of an API's entry in that order, or the prefix of those of its account and region."""
    return f"apigateway/order/{document['account']}/{document['region']}/{place}"


def _note_order(store: Store, document: Document) -> None:
    key = order_key(document, place_of(document))
    if store.get(key) is None:
        store.put(key, {"id": document["id"]})


def in_order(call: Call, after: str | None) -> Iterator[Document]:
    """The APIs of the caller behind a place, in the order of their creation."""
    store, owner = call.store, {"account": call.account, "region": call.region}
    if store.get(_ORDERED) is None:
        # APIs that were made before the order was kept.
        for document in store.every(_APIS):
            _note_order(store, document)
        store.put(_ORDERED, {})
    for entry in store.every(order_key(owner), after=after):
        found = find(call, entry["id"])
        if found is not None:
            yield found


def publish(call: Call, document: Document, name: str) -> None:
    """Keeps what requests need of a stage, or forgets it with the stage."""
    stage = document["stages"].get(name)
    kept = None
    if stage is not None:
        kept = {
            "account": call.account,
            "region": call.region,
            "api": document["rest"],
            "stage": stage,
        }
    call.store.put(stage_key(document["id"], name), kept)


def publish_all(call: Call, document: Document) -> None:
    """The same for all stages, after a change of the API itself."""
    for name in document["stages"]:
        publish(call, document, name)


def paged_behind(
    behind: Callable[[str | None], Iterable[Document]],
    key: Callable[[Document], str],
    limit: int | None,
    position: str | None,
) -> Document:
    """A page of documents that need not all be read: `behind` tells those behind a key, sorted."""
    shown, more = page_behind(behind, key, _size(limit), position or None, _no_position)
    return {"items": shown, **({"position": more["NextToken"]} if more else {})}


def _size(limit: int | None) -> int:
    size = PAGE_DEFAULT if limit is None else limit
    if not 1 <= size <= PAGE_MAX:
        raise bad(f"Invalid limit specified: must be between 1 and {PAGE_MAX}")
    return size


def _no_position() -> ServiceError:
    return bad("Invalid position specified")


def paged(items: Iterable[Document], limit: int | None, position: str | None) -> Document:
    """A page of a list, and where the next one goes on."""
    size = _size(limit)
    found = list(items)
    start = 0
    if position:
        if not position.isdigit():
            raise _no_position()
        start = int(position)
    told: Document = {"items": found[start : start + size]}
    if start + size < len(found):
        told["position"] = str(start + size)
    return told
