"""Token buckets, on the engine's clock.

A request takes a token of each bucket that it is subject to, or of none.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from trunkline.aws.apigateway.front.refusing import Refusal
from trunkline.aws.limits import API_BURST_DEFAULT, API_RATE_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from trunkline.aws.apigateway.front.exchange import Exchange

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


def buckets_of(exchange: Exchange) -> Buckets:
    """The buckets of the dispatcher that serves a request."""
    apis = exchange.apis
    with apis.lock:
        found: Buckets = apis.memory.setdefault("rest-buckets", Buckets())
    return found


def limits_of_stage(exchange: Exchange) -> list[Limit]:
    """The buckets of the method, and of all APIs of the account."""
    settings = exchange.stage["methodSettings"]
    match = exchange.routed
    path, verb = match.resource["path"].lstrip("/"), match.method["httpMethod"]
    found = []
    for name in (f"{path}/{verb}", f"{path}/*", "*/*"):
        one = settings.get(name)
        if one is not None and one.get("throttlingRateLimit", -1) >= 0:
            burst, rate = one["throttlingBurstLimit"], one["throttlingRateLimit"]
            stage = f"{exchange.request.api}/{exchange.stage['stageName']}"
            # Each method has a bucket of its own, also by the settings of all.
            found.append(Limit(f"method {stage} {path} {verb}", burst, rate))
            break
    account = f"account {exchange.account} {exchange.region}"
    found.append(Limit(account, API_BURST_DEFAULT, API_RATE_DEFAULT))
    return found


def throttle(exchange: Exchange, limits: list[Limit]) -> None:
    """Refuses a request that finds a bucket empty."""
    if not buckets_of(exchange).take([*limits, *limits_of_stage(exchange)], exchange.now):
        raise Refusal("THROTTLED", "Too Many Requests")
