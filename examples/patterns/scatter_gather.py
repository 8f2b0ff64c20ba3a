"""Scatter-gather: a question goes to several at once; the best of their answers is taken.

::

                +--> dairy -----+
    buyer ------+--> market ----+--> [ offers ] --> the lowest price of the first two
     (topic)    +--> (silent) --+

It prints::

    2 of 3 have answered; market offers 9
"""

import json
import time

import trunkline

ENOUGH, PATIENCE = 2, 60.0

with trunkline.open() as engine:
    wanted, offers = engine.topic("wanted"), engine.queue("offers")

    def supplier(name, price):
        def answer(event, context):
            if price is None:
                return
            question = json.loads(event["Records"][0]["Sns"]["Message"])
            offer = {"by": name, "price": price, "id": question["id"]}
            offers.send(json.dumps(offer))

        return answer

    for name, price in (("dairy", 12), ("market", 9), ("silent", None)):
        wanted.subscribe(engine.function(name, supplier(name, price)))

    wanted.publish(json.dumps({"id": 7, "what": "milk"}))
    answers: list[dict] = []
    until = time.monotonic() + PATIENCE
    while len(answers) < ENOUGH and (left := until - time.monotonic()) > 0:
        for message in offers.receive(max=10, wait=left):
            with message:
                answers.append(message.json())
    best = min(answers, key=lambda offer: offer["price"])
    print(f"{len(answers)} of 3 have answered; {best['by']} offers {best['price']}")
