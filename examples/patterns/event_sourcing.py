"""Event sourcing: what happened is kept, in order; how things stand is computed from it.

::

    Deposited, Withdrawn, ... --> [ stream: account events ]  partition key: the account
                                       | read from the beginning, at any time
                                       +--> balances now
                                       +--> balances as they were

It prints::

    now: {'ann': 70, 'bob': 25}
    after three events: {'ann': 100, 'bob': 25}
"""

import itertools
import json
from collections import Counter

import trunkline

with trunkline.open() as engine:
    events = engine.stream("account-events", shards=1)
    for account, amount in (("ann", 80), ("bob", 25), ("ann", 20), ("ann", -30)):
        events.put(json.dumps({"account": account, "amount": amount}), key=account)

    def balances(most: int | None = None) -> dict[str, int]:
        found: Counter[str] = Counter()
        for record in itertools.islice(events.read(), most):
            event = json.loads(record.data)
            found[event["account"]] += event["amount"]
        return dict(found)

    print("now:", balances())
    print("after three events:", balances(3))
