"""A state machine holds topics against a small model, with restarts on the way."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import trunkline

STATES = ("open", "paid", "sent")
FILTERS = st.none() | st.lists(st.sampled_from(STATES), min_size=1, max_size=2, unique=True)
QUEUES = ("a", "b", "c.fifo")
WINDOW = 300.0
RETENTION = 1_000.0


class Topics(RuleBasedStateMachine):
    """One standard and one FIFO topic, three queues, and what should be in them."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.clock = trunkline.VirtualClock()
        self.engine = trunkline.open(self.folder / "data", clock=self.clock, durability="os")
        self.now = 0.0
        self.number = 0
        # Of each topic: the filter of each queue that is subscribed.
        self.subscribed: dict[str, dict[str, list[str] | None]] = {"news": {}, "orders.fifo": {}}
        self.expected: dict[str, list[str]] = {name: [] for name in QUEUES}
        # Of the FIFO topic: when each id was used, and its number.
        self.used: dict[str, tuple[float, str]] = {}
        # What the FIFO topic keeps: time, body, state; None without an archive.
        self.archive: list[tuple[float, str, str]] | None = None
        self.archived_since = 0.0
        # Subscribed to the FIFO topic, and held back behind a replay that had an end.
        self.paused: set[str] = set()
        for name in QUEUES:
            self.engine.queue(name)
        for name in self.subscribed:
            self.engine.topic(name)

    def teardown(self) -> None:
        self.engine.close()
        shutil.rmtree(self.folder)

    @rule(
        name=st.sampled_from(["news", "orders.fifo"]), queue=st.sampled_from(QUEUES), only=FILTERS
    )
    def subscribe(self, name: str, queue: str, only: list[str] | None) -> None:
        topic, target = self.engine.topic(name), self.engine.queue(queue)
        policy = None if only is None else {"state": only}
        known = self.subscribed[name]
        if name == "news" and queue.endswith(".fifo"):
            try:
                topic.subscribe(target, filter=policy)
            except trunkline.InvalidParameterValue:
                return
            raise AssertionError("a FIFO queue was subscribed to a standard topic")
        if queue not in known:
            topic.subscribe(target, filter=policy)
        else:
            self.subscription(name, queue).configure(filter=policy or {})
        known[queue] = only

    @rule(name=st.sampled_from(["news", "orders.fifo"]), queue=st.sampled_from(QUEUES))
    def unsubscribe(self, name: str, queue: str) -> None:
        for subscription in self.engine.topic(name).subscriptions():
            assert isinstance(subscription.target, trunkline.Queue)
            if subscription.target.name == queue:
                subscription.remove()
        self.subscribed[name].pop(queue, None)
        if name == "orders.fifo":
            self.paused.discard(queue)

    def deliver(self, name: str, body: str, state: str) -> int:
        matched = 0
        if name == "orders.fifo" and self.archive is not None:
            self.archive.append((self.now, body, state))
        held_back = self.paused if name == "orders.fifo" else set()
        for queue, only in self.subscribed[name].items():
            if queue not in held_back and (only is None or state in only):
                matched += 1
                self.expected[queue].append(body)
        return matched

    @rule(state=st.sampled_from(STATES))
    def publish(self, state: str) -> None:
        self.number += 1
        body = str(self.number)
        published = self.engine.topic("news").publish(body, attributes={"state": state})
        assert published.matched == published.delivered == self.deliver("news", body, state)

    @rule(state=st.sampled_from(STATES), id=st.sampled_from(["1", "2", "3"]))
    def publish_fifo(self, state: str, id: str) -> None:
        self.number += 1
        body = str(self.number)
        published = self.engine.topic("orders.fifo").publish(
            body, attributes={"state": state}, group="g", dedup_id=id
        )
        at, number = self.used.get(id, (-WINDOW, ""))
        assert published.duplicate == (self.now < at + WINDOW)
        if published.duplicate:
            assert (published.sequence_number, published.matched) == (number, 0)
            return
        assert published.sequence_number is not None
        assert all(int(published.sequence_number) > int(one) for _, one in self.used.values())
        self.used[id] = (self.now, published.sequence_number)
        assert published.matched == self.deliver("orders.fifo", body, state)

    @rule(is_on=st.sampled_from([True, True, False]))
    def switch_archive(self, is_on: bool) -> None:
        self.engine.topic("orders.fifo").archive(RETENTION if is_on else None)
        if not is_on:
            self.archive = None
        elif self.archive is None:
            self.archive, self.archived_since = [], self.now

    @rule(
        queue=st.sampled_from(QUEUES),
        age=st.sampled_from([0.0, 150.0, 10_000.0]),
        ends=st.booleans(),
        between=st.lists(st.sampled_from(STATES), max_size=3),
        restarts=st.booleans(),
    )
    def replay(
        self, queue: str, age: float, ends: bool, between: list[str], restarts: bool
    ) -> None:
        """A replay, with messages that are published before it goes on, and a restart."""
        if queue not in self.subscribed["orders.fifo"]:
            return
        subscription = self.subscription("orders.fifo", queue)
        epoch = self.clock.now - self.now
        start = max(self.now - age, 0.0)
        end = start + 100.0 if ends else None
        if self.archive is None:
            try:
                subscription.replay(epoch + start)
            except trunkline.InvalidParameterValue:
                return
            raise AssertionError("a topic without an archive was replayed")
        subscription.replay(epoch + start, None if end is None else epoch + end)
        self.paused.add(queue)
        for state in between:
            self.number += 1
            body = str(self.number)
            self.engine.topic("orders.fifo").publish(
                body, attributes={"state": state}, group="g", dedup_id=f"between {body}"
            )
            # Other queues have it at once; this one from the archive.
            self.deliver("orders.fifo", body, state)
        if restarts:
            self.restart()
        self.wait(1.0 if end is None else max(1.0, end - self.now))
        only = self.subscribed["orders.fifo"][queue]
        first = max(start, self.archived_since, self.now - 1.0 - RETENTION)
        for at, body, state in self.archive:
            is_in_time = at >= first and (end is None or at < end)
            if is_in_time and (only is None or state in only):
                self.expected[queue].append(body)
        if end is None:
            self.paused.discard(queue)
        replay = self.subscription("orders.fifo", queue).current_replay
        assert replay is not None
        assert replay.status == "COMPLETED"

    def subscription(self, name: str, queue: str) -> trunkline.Subscription:
        (found,) = [
            one
            for one in self.engine.topic(name).subscriptions()
            if isinstance(one.target, trunkline.Queue) and one.target.name == queue
        ]
        return found

    @rule(queue=st.sampled_from(QUEUES))
    def stop_replay(self, queue: str) -> None:
        if queue not in self.subscribed["orders.fifo"]:
            return
        replay = self.subscription("orders.fifo", queue).current_replay
        if replay is not None:
            replay.stop()
        self.paused.discard(queue)

    @rule(seconds=st.sampled_from([1.0, 150.0, 299.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.now += seconds

    @rule()
    def restart(self) -> None:
        self.engine.close()
        self.engine = trunkline.open(self.folder / "data", clock=self.clock, durability="os")

    @rule(queue=st.sampled_from(QUEUES))
    def consume(self, queue: str) -> None:
        got = self.engine.queue(queue).receive(10)
        expected = self.expected[queue]
        assert [message.text() for message in got] == expected[: len(got)]
        assert len(got) == min(10, len(expected))
        for message in got:
            message.delete()
        del expected[: len(got)]

    @invariant()
    def counts_agree(self) -> None:
        if not hasattr(self, "expected"):
            return
        for name, bodies in self.expected.items():
            assert self.engine.queue(name).statistics().visible == len(bodies)


TestTopics = Topics.TestCase
TestTopics.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
