"""Mutation checks of the model: each breaks one rule that it guards, and it must complain."""

import pytest

from .model import QueueModel, Seen, Violation


def seen(model: QueueModel, message_id: str, *, count: int = 1, first: int = 0) -> Seen:
    """A delivery as a correct engine would hand it out."""
    message = model.messages[message_id]
    return Seen(message_id, message.body, count, message.group, first, message.sent, "receipt")


def fifo(*groups: str) -> QueueModel:
    """A FIFO queue with messages m0, m1, … in these groups."""
    model = QueueModel(fifo=True, max_receive_count=1, dead_letter=QueueModel(fifo=True))
    for number, group in enumerate(groups):
        model.sent(f"m{number}", b"x", 0, group=group, dedup_id=f"d{number}")
    return model


def test_an_inversion_inside_a_group_is_caught() -> None:
    model = fifo("a", "a")
    with pytest.raises(Violation, match="order inside a group"):
        model.received([seen(model, "m1")], 1, None, 0, set())


def test_a_delivery_from_a_blocked_group_is_caught() -> None:
    model = fifo("a", "a")
    model.received([seen(model, "m0")], 1, None, 0, set())
    with pytest.raises(Violation, match="order inside a group"):
        model.received([seen(model, "m1")], 1, None, 0, set())


def test_a_mixed_receive_is_caught() -> None:
    model = fifo("a", "b", "a")
    with pytest.raises(Violation, match="fills from one group"):
        model.received([seen(model, i) for i in ("m0", "m1", "m2")], 10, None, 0, set())


def test_a_lost_message_is_caught() -> None:
    model = fifo("a", "b")
    with pytest.raises(Violation, match="empties every group"):
        model.received([seen(model, "m0")], 10, None, 0, set())


def test_a_second_delivery_beside_a_lease_is_caught() -> None:
    model = QueueModel(fifo=False)
    model.sent("m", b"x", 0)
    model.received([seen(model, "m")], 1, None, 0, set())
    with pytest.raises(Violation, match="only a visible message is delivered"):
        model.received([seen(model, "m", count=2)], 1, None, 0, set())


def test_a_delivery_too_many_is_caught() -> None:
    model = fifo("a")
    model.received([seen(model, "m0")], 1, 0, 0, set())
    with pytest.raises(Violation, match="order inside a group"):
        model.received([seen(model, "m0", count=2)], 1, 0, 0, set())


def test_a_dead_letter_too_early_is_caught() -> None:
    model = fifo("a")
    with pytest.raises(Violation, match="only after max_receive_count"):
        model.received([], 1, None, 0, {"m0"})


def test_a_duplicate_with_an_id_of_its_own_is_caught() -> None:
    model = fifo("a")
    with pytest.raises(Violation, match="answered with the original's id"):
        model.sent("m9", b"x", 299_999, group="a", dedup_id="d0")
    model.sent("m10", b"x", 300_000, group="a", dedup_id="d0")


def test_a_wrong_receive_count_is_caught() -> None:
    model = QueueModel(fifo=False)
    model.sent("m", b"x", 0)
    with pytest.raises(Violation, match="grows by one"):
        model.received([seen(model, "m", count=2)], 1, None, 0, set())


def test_a_delivery_before_its_delay_is_caught() -> None:
    model = QueueModel(fifo=False)
    model.sent("m", b"x", 0, delay=1_000)
    with pytest.raises(Violation, match="only a visible message is delivered"):
        model.received([seen(model, "m")], 1, None, 999, set())
    assert model.counts(999) == (0, 0, 1)
    assert model.counts(1_000) == (1, 0, 0)


def test_an_expired_receipt_of_a_fifo_queue_must_be_refused() -> None:
    model = fifo("a")
    (receipt,) = model.received([seen(model, "m0")], 1, 5_000, 0, set())
    assert model.delete(receipt, 5_000) == "InvalidParameterValue"
    assert "m0" in model.messages
