"""Lambda functions that deciders asked for, called by threads that live while there are any."""

from __future__ import annotations

import json
from threading import Lock, Thread

from trunkline._core import WorkflowFault
from trunkline.aws.arns import partition
from trunkline.aws.limits import SWF_DATA_CHARS_MAX, SWF_LAMBDA_THREADS, SWF_REASON_CHARS_MAX
from trunkline.errors import TrunklineError
from trunkline.machines.functions import outcome_of
from trunkline.machines.task import Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import WorkflowDomain, WorkflowDomains
    from trunkline.aws.store import Store

DOCUMENT = "swf/lambda"
"""The document that is there once a function was asked for: another opening goes on with it."""


class Callers:
    """The threads that call functions for the executions of an engine."""

    def __init__(self, store: Store, domains: WorkflowDomains) -> None:
        self._store = store
        self._domains = domains
        self._lock = Lock()
        self._threads = 0

    def start(self, domain: WorkflowDomain) -> None:
        """Has the functions called that executions of a domain wait for."""
        with self._lock:
            if self._threads >= SWF_LAMBDA_THREADS:
                # One of the others looks again before it ends.
                return
            self._threads += 1
        Thread(target=self._work, args=(domain,), name="swf-lambda", daemon=True).start()

    def _work(self, domain: WorkflowDomain) -> None:
        is_counted = True
        try:
            while True:
                task = domain.take_lambda()
                if task is None:
                    with self._lock:
                        self._threads -= 1
                        is_counted = False
                    # What came between the two is left to another thread.
                    if not domain.has_lambdas():
                        return
                    with self._lock:
                        self._threads += 1
                        is_counted = True
                    continue
                token, _, name, given, _, _, _ = task
                self._report(token, self._call(domain, name, given))
        except (TrunklineError, WorkflowFault):
            # The engine was closed, or the domain is gone.
            return
        finally:
            if is_counted:
                with self._lock:
                    self._threads -= 1

    def _call(self, domain: WorkflowDomain, name: str, given: str | None) -> Report:
        account, region, _ = domain.name
        arn = f"arn:{partition(region)}:lambda:{region}:{account}:function:{name}"
        outcome = outcome_of(
            self._store.core, name if name.startswith("arn:") else arn, given or "{}"
        )
        if isinstance(outcome, Report):
            return outcome
        if outcome.error is not None:
            told = outcome.error_fields()
            reason = str(told.get("errorType", "Lambda.Unknown"))
            return Report("failed", reason, json.dumps(told, separators=(",", ":")))
        return Report("succeeded", outcome.payload.decode("utf-8", "replace"))

    def _report(self, token: str, report: Report) -> None:
        succeeded = report.kind == "succeeded"
        most = SWF_DATA_CHARS_MAX if succeeded else SWF_REASON_CHARS_MAX
        first, second = report.first, report.second
        try:
            self._domains.respond_lambda(
                token,
                succeeded,
                None if first is None else first[:most],
                None if second is None else second[:SWF_DATA_CHARS_MAX],
            )
        except WorkflowFault:
            # The execution has ended, or the function took too long.
            return


def callers_of(store: Store) -> Callers:
    """What calls functions for an engine."""
    from trunkline._core import WorkflowDomains

    with store.lock:
        found = store.background.get(DOCUMENT)
        if not isinstance(found, Callers):
            found = Callers(store, WorkflowDomains(store.core))
            store.background[DOCUMENT] = found
        return found


def call_lambdas(store: Store, domain: WorkflowDomain) -> None:
    """Has the functions called that executions of a domain wait for, now and after a restart."""
    if store.get(DOCUMENT) is None:
        store.put(DOCUMENT, {})
        store.flush()
    callers_of(store).start(domain)
