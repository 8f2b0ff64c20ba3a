"""Schedules for event loops."""
