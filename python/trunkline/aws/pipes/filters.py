"""Filter criteria: a record goes on if one of the patterns matches it."""

from __future__ import annotations

import json

from trunkline import patterns
from trunkline.aws.json_text import read_object
from trunkline.aws.pipes.errors import invalid
from trunkline.aws.pipes.paths import encoded_field, parsed, plain_text
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Filters:
    """The compiled patterns of one pipe; without any, every record goes on."""

    def __init__(self, criteria: Mapping[str, Any]) -> None:
        self._patterns = [_Filter(one.get("Pattern", "")) for one in criteria.get("Filters", ())]

    def __call__(self, record: dict[str, Any]) -> bool:
        """Whether a record goes on."""
        return not self._patterns or any(one.matches(record) for one in self._patterns)


class _Filter:
    def __init__(self, pattern: str) -> None:
        try:
            self._pattern = patterns.compile(pattern)
        except TrunklineError as error:
            raise invalid(f"Invalid filter pattern: {error}") from None
        self._source = read_object(pattern) or {}

    def matches(self, record: dict[str, Any]) -> bool:
        field = encoded_field(record)
        if field is not None:
            # A pattern for members of the body is for JSON; one for the body itself is for text.
            if isinstance(self._source.get(field), dict):
                record = parsed(record)
            else:
                record = {**record, field: plain_text(record, field)}
        try:
            return self._pattern.matches(json.dumps(record).encode())
        except TrunklineError:
            return False
