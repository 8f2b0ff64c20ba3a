"""Dead-letter queues: RedrivePolicy and RedriveAllowPolicy."""

from __future__ import annotations

from trunkline.aws.json_text import read_object, write_object
from trunkline.aws.limits import REDRIVE_SOURCES_MAX
from trunkline.aws.sqs.errors import invalid_value
from trunkline.aws.sqs.resources import arn_of, find_arn
from trunkline.queues.metadata import read_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Queue
    from trunkline.aws.operation import Call
    from trunkline.aws.sqs.attributes import Change


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
        for name in ("maxReceiveCount", "deadLetterTargetArn"):
            if policy.get(name) in (None, ""):
                raise refuse(f"Redrive policy does not contain mandatory attribute: {name}.")
        arn, deliveries = policy["deadLetterTargetArn"], _count(policy["maxReceiveCount"])
        if deliveries is None:
            raise refuse("Invalid value for maxReceiveCount.")
        most = self._call.store.limit("max_receive_count_max")
        if not 1 <= deliveries <= most:
            raise refuse(
                f"Invalid value for maxReceiveCount: {deliveries}, valid values are from 1 to "
                f"{most} both inclusive."
            )
        if not isinstance(arn, str):
            raise refuse("Invalid value for deadLetterTargetArn.")
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
        if not isinstance(sources, list) or not 1 <= len(sources) <= REDRIVE_SOURCES_MAX:
            raise refuse(f"Between 1 and {REDRIVE_SOURCES_MAX} sourceQueueArns must be given.")
        return sorted({str(source).rsplit(":", 1)[-1] for source in sources})

    def describe(
        self, queue: Queue, kept: Mapping[str, Any], document: Mapping[str, Any]
    ) -> dict[str, str]:
        """The two policies as they hold now; another surface may have changed what was written."""
        found = {}
        dead = queue.settings.dead_letter
        if dead is not None:
            # A queue that was removed is still named, for its name may come back.
            written = read_object(kept.get("RedrivePolicy", "")) or {}
            arn = self._arn_of(dead[0]) or written.get("deadLetterTargetArn")
            policy = {"deadLetterTargetArn": arn, "maxReceiveCount": dead[1]}
            found["RedrivePolicy"] = write_object(policy)
        allowed = document.get("redrive_allow")
        text = kept.get("RedriveAllowPolicy")
        if text and self._allowed(text) == allowed:
            found["RedriveAllowPolicy"] = text
        elif allowed == "none":
            found["RedriveAllowPolicy"] = write_object({"redrivePermission": "denyAll"})
        elif isinstance(allowed, list):
            arns = [self._neighbour(name) for name in allowed]
            allow: dict[str, Any] = {"redrivePermission": "byQueue", "sourceQueueArns": arns}
            found["RedriveAllowPolicy"] = write_object(allow)
        return found

    def _arn_of(self, target: int) -> str | None:
        queue = self._call.store.core.queue_by_id(target)
        return None if queue is None else arn_of(queue)

    def _neighbour(self, name: str) -> str:
        return f"{self._arn.rsplit(':', 1)[0]}:{name}"


def _parse(raw: str, parameter: str) -> dict[str, Any]:
    policy = read_object(raw)
    if policy is None:
        raise invalid_value(raw, parameter, f"{parameter} is not a valid JSON map.")
    return policy


def _count(value: object) -> int | None:
    # A number, or the digits of one.
    if isinstance(value, str) and value.isdecimal() and len(value) <= 9:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
