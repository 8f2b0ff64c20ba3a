"""The recorded cases: what was called, and what AWS answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from trunkline.aws.services import SERVICES

from . import functions

FOLDER = Path(__file__).parent / "cases"
RECORDED = (
    "sns",
    "events",
    "scheduler",
    "stepfunctions",
    "event_source_mapping",
    "kinesis",
    "apigateway",
    "firehose",
)
"""The services whose cases are replayed."""

SERVED = frozenset(service.name for service in SERVICES)


@dataclass(frozen=True)
class Case:
    """One test of the recorded suite."""

    service: str
    path: Path

    @property
    def name(self) -> str:
        """The name in the score: the test's file and the test."""
        return f"{self.path.parent.name}/{self.path.stem}"

    @cached_property
    def content(self) -> dict[str, Any]:
        """The file as it was recorded."""
        found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return found

    def missing(self) -> list[str]:
        """What stands between the case and a replay, computed from its calls."""
        if not self.content["calls"]:
            return ["calls"]
        used = {call["service"] for call in self.content["calls"] if "service" in call}
        return sorted(used - SERVED) + functions.missing(self.content)


def cases_of(service: str) -> list[Case]:
    """All cases of one service, in the order of their names."""
    return [Case(service, path) for path in sorted((FOLDER / service).rglob("*.json"))]
