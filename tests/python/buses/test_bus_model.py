"""A bus against a small model: rules come, change and go, events are put, the engine restarts."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import trunkline

NAMES = st.sampled_from(["a", "b", "c"])
QUEUES = ("one", "two")
IDS = st.sampled_from(["main", "more"])
VALUES = st.integers(0, 2)


class BusMachine(RuleBasedStateMachine):
    """What a bus must do, in Python: a dict of rules, and a bag of details for each queue."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.clock = trunkline.VirtualClock(1_700_000_000)
        # The value that a rule is for, the queue of each of its targets, whether it is enabled.
        self.rules: dict[str, tuple[int, dict[str, str], bool]] = {}
        self.waiting: dict[str, Counter[int]] = {name: Counter() for name in QUEUES}
        self.archived: list[int] = []
        self.ids: set[str] = set()
        self.open()

    def open(self) -> None:
        self.engine = trunkline.open(self.folder, durability="os", clock=self.clock)
        self.bus = self.engine.bus()
        self.archive = self.bus.archive("all")
        self.queues = {name: self.engine.queue(name) for name in QUEUES}

    def matching(self, value: int) -> list[str]:
        rules = self.rules.values()
        matched = [queues for wanted, queues, enabled in rules if enabled and wanted == value]
        return [queue for queues in matched for queue in queues.values()]

    @rule(name=NAMES, value=VALUES, queue=st.sampled_from(QUEUES), enabled=st.booleans())
    def put_rule(self, name: str, value: int, queue: str, enabled: bool) -> None:
        pattern = {"detail": {"v": [value]}}
        self.bus.rule(name, pattern, self.queues[queue], enabled=enabled)
        self.rules[name] = (value, {"main": queue}, enabled)

    @rule(name=NAMES, id=IDS, queue=st.sampled_from(QUEUES))
    def add_target(self, name: str, id: str, queue: str) -> None:
        for one in self.bus.rules():
            if one.name == name:
                one.add_target(self.queues[queue], id=id)
                self.rules[name][1][id] = queue

    @rule(name=NAMES, id=IDS)
    def remove_target(self, name: str, id: str) -> None:
        for one in self.bus.rules():
            if one.name == name:
                one.remove_target(id)
                self.rules[name][1].pop(id, None)

    @rule(name=NAMES, enabled=st.booleans())
    def enable(self, name: str, enabled: bool) -> None:
        for one in self.bus.rules():
            if one.name == name:
                one.enable() if enabled else one.disable()
                self.rules[name] = (*self.rules[name][:2], enabled)

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        for one in self.bus.rules():
            if one.name == name:
                one.remove()
                del self.rules[name]

    @rule(value=VALUES)
    def put(self, value: int) -> None:
        put = self.bus.put({"source": "s", "detail-type": "t", "detail": {"v": value}})
        assert put.event_id not in self.ids
        self.ids.add(put.event_id)
        queues = self.matching(value)
        matched = sum(on and wanted == value for wanted, _, on in self.rules.values())
        assert (put.matched, put.delivered, put.failed) == (matched, len(queues), 0)
        self.archived.append(value)
        for queue in queues:
            self.waiting[queue][value] += 1

    @rule(value=VALUES)
    def explain(self, value: int) -> None:
        why = self.bus.explain({"source": "s", "detail-type": "t", "detail": {"v": value}})
        assert {name: one.matched for name, one in why.items()} == {
            name: wanted == value for name, (wanted, _, _) in self.rules.items()
        }

    @rule(queue=st.sampled_from(QUEUES))
    def take(self, queue: str) -> None:
        taken: Counter[int] = Counter()
        while messages := self.queues[queue].receive(max=10):
            for message in messages:
                taken[message.json()["detail"]["v"]] += 1
                message.delete()
        assert taken == self.waiting[queue]
        self.waiting[queue].clear()

    @rule()
    def replay(self) -> None:
        self.archive.replay()
        self.clock.advance(1)
        # A replay goes on behind a crash with what is not durable yet; here all of it is.
        self.engine.flush()
        for value in self.archived:
            for queue in self.matching(value):
                self.waiting[queue][value] += 1

    @rule(crash=st.booleans())
    def restart(self, crash: bool) -> None:
        if crash:
            # What was acknowledged is with the operating system: a copy shows it.
            copy = tempfile.mkdtemp()
            shutil.copytree(self.folder, copy, dirs_exist_ok=True)
            self.engine.close()
            shutil.rmtree(self.folder)
            self.folder = copy
        else:
            self.engine.close()
        self.open()

    @invariant()
    def it_looks_as_the_model(self) -> None:
        rules = {
            one.name: ([target["id"] for target in one.targets()], one.enabled)
            for one in self.bus.rules()
        }
        assert rules == {name: (list(ids), on) for name, (_, ids, on) in self.rules.items()}
        assert self.archive.events == len(self.archived)
        for name, queue in self.queues.items():
            assert queue.statistics().visible == sum(self.waiting[name].values())

    def teardown(self) -> None:
        self.engine.close()
        shutil.rmtree(self.folder)


TestBus: Any = BusMachine.TestCase
TestBus.settings = settings(settings.default, stateful_step_count=30)
