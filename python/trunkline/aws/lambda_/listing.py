"""Lists of Lambda, which are shown page by page: a marker names the last item of a page."""

from __future__ import annotations

from trunkline.aws.lambda_.errors import invalid
from trunkline.aws.limits import FUNCTIONS_PAGE_MAX
from trunkline.aws.pages import page, page_behind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from trunkline.aws.errors import ServiceError

    Item = TypeVar("Item")


def listed(
    items: Iterable[Item],
    key: Callable[[Item], str],
    given: dict[str, Any],
    most: int = FUNCTIONS_PAGE_MAX,
) -> tuple[list[Item], str | None]:
    """The page that `marker` and `max_items` of `given` ask for, and the marker of the next one.

    >>> listed(["a", "b", "c"], str, {"max_items": 2})
    (['a', 'b'], 'Yg==')
    """
    wanted = min(given.get("max_items") or most, most)
    shown, rest = page(items, key, wanted, given.get("marker"), _not_valid)
    return shown, rest.get("NextToken")


def listed_behind(
    behind: Callable[[str | None], Iterable[Item]],
    key: Callable[[Item], str],
    given: dict[str, Any],
    most: int = FUNCTIONS_PAGE_MAX,
) -> tuple[list[Item], str | None]:
    """The same for what need not all be read: `behind` tells the items behind a key, sorted."""
    wanted = min(given.get("max_items") or most, most)
    shown, rest = page_behind(behind, key, wanted, given.get("marker"), _not_valid)
    return shown, rest.get("NextToken")


def _not_valid() -> ServiceError:
    return invalid("The marker is not valid.")
