"""Dead-letter queues: RedrivePolicy and RedriveAllowPolicy."""

from __future__ import annotations

import json

from trunkline.aws.sqs.errors import invalid, invalid_value
from trunkline.aws.sqs.resources import arn_of, find_arn
from trunkline.queues.metadata import read_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Queue
    from trunkline.aws.operation import Call
    from trunkline.aws.sqs.attributes import Change

_COUNT_MAX = 1_000
_SOURCES_MAX = 10


class Redrive:
    """The two policies of one queue."""

    def __init__(self, call: Call, arn: str, *, fifo: bool) -> None:
        self._call = call
        self._arn = arn
        self._fifo = fifo

    def apply(self, change: Change, name: str, raw: str) -> None:
        """Works out what one of the two policies changes; an empty one removes it."""
        if name == "RedrivePolicy":
            change.settings["dead_letter"] = self._target(raw) if raw else None
        else:
            change.document["redrive_allow"] = self._allowed(raw) if raw else None
        if raw:
            change.kept[name] = raw
        else:
            change.kept.pop(name, None)

    def _target(self, raw: str) -> tuple[int, int]:
        def refuse(reason: str) -> Exception:
            return invalid_value(raw, "RedrivePolicy", reason)

        policy = _parse(raw, "RedrivePolicy")
        arn, count = policy.get("deadLetterTargetArn"), policy.get("maxReceiveCount")
        if not isinstance(arn, str) or not arn:
            raise refuse(
                "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
            )
        if count is None:
            raise refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
        try:
            deliveries = int(count)
        except (TypeError, ValueError):
            raise refuse("Invalid value for maxReceiveCount.") from None
        if not 1 <= deliveries <= _COUNT_MAX:
            raise refuse(
                f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to "
                f"{_COUNT_MAX} both inclusive."
            )
        target = find_arn(self._call, arn)
        if target is None or (target.account, target.region) != tuple(
            reversed(self._arn.split(":")[3:5])
        ):
            raise refuse("Dead letter target does not exist.")
        if target.fifo is not self._fifo:
            raise refuse("Dead-letter queue must be same type of queue as the source.")
        allowed = read_metadata(target).get("redrive_allow")
        name = self._arn.rsplit(":", 1)[1]
        if allowed == "none" or (isinstance(allowed, list) and name not in allowed):
            raise refuse("The dead-letter queue does not allow this queue as a source.")
        return target.id, deliveries

    def _allowed(self, raw: str) -> str | list[str] | None:
        def refuse(reason: str) -> Exception:
            return invalid_value(raw, "RedriveAllowPolicy", reason)

        policy = _parse(raw, "RedriveAllowPolicy")
        permission, sources = policy.get("redrivePermission"), policy.get("sourceQueueArns")
        if permission not in ("allowAll", "denyAll", "byQueue"):
            raise refuse("Invalid value for redrivePermission.")
        if permission != "byQueue":
            if sources:
                raise refuse("sourceQueueArns can only be given with redrivePermission byQueue.")
            return "none" if permission == "denyAll" else None
        if not isinstance(sources, list) or not 1 <= len(sources) <= _SOURCES_MAX:
            raise refuse(f"Between 1 and {_SOURCES_MAX} sourceQueueArns must be given.")
        return sorted({str(source).rsplit(":", 1)[-1] for source in sources})

    def describe(
        self, queue: Queue, kept: Mapping[str, Any], document: Mapping[str, Any]
    ) -> dict[str, str]:
        """The two policies as they hold now.

        What the caller wrote is given back, also where it is the same in other words; unless
        another surface has changed what holds since.
        """
        found = {}
        dead = queue.settings.dead_letter
        if dead is not None:
            text = kept.get("RedrivePolicy")
            if not text or not self._holds(text, dead):
                policy = {"deadLetterTargetArn": self._arn_of(dead[0]), "maxReceiveCount": dead[1]}
                text = json.dumps(policy)
            found["RedrivePolicy"] = text
        allowed = document.get("redrive_allow")
        text = kept.get("RedriveAllowPolicy")
        if text and self._allowed(text) == allowed:
            found["RedriveAllowPolicy"] = text
        elif allowed == "none":
            found["RedriveAllowPolicy"] = json.dumps({"redrivePermission": "denyAll"})
        elif isinstance(allowed, list):
            arns = [self._neighbour(name) for name in allowed]
            allow: dict[str, Any] = {"redrivePermission": "byQueue", "sourceQueueArns": arns}
            found["RedriveAllowPolicy"] = json.dumps(allow)
        return found

    def _holds(self, text: str, dead: tuple[int, int]) -> bool:
        policy = json.loads(text)
        arn, count = policy["deadLetterTargetArn"], policy["maxReceiveCount"]
        return int(count) == dead[1] and arn == self._arn_of(dead[0])

    def _arn_of(self, target: int) -> str | None:
        queue = self._call.store.core.queue_by_id(target)
        return None if queue is None else arn_of(queue)

    def _neighbour(self, name: str) -> str:
        return f"{self._arn.rsplit(':', 1)[0]}:{name}"


def _parse(raw: str, parameter: str) -> dict[str, Any]:
    try:
        policy = json.loads(raw)
    except ValueError:
        policy = None
    if not isinstance(policy, dict):
        raise invalid(
            f"Value {raw} for parameter {parameter} is invalid. "
            f"Reason: {parameter} is not a valid JSON map."
        )
    return policy
