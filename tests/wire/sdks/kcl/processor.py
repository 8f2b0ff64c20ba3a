"""The record processor that the Python KCL runs for each shard; it says what it saw in a file.

Its standard output speaks with the daemon. Lines are appended in one write, so the processors of
several shards share the file.
"""

from __future__ import annotations

import os
import sys

from amazon_kclpy import kcl
from amazon_kclpy.v3.processor import RecordProcessorBase


def say(*words: str) -> None:
    with open(sys.argv[1], "ab", buffering=0) as file:
        file.write((" ".join(words) + "\n").encode())


class Processor(RecordProcessorBase):
    def initialize(self, given):
        self.shard = given.shard_id
        say("begins", self.shard)

    def process_records(self, given):
        for record in given.records:
            data = record.binary_data.decode()
            say("record", self.shard, record.partition_key, data, record.sequence_number)
        if given.records:
            given.checkpointer.checkpoint()

    def lease_lost(self, given):
        say("lost", self.shard)

    def shard_ended(self, given):
        given.checkpointer.checkpoint()
        say("ended", self.shard)

    def shutdown_requested(self, given):
        given.checkpointer.checkpoint()
        say("stops", self.shard)


if __name__ == "__main__":
    try:
        kcl.KCLProcess(Processor()).run()
    except Exception as error:
        say("failed", repr(error))
        os._exit(1)
