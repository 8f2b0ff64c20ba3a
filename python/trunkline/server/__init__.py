"""The server: ``trunkline serve``, and the same from Python.

>>> import trunkline, trunkline.server, urllib.request
>>> with trunkline.server.Server(trunkline.open(), port=0) as server:
...     urllib.request.urlopen(server.url + "/_trunkline/health").status
200
"""

from __future__ import annotations

from trunkline.server.server import Server

__all__ = ["Server"]
