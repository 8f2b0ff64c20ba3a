"""How often an account may call operations of a control plane: in a second, and in a day.

`account_quotas_percent` of the engine's limits says how much of AWS's values, which stand in
`limits.py`, holds; by default none does. The calls of a second are a token bucket in the core:
full at first, and full again after a restart. What was done within a day is kept in a document,
one for each operation in an account and a region, so a restart gives nothing back.
"""

from __future__ import annotations

from trunkline._core import WireTokenBuckets
from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import (
    ACCOUNT_CALLS_A_SECOND,
    CHANGES_A_DAY,
    DAY_SECONDS,
    RESOURCE_CALLS_A_SECOND,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.operation import Call

TOO_FAST = {
    "firehose": (
        "ThrottlingException",
        "Please slow down. Max limit of {rate} RPS has breached for {what}.",
    ),
    "kinesis": ("LimitExceededException", "Rate exceeded for {what}."),
}
"""The code and the words of a service for a call too many; each one in the tables has a row."""


def share(call: Call, quota: int) -> int | None:
    """How much of a quota of AWS holds here, at least one; None if none does."""
    percent = call.store.limit("account_quotas_percent")
    return max(quota * percent // 100, 1) if percent else None


def take(call: Call, service: str, operation: str) -> None:
    """Counts a call of an operation; raises if there were as many in this second as may be."""
    key = f"quota/{service}/{operation}/{call.account}/{call.region}"
    calls = ACCOUNT_CALLS_A_SECOND.get(service, {}).get(operation)
    if calls is None:
        calls = RESOURCE_CALLS_A_SECOND.get(service, {}).get(operation)
        if calls is None or call.target is None:
            return
        key += "/" + "/".join(call.target)
    rate = share(call, calls)
    if rate is None:
        return
    bucket = (key, float(rate), float(rate))
    if not WireTokenBuckets(call.store.core).take([bucket], call.store.now()):
        what = f"account {call.account}"
        if call.target is not None:
            what = _stream(call.target[2], call.target[0])
        code, words = TOO_FAST[service]
        raise ServiceError(code, words.format(rate=rate, what=what))


def note_change(call: Call, service: str, change: str, resource: str, made: float = 0.0) -> None:
    """Counts a change of a resource, which was `made` at that time.

    Raises if there were as many in 24 hours as may be. Called under the store's lock, when nothing
    else can refuse the change.
    """
    most = share(call, CHANGES_A_DAY[service][change])
    if most is None:
        return
    key = f"quota/{service}/{change}/{call.account}/{call.region}"
    now = call.store.now()
    # What is older counts for nothing, nor does what was done to an earlier one of the same name.
    kept = {
        one: recent
        for one, times in (call.store.get(key) or {}).items()
        if (recent := [time for time in times if time > now - DAY_SECONDS])
    }
    times = [time for time in kept.get(resource, ()) if time >= made]
    if len(times) >= most:
        what = _stream(resource, call.account)
        raise ServiceError("LimitExceededException", f"Rate exceeded for {what}.")
    call.store.put(key, kept | {resource: [*times, now]})


def _stream(name: str, account: str) -> str:
    return f"stream {name} under account {account}"
