"""Lists that are shown page by page."""

from __future__ import annotations

from trunkline.aws import pages
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
    """The items of one page, which `key` sorts and finds again, and the token of the next one."""
    most = min(limit or SCHEDULES_PAGE_MAX, SCHEDULES_PAGE_MAX)
    return pages.page(items, key, most, token, _refusal)


def start(limit: int | None, token: str | None) -> tuple[str | None, int]:
    """Behind which key a page begins, and how many items are read for it: one more than it has."""
    most = min(limit or SCHEDULES_PAGE_MAX, SCHEDULES_PAGE_MAX)
    return pages.after_of(token, _refusal), most + 1


def _refusal() -> Exception:
    return invalid("Invalid NextToken. Take it from the answer before.")
