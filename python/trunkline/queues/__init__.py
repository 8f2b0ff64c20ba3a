"""Queues: messages, options, workers and redrives. The public names are those of `trunkline`."""
