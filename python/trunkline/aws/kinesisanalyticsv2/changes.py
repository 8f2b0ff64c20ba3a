"""Adding parts to applications, and taking them away: inputs, outputs, reference data, logging."""

from __future__ import annotations

from trunkline.aws.kinesisanalyticsv2 import configuration
from trunkline.aws.kinesisanalyticsv2.documents import (
    check_settled,
    check_version,
    keep,
    name_of,
    read,
)
from trunkline.aws.kinesisanalyticsv2.errors import missing
from trunkline.aws.kinesisanalyticsv2.registry import operations
from trunkline.aws.kinesisanalyticsv2.running.runner import runner_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline.aws.kinesisanalyticsv2.documents import Document
    from trunkline.aws.operation import Call


def change(
    call: Call,
    name: str,
    version: int | None,
    apply: Callable[[Document], None],
    token: str | None = None,
) -> Document:
    """Changes an application and keeps it as its next version; one that runs goes on with it."""
    with call.store.lock:
        document = read(call, name)
        check_settled(call, document)
        check_version(document, version, token)
        apply(document)
        configuration.check_code(document)
        keep(call, document)
    if document["status"] == "RUNNING":
        runner_of(call.store).start(document)
    return document


def _answer(document: Document, **members: Any) -> dict[str, Any]:
    where = {"ApplicationARN": name_of(document).arn}
    return {**where, "ApplicationVersionId": document["version"], **members}


@operations.add("AddApplicationInput", writes=True)
def add_application_input(
    call: Call,
    *,
    application_name: str,
    current_application_version_id: int,
    input: Mapping[str, Any],
) -> dict[str, Any]:
    """Adds the stream that an application reads."""

    def apply(document: Document) -> None:
        configuration.check_input(call, input)
        configuration.add(document, "inputs", input)

    document = change(call, application_name, current_application_version_id, apply)
    return _answer(document, InputDescriptions=configuration.inputs_told(document))


@operations.add("AddApplicationOutput", writes=True)
def add_application_output(
    call: Call,
    *,
    application_name: str,
    current_application_version_id: int,
    output: Mapping[str, Any],
) -> dict[str, Any]:
    """Adds a destination of an in-application stream."""

    def apply(document: Document) -> None:
        configuration.check_output(call, output)
        configuration.add(document, "outputs", output)

    document = change(call, application_name, current_application_version_id, apply)
    return _answer(document, OutputDescriptions=configuration.outputs_told(document))


@operations.add("AddApplicationReferenceDataSource", writes=True)
def add_application_reference_data_source(
    call: Call,
    *,
    application_name: str,
    current_application_version_id: int,
    reference_data_source: Mapping[str, Any],
) -> dict[str, Any]:
    """Adds an object of a bucket as a table that pumps may join."""

    def apply(document: Document) -> None:
        configuration.check_reference(reference_data_source)
        configuration.add(document, "references", reference_data_source)

    document = change(call, application_name, current_application_version_id, apply)
    told = configuration.references_told(document)
    return _answer(document, ReferenceDataSourceDescriptions=told)


@operations.add("AddApplicationCloudWatchLoggingOption", writes=True, stored_only=True)
def add_application_cloud_watch_logging_option(
    call: Call,
    *,
    application_name: str,
    cloud_watch_logging_option: Mapping[str, Any],
    current_application_version_id: int | None = None,
    conditional_token: str | None = None,
) -> dict[str, Any]:
    """Keeps a log stream; errors of pumps go to the program's log."""

    def apply(document: Document) -> None:
        configuration.add(document, "logging", cloud_watch_logging_option)

    version = current_application_version_id
    document = change(call, application_name, version, apply, conditional_token)
    shown = [
        {"CloudWatchLoggingOptionId": one["id"], "LogStreamARN": one["LogStreamARN"]}
        for one in document["logging"]
    ]
    return _answer(document, CloudWatchLoggingOptionDescriptions=shown)


def _without(kind: str, id: str) -> Callable[[Document], None]:
    def apply(document: Document) -> None:
        left = [one for one in document[kind] if one["id"] != id]
        if len(left) == len(document[kind]):
            raise missing(f"{id} among the {kind}")
        document[kind] = left

    return apply


@operations.add("DeleteApplicationOutput", writes=True)
def delete_application_output(
    call: Call, *, application_name: str, current_application_version_id: int, output_id: str
) -> dict[str, Any]:
    """Removes a destination."""
    apply = _without("outputs", output_id)
    return _answer(change(call, application_name, current_application_version_id, apply))


@operations.add("DeleteApplicationReferenceDataSource", writes=True)
def delete_application_reference_data_source(
    call: Call, *, application_name: str, current_application_version_id: int, reference_id: str
) -> dict[str, Any]:
    """Removes a table of reference data."""
    apply = _without("references", reference_id)
    return _answer(change(call, application_name, current_application_version_id, apply))


@operations.add("DeleteApplicationCloudWatchLoggingOption", writes=True, stored_only=True)
def delete_application_cloud_watch_logging_option(
    call: Call,
    *,
    application_name: str,
    cloud_watch_logging_option_id: str,
    current_application_version_id: int | None = None,
    conditional_token: str | None = None,
) -> dict[str, Any]:
    """Removes a log stream."""
    apply = _without("logging", cloud_watch_logging_option_id)
    version = current_application_version_id
    return _answer(change(call, application_name, version, apply, conditional_token))
