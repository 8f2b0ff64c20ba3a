"""Hub and spoke: applications know the hub alone; the hub knows who has to hear of what.

::

    shop ---+             +--> [ billing ]
    phone --+--> ( hub ) -+--> [ stock ]
    web ----+             +--> [ mail ]

It prints::

    billing: 3, stock: 2, mail: 1
"""

import trunkline

with trunkline.open() as engine:
    hub = engine.bus("hub")
    spokes = {name: engine.queue(name) for name in ("billing", "stock", "mail")}
    # Who is connected, and to what, is said here and nowhere else.
    hub.rule("billing", {"detail-type": ["Order"]}, spokes["billing"])
    hub.rule("stock", {"detail": {"goods": ["shipped"]}}, spokes["stock"])
    hub.rule("mail", {"source": ["web"]}, spokes["mail"])

    for source, goods in (("shop", "taken"), ("phone", "shipped"), ("web", "shipped")):
        hub.put({"source": source, "detail-type": "Order", "detail": {"goods": goods}})

    print(", ".join(f"{name}: {spoke.statistics().visible}" for name, spoke in spokes.items()))
