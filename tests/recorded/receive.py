"""Receives as many messages as were recorded, or until time is up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

QUIET = 0.05
"""Seconds in which what must not come would come."""


def receive(
    send: Callable[[dict[str, Any]], dict[str, Any]],
    params: dict[str, Any],
    wanted: int,
    deadline: float,
) -> dict[str, Any]:
    """The answers to ReceiveMessage as one; no more messages than `wanted`, and none for 0."""
    if not wanted:
        time.sleep(QUIET)
        return send({"WaitTimeSeconds": 0})
    messages: list[Any] = []
    while True:
        left = deadline - time.monotonic()
        most = min(wanted - len(messages), 10)
        answer = send({"MaxNumberOfMessages": most, "WaitTimeSeconds": 1 if left > 0 else 0})
        messages += answer.get("Messages", [])
        if len(messages) >= wanted or left <= 0:
            return {**answer, "Messages": messages} if messages else answer
