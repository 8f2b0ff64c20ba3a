"""What works for the state machines of one engine: threads that carry out their tasks."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from functools import partial
from threading import Condition, RLock

from trunkline._core import DestinationSettings, Machines, OwnCalls, RetryTable
from trunkline._outbox import Destination, PutOff
from trunkline._per_engine import PerEngine
from trunkline.machines.functions import is_function, name_in, settle, settle_here
from trunkline.machines.map_runs.table import MapRuns
from trunkline.machines.named import NamedFunctions
from trunkline.machines.task import Owner, Report, Task
from trunkline.machines.tasks import perform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import LeasedDelivery
    from trunkline._outbox import DestinationWorker
    from trunkline.machines.functions import OwnFunctions
    from trunkline.machines.memory import Inline, MemoryRun

    ServiceCall = Callable[["Runtime", Task], Report]

NAME = "states"
"""The destination in the outbox; the core and the table of services name it too."""

LEASE_MS = 20_000
"""After a crash, how long a task waits that was being carried out. One that takes longer is handed
out again meanwhile, which the runtime notices."""

THREADS = 64
"""Tasks at once. Functions that start an execution and wait for it need one thread each."""

CALL_SECONDS = 10.0
"""How long the end of a task waits for the answer of the call that scheduled it."""


RETRIES_MAX = (1 << 32) - 1


def _settings() -> DestinationSettings:
    """A task is tried again for ever, after a minute at most: an execution waits for its end."""
    phase = (RETRIES_MAX, "factor", 1_000, 60_000, 2_000)
    retry = RetryTable([phase], None, "equal")
    return DestinationSettings.handler(lease=LEASE_MS, retry=retry, dead_letter=None)


def runtime_of(core: CoreEngine) -> Runtime:
    """What works for the state machines of an engine, whichever surface asks."""
    return _RUNTIMES.of(core)


class StillRunning(Exception):
    """A task that was handed out again is still carried out."""


class Runtime:
    """The tasks of one engine."""

    def __init__(self, core: CoreEngine) -> None:
        self.core = core
        self.machines: Machines = Machines(core)
        self._lock = RLock()
        self._worker: DestinationWorker | None = None
        self._functions: dict[tuple[str, str, str], OwnFunctions] = {}
        self._named: NamedFunctions = NamedFunctions(core)
        self._put_off: dict[tuple[str, str, str], dict[int, Callable[[], None]]] = {}
        self._own: OwnCalls = OwnCalls(core, self._functions, settle_here, THREADS)
        self._clients: Any = None
        self._in_memory: set[MemoryRun] = set()
        self._is_closed = False
        self._calling: set[str] = set()
        self._calling_changed = Condition()
        self.map_runs: MapRuns = MapRuns(self)
        self.surfaces: dict[str, Any] = {}
        """What calls of services keep between two tasks, by their own names."""
        self.call_service: ServiceCall | None = None
        """Makes the calls of tasks that name services; there once a surface of AWS is used."""

    def start(self) -> None:
        """Has threads carry out tasks; those that an earlier opening left, too."""
        with self._lock:
            if self._worker is not None:
                return
            core, settings = self.core.outbox(), _settings()
            id = core.find(NAME)
            if id is None:
                id = core.create(NAME, settings)
            else:
                core.configure(id, settings)
            self._worker = Destination(core, id, NAME).handle(
                self._handle, THREADS, settles_behind=True, idle=self._own.tell_long
            )
            self._worker.start()
        self.map_runs.resume()

    def close(self) -> None:
        """Ends the threads once they are idle, and executions in memory now."""
        with self._lock:
            worker, self._worker = self._worker, None
            self._is_closed = True
            in_memory = list(self._in_memory)
        for run in in_memory:
            run.close()
        self.map_runs.close()
        if worker is not None:
            worker.stop()

    @contextmanager
    def running(self, run: MemoryRun) -> Iterator[MemoryRun]:
        """Has an execution in memory end when the engine is closed."""
        self.add_run(run)
        try:
            yield run
        finally:
            self.remove_run(run)

    def add_run(self, run: MemoryRun) -> None:
        """Has an execution in memory end when the engine is closed; `remove_run` must follow."""
        with self._lock:
            self._in_memory.add(run)
            if self._is_closed:
                run.close()

    def remove_run(self, run: MemoryRun) -> None:
        """An execution in memory is over."""
        with self._lock:
            self._in_memory.discard(run)

    def put_functions(self, machine: tuple[str, str, str], functions: OwnFunctions) -> None:
        """Lets the tasks of a machine call these functions by their names; those that wait, too."""
        with self._lock:
            self._functions[machine] = dict(functions)
            waiting = self._put_off.pop(machine, {})
        self._named.put(machine, functions)
        for try_again in waiting.values():
            try_again()

    def forget_functions(self, machine: tuple[str, str, str]) -> None:
        """The machine is deleted: forgets its functions, unless executions of it still run."""
        account, region, name = machine
        found = self.machines.list(account, region, f"{name}/")
        if (own := self.machines.find(machine)) is not None:
            found.append(own)
        if any(one.executions("RUNNING", None, 1) for one in found):
            return
        with self._lock:
            self._functions.pop(machine, None)
            self._put_off.pop(machine, None)
        self._named.put(machine, ())

    def named(self) -> list[tuple[str, str, str]]:
        """The machines that were given functions."""
        return self._named.machines()

    def check_named(self, owner: Owner, resource: str) -> None:
        """Raises PutOff for a function that a machine had before the restart and has not yet."""
        account, region, name = owner.machine_name
        machine = (account, region, name.partition("/")[0])
        with self._lock:
            if ":states:::" in resource or machine in self._functions:
                return
        if name_in(resource) in self._named.of(machine) and not is_function(self.core, resource):
            why = f"The program has not named the function {resource} again."
            raise PutOff(why, partial(self._park, machine))

    def _park(
        self, machine: tuple[str, str, str], number: int, try_again: Callable[[], None]
    ) -> None:
        """Keeps what has a task tried again until the functions of its machine are named."""
        with self._lock:
            if machine not in self._functions:
                self._put_off.setdefault(machine, {})[number] = try_again
                return
        try_again()

    def functions(self, machine: tuple[str, str, str]) -> OwnFunctions:
        """The functions that a machine was given; children of map runs have those of theirs."""
        account, region, name = machine
        with self._lock:
            return self._functions.get((account, region, name.partition("/")[0]), {})

    def inline(self, machine: tuple[str, str, str]) -> Inline | None:
        """What an execution in memory of a machine may call on its own thread."""
        functions = self.functions(machine)
        return (self.core, functions, settle) if functions else None

    @property
    def clients(self) -> Any:
        """Clients of all services of the engine; made when the first task calls one."""
        with self._lock:
            if self._clients is None:
                from trunkline.aws.invoker import ServiceInvoker

                self._clients = ServiceInvoker(self.core)
            return self._clients

    def _handle(self, delivery: LeasedDelivery) -> None:
        """Carries out one delivery; an exception has it tried again."""
        done = self._own.carry_out(delivery)
        if done is not None:
            if not done:
                raise StillRunning
            return
        told = json.loads(delivery.body)
        owner = Owner(told["account"], told["region"], told["machine"], told["execution"])
        kind = told["kind"]
        if kind == "task":
            self.check_named(owner, told["resource"])
            with self._calling_once(told["token"]):
                self._task(owner, told)
        elif kind == "map_run":
            self.map_runs.start(told)
        elif kind == "map_run_stopped":
            self.map_runs.stop(told["token"])
        else:
            from trunkline.machines import notices

            notices.handle(self, owner, told)

    def _task(self, owner: Owner, told: dict[str, Any]) -> None:
        task = Task(
            owner,
            told["resource"],
            json.dumps(told["input"], ensure_ascii=False, separators=(",", ":")),
            told["token"],
            told["credentials"] and json.dumps(told["credentials"]),
            told["attempt"],
            told["timeout_seconds"],
        )
        for report in perform(self, task):
            # A task that has ended already is not called once more.
            if not self.report(task.token, report, settled=False):
                break

    @contextmanager
    def _calling_once(self, token: str) -> Iterator[None]:
        """Marks a task as being carried out; raises StillRunning if it is already."""
        with self._calling_changed:
            if token in self._calling:
                # The lease has ended, not the task. Kept, in case this process ends before it.
                raise StillRunning(token)
            self._calling.add(token)
        try:
            yield
        finally:
            with self._calling_changed:
                self._calling.discard(token)
                self._calling_changed.notify_all()

    def until_called(self, token: str) -> None:
        """Waits until the call that handed out a token is reported.

        A worker that got the token may be faster than the answer of the service that brought it.
        """
        with self._calling_changed:
            self._calling_changed.wait_for(lambda: token not in self._calling, CALL_SECONDS)

    def report(self, token: str, report: Report, *, settled: bool = True) -> bool:
        """Reports to the execution; False if the task has ended meanwhile.

        It returns when that is durable, unless it is not to be `settled`.
        """
        taken = self.machines.report(token, report.kind, report.first, report.second, settled)
        if not taken:
            logging.getLogger("trunkline").debug("a task ended before it was %s", report.kind)
        return bool(taken)


_RUNTIMES = PerEngine(Runtime, Runtime.close)
