"""Tags of buses and rules."""

from __future__ import annotations

from trunkline.aws.events import stored
from trunkline.aws.events.errors import invalid, invalid_parameter
from trunkline.aws.events.names import bus_of, read_arn
from trunkline.aws.events.registry import operations
from trunkline.aws.limits import TAGS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import Bus
    from trunkline.aws.operation import Call


def as_mapping(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags by their keys; raises for what may not be a tag."""
    if len(tags) > TAGS_MAX:
        raise invalid(f"A resource has at most {TAGS_MAX} tags.")
    for tag in tags:
        if tag["Key"].lower().startswith("aws:"):
            raise invalid("Tag keys that start with aws: are reserved for system use.")
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) < len(tags):
        raise invalid("Duplicate tag keys are not allowed.")
    return found


def _find(call: Call, resource: str) -> tuple[Bus, str | None]:
    """The bus of a resource name, and the rule if it is one of a rule."""
    arn = read_arn(resource)
    if arn is None or arn.service != "events" or call.target is None:
        raise invalid_parameter("ResourceARN", "It names no event bus and no rule.")
    bus = bus_of(call, call.target)
    kind, _, name = arn.resource.partition("/")
    return bus, name.rpartition("/")[2] if kind == "rule" else None


def _read(call: Call, resource: str) -> dict[str, str]:
    from trunkline.aws.events.rule_store import read_rule

    bus, rule = _find(call, resource)
    kept = stored.read(bus.document) if rule is None else read_rule(bus, rule).kept
    return dict(kept.get("tags", {}))


def _write(call: Call, resource: str, tags: dict[str, str]) -> None:
    from trunkline.aws.events.rule_store import read_rule

    bus, rule = _find(call, resource)
    if rule is None:
        stored.change_bus(bus, stored.read(bus.document) | {"tags": tags or None})
        return
    found = read_rule(bus, rule)
    found.kept["tags"] = tags or None
    found.write(call)


@operations.add("TagResource", writes=True)
def tag_resource(call: Call, *, resource_arn: str, tags: Sequence[Mapping[str, str]]) -> None:
    """Adds tags to a bus or a rule, or changes their values."""
    given = as_mapping(tags)
    with call.store.lock:
        merged = _read(call, resource_arn) | given
        if len(merged) > TAGS_MAX:
            raise invalid(f"A resource has at most {TAGS_MAX} tags.")
        _write(call, resource_arn, merged)


@operations.add("UntagResource", writes=True)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Removes tags; keys that the resource lacks do no harm."""
    with call.store.lock:
        tags = _read(call, resource_arn)
        left = {key: value for key, value in tags.items() if key not in tag_keys}
        if left != tags:
            _write(call, resource_arn, left)


@operations.add("ListTagsForResource")
def list_tags_for_resource(call: Call, *, resource_arn: str) -> dict[str, Any]:
    """The tags of a bus or a rule."""
    tags = _read(call, resource_arn)
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
