"""Which cards pay too often? A hop window over a stream of payments, evaluated as they come.

    python examples/card_fraud.py [EVENTS] [PLOT.png]

Needs `pip install 'trunkline[analytics]'`, and `[plot]` for the picture.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import trunkline
from trunkline import analytics

STOLEN = ("4000-17", "4000-42")
ALERTS = """
    INSERT INTO alerts
    SELECT card, window_start, count(*) AS payments, sum(amount) AS total
    FROM HOP(TABLE payments, DESCRIPTOR(at), INTERVAL '30' SECONDS, INTERVAL '1' MINUTE)
    GROUP BY ALL HAVING count(*) >= 25
"""


def payments(count: int, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Payments of a thousand cards, a hundred a second; two of the cards are used by a robot."""
    chance = random.Random(seed)
    for number in range(count):
        stolen = number % 100 < 2
        card = STOLEN[number % 2] if stolen else f"5000-{chance.randrange(1_000)}"
        amount = chance.randrange(1, 200)
        yield card, json.dumps({"at": number / 100, "card": card, "amount": amount})


def draw(alerts: trunkline.RecordBatch, path: str) -> None:
    """A picture of what was spent with the cards that were found."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    spent: Counter[str] = Counter()
    for record in alerts:
        row = record.json()
        spent[row["card"]] = max(spent[row["card"]], row["total"])
    figure, axes = pyplot.subplots(figsize=(9, 3), layout="constrained")
    axes.barh(list(spent), list(spent.values()))
    axes.set(title="Cards that pay too often", xlabel="most that was spent in one minute")
    figure.savefig(path)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    with trunkline.open() as engine:
        stream, alerts = engine.stream("payments"), engine.stream("alerts")
        query = analytics.query(engine, ALERTS, key="card")
        made = payments(count)
        while batch := list(islice(made, 5_000)):
            stream.put_batch(batch)
            query.process()
        found = alerts.read(max=100_000)
        cards = {record.key for record in found}
        print(f"{query.statistics()['windows']} windows; watch {', '.join(sorted(cards))}")
        if len(sys.argv) > 2:
            draw(found, sys.argv[2])


if __name__ == "__main__":
    main()
