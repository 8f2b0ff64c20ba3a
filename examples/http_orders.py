"""An order that is posted over HTTP reaches a function through an API and a queue.

    python examples/http_orders.py [FOLDER]

The API answers as soon as the order is kept in the queue; the function gets it from there. So a
function that is slow or away loses no order: the second part posts one while there is no function.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import urllib.request
from queue import Queue

import trunkline

WAIT_SECONDS = 30


def post(url: str, order: dict[str, object]) -> int:
    """Posts an order, as `curl -d` does; the status."""
    request = urllib.request.Request(url, json.dumps(order).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
        return int(answer.status)


def attach(engine: trunkline.Engine, handled: Queue[dict[str, object]]) -> None:
    """Lets a function have what comes into the queue."""

    def brew(event: dict[str, list[dict[str, str]]], context: object) -> None:
        for record in event["Records"]:
            handled.put(json.loads(record["body"]))

    engine.event_source(engine.queue("orders"), engine.function("brew", brew))


def finish(engine: trunkline.Engine) -> None:
    """Waits until what was handled is deleted: a program that ends before gets it once more."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        left = engine.queue("orders").statistics()
        if not left.visible and not left.in_flight:
            return
        if time.monotonic() > until:
            raise TimeoutError("the queue of orders is not empty")
        time.sleep(0.01)


def demonstrate(folder: str) -> None:
    handled: Queue[dict[str, object]] = Queue()
    with trunkline.open(folder) as engine:
        attach(engine, handled)
        api = engine.api("front").route("POST /orders", engine.queue("orders"))
        with api.serve() as served:
            status = post(served.url + "/orders", {"tea": 1})
        print(f"the function got {handled.get(timeout=WAIT_SECONDS)}; it is answered {status}")
        finish(engine)
    with trunkline.open(folder) as engine:
        with engine.api("front").serve() as served:
            status = post(served.url + "/orders", {"tea": 2})
        print(f"after a restart, without a function: {status}")
        attach(engine, handled)
        print(f"once it is there again, it got {handled.get(timeout=WAIT_SECONDS)}")
        finish(engine)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        demonstrate(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory(prefix="trunkline-http-") as made:
            demonstrate(made)
