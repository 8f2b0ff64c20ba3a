"""Lists that are shown page by page, forwards or backwards."""

from __future__ import annotations

import base64
import binascii
import json

from trunkline.aws.limits import SWF_PAGE_MAX
from trunkline.aws.swf.errors import invalid_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    Item = TypeVar("Item")

    Key = list[str] | list[int]


def encode(key: Key) -> str:
    """The token of the page behind the item with this key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def decode(token: str | None, kinds: tuple[type, ...]) -> Any:
    """The key in a token, a list of these types; None without a token."""
    if not token:
        return None
    try:
        key = json.loads(base64.b64decode(token.encode(), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise invalid_token() from None
    if not isinstance(key, list) or [type(one) for one in key] != list(kinds):
        raise invalid_token()
    return key


def size_of(maximum_page_size: int | None) -> int:
    """How many items a page has; none and zero stand for the most.

    >>> size_of(0), size_of(7)
    (1000, 7)
    """
    return maximum_page_size or SWF_PAGE_MAX


def page(
    items: Iterable[Item],
    key: Callable[[Item], list[str]],
    token: str | None,
    maximum_page_size: int | None,
    *,
    reverse: bool,
) -> tuple[list[Item], dict[str, Any]]:
    """A page of the items in the order of their keys, and the token of the next one."""
    ordered = sorted(items, key=key, reverse=reverse)
    kinds = (str,) * len(key(ordered[0])) if ordered else None
    after = decode(token, kinds) if kinds else None

    def is_left(item: Item) -> bool:
        return after is None or (key(item) < after if reverse else key(item) > after)

    left = [item for item in ordered if is_left(item)]
    most = size_of(maximum_page_size)
    shown = left[:most]
    if len(left) <= most:
        return shown, {}
    return shown, {"nextPageToken": encode(key(shown[-1]))}
