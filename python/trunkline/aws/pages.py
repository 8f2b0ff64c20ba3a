"""Lists that are shown page by page, for every service whose tokens name the last item."""

from __future__ import annotations

import base64
import binascii
from itertools import islice

from trunkline._dataclasses import dataclass

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

    def behind(after: str | None) -> list[Item]:
        return sorted((item for item in items if after is None or key(item) > after), key=key)

    return page_behind(behind, key, most, token, refusal)


def page_behind(
    behind: Callable[[str | None], Iterable[Item]],
    key: Callable[[Item], str],
    most: int,
    token: str | None,
    refusal: Callable[[], Exception],
) -> tuple[list[Item], dict[str, Any]]:
    """The same for items that need not all be read: a page costs what is on it.

    `behind` tells those behind a key (None: all), sorted by `key`. One more than `most` is taken.
    """
    found = list(islice(behind(after_of(token, refusal)), most + 1))
    shown = found[:most]
    if len(found) <= most:
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


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one service: how long one is at most, and how it refuses a token."""

    most: int
    refusal: Callable[[], Exception]

    def page(
        self,
        items: Iterable[Item],
        key: Callable[[Item], str],
        limit: int | None,
        token: str | None,
    ) -> tuple[list[Item], dict[str, Any]]:
        """What :func:`page` returns, for a list of at most `limit` items."""
        return page(items, key, self._size(limit), token, self.refusal)

    def page_behind(
        self,
        behind: Callable[[str | None], Iterable[Item]],
        key: Callable[[Item], str],
        limit: int | None,
        token: str | None,
    ) -> tuple[list[Item], dict[str, Any]]:
        """The same for items that `behind` reads in order as they are asked for."""
        return page_behind(behind, key, self._size(limit), token, self.refusal)

    def start(self, limit: int | None, token: str | None) -> tuple[str | None, int]:
        """Behind which key a page begins, and how many items are read for it: one more than it
        has."""
        return after_of(token, self.refusal), self._size(limit) + 1

    def _size(self, limit: int | None) -> int:
        return min(limit or self.most, self.most)
