"""Resources, messages and records as plain data; arguments as the library's."""

from __future__ import annotations

from base64 import b64decode, b64encode

from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from trunkline._core import PeekedMessage, Record

LIMIT = 100
"""How many items a page has unless the caller says."""

LIMIT_MAX = 10_000
"""The most items of a page."""


def content(data: bytes, name: str = "body") -> dict[str, str]:
    """Bytes as a member of JSON: text where they are UTF-8, Base64 under another name elsewhere.

    >>> content(b"one coffee"), content(b"\\xff")
    ({'body': 'one coffee'}, {'body_base64': '/w=='})
    """
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(data).decode()}


def bytes_of(text: str | None, base64: str | None, name: str = "body") -> bytes:
    """The bytes that a caller gives as text or as Base64."""
    if (text is None) == (base64 is None):
        raise InvalidParameterValue(f"Give {name}, or {name}_base64, and not both.")
    given = text if base64 is None else base64
    if not isinstance(given, str):
        raise InvalidParameterValue(f"{name} must be a string; write other values as JSON first.")
    if base64 is None:
        return given.encode()
    try:
        return b64decode(base64, validate=True)
    except ValueError as error:
        raise InvalidParameterValue(f"{name}_base64 is not Base64: {error}.") from error


def attributes_of(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """Attributes as the library takes them: a Base64 value is ``{"base64": ...}``."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise InvalidParameterValue("attributes must be an object, with an attribute a member.")
    return {
        name: _binary(name, value) if isinstance(value, dict) else value
        for name, value in given.items()
    }


def _binary(name: str, value: dict[str, Any]) -> bytes:
    if list(value) != ["base64"] or not isinstance(value["base64"], str):
        raise InvalidParameterValue(
            f'The attribute {name!r} must be a string, a number, or {{"base64": TEXT}}.'
        )
    try:
        return b64decode(value["base64"], validate=True)
    except ValueError as error:
        raise InvalidParameterValue(f"The attribute {name!r} is not Base64: {error}.") from error


def _attribute(value: object) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return {"base64": b64encode(value).decode()}
    return value if isinstance(value, (str, int, float)) else str(value)


def message_row(message: PeekedMessage) -> dict[str, Any]:
    """A message without its receipt."""
    row: dict[str, Any] = {"message_id": message.message_id, **content(message.body)}
    optional = ("group", "dedup_id", "sequence_number", "dead_letter_source", "first_received_at")
    row |= {name: value for name in optional if (value := getattr(message, name)) is not None}
    row |= {"sent_at": message.sent_at, "receive_count": message.receive_count}
    if message.attributes:
        row["attributes"] = {name: _attribute(one) for name, one in message.attributes.items()}
    return row


def record_row(record: Record) -> dict[str, Any]:
    """A record of a stream."""
    row = {"sequence": record.sequence, "shard": record.shard, "timestamp": record.timestamp}
    return {**row, "key": record.key, **content(record.data, "data")}


def full_name(resource: Any) -> tuple[str, str, str]:
    """Account, region and name of a resource."""
    return resource.account, resource.region, resource.name


def check_limit(limit: int, most: int = LIMIT_MAX, name: str = "limit") -> None:
    """Raises InvalidParameterValue for a page that has no item, or more than `most`."""
    if type(limit) is not int or not 1 <= limit <= most:
        raise InvalidParameterValue(f"{name} must be an int from 1 to {most}.")


def check_wait(wait: float, most: float) -> None:
    """Raises InvalidParameterValue for a wait that is no number of seconds up to `most`."""
    if type(wait) not in (int, float) or not 0 <= wait <= most:
        raise InvalidParameterValue(f"wait must be from 0 to {most} seconds; ask again.")


def page(
    found: Iterable[tuple[tuple[str, str, str], Any]],
    row: Callable[[Any], dict[str, Any]],
    after: str | None,
    limit: int,
) -> dict[str, Any]:
    """One page of the resources found, by name: rows are made of what is shown alone.

    `after` is the ``next`` of the page before.
    """
    check_limit(limit)
    ordered = sorted(found, key=lambda one: one[0])
    rest = ordered
    if after is not None:
        behind = tuple(str(after).split("/", 2))
        rest = [one for one in ordered if one[0] > behind]
    items = []
    for (account, region, name), core in rest[:limit]:
        items.append({"name": name, "account": account, "region": region, **row(core)})
    answer: dict[str, Any] = {"items": items, "total": len(ordered)}
    if len(rest) > limit:
        answer["next"] = "/".join(rest[limit - 1][0])
    return answer
