"""A program to be killed: threads send, receive and delete, and say what was acknowledged.

Usage: traffic.py FOLDER DURABILITY ROUND [fifo]

Every line is one `write`, so it is whole or absent: `s BODY` before a send, `S BODY` after it was
acknowledged; `d BODY` before a delete, `D BODY` after. Bodies are `ROUND-THREAD-NUMBER`.
"""

import os
import sys
import threading

import trunkline

THREADS = 4


def say(line: str) -> None:
    """Write one line in one system call: no buffer that a kill could empty."""
    os.write(1, line.encode() + b"\n")


def traffic(queue: trunkline.Queue, name: str, fifo: bool) -> None:
    """Send for ever; now and then receive and delete."""
    number = 0
    while True:
        number += 1
        body = f"{name}-{number}"
        options = {"group": name, "dedup_id": body} if fifo else {}
        say(f"s {body}")
        queue.send(body, **options)
        say(f"S {body}")
        if number % 3 == 0:
            for message in queue.receive(2, visibility_timeout=1):
                text = message.text()
                say(f"d {text}")
                message.delete()
                say(f"D {text}")


def main() -> None:
    folder, durability, round_, *kind = sys.argv[1:]
    fifo = kind == ["fifo"]
    engine = trunkline.open(folder, durability=durability)
    queue = engine.queue("work.fifo" if fifo else "work")
    for thread in range(THREADS):
        name = f"{round_}-{thread}"
        threading.Thread(target=traffic, args=(queue, name, fifo), daemon=True).start()
    threading.Event().wait()


main()
