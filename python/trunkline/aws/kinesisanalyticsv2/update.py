"""UpdateApplication: code, inputs, outputs and reference data of an application change at once."""

from __future__ import annotations

from trunkline.aws.kinesisanalyticsv2 import configuration
from trunkline.aws.kinesisanalyticsv2.applications import detail
from trunkline.aws.kinesisanalyticsv2.changes import change
from trunkline.aws.kinesisanalyticsv2.errors import missing, unsupported
from trunkline.aws.kinesisanalyticsv2.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.kinesisanalyticsv2.documents import Document
    from trunkline.aws.operation import Call

_SERVED = ("SqlApplicationConfigurationUpdate", "ApplicationCodeConfigurationUpdate")


def _changed(known: Any, update: Any) -> Any:
    """What is kept with an update, whose members have the same names with ``Update`` behind.

    >>> _changed({"Count": 1, "Other": 2}, {"CountUpdate": 3})
    {'Count': 3, 'Other': 2}
    """
    if not isinstance(update, dict):
        return update
    found = dict(known or {})
    for name, value in update.items():
        if name == "RecordColumnUpdates":
            found["RecordColumns"] = value
            continue
        plain = name.removesuffix("Update")
        found[plain] = _changed(found.get(plain), value) if plain != name else value
    return found


def _update(
    document: Document, kind: str, id_name: str, update: Mapping[str, Any]
) -> dict[str, Any]:
    id = update[id_name]
    place = next((at for at, one in enumerate(document[kind]) if one["id"] == id), None)
    if place is None:
        raise missing(f"{id} among the {kind}")
    rest = {name: value for name, value in update.items() if name != id_name}
    known: dict[str, Any] = document[kind][place]
    # Another kind of destination takes the place of the one there was.
    kinds = ("KinesisStreamsOutput", "KinesisFirehoseOutput", "LambdaOutput")
    if any(f"{name}Update" in rest for name in kinds):
        known = {name: value for name, value in known.items() if name not in kinds}
    found: dict[str, Any] = _changed(known, rest)
    document[kind][place] = found
    return found


def _apply(call: Call, document: Document, given: Mapping[str, Any]) -> None:
    foreign = next((name for name in given if name not in _SERVED), None)
    if foreign is not None:
        raise unsupported(f"{foreign} belongs to applications of Flink, which are not served here.")
    code = given.get("ApplicationCodeConfigurationUpdate")
    if code is not None:
        known = {"CodeContentType": "PLAINTEXT", "CodeContent": {"TextContent": document["code"]}}
        document["code"] = configuration.code_of(_changed(known, code))
    sql = given.get("SqlApplicationConfigurationUpdate", {})
    for update in sql.get("InputUpdates", ()):
        configuration.check_input(call, _update(document, "inputs", "InputId", update))
    for update in sql.get("OutputUpdates", ()):
        configuration.check_output(call, _update(document, "outputs", "OutputId", update))
    for update in sql.get("ReferenceDataSourceUpdates", ()):
        found = _update(document, "references", "ReferenceId", update)
        configuration.check_reference(found)


@operations.add("UpdateApplication", writes=True)
def update_application(
    call: Call,
    *,
    application_name: str,
    current_application_version_id: int | None = None,
    conditional_token: str | None = None,
    application_configuration_update: Mapping[str, Any] | None = None,
    service_execution_role_update: str | None = None,
    cloud_watch_logging_option_updates: Sequence[Mapping[str, Any]] = (),
    **foreign: Any,
) -> dict[str, Any]:
    """Changes an application; one that runs goes on with what it is now."""
    if foreign:
        raise unsupported(f"{next(iter(foreign))} is not for SQL applications.")

    def apply(document: Document) -> None:
        _apply(call, document, application_configuration_update or {})
        if service_execution_role_update is not None:
            document["role"] = service_execution_role_update
        for option in cloud_watch_logging_option_updates:
            _update(document, "logging", "CloudWatchLoggingOptionId", option)

    version = current_application_version_id
    document = change(call, application_name, version, apply, conditional_token)
    return {"ApplicationDetail": detail(call, document)}
