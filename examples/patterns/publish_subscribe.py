"""Publish-subscribe: the publisher knows the topic alone; each subscriber gets its own copy.

::

                        +--> [ archive ]          everything
    desk --> ( news ) --+--> [ sport ]            filter on attributes
                        +--> [ alerts ]           filter on the body

It prints::

    archive 3, sport 1, alerts 1
"""

import json

import trunkline

with trunkline.open() as engine:
    news = engine.topic("news")
    archive, sport, alerts = (engine.queue(name) for name in ("archive", "sport", "alerts"))
    news.subscribe(archive, raw=True)
    news.subscribe(sport, raw=True, filter={"section": ["sport"]})
    urgent = {"priority": [{"numeric": [">", 7]}]}
    news.subscribe(alerts, raw=True, filter=urgent, filter_scope="body")

    for section, priority in (("sport", 1), ("city", 9), ("city", 2)):
        body = json.dumps({"title": "...", "priority": priority})
        news.publish(body, attributes={"section": section})

    counts = {queue.name: queue.statistics().visible for queue in (archive, sport, alerts)}
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
