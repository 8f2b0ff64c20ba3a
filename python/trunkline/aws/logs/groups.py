"""Log groups. The events of a group are the records of one stream of the engine."""

from __future__ import annotations

from trunkline.aws.arns import partition
from trunkline.aws.limits import LOGS_PAGE_MAX, TAGS_MAX
from trunkline.aws.logs.registry import exists, invalid, missing, operations
from trunkline.aws.logs.storage import LogGroup, group_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

_DAY_MS = 86_400_000
_MONTH = 30
_DAYS = [1, 3, 5, 7, 14, *(count * _MONTH for count in range(1, 7)), 365, 400, 545, 731, 1096]
_DAYS += [1827, 2192, 2557, 2922, 3288, 3653]


def arn_of(call: Call, name: str) -> str:
    """The resource name of a group."""
    place = f"logs:{call.region}:{call.account}"
    return f"arn:{partition(call.region)}:{place}:log-group:{name}"


def find(call: Call, name: str | None, identifier: str | None = None) -> LogGroup:
    """The group of a name, or of a name or resource name; raises if there is none."""
    if (name is None) == (identifier is None):
        raise invalid("Give either logGroupName or logGroupIdentifier.")
    found = LogGroup.find(call, name or _name_of(identifier or ""))
    if found is None:
        raise missing("group")
    return found


def _name_of(identifier: str) -> str:
    """The name of a group, from its name or its resource name."""
    return identifier.partition(":log-group:")[2].removesuffix(":*") or identifier


@operations.add("CreateLogGroup", writes=True)
def create_log_group(
    call: Call,
    *,
    log_group_name: str,
    tags: Mapping[str, str] | None = None,
    log_group_class: str = "STANDARD",
    kms_key_id: str | None = None,
    deletion_protection_enabled: bool = False,
) -> None:
    """Creates a group, which keeps its events for the longest retention of the engine."""
    with call.store.lock:
        if LogGroup.find(call, log_group_name) is not None:
            raise exists("group")
        document = {
            "name": log_group_name,
            "created": call.store.now(),
            "class": log_group_class,
            "protected": deletion_protection_enabled,
            "tags": dict(tags or {}),
        }
        if kms_key_id is not None:
            document["kms"] = kms_key_id
        LogGroup.create(call, document)


@operations.add("DeleteLogGroup", writes=True)
def delete_log_group(call: Call, *, log_group_name: str) -> None:
    """Removes a group with its streams and events."""
    with call.store.lock:
        group = find(call, log_group_name)
        if group.document["protected"]:
            raise invalid("The log group is protected against deletion.")
        group.remove()


@operations.add("DescribeLogGroups")
def describe_log_groups(
    call: Call,
    *,
    log_group_name_prefix: str = "",
    log_group_name_pattern: str | None = None,
    log_group_class: str | None = None,
    log_group_identifiers: Sequence[str] = (),
    account_identifiers: Sequence[str] = (),
    include_linked_accounts: bool = False,
    next_token: str | None = None,
    limit: int = LOGS_PAGE_MAX,
) -> dict[str, Any]:
    """The groups whose names start with a prefix, hold a text or are given, by name.

    No account is linked to another one here: of `account_identifiers` only the caller's counts.
    """
    named = {_name_of(identifier) for identifier in log_group_identifiers}
    is_own = not account_identifiers or call.account in account_identifiers

    def keep(document: Mapping[str, Any]) -> bool:
        held = log_group_name_pattern is None or log_group_name_pattern in document["name"]
        wanted = is_own and (not named or document["name"] in named)
        return held and wanted and log_group_class in (None, document["class"])

    prefix = group_key(call, log_group_name_prefix)
    found, following = call.store.page(prefix, after=next_token, limit=limit, keep=keep)
    answer: dict[str, Any] = {"logGroups": [_shown(call, document) for document in found]}
    return answer if following is None else answer | {"nextToken": following}


def _shown(call: Call, document: Mapping[str, Any]) -> dict[str, Any]:
    arn = arn_of(call, document["name"])
    shown = {
        "logGroupName": document["name"],
        "creationTime": int(document["created"] * 1_000),
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "logGroupClass": document["class"],
        "deletionProtectionEnabled": document["protected"],
    }
    kept = {"retentionInDays": document.get("retention"), "kmsKeyId": document.get("kms")}
    return shown | {name: value for name, value in kept.items() if value is not None}


@operations.add("PutRetentionPolicy", writes=True)
def put_retention_policy(call: Call, *, log_group_name: str, retention_in_days: int) -> None:
    """Has the events of a group removed after so many days."""
    longest = call.store.limit("stream_retention_max") // _DAY_MS
    if retention_in_days not in _DAYS or retention_in_days > longest:
        allowed = ", ".join(str(days) for days in _DAYS if days <= longest)
        raise invalid(f"retentionInDays {retention_in_days} is not one of {allowed}.")
    with call.store.lock:
        group = find(call, log_group_name)
        group.stream.set_retention(retention_in_days * _DAY_MS)
        group.change(retention=retention_in_days)


@operations.add("DeleteRetentionPolicy", writes=True)
def delete_retention_policy(call: Call, *, log_group_name: str) -> None:
    """Has a group keep its events for the longest retention of the engine."""
    with call.store.lock:
        group = find(call, log_group_name)
        group.stream.set_retention(call.store.limit("stream_retention_max"))
        group.change(retention=None)


@operations.add("TagResource", writes=True)
def tag_resource(call: Call, *, resource_arn: str, tags: Mapping[str, str]) -> None:
    """Adds tags to a group, or changes their values."""
    with call.store.lock:
        group = find(call, None, resource_arn)
        merged = group.document["tags"] | dict(tags)
        if len(merged) > TAGS_MAX:
            raise invalid(f"A resource has at most {TAGS_MAX} tags.")
        group.change(tags=merged)


@operations.add("UntagResource", writes=True)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Removes tags; keys that the group lacks do no harm."""
    with call.store.lock:
        group = find(call, None, resource_arn)
        tags = group.document["tags"]
        group.change(tags={key: value for key, value in tags.items() if key not in tag_keys})


@operations.add("ListTagsForResource")
def list_tags_for_resource(call: Call, *, resource_arn: str) -> dict[str, Any]:
    """The tags of a group."""
    return {"tags": find(call, None, resource_arn).document["tags"]}
