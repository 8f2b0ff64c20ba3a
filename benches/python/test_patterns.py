"""What a match costs from Python: the border, not the matcher, which has benches of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from trunkline import patterns

Benchmark = Callable[..., Any]
EVENT = json.dumps({"source": "app", "detail": {"tenant": 7, "note": "x" * 700}}).encode()


@pytest.fixture(scope="module")
def rules() -> patterns.RuleSet:
    """A thousand rules, of which an event matches one."""
    rules = patterns.RuleSet()
    rules.add_many((f"tenant-{n}", {"detail": {"tenant": [n]}}) for n in range(1_000))
    return rules


def test_match_of_nothing(benchmark: Benchmark, rules: patterns.RuleSet) -> None:
    # The empty event costs the matcher some 15 ns: the rest is the border.
    assert benchmark(rules.match, b"{}") == []


def test_match_of_one(benchmark: Benchmark, rules: patterns.RuleSet) -> None:
    assert benchmark(rules.match, EVENT) == ["tenant-7"]


def test_match_of_a_trusted_event(benchmark: Benchmark, rules: patterns.RuleSet) -> None:
    assert benchmark(lambda: rules.match(EVENT, trusted=True)) == ["tenant-7"]


def test_match_of_a_text(benchmark: Benchmark, rules: patterns.RuleSet) -> None:
    assert benchmark(rules.match, EVENT.decode()) == ["tenant-7"]


def test_match_of_a_dict(benchmark: Benchmark, rules: patterns.RuleSet) -> None:
    assert benchmark(rules.match, json.loads(EVENT)) == ["tenant-7"]


def test_a_batch_of_a_thousand(benchmark: Benchmark, rules: patterns.RuleSet) -> None:
    assert len(benchmark(rules.match_many, [EVENT] * 1_000)) == 1_000


def test_one_pattern(benchmark: Benchmark) -> None:
    assert benchmark(patterns.compile({"detail": {"tenant": [7]}}).matches, EVENT)


def test_compile(benchmark: Benchmark) -> None:
    text = '{"source": ["app"], "detail": {"tenant": [7, {"numeric": [">", 100]}]}}'
    benchmark(patterns.compile, text)


def test_add_and_remove_beside_a_thousand(benchmark: Benchmark, rules: patterns.RuleSet) -> None:
    pattern = patterns.compile({"detail": {"tenant": [1_001]}})
    benchmark(lambda: (rules.add("new", pattern), rules.remove("new")))
