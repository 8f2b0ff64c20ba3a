"""Lists that are shown page by page."""

from __future__ import annotations

from trunkline.aws import pages
from trunkline.aws.limits import SCHEDULES_PAGE_MAX
from trunkline.aws.schemas.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    Item = TypeVar("Item")


def page(
    items: Iterable[Item], key: Callable[[Item], str], limit: int | None, token: str | None
) -> tuple[list[Item], dict[str, Any]]:
    """The items of one page, which `key` sorts and finds again, and the token of the next one."""
    if limit is not None and limit < 1:
        raise invalid("Limit must be at least 1.")
    most = min(limit or SCHEDULES_PAGE_MAX, SCHEDULES_PAGE_MAX)
    return pages.page(items, key, most, token, _refusal)


def _refusal() -> Exception:
    return invalid("Invalid NextToken. Take it from the answer before.")
