"""The vectors of schedule expressions, run against the package."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import trunkline
from trunkline._core import Timetable

FOLDER = Path(__file__).parents[2] / "vectors" / "schedules"


def cases() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            found.append(pytest.param(case, id=f"{path.stem}: {case['name']}"))
    return found


def moment(text: str | None) -> int | None:
    if text is None:
        return None
    return int(datetime.fromisoformat(text).timestamp() * 1_000)


def timetable(case: dict[str, Any]) -> Timetable:
    return Timetable(
        case["expression"],
        case.get("timezone", "UTC"),
        moment(case.get("created")) or 0,
        moment(case.get("start")),
        moment(case.get("end")),
        rule=case.get("dialect") == "rule",
    )


@pytest.mark.parametrize("case", cases())
def test_vector(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(trunkline.ValidationException) as refused:
            timetable(case)
        text = str(refused.value)
        assert text.startswith(case.get("aws", case["refused"]))
        assert f"{case['refused']}: " in text
        return
    after = moment(case["after"])
    assert after is not None
    wanted = [moment(text) for text in case["next"]]
    found = timetable(case).next(after, len(wanted) + bool(case.get("ends")))
    assert found == wanted
