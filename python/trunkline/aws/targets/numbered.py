"""Entries of batch operations that are told apart by an id."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.targets.kind import Entry, Failures


def numbered(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with their places as ids.

    >>> numbered([{"Message": "a"}])
    [{'Id': '0', 'Message': 'a'}]
    """
    return [{"Id": str(place), **entry} for place, entry in enumerate(entries)]


def failures_of(answer: dict[str, Any]) -> Failures:
    """Why entries failed, by their places."""
    failed = answer.get("Failed", ())
    return {int(one["Id"]): f"{one['Code']}: {one.get('Message', '')}" for one in failed}
