"""Which services there are, and by what a request for one is known."""

from __future__ import annotations

from importlib import import_module

from trunkline.errors import EngineUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.operation import Operations
    from trunkline.aws.store import Store


class Service:
    """One service; ``module`` holds its ``operations``."""

    __slots__ = {
        "actions": "",
        "api_version": "",
        "invalid_input": "The error for an input that its model refuses, if it is not "
        "``ValidationException``.",
        "module": "",
        "name": "",
        "path_prefix": "What its paths begin with, where another service has the same scope.",
        "runner": "What works for it in the background once there is a destination of the outbox, "
        'or a document: ``"outbox"`` or ``"document"``, its name or prefix, and a module that has '
        "``resume(store)``.",
        "scopes": "",
        "target_prefix": "",
        "unchecked": "Shapes of its model whose constraints its operations check themselves, in "
        "AWS's words.",
    }

    def __init__(
        self,
        name: str,
        module: str,
        *,
        target_prefix: str | None = None,
        scopes: tuple[str, ...] = (),
        api_version: str | None = None,
        actions: tuple[str, ...] = (),
        invalid_input: str | None = None,
        path_prefix: str | None = None,
        unchecked: tuple[str, ...] = (),
        runner: tuple[str, str, str] | None = None,
    ) -> None:
        self.name = name
        self.module = module
        self.target_prefix = target_prefix
        self.scopes = scopes
        self.api_version = api_version
        self.actions = actions
        self.invalid_input = invalid_input
        self.path_prefix = path_prefix
        self.unchecked = unchecked
        self.runner = runner

    def operations(self) -> Operations:
        """The operations of the control plane; the module is imported when it is first needed."""
        found: Operations = import_module(self.module).operations
        return found

    def resume(self, store: Store) -> None:
        """Lets what works in the background go on with what an earlier opening left."""
        if self.runner is None:
            return
        kind, name, module = self.runner
        try:
            if kind == "outbox":
                is_needed = store.core.outbox().find(name) is not None
            else:
                is_needed = bool(store.page(name, limit=1)[0])
        except EngineUnavailable:
            # The requests will be told of it.
            return
        if is_needed:
            import_module(module).resume(store)

    def plain(
        self,
    ) -> tuple[str, str | None, list[str], str | None, list[str], str | None, str | None]:
        """The service as the core takes it."""
        scopes, actions = list(self.scopes), list(self.actions)
        named = (self.name, self.target_prefix, scopes, self.api_version, actions)
        return (*named, self.invalid_input, self.path_prefix)


# By these a query request without a version is known: SQS lets it be left out.
_SQS_ACTIONS = (
    "AddPermission",
    "CancelMessageMoveTask",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "CreateQueue",
    "DeleteMessage",
    "DeleteMessageBatch",
    "DeleteQueue",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "ListMessageMoveTasks",
    "ListQueues",
    "ListQueueTags",
    "PurgeQueue",
    "ReceiveMessage",
    "RemovePermission",
    "SendMessage",
    "SendMessageBatch",
    "SetQueueAttributes",
    "StartMessageMoveTask",
    "TagQueue",
    "UntagQueue",
)

