"""How do I make a step exactly once, although deliveries repeat?

A step that sends its result to a FIFO queue names the input in the deduplication id. When it is
killed between the send and the delete, the repeated send changes nothing.
"""

import trunkline

with trunkline.open() as engine:
    inbox = engine.queue("inbox")
    outbox = engine.queue("outbox.fifo")
    inbox.send("3 apples")

    for attempt in ("killed before the delete", "goes well"):
        (message,) = inbox.receive()
        result = message.text().upper()
        outbox.send(result, group="results", dedup_id=message.message_id)
        if attempt == "goes well":
            message.delete()
        else:
            message.release()

    print(outbox.statistics().visible, "result:", outbox.receive()[0].text())
