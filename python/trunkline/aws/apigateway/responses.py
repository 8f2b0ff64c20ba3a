"""The responses of methods and of integrations: told, patched and deleted in the same way."""

from __future__ import annotations

import re

from trunkline.aws.apigateway.documents import save
from trunkline.aws.apigateway.errors import missing, refused
from trunkline.aws.apigateway.patching import PLAIN, check_operations, patched
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from trunkline.aws.apigateway.patching import Rule
    from trunkline.aws.operation import Call

    Document = dict[str, Any]
    Find = Callable[[Call, str, str, str], tuple[Document, Document]]
    """Finds the API and what has responses, by its resource and HTTP method."""


_STATUS = re.compile(r"[1-5]\d\d")


def check_status(status: str) -> None:
    """Refuses what is no HTTP status."""
    if not _STATUS.fullmatch(status):
        raise refused(
            "statusCode", status, r"Member must satisfy regular expression pattern: [1-5]\d\d"
        )


def _response_of(holder: Document, place: str, status: str) -> Document:
    check_status(status)
    found: Document | None = holder.get(place, {}).get(status)
    if found is None:
        raise missing("Invalid Response status code specified")
    return found


def register(
    noun: str,
    place: str,
    find: Find,
    rules: Mapping[str, Rule],
    check: Callable[[Document], None] = lambda response: None,
) -> None:
    """Registers the operations on responses that lie at `place`; each kind is put by its own."""

    @operations.add(f"Get{noun}")
    def get(
        call: Call, *, rest_api_id: str, resource_id: str, http_method: str, status_code: str
    ) -> Document:
        check_status(status_code)
        _, holder = find(call, rest_api_id, resource_id, http_method)
        return _response_of(holder, place, status_code)

    @operations.add(f"Update{noun}", writes=True)
    def update(
        call: Call,
        *,
        rest_api_id: str,
        resource_id: str,
        http_method: str,
        status_code: str,
        patch_operations: Sequence[Document] = (),
    ) -> Document:
        check_operations(f"update{noun}", patch_operations)
        with call.store.lock:
            document, holder = find(call, rest_api_id, resource_id, http_method)
            found = _response_of(holder, place, status_code)
            response = patched(found, patch_operations, rules, PLAIN)
            check(response)
            holder[place][status_code] = response
            save(call, document)
        return response

    @operations.add(f"Delete{noun}", writes=True)
    def delete(
        call: Call, *, rest_api_id: str, resource_id: str, http_method: str, status_code: str
    ) -> None:
        with call.store.lock:
            document, holder = find(call, rest_api_id, resource_id, http_method)
            _response_of(holder, place, status_code)
            del holder[place][status_code]
            save(call, document)
