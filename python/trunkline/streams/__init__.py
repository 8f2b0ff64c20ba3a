"""Streams: records in shards, and readers. The public names are those of `trunkline`."""
