"""Which sensors run hot? The mean of a minute, every ten seconds, leads to alerts in a queue.

    python examples/sensor_alerts.py [EVENTS] [PLOT.png]

Needs `pip install 'trunkline[analytics]'`, and `[plot]` for the picture.
"""

import json
import math
import random
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import trunkline
from trunkline import analytics

SENSORS = 50
HOT = 17
ALERTS = """
    INSERT INTO alerts
    SELECT sensor, window_end, round(avg(degrees), 1) AS mean, max(degrees) AS highest
    FROM HOP(TABLE readings, DESCRIPTOR(at), INTERVAL '10' SECONDS, INTERVAL '1' MINUTE)
    GROUP BY ALL HAVING avg(degrees) > 80 ORDER BY sensor
"""


def readings(count: int, seed: int = 7) -> Iterator[tuple[str, str]]:
    """A reading a second of each of fifty sensors; one of them runs hot now and then."""
    chance = random.Random(seed)
    for number in range(count):
        at, sensor = divmod(number, SENSORS)
        degrees = 60 + chance.gauss(0, 3)
        if sensor == HOT:
            degrees += max(0.0, 35 * math.sin(at / 120))
        reading = {"at": at, "sensor": sensor, "degrees": round(degrees, 2)}
        yield f"sensor-{sensor}", json.dumps(reading)


def draw(alerts: list[dict[str, Any]], path: str) -> None:
    """A picture of the alerts of each sensor."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    for sensor in sorted({row["sensor"] for row in alerts}):
        own = [row for row in alerts if row["sensor"] == sensor]
        times = [datetime.fromisoformat(str(row["window_end"])) for row in own]
        axes.plot(times, [row["mean"] for row in own], ".", label=f"sensor {sensor}")
    axes.axhline(80, linestyle=":", color="grey")
    axes.set(title="Means of a minute above 80 degrees", ylabel="degrees")
    axes.legend()
    figure.savefig(path)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    with trunkline.open() as engine:
        stream, queue = engine.stream("readings"), engine.queue("alerts")
        query = analytics.query(engine, ALERTS)
        alerts = []
        made = readings(count)
        while batch := list(islice(made, 5_000)):
            stream.put_batch(batch)
            query.process()
            while messages := queue.receive(10):
                alerts += [message.json() for message in messages]
                queue.delete_batch(messages)
        sensors = sorted({row["sensor"] for row in alerts})
        print(f"{query.statistics()['windows']} windows; hot: {sensors}")
        if len(sys.argv) > 2:
            draw(alerts, sys.argv[2])


if __name__ == "__main__":
    main()
