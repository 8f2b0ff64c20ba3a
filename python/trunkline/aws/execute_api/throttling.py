"""Token buckets of requests to APIs, on the engine's clock.

A request takes a token of each bucket that it is subject to, or of none.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from trunkline.aws.execute_api.kinds import Apis

BUCKETS_MAX = 100_000
"""How many buckets are remembered; one that was forgotten is full."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket by its name: how many tokens it holds, and how many it gets a second."""

    name: str
    burst: float
    rate: float


class Buckets:
    """The buckets of a dispatcher."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, limits: Iterable[Limit], now: float) -> bool:
        """Takes a token of each bucket, or none where one is empty."""
        with self._lock:
            taken = []
            for limit in limits:
                bucket = self._filled(limit, now)
                if bucket.tokens < 1:
                    return False
                taken.append(bucket)
            for bucket in taken:
                bucket.tokens -= 1
            return True

    def _filled(self, limit: Limit, now: float) -> _Bucket:
        bucket = self._buckets.get(limit.name)
        if bucket is None:
            if len(self._buckets) >= BUCKETS_MAX:
                self._buckets.popitem(last=False)
            bucket = self._buckets[limit.name] = _Bucket(limit.burst, now)
        else:
            self._buckets.move_to_end(limit.name)
        passed = max(0.0, now - bucket.at)
        bucket.tokens = min(limit.burst, bucket.tokens + passed * limit.rate)
        bucket.at = now
        return bucket


def take(apis: Apis, limits: Iterable[Limit], now: float) -> bool:
    """Takes a token of each bucket of the dispatcher that serves a request, or none."""
    with apis.lock:
        buckets: Buckets = apis.memory.setdefault("buckets", Buckets())
    return buckets.take(limits, now)
