"""Each recorded case does what the score says: no more, no less."""

from __future__ import annotations

import pytest

pytest.importorskip("botocore")

from . import cases, score

ALL = [case for service in cases.RECORDED for case in cases.cases_of(service)]
EXPECTED = {service: score.load(service) for service in cases.RECORDED}


# Its connection asks example.com for a token. Where names are not resolved, the description tells
# of that failure if the resolver gave up before it.
RACES = {
    "api_destinations_and_connection/"
    "TestEventBridgeConnections.test_create_connection_with_auth_auth_params2",
}


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.service}/{case.name}")
def test_case(case: cases.Case) -> None:
    expected = EXPECTED[case.service].get(case.name, {"outcome": "not in the score"})
    known = expected["outcome"] == "differs"
    result = score.run(case, score.SHORT_PATIENCE if known else score.PATIENCE)
    if case.name in RACES and "endpoint cannot be reached" in result.detail:
        return
    assert result.outcome == expected["outcome"], (
        f"{result}\nthe score says: {expected['outcome']}. If that is an improvement, update the "
        f"score: python -m tests.recorded --update {case.service}"
    )


@pytest.mark.parametrize("service", cases.RECORDED)
def test_score_names_no_case_that_is_gone(service: str) -> None:
    names = {case.name for case in cases.cases_of(service)}
    assert EXPECTED[service].keys() <= names
