"""Resources as plain data; arguments as the library's."""

from __future__ import annotations

from base64 import b64decode

from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

LIMIT = 100
"""How many items a page has unless the caller says."""

LIMIT_MAX = 10_000
"""The most items of a page."""


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
    """Attributes as the library takes them, of those that ``attribute_row`` made."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise InvalidParameterValue("attributes must be an object, with an attribute a member.")
    return {
        name: _attribute(name, value) if isinstance(value, dict) else value
        for name, value in given.items()
    }


def _attribute(name: str, value: dict[str, Any]) -> Any:
    held = {member: one for member, one in value.items() if member != "type"}
    if [*held] not in (["base64"], ["value"]) or not all(
        isinstance(one, str) for one in value.values()
    ):
        raise InvalidParameterValue(
            f'The attribute {name!r} must be a string, a number, {{"base64": TEXT}}, or '
            '{"type": NAME} with a "value" or "base64".'
        )
    try:
        content = b64decode(held["base64"], validate=True) if "base64" in held else held["value"]
    except ValueError as error:
        raise InvalidParameterValue(f"The attribute {name!r} is not Base64: {error}.") from error
    return (value["type"], content) if "type" in value else content


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
    behind = None if after is None else name_after(after)
    rest = ordered if behind is None else [one for one in ordered if one[0] > behind]
    return shown(rest, row, len(ordered), limit)


def name_after(after: str) -> tuple[str, str, str]:
    """The full name that the ``next`` of a page is made of; a shorter one comes before all."""
    account, region, name = (*str(after).split("/", 2), "", "")[:3]
    return account, region, name


def shown(
    rest: Sequence[tuple[tuple[str, str, str], Any]],
    row: Callable[[Any], dict[str, Any]],
    total: int,
    limit: int,
) -> dict[str, Any]:
    """The first `limit` of the rest as a page of `total` resources."""
    items = []
    for (account, region, name), core in rest[:limit]:
        items.append({"name": name, "account": account, "region": region, **row(core)})
    answer: dict[str, Any] = {"items": items, "total": total}
    if len(rest) > limit:
        answer["next"] = "/".join(rest[limit - 1][0])
    return answer
