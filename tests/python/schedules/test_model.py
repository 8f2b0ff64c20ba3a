"""An engine on disk against the model of schedules: any order of verbs, time and restarts."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import trunkline

from .model import Model

START = 1_700_000_000
NAMES = st.sampled_from(["a", "b", "c"])


class ScheduleMachine(RuleBasedStateMachine):
    """Every rule is applied to both."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model(START)
        self.open()

    def open(self) -> None:
        self.clock = trunkline.VirtualClock(self.model.now)
        self.engine = trunkline.open(
            Path(self.folder.name), durability="os", clock=self.clock, seed=1
        )
        self.queue = self.engine.queue("q")

    def schedule(self, name: str) -> trunkline.Schedule:
        (found,) = self.engine.schedules(name)
        return found

    @rule(
        name=NAMES,
        period=st.integers(1, 90),
        minutes=st.frozensets(st.integers(0, 59), min_size=1, max_size=4),
        is_rate=st.booleans(),
    )
    def create(self, name: str, period: int, minutes: frozenset[int], is_rate: bool) -> None:
        if name in self.model.plans:
            return
        listed = ",".join(map(str, sorted(minutes)))
        expression = f"rate({period} minutes)" if is_rate else f"cron({listed} * * * ? *)"
        text = f"<aws.scheduler.scheduled-time> {name}"
        self.engine.schedule(name, expression, self.queue, input=text)
        self.model.create(name, period * 60 if is_rate else None, minutes)

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        if name in self.model.plans:
            # What is due at this moment is sent first.
            self.queue.statistics()
            self.schedule(name).remove()
            self.model.remove(name)

    @rule(name=NAMES, pause=st.booleans())
    def pause_or_resume(self, name: str, pause: bool) -> None:
        if name in self.model.plans:
            self.queue.statistics()
            schedule = self.schedule(name)
            if pause:
                schedule.pause()
                self.model.pause(name)
            else:
                schedule.resume()
                self.model.resume(name)

    @rule(seconds=st.integers(0, 3 * 3_600))
    def advance(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.model.advance(seconds)

    @precondition(lambda self: hasattr(self, "engine"))
    @rule(seconds=st.sampled_from([0, 1, 30, 61, 3_600, 90_000]))
    def reopen(self, seconds: int) -> None:
        self.engine.close()
        self.model.reopen(seconds)
        self.open()

    @invariant()
    def the_queue_got_what_the_model_sent(self) -> None:
        if not hasattr(self, "engine"):
            return
        got = []
        while messages := self.queue.receive(max=10):
            for message in messages:
                text, name = message.text().split()
                got.append((int(datetime.fromisoformat(text).timestamp()), name))
                self.queue.delete(message)
        assert sorted(got) == sorted(self.model.sent)
        self.model.sent.clear()
        for name, plan in self.model.plans.items():
            upcoming = self.schedule(name).next(1)
            assert [int(at.timestamp()) for at in upcoming] == (
                [] if plan.paused else [plan.next()]
            )

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.close()
            self.folder.cleanup()


def test_schedules_do_what_the_model_does() -> None:
    run_state_machine_as_test(
        ScheduleMachine, settings=settings(max_examples=30, stateful_step_count=25, deadline=None)
    )