SERVICES = (
    Service(
        "sqs",
        "trunkline.aws.sqs",
        target_prefix="AmazonSQS",
        scopes=("sqs", "queue"),
        api_version="2012-11-05",
        actions=_SQS_ACTIONS,
    ),
    Service(
        "events",
        "trunkline.aws.events.service",
        target_prefix="AWSEvents",
        scopes=("events",),
        api_version="2015-10-07",
        runner=("document", "events-background/", "trunkline.aws.events.background"),
    ),
    Service(
        "scheduler",
        "trunkline.aws.scheduler",
        scopes=("scheduler",),
        runner=("outbox", "scheduler", "trunkline.aws.scheduler.runner"),
    ),
    Service(
        "pipes",
        "trunkline.aws.pipes.service",
        scopes=("pipes",),
        runner=("document", "pipes/", "trunkline.aws.pipes.runner"),
    ),
    Service(
        "schemas",
        "trunkline.aws.schemas",
        scopes=("schemas",),
        runner=("document", "schemas-discoverers/", "trunkline.aws.schemas.learning"),
    ),
    Service(
        "lambda",
        "trunkline.aws.lambda_.service",
        scopes=("lambda",),
        runner=("document", "lambda/", "trunkline.aws.lambda_.resuming"),
    ),
    Service(
        "logs",
        "trunkline.aws.logs",
        target_prefix="Logs_20140328",
        scopes=("logs",),
        invalid_input="InvalidParameterException",
    ),
    Service(
        "sns",
        "trunkline.aws.sns",
        scopes=("sns",),
        api_version="2010-03-31",
        # The links in messages name no version.
        actions=("ConfirmSubscription", "Unsubscribe"),
    ),
    Service(
        "stepfunctions",
        "trunkline.aws.stepfunctions",
        target_prefix="AWSStepFunctions",
        scopes=("states",),
        runner=("outbox", "states", "trunkline.aws.stepfunctions.runner"),
    ),
    Service(
        "swf",
        "trunkline.aws.swf",
        target_prefix="SimpleWorkflowService",
        scopes=("swf",),
        runner=("document", "swf/", "trunkline.aws.swf.resuming"),
    ),
    Service(
        "kinesis",
        "trunkline.aws.kinesis.service",
        target_prefix="Kinesis_20131202",
        scopes=("kinesis",),
        runner=("document", "kinesis-background/", "trunkline.aws.kinesis.background"),
    ),
    Service(
        "firehose",
        "trunkline.aws.firehose",
        target_prefix="Firehose_20150804",
        scopes=("firehose",),
        runner=("document", "firehose/", "trunkline.aws.firehose.delivery.runner"),
    ),
    Service(
        "kinesisanalyticsv2",
        "trunkline.aws.kinesisanalyticsv2",
        target_prefix="KinesisAnalytics_20180523",
        scopes=("kinesisanalytics",),
        invalid_input="InvalidArgumentException",
        runner=("document", "kinesisanalytics/", "trunkline.aws.kinesisanalyticsv2.running.runner"),
    ),
    Service("s3", "trunkline.aws.s3", scopes=("s3",)),
    Service(
        "apigateway",
        "trunkline.aws.apigateway.service",
        scopes=("apigateway",),
        unchecked=("Op", "IntegrationType", "GatewayResponseType", "EndpointType", "StatusCode"),
    ),
    Service(
        "apigatewayv2",
        "trunkline.aws.apigatewayv2.service",
        scopes=("apigateway",),
        path_prefix="/v2/",
        invalid_input="BadRequestException",
    ),
    Service("sts", "trunkline.aws.sts", scopes=("sts",), api_version="2011-06-15"),
    Service("iam", "trunkline.aws.iam", scopes=("iam",), api_version="2010-05-08"),
)
"""Every service that is served."""


def queue_created(core: CoreEngine, name: tuple[str, str, str]) -> None:
    """Tells the services of a queue that was created in the process: some wait for it."""
    from trunkline.aws.arns import partition
    from trunkline.aws.sns.waiting import queue_created

    account, region, plain = name
    queue_created(core, f"arn:{partition(region)}:sqs:{region}:{account}:{plain}")


def choose(names: Iterable[str] | None) -> tuple[Service, ...]:
    """The services of these names; all of them for None.

    >>> [service.name for service in choose(["sqs"])]
    ['sqs']
    """
    if names is None:
        return SERVICES
    by_name = {service.name: service for service in SERVICES}
    wanted = list(names)
    for name in wanted:
        if name not in by_name:
            known = ", ".join(by_name)
            raise ValueError(f"service {name!r} is not served; available: {known}")
    return tuple(by_name[name] for name in wanted)
