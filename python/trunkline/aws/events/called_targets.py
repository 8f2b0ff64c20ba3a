"""Targets of rules that are reached by calls: of an operation, or of an API in this process.

The destination of such a target keeps its events in the engine; a thread for each calls the
operation of the target's kind, as the account of the rule. A marker among the documents says which
targets there are, so that an opening of the engine need not read all rules.
"""

from __future__ import annotations

from trunkline._outbox import DestinationWorker, Refused
from trunkline.aws.arns import Resource, read_resource
from trunkline.aws.calls import Failed, Request, send
from trunkline.aws.events import stored
from trunkline.aws.events.connection_store import BACKGROUND
from trunkline.aws.invoker import ServiceInvoker
from trunkline.aws.targets.table import OF_RULES
from trunkline.errors import NotFound, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Bus, LeasedDelivery
    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.store import Store
    from trunkline.aws.targets.kind import TargetKind

PREFIX = f"{BACKGROUND}called-targets/"
"""The start of the markers' keys."""


def _called(arn: str) -> tuple[Resource, TargetKind] | None:
    """The resource and the kind of a target that is reached by calls."""
    resource = read_resource(arn)
    kind = None if resource is None else OF_RULES.get(resource.kind)
    if resource is None or kind is None:
        return None
    is_called = kind.call is not None or (kind.rule is None and kind.template is not None)
    return (resource, kind) if is_called else None


def follow(store: Store, bus: Bus, rule: str) -> None:
    """Has the operations be called of those targets of a rule that are reached by calls."""
    for target in bus.rule(rule)["targets"]:
        given = stored.read(target["document"])
        if not given or _called(given["Arn"]) is None:
            continue
        marker = {
            "account": bus.account,
            "region": bus.region,
            "bus": bus.name,
            "rule": rule,
            "target": target["id"],
        }
        store.put(PREFIX + "/".join(marker.values()), marker)
        _work(store, bus, marker, target["resource"])


def resume(store: Store) -> None:
    """Goes on with what waits from an earlier opening; forgets markers of targets that are gone."""
    for marker in store.every(PREFIX):
        bus = store.core.bus((marker["account"], marker["region"], marker["bus"]), False)
        target = None if bus is None else _target(bus, marker)
        if bus is None or target is None:
            store.put(PREFIX + "/".join(marker.values()), None)
        else:
            _work(store, bus, marker, target["resource"])


def _target(bus: Bus, marker: dict[str, str]) -> dict[str, Any] | None:
    """The target of a marker as it is now; None if it is gone, or reached otherwise."""
    try:
        targets = bus.rule(marker["rule"])["targets"]
    except NotFound:
        return None
    for target in targets:
        given = stored.read(target["document"])
        if target["id"] == marker["target"] and given and _called(given["Arn"]) is not None:
            return {**target, "given": given}
    return None


def _work(store: Store, bus: Bus, marker: dict[str, str], destination: int) -> None:
    """Starts the thread of a destination, unless it works."""
    with store.lock:
        workers = store.background.setdefault("called", {})
        if destination in workers:
            return
        invoker = store.background.get("invoker")
        if invoker is None:
            invoker = store.background["invoker"] = ServiceInvoker(store.core)
        try:
            handler = store.core.outbox().handler(destination)
        except TrunklineError:
            # The target was removed meanwhile.
            return
        handle = _Caller(store.core, invoker, bus, marker).call
        worker = DestinationWorker(handler, handle, 1, f"rule-{marker['rule']}")
        workers[destination] = worker
        worker.start()


class _Caller:
    """Calls the operation of one target."""

    def __init__(
        self, core: CoreEngine, invoker: ServiceInvoker, bus: Bus, marker: dict[str, str]
    ) -> None:
        self._core = core
        self._invoker = invoker
        self._bus = bus
        self._marker = marker

    def call(self, delivery: LeasedDelivery) -> None:
        """Handles one event, as the target is now; an exception has it tried again."""
        target = _target(self._bus, self._marker)
        called = None if target is None else _called(target["given"]["Arn"])
        if target is None or called is None:
            raise Refused("The target was removed.")
        text = bytes(delivery.body).decode("utf-8", "replace")
        try:
            self._send(*called, target["given"], text)
        except Failed as failed:
            if failed.is_final:
                raise Refused(str(failed)) from None
            raise

    def _send(self, resource: Resource, kind: TargetKind, given: dict[str, Any], text: str) -> None:
        if kind.call is not None:
            kind.call(self._core, resource, given, text)
            return
        template = kind.template
        assert template is not None, "a kind that is called has a template, or is called here"
        params = template.params(resource, given, text)
        region = resource.region or self._bus.region
        request = Request(template.service, template.operation, region, params)
        send(self._invoker, request, self._bus.account)
