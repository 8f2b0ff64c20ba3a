"""Snapshots: those of Flink applications, which no SQL application has."""

from __future__ import annotations

from trunkline.aws.kinesisanalyticsv2.documents import read
from trunkline.aws.kinesisanalyticsv2.errors import unsupported
from trunkline.aws.kinesisanalyticsv2.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


def _refuse(call: Call, *, application_name: str, **given: Any) -> dict[str, Any]:
    """A SQL application keeps its own state, and takes no snapshots."""
    document = read(call, application_name)
    raise unsupported(f"The SQL application {document['name']} has no snapshots.")


for _name in (
    "CreateApplicationSnapshot",
    "DeleteApplicationSnapshot",
    "DescribeApplicationSnapshot",
    "ListApplicationSnapshots",
):
    operations.add(_name)(_refuse)
