"""Token buckets of requests to APIs, on the engine's clock.

A request takes a token of each bucket that it is subject to, or of none. The core keeps them, for
all dispatchers of an engine.
"""

from __future__ import annotations

from trunkline._core import WireTokenBuckets
from trunkline._dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from trunkline.aws.execute_api.kinds import Apis


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket by its name: how many tokens it holds, and how many it gets a second."""

    name: str
    burst: float
    rate: float

    def plain(self) -> tuple[str, float, float]:
        """The bucket as the core knows it."""
        return self.name, self.burst, self.rate


def take(apis: Apis, limits: Iterable[Limit], now: float) -> bool:
    """Takes a token of each bucket, or none where one is empty."""
    return WireTokenBuckets(apis.core).take([limit.plain() for limit in limits], now)
