"""Runs the language-neutral retry tables of tests/vectors against the package."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from trunkline._core import RetryTable

VECTORS = Path(__file__).parents[2] / "vectors" / "retry" / "tables.toml"
CASES = tomllib.loads(VECTORS.read_text(encoding="utf-8"))["case"]


def phase(given: dict[str, Any]) -> tuple[int, str, int, int, int]:
    if "fixed" in given:
        return given["retries"], "fixed", given["fixed"], given["fixed"], 0
    if "factor_permille" in given:
        factor = given["factor_permille"]
        return given["retries"], "factor", given["from"], given["to"], factor
    return given["retries"], given["curve"], given["from"], given["to"], 0


def table(case: dict[str, Any]) -> RetryTable:
    if "table" in case:
        made = RetryTable.named(case["table"])
    else:
        made = RetryTable([phase(given) for given in case["phases"]], None, "none")
    return made.bounded(retries_max=case.get("retries_max"), age_max=case.get("age_max"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_vector_holds(case: dict[str, Any]) -> None:
    made, now = table(case), 0
    for attempts, delay in enumerate(case.get("delays", []), start=1):
        found = made.next(attempts, first_at=0, now=now)
        now += delay
        assert found == now, attempts
    if "then" in case:
        attempts = len(case.get("delays", [])) + 1
        assert made.next(attempts, first_at=0, now=now) == case["then"]
    for check in case.get("checks", []):
        found = made.next(
            check["attempts"],
            first_at=0,
            now=check.get("now", 0),
            retry_after=check.get("retry_after"),
        )
        assert found == check.get("at", check.get("exhausted")), check


@pytest.mark.parametrize(
    ("phases", "jitter", "named"),
    [
        ([(1, "fixed", 43_200_001, 43_200_001, 0)], "none", "phases[0].delay"),
        ([(1, "linear", 2, 1, 0)], "none", "phases[0].delay"),
        ([(1, "steep", 1, 2, 0)], "none", "steep"),
        ([], "some", "some"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_by_name(
    phases: list[tuple[int, str, int, int, int]], jitter: str, named: str
) -> None:
    with pytest.raises(ValueError, match=named.replace("[", r"\[")):
        RetryTable(phases, None, jitter)
