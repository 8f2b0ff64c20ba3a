"""The events of EventBridge Schemas on the default bus."""

from __future__ import annotations

from trunkline.aws.arns import partition
from trunkline.aws.service_events import emit_service_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call


def emit_version_created(call: Call, schema: Mapping[str, Any]) -> None:
    """Tells of the newest version of a schema; of the first also that the schema is new."""
    # AWS leaves out the account in this resource name.
    arn = f"arn:{partition(call.region)}:schemas:{call.region}::schema"
    detail = {
        "SchemaName": schema["name"],
        "SchemaType": schema["type"],
        "RegistryName": schema["registry"],
        "CreationDate": str(schema["modified"]).replace("+00:00", "Z"),
        "Version": str(schema["last"]),
    }
    happened = ["Schema Created"] if schema["last"] == 1 else []
    for detail_type in (*happened, "Schema Version Created"):
        emit_service_event(
            call.store.core,
            (call.account, call.region),
            "aws.schemas",
            detail_type,
            detail,
            [f"{arn}/{schema['registry']}/{schema['name']}"],
        )
