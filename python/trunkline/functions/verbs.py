"""What an engine offers of functions: the part of :class:`trunkline.Engine` that is about them."""

from __future__ import annotations

from trunkline import validation
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Literal

    from trunkline._core import Engine as CoreEngine
    from trunkline._resource_types import FunctionTarget
    from trunkline._types import Seconds
    from trunkline.aio.queues.queue import Queue as AsyncQueue
    from trunkline.aio.streams.stream import Stream as AsyncStream
    from trunkline.functions.function import Function
    from trunkline.functions.source import EventSource
    from trunkline.queues.queue import Queue
    from trunkline.streams.stream import Stream

_KINDS = {"queue": "a Queue", "topic": "a Topic", "bus": "a Bus", "outbox": "a Function"}


class FunctionVerbs:
    """The verbs of an engine that are about functions."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _owner: tuple[str, str]

    def function(
        self,
        name: str,
        handler: Callable[[Any, Any], object] | None = None,
        *,
        timeout: Seconds = 3.0,
        concurrency: int | None = None,
        retries: int = 2,
        max_age: Seconds = 21_600.0,
        on_success: FunctionTarget | None = None,
        on_failure: FunctionTarget | None = None,
        dead_letter: FunctionTarget | None = None,
        logs: bool = False,
        account: str | None = None,
        region: str | None = None,
    ) -> Function:
        """Let `handler` be called as AWS Lambda calls it: with an event and a context.

        A plain function runs in threads of this program, a coroutine function on an event loop in a
        thread of its own. Without a `handler`, the function that has this name already is returned.
        Code is not kept: name the function again after a restart, and it gets the asynchronous
        invocations that have waited. Naming it again replaces code and options.

        - `timeout`: seconds of one invocation (at most 900), on the machine's clock. A thread that
          takes longer cannot be ended: its caller is told, and it counts as running until it ends.
        - `concurrency`: how many invocations run at once (1 to 1,000; 1,000).
        - `retries`: how often an asynchronous invocation that failed is tried again (0 to 2).
        - `max_age`: seconds after which one is given up (60 to 21,600).
        - `on_success`, `on_failure`: a queue, a topic, a bus or another function that is told what
          came of each asynchronous invocation, in the shape that AWS has.
        - `dead_letter`: a queue or a topic for events that were given up.
        - `logs`: keep what the handler logs, with AWS's lines, in the log group
          ``/aws/lambda/NAME`` of CloudWatch Logs.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> hello = engine.function("hello", lambda event, context: f"hello {event['name']}")
        >>> hello.invoke({"name": "world"})
        'hello world'
        >>> engine.function("hello").arn
        'arn:aws:lambda:us-east-1:000000000000:function:hello'
        """
        from trunkline.functions import definition, names
        from trunkline.functions.function import Function
        from trunkline.functions.registry import functions_of
        from trunkline.functions.runtimes import runtime_of

        short = names.checked(name)
        full = names.FunctionName(*validation.owner(self._owner, account, region), short)
        self._core.check_open()
        functions = functions_of(self._core)
        if handler is None:
            return Function(self, functions, functions.get(full))  # type: ignore[arg-type]
        targets = {"on_success": on_success, "on_failure": on_failure, "dead_letter": dead_letter}
        given = definition.checked(
            timeout=timeout,
            concurrency=concurrency,
            retries=retries,
            max_age=max_age,
            logs=logs,
            **{field: self._target_id(target, field) for field, target in targets.items()},
        )
        active = functions.put(full, given, runtime_of(handler, functions.threads, functions.loop))
        return Function(self, functions, active)  # type: ignore[arg-type]

    def functions(self, prefix: str = "") -> list[Function]:
        """The functions whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> function = engine.function("hello", lambda event, context: "hello")
        >>> engine.functions()
        [<Function 'hello'>]
        """
        from trunkline.functions.function import Function
        from trunkline.functions.registry import functions_of

        self._core.check_open()
        functions = functions_of(self._core)
        return [
            Function(self, functions, active)  # type: ignore[arg-type]
            for active in functions.list()
            if (active.name.account, active.name.region) == self._owner
            and active.name.name.startswith(validation.text(prefix, "prefix"))
        ]

    def event_source(
        self,
        source: Queue | AsyncQueue | Stream | AsyncStream,
        function: Function,
        *,
        batch_size: int | None = None,
        window: int | None = None,
        filters: Iterable[str | Mapping[str, Any]] | None = None,
        report_failures: bool = False,
        max_concurrency: int | None = None,
        start: Literal["earliest", "latest"] = "latest",
        parallelization: int | None = None,
        retries: int | None = None,
        max_age: int | None = None,
        bisect: bool | None = None,
        tumbling_window: int | None = None,
        on_failure: FunctionTarget | None = None,
    ) -> EventSource:
        """Let `function` have the messages of a queue or the records of a stream, in batches.

        The event is that of Lambda: ``{"Records": [...]}``. Messages that are handled are deleted;
        others are visible again when their timeout ends, so the queue's dead letters hold. Records
        of a shard come in order: a batch that fails is tried again until it is handled or given up.
        An event source that exists is changed to what is given. It is kept: after a restart it goes
        on once its function is named again.

        - `batch_size`: the most records at once (10,000; 10 of a queue, 100 of a stream), and
          `window`: the seconds in which more of them are waited for (0 to 300).
        - `filters`: event patterns, one of which a record has to match. Messages that none matches
          are deleted.
        - `report_failures`: the function returns which items it could not handle:
          ``{"batchItemFailures": [{"itemIdentifier": ...}]}``.
        - `max_concurrency`: how many batches of a queue run at once (2 to 1,000). Each group of a
          FIFO queue has one at a time.
        - `start`: where a stream is read from at first; `parallelization`: how many batches of a
          shard run at once, apart by partition key (1 to 10).
        - `retries`, `max_age` (seconds), `bisect` (try halves): when records are given up.
          `on_failure`, a queue, a topic or a function, is then told where they are.
        - `tumbling_window`: seconds for which a function hands a state from batch to batch.

        Raises InvalidParameterValue for a value that is not allowed or does not fit the source.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> orders, done = engine.queue("orders"), engine.queue("done")
        >>> def tea(event, context):
        ...     for record in event["Records"]:
        ...         done.send(record["body"].upper())
        >>> source = engine.event_source(orders, engine.function("tea", tea))
        >>> sent = orders.send("green")
        >>> done.receive(wait=10)[0].text()
        'GREEN'
        """
        from trunkline.functions.source import attach

        is_stream = getattr(getattr(source, "sync", source), "_as_target", ("",))[0] == "stream"
        positions = {"earliest": "TRIM_HORIZON", "latest": "LATEST"}
        given: dict[str, Any] = {
            "batch_size": batch_size,
            "maximum_batching_window_in_seconds": window,
            "filters": filters,
            "function_response_types": ["ReportBatchItemFailures"] if report_failures else [],
            "parallelization_factor": parallelization,
            "maximum_retry_attempts": retries,
            "maximum_record_age_in_seconds": max_age,
            "bisect_batch_on_function_error": bisect,
            "tumbling_window_in_seconds": tumbling_window,
        }
        if max_concurrency is not None:
            given["scaling_config"] = {"MaximumConcurrency": max_concurrency}
        if start not in positions:
            raise InvalidParameterValue(
                f"Value {start!r} for parameter start is invalid. "
                'Reason: Must be "earliest" or "latest".'
            )
        if is_stream:
            given["starting_position"] = positions[start]
        if on_failure is not None:
            given["destination_config"] = {"OnFailure": {"Destination": self._arn(on_failure)}}
        plain: Any = getattr(function, "sync", function)
        return attach(self, source, plain, given)  # type: ignore[arg-type]

    def _arn(self, target: object) -> str:
        """The ARN of a queue, a topic or a function."""
        from trunkline.aws.arns import partition

        id = self._target_id(target, "on_failure")
        _, account, region, name = self._core.name_of(id or 0) or ("", "", "", "")
        plain: Any = getattr(target, "sync", target)
        arn: str | None = getattr(plain, "arn", None)
        return arn or f"arn:{partition(region)}:sqs:{region}:{account}:{name}"

    def _target_id(self, target: object, field: str) -> int | None:
        """The id of a target of results; dead letters go to queues and topics alone."""
        from trunkline._targets import resource_id
        from trunkline.queues.queue import Queue

        if target is None:
            return None
        plain: Any = getattr(target, "sync", target)
        kind = "queue" if isinstance(plain, Queue) else getattr(plain, "_as_target", ("", 0))[0]
        allowed = ("queue", "topic") if field == "dead_letter" else tuple(_KINDS)
        if kind not in allowed:
            wanted = " or ".join(_KINDS[one] for one in allowed)
            raise TypeError(f"{field} must be {wanted}, not {type(target).__name__}")
        return resource_id(self, plain, field)
