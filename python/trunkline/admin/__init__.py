"""The operator's verbs: what the command line and the console do with an engine.

Each verb is a function here, once. The command calls it on the engine of a folder; a server calls
it for ``POST /_trunkline/api/VERB``, with the arguments as a JSON object. ``docs/server.md`` lists
the verbs.

>>> import trunkline, trunkline.admin
>>> engine = trunkline.open()
>>> sent = engine.queue("orders").send("one coffee")
>>> trunkline.admin.run(engine, "peek", {"queue": "orders"})["messages"][0]["body"]
'one coffee'
"""

from __future__ import annotations

from trunkline.admin.registry import operate, run, verbs

__all__ = ["operate", "run", "verbs"]
