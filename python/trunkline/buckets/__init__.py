"""Buckets: objects under keys, with metadata, tags and perhaps earlier versions."""
