"""Lists that are shown page by page, in whatever order they come."""

from __future__ import annotations

import base64
import binascii

from trunkline.aws.limits import STATES_PAGE_DEFAULT, STATES_PAGE_MAX
from trunkline.aws.stepfunctions.errors import invalid_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    Item = TypeVar("Item")


def page(
    items: Sequence[Item],
    key: Callable[[Item], str],
    most: int | None,
    token: str | None,
) -> tuple[list[Item], dict[str, Any]]:
    """At most `most` items behind the one that `token` names, and the token of the next page.

    The caller sorts. A page goes on behind the last item that was shown, also when items before
    it are gone. If that item itself is gone, the token is not valid any more.
    """
    start = 0 if token is None else _behind(items, key, token)
    size = min(most or STATES_PAGE_DEFAULT, STATES_PAGE_MAX)
    shown = list(items[start : start + size])
    if start + size >= len(items):
        return shown, {}
    last = base64.urlsafe_b64encode(key(shown[-1]).encode()).decode()
    return shown, {"nextToken": last}


def _behind(items: Sequence[Item], key: Callable[[Item], str], token: str) -> int:
    try:
        last = base64.b64decode(token.encode(), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid_token("Invalid token") from None
    for number, item in enumerate(items):
        if key(item) == last:
            return number + 1
    raise invalid_token("Invalid token")
