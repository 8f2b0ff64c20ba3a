"""What a route is integrated with: the integrations of API Gateway that fit each kind of target."""

from __future__ import annotations

from trunkline._targets import resource_id
from trunkline.aws.arns import partition
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.engine import Engine

    Integration = tuple[dict[str, Any], dict[str, str]]

_FORM = "'application/x-www-form-urlencoded'"
# `escapeJavaScript` escapes single quotes, which JSON does not know.
_TEXT = '"$util.escapeJavaScript($input.body).replaceAll("\\\\\'","\'")"'
ROLE = "arn:aws:iam::{account}:role/trunkline-api"


def integration_of(
    engine: Engine, api: str, route: str, target: object, group: str | None
) -> Integration:
    """The integration of a target, and the templates of its answers by status."""
    from trunkline.buses.bus import Bus
    from trunkline.functions.function import Function
    from trunkline.machines.machine import StateMachine
    from trunkline.queues.queue import Queue
    from trunkline.streams.stream import Stream
    from trunkline.topics.topic import Topic

    plain: Any = getattr(target, "sync", target)
    if isinstance(plain, Function):
        _ = resource_id(engine, plain, "target")
        path = f"path/2015-03-31/functions/{plain.arn}/invocations"
        return _made("AWS_PROXY", plain.region, f"lambda:{path}"), {}
    if isinstance(plain, StateMachine):
        _check_owner(engine, plain)
        return _machine(plain)
    id = resource_id(engine, plain, "target")
    _, account, region, name = engine._core.name_of(id or 0) or ("", "", "", "")
    if isinstance(plain, Queue):
        return _queue(plain, (account, region, name), group)
    if isinstance(plain, Topic):
        return _topic(plain, region, group)
    if isinstance(plain, Bus):
        return _bus(region, name, api, route)
    if isinstance(plain, Stream):
        return _stream(region, name, group)
    raise TypeError(
        "target must be a Queue, a Topic, a Bus, a Stream, a StateMachine or a Function, "
        f"not {type(target).__name__}"
    )


def _check_owner(engine: Engine, machine: Any) -> None:
    if machine._engine is not engine._core:
        raise InvalidParameterValue(
            f"Value {machine!r} for parameter target is invalid. Reason: It belongs to another "
            "engine. Name a resource of this engine."
        )


def _made(kind: str, region: str, target: str, **given: Any) -> dict[str, Any]:
    uri = f"arn:{partition(region)}:apigateway:{region}:{target}"
    return {"type": kind, "uri": uri, "integration_http_method": "POST", **given}


def _form(region: str, target: str, template: str) -> dict[str, Any]:
    parameters = {"integration.request.header.Content-Type": _FORM}
    return _made(
        "AWS",
        region,
        target,
        request_parameters=parameters,
        request_templates={"$default": template},
    )


def _json(region: str, target: str, template: str) -> dict[str, Any]:
    return _made("AWS", region, target, request_templates={"$default": template})


def _grouped(is_fifo: bool, group: str | None) -> str:
    if group is not None and not is_fifo:
        raise InvalidParameterValue(
            "Value for parameter group is invalid. Reason: Only FIFO resources have groups."
        )
    if not is_fifo:
        return ""
    if group is None:
        raise InvalidParameterValue(
            "Value for parameter group is invalid. Reason: The messages of a FIFO resource have a "
            "group. Give an expression, such as \"$input.path('$.customer')\"."
        )
    return f"&MessageGroupId=$util.urlEncode({_argument(group)})"


def _argument(text: str) -> str:
    """An expression as an argument; plain text as a text."""
    return text if text.startswith("$") else "'" + text.replace("'", "") + "'"


def _queue(queue: Any, name: tuple[str, str, str], group: str | None) -> Integration:
    account, region, plain = name
    grouped = _grouped(plain.endswith(".fifo"), group)
    deduplicated = "&MessageDeduplicationId=$context.requestId" if grouped else ""
    body = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
    integration = _form(region, f"sqs:path/{account}/{plain}", body + grouped + deduplicated)
    result = "$.SendMessageResponse.SendMessageResult.MessageId"
    return integration, {"202": f'{{"messageId": $input.json("{result}")}}'}


def _topic(topic: Any, region: str, group: str | None) -> Integration:
    grouped = _grouped(topic.fifo, group)
    deduplicated = "&MessageDeduplicationId=$context.requestId" if grouped else ""
    body = f"TopicArn={topic.arn}&Message=$util.urlEncode($input.body)"
    integration = _form(region, "sns:action/Publish", body + grouped + deduplicated)
    result = "$.PublishResponse.PublishResult.MessageId"
    return integration, {"202": f'{{"messageId": $input.json("{result}")}}'}


def _bus(region: str, name: str, api: str, route: str) -> Integration:
    entry = (
        f'{{"EventBusName": "{name}", "Source": "{api}", "DetailType": "{route}", '
        f'"Detail": {_TEXT}}}'
    )
    integration = _json(region, "events:action/PutEvents", f'{{"Entries": [{entry}]}}')
    return integration, {"202": '{"eventId": $input.json("$.Entries[0].EventId")}'}


def _stream(region: str, name: str, group: str | None) -> Integration:
    key = _argument(group) if group is not None else "$context.requestId"
    key = f"$util.escapeJavaScript({key})" if group is not None else key
    template = (
        f'{{"StreamName": "{name}", "Data": "$util.base64Encode($input.body)", '
        f'"PartitionKey": "{key}"}}'
    )
    integration = _json(region, "kinesis:action/PutRecord", template)
    return integration, {"202": '{"sequenceNumber": $input.json("$.SequenceNumber")}'}


def _machine(machine: Any) -> Integration:
    region = machine.arn.split(":")[3]
    template = f'{{"stateMachineArn": "{machine.arn}", "input": {_TEXT}}}'
    integration = _json(region, "states:action/StartExecution", template)
    return integration, {"202": '{"executionArn": $input.json("$.executionArn")}'}
