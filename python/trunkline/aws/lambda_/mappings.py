"""Event source mappings: which function gets the messages of a queue or the records of a stream."""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.arns import Resource, partition, read_resource
from trunkline.aws.lambda_.documents import Named, named, read, version_of
from trunkline.aws.lambda_.errors import conflict, denied, invalid, missing, unsupported
from trunkline.aws.lambda_.listing import listed_behind
from trunkline.aws.lambda_.mapping_settings import checked, given_members
from trunkline.aws.lambda_.pollers.runner import PREFIX, runner_of
from trunkline.aws.lambda_.pollers.stream import positions_key
from trunkline.aws.lambda_.registry import operations
from trunkline.aws.limits import DOCUMENTS_PAGE_MAX
from trunkline.functions.names import FunctionName
from trunkline.functions.registry import functions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline.aws.operation import Call
    from trunkline.aws.store import Store


def resume(store: Store) -> None:
    """Lets mappings run that an earlier opening left."""
    for document in list(store.every(PREFIX)):
        if document["enabled"]:
            runner_of(store).start(document)


def key_of(call: Call, uuid: str) -> str:
    """The key of a mapping's document."""
    return f"{PREFIX}{call.region}/{call.account}/{uuid}"


def _existing(call: Call, uuid: str) -> dict[str, Any]:
    document = call.store.get(key_of(call, uuid))
    if document is None:
        raise missing("The resource you requested does not exist.")
    return document


def told(document: dict[str, Any], state: str | None = None) -> dict[str, Any]:
    """A mapping as all operations tell of it; `state` is that of a change under way."""
    name = FunctionName(document["account"], document["region"], document["function"])
    arn = name.arn if document["qualifier"] is None else f"{name.arn}:{document['qualifier']}"
    is_queue = document["source"].split(":")[2] == "sqs"
    place = f"lambda:{document['region']}:{document['account']}"
    own = f"arn:{partition(document['region'])}:{place}:event-source-mapping:{document['uuid']}"
    return {
        "UUID": document["uuid"],
        "EventSourceArn": document["source"],
        "EventSourceMappingArn": own,
        "FunctionArn": arn,
        "LastModified": document["modified"],
        "State": state or ("Enabled" if document["enabled"] else "Disabled"),
        "StateTransitionReason": "USER_INITIATED" if is_queue else "User action",
        **({} if is_queue else {"LastProcessingResult": "No records processed"}),
        **document["settings"],
    }


def _source(call: Call, arn: str | None) -> Resource:
    source = read_resource(arn or "")
    if source is None:
        raise invalid(
            "Unrecognized event source, must be kinesis, dynamodb stream or sqs. "
            "Unsupported source."
        )
    if source.owner != (call.account, call.region):
        # What reads a source does so in the name of its owner.
        raise denied(f"The event source {source.arn} belongs to another account or region.")
    if source.service == "sqs":
        if call.store.core.find_queue((*source.owner, source.name)) is None:
            raise invalid(
                "Error occurred while ReceiveMessage. SQS Error Code: "
                "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue "
                "does not exist."
            )
    elif source.service == "kinesis":
        if "/consumer/" in source.resource:
            raise unsupported("A consumer of a stream as an event source")
        if call.store.core.find_stream((*source.owner, source.name)) is None:
            raise invalid(f"Stream not found: {source.arn}")
    else:
        raise unsupported(f"An event source of {source.service}; there are sqs and kinesis: it")
    return source


def _check_timeout(call: Call, source: Resource, wanted: Named) -> None:
    """The function must be done before a message is visible again."""
    queue = call.store.core.find_queue((*source.owner, source.name))
    active = functions_of(call.store.core).find(wanted.name)
    if source.service != "sqs" or queue is None or active is None:
        return
    visible, timeout = queue.settings.visibility_timeout, active.definition.timeout
    if visible < timeout:
        raise invalid(
            f"Queue visibility timeout: {visible // 1_000} seconds is less than Function timeout: "
            f"{timeout // 1_000} seconds"
        )


