"""Delivery streams: records that are delivered to buckets, folders and endpoints."""
