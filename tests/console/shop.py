"""A small shop, so that every page of the console has something to show."""

from __future__ import annotations

import json
from typing import Any

MACHINE = {
    "StartAt": "Charge",
    "States": {
        "Charge": {"Type": "Pass", "Next": "Large?"},
        "Large?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.total", "NumericGreaterThan": 100, "Next": "Ship"}],
            "Default": "Done",
        },
        "Ship": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Pack", "States": {"Pack": {"Type": "Pass", "End": True}}},
                {"StartAt": "Insure", "States": {"Insure": {"Type": "Pass", "End": True}}},
            ],
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}
PLACED = {"source": ["shop"], "detail-type": ["OrderPlaced"]}


def fill(engine: Any) -> None:
    """Creates resources of every kind, and sends something through them."""
    orders = engine.queue("orders", dead_letter=engine.queue("orders-dead"), max_receive_count=3)
    for number in range(5):
        order = {"order": number, "what": "tea", "total": 60 * number}
        orders.send(json.dumps(order), attributes={"table": number})
    engine.queue("orders-dead").send("spilled")
    engine.queue("kitchen.fifo").send("one coffee", group="table-4", dedup_id="1")
    engine.topic("news").subscribe(orders, filter={"kind": ["book"]})
    engine.bus("shop").rule("placed", PLACED, orders)
    stream = engine.stream("clicks", shards=2)
    for number in range(20):
        stream.put(json.dumps({"page": f"/tea/{number}"}), key=f"user {number % 4}")
    machine = engine.machine("checkout", MACHINE)
    machine.start({"total": 120}, name="large").wait()
    machine.start({"total": 12}, name="small").wait()
    machine.start({}, name="broken").wait()
    engine.function("brew", lambda event, context: {"brewed": event})
    reports = engine.bucket("reports")
    reports.put("2026/11/orders.csv", b"order,total\n0,0\n")
    reports.put("readme.txt", b"What is here.")