def _check_new(call: Call, source: Resource, wanted: Named) -> None:
    for other in call.store.every(f"{PREFIX}{call.region}/{call.account}/"):
        if (other["source"], other["function"]) != (source.arn, wanted.name.name):
            continue
        if source.service == "sqs":
            raise conflict(
                f'An event source mapping with SQS arn (" {source.arn} ") and function (" '
                f'{wanted.name.name} ") already exists. Please update or delete the existing '
                f"mapping with UUID {other['uuid']}"
            )
        raise conflict(
            f'The event source arn (" {source.arn} ") and function (" {wanted.name.name} ") '
            "provided mapping already exists. Please update or delete the existing mapping with "
            f"UUID {other['uuid']}"
        )


@operations.add("CreateEventSourceMapping", writes=True)
def create_event_source_mapping(
    call: Call,
    *,
    function_name: str,
    event_source_arn: str | None = None,
    enabled: bool = True,
    tags: Mapping[str, str] | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Lets a function have what comes to a queue or a stream."""
    wanted = named(call, function_name)
    version_of(read(call, wanted), wanted.qualifier)
    with call.store.lock:
        source = _source(call, event_source_arn)
        settings = checked(call, source, given_members(given))
        _check_timeout(call, source, wanted)
        _check_new(call, source, wanted)
        now = call.store.now()
        document = {
            "uuid": str(uuid4()),
            "account": call.account,
            "region": call.region,
            "source": source.arn,
            "function": wanted.name.name,
            "qualifier": wanted.qualifier,
            "settings": settings,
            "enabled": enabled,
            "created": now,
            "modified": now,
            "tags": dict(tags or {}),
        }
        _write(call, document)
    return told(document, "Creating" if enabled else None)


def _write(call: Call, document: dict[str, Any]) -> None:
    call.store.put(key_of(call, document["uuid"]), document)
    runner = runner_of(call.store)
    if document["enabled"]:
        runner.start(document)
    else:
        runner.stop(document["uuid"])


@operations.add("UpdateEventSourceMapping", writes=True)
def update_event_source_mapping(
    call: Call,
    *,
    uuid: str,
    function_name: str | None = None,
    enabled: bool | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Changes what is given. Batches that are under way go on as they were begun."""
    with call.store.lock:
        document = _existing(call, uuid)
        was = document["enabled"]
        source = read_resource(document["source"])
        assert source is not None
        members = given_members(given)
        if "StartingPosition" in members:
            raise invalid("The starting position of a mapping never changes.")
        document["settings"] = checked(call, source, document["settings"] | members)
        if function_name is not None:
            wanted = named(call, function_name)
            version_of(read(call, wanted), wanted.qualifier)
            document["function"], document["qualifier"] = wanted.name.name, wanted.qualifier
        if enabled is not None:
            document["enabled"] = enabled
        document["modified"] = call.store.now()
        _write(call, document)
    if document["enabled"] == was:
        return told(document, "Updating")
    return told(document, "Enabling" if document["enabled"] else "Disabling")


@operations.add("GetEventSourceMapping")
def get_event_source_mapping(call: Call, *, uuid: str) -> dict[str, Any]:
    """A mapping."""
    return told(_existing(call, uuid))


@operations.add("DeleteEventSourceMapping", writes=True)
def delete_event_source_mapping(call: Call, *, uuid: str) -> dict[str, Any]:
    """Removes a mapping, with how far it read a stream; messages of a queue stay there."""
    with call.store.lock:
        document = _existing(call, uuid)
        runner_of(call.store).stop(uuid)
        call.store.put(key_of(call, uuid), None)
        call.store.put(positions_key(uuid), None)
    return told(document, "Deleting")


@operations.add("ListEventSourceMappings")
def list_event_source_mappings(
    call: Call,
    *,
    event_source_arn: str | None = None,
    function_name: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """The mappings of the caller; of a function or a source if it is named."""
    wanted = None if function_name is None else named(call, function_name).name.name

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        for one in call.store.every(f"{PREFIX}{call.region}/{call.account}/", after=after):
            if wanted in (None, one["function"]) and event_source_arn in (None, one["source"]):
                yield one

    key, most = lambda one: str(one["uuid"]), DOCUMENTS_PAGE_MAX
    shown, next_marker = listed_behind(behind, key, given, most)
    mappings = [told(document) for document in shown]
    return {"EventSourceMappings": mappings, "NextMarker": next_marker}
