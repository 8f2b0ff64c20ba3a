"""Schedules: cron, rate and one-time expressions that send a message, or call a function."""
