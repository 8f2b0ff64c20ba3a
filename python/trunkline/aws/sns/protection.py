"""Data protection policies. The data plane applies them to what is published over the wire."""

from __future__ import annotations

import json

from trunkline._core import protection_flaw
from trunkline.aws.firehose.documents import DeliveryName
from trunkline.aws.logs.storage import place_of
from trunkline.aws.sns.errors import invalid
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import read, topic_of, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

_GROUPS = "/aws/vendedlogs/"
"""How the names of log groups begin that AWS's services write to."""

_DESTINATIONS = {"FindingsDestination": "found", "NoFindingsDestination": "clean"}


def kept_of(call: Call, text: str) -> dict[str, Any]:
    """What is kept of a policy: its text, and the streams that its audit writes to.

    It raises for a policy that could not be applied.
    """
    if not text:
        return {"protection": None, "audit": None}
    flaw = protection_flaw(text)
    if flaw is not None:
        raise _refused(flaw)
    audit: dict[str, list[int]] = {}
    for statement in json.loads(text)["Statement"]:
        for member, name in _DESTINATIONS.items():
            given = (statement["Operation"].get("Audit") or {}).get(member) or {}
            if not isinstance(given, dict):
                raise _refused(f"{member} must be an object.")
            audit.setdefault(name, []).extend(
                _stream(call, member, kind, one) for kind, one in given.items()
            )
    return {"protection": text, "audit": audit}


def _stream(call: Call, member: str, kind: str, given: Any) -> int:
    """The id of the stream behind a destination of an audit."""
    names = {"CloudWatchLogs": "LogGroup", "Firehose": "DeliveryStream"}
    if kind not in names:
        raise _refused(f"{member} {kind!r} is not served here. Served are {', '.join(names)}.")
    name = given.get(names[kind]) if isinstance(given, dict) else None
    if not isinstance(name, str):
        raise _refused(f"{member}.{kind} must have a {names[kind]}.")
    if kind == "Firehose":
        stream = call.store.core.find_stream(DeliveryName(call.account, call.region, name).buffer)
    elif not name.startswith(_GROUPS):
        raise _refused(f"The name of a LogGroup must start with {_GROUPS}.")
    else:
        stream = call.store.core.find_stream(place_of(call.account, call.region, name))
    if stream is None:
        raise _refused(f"The {names[kind]} {name} does not exist.")
    return int(stream.id)


def _refused(why: str) -> Exception:
    return invalid(f"DataProtectionPolicy Reason: {why}")


@operations.add("GetDataProtectionPolicy")
def get_data_protection_policy(call: Call, *, resource_arn: str) -> dict[str, Any]:
    """The data protection policy of a topic."""
    policy = read(topic_of(call, resource_arn, "ResourceArn")).get("protection")
    return {} if policy is None else {"DataProtectionPolicy": policy}


@operations.add("PutDataProtectionPolicy", writes=True)
def put_data_protection_policy(
    call: Call, *, resource_arn: str, data_protection_policy: str
) -> None:
    """Replaces the data protection policy of a topic."""
    topic = topic_of(call, resource_arn, "ResourceArn")
    kept = kept_of(call, data_protection_policy)
    with call.store.lock:
        write(topic, read(topic) | kept)
