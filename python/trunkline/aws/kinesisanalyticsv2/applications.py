"""Creating, describing, listing and deleting applications."""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.kinesisanalyticsv2 import configuration
from trunkline.aws.kinesisanalyticsv2.documents import (
    PREFIX,
    ApplicationName,
    check_settled,
    name_of,
    read,
    status_of,
    token_of,
)
from trunkline.aws.kinesisanalyticsv2.errors import in_use, invalid, unsupported
from trunkline.aws.kinesisanalyticsv2.registry import operations
from trunkline.aws.kinesisanalyticsv2.running.runner import runner_of
from trunkline.aws.kinesisanalyticsv2.tags import merged
from trunkline.aws.limits import ANALYTICS_LIST_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.kinesisanalyticsv2.documents import Document
    from trunkline.aws.operation import Call

RUNTIME = "SQL-1_0"


def detail(call: Call, document: Document) -> dict[str, Any]:
    """ApplicationDetail."""
    told: dict[str, Any] = {
        "ApplicationARN": name_of(document).arn,
        "ApplicationName": document["name"],
        "RuntimeEnvironment": RUNTIME,
        "ServiceExecutionRole": document["role"],
        "ApplicationStatus": status_of(document, call.store),
        "ApplicationVersionId": document["version"],
        "CreateTimestamp": document["created"],
        "LastUpdateTimestamp": document["updated"],
        "ApplicationConfigurationDescription": configuration.told(document),
        "CloudWatchLoggingOptionDescriptions": [
            {"CloudWatchLoggingOptionId": one["id"], "LogStreamARN": one["LogStreamARN"]}
            for one in document["logging"]
        ],
        "ConditionalToken": token_of(document),
        "ApplicationMode": "STREAMING",
    }
    if document["description"] is not None:
        told["ApplicationDescription"] = document["description"]
    return told


@operations.add("CreateApplication", writes=True)
def create_application(
    call: Call,
    *,
    application_name: str,
    runtime_environment: str,
    service_execution_role: str,
    application_description: str | None = None,
    application_configuration: Mapping[str, Any] | None = None,
    cloud_watch_logging_options: Sequence[Mapping[str, Any]] = (),
    application_mode: str = "STREAMING",
    tags: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Creates an application, which does nothing until it is started."""
    if runtime_environment != RUNTIME:
        raise unsupported(
            f"RuntimeEnvironment {runtime_environment} is not served here. There is: {RUNTIME}."
        )
    if application_mode != "STREAMING":
        raise invalid("A SQL application has the mode STREAMING.")
    name = ApplicationName(call.account, call.region, application_name)
    now = call.store.now()
    document: Document = {
        "account": call.account,
        "region": call.region,
        "name": application_name,
        "number": uuid4().hex,
        "role": service_execution_role,
        "description": application_description,
        "status": "READY",
        "settled_at": now,
        "version": 1,
        "created": now,
        "updated": now,
        "ids": 0,
        "code": "",
        "positions": {},
        "tags": merged({}, tags),
        **{kind: [] for kind in ("inputs", "outputs", "references", "logging")},
    }
    configuration.create(call, document, application_configuration or {})
    for option in cloud_watch_logging_options:
        configuration.add(document, "logging", option)
    configuration.check_code(document)
    with call.store.lock:
        if call.store.get(name.key) is not None:
            raise in_use(f"The application {application_name} exists already.")
        call.store.put(name.key, document)
    return {"ApplicationDetail": detail(call, document)}


@operations.add("DescribeApplication")
def describe_application(
    call: Call, *, application_name: str, include_additional_details: bool = False
) -> dict[str, Any]:
    """What is known of an application."""
    return {"ApplicationDetail": detail(call, read(call, application_name))}


@operations.add("ListApplications")
def list_applications(
    call: Call, *, limit: int = ANALYTICS_LIST_DEFAULT, next_token: str | None = None
) -> dict[str, Any]:
    """The applications of the account and region, sorted by name, page by page."""
    prefix = f"{PREFIX}{call.account}/{call.region}/"
    found, following = call.store.page(prefix, after=next_token, limit=limit)
    shown = [
        {
            "ApplicationName": document["name"],
            "ApplicationARN": name_of(document).arn,
            "ApplicationStatus": status_of(document, call.store),
            "ApplicationVersionId": document["version"],
            "RuntimeEnvironment": RUNTIME,
            "ApplicationMode": "STREAMING",
        }
        for document in found
    ]
    answer: dict[str, Any] = {"ApplicationSummaries": shown}
    return answer if following is None else {**answer, "NextToken": following}


@operations.add("DeleteApplication", writes=True)
def delete_application(call: Call, *, application_name: str, create_timestamp: Any) -> None:
    """Stops an application and removes it with what it kept."""
    with call.store.lock:
        document = read(call, application_name)
        # The time comes in whole seconds from some clients.
        if abs(_seconds(create_timestamp) - document["created"]) >= 1:
            raise invalid("CreateTimestamp is not the one of the application.")
        check_settled(call, document)
        call.store.put(name_of(document).key, None)
    runner_of(call.store).remove(document)


def _seconds(given: Any) -> float:
    return float(given.timestamp() if hasattr(given, "timestamp") else given)
