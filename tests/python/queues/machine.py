"""The engine beside the model: hypothesis picks verbs, both do them, the model checks the answers.

One base with every verb; `test_standard_model.py` and `test_fifo_model.py` choose the options.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import trunkline

from .model import QueueModel, Receipt, Seen

# Steps are no multiples of one another, so leases, delays, windows and retention end at times of
# their own; a few land exactly on them, which decides the boundary.
STEPS_MS = (1, 999, 2_000, 5_003, 29_999, 30_000, 61_007, 300_000, 301_009)
NEVER = 1_000_000


def milliseconds(seconds: float) -> int:
    """The engine's milliseconds behind a time that is handed out in seconds."""
    return round(seconds * 1_000)


def code_of(call: Any, *arguments: Any, **options: Any) -> str | None:
    """The code of the error that a call raises, or None."""
    try:
        call(*arguments, **options)
    except trunkline.TrunklineError as error:
        return error.code
    return None


class QueueMachine(RuleBasedStateMachine):
    """All verbs on one queue with a dead-letter queue, on a virtual clock."""

    fifo: ClassVar[bool] = False
    on_disk: ClassVar[bool] = False
    dedup_by_group: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.clock = trunkline.VirtualClock()
        self.now = 0
        self.receipts: list[Receipt] = []
        self.dead_receipts: list[Receipt] = []
        self.sends = 0
        self.folder = Path(tempfile.mkdtemp(prefix="trunkline-model-")) if self.on_disk else None
        self.engine = self.open()

    def open(self) -> Any:
        if self.folder is None:
            return trunkline.open(clock=self.clock)
        return trunkline.open(self.folder, clock=self.clock, durability="os")

    def teardown(self) -> None:
        self.engine.close()
        if self.folder is not None:
            shutil.rmtree(self.folder)

    @initialize(
        max_receive_count=st.sampled_from([1, 2, 5]),
        delay=st.sampled_from([0, 2_000]),
        retention=st.sampled_from([60_000, 345_600_000]),
    )
    def create(self, max_receive_count: int, delay: int, retention: int) -> None:
        suffix = ".fifo" if self.fifo else ""
        self.names = (f"work{suffix}", f"dead{suffix}")
        self.dead_model = QueueModel(self.fifo)
        self.model = QueueModel(
            self.fifo,
            delay=delay,
            retention=retention,
            max_receive_count=max_receive_count,
            dedup_by_group=self.dedup_by_group,
            dead_letter=self.dead_model,
        )
        self.dead = self.engine.queue(self.names[1])
        options: dict[str, Any] = {"dedup_scope": "group"} if self.dedup_by_group else {}
        self.queue = self.engine.queue(
            self.names[0],
            delay=delay / 1_000,
            retention=retention / 1_000,
            dead_letter=self.names[1],
            max_receive_count=max_receive_count,
            **options,
        )
        # The clock's start is the engine's affair; a first send tells it.
        probe = self.engine.queue(f"probe{suffix}")
        probe.send(b"?", **({"group": "g", "dedup_id": "d"} if self.fifo else {}))
        (message,) = probe.receive()
        self.now = milliseconds(message.sent_at)
        probe.remove()

    # --- sending ---------------------------------------------------------------------------------

    def next_body(self, size: int) -> bytes:
        self.sends += 1
        return f"{self.sends}:".encode().ljust(size, b".")

    @precondition(lambda self: not self.fifo)
    @rule(size=st.sampled_from([1, 100, 5_000]), delay=st.sampled_from([None, 0, 1_000, 40_000]))
    def send(self, size: int, delay: int | None) -> None:
        body = self.next_body(size)
        options = {} if delay is None else {"delay": delay / 1_000}
        sent = self.queue.send(body, **options)
        assert sent.sequence_number is None
        self.model.sent(sent.message_id, body, self.now, delay=delay)

    @precondition(lambda self: self.fifo)
    @rule(group=st.sampled_from("abc"), dedup_id=st.sampled_from([None, "x", "y"]))
    def send_in_group(self, group: str, dedup_id: str | None) -> None:
        body = self.next_body(20)
        dedup_id = dedup_id or f"unique-{self.sends}"
        self.model.expire(self.now)
        sent = self.queue.send(body, group=group, dedup_id=dedup_id)
        assert len(sent.sequence_number) == 20
        self.model.sent(sent.message_id, body, self.now, group=group, dedup_id=dedup_id)

    @rule(count=st.integers(min_value=1, max_value=25), group=st.sampled_from("abc"))
    def send_batch(self, count: int, group: str) -> None:
        bodies = [self.next_body(30) for _ in range(count)]
        if self.fifo:
            entries = [
                trunkline.SendEntry(b, group=group, dedup_id=f"batch-{b!r}"[:60]) for b in bodies
            ]
        else:
            entries = list(bodies)
        result = self.queue.send_batch(entries)
        assert not result.failed
        assert len(result.successful) == count
        for body, sent in zip(bodies, result.successful, strict=True):
            dedup_id = f"batch-{body!r}"[:60] if self.fifo else None
            in_group = group if self.fifo else None
            self.model.sent(sent.message_id, body, self.now, group=in_group, dedup_id=dedup_id)

    # --- receiving -------------------------------------------------------------------------------

    def dead_ids(self) -> set[str]:
        shown = self.dead.peek(NEVER, include_in_flight=True)
        return {message.message_id for message in shown}

    def take(
        self, queue: Any, model: QueueModel, limit: int, visibility: int | None
    ) -> list[Receipt]:
        before = self.dead_ids()
        options = {} if visibility is None else {"visibility_timeout": visibility / 1_000}
        answer = [
            Seen(
                message.message_id,
                message.body,
                message.receive_count,
                message.group,
                milliseconds(message.first_received_at),
                milliseconds(message.sent_at),
                message.receipt,
            )
            for message in queue.receive(limit, **options)
        ]
        moved = self.dead_ids() - before if model is self.model else set()
        return model.received(answer, limit, visibility, self.now, moved)

    @rule(limit=st.sampled_from([1, 2, 10]), visibility=st.sampled_from([None, 0, 5_000]))
    def receive(self, limit: int, visibility: int | None) -> None:
        self.receipts += self.take(self.queue, self.model, limit, visibility)

    @rule(limit=st.sampled_from([1, 10]))
    def receive_dead_letters(self, limit: int) -> None:
        self.dead_receipts += self.take(self.dead, self.dead_model, limit, None)

    # --- receipts --------------------------------------------------------------------------------

    @precondition(lambda self: self.receipts)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        receipt = data.draw(st.sampled_from(self.receipts))
        expected = self.model.delete(receipt, self.now)
        assert code_of(self.queue.delete, receipt.text) == expected

    @precondition(lambda self: self.dead_receipts)
    @rule(data=st.data())
    def delete_dead_letter(self, data: st.DataObject) -> None:
        receipt = data.draw(st.sampled_from(self.dead_receipts))
        expected = self.dead_model.delete(receipt, self.now)
        assert code_of(self.dead.delete, receipt.text) == expected

    @precondition(lambda self: self.receipts)
    @rule(data=st.data(), visibility=st.sampled_from([0, 1_000, 60_000, 43_200_000]))
    def extend(self, data: st.DataObject, visibility: int) -> None:
        receipt = data.draw(st.sampled_from(self.receipts))
        expected = self.model.extend(receipt, visibility, self.now)
        result = self.queue.extend_batch([receipt.text], visibility / 1_000)
        codes = [failure.code for failure in result.failed]
        assert codes == ([] if expected is None else [expected])

    @precondition(lambda self: self.receipts)
    @rule(data=st.data())
    def a_receipt_of_another_queue_is_refused(self, data: st.DataObject) -> None:
        receipt = data.draw(st.sampled_from(self.receipts))
        assert code_of(self.dead.delete, receipt.text) == "ReceiptHandleIsInvalid"

    # --- the rest --------------------------------------------------------------------------------

    @rule(step=st.sampled_from(STEPS_MS))
    def advance(self, step: int) -> None:
        self.clock.advance(step / 1_000)
        self.now += step

    @rule()
    def purge(self) -> None:
        self.queue.purge()
        self.model.purge()

    @precondition(lambda self: self.on_disk)
    @rule()
    def restart(self) -> None:
        self.engine.close()
        self.engine = self.open()
        self.queue, self.dead = (self.engine.queue(name) for name in self.names)

    @precondition(lambda self: self.on_disk)
    @rule(clean=st.booleans())
    def go_on_in_a_copy(self, clean: bool) -> None:
        """A snapshot, or the files as an end without a close leaves them."""
        assert self.folder is not None
        copy = Path(tempfile.mkdtemp(prefix="trunkline-model-")) / "copy"
        if clean:
            self.engine.snapshot(copy)
        else:
            self.engine.flush()
            shutil.copytree(self.folder, copy)
        self.engine.close()
        shutil.rmtree(self.folder)
        self.folder = copy
        self.engine = self.open()
        self.queue, self.dead = (self.engine.queue(name) for name in self.names)

    @rule()
    def a_fork_is_the_same_and_apart(self) -> None:
        with self.engine.fork() as fork:
            models = (self.model, self.dead_model)
            for name, model in zip(self.names, models, strict=True):
                copy = fork.queue(name)
                shown = [message.message_id for message in copy.peek(NEVER)]
                model.check_peek(shown, self.now)
                copy.purge()

    @rule(
        delay=st.sampled_from([0, 2_000, 40_000]), max_receive_count=st.sampled_from([1, 2, 5, 9])
    )
    def configure(self, delay: int, max_receive_count: int) -> None:
        if self.fifo:
            self.queue.configure(max_receive_count=max_receive_count)
        else:
            self.queue.configure(delay=delay / 1_000, max_receive_count=max_receive_count)
            self.model.delay = delay
        self.model.max_receive_count = max_receive_count

    @rule()
    def peek(self) -> None:
        shown = [message.message_id for message in self.queue.peek(NEVER)]
        self.model.check_peek(shown, self.now)

    @invariant()
    def statistics_are_exact(self) -> None:
        for queue, model in ((self.queue, self.model), (self.dead, self.dead_model)):
            counted = queue.statistics()
            assert (counted.visible, counted.in_flight, counted.delayed) == model.counts(self.now)
