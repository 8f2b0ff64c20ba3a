"""Content-based router: what a message says decides where it goes.

::

                             +-- total > 100 ----> [ by-hand ]
    [ orders ] --> ( router )+-- country: CH ----> [ customs ]
                             +-- anything else --> [ shipping ]

It prints::

    shipping: [1]
    customs: [2, 4]
    by-hand: [3, 4]
"""

import trunkline

RICH = {"detail": {"total": [{"numeric": [">", 100]}]}}
SWISS = {"detail": {"country": ["CH"]}}
OTHER = {"detail": {"total": [{"numeric": ["<=", 100]}], "country": [{"anything-but": ["CH"]}]}}

with trunkline.open() as engine:
    router = engine.bus("router")
    routes = {name: engine.queue(name) for name in ("shipping", "customs", "by-hand")}
    for name, pattern in (("shipping", OTHER), ("customs", SWISS), ("by-hand", RICH)):
        router.rule(name, pattern, routes[name], input_path="$.detail")

    orders = [(1, 20, "DE"), (2, 30, "CH"), (3, 500, "DE"), (4, 900, "CH")]
    for id, total, country in orders:
        detail = {"id": id, "total": total, "country": country}
        matched = router.put({"source": "shop", "detail-type": "Order", "detail": detail}).matched
        assert matched, "no order is lost for want of a route"

    for name, queue in routes.items():
        print(f"{name}: {sorted(one.json()['id'] for one in queue.receive(max=10))}")
