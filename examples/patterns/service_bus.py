"""Service bus: what one application says is transformed into what the others understand.

::

    shop --> ( bus ) --- path of the event --------> [ billing ]
                 \\------ template for the text -----> [ mail ]
                  \\----- function: other units -----> [ stock ]

It prints::

    billing {'order': 7, 'cents': 450}
    mail "Thank you, Ann: order 7 is on its way."
    stock {'grams': 250}
"""

import trunkline

with trunkline.open() as engine:
    bus = engine.bus("services")
    billing, mail, stock = (engine.queue(name) for name in ("billing", "mail", "stock"))

    def in_grams(event, context):
        stock.send(f'{{"grams": {round(event["kilos"] * 1_000)}}}')

    bus.rule("billing", {"source": ["shop"]}, billing, input_path="$.detail.bill")
    bus.rule(
        "mail",
        {"source": ["shop"]},
        mail,
        input_path={"who": "$.detail.customer", "id": "$.detail.bill.order"},
        input_template='"Thank you, <who>: order <id> is on its way."',
    )
    grams = engine.function("in-grams", in_grams)
    bus.rule("stock", {"source": ["shop"]}, grams, input_path="$.detail")

    detail = {"customer": "Ann", "kilos": 0.25, "bill": {"order": 7, "cents": 450}}
    bus.put({"source": "shop", "detail-type": "Order", "detail": detail})
    print("billing", billing.receive(wait=10)[0].json())
    print("mail", mail.receive(wait=10)[0].text())
    print("stock", stock.receive(wait=10)[0].json())
