"""Domain names of APIs: which API and stage a path of a host leads to.

The control planes of REST APIs and of HTTP and WebSocket APIs each keep domain names. What
requests need of both lies in one document for each name, which the core looks for, too.
"""

from __future__ import annotations

from trunkline._dataclasses import replace
from trunkline.aws.services import SERVICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.kinds import Apis
    from trunkline.aws.execute_api.message import ApiRequest
    from trunkline.aws.store import Store

    Mappings = list[tuple[str, str, str | None]]
    """Base path, API, and stage; without a stage the path goes on with it."""

LABEL = "domain/"
"""What stands before the name, where a request names no API."""


def _key(name: str) -> str:
    return f"execute-api/domain/{name.lower().rstrip('.')}"


_RESERVED = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "api.aws",
    "on.aws",
    "docker.internal",
    "localdomain",
    "localhost.localstack.cloud",
)
"""By these names and those below them, services or the machine itself are called."""
_OF_INVOCATIONS = {"execute-api", "lambda-url"}


def may_claim(store: Store, name: str, owner: tuple[str, str]) -> bool:
    """Whether a name is free, or belongs to this account and region."""
    if _is_of_server(name.lower().rstrip(".").removeprefix("*.")):
        return False
    found = store.get(_key(name))
    return found is None or found["owner"] == list(owner)


def _is_of_server(name: str) -> bool:
    """Whether a server answers to a name already: for its services, or for itself.

    >>> [_is_of_server(name) for name in ("localhost", "127.0.0.1", "s3.localhost", "a.localhost")]
    [True, True, True, False]
    """
    labels = name.split(".")
    if len(labels) == 1 or labels[-1].isdigit():
        return True
    if f".{name}".endswith(tuple(f".{zone}" for zone in _RESERVED)):
        return True
    taken = {scope for service in SERVICES for scope in service.scopes} | _OF_INVOCATIONS
    return labels[-1] == "localhost" and not taken.isdisjoint(labels[:-1])


def publish(
    store: Store, name: str, owner: tuple[str, str], kind: str, mappings: Mappings | None
) -> None:
    """Keeps the mappings of a kind of APIs; None where the kind has the name no more."""
    document = store.get(_key(name)) or {"owner": list(owner), "kinds": {}}
    document["kinds"].pop(kind, None)
    if mappings is not None:
        document["kinds"][kind] = mappings
    store.put(_key(name), document if document["kinds"] else None)


def _longest_first(document: dict[str, Any]) -> Mappings:
    found = [tuple(one) for of_kind in document["kinds"].values() for one in of_kind]
    return sorted(found, key=lambda one: len(one[0]), reverse=True)


def found_by_domain(apis: Apis, request: ApiRequest) -> ApiRequest | None:
    """A request to a host as one to the API that its path leads to; None if it leads to none."""
    mappings = apis.read(_key(request.api.removeprefix(LABEL)), _longest_first) or []
    for base, api, stage in mappings:
        prefix = f"/{base}" if base else ""
        if request.path == prefix or request.path.startswith(f"{prefix}/"):
            rest = request.path[len(prefix) :]
            path = rest if stage is None else f"/{stage}{rest}"
            return replace(request, api=api, path=path or "/", domain_path=request.path)
    return None
