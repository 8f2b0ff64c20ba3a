"""What an engine offers of state machines: the part of :class:`trunkline.Engine` about them."""

from __future__ import annotations

from trunkline import validation
from trunkline.errors import ConflictException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.machines.machine import StateMachine
    from trunkline.machines.task import Report


class MachineVerbs:
    """The verbs of an engine that are about state machines."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _owner: tuple[str, str]

    def machine(
        self,
        name: str,
        definition: Mapping[str, Any] | str | None = None,
        *,
        functions: Mapping[str, Callable[[Any], object]] | None = None,
        account: str | None = None,
        region: str | None = None,
    ) -> StateMachine:
        """The state machine of this name, with a definition in the Amazon States Language.

        It is created, or gets the new definition; executions that run keep theirs. Without a
        `definition`, the machine that has this name already is returned.

        `functions` are called by the Task states whose resource is the ARN of a function of this
        name, such as ``arn:aws:lambda:us-east-1:000000000000:function:charge``, with the input of
        the task. Code is not kept: name the functions again after a restart; their tasks wait
        until then. Other functions are those of :meth:`function`.

        Raises ValidationException for a definition that AWS refuses, in AWS's words.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> charge = "arn:aws:lambda:us-east-1:000000000000:function:charge"
        >>> definition = {
        ...     "StartAt": "Charge",
        ...     "States": {"Charge": {"Type": "Task", "Resource": charge, "End": True}},
        ... }
        >>> functions = {"charge": lambda order: {"paid": order["total"]}}
        >>> machine = engine.machine("checkout", definition, functions=functions)
        >>> machine.start({"total": 3}).wait().output
        {'paid': 3}
        """
        from trunkline.machines.machine import find, put

        owner = validation.owner(self._owner, account, region)
        self._core.check_open()
        full = (*owner, validation.text(name, "name"))
        if definition is None:
            return find(self._core, full, functions)
        return put(self._core, full, definition, functions)

    def machines(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[StateMachine]:
        """The state machines whose name starts with `prefix`, sorted by name.

        Those that clients of Step Functions made are among them.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> for name in ("checkout", "checkout-late", "mail"):
        ...     done = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
        ...     machine = engine.machine(name, done)
        >>> [machine.name for machine in engine.machines("checkout")]
        ['checkout', 'checkout-late']
        """
        from trunkline.machines.machine import every

        owner = validation.owner(self._owner, account, region)
        self._core.check_open()
        return every(self._core, owner, validation.text(prefix, "prefix"))

    def send_task_success(self, token: str, output: Any = None) -> None:
        """End the task of an execution that waits for its token; `output` is the task's result.

        Raises ValidationException for a text that is no token of this engine, ConflictException for
        a task that has ended or timed out.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> queue = engine.queue("approvals")
        >>> url = "https://sqs.us-east-1.amazonaws.com/000000000000/approvals"
        >>> ask = {
        ...     "Type": "Task",
        ...     "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        ...     "Parameters": {"QueueUrl": url, "MessageBody.$": "$$.Task.Token"},
        ...     "End": True,
        ... }
        >>> machine = engine.machine("ask", {"StartAt": "Ask", "States": {"Ask": ask}})
        >>> execution = machine.start()
        >>> (message,) = queue.receive(wait=20)
        >>> engine.send_task_success(message.text(), {"approved": True})
        >>> execution.wait().output
        {'approved': True}
        """
        from trunkline.machines.task import Report
        from trunkline.validation import json_text

        self._report_task(token, Report("succeeded", json_text(output, "output")))

    def send_task_failure(
        self, token: str, error: str | None = None, cause: str | None = None
    ) -> None:
        """Fail the task of an execution that waits for its token.

        Raises as :meth:`send_task_success` does.
        """
        from trunkline.machines.task import Report

        for value, field in ((error, "error"), (cause, "cause")):
            if value is not None:
                validation.text(value, field)
        self._report_task(token, Report("failed", error, cause))

    def send_task_heartbeat(self, token: str) -> None:
        """Say that the task is still at work: its ``HeartbeatSeconds`` start again.

        Raises as :meth:`send_task_success` does.
        """
        from trunkline.machines.task import Report

        self._report_task(token, Report("heartbeat"))

    def _report_task(self, token: str, report: Report) -> None:
        from trunkline.aws.stepfunctions.connecting import runtime_of

        self._core.check_open()
        runtime = runtime_of(self._core)
        runtime.until_called(validation.text(token, "token"))
        if not runtime.report(token, report):
            raise ConflictException(
                "The task has ended, or its execution has: it timed out, was reported before, or "
                "was stopped."
            )
