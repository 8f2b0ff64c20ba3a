"""Message history: where a message has been, told by the message itself and by the engine.

::

    shop --> [ orders ] --> checker --> [ checked ] --> packer
                 history: shop  history: shop, checker

It prints::

    the message: shop > checker > packer
    the engine: accepted, received, deleted
"""

import trunkline

with trunkline.open(trace="on") as engine:
    orders, checked = engine.queue("orders"), engine.queue("checked")

    def pass_on(name: str, source: trunkline.Queue, target: trunkline.Queue | None) -> str:
        with source.receive()[0] as message:
            history = f"{message.attributes['history']} > {name}"
            if target is not None:
                target.send(message.body, attributes={"history": history})
        return history

    sent = orders.send("one coffee", attributes={"history": "shop"})
    pass_on("checker", orders, checked)
    print("the message:", pass_on("packer", checked, None))
    steps = [step.what for step in engine.trace(sent.message_id)]
    print("the engine:", ", ".join(steps))
