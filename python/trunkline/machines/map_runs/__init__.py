"""Distributed maps: each item, or batch of items, is the input of a child execution.

A map run is kept in two documents of the engine: what it was asked for, while it runs, and how it
stands. Children that did not end well are in documents beside it, for a redrive. Its children are
executions of their own, durable unless they are express. So a map run goes on after a crash where
it stood.
"""
