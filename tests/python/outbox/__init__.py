"""Deliveries that leave the engine: retry vectors, HTTP endpoints, functions as handlers."""
