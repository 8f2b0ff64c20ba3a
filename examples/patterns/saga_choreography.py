"""Saga by choreography: each service hears what the others did, and undoes its part if one fails.

::

    ( bus )  OrderPlaced --> payment --> Paid --> stock --> OutOfStock --> payment --> Refunded

No service knows the whole; the bus has the rules. It prints::

    order 1: OrderPlaced, Paid, Reserved
    order 2: OrderPlaced, Paid, OutOfStock, Refunded
"""

import trunkline

STOCK = {"tea": 5, "cake": 0}

with trunkline.open() as engine:
    bus, log, ended = engine.bus("shop"), engine.queue("log"), engine.queue("ended")

    def tell(name, order):
        bus.put({"source": "shop", "detail-type": name, "detail": order})

    def on(*names, call):
        function = engine.function(call.__name__, lambda event, _: call(event["detail"]))
        bus.rule(call.__name__, {"detail-type": list(names)}, function)

    def pay(order):
        tell("Paid", order)

    def reserve(order):
        tell("Reserved" if STOCK[order["what"]] else "OutOfStock", order)

    def refund(order):
        tell("Refunded", order)

    on("OrderPlaced", call=pay)
    on("Paid", call=reserve)
    on("OutOfStock", call=refund)
    bus.rule("log", {"source": ["shop"]}, log)
    bus.rule("ended", {"detail-type": ["Reserved", "Refunded"]}, ended)

    for id, what in ((1, "tea"), (2, "cake")):
        tell("OrderPlaced", {"id": id, "what": what})
        ended.receive(wait=20)[0].delete()
    events = [message.json() for message in log.receive(max=10)]
    for id in (1, 2):
        mine = [event["detail-type"] for event in events if event["detail"]["id"] == id]
        print(f"order {id}:", ", ".join(mine))
