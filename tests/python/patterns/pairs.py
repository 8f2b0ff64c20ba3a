"""Compares the matcher with the reference on random patterns and events, in volume.

    python -m patterns.pairs --pairs 1000000 --seed 7     (from tests/python; `make pairs` runs it)

A group of patterns and of events makes a pair of each with each. The patterns of a group are also
the rules of one set, and for a while rules of a crowd, a large set whose rules come and go. The
first pair that differs ends the run, with the number of its group.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

from trunkline import patterns
from trunkline.errors import InvalidParameterException

from . import reference
from .generators import Generator

GROUP_PATTERNS, EVENTS_EACH = 6, 8
CROWD_RULES = 240
SCOPES = ("Event", "Event", "Event", "MessageBody", "MessageAttributes")
# What the generator makes is larger than AWS takes.
LIMITS = patterns.Limits(
    pattern_bytes=10**6,
    wildcard_complexity=10**6,
    or_combinations=10**6,
    filter_keys=10**6,
    filter_combinations=10**15,
)


class Differs(AssertionError):
    """A pair that the two matchers do not agree about."""


def check(seed: int, count: int, tell: Callable[[int], None] = lambda done: None) -> dict[str, int]:
    """Compare `count` pairs or a few more; how many there were, and how many matched."""
    totals = {"pairs": 0, "matched": 0}
    crowds = {scope: Crowd(scope) for scope in SCOPES}
    group = seed * 1_000_000
    while totals["pairs"] < count:
        pairs, matched = check_group(group, crowds[SCOPES[group % len(SCOPES)]])
        totals["pairs"] += pairs
        totals["matched"] += matched
        group += 1
        tell(totals["pairs"])
    return totals


class Crowd:
    """A set of the rules of the last groups, which must answer as its rules do one by one."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.set = patterns.RuleSet(scope=scope)
        self.rules: dict[int, patterns.Pattern] = {}

    def change(self, added: list[patterns.Pattern], random: Random) -> None:
        """Add rules, some in the place of others; let the oldest go."""
        first = max(self.rules, default=-1) + 1
        for number, pattern in enumerate(added, first):
            id = random.choice(list(self.rules)) if self.rules and random.random() < 0.1 else number
            self.set.add(id, pattern)
            self.rules[id] = pattern
        for id in list(self.rules)[: max(0, len(self.rules) - CROWD_RULES)]:
            del self.rules[id]
            if not self.set.remove(id):
                raise Differs(f"rule {id} of the crowd was not there")

    def check(self, group: int, event: Any) -> None:
        """Raise if the set does not answer as its rules do."""
        found = self.set.match(event)
        wanted = [id for id in self.set if self.rules[id].matches(event)]
        if found != wanted:
            raise Differs(f"group {group}, crowd: set {found}, alone {wanted}, {event!r}")


def check_group(group: int, crowd: Crowd) -> tuple[int, int]:
    """Compare all pairs of one group; how many, and how many matched."""
    scope = crowd.scope
    generator = Generator(Random(group), policies=scope != "Event")
    flat = scope == "MessageAttributes"
    texts = [text_for(generator, scope) for _ in range(GROUP_PATTERNS)]
    make: Callable[[str], Any] = generator.attributes if flat else generator.event
    events = [make(text) for text in texts for _ in range(EVENTS_EACH)]
    expected: Callable[..., bool] = reference.matches_attributes if flat else reference.matches
    compiled = [compiled_for(text, scope) for text in texts]
    rule_set = patterns.RuleSet(scope=scope)
    rule_set.add_many(enumerate(compiled))
    together = rule_set.match_many(events)
    crowd.change(compiled, Random(group))
    matched = 0
    for event, from_batch in zip(events, together, strict=True):
        wanted = [number for number, text in enumerate(texts) if expected(text, event)]
        alone = [number for number, pattern in enumerate(compiled) if pattern.matches(event)]
        from_set = rule_set.match(event)
        trusted = rule_set.match(event, trusted=True)
        if not wanted == alone == from_set == from_batch == trusted:
            sets = f"set {from_set}, batch {from_batch}, trusted {trusted}"
            names = [f"reference {wanted}", f"alone {alone}", sets]
            shown = [texts[n] for n in sorted({*wanted, *alone, *from_set, *from_batch, *trusted})]
            raise Differs("\n".join([f"group {group}, {scope}", *names, repr(event), *shown]))
        if flat or matched % 7 == 0:
            for pattern, number in zip(compiled, range(len(compiled)), strict=True):
                if pattern.explain(event).matched is not (number in wanted):
                    raise Differs(f"group {group}: explain of {texts[number]}, {event!r}")
        crowd.check(group, event)
        matched += len(wanted)
    return len(texts) * len(events), matched


def text_for(generator: Generator, scope: str) -> str:
    """The text of a pattern; of a policy, one that is not out of all bounds."""
    while True:
        text = generator.pattern(nested=scope != "MessageAttributes")
        try:
            compiled_for(text, scope)
        except InvalidParameterException as error:
            if error.reason != "Filter policy is too complex":
                raise
        else:
            return text


def compiled_for(text: str, scope: str) -> patterns.Pattern:
    """The pattern, within limits that the generator does not reach."""
    if scope == "Event":
        return patterns.compile(text, limits=LIMITS)
    return patterns.filter_policy(text, scope=scope, limits=LIMITS)


def main() -> None:
    """Run the comparison from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start = time.monotonic()
    shown = 0

    def tell(done: int) -> None:
        nonlocal shown
        if done >= shown + 100_000:
            shown = done
            print(f"… {done:,} pairs, {time.monotonic() - start:.0f} s", file=sys.stderr)

    totals = check(options.seed, options.pairs, tell)
    print(
        f"{totals['pairs']:,} pairs from seed {options.seed}, {totals['matched']:,} of them match: "
        f"0 differences, {time.monotonic() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
