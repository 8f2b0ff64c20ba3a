"""The language-neutral cases of tests/vectors, run through the C ABI.

Only the verbs that the C ABI has; which cases that leaves out is written down, so that none is lost
by accident.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from . import border
from .border import SECOND

VECTORS = Path(__file__).parents[1] / "vectors" / "queue"
CASES = {
    f"{path.stem}: {case['name']}": case
    for path in sorted(VECTORS.glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
}
VERBS = {
    "advance",
    "count",
    "delete",
    "extend",
    "message",
    "purge",
    "receive",
    "release",
    "send",
}
OPTIONS = {
    "delay": "delay_ms",
    "retention": "retention_ms",
    "visibility_timeout": "visibility_ms",
    "receive_wait": "receive_wait_ms",
    "max_message_size": "message_bytes_max",
    "content_based_dedup": "content_based_dedup",
    "dedup_scope": "dedup_scope",
    "dead_letter": "dead_letter",
    "max_receive_count": "max_receive_count",
}


def verbs_of(case: dict[str, Any]) -> set[str]:
    return {step.split()[0] for step in case["steps"]}


def options_of(case: dict[str, Any]) -> set[str]:
    return {*case.get("options", {}), *case.get("dead_letter", {})}


COVERED = {
    name: case
    for name, case in CASES.items()
    if verbs_of(case) <= VERBS and options_of(case) <= set(OPTIONS)
}


def milliseconds(value: str | float) -> int:
    return round(float(value) * SECOND)


def queue_options(options: dict[str, Any]) -> dict[str, Any]:
    given = {OPTIONS[name]: value for name, value in options.items()}
    for name, value in given.items():
        if name.endswith("_ms"):
            given[name] = milliseconds(value)
        elif name == "content_based_dedup":
            given[name] = int(value in (True, "true"))
        elif name == "dedup_scope":
            given[name] = {"queue": 0, "group": 1}[value]
        elif name in ("max_receive_count", "message_bytes_max"):
            given[name] = int(value)
    return given


class Runner:
    """One case: an engine on a virtual clock, and what the steps so far have named."""

    def __init__(self, engine: Any, case: dict[str, Any]) -> None:
        self.engine = engine
        suffix = ".fifo" if case.get("fifo") else ""
        options = dict(case.get("options", {}))
        self.name = f"q{suffix}"
        self.queues = {}
        if "dead_letter" in case:
            given = queue_options(case["dead_letter"])
            self.queues["dead"] = border.queue(engine, f"dead{suffix}", **given)
            options["dead_letter"] = f"dead{suffix}"
        self.queues["q"] = border.queue(engine, self.name, **queue_options(options))
        self.sent: dict[str, tuple[str | None, str | None]] = {}
        self.deliveries: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def step(self, step: str) -> None:
        """Do one step and compare what came out with what it expects."""
        action, _, expected = (part.strip() for part in step.partition("->"))
        verb, *words = action.split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        words = [word for word in words if "=" not in word]
        queue = self.queues[options.pop("on", "q")]
        try:
            outcome = getattr(self, verb)(queue, expected, *words, **options)
        except border.Failed as failed:
            outcome = failed.code
        assert outcome == expected, step

    def send(self, queue: Any, expected: str, body: str, **options: str) -> str:
        given: dict[str, Any] = {}
        if "delay" in options:
            given["delay_ms"] = milliseconds(options["delay"])
        if "group" in options:
            given["group"] = options["group"]
        if "dedup" in options:
            given["dedup_id"] = options["dedup"]
        sent = border.send(queue, body.encode(), **given)
        names = (border.text(sent.message_id), border.text(sent.sequence_number))
        if expected.startswith("same-as "):
            assert sent.duplicate == 1
            same = names == self.sent[expected.removeprefix("same-as ")]
            return expected if same else "another message"
        assert sent.duplicate == 0
        assert names not in self.sent.values()
        self.sent.setdefault(body, names)
        return "ok"

    def receive(self, queue: Any, expected: str, **options: str) -> str:
        given: dict[str, Any] = {"max": int(options.get("max", 1))}
        if "visibility" in options:
            given["visibility_ms"] = milliseconds(options["visibility"])
        if "attempt" in options:
            given["attempt_id"] = options["attempt"]
        messages = border.receive(queue, **given)
        bodies = [message["body"].decode() for message in messages]
        for body, message in zip(bodies, messages, strict=True):
            self.deliveries[body].append(message)
        if expected.startswith("any:"):
            wanted = expected.removeprefix("any:").split()
            return expected if sorted(bodies) == sorted(wanted) else " ".join(bodies)
        return " ".join(bodies) or "nothing"

    def receipt(self, word: str) -> bytes:
        body, _, delivery = word.partition("#")
        return str(self.deliveries[body][int(delivery or 0) - 1]["receipt"]).encode()

    def delete(self, queue: Any, _: str, word: str) -> str:
        border.check(border.lib.trunkline_delete(queue, self.receipt(word)))
        return "ok"

    def extend(self, queue: Any, _: str, word: str, seconds: str) -> str:
        receipt = self.receipt(word)
        border.check(border.lib.trunkline_extend(queue, receipt, milliseconds(seconds)))
        return "ok"

    def release(self, queue: Any, _: str, word: str) -> str:
        border.check(border.lib.trunkline_release(queue, self.receipt(word)))
        return "ok"

    def advance(self, _: Any, expected: str, seconds: str) -> str:
        border.check(border.lib.trunkline_advance(self.engine, milliseconds(seconds)))
        return expected

    def purge(self, queue: Any, _: str) -> str:
        border.check(border.lib.trunkline_purge(queue))
        return "ok"

    def count(self, queue: Any, expected: str) -> str:
        counted = border.statistics(queue)
        names = [word.partition("=")[0] for word in expected.split()]
        return " ".join(f"{name}={counted[name]}" for name in names)

    def message(self, _: Any, expected: str, body: str) -> str:
        message = self.deliveries[body][-1]
        names = [word.partition("=")[0] for word in expected.split()]
        return " ".join(f"{name}={message[name]}" for name in names)


@pytest.mark.parametrize("name", COVERED)
def test_vector(name: str) -> None:
    case = COVERED[name]
    with border.engine(virtual_start_ms=1_700_000_000 * SECOND) as engine:
        runner = Runner(engine, case)
        for step in case["steps"]:
            runner.step(step)


def test_only_cases_with_verbs_of_other_surfaces_are_left_out() -> None:
    for name in CASES.keys() - COVERED.keys():
        other = (verbs_of(CASES[name]) - VERBS) | (options_of(CASES[name]) - set(OPTIONS))
        assert other <= {"configure", "create", "move", "peek", "redrive_allow"}, name
    assert len(COVERED) > 2 * len(CASES) // 3
