"""Starting and stopping applications."""

from __future__ import annotations

from trunkline.aws.kinesisanalyticsv2 import configuration
from trunkline.aws.kinesisanalyticsv2.documents import check_settled, name_of, read
from trunkline.aws.kinesisanalyticsv2.errors import bad_configuration, in_use, invalid, missing
from trunkline.aws.kinesisanalyticsv2.registry import operations
from trunkline.aws.kinesisanalyticsv2.running.runner import runner_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.kinesisanalyticsv2.documents import Document
    from trunkline.aws.operation import Call

LAST = "LAST_STOPPED_POINT"


def settle(call: Call, document: Document, status: str) -> None:
    """The application is on its way to a state, which it reaches after a while."""
    document["status"] = status
    document["settled_at"] = call.store.now() + call.store.seconds("stream_change_duration")


def _positions(document: Document, given: Mapping[str, Any]) -> dict[str, str]:
    """Where each input starts, by its id."""
    if "FlinkRunConfiguration" in given or "ApplicationRestoreConfiguration" in given:
        raise invalid("FlinkRunConfiguration and snapshots are not for SQL applications.")
    known = {one["id"] for one in document["inputs"]}
    positions = dict.fromkeys(known, "NOW" if not document["positions"] else LAST)
    for one in given.get("SqlRunConfigurations", ()):
        if one["InputId"] not in known:
            raise missing(f"The input {one['InputId']}")
        start = one["InputStartingPositionConfiguration"].get("InputStartingPosition", "NOW")
        if start == LAST and not document["positions"]:
            raise invalid(f"{LAST} needs an application that was stopped.")
        positions[one["InputId"]] = start
    return positions


@operations.add("StartApplication", writes=True)
def start_application(
    call: Call, *, application_name: str, run_configuration: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Lets the pumps of an application run."""
    with call.store.lock:
        document = read(call, application_name)
        check_settled(call, document)
        if document["status"] == "RUNNING":
            raise in_use(f"The application {application_name} is RUNNING.")
        if not document["code"] or not document["inputs"]:
            raise bad_configuration("An application needs code and an input to start.")
        positions = _positions(document, run_configuration or {})
        configuration.check_code(document)
        document["positions"] = positions
        settle(call, document, "RUNNING")
        call.store.put(name_of(document).key, document)
    runner_of(call.store).start(document, is_new=True)
    return {}


@operations.add("StopApplication", writes=True)
def stop_application(call: Call, *, application_name: str, force: bool = False) -> dict[str, Any]:
    """Ends the pumps of an application; what they keep stays for LAST_STOPPED_POINT."""
    if force:
        raise invalid("Force is for applications of Flink.")
    with call.store.lock:
        document = read(call, application_name)
        check_settled(call, document)
        if document["status"] != "RUNNING":
            raise in_use(f"The application {application_name} is READY.")
        settle(call, document, "READY")
        call.store.put(name_of(document).key, document)
    runner_of(call.store).stop(name_of(document).key)
    return {}
