"""Lists that are shown page by page."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.scheduler import pages
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
    try:
        return pages.page(items, key, limit, token)
    except ServiceError as error:
        raise invalid(error.message) from None
