"""Aggregator: messages that belong together are collected until all are there, then become one.

::

    [ items.fifo ]  groups: order-1, order-2, ...
          | in order within an order
          v
    aggregator -- all three are there --> [ parcels ]

It prints::

    order-1: book, cup, pen
    order-2: hat, map, tea
"""

import trunkline

WHOLE = 3

with trunkline.open() as engine:
    items, parcels = engine.queue("items.fifo"), engine.queue("parcels.fifo")
    sent = [
        ("order-1", "book"),
        ("order-2", "hat"),
        ("order-1", "cup"),
        ("order-2", "map"),
        ("order-1", "pen"),
        ("order-2", "tea"),
    ]
    for group, item in sent:
        items.send(item, group=group, dedup_id=f"{group}-{item}")

    # What is collected stays in the queue until its parcel is sent: a crash loses nothing, and the
    # parcel's deduplication id keeps it from being sent twice.
    collected: dict[str, list[trunkline.Message]] = {}
    while messages := items.receive(max=10):
        for message in messages:
            parts = collected.setdefault(message.group or "", [])
            parts.append(message)
            if len(parts) == WHOLE:
                text = ", ".join(part.text() for part in parts)
                parcels.send(text, group=message.group, dedup_id=message.group)
                items.delete_batch(parts)

    for parcel in sorted(parcels.receive(max=10), key=lambda parcel: parcel.group or ""):
        print(f"{parcel.group}: {parcel.text()}")
