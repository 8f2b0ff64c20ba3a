"""How do I take a stream to a data lake? It is exported to Parquet, and DuckDB asks the file.

    python examples/parquet_export.py [EVENTS]

Needs `pip install 'trunkline[analytics]'`.
"""

import json
import random
import sys
import tempfile
from pathlib import Path

import duckdb

import trunkline

TOP = """
    SELECT decode(data)::json ->> 'city' AS city, count(*) AS orders,
           sum((decode(data)::json ->> 'price')::int) AS revenue
    FROM read_parquet($file) GROUP BY city ORDER BY revenue DESC, city LIMIT 3
"""
CITIES = ("Oslo", "Lima", "Pune", "Bonn", "Nice")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    chance = random.Random(7)
    with trunkline.open() as engine, tempfile.TemporaryDirectory() as folder:
        orders = engine.stream("orders", shards=2)
        for start in range(0, count, 1_000):
            found = []
            for number in range(start, min(start + 1_000, count)):
                order = {"city": chance.choice(CITIES), "price": chance.randrange(1, 100)}
                found.append((f"order-{number}", json.dumps(order)))
            orders.put_batch(found)
        file = Path(folder) / "orders.parquet"
        written = orders.to_parquet(file)
        print(f"{written} records")
        for city, number, revenue in duckdb.execute(TOP, {"file": str(file)}).fetchall():
            print(f"{city}: {number} orders, {revenue}")


if __name__ == "__main__":
    main()
