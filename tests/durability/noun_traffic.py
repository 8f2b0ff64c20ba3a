"""A program to be killed: it publishes, puts events and records, and lets schedules fall due.

Usage: noun_traffic.py FOLDER DURABILITY ROUND

Every line is one `write`, so it is whole or absent: `s KIND BODY` before a call, `S KIND BODY`
after it was acknowledged. Bodies are `ROUND-NUMBER`. The clock is virtual: a round begins
`ROUND_SECONDS` after the one before it, and lasts no longer.
"""

import os
import sys
import threading
import time

import trunkline

START = 1_800_000_000
ROUND_SECONDS = 2_700
TICKS_MAX = 40
KEYS = 8


def say(line: str) -> None:
    """Write one line in one system call: no buffer that a kill could empty."""
    os.write(1, line.encode() + b"\n")


def define(engine: trunkline.Engine) -> None:
    """Everything that the traffic needs; in later rounds it is there already."""
    topic, ordered = engine.topic("topic"), engine.topic("topic.fifo")
    bus = engine.bus("bus")
    for name in ("a", "b", "c"):
        topic.subscribe(engine.queue(f"topic-{name}"))
        ordered.subscribe(engine.queue(f"topic-{name}.fifo"))
        bus.rule(name, {"source": ["kill"]}, engine.queue(f"bus-{name}"), input_path="$.detail")
    bus.archive("all")
    engine.stream("stream", shards=4)
    ticks, moment = engine.queue("ticks"), "<aws.scheduler.scheduled-time>"
    engine.schedule("ticks", "rate(1 minute)", ticks, input=moment)


def traffic(engine: trunkline.Engine, kind: str, round_: str) -> None:
    """One kind of call for ever."""
    topic, ordered, bus = engine.topic("topic"), engine.topic("topic.fifo"), engine.bus("bus")
    stream = engine.stream("stream")
    number = 0
    while True:
        number += 1
        body, key = f"{round_}-{number}", f"k{number % KEYS}"
        say(f"s {kind} {body}")
        match kind:
            case "topic":
                topic.publish(body)
            case "topic.fifo":
                ordered.publish(body, group=key, dedup_id=body)
            case "bus":
                bus.put({"source": "kill", "detail-type": "t", "detail": {"body": body}})
            case "stream":
                stream.put(body, key=key)
        say(f"S {kind} {body}")


def main() -> None:
    folder, durability, round_ = sys.argv[1:]
    clock = trunkline.VirtualClock(START + int(round_) * ROUND_SECONDS)
    engine = trunkline.open(folder, durability=durability, clock=clock)
    define(engine)
    for kind in ("topic", "topic.fifo", "bus", "stream"):
        threading.Thread(target=traffic, args=(engine, kind, round_), daemon=True).start()
    for _ in range(TICKS_MAX):
        clock.advance(60)
        time.sleep(0.005)
    threading.Event().wait()


if __name__ == "__main__":
    main()
