"""The score of each service: which cases are equal, which differ, and which cannot run yet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .cases import Case
from .replay import PATIENCE, replay

FOLDER = Path(__file__).parent / "score"
SHORT_PATIENCE = 0.2
"""Seconds for the reads of a case that is known to differ."""


@dataclass(frozen=True)
class Result:
    """The outcome, ``equal``, ``differs`` or ``not yet``; then how, or what is missing."""

    outcome: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.outcome}: {self.detail}" if self.detail else self.outcome


def run(case: Case, patience: float = PATIENCE) -> Result:
    """Replays a case, unless it uses what is not served."""
    missing = case.missing()
    if missing == ["calls"]:
        return Result("not yet", "the recording has no calls")
    if missing:
        return Result("not yet", f"uses {', '.join(missing)}")
    difference = replay(case, patience)
    return Result("equal") if difference is None else Result("differs", difference)


def path_of(service: str) -> Path:
    """The file with the score of a service."""
    return FOLDER / f"{service}.json"


def load(service: str) -> dict[str, dict[str, str]]:
    """What each case of a service is expected to do."""
    path = path_of(service)
    if not path.exists():
        return {}
    found: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return found


def save(service: str, results: dict[str, Result]) -> None:
    """Writes the score; the reasons that people wrote into it stay."""
    before = load(service)
    lines = []
    for name, result in sorted(results.items()):
        entry = {"outcome": result.outcome}
        if result.detail:
            entry["detail"] = result.detail
        if "reason" in before.get(name, {}) and result.outcome != "equal":
            entry["reason"] = before[name]["reason"]
        lines.append(f"    {json.dumps(name)}: {json.dumps(entry)}")
    count = dict.fromkeys(("equal", "differs", "not yet"), 0)
    for result in results.values():
        count[result.outcome] += 1
    FOLDER.mkdir(exist_ok=True)
    cases = ",\n".join(lines)
    text = f'{{\n  "count": {json.dumps(count)},\n  "cases": {{\n{cases}\n  }}\n}}\n'
    path_of(service).write_text(text, encoding="utf-8")
