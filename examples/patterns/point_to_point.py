"""Point to point: each message goes to one consumer; what cannot be handled becomes a dead letter.

::

    shop --> [ orders ] --> worker
                  | after 3 deliveries
                  v
             [ orders-dead ] --> repaired, and moved back

It prints::

    handled: tea, cake, coffee!
"""

import trunkline

with trunkline.open() as engine:
    dead = engine.queue("orders-dead")
    orders = engine.queue("orders", dead_letter="orders-dead", max_receive_count=3)
    orders.send_batch(["tea", "coffee", "cake"])
    handled: list[str] = []
    is_repaired = False

    def handle(message: trunkline.Message) -> None:
        if message.text() == "coffee" and not is_repaired:
            raise RuntimeError("the machine is broken")
        handled.append(message.text() + ("!" if is_repaired else ""))

    orders.consume(handle, concurrency=1, until_empty=True)
    assert [message.text() for message in dead.peek()] == ["coffee"]

    is_repaired = True
    dead.start_redrive().wait()
    orders.consume(handle, concurrency=1, until_empty=True)
    print("handled:", ", ".join(handled))
