"""Lists that are shown page by page."""

from __future__ import annotations

from trunkline.aws.limits import SCHEDULES_PAGE_MAX
from trunkline.aws.pages import Pages
from trunkline.aws.schemas.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    Item = TypeVar("Item")

_PAGES = Pages(
    SCHEDULES_PAGE_MAX, lambda: invalid("Invalid NextToken. Take it from the answer before.")
)


def page_behind(
    behind: Callable[[str | None], Iterable[Item]],
    key: Callable[[Item], str],
    limit: int | None,
    token: str | None,
) -> tuple[list[Item], dict[str, Any]]:
    """The items of one page, as :func:`trunkline.aws.pages.page_behind` reads them."""
    if limit is not None and limit < 1:
        raise invalid("Limit must be at least 1.")
    return _PAGES.page_behind(behind, key, limit, token)
