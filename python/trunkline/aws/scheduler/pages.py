"""Lists that are shown page by page."""

from __future__ import annotations

import base64
import binascii

from trunkline.aws.limits import SCHEDULES_PAGE_MAX
from trunkline.aws.scheduler.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    Item = TypeVar("Item")


def page(
    items: Iterable[Item], key: Callable[[Item], str], limit: int | None, token: str | None
) -> tuple[list[Item], dict[str, Any]]:
    """The items of one page, which `key` sorts and finds again, and the token of the next one.

    >>> page(["a", "b", "c"], str, 2, None)[1]
    {'NextToken': 'Yg=='}
    >>> page(["a", "b", "c"], str, 2, "Yg==")
    (['c'], {})
    """
    most = min(limit or SCHEDULES_PAGE_MAX, SCHEDULES_PAGE_MAX)
    after = None if token is None else _read(token)
    left = sorted((item for item in items if after is None or key(item) > after), key=key)
    shown = left[:most]
    if len(left) <= most:
        return shown, {}
    return shown, {"NextToken": base64.urlsafe_b64encode(key(shown[-1]).encode()).decode()}


def _read(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid("Invalid NextToken. Take it from the answer before.") from None
