"""Buckets for event loops."""
