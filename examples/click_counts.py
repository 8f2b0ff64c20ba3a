"""How many clicks has each page a minute? Continuous SQL over a stream, and a picture of it.

    python examples/click_counts.py [EVENTS] [PLOT.png]

Needs `pip install 'trunkline[analytics]'`, and `[plot]` for the picture.
"""

import json
import math
import random
import sys
from collections.abc import Iterator
from itertools import islice

import trunkline
from trunkline import analytics

PAGES = ("home", "search", "item", "cart", "paid")
COUNTS = """
    INSERT INTO counts
    SELECT page, window_start, count(*) AS clicks, approx_count_distinct(visitor) AS visitors
    FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' MINUTE) GROUP BY ALL ORDER BY page
"""


def clicks(count: int, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Clicks of ten thousand visitors; more at some times than at others."""
    chance = random.Random(seed)
    at = 0.0
    for _ in range(count):
        at += 0.01 / (1.2 + math.sin(at / 900))
        page = chance.choices(PAGES, (40, 30, 20, 7, 3))[0]
        visitor = f"visitor-{chance.randrange(10_000)}"
        yield visitor, json.dumps({"at": round(at, 3), "page": page, "visitor": visitor})


def draw(counts: trunkline.RecordBatch, path: str) -> None:
    """A picture of the clicks of each page."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    rows = [record.json() for record in counts]
    minutes = sorted({row["window_start"] for row in rows})
    found = {(row["page"], row["window_start"]): row["clicks"] for row in rows}
    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    series = [[found.get((page, minute), 0) for minute in minutes] for page in PAGES]
    axes.stackplot(range(len(minutes)), series, labels=PAGES)
    axes.set(title="Clicks a minute", xlabel="minute", ylabel="clicks")
    axes.legend(loc="upper left")
    figure.savefig(path)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    with trunkline.open() as engine:
        stream, counts = engine.stream("clicks"), engine.stream("counts")
        query = analytics.query(engine, COUNTS, key="page")
        made = clicks(count)
        while batch := list(islice(made, 5_000)):
            stream.put_batch(batch)
            query.process()
        found = counts.read(max=1_000_000)
        total = sum(record.json()["clicks"] for record in found)
        print(f"{query.statistics()['windows']} minutes with {total} clicks")
        if len(sys.argv) > 2:
            draw(found, sys.argv[2])


if __name__ == "__main__":
    main()
