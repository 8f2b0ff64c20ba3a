"""How do services carry out the same order without a conductor, each by the events of the others?

`order_saga.py` is the twin with one definition. Here no place knows the whole flow: each service
has rules for what it hears of, and puts what it did as events. Events are delivered at least once,
so each service looks at what it did already.
"""

from threading import Event, Lock

import trunkline

SOURCE = "shop"

lock = Lock()
done: dict[str, list[str]] = {}
ended = {name: Event() for name in ("tea", "coffee", "yacht")}


def main() -> None:
    engine = trunkline.open()
    bus = engine.bus("orders")

    def tell(kind: str, order: dict) -> None:
        bus.put({"source": SOURCE, "detail-type": kind, "detail": order})

    def service(step: str, hears: tuple[str, ...], tells: str) -> None:
        """A service that does its step once it heard of all these, and tells of it."""
        heard: dict[str, set[str]] = {}

        def handle(event: dict) -> None:
            order = event["detail"]
            with lock:
                known = heard.setdefault(order["order"], set())
                known.add(event["detail-type"])
                steps = done.setdefault(order["order"], [])
                if step in steps or not known.issuperset(hears):
                    return
                steps.append(step)
            if step == "charge" and order["total"] > 1_000:
                tell("Declined", order)
            elif step == "ask" and order["order"] == "coffee":
                tell("Rejected", order)
            else:
                tell(tells, order)

        bus.rule(step, {"source": [SOURCE], "detail-type": list(hears)}, handle)

    service("charge", ("Placed",), "Paid")
    service("reserve", ("Paid",), "Reserved")
    service("ship", ("Paid",), "Shipped")
    service("ask", ("Reserved", "Shipped"), "Approved")
    # What undoes listens to the same events: compensation, without anyone who orders it.
    service("release", ("Rejected",), "Released")
    service("refund", ("Released",), "Refunded")

    def finish(event: dict) -> None:
        ended[event["detail"]["order"]].set()

    last = ["Approved", "Refunded", "Declined"]
    bus.rule("finish", {"source": [SOURCE], "detail-type": last}, finish)

    with engine:
        for name, total in (("tea", 3), ("coffee", 4), ("yacht", 1_000_000)):
            tell("Placed", {"order": name, "total": total})
        for name, event in ended.items():
            assert event.wait(60), name
            steps = sorted(done[name][:3]) + done[name][3:]
            print(f"{name}: {', '.join(steps)}")


if __name__ == "__main__":
    main()
