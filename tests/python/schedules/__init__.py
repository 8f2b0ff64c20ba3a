"""Schedules: vectors, a slow reference of cron, a model of the engine, functions and endpoints."""
