"""How HTTP and WebSocket APIs are kept.

An API is one document with all that it consists of. What requests need lies in documents of their
own: who owns the API, its stages, and what each deployment took of it.
"""

from __future__ import annotations

from secrets import choice
from string import ascii_lowercase, digits

from trunkline.aws.apigatewayv2.errors import bad, missing
from trunkline.aws.pages import page, page_behind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]

PAGE_DEFAULT = 25
PAGE_MAX = 500
DEFAULT_STAGE = "$default"
SNAPSHOT = ("routes", "integrations", "authorizers", "models")
"""What a deployment takes of an API."""
_BATCH = 100
_ALPHABET = ascii_lowercase + digits


def new_id(length: int = 7) -> str:
    """An id as those of AWS: small letters and digits."""
    return choice(ascii_lowercase) + "".join(choice(_ALPHABET) for _ in range(length - 1))


def members(given: Document) -> Document:
    """The arguments of an operation as members of its input.

    >>> members({"route_key": "GET /", "target": None})
    {'RouteKey': 'GET /'}
    """
    return {
        "".join(part.capitalize() for part in name.split("_")): value
        for name, value in given.items()
        if value is not None
    }


def api_key(account: str, region: str, api: str = "") -> str:
    """The key of an API's document; without an API, the prefix of all."""
    return f"apigatewayv2/api/{account}/{region}/{api}"


def owner_key(api: str) -> str:
    """The key of what requests need of an API itself."""
    return f"apigatewayv2/owner/{api}"


def stage_key(api: str, stage: str) -> str:
    """The key of what requests need of a stage."""
    return f"apigatewayv2/stage/{api}/{stage}"


def deployment_key(api: str, deployment: str) -> str:
    """The key of what a deployment took."""
    return f"apigatewayv2/deployment/{api}/{deployment}"


def read(call: Call, api: str) -> Document:
    """The document of an API of the caller; raises if there is none."""
    found = call.store.get(api_key(call.account, call.region, api))
    if found is None:
        raise missing("API", f"{call.account}:{api}")
    return found


def save(call: Call, document: Document) -> None:
    """Keeps an API, and what requests need of it."""
    api = document["id"]
    told = document["api"]
    call.store.put(api_key(call.account, call.region, api), document)
    owner = {
        "account": call.account,
        "region": call.region,
        "cors": told.get("CorsConfiguration"),
        "disabled": told.get("DisableExecuteApiEndpoint", False),
        "protocol": told["ProtocolType"],
        "selection": told["RouteSelectionExpression"],
    }
    call.store.put(owner_key(api), owner)


def is_socket(document: Document) -> bool:
    """Whether an API speaks WebSocket."""
    return bool(document["api"]["ProtocolType"] == "WEBSOCKET")


def save_stage(call: Call, document: Document, name: str) -> None:
    """Keeps what requests need of a stage, or forgets it with the stage."""
    call.store.put(stage_key(document["id"], name), document["stages"].get(name))


def paged_behind(
    behind: Callable[[str | None], Iterable[Document]],
    name: str,
    max_results: str | None,
    next_token: str | None,
) -> Document:
    """A page of documents that need not all be read: `behind` tells those behind a value of the
    member `name`, sorted by it."""
    most = _size(max_results)
    shown, more = page_behind(behind, lambda one: str(one[name]), most, next_token, _bad_token)
    return {"Items": shown, **more}


def paged(
    items: Iterable[Document], name: str, max_results: str | None, next_token: str | None
) -> Document:
    """A page of a list, in the order of the member `name`."""
    most = _size(max_results)
    shown, more = page(items, lambda item: str(item[name]), most, next_token, _bad_token)
    return {"Items": shown, **more}


def _size(max_results: str | None) -> int:
    if max_results is not None and not max_results.isdigit():
        raise bad(f"Invalid MaxResults {max_results!r}: it is a number from 1 to {PAGE_MAX}")
    most = PAGE_DEFAULT if max_results is None else int(max_results)
    if not 1 <= most <= PAGE_MAX:
        raise bad(f"Invalid MaxResults {most}: it is a number from 1 to {PAGE_MAX}")
    return most


def _bad_token() -> Exception:
    return bad("Invalid NextToken: pass the token of an earlier answer as it is")
