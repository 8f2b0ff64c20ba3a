"""Runs the language-neutral cases of tests/vectors against the package."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import trunkline

VECTORS = Path(__file__).parents[2] / "vectors" / "queue"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(VECTORS.glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
]
PLENTY = 1_000


def value_of(text: str) -> Any:
    """A value of a step: a number, a boolean, or a word."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


class Runner:
    """One case: an engine, a clock, and what the steps so far have named."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.clock = trunkline.VirtualClock()
        self.engine = trunkline.open(clock=self.clock)
        self.suffix = ".fifo" if case.get("fifo") else ""
        options = dict(case.get("options", {}))
        self.queues = {}
        if "dead_letter" in case:
            name = "dead" + self.suffix
            self.queues["dead"] = self.engine.queue(name, **case["dead_letter"])
            options["dead_letter"] = name
        self.queues["q"] = self.engine.queue("q" + self.suffix, **options)
        self.sent: dict[str, Any] = {}
        self.deliveries: dict[str, list[Any]] = defaultdict(list)

    def step(self, text: str) -> None:
        """Do one step and compare what came out with what it expects."""
        action, _, expected = (part.strip() for part in text.partition("->"))
        verb, *words = action.split()
        options = {k: value_of(v) for k, _, v in (w.partition("=") for w in words if "=" in w)}
        words = [word for word in words if "=" not in word]
        queue = self.queues[
            options.pop("on", "dead" if verb == "move" and "dead" in self.queues else "q")
        ]
        try:
            outcome = getattr(self, verb)(queue, expected, *words, **options)
        except trunkline.TrunklineError as error:
            outcome = error.code
        assert outcome == expected, text

    def send(self, queue: Any, expected: str, body: str, **options: Any) -> str:
        if "dedup" in options:
            options["dedup_id"] = str(options.pop("dedup"))
        sent = queue.send(body, **options)
        if expected.startswith("same-as "):
            original = self.sent[expected.removeprefix("same-as ")]
            same = (sent.message_id, sent.sequence_number) == (
                original.message_id,
                original.sequence_number,
            )
            return expected if same else "another message"
        assert sent.message_id not in {other.message_id for other in self.sent.values()}
        self.sent.setdefault(body, sent)
        return "ok"

    def receive(self, queue: Any, expected: str, **options: Any) -> str:
        limit = options.pop("max", 1)
        if "visibility" in options:
            options["visibility_timeout"] = options.pop("visibility")
        if "attempt" in options:
            options["attempt_id"] = options.pop("attempt")
        messages = queue.receive(limit, **options)
        for message in messages:
            self.deliveries[message.text()].append(message)
        return self.bodies(messages, expected)

    def peek(self, queue: Any, expected: str, **options: Any) -> str:
        return self.bodies(queue.peek(options.pop("max", PLENTY), **options), expected)

    @staticmethod
    def bodies(messages: Any, expected: str) -> str:
        bodies = [message.text() for message in messages]
        if expected.startswith("any:"):
            wanted = expected.removeprefix("any:").split()
            return expected if sorted(bodies) == sorted(wanted) else " ".join(bodies)
        return " ".join(bodies) or "nothing"

    def receipt(self, word: str) -> str:
        body, _, delivery = word.partition("#")
        return self.deliveries[body][int(delivery or 0) - 1].receipt

    def delete(self, queue: Any, _: str, word: str) -> str:
        queue.delete(self.receipt(word))
        return "ok"

    def extend(self, queue: Any, _: str, word: str, seconds: str) -> str:
        result = queue.extend_batch([self.receipt(word)], float(seconds))
        return result.failed[0].code if result.failed else "ok"

    def release(self, queue: Any, _: str, word: str) -> str:
        return self.extend(queue, _, word, "0")

    def advance(self, _: Any, expected: str, seconds: str) -> str:
        self.clock.advance(float(seconds))
        return expected

    def purge(self, queue: Any, _: str) -> str:
        queue.purge()
        return "ok"

    def configure(self, queue: Any, _: str, **options: Any) -> str:
        queue.configure(**options)
        return "ok"

    def create(self, queue: Any, _: str, **options: Any) -> str:
        assert self.engine.queue(queue.name, **options).name == queue.name
        return "ok"

    def move(self, queue: Any, _: str) -> str:
        task = queue.start_redrive()
        self.clock.advance(1)
        assert task.status == "COMPLETED"
        return "ok"

    def count(self, queue: Any, expected: str) -> str:
        counted = queue.statistics()
        names = [word.partition("=")[0] for word in expected.split()]
        return " ".join(f"{name}={getattr(counted, name)}" for name in names)

    def message(self, _: Any, expected: str, body: str) -> str:
        message = self.deliveries[body][-1]
        names = [word.partition("=")[0] for word in expected.split()]
        return " ".join(f"{name}={getattr(message, name)}" for name in names)


@pytest.mark.parametrize("case", CASES)
def test_vector(case: dict[str, Any]) -> None:
    runner = Runner(case)
    with runner.engine:
        for step in case["steps"]:
            runner.step(step)


def test_every_case_names_its_source_and_is_a_claim_of_its_own() -> None:
    for path in VECTORS.glob("*.toml"):
        cases = tomllib.loads(path.read_text(encoding="utf-8"))["case"]
        names = [case["name"] for case in cases]
        assert len(set(names)) == len(names), path.name
        for case in cases:
            assert case["source"], case["name"]
            assert set(case) <= {"name", "source", "fifo", "options", "dead_letter", "steps"}
