"""Runs the patterns of tests/vectors against the package and against the reference matcher."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from trunkline import patterns
from trunkline.errors import InvalidEvent, TrunklineError

from . import reference

VECTORS = Path(__file__).parents[2] / "vectors" / "patterns"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(VECTORS.glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
]
VALID = [one for one in CASES if not {"error", "message"} & set(one.values[0])]
ANSWERS = {"matches", "differs", "refused", "error", "message"}
KEYS = {*ANSWERS, "name", "source", "pattern", "dialect", "line", "column", "doubled"}
SCOPES = {"attributes": "MessageAttributes", "body": "MessageBody"}


def compiled(case: dict[str, Any]) -> patterns.Pattern:
    scope = SCOPES.get(case.get("dialect", "event"))
    if scope is None:
        return patterns.compile(case["pattern"])
    return patterns.filter_policy(case["pattern"], scope=scope)


def event_of(case: dict[str, Any], text: str) -> Any:
    """What the package takes: a text, or attributes as pairs of type and value."""
    if case.get("dialect") != "attributes":
        return text
    return {name: (one["Type"], one["Value"]) for name, one in json.loads(text).items()}


def whole_text(case: dict[str, Any]) -> str:
    """AWS's whole text for a pattern that it refuses."""
    if "message" in case:
        return str(case["message"])
    where = ""
    if "line" in case:
        place = f"line: {case['line']}, column: {case['column']}]"
        # AWS's parser shows control characters other than ends of lines as escapes.
        shown = re.sub(
            r"[\x00-\x09\x0b\x0c\x0e-\x1f]", lambda m: f"\\u{ord(m[0]):04X}", case["pattern"]
        )
        where = f'\n at [Source: (String)"{shown}"; {place}'
    operation = {
        "event": "Event pattern is not valid. Reason: ",
        "body": "Invalid parameter: FilterPolicy: ",
        "attributes": "Invalid parameter: FilterPolicy: ",
    }[case.get("dialect", "event")]
    return operation + case["error"] + where * (2 if case.get("doubled") else 1)


@pytest.mark.parametrize("case", CASES)
def test_vector(case: dict[str, Any]) -> None:
    if "error" in case or "message" in case:
        with pytest.raises(TrunklineError) as caught:
            compiled(case)
        assert str(caught.value) == whole_text(case)
        assert caught.value.line == case.get("line")
        assert caught.value.column == case.get("column")
        return
    pattern = compiled(case)
    rule_set = patterns.RuleSet(scope=pattern.scope)
    rule_set.add("rule", pattern)
    for wanted, key in ((True, "matches"), (False, "differs")):
        for text in case.get(key, []):
            event = event_of(case, text)
            assert pattern.matches(event) is wanted, text
            assert rule_set.match(event) == ["rule"] * wanted, text
            assert pattern.explain(event).matched is wanted, text
    for text in case.get("refused", []):
        if pattern.scope == "Event":
            for ask in (pattern.matches, rule_set.match, pattern.explain):
                with pytest.raises(InvalidEvent):
                    ask(event_of(case, text))
        else:
            # SNS delivers what it cannot read to no subscription with a filter, without an error.
            assert pattern.matches(event_of(case, text)) is False, text
            assert rule_set.match(event_of(case, text)) == [], text


@pytest.mark.parametrize("case", VALID)
def test_the_reference_matcher_agrees(case: dict[str, Any]) -> None:
    for wanted, key in ((True, "matches"), (False, "differs")):
        for text in case.get(key, []):
            if case.get("dialect") == "attributes":
                found = reference.matches_attributes(case["pattern"], event_of(case, text))
            else:
                found = reference.matches(case["pattern"], text)
            assert found is wanted, text


def test_every_case_names_its_source_and_is_a_claim_of_its_own() -> None:
    for path in VECTORS.glob("*.toml"):
        cases = tomllib.loads(path.read_text(encoding="utf-8"))["case"]
        names = [case["name"] for case in cases]
        assert len(set(names)) == len(names), path.name
        for case in cases:
            assert case["source"], case["name"]
            assert set(case) <= KEYS, case["name"]
            assert set(case) & ANSWERS, case["name"]
    assert len(CASES) > 150
