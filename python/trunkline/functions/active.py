"""A function that can be called: its definition, what runs it, and how much of it runs."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import CancelledError
from threading import Lock

from trunkline._dataclasses import replace
from trunkline.errors import EngineUnavailable, TooManyRequests, TrunklineError
from trunkline.functions.invocation import Invocation, LogLines, Outcome, failure, timed_out
from trunkline.functions.logs import FunctionLog
from trunkline.functions.slots import Slots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future

    from trunkline._core import Engine as CoreEngine
    from trunkline.functions.definition import Definition
    from trunkline.functions.names import FunctionName
    from trunkline.functions.runtimes import Runtime


class ActiveFunction:
    """A function of an engine, with what runs it."""

    def __init__(
        self,
        core: CoreEngine,
        name: FunctionName,
        id: int,
        definition: Definition,
        runtime: Runtime,
    ) -> None:
        self.name = name
        self.id = id
        """The destination of the outbox in which asynchronous invocations wait."""
        self.definition: Definition = definition
        self.runtime: Runtime = runtime
        self.slots: Slots = Slots(definition.slots)
        self._log = FunctionLog(core, name)
        self._lock = Lock()
        self._counted = {"invocations": 0, "errors": 0, "throttles": 0, "timeouts": 0}

    def configure(self, definition: Definition, runtime: Runtime) -> None:
        """Changes what the function is; invocations that run go on as they were begun."""
        self.definition, self.runtime = definition, runtime
        self.slots.resize(definition.slots)

    def invocation(self, payload: bytes, **members: str | None) -> Invocation:
        """A call of the function as it is now; `members` are those of :class:`Invocation`."""
        definition = self.definition
        invocation = Invocation(
            self.name,
            payload,
            definition.timeout,
            definition.memory,
            log_stream=self._log.stream,
            log_group=definition.log_group or f"/aws/lambda/{self.name.name}",
        )
        if definition.logs:
            invocation.lines = LogLines()
        for member, value in members.items():
            if value is not None:
                setattr(invocation, member, value)
        return invocation

    def invoke(self, invocation: Invocation, wait: float = 0.0) -> Outcome:
        """Runs an invocation and returns its outcome.

        Raises TooManyRequests if no slot is free within `wait` seconds.
        """
        future = self._begin(invocation, wait)
        try:
            patience = invocation.timeout / 1_000 + self.runtime.grace
            return self._end(invocation, future.result(patience))
        except TimeoutError:
            return self._end_late(invocation, future)
        except CancelledError:
            return self._end(invocation, _ended_early(invocation))

    async def invoke_on_loop(self, invocation: Invocation) -> Outcome:
        """The same for an event loop."""
        future = self._begin(invocation, 0.0)
        awaited = asyncio.wrap_future(future)
        patience = invocation.timeout / 1_000 + self.runtime.grace
        await asyncio.wait({awaited}, timeout=patience)
        if not awaited.done():
            return self._end_late(invocation, future)
        if awaited.cancelled():
            return self._end(invocation, _ended_early(invocation))
        return self._end(invocation, awaited.result())

    def _begin(self, invocation: Invocation, wait: float) -> Future[Outcome]:
        if not (self.slots.take(wait) if wait else self.slots.try_take()):
            self._count("throttles")
            raise TooManyRequests(
                f"Rate Exceeded. The function {self.name.name} runs {self.definition.slots} times "
                "already. Try again later, or raise its concurrency."
            )
        self._count("invocations")
        invocation.started = time.monotonic()
        try:
            future = self.runtime.start(invocation)
        except BaseException:
            self.slots.give_back()
            raise
        # What takes too long has its slot until it ends: threads are bounded, too.
        future.add_done_callback(lambda _: self.slots.give_back())
        return future

    def _end_late(self, invocation: Invocation, future: Future[Outcome]) -> Outcome:
        self.runtime.abandon(invocation, future)
        return self._end(invocation, timed_out(invocation))

    def _end(self, invocation: Invocation, outcome: Outcome) -> Outcome:
        spent = (time.monotonic() - invocation.started) * 1_000
        outcome = replace(outcome, milliseconds=spent)
        if outcome.error is not None:
            self._count("errors")
            if outcome.error_fields().get("errorType") == "Sandbox.Timedout":
                self._count("timeouts")
        if invocation.lines is None:
            return outcome
        try:
            return replace(
                outcome, log=self._log.write(invocation, outcome, self.definition.logs_json)
            )
        except EngineUnavailable:
            raise
        except TrunklineError:
            # The outcome matters more than its log: a full disk, for example.
            logging.getLogger("trunkline").exception("the log of %s was not kept", self.name.name)
            return outcome

    def _count(self, what: str) -> None:
        with self._lock:
            self._counted[what] += 1

    def counted(self) -> dict[str, int]:
        """What was counted since the engine was opened."""
        with self._lock:
            return dict(self._counted)


def _ended_early(invocation: Invocation) -> Outcome:
    text = f"RequestId: {invocation.request_id} Error: The event loop of the function was closed"
    return failure("Runtime.ExitError", text)
