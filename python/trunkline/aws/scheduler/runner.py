"""Runs the operations of schedules that fell due, and tries again as their retry policies say.

The occurrences of all schedules wait in one destination of the outbox. Its retry table is the
longest that a policy may ask for; a policy that asks for less ends here, at the dead-letter queue.
"""

from __future__ import annotations

import json

from trunkline._core import RetryTable
from trunkline._outbox import Outbox, Refused
from trunkline.aws.calls import Failed, send
from trunkline.aws.errors import ServiceError
from trunkline.aws.invoker import ServiceInvoker
from trunkline.aws.scheduler import target_kinds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import LeasedDelivery
    from trunkline.aws.store import Store

NAME = "scheduler"
"""The destination in the outbox; the table of services names it too."""

LEASE_SECONDS = 60.0
"""How long one operation may take."""

THREADS = 2


def destination_of(store: Store) -> int:
    """The id of the destination that schedules deliver to; its worker runs."""
    with store.lock:
        outbox = Outbox(store.core.outbox())
        destination = outbox.find(NAME)
        if destination is None:
            retry = RetryTable.named("event-bridge")
            destination = outbox.handler(NAME, lease=LEASE_SECONDS, retry=retry)
        if "worker" not in store.background:
            worker = destination.handle(Runner(store.core).run, THREADS)
            worker.start()
            store.background["worker"] = worker
        return destination.id


def resume(store: Store) -> None:
    """Goes on with what waits from an earlier opening of the engine."""
    destination_of(store)


class Runner:
    """Makes the calls, as the account that a schedule belongs to."""

    def __init__(self, core: CoreEngine) -> None:
        self._core = core
        self._invoker = ServiceInvoker(core)

    def run(self, delivery: LeasedDelivery) -> None:
        """Handles one occurrence; an exception has it tried again."""
        told = json.loads(delivery.body)
        target = told["target"]
        payload = self._payload(told, delivery.attempt)
        try:
            self._call(told, target, payload)
        except Failed as failed:
            reason = self._exhausted(target["RetryPolicy"], delivery, failed)
            if reason is None:
                raise
            self._dead_letter(told, payload, delivery.attempt, failed, reason)

    def _call(self, told: dict[str, Any], target: dict[str, Any], payload: str) -> None:
        _, _, _, region, account, _ = told["arn"].split(":", 5)
        try:
            request = target_kinds.request(target, payload, (account, region), told["arn"])
        except ServiceError as error:
            raise Failed(error.code, error.message, is_final=True) from None
        answer = send(self._invoker, request, account)
        # PutEvents has an answer although it took nothing.
        for entry in answer.get("Entries", ()):
            if isinstance(entry, dict) and "ErrorCode" in entry:
                code, message = entry["ErrorCode"], entry.get("ErrorMessage", "")
                raise Failed(code, message, is_final=code != "ThrottlingException")

    def _payload(self, told: dict[str, Any], attempt: int) -> str:
        """The input with its context attributes, or AWS's envelope of an occurrence."""
        _, _, _, region, account, _ = told["arn"].split(":", 5)
        given = told["target"].get("Input")
        if given is None:
            target = target_kinds.parse(told["target"]["Arn"])
            if target_kinds.takes_detail(target):
                return "{}"
            return json.dumps(
                {
                    "version": "0",
                    "id": told["execution_id"],
                    "detail-type": "Scheduled Event",
                    "source": "aws.scheduler",
                    "account": account,
                    "time": told["scheduled_at"],
                    "region": region,
                    "resources": [told["arn"]],
                    "detail": "{}",
                },
                separators=(",", ":"),
            )
        context = {
            "schedule-arn": told["arn"],
            "scheduled-time": told["scheduled_at"],
            "execution-id": told["execution_id"],
            "attempt-number": str(attempt),
        }
        text: str = given
        for name, value in context.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)
        return text

    def _exhausted(
        self, policy: dict[str, int], delivery: LeasedDelivery, failed: Failed
    ) -> str | None:
        """Why there is no further attempt; empty for an error that no attempt would change."""
        if failed.is_final:
            return ""
        if delivery.attempt > policy["MaximumRetryAttempts"]:
            return "MaximumRetryAttempts"
        age = self._core.now() - delivery.accepted_at
        return "MaximumEventAgeInSeconds" if age >= policy["MaximumEventAgeInSeconds"] else None

    def _dead_letter(
        self, told: dict[str, Any], payload: str, attempt: int, failed: Failed, reason: str
    ) -> None:
        """Sends the input to the dead-letter queue; without one the outbox records the failure."""
        arn = told["target"].get("DeadLetterConfig", {}).get("Arn")
        if arn is None:
            raise Refused(str(failed))
        attributes = {
            "ERROR_CODE": failed.code,
            "ERROR_MESSAGE": failed.message or failed.code,
            "EXECUTION_ID": told["execution_id"],
            "EXHAUSTED_RETRY_CONDITION": reason,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(attempt - 1),
            "SCHEDULED_TIME": told["scheduled_at"],
            "SCHEDULE_ARN": told["arn"],
            "TARGET_ARN": told["target"]["Arn"],
        }
        _, _, _, region, account, _ = told["arn"].split(":", 5)
        request = target_kinds.request({"Arn": arn}, payload, (account, region), told["arn"])
        request.params["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in attributes.items()
            if value
        }
        try:
            send(self._invoker, request, account)
        except Failed as dead:
            raise Refused(f"{failed}; the dead-letter queue refused it: {dead}") from None
