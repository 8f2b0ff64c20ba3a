"""The operations of IAM, by name, and what they share."""

from __future__ import annotations

import random
import string

from trunkline.aws.errors import ServiceError
from trunkline.aws.json_text import read_object
from trunkline.aws.operation import Operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

operations: Operations = Operations(stored_only=True)

_LETTERS = string.ascii_uppercase + "234567"
_ITEMS_MAX = 1_000


def make_id(prefix: str, seed: str) -> str:
    """A stable id for a thing: the same thing has the same id in every run."""
    source = random.Random(seed)
    return prefix + "".join(source.choices(_LETTERS, k=17))


def missing(kind: str, name: str) -> ServiceError:
    """There is no thing of this name."""
    return ServiceError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)


def exists(kind: str, name: str) -> ServiceError:
    """There is one already."""
    return ServiceError("EntityAlreadyExists", f"{kind} with name {name} already exists.", 409)


def check_document(text: str) -> None:
    """Raises for a policy document that is no JSON object."""
    if read_object(text) is None:
        raise ServiceError("MalformedPolicyDocument", "Syntax errors in policy.", 400)


def count_of(count: int | None) -> int:
    """How many items one page shows."""
    return min(count or 100, _ITEMS_MAX)


def page(
    member: str, items: Sequence[Any], marker: str | None, count: int | None
) -> dict[str, Any]:
    """A page of a list that is there as a whole; the marker is the place of its first item."""
    start = int(marker) if marker and marker.isdecimal() and len(marker) <= 9 else 0
    end = start + count_of(count)
    return shown(member, items[start:end], str(end) if end < len(items) else None)


def shown(member: str, items: Sequence[Any], following: str | None) -> dict[str, Any]:
    """The output that shows a page, and the marker of the next one."""
    output: dict[str, Any] = {member: list(items), "IsTruncated": following is not None}
    return output if following is None else output | {"Marker": following}
