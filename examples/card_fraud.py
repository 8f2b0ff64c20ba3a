"""Which cards pay too often? A hop window over a stream of payments, evaluated as they come.

    python examples/card_fraud.py [EVENTS]

Needs `pip install 'trunkline[analytics]'`.
"""

import json
import random
import sys

import trunkline
from trunkline import analytics

STOLEN = ("4000-17", "4000-42")
ALERTS = """
    INSERT INTO alerts
    SELECT card, window_start, count(*) AS payments, sum(amount) AS total
    FROM HOP(TABLE payments, DESCRIPTOR(at), INTERVAL '30' SECONDS, INTERVAL '1' MINUTE)
    GROUP BY ALL HAVING count(*) >= 20
"""


def payments(count: int, seed: int = 7) -> list[tuple[str, str]]:
    """Payments of a thousand cards, a hundred a second; two of the cards are used by a robot."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        stolen = number % 100 < 2
        card = STOLEN[number % 2] if stolen else f"5000-{chance.randrange(1_000)}"
        amount = chance.randrange(1, 200)
        found.append((card, json.dumps({"at": number / 100, "card": card, "amount": amount})))
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    with trunkline.open() as engine:
        stream, alerts = engine.stream("payments"), engine.stream("alerts")
        query = analytics.query(engine, ALERTS, key="card")
        made = payments(count)
        for start in range(0, len(made), 5_000):
            stream.put_batch(made[start : start + 5_000])
            query.process()
        cards = {record.key for record in alerts.read(max=100_000)}
        print(f"{query.statistics()['windows']} windows; watch {', '.join(sorted(cards))}")


if __name__ == "__main__":
    main()
