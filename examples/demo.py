"""The demonstration behind `make demo`: orders, a failing consumer, a kill -9, a restart.

    python examples/demo.py [FOLDER]

1. Imports examples/data/orders.csv into a FIFO queue, one group an order, durably; and once more,
   to show that duplicates add nothing.
2. Starts a consumer in a process of its own and kills it with SIGKILL in the middle.
3. Starts another one, which goes on where the first stood. Payments with a negative amount fail
   every time, so they end in the dead-letter queue and their orders go on without them.
4. Checks the result, repairs the dead letters, moves them back, and prints the figures.

The process exits with an error when any check fails.
"""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import trunkline

ORDERS = Path(__file__).parent / "data" / "orders.csv"
EVENTS = ["placed", "paid", "packed", "delivered"]
LEASE_SECONDS = 5
DELIVERIES_MAX = 3
BATCH = 100


def open_queues(folder: str) -> tuple[trunkline.Engine, trunkline.Queue, trunkline.Queue]:
    """The engine, the orders and their dead letters. Every process opens them like this."""
    engine = trunkline.open(folder)
    dead = engine.queue("orders-dead.fifo")
    orders = engine.queue(
        "orders.fifo",
        visibility_timeout=LEASE_SECONDS,
        dead_letter=dead.name,
        max_receive_count=DELIVERIES_MAX,
    )
    return engine, orders, dead


# --- the consumer: what a user would write -------------------------------------------------------


class PaymentRefused(Exception):
    """The bank does not accept this amount."""


def handle(event: dict[str, str]) -> None:
    """Do the work of one event. Says what it did before the message is deleted."""
    if int(event["amount_cents"]) < 0:
        raise PaymentRefused(event["order"])
    print(event["order"], event["event"], flush=True)


def consume(folder: str) -> None:
    """Handle events until none is left, neither waiting nor leased."""
    engine, orders, _ = open_queues(folder)
    with engine:
        while True:
            for message in orders.receive(max=10, wait=LEASE_SECONDS + 1):
                try:
                    with message:  # deletes on success, makes visible again on an exception
                        handle(message.json())
                except PaymentRefused:
                    continue
            counted = orders.statistics()
            if counted.visible + counted.in_flight == 0:
                return


# --- the four acts -------------------------------------------------------------------------------


def import_orders(folder: str, rows: list[dict[str, str]]) -> tuple[float, int]:
    """Send every row; seconds that it took, and messages in the queue after a second import."""
    engine, orders, _ = open_queues(folder)
    with engine:
        entries = [
            trunkline.SendEntry(
                json.dumps(row), group=row["order"], dedup_id=f"{row['order']}/{row['event']}"
            )
            for row in rows
        ]
        started = time.perf_counter()
        for start in range(0, len(entries), BATCH):
            result = orders.send_batch(entries[start : start + BATCH])
            check(not result.failed, "every row is accepted")
        seconds = time.perf_counter() - started
        orders.send_batch(entries)
        return seconds, orders.statistics().visible


def start_consumer(folder: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--consume", folder]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def run_and_kill(folder: str, lines: int) -> list[str]:
    """Let a consumer handle some events, kill it with SIGKILL, return all that it said."""
    with start_consumer(folder) as consumer:
        assert consumer.stdout is not None
        said = [consumer.stdout.readline() for _ in range(lines)]
        consumer.kill()
        said += consumer.stdout.readlines()
    check(consumer.returncode == -signal.SIGKILL, "the consumer was killed")
    return [line.strip() for line in said if line.endswith("\n")]


def run_to_the_end(folder: str) -> list[str]:
    """Let a consumer handle all that is left."""
    with start_consumer(folder) as consumer:
        assert consumer.stdout is not None
        said = consumer.stdout.read().splitlines()
    check(consumer.returncode == 0, "the second consumer finished")
    return said


def repair(folder: str) -> int:
    """Take the dead letters, send each again with a valid amount; how many there were."""
    engine, orders, dead = open_queues(folder)
    repaired = 0
    with engine:
        while messages := dead.receive(max=10):
            for message in messages:
                with message:
                    event = message.json()
                    event["amount_cents"] = event["amount_cents"].lstrip("-")
                    repaired_id = f"{message.message_id}/repaired"
                    orders.send(json.dumps(event), group=message.group, dedup_id=repaired_id)
                    repaired += 1
    return repaired


def check(holds: bool, claim: str) -> None:
    """End the demonstration with an error unless the claim holds."""
    if not holds:
        raise SystemExit(f"FAILED: {claim}")


def check_order(handled: list[str]) -> None:
    """Within each order, the events were handled in their order."""
    seen: dict[str, list[int]] = defaultdict(list)
    for line in handled:
        order, event = line.split()
        position = EVENTS.index(event)
        if position not in seen[order]:
            check(all(earlier < position for earlier in seen[order]), f"{order} is in order")
            seen[order].append(position)


def demonstrate(folder: str) -> None:
    with ORDERS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    refused = sum(int(row["amount_cents"]) < 0 for row in rows)

    print(f"1. import {len(rows)} events of {len({row['order'] for row in rows})} orders")
    seconds, waiting = import_orders(folder, rows)
    check(waiting == len(rows), "a second import adds nothing")
    print(f"   {len(rows) / seconds:,.0f} events/s, each batch of {BATCH} on disk when it returned")
    print(f"   imported again: {waiting} events wait, so every duplicate was recognised")

    print("2. start a consumer, and kill -9 it in the middle")
    before = run_and_kill(folder, len(rows) // 3)
    print(f"   it had handled {len(before)} events")

    print("3. start another one")
    started = time.perf_counter()
    engine, orders, dead = open_queues(folder)
    reopen_ms = (time.perf_counter() - started) * 1_000
    counted = orders.statistics()
    print(
        f"   reopened in {reopen_ms:.1f} ms: {counted.visible} wait, {counted.in_flight} are "
        "leased to the consumer that is gone"
    )
    engine.close()
    after = run_to_the_end(folder)

    engine, orders, dead = open_queues(folder)
    dead_letters = dead.statistics().visible
    left = orders.statistics().visible
    engine.close()
    times = Counter(before + after)
    twice = sum(count - 1 for count in times.values())
    check(left == 0, "nothing is left")
    check(dead_letters == refused, "every refused payment is a dead letter, and nothing else")
    lost = len(rows) - dead_letters - len(times)
    check(lost == 0, "every event was handled or is a dead letter")
    check_order(before + after)

    print("4. repair the dead letters and handle them")
    repaired = repair(folder)
    handled_after_repair = run_to_the_end(folder)
    check(len(handled_after_repair) == repaired == refused, "every repaired payment was handled")

    print()
    print(f"  events sent               {len(rows):>6}")
    print(f"  handled before the kill   {len(before):>6}")
    print(f"  handled after the restart {len(after):>6}")
    print(f"  handled twice             {twice:>6}   (killed between the work and the delete)")
    print(f"  lost                      {lost:>6}")
    print(f"  dead letters, repaired    {repaired:>6}   after {DELIVERIES_MAX} deliveries each")


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--consume"]:
        consume(arguments[1])
    elif arguments:
        demonstrate(arguments[0])
    else:
        with tempfile.TemporaryDirectory(prefix="trunkline-demo-") as folder:
            demonstrate(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
