"""The model of a queue: what it may do, in plain Python, without the engine's data structures.

The model checks answers instead of predicting them: the engine chooses which of several allowed
messages a receive returns, and the model decides whether the choice was allowed and complete. Time
is in milliseconds, as in the engine, so nothing depends on rounding.

A wrong answer raises `Violation`; `test_model_mutants.py` shows that it does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

DEDUP_WINDOW_MS = 300_000
VISIBILITY_MAX_MS = 43_200_000


class Violation(AssertionError):
    """The engine did what the rules do not allow."""


def require(condition: bool, claim: str) -> None:
    """Raise `Violation` naming the claim that does not hold."""
    if not condition:
        raise Violation(claim)


@dataclass
class Message:
    """One message that was accepted and not yet deleted."""

    message_id: str
    body: bytes
    order: int  # position among all accepted sends of its queue
    sent: int
    retained_from: int  # what retention counts from; a FIFO dead-letter move resets it
    group: str | None = None
    delayed_until: int = 0
    deliveries: int = 0
    first_received: int | None = None
    leased_until: int = 0

    def is_delayed(self, now: int) -> bool:
        return self.delayed_until > now

    def is_in_flight(self, now: int) -> bool:
        return self.leased_until > now

    def is_visible(self, now: int) -> bool:
        return not self.is_delayed(now) and not self.is_in_flight(now)


@dataclass(frozen=True)
class Receipt:
    """What the model remembers of one delivery."""

    text: str
    message_id: str
    delivery: int
    received: int


@dataclass(frozen=True)
class Seen:
    """What the engine handed out for one message."""

    message_id: str
    body: bytes
    receive_count: int
    group: str | None
    first_received: int
    sent: int
    receipt: str


@dataclass
class QueueModel:
    """One queue. `fifo` selects the rules; options are those of `engine.queue`, in milliseconds."""

    fifo: bool
    visibility: int = 30_000
    delay: int = 0
    retention: int = 345_600_000
    max_receive_count: int | None = None
    dedup_by_group: bool = False
    dead_letter: QueueModel | None = None
    messages: dict[str, Message] = field(default_factory=dict)
    dedup: dict[tuple[str | None, str], tuple[int, str]] = field(default_factory=dict)
    orders: int = 0

    # --- sending ---------------------------------------------------------------------------------

    def duplicate_of(self, group: str | None, dedup_id: str, now: int) -> str | None:
        """The id of the message a send with this deduplication id repeats, if it repeats one."""
        first = self.dedup.get((group if self.dedup_by_group else None, dedup_id))
        return first[1] if first is not None and now < first[0] + DEDUP_WINDOW_MS else None

    def sent(
        self,
        message_id: str,
        body: bytes,
        now: int,
        *,
        group: str | None = None,
        dedup_id: str | None = None,
        delay: int | None = None,
    ) -> None:
        """The engine answered a send with `message_id`."""
        if dedup_id is not None:
            original = self.duplicate_of(group, dedup_id, now)
            if original is not None:
                require(message_id == original, "a duplicate is answered with the original's id")
                return
            self.dedup[group if self.dedup_by_group else None, dedup_id] = (now, message_id)
        require(message_id not in self.messages, "a new message has a new id")
        self.orders += 1
        self.messages[message_id] = Message(
            message_id,
            body,
            self.orders,
            now,
            now,
            group,
            now + (self.delay if delay is None else delay),
        )

    # --- receiving -------------------------------------------------------------------------------

    def received(
        self, answer: list[Seen], limit: int, visibility: int | None, now: int, moved: set[str]
    ) -> list[Receipt]:
        """The engine answered a receive; `moved` are the ids that turned up in the dead letters."""
        self.expire(now)
        require(len(answer) <= limit, "a receive returns at most `max` messages")
        ids = [seen.message_id for seen in answer]
        require(len(set(ids)) == len(ids), "a receive returns no message twice")
        for message_id in moved:
            self._check_move(message_id, now)
        complete = len(answer) < limit
        if self.fifo:
            self._check_fifo_order(ids, moved, complete, now)
        else:
            self._check_standard(ids, moved, complete, now)
        receipts = [self._lease(seen, visibility, now) for seen in answer]
        # In the order of their sends, so that a group is among the dead letters in its order.
        for message_id in sorted(moved, key=lambda i: self.messages[i].order):
            self._move(message_id, now)
        return receipts

    def _check_move(self, message_id: str, now: int) -> None:
        message = self.messages.get(message_id)
        require(message is not None, "only a message of the queue becomes a dead letter")
        assert message is not None
        require(message.is_visible(now), "only a visible message becomes a dead letter")
        require(
            self.max_receive_count is not None and message.deliveries >= self.max_receive_count,
            "a message becomes a dead letter only after max_receive_count deliveries",
        )

    def _must_move(self, message: Message) -> bool:
        return self.max_receive_count is not None and message.deliveries >= self.max_receive_count

    def _check_standard(self, ids: list[str], moved: set[str], complete: bool, now: int) -> None:
        visible = {m.message_id for m in self.messages.values() if m.is_visible(now)}
        dead = {i for i in visible if self._must_move(self.messages[i])}
        for message_id in ids:
            require(message_id in visible, "only a visible message is delivered")
            require(
                message_id not in dead, "no message is delivered more than max_receive_count times"
            )
        if complete:
            require(set(ids) == visible - dead, "a receive that is not full leaves nothing visible")
            require(moved == dead, "a receive that is not full moves every dead letter")

    def _check_fifo_order(self, ids: list[str], moved: set[str], complete: bool, now: int) -> None:
        deliverable = {group: self.deliverable(group, now) for group in self.groups()}
        answered: list[str | None] = []
        for message_id in ids:
            require(message_id in self.messages, "only a message of the queue is delivered")
            group = self.messages[message_id].group
            if not answered or answered[-1] != group:
                answered.append(group)
        require(
            len(set(answered)) == len(answered), "a receive fills from one group before the next"
        )
        for position, group in enumerate(answered):
            mine = [i for i in ids if self.messages[i].group == group]
            allowed = [i for i in deliverable[group] if not self._must_move(self.messages[i])]
            require(mine == allowed[: len(mine)], "order inside a group holds")
            last = position == len(answered) - 1
            require(
                len(mine) == len(allowed) or (last and not complete),
                "a receive takes what a group has before it goes on to the next",
            )
            for message_id in deliverable[group]:
                if message_id == mine[-1]:
                    break
                if message_id not in mine:
                    require(message_id in moved, "a dead letter in front of a delivery is moved")
        if complete:
            everything = {i for allowed in deliverable.values() for i in allowed}
            dead = {i for i in everything if self._must_move(self.messages[i])}
            require(set(ids) == everything - dead, "a receive that is not full empties every group")
            require(moved == dead, "a receive that is not full moves every dead letter")

    def groups(self) -> set[str | None]:
        """The groups that have messages."""
        return {message.group for message in self.messages.values()}

    def deliverable(self, group: str | None, now: int) -> list[str]:
        """The visible messages of a group, oldest first, up to the first that is not visible."""
        prefix: list[str] = []
        for message in sorted(self.messages.values(), key=lambda m: m.order):
            if message.group == group:
                if not message.is_visible(now):
                    break
                prefix.append(message.message_id)
        return prefix

    def _lease(self, seen: Seen, visibility: int | None, now: int) -> Receipt:
        message = self.messages[seen.message_id]
        message.deliveries += 1
        if message.first_received is None:
            message.first_received = now
        message.leased_until = now + (self.visibility if visibility is None else visibility)
        require(seen.body == message.body, "a body arrives as it was sent")
        require(seen.group == message.group, "a group arrives as it was sent")
        require(seen.receive_count == message.deliveries, "the receive count grows by one")
        require(seen.first_received == message.first_received, "the first receive is remembered")
        require(seen.sent == message.sent, "the time of the send is kept")
        return Receipt(seen.receipt, message.message_id, message.deliveries, now)

    def _move(self, message_id: str, now: int) -> None:
        assert self.dead_letter is not None
        message = self.messages.pop(message_id)
        message.leased_until = message.delayed_until = 0
        if self.fifo:
            message.retained_from = now
        self.dead_letter.orders += 1
        message.order = self.dead_letter.orders
        self.dead_letter.messages[message_id] = message

    # --- receipts --------------------------------------------------------------------------------

    def delete(self, receipt: Receipt, now: int) -> str | None:
        """Apply a delete; the code of the error it must raise, or None."""
        self.expire(now)
        message = self.messages.get(receipt.message_id)
        if message is None:
            return None
        current = message.deliveries == receipt.delivery and message.is_in_flight(now)
        if self.fifo and not current:
            return "InvalidParameterValue"
        del self.messages[receipt.message_id]
        return None

    def extend(self, receipt: Receipt, visibility: int, now: int) -> str | None:
        """Apply a change of visibility; the code of the error it must raise, or None."""
        self.expire(now)
        message = self.messages.get(receipt.message_id)
        # The cap counts from the receive that gave the receipt, and is looked at first.
        if message is None or now + visibility > receipt.received + VISIBILITY_MAX_MS:
            return "InvalidParameterValue"
        if not message.is_in_flight(now):
            return "InvalidParameterValue" if self.fifo else None
        # On a standard queue an older receipt changes the lease that there is.
        if self.fifo and message.deliveries != receipt.delivery:
            return "InvalidParameterValue"
        message.leased_until = now + visibility
        return None

    # --- the rest --------------------------------------------------------------------------------

    def purge(self) -> None:
        """Forget every message, and with it what was deduplicated."""
        self.messages.clear()
        self.dedup.clear()

    def expire(self, now: int) -> None:
        """Drop what is older than the retention."""
        gone = [i for i, m in self.messages.items() if now >= m.retained_from + self.retention]
        for message_id in gone:
            del self.messages[message_id]

    def counts(self, now: int) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        self.expire(now)
        delayed = sum(m.is_delayed(now) for m in self.messages.values())
        in_flight = sum(m.is_in_flight(now) for m in self.messages.values())
        return len(self.messages) - delayed - in_flight, in_flight, delayed

    def check_peek(self, ids: Iterable[str], now: int) -> None:
        """The engine showed everything that is not in flight, without limit."""
        self.expire(now)
        shown = list(ids)
        expected = {i for i, m in self.messages.items() if m.is_visible(now)}
        require(set(shown) >= expected, "a peek shows every visible message")
        require(set(shown) <= set(self.messages), "a peek shows only what is in the queue")
