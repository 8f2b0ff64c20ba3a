"""The peers' benchmark: this machine, this interpreter, beside the queues that are installed.

``trunkline bench`` prints a table; each figure is a time a message, each ratio how many times as
fast as the peer. Candidates of a row take turns in every round, so that a noisy machine disturbs
all of them; the ratio is the median over the rounds, the spread its smallest and largest value.

>>> from trunkline import bench
>>> bench.main(["--list"])  # doctest: +ELLIPSIS
memory/one-by-one
...
import/bare-interpreter
0
"""

from __future__ import annotations

from trunkline.bench.command import main

__all__ = ["main"]
