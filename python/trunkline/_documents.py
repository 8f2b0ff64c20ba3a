"""Where documents of the engine lie that more than one part looks at."""

from __future__ import annotations

WAITING_FOR_QUEUES = "sns/queue/"
"""Subscriptions that name queues: below it the ARN of the queue, then that of the subscription."""
