"""What a stream costs beside its data."""

from __future__ import annotations

import subprocess
import sys

import pytest

OVERHEAD_MAX = 48
"""Bytes of memory that a record of a stream takes beside its data."""


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_a_record_in_memory_takes_little_beside_its_data():
    # In a process of its own: what other tests have freed would hide what is taken.
    script = """
import resource, trunkline

def resident():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()

stream = trunkline.open().stream("clicks", shards=1)
records = [("user-1", b"x" * 100)] * 500
for _ in range(100):
    stream.put_batch(records)
before = resident()
for _ in range(600):
    stream.put_batch(records)
print((resident() - before) / 300_000 - 100)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(ran.stdout) <= OVERHEAD_MAX
