"""Lists that are shown page by page, for every service whose tokens name the last item."""

from __future__ import annotations

import base64
import binascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    Item = TypeVar("Item")


def page(
    items: Iterable[Item],
    key: Callable[[Item], str],
    most: int,
    token: str | None,
    refusal: Callable[[], Exception],
) -> tuple[list[Item], dict[str, Any]]:
    """At most `most` items, which `key` sorts and finds again, and the token of the next page.

    A token that no page ended with raises what `refusal` makes.

    >>> page(["a", "b", "c"], str, 2, None, ValueError)[1]
    {'NextToken': 'Yg=='}
    >>> page(["a", "b", "c"], str, 2, "Yg==", ValueError)
    (['c'], {})
    """
    after = after_of(token, refusal)
    left = sorted((item for item in items if after is None or key(item) > after), key=key)
    shown = left[:most]
    if len(left) <= most:
        return shown, {}
    return shown, {"NextToken": base64.urlsafe_b64encode(key(shown[-1]).encode()).decode()}


def after_of(token: str | None, refusal: Callable[[], Exception]) -> str | None:
    """The key of the last item before a page; None for the first page."""
    if token is None:
        return None
    try:
        return base64.b64decode(token.encode(), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise refusal() from None
