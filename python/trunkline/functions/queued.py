"""Asynchronous invocations: they wait in a destination of the outbox, and are tried again.

An invocation that failed is tried again after one minute and after two, as on AWS. The engine keeps
trying for ever; that it is given up is decided here, so that what is told of it has AWS's shape.
"""

from __future__ import annotations

from uuid import NAMESPACE_OID, uuid5

from trunkline._core import RetryTable, encode_attributes
from trunkline._outbox import Refused
from trunkline.functions.definition import TIMEOUT_MS_MAX
from trunkline.functions.invocation import failure
from trunkline.functions.results import (
    EXHAUSTED,
    SUCCESS,
    TOO_OLD,
    record,
    send_dead_letter,
    send_record,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline._core import LeasedDelivery
    from trunkline.functions.active import ActiveFunction
    from trunkline.functions.definition import Policy
    from trunkline.functions.invocation import Invocation, Outcome

DELAYS_MS = (60_000, 120_000)
"""How long a first and a second retry wait: Lambda's."""

_FOREVER = 2**32 - 1 - len(DELAYS_MS)

MARGIN_MS = 10_000
"""What the end of an invocation may take, beyond its time-out, before it counts as lost."""

_REQUEST, _CLIENT, _VERSION = "RequestId", "ClientContext", "Version"
QUALIFIER = "Qualifier"
"""The attribute of a delivery that names a version or an alias."""


class InvocationFailedError(Exception):
    """The function failed, and is called again later."""


def retry_table() -> RetryTable:
    """When the engine hands an invocation out again."""
    first, second = DELAYS_MS
    phases = [(1, "fixed", first, first, 0), (_FOREVER, "fixed", second, second, 0)]
    return RetryTable(phases, None, "none")


def lease_ms(timeout: int) -> int:
    """How long an invocation may take: its wait for a slot and its time-out."""
    return min(2 * timeout + MARGIN_MS, 2 * TIMEOUT_MS_MAX + MARGIN_MS)


def attributes_of(invocation: Invocation) -> bytes:
    """What is kept of an invocation beside its payload."""
    given = {
        _REQUEST: invocation.request_id,
        QUALIFIER: invocation.qualifier,
        _CLIENT: invocation.client_context,
        _VERSION: invocation.version,
    }
    kept = [(name, "String", value.encode()) for name, value in given.items() if value is not None]
    return encode_attributes(kept)


class QueuedInvocations:
    """Carries out the asynchronous invocations of one function."""

    def __init__(
        self, core: CoreEngine, function: ActiveFunction, qualifier: str | None = None
    ) -> None:
        self._core = core
        self._function = function
        self._id = function.id if qualifier is None else f"{function.id}:{qualifier}"
        self._qualifier = qualifier
        """The version or alias that is meant by invocations which name none themselves."""

    def handle(self, delivery: LeasedDelivery) -> None:
        """One attempt; an exception has the engine try again, Refused has it record a failure."""
        function = self._function
        invocation = self._invocation(delivery)
        policy = function.definition.policy_of(invocation.qualifier)
        if self._core.now() * 1_000 - delivery.accepted_at * 1_000 > policy.max_age:
            return self._give_up(invocation, None, TOO_OLD, delivery.attempt - 1)
        if delivery.attempt > policy.retries + 1:
            # No outcome of the last attempt is known, or what is told of it could not be sent.
            return self._give_up(invocation, None, EXHAUSTED, delivery.attempt - 1)
        outcome = self._call(invocation)
        if outcome.error is None:
            if policy.on_success is not None:
                told = record(self._core, invocation, outcome, SUCCESS, delivery.attempt)
                send_record(self._core, policy.on_success, told)
            return None
        condition = self._exhausted(policy, delivery)
        if condition is None:
            raise InvocationFailedError(_why(outcome))
        return self._give_up(invocation, outcome, condition, delivery.attempt)

    def _call(self, invocation: Invocation) -> Outcome:
        function = self._function
        if invocation.version:
            return function.invoke(
                invocation, wait=(function.definition.timeout + MARGIN_MS) / 1_000
            )
        return failure("ResourceNotFoundException", f"Function not found: {invocation.arn}")

    def _invocation(self, delivery: LeasedDelivery) -> Invocation:
        kept = {name: value.decode() for name, _, value in delivery.attributes}
        # What a rule or a topic sent has no id of its own; each attempt has the same one.
        id = str(uuid5(NAMESPACE_OID, f"{self._id}/{delivery.sequence}"))
        qualifier = kept.get(QUALIFIER, self._qualifier)
        version = kept.get(_VERSION) or self._function.runtime.version_of(qualifier)
        return self._function.invocation(
            delivery.body,
            request_id=kept.get(_REQUEST, id),
            qualifier=qualifier,
            client_context=kept.get(_CLIENT),
            # A version or an alias that was removed meanwhile has none: that fails.
            version=version or "",
        )

    def _exhausted(self, policy: Policy, delivery: LeasedDelivery) -> str | None:
        """Why there is no further attempt; None while there is one."""
        if delivery.attempt > policy.retries:
            return EXHAUSTED
        delay = DELAYS_MS[min(delivery.attempt, len(DELAYS_MS)) - 1]
        age = (self._core.now() - delivery.accepted_at) * 1_000
        return TOO_OLD if age + delay > policy.max_age else None

    def _give_up(
        self, invocation: Invocation, outcome: Outcome | None, condition: str, attempts: int
    ) -> None:
        policy = self._function.definition.policy_of(invocation.qualifier)
        if policy.on_failure is not None:
            told = record(self._core, invocation, outcome, condition, attempts)
            send_record(self._core, policy.on_failure, told)
        if policy.dead_letter is not None:
            send_dead_letter(self._core, policy.dead_letter, invocation, outcome, condition)
        if policy.on_failure is None and policy.dead_letter is None:
            raise Refused(condition if outcome is None else _why(outcome))


def _why(outcome: Outcome) -> str:
    told = outcome.error_fields()
    return f"{told.get('errorType')}: {told.get('errorMessage')}"
