"""Dead letters that pass through several queues, and receipts that are not the newest."""

from __future__ import annotations

import pytest

import trunkline


def receive_count(queue: trunkline.Queue, wait: float = 0) -> int | None:
    """Receive one message without a lease; its shown receive count, None for no message."""
    (message,) = queue.receive(1, visibility_timeout=0, wait=wait) or (None,)
    return message and message.receive_count


@pytest.mark.parametrize("suffix", ["", ".fifo"])
@pytest.mark.parametrize("durable", [False, True])
def test_each_queue_counts_its_own_receives_and_shows_all(tmp_path, suffix, durable):
    folder = tmp_path / "data" if durable else None
    first, middle, last = (f"{name}{suffix}" for name in ("first", "middle", "last"))
    with trunkline.open(folder) as engine:
        engine.queue(last)
        engine.queue(middle, dead_letter=last, max_receive_count=3)
        queue = engine.queue(first, dead_letter=middle, max_receive_count=2)
        queue.send("work", **({"group": "g", "dedup_id": "d"} if suffix else {}))
        assert [receive_count(queue) for _ in range(3)] == [1, 2, None]
        assert receive_count(engine.queue(middle)) == 3
    if durable:
        engine = trunkline.open(folder)
    else:
        engine = trunkline.open()
        return
    with engine:
        # The first receive of the middle queue was its own first one, also after a restart.
        # The coarse clock of the new engine may lag some milliseconds behind the old one's lease.
        assert receive_count(engine.queue(middle), wait=20) == 4
        assert [receive_count(engine.queue(middle)) for _ in range(2)] == [5, None]
        (message,) = engine.queue(last).receive()
        assert (message.receive_count, message.text()) == (6, "work")
        assert message.first_received_at is not None
        assert message.dead_letter_source == middle


def test_a_message_that_is_moved_back_counts_anew():
    with trunkline.open() as engine:
        engine.queue("dead")
        queue = engine.queue("work", dead_letter="dead", max_receive_count=1)
        queue.send("again")
        assert [receive_count(queue) for _ in range(2)] == [1, None]
        engine.queue("dead").start_redrive().wait()
        assert receive_count(queue) == 1


def test_a_redrive_of_one_message_names_what_is_wrong():
    with trunkline.open() as engine:
        dead = engine.queue("dead")
        sent = dead.send("by hand")
        with pytest.raises(TypeError, match="message must be"):
            dead.redrive_message(7)
        with pytest.raises(TypeError, match="destination must be"):
            dead.redrive_message(sent.message_id, 7)
        with pytest.raises(trunkline.ResourceNotFound, match="no message nowhere"):
            dead.redrive_message("nowhere")
        with pytest.raises(trunkline.InvalidParameterValue, match="name a destination"):
            dead.redrive_message(sent.message_id)
        assert dead.statistics().visible == 1


def test_an_old_receipt_of_a_standard_queue_changes_the_lease():
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        queue = engine.queue("work", visibility_timeout=10)
        queue.send("slow")
        (old,) = queue.receive()
        clock.advance(10)
        (new,) = queue.receive()
        old.extend(60)
        clock.advance(30)
        assert queue.receive() == [], "the lease of the newer delivery was extended"
        old.release()
        (again,) = queue.receive()
        assert (new.receive_count, again.receive_count) == (2, 3)
