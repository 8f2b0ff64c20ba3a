"""The matcher from Python: over its own Rust, and beside the matchers of LocalStack and moto.

    python benches/patterns/peers.py [--json FILE]

The peers are what a Python program finds on PyPI: `pip install moto[events] localstack-core`. Both
match one pattern with one event, so that a program with many rules calls them in a loop, and reads
each event once. Times are per event, in microseconds; a peer that is not installed is left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from trunkline import patterns

ROUNDS = 5
SIZES = (10, 1_000, 10_000)
# Events of a turn: a loop over 10,000 rules takes a third of a second.
PEER_EVENTS = {10: 200, 1_000: 10, 10_000: 2}
OUR_EVENTS = 2_000

Match = Callable[[bytes], Any]
"""Matches one event with all rules."""


def rule(number: int) -> dict[str, Any]:
    """One of many rules: every operator takes its turn, beside a source that many share."""
    operators: list[Any] = [
        f"value-{number}",
        {"prefix": f"value-{number}-"},
        {"suffix": f"-{number}"},
        {"wildcard": f"*lue-{number}-*"},
        {"equals-ignore-case": f"VALUE-{number}"},
        {"anything-but": [f"value-{number}", "other"]},
        {"numeric": [">=", number, "<", number + 2]},
        {"exists": number % 2 == 0},
        {"cidr": f"10.{number // 250 % 250}.{number % 250}.0/24"},
    ]
    field = ("name", "size", "address")[number % 3]
    detail = {"kind": [f"kind-{number % 100}"], field: [operators[number % len(operators)]]}
    return {"source": [f"app.{number % 10}"], "detail": detail}


def event(number: int) -> bytes:
    """An event that several rules look at, and few match."""
    detail = {
        "kind": f"kind-{number % 100}",
        "name": f"value-{number}",
        "size": number,
        "address": f"10.{number // 250 % 250}.{number % 250}.7",
        "note": "x" * 600,
    }
    return json.dumps({"source": f"app.{number % 10}", "detail": detail}).encode()


def ours(rules: list[dict[str, Any]]) -> Match:
    rule_set = patterns.RuleSet()
    rule_set.add_many(enumerate(rules))
    return rule_set.match


def localstack(rules: list[dict[str, Any]]) -> Match:
    module = import_module("localstack.services.events.event_rule_engine")
    compiler, engine = module.EventPatternCompiler(), module.EventRuleEngine()
    compiled = [compiler.compile_event_pattern(json.dumps(one)) for one in rules]

    def match(text: bytes) -> list[int]:
        read = json.loads(text)
        evaluate = engine.evaluate_pattern_on_event
        return [number for number, one in enumerate(compiled) if evaluate(one, read)]

    return match


def moto(rules: list[dict[str, Any]]) -> Match:
    module = import_module("moto.events.models")
    compiled = [module.EventPattern.load(json.dumps(one)) for one in rules]

    def match(text: bytes) -> list[int]:
        read = json.loads(text)
        return [number for number, one in enumerate(compiled) if one.matches_event(read)]

    return match


PEERS = {"LocalStack": localstack, "moto": moto}


def seconds(match: Match, events: list[bytes]) -> float:
    """The time of one event."""
    start = time.perf_counter()
    for one in events:
        match(one)
    return (time.perf_counter() - start) / len(events)


def row(size: int, candidates: dict[str, Callable[..., Match]]) -> dict[str, Any]:
    """The time of an event for each candidate, in turns; what they found, so that it compares."""
    rules = [rule(number) for number in range(size)]
    matches = {name: make(rules) for name, make in candidates.items()}
    times: dict[str, list[float]] = {name: [] for name in matches}
    for turn in range(ROUNDS):
        for name, match in matches.items():
            count = OUR_EVENTS if name == "Trunkline" else PEER_EVENTS[size]
            first = turn * 101
            times[name].append(seconds(match, [event(first + n) for n in range(count)]))
    found = {name: sum(len(match(event(n))) for n in range(3)) for name, match in matches.items()}
    medians = {name: statistics.median(several) * 1e6 for name, several in times.items()}
    return {"rules": size, "microseconds": medians, "found_in_three_events": found}


def installed() -> dict[str, Callable[..., Match]]:
    """Ourselves, and the peers that can be imported."""
    found: dict[str, Callable[..., Match]] = {"Trunkline": ours}
    for name, make in PEERS.items():
        try:
            make([])
        except ImportError as error:
            print(f"left out: {name} ({error})")
        else:
            found[name] = make
    return found


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures to this file")
    options = parser.parse_args()
    candidates = installed()
    print("| rules | " + " | ".join(f"{name}, us an event" for name in candidates) + " |")
    print("|---" * (len(candidates) + 1) + "|")
    rows = []
    for size in SIZES:
        rows.append(row(size, candidates))
        times = [f"{rows[-1]['microseconds'][name]:,.1f}" for name in candidates]
        print(f"| {size:,} | " + " | ".join(times) + " |", flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
