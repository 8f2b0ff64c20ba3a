"""How do two members of a reader share a clickstream? Each takes half of the shards.

python examples/clickstream.py [EVENTS]
"""

import random
import sys
import threading
from collections import Counter

import trunkline
from trunkline.errors import LeaseLost

PAGES = ("home", "search", "item", "cart")


def count(member: trunkline.Reader, found: Counter[str], enough: threading.Event) -> None:
    """Counts clicks until all are counted. What is committed comes to no other member."""
    with member:
        while not enough.is_set():
            batch = member.fetch(max=2_000, wait=0.1)
            if not len(batch):
                continue
            try:
                member.commit(batch)
            except LeaseLost:
                continue  # The other member has these shards now, and reads them again.
            found.update(record.text() for record in batch)


def main() -> None:
    clicks = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    chance = random.Random(7)
    with trunkline.open() as engine:
        stream = engine.stream("clicks", shards=4)
        both: list[Counter[str]] = [Counter(), Counter()]
        enough = threading.Event()
        # Both have joined before the first click, so each holds two shards.
        readers = [stream.reader("counts", start="earliest") for _ in both]
        members = [
            threading.Thread(target=count, args=(reader, found, enough))
            for reader, found in zip(readers, both, strict=True)
        ]
        for member in members:
            member.start()
        for _ in range(0, clicks, 1_000):
            stream.put_batch(
                [(f"user-{chance.randrange(500)}", chance.choice(PAGES)) for _ in range(1_000)]
            )
        while sum(found.total() for found in both) < clicks:
            members[0].join(0.05)
        enough.set()
        for member in members:
            member.join()
        total = sum(both, Counter())
        shared = "both" if all(both) else "one of the"
        print(f"{total.total()} clicks on {len(total)} pages, counted by {shared} members")


if __name__ == "__main__":
    main()
